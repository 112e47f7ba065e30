//! What an approval is bound to: when any of it changes, the gate is closed again and says what changed.

use crate::digest::Digest;
use crate::gate::Gate;
use lockkeeper_core::text::sanitise;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that one approval covers. Its digest is what a human types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The action class: one never implies the next.
    pub gate: Gate,
    /// Which step, for a gate that has one approval per step; names the step for people.
    pub step: Option<String>,
    /// What will be run or written, in order, exact bytes.
    pub statements: Vec<String>,
    /// The files that are written, in order, exact bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileText>,
    /// The files it was made from, by path in the project.
    pub sources: BTreeMap<String, Digest>,
    /// Where it will run; nothing while only files are drafted.
    pub target: Option<Target>,
    /// The fingerprint of each object that is touched (`users`, `users trigger audit`).
    pub objects: BTreeMap<String, Digest>,
    /// The signals that decided, in classes (`rows of users: 1M-10M`), not in numbers that change by the minute.
    pub signals: BTreeMap<String, String>,
    /// The strategy and its parameters.
    pub strategy: Option<String>,
    /// What the run must not exceed: a backfill's rate, replica lag, time.
    pub caps: BTreeMap<String, String>,
    /// Policy and configuration.
    pub policy: Digest,
    /// What the working copy changes of the committed policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// The version of Lockkeeper.
    pub tool: String,
}

/// A file that is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileText {
    /// Relative to the project's root.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// What the file of that path holds that it replaces; nothing where there must be none.
    pub replaces: Option<Digest>,
}

/// The identity of a database, as it tells it itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Postgres' system identifier or the like: another server of the same name is another target.
    pub system: String,
    pub database: String,
    pub version: String,
    pub role: String,
}

impl Content {
    /// Nothing bound yet but the action class, the policy and our version.
    pub fn new(gate: Gate, policy: Digest) -> Content {
        Content {
            gate,
            step: None,
            statements: Vec::new(),
            files: Vec::new(),
            sources: BTreeMap::new(),
            target: None,
            objects: BTreeMap::new(),
            signals: BTreeMap::new(),
            strategy: None,
            caps: BTreeMap::new(),
            policy,
            changes: Vec::new(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// SHA-256 over the canonical JSON.
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }

    /// What changed between what was approved and what is there now, each a sentence that begins with `stale:`.
    /// Empty exactly when the digests are equal.
    pub fn difference(old: &Content, new: &Content) -> Vec<String> {
        let mut changes = Vec::new();
        if old.gate != new.gate {
            changes.push(format!("stale: the action class was {} and is {}", old.gate, new.gate));
        }
        changed(&mut changes, "the step's name", &old.step, &new.step);
        compare_statements(&mut changes, &old.statements, &new.statements);
        compare_maps(&mut changes, "written file ", &by_path(&old.files), &by_path(&new.files));
        if changes.is_empty() {
            changed(&mut changes, "the order of the written files", &old.files, &new.files);
        }
        compare_maps(&mut changes, "file ", &old.sources, &new.sources);
        compare_targets(&mut changes, old.target.as_ref(), new.target.as_ref());
        compare_maps(&mut changes, "object ", &old.objects, &new.objects);
        compare_maps(&mut changes, "signal ", &old.signals, &new.signals);
        changed(&mut changes, "strategy", &old.strategy, &new.strategy);
        compare_maps(&mut changes, "cap ", &old.caps, &new.caps);
        changed(&mut changes, "policy", &(&old.policy, &old.changes), &(&new.policy, &new.changes));
        changed(&mut changes, "the version of lockkeeper", &old.tool, &new.tool);
        changes
    }
}

/// Names of files and objects come from outside: they are shown short and clean.
const NAME: usize = 200;

fn changed<T: PartialEq>(changes: &mut Vec<String>, what: &str, old: &T, new: &T) {
    if old != new {
        changes.push(format!("stale: {what}"));
    }
}

fn by_path(files: &[FileText]) -> BTreeMap<String, FileText> {
    files.iter().map(|it| (it.path.clone(), it.clone())).collect()
}

fn compare_statements(changes: &mut Vec<String>, old: &[String], new: &[String]) {
    for step in 0..old.len().max(new.len()) {
        match (old.get(step), new.get(step)) {
            (Some(before), Some(after)) if before == after => {}
            (Some(_), Some(_)) => changes.push(format!("stale: step {}", step + 1)),
            (Some(_), None) => changes.push(format!("stale: step {} is gone", step + 1)),
            (None, _) => changes.push(format!("stale: step {} is new", step + 1)),
        }
    }
}

fn compare_maps<T: PartialEq>(
    changes: &mut Vec<String>,
    what: &str,
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
) {
    for (name, before) in old {
        let shown = sanitise(name, NAME);
        match new.get(name) {
            Some(after) if before == after => {}
            Some(_) => changes.push(format!("stale: {what}{shown}")),
            None => changes.push(format!("stale: {what}{shown} is gone")),
        }
    }
    let added = new.keys().filter(|name| !old.contains_key(*name));
    changes.extend(added.map(|name| format!("stale: {what}{} is new", sanitise(name, NAME))));
}

fn compare_targets(changes: &mut Vec<String>, old: Option<&Target>, new: Option<&Target>) {
    let (Some(old), Some(new)) = (old, new) else {
        changed(changes, "target", &old, &new);
        return;
    };
    changed(changes, "target: another server", &old.system, &new.system);
    changed(changes, "target: another database", &old.database, &new.database);
    changed(changes, "target: another server version", &old.version, &new.version);
    changed(changes, "target: another role", &old.role, &new.role);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Content {
        let policy = Digest::of_bytes(b"policy");
        Content {
            statements: vec!["ALTER TABLE users ADD full_name text;".into(), "SELECT 1;".into()],
            sources: BTreeMap::from([("migrations/0007.sql".into(), Digest::of_bytes(b"source"))]),
            target: Some(Target {
                system: "7312".into(),
                database: "shop".into(),
                version: "15.18".into(),
                role: "migrator".into(),
            }),
            objects: BTreeMap::from([("users".into(), Digest::of_bytes(b"users"))]),
            signals: BTreeMap::from([("rows of users".into(), "1M-10M".into())]),
            strategy: Some("near-zero-downtime".into()),
            caps: BTreeMap::from([("rows per second".into(), "5000".into())]),
            ..Content::new(Gate::Strategy, policy)
        }
    }

    /// One change of every part: each changes the digest and is named.
    #[test]
    fn every_part_is_bound_and_named() {
        type Change = fn(&mut Content);
        let other = || Digest::of_bytes(b"other");
        let cases: Vec<(Change, &[&str])> = vec![
            (|c| c.gate = Gate::Apply, &["stale: the action class was strategy and is apply"]),
            (|c| c.step = Some("drop".into()), &["stale: the step's name"]),
            (|c| c.statements[1].push(' '), &["stale: step 2"]),
            (|c| c.statements.swap(0, 1), &["stale: step 1", "stale: step 2"]),
            (|c| c.statements.push("x".into()), &["stale: step 3 is new"]),
            (|c| drop(c.statements.pop()), &["stale: step 2 is gone"]),
            (|c| c.target = None, &["stale: target"]),
            (|c| c.target.as_mut().unwrap().system.push('1'), &["stale: target: another server"]),
            (|c| c.target.as_mut().unwrap().database.push('1'), &["stale: target: another database"]),
            (|c| c.target.as_mut().unwrap().version.push('1'), &["stale: target: another server version"]),
            (|c| c.target.as_mut().unwrap().role.push('1'), &["stale: target: another role"]),
            (|c| c.signals.clear(), &["stale: signal rows of users is gone"]),
            (|c| c.strategy = None, &["stale: strategy"]),
            (|c| drop(c.caps.insert("lag".into(), "5 s".into())), &["stale: cap lag is new"]),
            (|c| c.changes.push("x: 1 → 2".into()), &["stale: policy"]),
            (|c| c.tool.push('1'), &["stale: the version of lockkeeper"]),
        ];
        for (change, expected) in cases {
            let mut content = sample();
            change(&mut content);
            assert_eq!(Content::difference(&sample(), &content), expected);
            assert_ne!(sample().digest(), content.digest(), "{expected:?}");
        }
        let mut content = sample();
        content.sources.insert("migrations/0007.sql".into(), other());
        content.objects.insert("users trigger audit".into(), other());
        content.policy = other();
        let expected =
            ["stale: file migrations/0007.sql", "stale: object users trigger audit is new", "stale: policy"];
        assert_eq!(Content::difference(&sample(), &content), expected);
    }

    #[test]
    fn the_digest_does_not_depend_on_who_computes_it() {
        assert_eq!(sample().digest(), sample().digest());
        assert!(Content::difference(&sample(), &sample()).is_empty());
        let again: Content = serde_json::from_str(&crate::canonical::to_string(&sample())).unwrap();
        assert_eq!(again.digest(), sample().digest());
    }

    /// Two statements and one statement holding both texts are different things.
    #[test]
    fn statement_borders_are_bound() {
        let mut joined = sample();
        joined.statements = vec![sample().statements.concat()];
        assert_ne!(joined.digest(), sample().digest());
    }
}
