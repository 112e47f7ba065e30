//! Stored plans: what was shown to the human, kept by its own digest.
//!
//! They lie beside the user's other state, so that nothing that works in the project can put one there, and planning writes
//! nothing in the project. A plan's name is the digest of what is in it: what somebody edited is not the plan of that name.

use crate::canonical;
use crate::content::Content;
use crate::digest::{Digest, is_lower_hexadecimal};
use crate::gate::Gate;
use crate::state::{State, StateError, WorkspaceState};
use lockkeeper_project::Project;
use lockkeeper_root::Root;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

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
    /// When its files got their names, in seconds since the start of 1970; nothing where none are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<u64>,
    /// One for every gate, and for every step of a gate that has one approval per step.
    pub contents: Vec<Content>,
}

/// The stored plans of a project.
#[derive(Clone, Debug)]
pub struct Store {
    state: WorkspaceState,
}

/// Texts that go with a plan and are not part of what is approved, by path: the report as it was when it was planned.
pub type Documents = BTreeMap<String, String>;

/// While it is held nobody else of this project names the files of a plan.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Naming {
    _lock: std::fs::File,
}

/// Larger files are not ours.
const MOST: u64 = 100_000_000;

/// Why a stored plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("a plan id is 16 hexadecimal digits, like 03ab12cd34ef5678")]
    NotAnId,
    #[error("there is no plan {0} here; it may have been made in another checkout: make it again")]
    Unknown(PlanId),
    #[error("plan {0} is not what it was when it was stored; nothing is approved, make the plan again")]
    Tampered(PlanId),
    #[error("the project cannot be opened: {0}")]
    Root(std::io::Error),
    #[error(transparent)]
    State(#[from] StateError),
}

impl StoredPlan {
    /// The name that follows from what is in the plan.
    pub fn id(&self) -> PlanId {
        PlanId(Digest::of(self).as_str()[..16].to_owned())
    }

    /// The strategy that it carries out.
    pub fn strategy(&self) -> Option<&str> {
        self.contents.iter().find_map(|it| it.strategy.as_deref())
    }

    /// What needs an approval at this gate: several where every step has its own.
    pub fn at(&self, gate: Gate) -> impl Iterator<Item = &Content> {
        self.contents.iter().filter(move |content| content.gate == gate)
    }
}

impl Store {
    /// The plans of a workspace.
    pub fn new(state: WorkspaceState) -> Store {
        Store { state }
    }

    /// Those of a project, for the user that runs this program.
    pub fn of(project: &Project) -> Result<Store, PlanError> {
        let root = Root::open(&project.root).map_err(PlanError::Root)?;
        Ok(Store::new(State::of_user()?.of_workspace(&root)?))
    }

    /// Writes the plan under its id, with its documents. Storing the same plan again changes nothing else.
    pub fn store(&self, plan: &StoredPlan, documents: &Documents) -> Result<PlanId, PlanError> {
        let id = plan.id();
        self.state.write(&documents_file(&id), canonical::to_string(documents).as_bytes())?;
        self.state.write(&file(&id), canonical::to_string(plan).as_bytes())?;
        self.state.write(&latest_file(&plan.subject, plan.strategy()), id.0.as_bytes())?;
        Ok(id)
    }

    /// The plan of a subject by a strategy that was stored last, where it can still be read.
    pub fn latest(&self, subject: &str, strategy: Option<&str>) -> Option<StoredPlan> {
        let id = String::from_utf8(self.state.read(&latest_file(subject, strategy), MOST).ok()??).ok()?;
        self.load(&PlanId::parse(&id).ok()?).ok()
    }

    /// Waits until nobody else names the files of a plan. The names carry the second: whoever looks for a plan of the same change, finds
    /// none and stores one must not be overtaken in between, or two plans stand for one change and each asks the human.
    pub fn naming(&self) -> Result<Naming, PlanError> {
        Ok(Naming { _lock: self.state.locked("naming")? })
    }

    /// The plan that was stored last for a change that is no file yet. `change` tells one from another.
    pub fn latest_draft(&self, change: &str) -> Option<StoredPlan> {
        self.latest(change, None)
    }

    /// Remembers the plan of a change that is no file yet.
    pub fn note_draft(&self, change: &str, id: &PlanId) -> Result<(), PlanError> {
        Ok(self.state.write(&latest_file(change, None), id.0.as_bytes())?)
    }

    /// Reads a plan and checks that it still is the one of that name.
    pub fn load(&self, id: &PlanId) -> Result<StoredPlan, PlanError> {
        let bytes = self.state.read(&file(id), MOST)?.ok_or_else(|| PlanError::Unknown(id.clone()))?;
        let plan: StoredPlan = serde_json::from_slice(&bytes).map_err(|_| PlanError::Tampered(id.clone()))?;
        if plan.id() != *id {
            return Err(PlanError::Tampered(id.clone()));
        }
        Ok(plan)
    }

    /// Keeps the text of a migration that is no file yet, with the plan that was made of it.
    pub fn store_draft(&self, id: &PlanId, text: &str) -> Result<(), PlanError> {
        Ok(self.state.write(&draft_file(id), text.as_bytes())?)
    }

    /// The text of the migration that a plan was made of, where it was no file. The plan knows its digest: another text is another plan.
    pub fn draft(&self, id: &PlanId) -> Result<Option<String>, PlanError> {
        let Some(bytes) = self.state.read(&draft_file(id), MOST)? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|_| PlanError::Tampered(id.clone()))
    }

    /// The ids of all plans that are kept.
    pub fn ids(&self) -> Result<Vec<PlanId>, PlanError> {
        let names = self.state.names("plans")?;
        let ids = names.iter().filter_map(|name| PlanId::parse(name.strip_suffix(".json")?).ok());
        Ok(ids.collect())
    }

    /// The documents that were stored with the plan.
    pub fn documents(&self, id: &PlanId) -> Result<Documents, PlanError> {
        let bytes =
            self.state.read(&documents_file(id), MOST)?.ok_or_else(|| PlanError::Unknown(id.clone()))?;
        serde_json::from_slice(&bytes).map_err(|_| PlanError::Tampered(id.clone()))
    }
}

fn file(id: &PlanId) -> String {
    format!("plans/{id}.json")
}

fn draft_file(id: &PlanId) -> String {
    format!("plans/{id}.draft.sql")
}

fn latest_file(subject: &str, strategy: Option<&str>) -> String {
    format!("plans/latest-{}", short(&format!("{} {subject}", strategy.unwrap_or_default())))
}

/// A name for a path that is no path itself.
fn short(subject: &str) -> String {
    Digest::of_bytes(subject.as_bytes()).as_str()[..16].to_owned()
}

fn documents_file(id: &PlanId) -> String {
    format!("plans/{id}.documents.json")
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
    use crate::state::tests::workspace;

    fn plan() -> StoredPlan {
        StoredPlan { subject: "migrations/0007.sql".into(), named: None, contents: vec![sample()] }
    }

    #[test]
    fn a_stored_plan_is_found_by_its_id() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(workspace(folder.path()));
        let documents = Documents::from([("report.md".to_owned(), "text".to_owned())]);
        let id = store.store(&plan(), &documents).unwrap();
        assert_eq!(store.store(&plan(), &documents).unwrap(), id);
        assert_eq!(store.load(&id).unwrap(), plan());
        assert_eq!(store.documents(&id).unwrap(), documents);
        assert!(matches!(
            store.load(&PlanId::parse("0123456789abcdef").unwrap()),
            Err(PlanError::Unknown(_))
        ));
        assert_eq!(store.ids().unwrap(), std::slice::from_ref(&id));
        store.store_draft(&id, "SELECT 1;").unwrap();
        assert_eq!(store.draft(&id).unwrap().as_deref(), Some("SELECT 1;"));
        let in_project = std::fs::read_dir(folder.path().join("project")).unwrap().count();
        assert_eq!(in_project, 0, "planning writes nothing in the project");
    }

    #[test]
    fn a_changed_byte_is_another_plan_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let state = workspace(folder.path());
        let store = Store::new(state.clone());
        let id = store.store(&plan(), &Documents::new()).unwrap();
        let original = state.read(&file(&id), MOST).unwrap().unwrap();
        for offset in 0..original.len() {
            let mut changed = original.clone();
            changed[offset] ^= 1;
            state.write(&file(&id), &changed).unwrap();
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
}
