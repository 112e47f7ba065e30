//! What a user's programs remember outside of every workspace: a secret, and a folder for each workspace.
//!
//! Whoever works inside a project, an agent in its sandbox or text that leads one, can write any file there. So what makes
//! an approval count cannot lie there: it lies in the user's own state folder, which such an agent cannot reach. The same
//! user's shell can: nothing here keeps out a program that runs with all of its user's rights.
//!
//! A workspace is known by its path and by the number that the file system gave its folder, so that a copy, or another
//! checkout that is put in its place, is another workspace and has no approvals.

use crate::digest::{Digest, hexadecimal};
use etcetera::BaseStrategy;
use hmac::{Hmac, KeyInit, Mac};
use lockkeeper_root::{Readers, Root};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Names another folder than the platform's: for tests, and for homes that cannot be written.
pub const VARIABLE: &str = "LOCKKEEPER_STATE_DIR";

const SECRET: &str = "secret";
const TOKEN: &str = "mcp-token";
const SECRET_LENGTH: usize = 32;

/// The user's state folder, opened.
#[derive(Clone, Debug)]
pub struct State {
    root: Root,
    secret: Secret,
}

/// What is remembered of one workspace.
#[derive(Clone, Debug)]
pub struct WorkspaceState {
    state: State,
    workspace: Workspace,
    folder: String,
}

/// Which workspace it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Its path, without links.
    pub path: String,
    /// The file system's number for its folder.
    pub number: u64,
}

#[derive(Clone)]
struct Secret([u8; SECRET_LENGTH]);

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(
        "there is no home folder to keep approvals in: set HOME, or {VARIABLE} to a folder outside of the project"
    )]
    NoHome,
    #[error("cannot use {}: {source}. Approvals are kept there; {VARIABLE} names another folder", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the folder for approvals, {}, lies in the project, where an agent can write: set {VARIABLE} to one outside", .0.display())]
    InWorkspace(PathBuf),
    #[error("others than you can read or write {}: look who did, remove it, and ask for approvals again", .0.display())]
    NotPrivate(PathBuf),
    #[error("{} does not hold a secret of ours: remove it, and ask for approvals again", .0.display())]
    Damaged(PathBuf),
    #[error("the system gives no random numbers, so nothing can be approved: {0}")]
    NoRandomness(getrandom::Error),
}

impl State {
    /// The state of the user that runs this program; made on first use.
    pub fn of_user() -> Result<State, StateError> {
        State::at(&State::place()?)
    }

    /// Where the state of the user that runs this program lies, or would.
    pub fn place() -> Result<PathBuf, StateError> {
        if let Some(folder) = std::env::var_os(VARIABLE).filter(|it| !it.is_empty()) {
            return Ok(folder.into());
        }
        let strategy = etcetera::choose_base_strategy().map_err(|_| StateError::NoHome)?;
        Ok(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("lockkeeper"))
    }

    /// The state in this folder; made on first use, for its owner alone.
    pub fn at(folder: &Path) -> Result<State, StateError> {
        let failed = |source| StateError::Io { path: folder.to_owned(), source };
        make_private(folder).map_err(failed)?;
        let root = Root::open(folder).map_err(failed)?;
        if !is_closed(folder).map_err(failed)? {
            return Err(StateError::NotPrivate(folder.to_owned()));
        }
        let secret = secret(&root)?;
        Ok(State { root, secret })
    }

    /// The file with the token that clients of a server on HTTP show, and the token; made on first use.
    pub fn token(&self) -> Result<(PathBuf, String), StateError> {
        let bytes = kept(&self.root, TOKEN, || {
            let mut bytes = [0; SECRET_LENGTH];
            getrandom::fill(&mut bytes).map_err(StateError::NoRandomness)?;
            Ok(hexadecimal(&bytes).into_bytes())
        })?;
        let path = self.root.path().join(TOKEN);
        let text = String::from_utf8(bytes).map_err(|_| StateError::Damaged(path.clone()))?;
        Ok((path, text))
    }

    /// What is remembered of the workspace with this root.
    pub fn of_workspace(&self, workspace: &Root) -> Result<WorkspaceState, StateError> {
        if self.root.path().starts_with(workspace.path()) {
            return Err(StateError::InWorkspace(self.root.path().to_owned()));
        }
        let failed = |source| StateError::Io { path: workspace.path().to_owned(), source };
        let workspace = Workspace {
            path: workspace.path().to_string_lossy().into_owned(),
            number: workspace.number().map_err(failed)?,
        };
        let folder = format!("workspaces/{}", &Digest::of(&workspace).as_str()[..16]);
        Ok(WorkspaceState { state: self.clone(), workspace, folder })
    }
}

impl WorkspaceState {
    /// Which workspace it is.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The authentication of a value for this workspace: nobody makes it without the secret.
    pub fn authentication<T: Serialize>(&self, value: &T) -> Digest {
        let text = crate::canonical::to_string(&(&self.workspace, value));
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.state.secret.0).expect("any length is a key");
        mac.update(text.as_bytes());
        let code = hexadecimal(&mac.finalize().into_bytes());
        Digest::try_from(code).expect("SHA-256 has 64 digits")
    }

    /// A file of ours about this workspace; nothing where there is none.
    pub(crate) fn read(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, StateError> {
        let path = self.path(name);
        self.state.root.read(&path, most).map_err(|source| self.failed(name, source))
    }

    /// Writes a file of ours, whole or not at all.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        let written = self.state.root.write(&self.path(name), bytes, Readers::Owner);
        written.map_err(|source| self.failed(name, source))
    }

    /// The names of our files in a folder of this workspace's; none where there is no such folder.
    pub(crate) fn names(&self, folder: &str) -> Result<Vec<String>, StateError> {
        let path = self.state.root.path().join(self.path(folder));
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failed(folder, source)),
        };
        let names = entries.filter_map(|it| it.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort();
        Ok(names)
    }

    /// Takes a file of ours away.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StateError> {
        self.state.root.remove(&self.path(name)).map_err(|source| self.failed(name, source))
    }

    /// Waits until no other process works on what is remembered of this workspace; until the file is dropped.
    pub(crate) fn lock(&self) -> Result<std::fs::File, StateError> {
        self.locked("lock")
    }

    /// Waits until no other process holds the lock of this name; until the file is dropped.
    pub(crate) fn locked(&self, name: &str) -> Result<std::fs::File, StateError> {
        let file = self.state.root.lock_file(&self.path(name));
        let locked = file.and_then(|file| file.lock().map(|()| file));
        locked.map_err(|source| self.failed(name, source))
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    fn failed(&self, name: &str, source: io::Error) -> StateError {
        StateError::Io { path: self.state.root.path().join(self.path(name)), source }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The secret, made by whichever process comes first.
fn secret(root: &Root) -> Result<Secret, StateError> {
    let bytes = kept(root, SECRET, || {
        let mut bytes = [0; SECRET_LENGTH];
        getrandom::fill(&mut bytes).map_err(StateError::NoRandomness)?;
        Ok(bytes.to_vec())
    })?;
    let bytes = bytes.try_into().map_err(|_| StateError::Damaged(root.path().join(SECRET)))?;
    Ok(Secret(bytes))
}

/// What is in a file that is its owner's alone; made by whichever process comes first.
fn kept(
    root: &Root,
    name: &str,
    fresh: impl FnOnce() -> Result<Vec<u8>, StateError>,
) -> Result<Vec<u8>, StateError> {
    let path = root.path().join(name);
    let failed = |source| StateError::Io { path: path.clone(), source };
    if !root.exists(name).map_err(failed)? {
        let lock = root.lock_file("lock").and_then(|file| file.lock().map(|()| file)).map_err(failed)?;
        if !root.exists(name).map_err(failed)? {
            root.write(name, &fresh()?, Readers::Owner).map_err(failed)?;
        }
        drop(lock);
    }
    if !root.is_private(name).map_err(failed)? {
        return Err(StateError::NotPrivate(path));
    }
    root.read(name, 1_000).map_err(failed)?.ok_or(StateError::Damaged(path))
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Whether nobody else can put something into the folder.
#[cfg(unix)]
fn is_closed(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::metadata(folder)?.permissions().mode() & 0o022 == 0)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn is_closed(_: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
pub(crate) mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    fn at(folder: &Path) -> Result<State, StateError> {
        State::at(&folder.join("state"))
    }

    /// The state of an empty project in this folder.
    pub(crate) fn workspace(folder: &Path) -> WorkspaceState {
        at(folder).unwrap().of_workspace(&project(folder)).unwrap()
    }

    pub(crate) fn project(folder: &Path) -> Root {
        fs::create_dir_all(folder.join("project")).unwrap();
        Root::open(&folder.join("project")).unwrap()
    }

    #[test]
    fn the_secret_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..16).map(|_| scope.spawn(|| at(folder.path()).unwrap())).collect();
            let states: Vec<State> = racers.into_iter().map(|it| it.join().unwrap()).collect();
            assert!(states.iter().all(|it| it.secret.0 == states[0].secret.0));
            states[0].clone()
        });
        let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("state"), mode("state/secret")), (0o700, 0o600));
        assert_ne!(first.secret.0, [0; SECRET_LENGTH]);
        assert_eq!(format!("{:?}", first.secret), "Secret");
    }

    #[test]
    fn a_secret_that_others_read_or_made_is_none() {
        let folder = tempfile::tempdir().unwrap();
        at(folder.path()).unwrap();
        let secret = folder.path().join("state/secret");
        fs::set_permissions(&secret, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(at(folder.path()), Err(StateError::NotPrivate(_))));
        fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
        fs::write(&secret, "short").unwrap();
        assert!(matches!(at(folder.path()), Err(StateError::Damaged(_))));
        fs::remove_file(&secret).unwrap();
        fs::write(folder.path().join("other"), [0; SECRET_LENGTH]).unwrap();
        std::os::unix::fs::symlink(folder.path().join("other"), &secret).unwrap();
        assert!(matches!(at(folder.path()), Err(StateError::NotPrivate(_) | StateError::Io { .. })));
        fs::remove_file(&secret).unwrap();
        fs::set_permissions(folder.path().join("state"), Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(at(folder.path()), Err(StateError::NotPrivate(_))));
    }

    #[test]
    fn state_in_a_workspace_is_refused_and_a_copy_is_another_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let state = at(folder.path()).unwrap();
        let inside = state.of_workspace(&Root::open(folder.path()).unwrap());
        assert!(matches!(inside, Err(StateError::InWorkspace(_))));
        let of = |name: &str| {
            fs::create_dir_all(folder.path().join(name)).unwrap();
            let root = Root::open(&folder.path().join(name)).unwrap();
            state.of_workspace(&root).unwrap().authentication(&"value")
        };
        assert_eq!(of("one"), of("one"));
        assert_ne!(of("one"), of("two"));
        let before = of("one");
        fs::rename(folder.path().join("one"), folder.path().join("away")).unwrap();
        assert_ne!(of("one"), before, "another folder at the same path");
    }
}
