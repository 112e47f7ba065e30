//! Stored plans: what was shown to the human, kept by its own digest.
//!
//! A file under `.lockkeeper/plans` is a cache and never authority. Its name is the digest of what is in it, so a file that
//! somebody edited is simply not the plan of that name, and nothing that was approved applies to it.

use crate::canonical;
use crate::content::Content;
use crate::digest::{Digest, is_lower_hexadecimal};
use crate::gate::Gate;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The name of a stored plan: 16 hexadecimal digits, so it cannot be a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanId(String);

/// What one piece of work is about, and everything in it that needs an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredPlan {
    /// What stays the same when the plan changes: the path of the migration. Links a stale approval to its successor.
    pub subject: String,
    /// One for every gate, and for every step of a gate that has one approval per step.
    pub contents: Vec<Content>,
}

/// The folder of stored plans of a project.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// Why a stored plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("a plan id is 16 hexadecimal digits, like 03ab12cd34ef5678")]
    NotAnId,
    #[error("there is no plan {0} here; it may have been made in another checkout: make it again")]
    Unknown(PlanId),
    #[error("plan {0} is not what it was when it was stored; nothing is approved, make the plan again")]
    Tampered(PlanId),
    #[error("cannot use {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

impl StoredPlan {
    /// The name that follows from what is in the plan.
    pub fn id(&self) -> PlanId {
        PlanId(Digest::of(self).as_str()[..16].to_owned())
    }

    /// What needs an approval at this gate: several where every step has its own.
    pub fn at(&self, gate: Gate) -> impl Iterator<Item = &Content> {
        self.contents.iter().filter(move |content| content.gate == gate)
    }
}

impl Store {
    /// The store of the project at `root`. Makes nothing yet.
    pub fn in_project(root: &Path) -> Store {
        Store { folder: root.join(".lockkeeper").join("plans") }
    }

    /// Writes the plan under its id. Storing the same plan again changes nothing.
    pub fn store(&self, plan: &StoredPlan) -> Result<PlanId, PlanError> {
        let id = plan.id();
        let path = self.path(&id);
        // Written aside and renamed: another process never reads half a plan.
        let aside = path.with_extension(format!("{}.part", std::process::id()));
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| std::fs::write(&aside, canonical::to_string(plan) + "\n"))
            .and_then(|()| std::fs::rename(&aside, &path))
            .map_err(|source| PlanError::Io { path, source })?;
        Ok(id)
    }

    /// Reads a plan and checks that it still is the one of that name.
    pub fn load(&self, id: &PlanId) -> Result<StoredPlan, PlanError> {
        let path = self.path(id);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(PlanError::Unknown(id.clone()));
            }
            Err(source) if source.kind() != io::ErrorKind::InvalidData => {
                return Err(PlanError::Io { path, source });
            }
            Err(_) => return Err(PlanError::Tampered(id.clone())),
        };
        let plan: StoredPlan = serde_json::from_str(&text).map_err(|_| PlanError::Tampered(id.clone()))?;
        if plan.id() != *id {
            return Err(PlanError::Tampered(id.clone()));
        }
        Ok(plan)
    }

    fn path(&self, id: &PlanId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

impl PlanId {
    /// The id that somebody gave us, if it can be one.
    pub fn parse(text: &str) -> Result<PlanId, PlanError> {
        if !is_lower_hexadecimal(text, 16) {
            return Err(PlanError::NotAnId);
        }
        Ok(PlanId(text.to_owned()))
    }
}

impl TryFrom<String> for PlanId {
    type Error = PlanError;

    fn try_from(text: String) -> Result<PlanId, PlanError> {
        PlanId::parse(&text)
    }
}

impl From<PlanId> for String {
    fn from(id: PlanId) -> String {
        id.0
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::sample;

    fn plan() -> StoredPlan {
        StoredPlan { subject: "migrations/0007.sql".into(), contents: vec![sample()] }
    }

    #[test]
    fn a_stored_plan_is_found_by_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_project(folder.path());
        let id = store.store(&plan()).unwrap();
        assert_eq!(store.store(&plan()).unwrap(), id);
        assert_eq!(store.load(&id).unwrap(), plan());
        let names: Vec<_> =
            std::fs::read_dir(&store.folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names, [format!("{id}.json").as_str()]);
    }

    /// White space between the tokens and the last line break carry no meaning; every other byte does.
    #[test]
    fn a_changed_byte_is_another_plan_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_project(folder.path());
        let id = store.store(&plan()).unwrap();
        let original = std::fs::read(store.path(&id)).unwrap();
        for offset in 0..original.len() - 1 {
            let mut changed = original.clone();
            changed[offset] ^= 1;
            std::fs::write(store.path(&id), &changed).unwrap();
            assert!(matches!(store.load(&id), Err(PlanError::Tampered(_))), "byte {offset}");
        }
    }

    #[test]
    fn an_id_cannot_leave_the_folder() {
        for text in
            ["", "..", "../../../../etc", "0123456789abcde/", "0123456789ABCDEF", "0123456789abcdef.json"]
        {
            assert!(PlanId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_plan_is_not_a_tampered_one() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Store::in_project(folder.path()).load(&plan().id());
        assert!(matches!(missing, Err(PlanError::Unknown(_))));
    }
}
