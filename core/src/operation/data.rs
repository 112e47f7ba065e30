//! Changes of rows, queries, sessions and blocks of code.

use crate::dialect::{Ident, Name};
use crate::text::Span;

use super::{Expression, QueryText};

/// New rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The table.
    pub table: Name,
    /// The columns, where stated.
    pub columns: Vec<Ident>,
    /// Values for identities that are always generated are taken as they come.
    pub overriding: bool,
    /// Some of the values that are written out are DEFAULT, or all of them.
    pub defaults: bool,
    /// The query that the rows come from, unless they are written out.
    pub query: Option<QueryText>,
    /// Tables in its WITH.
    pub others: Vec<Name>,
    /// The columns or constraint of `ON CONFLICT`.
    pub on_conflict: Option<Expression>,
}

/// Changed rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The table.
    pub table: Name,
    /// Its other name in the statement.
    pub alias: Option<Ident>,
    /// The columns that get values, each with its own; `None` where a query gives several at once.
    pub set: Option<Vec<(Ident, Expression)>>,
    /// The list behind `FROM`.
    pub from: Option<Expression>,
    /// Whether it is `UPDATE` one table, `SET`, `FROM` and `WHERE`, and no more: no `WITH`, `ONLY`, `RETURNING`.
    pub plain: bool,
    /// The columns that get values.
    pub columns: Vec<Ident>,
    /// Which rows; `None` means all.
    pub condition: Option<Expression>,
    /// Other tables that are read.
    pub others: Vec<Name>,
}

/// Deleted rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// The table.
    pub table: Name,
    /// Its other name in the statement.
    pub alias: Option<Ident>,
    /// Which rows; `None` means all.
    pub condition: Option<Expression>,
    /// The list behind `USING`.
    pub using: Option<Expression>,
    /// Other tables that are read.
    pub others: Vec<Name>,
    /// Whether it is `DELETE FROM` one table and `WHERE`, and no more: no `WITH`, `ONLY`, `USING`, `RETURNING`.
    pub plain: bool,
}

/// Merged rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// The table that is changed.
    pub table: Name,
    /// Its other name in the statement.
    pub alias: Option<Ident>,
    /// Tables that are read.
    pub others: Vec<Name>,
    /// Whether the source is joined by a plain condition; kept as text.
    pub text: Expression,
}

/// Bulk copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Copy {
    /// The table, unless a query is copied out.
    pub table: Option<Name>,
    /// Rows come in rather than go out.
    pub into_table: bool,
    /// Tables of the query.
    pub others: Vec<Name>,
}

/// A query of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Its text.
    pub query: QueryText,
    /// It locks the rows that it reads.
    pub locks_rows: bool,
}

/// A session setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The parameter, lower case.
    pub name: String,
    /// The value without quotes; `None` for RESET and DEFAULT.
    pub value: Option<String>,
    /// The value as it was written, where it stands in a text: a list of names, or a number.
    pub words: Option<String>,
    /// Only until the end of the transaction.
    pub local: bool,
}

/// What happens to the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// It starts.
    Begin,
    /// It ends and stays.
    Commit,
    /// It ends and is undone.
    Rollback,
    /// A savepoint is set or released.
    Savepoint,
    /// The part behind a savepoint is undone.
    RollbackTo,
    /// It is left prepared.
    Prepare,
}

/// A block of procedural code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The language, lower case.
    pub language: String,
    /// The code, without its quotes.
    pub code: Span,
}
