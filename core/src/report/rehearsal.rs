//! Rehearsals on the wire.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// What `lockkeeper rehearse --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RehearsalReport {
    /// Always 1; fields are added, never changed.
    pub version: u32,
    /// `pass`, or `block` where a release failed, data or schema differ, or a client waited too long.
    pub verdict: String,
    /// The migration, relative to the project's root.
    pub file: String,
    /// How it was rewritten; `null` where it was carried out as it is written.
    pub strategy: Option<String>,
    /// The server's version.
    pub server: String,
    /// What the rows were drawn with.
    pub seed: u64,
    /// How long a client may wait, in milliseconds.
    pub max_wait: u64,
    /// Rows by table before the migration.
    pub rows: BTreeMap<String, u64>,
    /// What was carried out beside clients, in order, and then the way back and up again without them.
    pub steps: Vec<RehearsedStep>,
    /// What failed, each different failure once.
    pub errors: Vec<RehearsalError>,
    /// Where the end is not what the migration makes as it is written, or the way back does not lead back.
    pub differences: Vec<RehearsalDifference>,
    /// Tables and statements that could not be made, each with the reason.
    pub unfilled: Vec<String>,
    /// What whoever reads this should know.
    pub notes: Vec<String>,
}

/// A step that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RehearsedStep {
    /// Its number, from 1 on.
    pub number: usize,
    /// `up`, `down` or `up again`.
    pub direction: String,
    /// What it does.
    pub title: String,
    /// Its file, relative to the project's root.
    pub path: String,
    /// The releases whose statements ran beside it.
    pub releases: Vec<String>,
    /// How long it took.
    pub milliseconds: u64,
    /// The longest lock of each relation that was there before, strongest mode first.
    pub locks: Vec<RehearsedLock>,
    /// The longest statement of a client.
    pub longest_wait: Option<RehearsedWait>,
    /// Tables and indexes that were rewritten.
    pub rewritten: Vec<String>,
    /// How often it gave up for its lock and began again.
    pub retries: usize,
    /// How many statements of clients failed.
    pub errors: u64,
}

/// A lock as other sessions saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RehearsedLock {
    /// The relation, with its schema.
    pub relation: String,
    /// The mode, as the manual writes it.
    pub mode: String,
    /// How long it was held.
    pub milliseconds: u64,
}

/// A statement of a client that took long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RehearsedWait {
    /// How long it took.
    pub milliseconds: u64,
    /// The release.
    pub release: String,
    /// The statement.
    pub statement: String,
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RehearsalError {
    /// The step during or behind which it was, from 1 on; 0 before the first.
    pub step: usize,
    /// The direction of that step.
    pub direction: String,
    /// The release; `null` where the migration itself failed.
    pub release: Option<String>,
    /// The statement.
    pub statement: String,
    /// Where it stands, as `file:line`, where it is one of the migration.
    pub place: Option<String>,
    /// The server's code.
    pub sqlstate: String,
    /// The server's message.
    pub message: String,
    /// How often it happened.
    pub times: u64,
}

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RehearsalDifference {
    /// `end`, `back` or `again`: after all steps, after the way back, after the second way up.
    pub after: String,
    /// `schema` or `rows`.
    pub kind: String,
    /// What differs; `-` is expected, `+` was found.
    pub what: String,
}
