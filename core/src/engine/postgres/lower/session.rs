//! Settings, transactions, and the commands that start with a word of their own.

use super::{data, index, maintain, right, routine};
use crate::operation::{Kind, Refresh, Set, Transaction};
use crate::statement::{Cursor, TokenKind};

/// Reads a statement that is no CREATE, ALTER, DROP or change of rows.
pub(super) fn command(mut cursor: Cursor<'_>) -> Option<Kind> {
    if cursor.peek_kind() == Some(TokenKind::Open) {
        return Some(data::query_of(cursor));
    }
    let word = cursor.next_token()?.span.of(cursor.text()).to_ascii_lowercase();
    match word.as_str() {
        "begin" | "start" => Some(Kind::Transaction(Transaction::Begin)),
        "commit" | "end" => Some(Kind::Transaction(Transaction::Commit)),
        "abort" => Some(Kind::Transaction(Transaction::Rollback)),
        "rollback" if cursor.has(&["to"]) => Some(Kind::Transaction(Transaction::RollbackTo)),
        "rollback" => Some(Kind::Transaction(Transaction::Rollback)),
        "savepoint" | "release" => Some(Kind::Transaction(Transaction::Savepoint)),
        "prepare" if cursor.is("transaction") => Some(Kind::Transaction(Transaction::Prepare)),
        "set" => set(cursor),
        "reset" => {
            Some(Kind::Set(Set { name: parameter(&mut cursor), value: None, words: None, local: false }))
        }
        "refresh" => refresh(cursor),
        "reindex" => index::reindex(cursor),
        "vacuum" => Some(maintain::vacuum(cursor)),
        "analyze" | "analyse" => Some(maintain::analyze(cursor)),
        "cluster" => maintain::cluster(cursor),
        "repack" => maintain::repack(cursor),
        "lock" => maintain::lock(cursor),
        "truncate" => maintain::truncate(cursor),
        "comment" => maintain::comment(cursor),
        "grant" => cursor.has(&["to"]).then(|| right::grant(cursor, false)),
        "revoke" => cursor.has(&["from"]).then(|| right::grant(cursor, true)),
        "do" => routine::do_block(cursor),
        "call" => Some(data::query_of(cursor)),
        "explain" => data::explained(cursor),
        "import" if !cursor.is("foreign") => None,
        "security" if !cursor.is("label") => None,
        "wait" if !cursor.is("for") => None,
        "reassign" if !cursor.is("owned") => None,
        other if OTHER.contains(&other) => Some(Kind::Other(other.to_ascii_uppercase())),
        _ => None,
    }
}

/// Commands that change no relation.
const OTHER: &[&str] = &[
    "show",
    "notify",
    "listen",
    "unlisten",
    "discard",
    "deallocate",
    "execute",
    "prepare",
    "declare",
    "fetch",
    "move",
    "close",
    "checkpoint",
    "wait",
    "load",
    "security",
    "reassign",
    "import",
];

fn parameter(cursor: &mut Cursor<'_>) -> String {
    let first = cursor.index();
    cursor.name();
    cursor.span_from(first).of(cursor.text()).to_ascii_lowercase()
}

fn set(mut cursor: Cursor<'_>) -> Option<Kind> {
    let local = cursor.eat("local");
    cursor.eat("session");
    if cursor.eat_all("time zone") {
        let (value, words) = value(&cursor);
        // LOCAL is what the server and the role say, as DEFAULT is.
        let own = !value.as_ref().is_some_and(|it| it.eq_ignore_ascii_case("local"));
        let (value, words) = (value.filter(|_| own), words.filter(|_| own));
        return Some(Kind::Set(Set { name: "timezone".to_owned(), value, words, local }));
    }
    if cursor.is_any(&["constraints", "transaction", "role", "authorization", "characteristics"]) {
        let first = cursor.index();
        while cursor.next_token().is_some() {}
        let text = cursor.span_from(first).of(cursor.text());
        let (name, words) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (name, words) = (name.to_ascii_lowercase(), words.trim().to_owned());
        let quoted = words.starts_with(['"', '\'']);
        let value = match quoted {
            true => words.trim_matches(['"', '\'']).to_owned(),
            false => words.to_ascii_lowercase(),
        };
        return Some(Kind::Set(Set { name, value: Some(value), words: Some(words), local }));
    }
    let name = parameter(&mut cursor);
    (!cursor.at_end()).then_some(())?;
    if !cursor.eat("to") {
        cursor.eat("=");
    }
    let (value, words) = value(&cursor);
    // SET SCHEMA says the search path, as one text.
    let name = if name == "schema" { "search_path".to_owned() } else { name };
    Some(Kind::Set(Set { name, value, words, local }))
}

/// The value without quotes, and as it was written; nothing for DEFAULT.
fn value(cursor: &Cursor<'_>) -> (Option<String>, Option<String>) {
    let words = cursor.rest().span().of(cursor.text()).trim();
    if words.eq_ignore_ascii_case("default") {
        return (None, None);
    }
    (Some(words.trim_matches('\'').to_owned()), Some(words.to_owned()))
}

fn refresh(mut cursor: Cursor<'_>) -> Option<Kind> {
    cursor.eat("materialized").then_some(())?;
    let keyword = cursor.here();
    cursor.eat("view").then_some(())?;
    let concurrently = cursor.eat("concurrently");
    let view = cursor.name()?;
    let with_data = !cursor.eat_all("with no data");
    Some(Kind::Refresh(Refresh { view, concurrently, with_data, keyword }))
}
