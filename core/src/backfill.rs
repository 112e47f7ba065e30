//! Rows that are filled, changed, deleted or copied in batches: what is to be done, as data.

use crate::catalog::RelationName;

/// Rows that are filled, changed, deleted or copied in batches. The SQL of the migration is rendered from this and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillJob {
    /// The table.
    pub table: RelationName,
    /// How its rows are walked.
    pub walk: Walk,
    /// What is done to them.
    pub work: Work,
    /// The rows that still need it. Rows that are done never satisfy it, so the job can be run again at any time. Where the walk goes by several columns
    /// it is written so that no index serves it (PostgreSQL 17 returns wrong rows otherwise): keep it as it is.
    pub pending: String,
    /// The setting that is `on` in each batch's transaction, so that triggers that keep columns in step stand aside.
    pub guard: String,
    /// Rows of one window.
    pub batch_rows: u64,
    /// Lag of a replica at which it pauses.
    pub pause_lag_seconds: u64,
    /// Lag of all replicas at which it goes on.
    pub resume_lag_seconds: u64,
    /// How long one batch waits for a row before it gives up, lets go of its own rows, and tries again.
    pub lock_timeout: String,
    /// The query that counts the rows that are left.
    pub remaining: String,
    /// What is set for its session before it begins, each with its value.
    pub settings: Vec<(String, String)>,
    /// Row triggers of the table that may fire for each row.
    pub fires: Vec<String>,
}

/// What a backfill does to the rows of its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Columns are filled, each with the expression of its value.
    Set(Vec<(String, String)>),
    /// The rows are deleted.
    Delete,
    /// The rows are copied to another table, where triggers have not written them yet.
    Copy {
        /// The other table.
        into: RelationName,
        /// Its columns, each with an expression over the row.
        columns: Vec<(String, String)>,
        /// The columns there whose values tell that a row has come over; a unique index keeps them.
        key: Vec<String>,
    },
}

/// How the rows of a table are walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// In windows of a key that every row has.
    Key {
        /// Its columns.
        columns: Vec<String>,
        /// In how many commits a window is filled, each a share of every page: the versions that one leaves are pruned
        /// by the next, so that new versions stay on their page and no index is written. 1: the whole window at once.
        passes: u32,
        /// The number that tells a row's share, as SQL over the key.
        spread: String,
    },
    /// In windows of pages: there is no key.
    Pages {
        /// Whether the server reads a range of places as such.
        by_range: bool,
    },
}
