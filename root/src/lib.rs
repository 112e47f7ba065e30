//! Files below a root: reached from the root's open handle, folder by folder, and never through a symbolic link.
//!
//! Whoever can write in a project can put a link where we expect a file, also between our look and our write. So no path
//! is looked at first and opened later: each part is opened from the handle of the one before, and what is a link fails.
//! Writes replace whole files: a temporary file is written, flushed and renamed, so that a reader sees the old or the new.

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_fs_ext::{DirExt, FollowSymlinks, MetadataExt, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use cap_tempfile::TempFile;

/// An open folder and what is below it.
#[derive(Clone, Debug)]
pub struct Root {
    path: PathBuf,
    dir: Arc<Dir>,
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Whom the user's umask lets.
    Usual,
    /// Its owner alone.
    Owner,
}

impl Root {
    /// The folder at this path, which may be reached through links: it is its user's choice.
    ///
    /// # Errors
    /// When it is not there, or no folder.
    pub fn open(path: &Path) -> io::Result<Root> {
        let path = path.canonicalize()?;
        let dir = Dir::open_ambient_dir(&path, ambient_authority())?;
        Ok(Root { path, dir: Arc::new(dir) })
    }

    /// The folder's path without links, as it was when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number by which the file system knows the folder: a copy of the folder has another one.
    ///
    /// # Errors
    /// What the system says.
    pub fn number(&self) -> io::Result<u64> {
        Ok(self.dir.dir_metadata()?.ino())
    }

    /// The bytes of a file; nothing where there is none.
    ///
    /// # Errors
    /// When it is a link, no file, larger than `most` bytes, or cannot be read.
    pub fn read(&self, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        match self.read_file(path, most) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.explained(path, error)),
        }
    }

    /// Writes a file, whole or not at all, over one that may be there; makes its folders.
    ///
    /// # Errors
    /// When it or a folder of it is a link, or cannot be written.
    pub fn write(&self, path: &str, bytes: &[u8], readers: Readers) -> io::Result<()> {
        self.write_file(path, bytes, readers).map_err(|error| self.explained(path, error))
    }

    /// Makes a file that is not there yet, with its folders.
    ///
    /// # Errors
    /// As [`Root::write`], and when something of that name is there.
    pub fn create(&self, path: &str, bytes: &[u8], readers: Readers) -> io::Result<()> {
        let made = self.place(path, true).and_then(|(folder, name)| {
            let mut options = options();
            options.write(true).create_new(true);
            owner_only(&mut options, readers);
            let mut file = folder.open_with(name, &options)?;
            let written = file.write_all(bytes).and_then(|()| file.sync_all());
            // Half a file is none: what failed is taken away again.
            written.inspect_err(|_| drop(folder.remove_file(name)))
        });
        made.map_err(|error| self.explained(path, error))
    }

    /// Makes the file as long as `keep` bytes and writes behind them; a missing file is made.
    ///
    /// # Errors
    /// As [`Root::write`].
    pub fn continue_at(&self, path: &str, keep: u64, bytes: &[u8]) -> io::Result<()> {
        let written = self.place(path, true).and_then(|(folder, name)| {
            let mut options = options();
            options.read(true).write(true).create(true);
            let mut file = regular(folder.open_with(name, &options)?)?;
            if file.metadata()?.len() != keep {
                file.set_len(keep)?;
            }
            io::Seek::seek(&mut file, io::SeekFrom::Start(keep))?;
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|error| self.explained(path, error))
    }

    /// Removes a file, or a link that stands there, without following it.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, path: &str) -> io::Result<()> {
        let removed = self.place(path, false).and_then(|(folder, name)| folder.remove_file(name));
        removed.map_err(|error| self.explained(path, error))
    }

    /// Whether something of this name is there, be it a link.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn exists(&self, path: &str) -> io::Result<bool> {
        match self.place(path, false).and_then(|(folder, name)| folder.symlink_metadata(name)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.explained(path, error)),
        }
    }

    /// Whether only the file's owner may read and write it; what the platform cannot say counts as yes.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn is_private(&self, path: &str) -> io::Result<bool> {
        let seen = self.place(path, false).and_then(|(folder, name)| folder.symlink_metadata(name));
        seen.map(|seen| owner_alone(&seen)).map_err(|error| self.explained(path, error))
    }

    /// Opens a file to hold its lock; makes it where it is not there.
    ///
    /// # Errors
    /// As [`Root::write`].
    pub fn lock_file(&self, path: &str) -> io::Result<std::fs::File> {
        let opened = self.place(path, true).and_then(|(folder, name)| {
            let mut options = options();
            options.read(true).write(true).create(true);
            owner_only(&mut options, Readers::Owner);
            regular(folder.open_with(name, &options)?)
        });
        opened.map(File::into_std).map_err(|error| self.explained(path, error))
    }

    /// Waits until nobody else holds the folder's lock, and holds it until what is returned is dropped. Where a folder cannot be locked, nobody
    /// holds it.
    ///
    /// # Errors
    /// What the system says.
    pub fn lock(&self) -> io::Result<std::fs::File> {
        // The handle that files are reached by may not be locked; only the lock goes by the path.
        let folder = std::fs::File::open(&self.path)?;
        match folder.lock() {
            Err(error) if error.kind() != ErrorKind::Unsupported && cfg!(unix) => Err(error),
            _ => Ok(folder),
        }
    }

    fn read_file(&self, path: &str, most: u64) -> io::Result<Vec<u8>> {
        let (folder, name) = self.place(path, false)?;
        let mut options = options();
        options.read(true);
        nonblocking(&mut options);
        let file = regular(folder.open_with(name, &options)?)?;
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::new(ErrorKind::FileTooLarge, format!("is larger than {most} bytes")));
        }
        Ok(bytes)
    }

    fn write_file(&self, path: &str, bytes: &[u8], readers: Readers) -> io::Result<()> {
        let (folder, name) = self.place(path, true)?;
        match folder.symlink_metadata(name) {
            Ok(there) if !there.is_file() => return Err(refused("is there, and is no file")),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = TempFile::new(&folder)?;
        if readers == Readers::Owner {
            owner_permissions(file.as_file())?;
        }
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.replace(name)?;
        flush(&folder)
    }

    /// The folder that a path's last part stands in, and that part.
    fn place<'a>(&self, path: &'a str, make: bool) -> io::Result<(Dir, &'a str)> {
        let mut parts = Vec::new();
        for part in Path::new(path).components() {
            match part {
                Component::Normal(part) => parts.push(part.to_str().expect("a part of a text is text")),
                _ => return Err(refused("lies outside the project")),
            }
        }
        let name = parts.pop().ok_or_else(|| refused("names no file"))?;
        let mut folder = self.dir.try_clone()?;
        for part in parts {
            folder = match folder.open_dir_nofollow(part) {
                Err(error) if make && error.kind() == ErrorKind::NotFound => {
                    make_folder(&folder, part)?;
                    folder.open_dir_nofollow(part)?
                }
                opened => opened?,
            };
        }
        Ok((folder, name))
    }

    /// A failure in words. Only the text is looked up afterwards, by the same way: nothing is opened again.
    fn explained(&self, path: &str, error: io::Error) -> io::Error {
        let parts: Vec<&str> = path.split('/').collect();
        let link = (1..=parts.len()).map(|length| parts[..length].join("/")).find(|it| {
            let seen = self.place(it, false).and_then(|(folder, name)| folder.symlink_metadata(name));
            seen.is_ok_and(|seen| seen.is_symlink())
        });
        match link {
            Some(link) => io::Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "{link} is a symbolic link, and links are not followed: replace it by what it points to"
                ),
            ),
            None => error,
        }
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.follow(FollowSymlinks::No);
    options
}

/// A pipe or a device in a file's place would block or never end.
fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(refused("is no regular file")) }
}

fn make_folder(folder: &Dir, name: &str) -> io::Result<()> {
    match folder.create_dir(name) {
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions, readers: Readers) {
    use cap_std::fs::OpenOptionsExt;
    if readers == Readers::Owner {
        options.mode(0o600);
    }
}

#[cfg(unix)]
fn nonblocking(options: &mut OpenOptions) {
    // Opening a pipe waits for its other end; the check that it is a file comes too late for that.
    cap_fs_ext::OpenOptionsSyncExt::nonblock(options, true);
}

#[cfg(unix)]
fn owner_permissions(file: &File) -> io::Result<()> {
    use cap_std::fs::PermissionsExt;
    file.set_permissions(cap_std::fs::Permissions::from_mode(0o600))
}

#[cfg(unix)]
fn owner_alone(seen: &Metadata) -> bool {
    use cap_std::fs::PermissionsExt;
    seen.permissions().mode() & 0o077 == 0
}

/// A rename is on the disk when its folder is.
#[cfg(unix)]
fn flush(folder: &Dir) -> io::Result<()> {
    folder.open(".")?.into_std().sync_all()
}

/// Elsewhere a user's own folders are closed to others already, and folders cannot be flushed.
#[cfg(not(unix))]
fn owner_only(_: &mut OpenOptions, _: Readers) {}
#[cfg(not(unix))]
fn nonblocking(_: &mut OpenOptions) {}
#[cfg(not(unix))]
fn owner_permissions(_: &File) -> io::Result<()> {
    Ok(())
}
#[cfg(not(unix))]
fn owner_alone(_: &Metadata) -> bool {
    true
}
#[cfg(not(unix))]
fn flush(_: &Dir) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const MOST: u64 = 1_000;

    fn fixture() -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("project/real")).unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        fs::write(folder.path().join("outside/file"), "outside").unwrap();
        let root = Root::open(&folder.path().join("project")).unwrap();
        (folder, root)
    }

    #[test]
    fn what_is_written_is_read() {
        let (_folder, root) = fixture();
        assert_eq!(root.read("a/b/file", MOST).unwrap(), None);
        root.write("a/b/file", b"one", Readers::Usual).unwrap();
        root.write("a/b/file", b"two", Readers::Owner).unwrap();
        root.continue_at("a/b/file", 2, b"ice").unwrap();
        assert_eq!(root.read("a/b/file", MOST).unwrap().unwrap(), b"twice");
        assert!(root.create("a/b/file", b"", Readers::Usual).is_err());
        assert!(root.read("a/b/file", 4).is_err());
        assert_eq!(fs::read_dir(root.path().join("a/b")).unwrap().count(), 1);
        let mode = fs::metadata(root.path().join("a/b/file")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(root.is_private("a/b/file").unwrap());
        root.remove("a/b/file").unwrap();
        assert!(!root.exists("a/b/file").unwrap());
    }

    /// Each part of a path as a link, in and out of the root: nothing is read, written or removed through it.
    #[test]
    fn no_link_is_followed() {
        for target in ["../outside", "real"] {
            for path in ["link/file", "link/deeper/file", "folder/link", "link"] {
                let (folder, root) = fixture();
                let place = path.split("link").next().unwrap();
                fs::create_dir_all(root.path().join(place)).unwrap();
                let is_file = path.ends_with("link");
                let to = root.path().join(target);
                symlink(if is_file { to.join("file") } else { to }, root.path().join(place).join("link"))
                    .unwrap();
                let told = [
                    root.read(path, MOST).map(drop),
                    root.write(path, b"x", Readers::Usual),
                    root.create(path, b"x", Readers::Usual),
                    root.continue_at(path, 0, b"x"),
                    root.lock_file(path).map(drop),
                ];
                for result in told {
                    let error = result.unwrap_err().to_string();
                    assert!(error.contains("link is a symbolic link"), "{path}: {error}");
                }
                assert_eq!(fs::read(folder.path().join("outside/file")).unwrap(), b"outside");
                assert_eq!(fs::read_dir(root.path().join("real")).unwrap().count(), 0);
                assert_eq!(fs::read_dir(folder.path().join("outside")).unwrap().count(), 1);
            }
        }
    }

    #[test]
    fn paths_stay_inside() {
        let (_folder, root) = fixture();
        for path in ["", ".", "..", "../outside/file", "real/../../outside/file", "/etc/passwd"] {
            assert!(root.read(path, MOST).is_err(), "{path}");
            assert!(root.write(path, b"x", Readers::Usual).is_err(), "{path}");
        }
    }

    #[test]
    fn only_files_are_files() {
        let (_folder, root) = fixture();
        assert!(root.read("real", MOST).is_err());
        assert!(root.write("real", b"x", Readers::Usual).is_err());
        std::process::Command::new("mkfifo").arg(root.path().join("pipe")).status().unwrap();
        assert!(root.read("pipe", MOST).is_err());
        assert!(root.write("pipe", b"x", Readers::Usual).is_err());
    }

    #[test]
    fn a_copy_is_another_folder() {
        let (folder, root) = fixture();
        fs::create_dir(folder.path().join("copy")).unwrap();
        let copy = Root::open(&folder.path().join("copy")).unwrap();
        assert_ne!(root.number().unwrap(), copy.number().unwrap());
    }
}
