//! Statements to operations, one file or folder per engine.

mod body;
mod ending;

use super::postgres::lower as postgres;
use crate::dialect::Dialect;
use crate::operation::{Kind, Operation, Unknown};
use crate::statement::{Cursor, Script, Statement, TokenKind};

pub use body::{Dynamic, InBody, operations_of_body};
pub use ending::{Ending, ending};

/// Statements with more tokens are recognised by their first words only.
const MOST_TOKENS: usize = 200_000;

/// The operations of a statement, in the order of the text; at least one.
pub fn lower(script: &Script<'_>, statement: &Statement) -> Vec<Operation> {
    let cursor = script.cursor(statement);
    if let Some(token) = cursor.tokens().iter().find(|token| token.kind == TokenKind::Broken) {
        let quote = token.span.of(script.text).chars().next().unwrap_or('\'');
        return vec![unknown(&cursor, format!("the quote {quote} is never closed"))];
    }
    match script.dialect {
        Dialect::Postgres => postgres::lower(cursor, cursor.tokens().len() <= MOST_TOKENS),
        other => vec![unknown(&cursor, format!("{} is not analysed yet", other.title()))],
    }
}

/// The operation of something that could not be read.
pub(super) fn unknown(cursor: &Cursor<'_>, reason: impl Into<String>) -> Operation {
    let mut start = Cursor::new(cursor.text(), cursor.dialect(), cursor.tokens());
    let mut head = Vec::new();
    while head.len() < 3 && start.peek_kind() == Some(TokenKind::Word) {
        head.push(start.peek_text().to_ascii_uppercase());
        start.next_token();
    }
    let relation = relation_after_head(Cursor::new(cursor.text(), cursor.dialect(), cursor.tokens()));
    let unknown = Unknown { head: head.join(" "), reason: reason.into(), relation };
    Operation { kind: Kind::Unknown(unknown), span: cursor.span() }
}

/// The relation of `ALTER TABLE name …` and the like, read with as little as possible.
fn relation_after_head(mut cursor: Cursor<'_>) -> Option<crate::dialect::Name> {
    cursor.eat_any(&["alter", "drop", "create"])?;
    cursor.eat_any(&["foreign", "materialized"]);
    cursor.eat_any(&["table", "view", "index"])?;
    cursor.eat_all("if exists");
    cursor.eat_all("if not exists");
    cursor.eat("only");
    cursor.name()
}
