//! Rewrites on the wire.

use schemars::JsonSchema;
use serde::Serialize;

/// What `lockkeeper rewrite --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RewriteReport {
    /// Always 1; fields are added, never changed.
    pub version: u32,
    /// The strategy: `compatibility-view`, `database-triggers`, `application-dual-write`, `maintenance-window`.
    pub strategy: String,
    /// The files in the order in which they run.
    pub files: Vec<RewrittenFile>,
    /// The same as edits of files that are there.
    pub edits: Vec<FileEdit>,
    /// What the application must do between phases.
    pub releases: Vec<ReleaseReport>,
    /// What whoever writes the files should know first.
    pub notes: Vec<String>,
    /// Whether the files were written.
    pub written: bool,
}

/// A file of a rewrite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RewrittenFile {
    /// Relative to the project's root.
    pub path: String,
    /// The number of its step; the halves of a migration have the same.
    pub step: usize,
    /// What the step does.
    pub title: String,
    /// What must be so before it. Which release must be out before it the releases say.
    pub before: Vec<String>,
    /// Its phase.
    pub phase: String,
    /// Its whole text.
    pub content: String,
    /// Whether it replaces a file that is there.
    pub replaces: bool,
    /// Whether it waits for a later `rewrite --continue`, and is not written now.
    pub held: bool,
    /// The file in which its way up waits, where it is held back.
    pub kept_in: Option<String>,
}

/// The whole text of a file that is there, replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileEdit {
    /// Relative to the project's root.
    pub path: String,
    /// Its new text.
    pub text: String,
}

/// A release between phases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReleaseReport {
    /// The phase whose files run before it; `assessment` where none does.
    pub after_phase: String,
    /// The first file that may run only when it is out; `null` where none follows.
    pub before_file: Option<String>,
    /// What it must do.
    pub must: Vec<String>,
}
