//! A copy of the example with a state folder beside it, what surrounds them, and what must not change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::MIGRATION;
use super::client::{Agent, Era, Human};
use crate::binaries::{lockkeeper, root};
use crate::surfaces::copy;

/// What stands in files outside of the project, and in no answer.
pub(crate) const CANARY: &str = "canary-7c1b9e";

pub(crate) struct Workspace {
    folder: TempDir,
}

impl Workspace {
    pub(crate) fn new() -> Workspace {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&root().join("examples/shop"), &folder.path().join("project"));
        fs::create_dir(folder.path().join("outside")).expect("can be made");
        fs::write(folder.path().join("outside/secret.sql"), format!("-- {CANARY}\nSELECT 1;\n"))
            .expect("can be written");
        Workspace { folder }
    }

    pub(crate) fn base(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.base().join("project")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.base().join("state")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(lockkeeper());
        command.args(arguments).current_dir(self.project()).env("LOCKKEEPER_STATE_DIR", self.state());
        command
    }

    pub(crate) fn agent(&self, era: Era) -> Agent {
        Agent::start(&mut self.command(&["mcp"]), era)
    }

    /// Every file outside of the project and the state folder, and those of the project but the ledger, with what is in them.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(self.base(), &mut found);
        // Steps that wait for a release are files of a plan too.
        let own = self.project().join(".lockkeeper");
        let is_ours = |path: &Path| path.starts_with(&own) && !path.starts_with(own.join("held"));
        found.retain(|path, _| !path.starts_with(self.state()) && !is_ours(path));
        found
    }

    /// The files that came since, and those that changed or went.
    #[track_caller]
    pub(crate) fn is_as(&self, before: &BTreeMap<PathBuf, Vec<u8>>, attack: &str) {
        let now = self.files();
        let changed: Vec<_> =
            before.iter().filter(|(path, text)| now.get(*path) != Some(text)).map(|it| it.0).collect();
        let new: Vec<_> = now.keys().filter(|path| !before.contains_key(*path)).collect();
        assert!(changed.is_empty() && new.is_empty(), "{attack}: changed {changed:?}, new {new:?}");
    }

    /// What the ledger says, one line each.
    pub(crate) fn ledger(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.project().join(".lockkeeper/ledger.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// How many lines of the ledger tell of this.
    pub(crate) fn told(&self, event: &str) -> usize {
        self.ledger().iter().filter(|it| it["event"] == event).count()
    }

    /// Whether the ledger is what this machine wrote.
    pub(crate) fn verifies(&self) -> bool {
        self.command(&["ledger", "verify"]).output().expect("it can be started").status.success()
    }
}

/// The id of the example's plan.
#[track_caller]
pub(crate) fn plan(agent: &mut Agent) -> String {
    let planned = agent.call("propose_strategies", json!({"file": MIGRATION}));
    planned["plan_id"].as_str().unwrap_or_else(|| panic!("{planned}")).to_owned()
}

/// The plan, approved by the human.
#[track_caller]
pub(crate) fn approved(agent: &mut Agent) -> String {
    let plan = plan(agent);
    agent.human = Human::Approves;
    let answer = agent.call("request_approval", json!({"plan": plan}));
    agent.human = Human::IsAway;
    assert_eq!(answer["status"], "approved", "{answer}");
    plan
}

pub(crate) fn status(answer: &Value) -> &str {
    answer["status"].as_str().unwrap_or("error")
}

fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let (path, kind) = (entry.path(), entry.file_type().expect("is there"));
        if kind.is_dir() {
            collect(&path, found);
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).expect("is a link");
            found.insert(path, target.into_os_string().into_encoded_bytes());
        } else if kind.is_file() {
            let bytes = fs::read(&path).unwrap_or_default();
            found.insert(path, bytes);
        } else {
            found.insert(path, b"neither file nor folder".to_vec());
        }
    }
}
