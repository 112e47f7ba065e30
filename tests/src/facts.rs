//! The measured facts, and whether this machine's server agrees with a dozen of them.

mod record;

use crate::cluster::cluster;
use crate::database::Database;
use crate::observe::{Mode, Observation, Running, observe};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// One statement and what it did on each version.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Fact {
    group: String,
    pub(crate) sql: String,
    #[serde(default)]
    pub(crate) setup: Vec<String>,
    #[serde(default)]
    pub(crate) session: Vec<String>,
    #[serde(default)]
    pub(crate) autocommit: bool,
    pub(crate) versions: BTreeMap<String, Measured>,
}

/// What it did on one version.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Measured {
    /// Already the setup is not possible in this version: nothing is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    setup_failed: bool,
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) locks: Vec<Lock>,
    #[serde(default)]
    pub(crate) heap_rewrite: bool,
    #[serde(default)]
    pub(crate) index_rebuild: bool,
    #[serde(default)]
    pub(crate) full_scan: bool,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Lock {
    pub(crate) relation: String,
    pub(crate) mode: String,
}

/// All measured facts: those of 11 to 18, and those of 19, which has further statements.
pub(crate) fn facts() -> Vec<Fact> {
    let mut all = read("postgres-locks.json");
    for newer in read(record::FILE) {
        match all.iter_mut().find(|it| it.is_of(&newer)) {
            Some(known) => known.versions.extend(newer.versions),
            None => all.push(newer),
        }
    }
    all
}

fn read(name: &str) -> Vec<Fact> {
    serde_json::from_str(&fixture(name)).expect("the facts are JSON")
}

/// A fresh copy of the database that the facts were measured on.
pub(crate) fn base() -> Database {
    cluster().database_from("facts", |database| {
        database.run(&fixture("postgres-locks-base.sql"));
        database.run("VACUUM (FREEZE, ANALYZE)");
    })
}

impl Fact {
    /// What is known of a version.
    pub(crate) fn on(&self, version: u32) -> Option<&Measured> {
        self.versions.get(&version.to_string()).filter(|measured| !measured.setup_failed)
    }

    /// Whether both are about the same statement, run in the same way.
    fn is_of(&self, other: &Self) -> bool {
        let run = |it: &Self| (it.sql.clone(), it.setup.clone(), it.session.clone(), it.autocommit);
        run(self) == run(other)
    }

    pub(crate) fn running(&self) -> Running {
        if self.autocommit { Running::Autocommit } else { Running::InTransaction }
    }

    /// Runs the statement on a fresh copy of the base.
    pub(crate) fn observe(&self) -> Observation {
        self.try_observe().unwrap_or_else(|| panic!("the setup of {} fails", self.sql))
    }

    /// A fresh copy of the base after the setup; `None` where this version refuses that.
    fn prepared(&self) -> Option<Database> {
        let database = base();
        let mut client = database.connect();
        for statement in &self.setup {
            crate::database::run(&mut client, statement).ok()?;
        }
        Some(database)
    }

    /// Whether the statement has this word.
    fn names(&self, word: &str) -> bool {
        self.sql.split(|it: char| !it.is_alphanumeric() && it != '_').any(|it| it == word)
    }

    /// The same; `None` where this version refuses already the setup.
    fn try_observe(&self) -> Option<Observation> {
        let database = self.prepared()?;
        let session: Vec<&str> = self.session.iter().map(String::as_str).collect();
        Some(observe(&database, &session, &self.sql, self.running()))
    }
}

impl Measured {
    /// In the form of an observation.
    pub(crate) fn locks(&self) -> BTreeMap<String, Mode> {
        let mut strongest = BTreeMap::new();
        for lock in &self.locks {
            let mode = Mode::named(&lock.mode).expect("a mode of the manual");
            let known = strongest.entry(lock.relation.clone()).or_insert(mode);
            *known = mode.max(*known);
        }
        strongest
    }
}

pub(crate) fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/facts").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What an observation says, where it can be compared with a measurement.
fn summary(observation: &Observation) -> String {
    if let Some(failure) = &observation.error {
        return failure.sqlstate.clone();
    }
    let Observation { locks, heap_rewrite, index_rebuild, full_scan, .. } = observation;
    format!("rewrite {heap_rewrite}, rebuild {index_rebuild}, scan {full_scan}, {locks:?}")
}

fn measured_summary(measured: &Measured) -> String {
    if let Some(error) = &measured.error {
        return error[..5].to_owned();
    }
    let Measured { heap_rewrite, index_rebuild, full_scan, .. } = *measured;
    summary(&Observation { error: None, locks: measured.locks(), heap_rewrite, index_rebuild, full_scan })
}

/// One of each kind: catalog only, scan, rewrite, index build, other relations, partitions, failures, outside transactions.
const DOZEN: &[&str] = &[
    "ALTER TABLE big ADD COLUMN c int",
    "ALTER TABLE big ADD COLUMN c int DEFAULT 0",
    "ALTER TABLE big ALTER COLUMN a TYPE bigint",
    "ALTER TABLE big ALTER COLUMN vc TYPE varchar(100)",
    "ALTER TABLE big ADD CONSTRAINT big_fk FOREIGN KEY (parent_id) REFERENCES parent",
    "ALTER TABLE evd ATTACH PARTITION evd_new FOR VALUES FROM (200001) TO (300001)",
    "ALTER TABLE big ALTER COLUMN a SET NOT NULL",
    "CREATE INDEX i ON big (n)",
    "CREATE INDEX CONCURRENTLY i ON big (n)",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON big (n)",
    "DROP TABLE child",
    "TRUNCATE parent CASCADE",
    "VACUUM FULL big",
    "TRUNCATE parent",
];

#[test]
fn this_server_agrees_with_a_dozen_facts() {
    let version = cluster().version();
    let facts = facts();
    for sql in DOZEN {
        let fact = facts.iter().find(|fact| fact.sql == *sql).unwrap_or_else(|| panic!("no fact: {sql}"));
        let measured = fact.on(version).unwrap_or_else(|| panic!("not measured: {sql}"));
        assert_eq!(summary(&fact.observe()), measured_summary(measured), "{sql}");
    }
}
