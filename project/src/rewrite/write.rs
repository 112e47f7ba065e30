//! The files of a rewrite, written all or none.

use std::path::Path;

use super::{Rewrite, RewriteError};
use crate::write::{FileChange, write_all};

/// Writes the files of a rewrite that do not wait, and keeps the others. New ones must not be there yet; they are made before an old one is replaced, and
/// taken away again when something fails.
///
/// # Errors
/// [`RewriteError`] when a file is in the way, lies outside the root, or cannot be written; then nothing was kept.
pub fn write(root: &Path, rewrite: &Rewrite) -> Result<(), RewriteError> {
    let files = rewrite.files.iter().filter(|it| !it.held);
    let files = files.map(|it| FileChange {
        path: &it.path,
        content: Some(&it.content),
        replaces: it.replaces,
        was: it.was.as_deref(),
    });
    let kept = rewrite.kept.iter().map(|it| FileChange {
        path: &it.path,
        content: it.content.as_deref(),
        replaces: it.was.is_some(),
        was: it.was.as_deref(),
    });
    write_all(root, &files.chain(kept).collect::<Vec<_>>()).map_err(RewriteError::new)
}
