//! What changed since a revision, as git says.

use std::path::Path;
use std::process::{Command, Output};

/// Why git could not say it.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git.
    #[error("git cannot be started: install it, or name the files to check instead of --since")]
    NotInstalled(#[source] std::io::Error),
    /// The project is not in a repository.
    #[error("{0} is not in a git repository: name the files to check instead of --since")]
    NoRepository(String),
    /// There is no such revision, or nothing in common with it.
    #[error(
        "git does not know the revision `{revision}`: fetch it first (in CI: fetch-depth: 0); it says: {message}"
    )]
    UnknownRevision {
        /// What was asked for.
        revision: String,
        /// What git says.
        message: String,
    },
    /// Anything else.
    #[error("git failed: {0}")]
    Failed(String),
}

/// The files that were added or changed since the merge base with a revision, in the working tree as in commits,
/// untracked ones included; relative to the root, in order.
///
/// # Errors
/// [`GitError`] with what to do.
pub fn since(root: &Path, revision: &str) -> Result<Vec<String>, GitError> {
    differing(root, revision, "--diff-filter=d")
}

/// The files that are not what they were at the merge base with a revision, those that are gone included; relative to the root, in order.
///
/// # Errors
/// [`GitError`] with what to do.
pub fn touched_since(root: &Path, revision: &str) -> Result<Vec<String>, GitError> {
    differing(root, revision, "--diff-filter=AMD")
}

/// The files that were not there at the merge base with a revision; untracked ones count; relative to the root, in
/// order. A renamed file is a new one: its migration has another version.
///
/// # Errors
/// [`GitError`] with what to do.
pub fn new_since(root: &Path, revision: &str) -> Result<Vec<String>, GitError> {
    differing(root, revision, "--diff-filter=A")
}

/// What the last commit has of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// There is no commit, no repository or no git: nothing can be compared.
    Nowhere,
    /// The commit does not have the file.
    Missing,
    /// Its bytes.
    File(Vec<u8>),
}

impl Committed {
    /// The bytes; none where there is no such file.
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Self::File(bytes) => bytes,
            Self::Nowhere | Self::Missing => Vec::new(),
        }
    }
}

/// A file as the last commit has it.
///
/// # Errors
/// [`GitError`] when there is a commit and git cannot say it.
pub fn committed(root: &Path, path: &str) -> Result<Committed, GitError> {
    match output(root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]) {
        Ok(head) if head.status.success() => {}
        Ok(_) | Err(GitError::NotInstalled(_)) => return Ok(Committed::Nowhere),
        Err(error) => return Err(error),
    }
    Ok(blob(root, "HEAD", path)?.map_or(Committed::Missing, Committed::File))
}

/// The bytes of a file in a commit; `None` where it is not there.
fn blob(root: &Path, commit: &str, path: &str) -> Result<Option<Vec<u8>>, GitError> {
    let listed = run(root, &["ls-tree", commit, "--", path])?;
    let Some(object) = listed.split_whitespace().nth(2) else { return Ok(None) };
    let content = output(root, &["cat-file", "blob", object])?;
    if content.status.success() { Ok(Some(content.stdout)) } else { Err(failed(&content)) }
}

/// Whether the last commit holds the file with this text, so that others may have run it. Where git cannot say it, it is not.
pub fn is_committed(root: &Path, path: &str, text: &str) -> bool {
    matches!(committed(root, path), Ok(Committed::File(bytes)) if bytes == text.as_bytes())
}

/// A file as it was at the merge base with a revision; `None` where it was not there.
///
/// # Errors
/// [`GitError`] with what to do.
pub fn at(root: &Path, revision: &str, path: &str) -> Result<Option<String>, GitError> {
    let bytes = blob(root, &base(root, revision)?, path)?;
    Ok(bytes.map(|it| String::from_utf8_lossy(&it).into_owned()))
}

/// The commit from which this one and a revision went apart.
fn base(root: &Path, revision: &str) -> Result<String, GitError> {
    // `--end-of-options`: a revision that starts with `-` is a name, never an option.
    let base = run(root, &["merge-base", "--end-of-options", revision, "HEAD"])
        .map_err(|error| unknown(error, revision))?;
    Ok(base.trim().to_owned())
}

fn differing(root: &Path, revision: &str, filter: &str) -> Result<Vec<String>, GitError> {
    if run(root, &["rev-parse", "--is-inside-work-tree"]).map_err(|error| absent(error, root))?.trim()
        != "true"
    {
        return Err(GitError::NoRepository(root.display().to_string()));
    }
    let base = base(root, revision)?;
    let changed = run(
        root,
        &["diff", "--name-only", "--relative", "-z", filter, "--no-renames", "--no-ext-diff", &base, "--"],
    )?;
    let new = run(root, &["ls-files", "--others", "--exclude-standard", "-z"])?;
    let mut files: Vec<String> = changed.split('\0').chain(new.split('\0')).map(str::to_owned).collect();
    files.retain(|file| !file.is_empty());
    files.sort();
    files.dedup();
    Ok(files)
}

fn absent(error: GitError, root: &Path) -> GitError {
    match error {
        GitError::Failed(_) => GitError::NoRepository(root.display().to_string()),
        other => other,
    }
}

fn unknown(error: GitError, revision: &str) -> GitError {
    match error {
        GitError::Failed(message) => GitError::UnknownRevision { revision: revision.to_owned(), message },
        other => other,
    }
}

fn run(root: &Path, arguments: &[&str]) -> Result<String, GitError> {
    let output = output(root, arguments)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(&output))
}

fn output(root: &Path, arguments: &[&str]) -> Result<Output, GitError> {
    // What git would run by itself (a monitor of the file system) is turned off: a repository is untrusted.
    let safe = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "diff.external="];
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(safe).args(arguments).output().map_err(GitError::NotInstalled)
}

fn failed(output: &Output) -> GitError {
    let message = String::from_utf8_lossy(&output.stderr);
    let message = message.trim();
    GitError::Failed(if message.is_empty() { "no common ancestor".to_owned() } else { message.to_owned() })
}
