//! What is asked of a rehearsal.

use std::path::PathBuf;
use std::time::Duration;

use crate::script::{Script, Step};

/// Told what is being done.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// A migration to be rehearsed, with all that runs before it.
#[derive(Debug, Clone)]
pub struct Request {
    /// What runs before it, in order.
    pub history: Vec<Script>,
    /// The migration as it is written.
    pub written: Step,
    /// What it is rewritten as; `None` where it is rehearsed as it is written.
    pub rewritten: Option<Rewritten>,
    /// How it is rehearsed.
    pub options: Options,
}

/// A migration rewritten.
#[derive(Debug, Clone)]
pub struct Rewritten {
    /// The strategy's name.
    pub strategy: String,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// How many releases there are in all.
    pub releases: usize,
    /// What the releases must do, in words.
    pub must: Vec<String>,
}

/// How a migration is rehearsed.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of PostgreSQL's programs.
    pub bin_dir: Option<PathBuf>,
    /// The major version that is wanted where several are installed.
    pub version: Option<u32>,
    /// Rows of each table that the migration touches.
    pub rows: u64,
    /// What the rows are drawn with.
    pub seed: u64,
    /// The longest time for all of it.
    pub max_time: Duration,
    /// The longest time that a statement of a client may take.
    pub max_wait: Duration,
    /// The most disk that the server may use, in bytes.
    pub max_disk: u64,
}
