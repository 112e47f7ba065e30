//! Engines: what differs from one to the other stands in one folder each, behind the questions of [`Engine`].

mod capability;
mod counts;
pub mod effect;
pub mod lower;
mod not_yet;
mod postgres;

use std::fmt::Debug;

use crate::backfill::BackfillJob;
use crate::dialect::{Dialect, Version};
use crate::operation::Kind;

pub use capability::{Capability, Fact, can, since};
pub use counts::Count;
pub use postgres::{preflight, versions};

/// What is asked of an engine.
pub trait Engine: Debug + Sync {
    /// What not every version can do.
    fn capabilities(&self) -> &'static [Fact];

    /// An operation as SQL, without a semicolon; `None` where our words do not hold all that it was, as of something that only a person wrote.
    fn spell(&self, kind: &Kind) -> Option<String>;

    /// Work in batches as one statement.
    fn batches(&self, job: &BackfillJob) -> String;

    /// A statement that ends with an error where a query finds rows.
    fn refuse(&self, rows: &str, message: &str) -> String;

    /// A statement that ends with an error where a query counts more than nothing. The words of what must be so go behind "until".
    fn require(&self, text: &str, count: &str) -> String;

    /// Several statements as one.
    fn together(&self, statements: &[String]) -> String;

    /// A statement that fails, with the reason.
    fn fail(&self, why: &str) -> String;

    /// A query by which a sequence goes on where another one stands; names are SQL.
    fn go_on(&self, sequence: &str, stands: &str) -> String;

    /// The next value of a sequence, whose name is SQL, as an expression.
    fn next_value(&self, sequence: &str) -> String;

    /// A query by which a sequence goes on behind the largest value of a column; names are SQL.
    fn go_on_behind(&self, sequence: &str, column: &str, table: &str) -> String;

    /// A query that counts what must not be there, before or after a step.
    fn count(&self, count: &Count<'_>) -> String;

    /// A query by which a server that is in use is watched.
    fn watch(&self, watch: &Watch<'_>, version: Version) -> Option<String>;
}

/// What is watched on a server that is in use. Tables are SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch<'a> {
    /// The statements on these tables with how long they take.
    Baseline {
        /// The tables.
        tables: &'a [String],
    },
    /// Seconds of the longest transaction that holds a lock on one of them.
    LongestTransaction {
        /// The tables.
        tables: &'a [String],
    },
    /// Rows and bytes of tables.
    Sizes {
        /// The tables.
        tables: &'a [String],
    },
    /// Seconds by which the replica lags that lags most.
    Lag,
    /// Counts indexes that were not built to their end and constraints that were not validated.
    Unfinished {
        /// The tables.
        tables: &'a [String],
    },
    /// Counts kinds of statements that named all of these since the counters were reset.
    Uses {
        /// Names, as people write them.
        names: &'a [String],
    },
    /// One row for each table: how often it was read and written, and since when that is counted.
    Scans {
        /// The tables.
        tables: &'a [String],
    },
    /// About a thousand rows from everywhere in a table.
    Sample {
        /// The table.
        table: &'a str,
        /// How many rows it has, where that is known.
        rows: Option<u64>,
    },
    /// Statements that make the schema again, one in each row.
    Schema,
    /// One row: the version, the database, and the schema of what counts statements, or an empty text.
    Server,
    /// Facts of the server and of each table. Each row has the name of a fact, the table or an empty text, and the value.
    Facts,
    /// Facts, in the same form, of the statements that ran before.
    Statements {
        /// The schema of what counts them, as SQL.
        schema: &'a str,
    },
}

/// The engine of a dialect.
pub fn of(dialect: Dialect) -> &'static dyn Engine {
    match dialect {
        Dialect::Postgres => &postgres::Postgres,
        Dialect::Mysql | Dialect::Sqlite => &not_yet::NotYet,
    }
}
