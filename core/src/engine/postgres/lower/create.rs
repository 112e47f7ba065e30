//! CREATE, by the kind of object.

use super::{expression, index, object, query, routine, table};
use crate::operation::{CreateView, Kind, OnTable, Publication, PublicationAction};
use crate::statement::{Cursor, TokenKind};

/// Reads everything behind the word CREATE.
pub(super) fn create(mut cursor: Cursor<'_>) -> Option<Kind> {
    let or_replace = cursor.eat_all("or replace");
    if cursor.is_any(&["unique", "index"]) {
        return index::create(cursor);
    }
    if let Some(kind) = table::create(cursor) {
        return Some(kind);
    }
    let mut view_words = cursor;
    let temporary = view_words.eat_any(&["temp", "temporary", "local", "global"]).is_some();
    view_words.eat_any(&["temp", "temporary"]);
    if view_words.is("unlogged") && view_words.is_at(1, "sequence") {
        view_words.next_token();
    }
    view_words.eat("recursive");
    if view_words.is("view") || (view_words.is("materialized") && view_words.is_at(1, "view")) {
        return view(view_words, or_replace, temporary);
    }
    if view_words.is("sequence") {
        return object::create_sequence(view_words, temporary);
    }
    match cursor.peek_text().to_ascii_lowercase().as_str() {
        "type" => object::create_type(cursor),
        "domain" => object::create_domain(cursor),
        "function" | "procedure" => routine::create_function(cursor, or_replace),
        "trigger" | "constraint" => routine::create_trigger(cursor, or_replace),
        "policy" => on_table(cursor, "on").map(Kind::CreatePolicy),
        "rule" => on_table(cursor, "to").map(Kind::CreateRule),
        "statistics" => object::create_statistics(cursor),
        "publication" => publication(cursor),
        "schema" => {
            cursor.next_token();
            cursor.eat_all("if not exists");
            cursor.eat("authorization");
            cursor.name().map(Kind::CreateSchema)
        }
        "extension" => {
            cursor.next_token();
            cursor.eat_all("if not exists");
            cursor.name().map(Kind::CreateExtension)
        }
        word if OTHER.contains(&word) => Some(Kind::Other(format!("CREATE {}", word.to_ascii_uppercase()))),
        _ => None,
    }
}

/// What can be created and lives in no table.
const OTHER: &[&str] = &[
    "role",
    "user",
    "group",
    "database",
    "tablespace",
    "cast",
    "collation",
    "conversion",
    "default",
    "aggregate",
    "operator",
    "language",
    "trusted",
    "procedural",
    "server",
    "foreign",
    "text",
    "access",
    "event",
    "subscription",
    "transform",
    "assertion",
];

fn view(mut cursor: Cursor<'_>, or_replace: bool, temporary: bool) -> Option<Kind> {
    let materialized = cursor.eat("materialized");
    cursor.eat("view").then_some(())?;
    let if_not_exists = cursor.eat_all("if not exists");
    let name = cursor.name()?;
    let mut behind = cursor;
    let first = cursor.index();
    let columns = super::columns(&mut cursor);
    cursor.seek(&["as"]).then_some(())?;
    let head =
        if behind.eat("as") { String::new() } else { expression(&cursor.part(first, cursor.index())).text };
    let mut stated = cursor.part(first, cursor.index());
    let options = stated.seek(&["with"]) && stated.eat("with");
    let options = stated.group().filter(|_| options).map(|it| super::options::storage_options(&it));
    cursor.next_token();
    let rest = cursor.rest();
    let without_data = materialized && ends_with(&rest, &["with", "no", "data"]);
    let body = if without_data {
        rest.part(0, rest.tokens().len() - 3)
    } else if materialized && ends_with(&rest, &["with", "data"]) {
        rest.part(0, rest.tokens().len() - 2)
    } else {
        rest
    };
    let view = CreateView {
        name,
        or_replace,
        if_not_exists,
        temporary,
        materialized,
        with_data: materialized && !without_data,
        columns,
        head,
        options: options.unwrap_or_default(),
        query: query(&body),
    };
    Some(Kind::CreateView(Box::new(view)))
}

/// Whether the last tokens are these words.
pub(super) fn ends_with(cursor: &Cursor<'_>, words: &[&str]) -> bool {
    let tokens = cursor.tokens();
    let Some(first) = tokens.len().checked_sub(words.len()) else { return false };
    let last = &tokens[first..];
    last.iter().zip(words).all(|(token, word)| {
        token.kind == TokenKind::Word && token.span.of(cursor.text()).eq_ignore_ascii_case(word)
    })
}

/// Reads a policy or rule: its name, and its table behind `preposition`.
pub(super) fn on_table(mut cursor: Cursor<'_>, preposition: &str) -> Option<OnTable> {
    cursor.next_token();
    cursor.eat_all("if exists");
    let name = cursor.ident()?;
    let first = cursor.index();
    cursor.seek(&[preposition]).then_some(())?;
    let head = expression(&cursor.part(first, cursor.index()));
    cursor.next_token();
    let table = cursor.name()?;
    Some(OnTable { name, head, table, definition: expression(&cursor.rest()) })
}

fn publication(mut cursor: Cursor<'_>) -> Option<Kind> {
    cursor.next_token();
    let name = cursor.name()?;
    let all_tables = cursor.eat_all("for all tables") || (cursor.is("for") && cursor.has(&["schema"]));
    let except = if cursor.eat("except") { cursor.group() } else { None };
    let except = except.map(|mut it| publication_tables(&mut it)).unwrap_or_default();
    cursor.eat("for");
    let tables = if cursor.is("table") { publication_tables(&mut cursor) } else { Vec::new() };
    let action = PublicationAction::Create;
    Some(Kind::Publication(Publication { name, action, tables, except, all_tables }))
}

/// The tables of `TABLE a, ONLY b (x) WHERE (…), TABLES IN SCHEMA s`.
pub(super) fn publication_tables(cursor: &mut Cursor<'_>) -> Vec<crate::dialect::Name> {
    let mut tables = Vec::new();
    while !cursor.at_end() && !cursor.is("with") {
        let mut segment = cursor.until_comma();
        segment.eat("table");
        segment.eat("only");
        if !segment.is("tables") {
            tables.extend(segment.name());
        }
        cursor.eat_kind(TokenKind::Comma);
    }
    tables
}
