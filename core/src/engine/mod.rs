//! Engines: what differs from one to the other stands in one folder each, behind the questions of [`Engine`].

pub mod effect;
pub mod lower;
mod not_yet;
mod postgres;

use std::fmt::Debug;

use crate::backfill::BackfillJob;
use crate::dialect::Dialect;
use crate::operation::Kind;

pub use postgres::{preflight, versions};

/// What is asked of an engine.
pub trait Engine: Debug + Sync {
    /// An operation as SQL, without a semicolon; `None` where our words do not hold all that it was, as of something that only a person wrote.
    fn spell(&self, kind: &Kind) -> Option<String>;

    /// Work in batches as one statement.
    fn batches(&self, job: &BackfillJob) -> String;

    /// A statement that ends with an error where a query finds rows.
    fn refuse(&self, rows: &str, message: &str) -> String;

    /// Several statements as one.
    fn together(&self, statements: &[String]) -> String;

    /// A statement that fails, with the reason.
    fn fail(&self, why: &str) -> String;

    /// A query by which a sequence goes on where another one stands; names are SQL.
    fn go_on(&self, sequence: &str, stands: &str) -> String;

    /// A query that counts 0 where an index, whose name is SQL, is complete.
    fn is_incomplete(&self, index: &str) -> String;
}

/// The engine of a dialect.
pub fn of(dialect: Dialect) -> &'static dyn Engine {
    match dialect {
        Dialect::Postgres => &postgres::Postgres,
        Dialect::Mysql | Dialect::Sqlite => &not_yet::NotYet,
    }
}
