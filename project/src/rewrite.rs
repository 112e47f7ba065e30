//! A risky migration rewritten as files in the project's own framework.

use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::plan::{Phase, PhaseKind, Way};

use crate::analysis::CheckedFile;
use crate::discover::Project;

/// A file to be made or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Relative to the root.
    pub path: String,
    /// The phase that it belongs to.
    pub phase: PhaseKind,
    /// Its whole text.
    pub content: String,
    /// Whether a file of that path is there and is replaced: the migration that is rewritten, and its down.
    pub replaces: bool,
}

/// What the application must do between phases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The phase after which it is released.
    pub after_phase: PhaseKind,
    /// What it must do.
    pub must: Vec<String>,
}

/// A migration rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// How it is carried out.
    pub way: Way,
    /// The files in the order in which they run.
    pub files: Vec<PlannedFile>,
    /// The releases between them.
    pub releases: Vec<Release>,
    /// All phases, with criteria and rollback.
    pub phases: Vec<Phase>,
}

/// Why a migration cannot be rewritten, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RewriteError {
    /// In the user's words.
    pub message: String,
}

/// Rewrites a checked file of `project`. `now` gives new files their names.
///
/// # Errors
/// [`RewriteError`] where nothing in the file has a recipe, a recipe is not possible here, or the framework cannot run
/// the steps.
pub fn rewrite(
    project: &Project,
    file: &CheckedFile,
    way: Way,
    now: Timestamp,
) -> Result<Rewrite, RewriteError> {
    let _ = (project, file, way, now);
    Err(RewriteError { message: "nothing in this migration has a recipe".to_owned() })
}
