//! PostgreSQL's statements, 11 to 19.

mod alter;
mod column;
mod create;
mod data;
mod drop;
mod index;
mod maintain;
mod object;
mod options;
mod right;
mod routine;
mod session;
mod table;

use crate::engine::lower::unknown;
use crate::operation::{Expression, Operation, QueryText};
use crate::statement::Cursor;

/// The operations of a statement. Without `whole` only its first words are read.
pub(in crate::engine) fn lower(cursor: Cursor<'_>, whole: bool) -> Vec<Operation> {
    let mut reader = cursor;
    let word = reader.peek_text().to_ascii_lowercase();
    if word == "alter" && whole {
        reader.next_token();
        return alter::alter(reader, &cursor);
    }
    let mut operations = if word == "with" && whole { data::changing_parts(reader) } else { Vec::new() };
    let kind = match word.as_str() {
        "create" => {
            reader.next_token();
            create::create(reader)
        }
        "drop" => {
            reader.next_token();
            drop::drop(reader)
        }
        "select" if whole && reader.has(&["into"]) => {
            data::select_into(reader).or_else(|| data::change(reader, whole))
        }
        "insert" | "update" | "delete" | "merge" | "copy" | "select" | "values" | "table" | "with" => {
            data::change(reader, whole)
        }
        _ => session::command(reader),
    };
    operations.push(match kind {
        Some(kind) => Operation { kind, span: cursor.span() },
        None => unknown(&cursor, "the statement is not in a form that PostgreSQL 11 to 19 has"),
    });
    operations
}

/// An expression that takes all tokens of a cursor.
fn expression(cursor: &Cursor<'_>) -> Expression {
    let span = cursor.span();
    Expression { text: span.of(cursor.text()).to_owned(), span }
}

/// A query that takes all tokens of a cursor.
fn query(cursor: &Cursor<'_>) -> QueryText {
    let span = cursor.span();
    QueryText { text: span.of(cursor.text()).to_owned(), span }
}

/// The columns of `(a, b)` or `(a, PERIOD b)`; expressions are left out.
fn columns(cursor: &mut Cursor<'_>) -> Vec<crate::dialect::Ident> {
    let Some(group) = cursor.group() else { return Vec::new() };
    let column = |mut segment: Cursor<'_>| {
        let mut period = segment;
        let period = period.eat("period").then(|| period.ident()).flatten();
        period.or_else(|| segment.ident())
    };
    group.segments().into_iter().filter_map(column).collect()
}
