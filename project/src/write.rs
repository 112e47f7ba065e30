//! Files written all or none, below the project's root and never through a link.

use std::io;
use std::path::Path;

use lockkeeper_root::{Readers, Root};

/// Larger files are replaced by nobody.
const MOST: u64 = 100_000_000;

/// One file to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// Relative to the root.
    pub path: &'a str,
    /// Its whole text.
    pub content: &'a str,
    /// Whether one that is there is replaced; else none may be there.
    pub replaces: bool,
}

/// Writes the files. New ones are made before an old one is replaced; when something fails, all is put back.
///
/// # Errors
/// In words, when a file is in the way, lies outside the root or behind a link, or cannot be written. Then nothing was kept.
pub fn write_all(root: &Path, files: &[NewFile<'_>]) -> Result<(), String> {
    let failed =
        |path: &str, error: io::Error| format!("{path} cannot be written ({error}); nothing was kept");
    let root = Root::open(root).map_err(|error| failed("the project", error))?;
    for file in files.iter().filter(|file| !file.replaces) {
        if root.exists(file.path).map_err(|error| failed(file.path, error))? {
            return Err(format!("{} is there already: nothing was written", file.path));
        }
    }
    let (new, replaced): (Vec<&NewFile<'_>>, Vec<_>) = files.iter().partition(|file| !file.replaces);
    let mut before: Vec<(&str, Option<Vec<u8>>)> = Vec::new();
    for file in new.into_iter().chain(replaced) {
        let written = if file.replaces {
            root.read(file.path, MOST)
                .and_then(|old| root.write(file.path, file.content.as_bytes(), Readers::Usual).map(|()| old))
        } else {
            root.create(file.path, file.content.as_bytes(), Readers::Usual).map(|()| None)
        };
        match written {
            Ok(old) => before.push((file.path, old)),
            Err(error) => {
                put_back(&root, &before);
                return Err(failed(file.path, error));
            }
        }
    }
    Ok(())
}

fn put_back(root: &Root, before: &[(&str, Option<Vec<u8>>)]) {
    for (path, content) in before.iter().rev() {
        // What cannot be put back is left; the error that is told names the file.
        let _ = match content {
            Some(content) => root.write(path, content, Readers::Usual),
            None => root.remove(path),
        };
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn file(path: &'static str, replaces: bool) -> NewFile<'static> {
        NewFile { path, content: "new", replaces }
    }

    fn all_files(folder: &Path) -> Vec<(String, String)> {
        let mut found: Vec<_> = fs::read_dir(folder)
            .expect("is there")
            .map(|it| it.expect("is readable").path())
            .filter(|it| it.is_file())
            .map(|it| (it.display().to_string(), fs::read_to_string(&it).expect("is text")))
            .collect();
        found.sort();
        found
    }

    /// Each way to fail: what was there before is there again, and nothing else.
    #[test]
    fn a_failure_keeps_nothing() {
        let folder = tempfile::tempdir().expect("can be made");
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("project/folder")).expect("can be made");
        fs::create_dir(at("outside")).expect("can be made");
        fs::write(at("outside/file"), "old").expect("can be written");
        fs::write(at("project/old"), "old").expect("can be written");
        symlink(at("outside"), at("project/link")).expect("can be made");
        symlink(at("outside/file"), at("project/file_link")).expect("can be made");
        let project = at("project");
        let before = (all_files(&project), all_files(&at("outside")));
        for path in
            ["link/file", "link/new", "file_link", "folder", "../outside/file", "old/file", "/tmp/x/y"]
        {
            for replaces in [true, false] {
                let files =
                    [file("one", false), file("old", true), file("folder_two", true), file(path, replaces)];
                let error = write_all(&project, &files).expect_err(path);
                assert!(error.contains("nothing was"), "{error}");
                assert_eq!((all_files(&project), all_files(&at("outside"))), before, "{path}");
            }
        }
        write_all(&project, &[file("one", false), file("old", true), file("deep/er/two", true)])
            .expect("is written");
        assert_eq!(fs::read_to_string(at("project/deep/er/two")).expect("is there"), "new");
        assert!(write_all(&project, &[file("one", false)]).is_err());
    }
}
