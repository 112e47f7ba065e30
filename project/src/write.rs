//! Files written all or none, below the project's root and never through a link.

use std::io;
use std::path::Path;

use lockkeeper_root::{Readers, Root};
use serde::{Deserialize, Serialize};

use crate::interrupt::Writing;

/// Larger files are replaced by nobody.
const MOST: u64 = 100_000_000;

/// What is being written, while it is: what a killed process left half done is put back by the next one.
const JOURNAL: &str = ".lockkeeper-writing.json";

/// One file to be written or removed.
#[derive(Debug, Clone, Copy)]
pub struct FileChange<'a> {
    /// Relative to the root.
    pub path: &'a str,
    /// Its whole text; `None` where it is removed.
    pub content: Option<&'a str>,
    /// Whether one that is there is replaced or removed; else none may be there.
    pub replaces: bool,
    /// What the one that is replaced holds, where that matters: another text is left as it is.
    pub was: Option<&'a str>,
}

/// A file of the journal.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    path: String,
    /// `None` where there was none.
    before: Option<String>,
    /// `None` where it is removed.
    after: Option<String>,
}

/// Writes the files. New ones are made before an old one is replaced; when something fails, all is put back. Two never write at the same time.
///
/// # Errors
/// In words, when a file is in the way, is not what it was, lies outside the root or behind a link, or cannot be written. Then nothing was kept.
pub fn write_all(root: &Path, files: &[FileChange<'_>]) -> Result<(), String> {
    let root = Root::open(root).map_err(|error| failed("the project", error))?;
    let _lock = root.lock().map_err(|error| failed("the project", error))?;
    put_back_interrupted(&root).map_err(|error| format!("nothing was written: {error}"))?;
    files.iter().try_for_each(|file| refuse_in_the_way(&root, file))?;
    let writing = Writing::begin();
    begin(&root, files)?;
    let (new, replaced): (Vec<&FileChange<'_>>, Vec<_>) = files.iter().partition(|file| !file.replaces);
    let mut before: Vec<(&str, Option<Vec<u8>>)> = Vec::new();
    for file in new.into_iter().chain(replaced) {
        let written = match writing.is_interrupted() {
            true => Err(io::Error::from(io::ErrorKind::Interrupted)),
            false => write_one(&root, file),
        };
        match written {
            Ok(old) => before.push((file.path, old)),
            Err(error) => return Err(undone(&root, &before, &failed(file.path, error))),
        }
    }
    root.remove(JOURNAL).map_err(|error| failed(JOURNAL, error))
}

fn failed(path: &str, error: io::Error) -> String {
    format!("{path} cannot be written ({error}); nothing was kept")
}

/// A new file takes no place, and a replaced one is what it was when it was read.
fn refuse_in_the_way(root: &Root, file: &FileChange<'_>) -> Result<(), String> {
    if !file.replaces && root.exists(file.path).map_err(|error| failed(file.path, error))? {
        return Err(format!("{} is there already: nothing was written", file.path));
    }
    let Some(was) = file.was else { return Ok(()) };
    let is = root.read(file.path, MOST).map_err(|error| failed(file.path, error))?;
    match is.as_deref() == Some(was.as_bytes()) {
        true => Ok(()),
        false => Err(format!("{} was changed meanwhile: nothing was written; run it again", file.path)),
    }
}

/// Writes down what is going to be written.
fn begin(root: &Root, files: &[FileChange<'_>]) -> Result<(), String> {
    let entry = |file: &FileChange<'_>| entry(root, file).map_err(|error| failed(file.path, error));
    let entries: Vec<Entry> = files.iter().map(entry).collect::<Result<_, _>>()?;
    let journal = serde_json::to_vec(&entries).map_err(|error| failed(JOURNAL, error.into()))?;
    root.write(JOURNAL, &journal, Readers::Owner).map_err(|error| failed(JOURNAL, error))
}

/// Writes a file; what was there before.
fn write_one(root: &Root, file: &FileChange<'_>) -> io::Result<Option<Vec<u8>>> {
    match file.content {
        Some(content) if !file.replaces => {
            root.create(file.path, content.as_bytes(), Readers::Usual).map(|()| None)
        }
        Some(content) => {
            let old = root.read(file.path, MOST)?;
            root.write(file.path, content.as_bytes(), Readers::Usual).map(|()| old)
        }
        None => {
            let old = root.read(file.path, MOST)?;
            root.remove(file.path).map(|()| old)
        }
    }
}

fn entry(root: &Root, file: &FileChange<'_>) -> io::Result<Entry> {
    let before = if file.replaces { root.read(file.path, MOST)? } else { None };
    let before = before.map(|it| String::from_utf8(it).map_err(io::Error::other)).transpose()?;
    Ok(Entry { path: file.path.to_owned(), before, after: file.content.map(str::to_owned) })
}

/// Puts back what a process that was killed while it wrote had done so far; whether there was such a thing. What was changed since stays.
///
/// # Errors
/// When it cannot be put back.
pub fn recover(root: &Path) -> io::Result<bool> {
    let root = Root::open(root)?;
    if !root.exists(JOURNAL)? {
        return Ok(false);
    }
    let _lock = root.lock()?;
    put_back_interrupted(&root)
}

fn put_back_interrupted(root: &Root) -> io::Result<bool> {
    let Some(journal) = root.read(JOURNAL, MOST)? else { return Ok(false) };
    let entries: Vec<Entry> = serde_json::from_slice(&journal).map_err(|_| {
        io::Error::other(format!(
            "{JOURNAL} says what an interrupted rewrite was writing, and cannot be read: look at the newest migrations, and remove it"
        ))
    })?;
    for entry in entries.iter().rev() {
        if root.read(&entry.path, MOST)?.as_deref() != entry.after.as_deref().map(str::as_bytes) {
            continue;
        }
        match &entry.before {
            Some(before) => root.write(&entry.path, before.as_bytes(), Readers::Usual)?,
            None if entry.after.is_some() => root.remove(&entry.path)?,
            None => {}
        }
    }
    root.remove(JOURNAL)?;
    Ok(true)
}

/// Puts all back, and says why; what cannot be put back now stays in the journal, for the next who writes.
fn undone(root: &Root, before: &[(&str, Option<Vec<u8>>)], why: &str) -> String {
    let put_back = |(path, content): &(&str, Option<Vec<u8>>)| match content {
        Some(content) => root.write(path, content, Readers::Usual),
        None => root.remove(path),
    };
    let left: Vec<&str> = before.iter().rev().filter(|it| put_back(it).is_err()).map(|it| it.0).collect();
    match left.first() {
        None => {
            // A journal that stays is read again by the next, and finds nothing to put back.
            let _ = root.remove(JOURNAL);
            why.to_owned()
        }
        Some(path) => format!(
            "{why}, but {path} could not be taken back yet: something is in the way; `lockkeeper rewrite FILE` takes it back"
        ),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn file(path: &'static str, replaces: bool) -> FileChange<'static> {
        FileChange { path, content: Some("new"), replaces, was: None }
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
    /// The folder is somewhere else while all is put back: what was made in it goes when it is there again.
    #[test]
    fn what_cannot_be_put_back_now_is_put_back_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Root::open(folder.path()).expect("is there");
        fs::create_dir(folder.path().join("a")).expect("can be made");
        let files = [file("a/new.sql", false), file("b.sql", false)];
        begin(&root, &files).expect("can be written");
        write_one(&root, &files[0]).expect("can be written");
        fs::rename(folder.path().join("a"), folder.path().join("away")).expect("is there");
        symlink("/", folder.path().join("a")).expect("can be made");
        let told = undone(&root, &[("a/new.sql", None)], "b.sql cannot be written");
        assert!(told.contains("a/new.sql could not be taken back yet"), "{told}");
        assert!(write_all(folder.path(), &[file("c.sql", false)]).is_err(), "it is in the way of others too");
        fs::remove_file(folder.path().join("a")).expect("is a link");
        fs::rename(folder.path().join("away"), folder.path().join("a")).expect("is there");
        assert!(recover(folder.path()).expect("can be put back"));
        assert!(!folder.path().join("a/new.sql").exists() && !folder.path().join(JOURNAL).exists());
    }

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

    /// A process that is killed at any moment leaves what the next one puts back.
    #[test]
    fn what_was_interrupted_is_put_back() {
        for done in 0..=3 {
            let folder = tempfile::tempdir().expect("can be made");
            let at = |path: &str| folder.path().join(path);
            fs::write(at("old"), "old").expect("can be written");
            let files = [file("one", false), file("two", false), file("old", true)];
            let root = Root::open(folder.path()).expect("is there");
            let entries: Vec<Entry> = files.iter().map(|it| entry(&root, it).expect("is text")).collect();
            fs::write(at(JOURNAL), serde_json::to_vec(&entries).expect("is JSON")).expect("can be written");
            files.iter().take(done).for_each(|it| {
                fs::write(at(it.path), it.content.unwrap_or_default()).expect("can be written")
            });
            assert!(recover(folder.path()).expect("can be put back"));
            let left = [("old".to_owned(), "old".to_owned())];
            let found: Vec<_> = all_files(folder.path())
                .into_iter()
                .map(|(path, text)| (path.rsplit('/').next().unwrap_or_default().to_owned(), text))
                .collect();
            assert_eq!(found, left, "killed behind {done} files");
            assert!(!recover(folder.path()).expect("is nothing"));
        }
    }

    #[test]
    fn two_that_write_at_once_do_not_mix() {
        let folder = tempfile::tempdir().expect("can be made");
        fs::write(folder.path().join("old"), "old").expect("can be written");
        let write = |name: &'static str| {
            let files = [file(name, false), FileChange { was: Some("old"), ..file("old", true) }];
            write_all(folder.path(), &files)
        };
        let results: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = ["a", "b", "c", "d"].map(|name| scope.spawn(move || write(name))).into();
            running.into_iter().map(|it| it.join().expect("ends")).collect()
        });
        assert_eq!(results.iter().filter(|it| it.is_ok()).count(), 1, "{results:?}");
        assert_eq!(all_files(folder.path()).len(), 2);
    }
}
