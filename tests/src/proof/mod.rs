//! Recipes proved on a running server: the steps as they are written to files, beside two clients of the releases that
//! may be live.
//!
//! For each fixture: the end schema is the one that the original migration makes; no statement of a live release fails
//! or waits longer than the lock timeout; the way down leads back step by step.

mod fixtures;

use std::time::Duration;

use lockkeeper_core::plan::{Phase, PhaseKind, SqlStep, Step, Way};
use lockkeeper_project::{analysis, discover, rewrite};

use crate::cluster::cluster;
use crate::database::{Database, Failure};
use crate::observe::Running;
use crate::snapshot::{ColumnOrder, difference, snapshot};
use crate::workload::{Experience, Workload, apply, beside};

/// A change with the releases that live around it.
pub(crate) struct Fixture {
    name: &'static str,
    way: Way,
    /// The schema with its rows.
    schema: &'static str,
    /// The change as somebody wrote it.
    migration: &'static str,
    /// What a person does before going back, where the plan says that values come from a backup.
    restore: Option<&'static str>,
    /// The statements of each release: the one that runs before, and one for each release of the plan.
    releases: &'static [&'static [&'static str]],
}

/// After this a client's statement gives up; a step's own lock timeout is shorter.
const LOCK_TIMEOUT: Duration = Duration::from_secs(4);

#[test]
fn every_recipe_ends_in_the_same_schema_and_stops_nobody() {
    println!("| recipe | way | files | releases | longest statement of a client |\n|---|---|---|---|---|");
    for fixture in fixtures::FIXTURES {
        let proof = prove(fixture);
        println!(
            "| {} | {} | {} | {} | {} ms |",
            fixture.name,
            fixture.way.id(),
            proof.files,
            proof.releases,
            proof.longest.as_millis()
        );
    }
}

struct Proof {
    files: usize,
    releases: usize,
    longest: Duration,
}

fn prove(fixture: &Fixture) -> Proof {
    let phases = phases(fixture);
    let direct = database(fixture);
    direct.run(fixture.migration);
    let expected = snapshot(&direct, ColumnOrder::Ignored);
    let database = database(fixture);
    let mut run = Run { fixture, database: &database, live: 0, longest: Duration::ZERO, done: Vec::new() };
    for phase in &phases {
        for step in &phase.steps {
            run.step(phase, step);
        }
    }
    let end = snapshot(&database, ColumnOrder::Ignored);
    assert_eq!(difference(&expected, &end), "", "{}: the end is another schema", fixture.name);
    let longest = run.longest;
    let steps: Vec<(String, SqlStep)> = run.done;
    let files = steps.len();
    undo(fixture, &database, steps);
    Proof { files, releases: phases.iter().flat_map(Phase::releases).count(), longest }
}

fn database(fixture: &Fixture) -> Database {
    let database = cluster().database();
    database.run(fixture.schema);
    database
}

/// The phases that the product writes for a project with this history.
fn phases(fixture: &Fixture) -> Vec<Phase> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let migrations = folder.path().join("migrations");
    std::fs::create_dir_all(&migrations).expect("can be made");
    let version = cluster().version();
    std::fs::write(
        folder.path().join("lockkeeper.toml"),
        format!("dialect = \"postgres\"\ntarget-version = {version}\n[limits]\nbatch-rows = 100\n"),
    )
    .expect("can be written");
    std::fs::write(migrations.join("0001_schema.sql"), fixture.schema).expect("can be written");
    let change = migrations.join("0002_change.sql");
    std::fs::write(&change, fixture.migration).expect("can be written");
    let project = discover(folder.path()).expect("is a project");
    let policy = analysis::policy(&project, None);
    let file = analysis::check_path(&project, &change, None, &policy).expect("is a migration");
    rewrite::phases(&project, &file, fixture.way).unwrap_or_else(|error| panic!("{}: {error}", fixture.name))
}

struct Run<'a> {
    fixture: &'a Fixture,
    database: &'a Database,
    /// The release that is live.
    live: usize,
    longest: Duration,
    /// What was applied, each with the schema before it.
    done: Vec<(String, SqlStep)>,
}

impl Run<'_> {
    fn step(&mut self, phase: &Phase, step: &Step) {
        match step {
            Step::Sql(sql) => {
                let before = snapshot(self.database, ColumnOrder::Ignored);
                self.beside(phase, self.statements(self.live..=self.live), || up(self.database, sql));
                self.done.push((before, sql.clone()));
            }
            // While a release goes out, the one before is still there.
            Step::Release(_) => {
                let both = self.statements(self.live..=self.live + 1);
                self.beside(phase, both, || Ok(()));
                self.live += 1;
            }
            Step::Check(_) => {}
        }
    }

    fn statements(&self, releases: std::ops::RangeInclusive<usize>) -> Vec<&'static str> {
        let last = self.fixture.releases.len() - 1;
        let start = (*releases.start()).min(last);
        let end = (*releases.end()).min(last);
        self.fixture.releases[start..=end].concat()
    }

    fn beside(&mut self, phase: &Phase, statements: Vec<&str>, change: impl FnOnce() -> Result<(), Failure>) {
        let workload = Workload { statements: &statements, clients: 2, lock_timeout: LOCK_TIMEOUT };
        let (result, experiences) = beside(self.database, &workload, change);
        let context = format!("{} in {}", self.fixture.name, phase.kind.id());
        assert!(result.is_ok(), "{context}: {:?}", result.err());
        for (statement, Experience { slowest, errors, .. }) in statements.iter().zip(experiences) {
            assert!(errors.is_empty(), "{context}: {statement}: {errors:?}");
            assert!(slowest < LOCK_TIMEOUT, "{context}: {statement} took {slowest:?}");
            self.longest = self.longest.max(slowest);
        }
    }
}

/// Runs a migration as its file says, and again where it gave up for its lock.
fn up(database: &Database, step: &SqlStep) -> Result<(), Failure> {
    again(|| one(database, &step.up, step.transactional))
}

fn one(database: &Database, sql: &str, transactional: bool) -> Result<(), Failure> {
    let running = if transactional { Running::InTransaction } else { Running::Autocommit };
    apply(database, &[sql], running)
}

fn again(run: impl Fn() -> Result<(), Failure>) -> Result<(), Failure> {
    for _ in 0..20 {
        match run() {
            Err(failure) if failure.sqlstate == "55P03" => {}
            other => return other,
        }
    }
    run()
}

/// Each down leads back to the schema before its up; the contract phase may change the order of columns.
fn undo(fixture: &Fixture, database: &Database, steps: Vec<(String, SqlStep)>) {
    for (before, step) in steps.into_iter().rev() {
        if let Some(restore) = fixture.restore.filter(|_| step.name.ends_with("_nullable")) {
            database.run(restore);
        }
        let down =
            step.down.as_deref().unwrap_or_else(|| panic!("{}: {} has no way back", fixture.name, step.name));
        again(|| one(database, down, step.transactional))
            .unwrap_or_else(|failure| panic!("{}: {failure:?}", step.name));
        let after = snapshot(database, ColumnOrder::Ignored);
        assert_eq!(difference(&before, &after), "", "{}: the way down from {}", fixture.name, step.name);
    }
}

#[test]
fn contract_comes_last_and_nothing_is_dropped_before() {
    for fixture in fixtures::FIXTURES {
        let phases = phases(fixture);
        let drops = |phase: &Phase| phase.migrations().any(|it| it.up.contains(" DROP COLUMN "));
        for phase in phases.iter().filter(|phase| drops(phase)) {
            assert_eq!(phase.kind, PhaseKind::Contract, "{}", fixture.name);
        }
    }
}
