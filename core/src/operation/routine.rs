//! Functions, procedures, and the triggers that call them.

use crate::dialect::{Ident, Name};
use crate::text::Span;

use super::{Expression, TypeName};

/// The words with which the clauses of a routine start.
pub const ROUTINE_CLAUSES: &[&str] = &[
    "returns",
    "language",
    "transform",
    "window",
    "immutable",
    "stable",
    "volatile",
    "not",
    "leakproof",
    "called",
    "strict",
    "external",
    "security",
    "parallel",
    "cost",
    "rows",
    "support",
    "set",
    "reset",
    "as",
];

/// A new or replaced routine.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateFunction {
    /// Its name.
    pub name: Name,
    /// It may be there already and is replaced.
    pub or_replace: bool,
    /// `volatile` where nothing is stated.
    pub volatility: Volatility,
    /// The language, lower case; `sql` for a body without quotes.
    pub language: String,
    /// The code of the body, without its quotes.
    pub body: Option<Span>,
    /// Whether the body stands there without quotes: the server reads it at once, and keeps what it names.
    pub is_parsed: bool,
    /// The same where it stands in no text.
    pub code: Option<String>,
    /// What is stated of it besides, where it stands in no text: `SECURITY DEFINER`.
    pub options: String,
    /// `RETURNS trigger`.
    pub returns_trigger: bool,
    /// The types of the values that go in: they tell it from others of its name.
    pub takes: Vec<TypeName>,
    /// Whether it is a procedure.
    pub procedure: bool,
    /// Everything behind its name.
    pub definition: Expression,
    /// How it is called; `None` of a procedure, and where an argument is more than a value that goes in.
    pub signature: Option<Signature>,
}

/// How a function is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its arguments as they were written, with their defaults.
    pub arguments: String,
    /// Each of them, without its default.
    pub each: Vec<String>,
    /// What it returns, as it was written.
    pub returns: String,
}

/// Whether a function gives the same answer again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    /// The same answer for ever.
    Immutable,
    /// The same answer within a statement.
    Stable,
    /// Any answer.
    Volatile,
}

/// A new or replaced trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTrigger {
    /// Its name.
    pub name: Ident,
    /// Its table.
    pub table: Name,
    /// It may be there already and is replaced.
    pub or_replace: bool,
    /// Fires at the end of the transaction, perhaps.
    pub constraint: bool,
    /// The table that a constraint trigger refers to.
    pub from: Option<Name>,
    /// `before`, `after` or `instead of`.
    pub timing: &'static str,
    /// For every row, or once for a statement.
    pub for_each_row: bool,
    /// The columns after `UPDATE OF`.
    pub columns: Vec<Ident>,
    /// The function that it calls.
    pub function: Option<Name>,
    /// What it fires for, as written: `BEFORE UPDATE OF a`.
    pub events: Expression,
    /// Everything behind the table's name.
    pub action: Expression,
}
