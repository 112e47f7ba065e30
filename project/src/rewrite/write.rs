//! Files written all or none.

use std::path::{Component, Path, PathBuf};

use super::{Rewrite, RewriteError};

/// Writes the files of a rewrite. New ones must not be there yet; they are made before an old one is replaced, and
/// taken away again when something fails.
///
/// # Errors
/// [`RewriteError`] when a file is in the way, lies outside the root, or cannot be written; then nothing was kept.
pub fn write(root: &Path, rewrite: &Rewrite) -> Result<(), RewriteError> {
    for file in &rewrite.files {
        let inside = Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            return Err(RewriteError::new(format!(
                "{} lies outside the project: nothing was written",
                file.path
            )));
        }
        if !file.replaces && root.join(&file.path).exists() {
            return Err(RewriteError::new(format!("{} is there already: nothing was written", file.path)));
        }
    }
    let (new, replaced): (Vec<_>, Vec<_>) = rewrite.files.iter().partition(|file| !file.replaces);
    let mut before: Vec<(PathBuf, Option<Vec<u8>>)> = Vec::new();
    for file in new.into_iter().chain(replaced) {
        let path = root.join(&file.path);
        before.push((path.clone(), std::fs::read(&path).ok()));
        if let Err(error) = write_one(&path, &file.content) {
            put_back(&before);
            return Err(RewriteError::new(format!(
                "{} cannot be written ({error}); nothing was kept",
                file.path
            )));
        }
    }
    Ok(())
}

fn write_one(path: &Path, content: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, content)
}

fn put_back(before: &[(PathBuf, Option<Vec<u8>>)]) {
    for (path, content) in before {
        // What cannot be put back is left; the error that is told names the file.
        let _ = match content {
            Some(content) => std::fs::write(path, content),
            None => std::fs::remove_file(path),
        };
    }
}
