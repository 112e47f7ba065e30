//! What `lockkeeper init` wrote in a project, so that it can be taken back: kept in the user's state folder.

use lockkeeper_root::Root;
use serde::{Deserialize, Serialize};
use std::path::Path;

use crate::state::{State, StateError, WorkspaceState};

const NAME: &str = "init.json";
const MOST: u64 = 10_000_000;

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Relative to the root.
    pub path: String,
    /// What it held before; `None` where it was not there.
    pub before: Option<String>,
    /// What was written.
    pub after: String,
}

/// The record of one project.
#[derive(Clone, Debug)]
pub struct Record(WorkspaceState);

impl Record {
    /// The record of the project with this root.
    ///
    /// # Errors
    /// [`StateError`] when there is no state folder.
    pub fn of(root: &Path) -> Result<Record, StateError> {
        let failed = |source| StateError::Io { path: root.to_owned(), source };
        let root = Root::open(root).map_err(failed)?;
        Ok(Record(State::of_user()?.of_workspace(&root)?))
    }

    /// What was written, the latest last. A damaged record knows nothing.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be read.
    pub fn load(&self) -> Result<Vec<Written>, StateError> {
        let bytes = self.0.read(NAME, MOST)?.unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Remembers what was written, beside what is remembered already.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be written.
    pub fn add(&self, written: &[Written]) -> Result<(), StateError> {
        let mut all = self.load()?;
        all.extend_from_slice(written);
        self.0.write(NAME, &serde_json::to_vec(&all).expect("texts"))
    }

    /// Forgets all of it.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be removed.
    pub fn forget(&self) -> Result<(), StateError> {
        self.0.remove(NAME)
    }
}
