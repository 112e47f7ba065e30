//! A change beside clients of the releases that may be live.

use std::time::Duration;

use lockkeeper_core::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Step, Way};

use super::kill::{self, Random};
use super::{EXCLUSIVE, Fixture, LOCK_TIMEOUT, Proof, exclusive, files};
use crate::cluster::cluster;
use crate::database::{Database, Failure, rows};
use crate::snapshot::{ColumnOrder, difference, snapshot};
use crate::workload::{Experience, Workload, beside};

const CLIENTS: usize = 3;

struct Run<'a> {
    fixture: &'a Fixture,
    database: &'a Database,
    /// The release that is live.
    live: usize,
    proof: Proof,
    /// Queries that count rows in which old and new differ, since the backfill.
    agreeing: Vec<Criterion>,
}

/// Every step beside the clients, then every way back, step by step.
pub(super) fn prove(fixture: &Fixture, phases: &[Phase]) -> Proof {
    prove_and(fixture, phases, |_| ())
}

/// The same, with a look at the end before the ways back.
pub(super) fn prove_and(fixture: &Fixture, phases: &[Phase], at_end: impl Fn(&Database)) -> Proof {
    let direct = files::start(fixture);
    direct.run(fixture.direct());
    let expected = snapshot(&direct, ColumnOrder::Ignored);
    let database = files::start(fixture);
    let proof = Proof { releases: phases.iter().flat_map(Phase::releases).count(), ..Proof::default() };
    let mut run = Run { fixture, database: &database, live: 0, proof, agreeing: Vec::new() };
    let mut done: Vec<(String, &SqlStep)> = Vec::new();
    for phase in phases {
        run.hold(&phase.entry, phase);
        for step in &phase.steps {
            if let Step::Sql(sql) = step {
                done.push((snapshot(&database, ColumnOrder::Ignored), sql));
            }
            run.step(phase, step);
        }
        if phase.kind == PhaseKind::Cutover && fixture.releases.len() > run.proof.releases + 1 {
            run.step(phase, &Step::Release(ReleaseStep { must: Vec::new() }));
        }
        run.leave(phase);
    }
    let end = snapshot(&database, ColumnOrder::Ignored);
    assert_eq!(difference(&expected, &end), "", "{}: the end is another schema", run.context());
    at_end(&database);
    let proof = Proof { files: done.len(), ..run.proof };
    for (before, step) in done.into_iter().rev() {
        files::down(fixture, &database, phases, step);
        let after = snapshot(&database, ColumnOrder::Ignored);
        let lines = if fixture.leaps { String::new() } else { difference(&before, &after) };
        assert_eq!(lines, "", "{}: the way down from {}", fixture.name, step.name);
    }
    proof
}

impl Run<'_> {
    fn context(&self) -> String {
        format!("{} ({})", self.fixture.name, self.fixture.way.id())
    }

    fn step(&mut self, phase: &Phase, step: &Step) {
        match step {
            Step::Sql(sql) => {
                let statements = self.statements(self.live..=self.live);
                if sql.job().is_some() {
                    self.backfill(phase, &statements, sql);
                } else {
                    let database = self.database;
                    self.beside(phase, &statements, || files::up(database, sql));
                }
            }
            // While a release goes out, the one before is still there, and may be the last that writes a row.
            Step::Release(_) => {
                let next = self.statements(self.live + 1..=self.live + 1);
                let both = [next, self.statements(self.live..=self.live)].concat();
                self.beside(phase, &both, || Ok(()));
                self.live += 1;
            }
            Step::Check(criterion) => self.hold(std::slice::from_ref(criterion), phase),
        }
    }

    /// Killed once and again, then run to its end; and once more, which must find nothing to do.
    fn backfill(&mut self, phase: &Phase, statements: &[&str], sql: &SqlStep) {
        let database = self.database;
        let mut random = Random(sql.up().len() as u64);
        let takes = Duration::from_millis(100);
        let mut kills = 0;
        self.beside(phase, statements, || {
            kills = kill::killed(database, sql, kill::tries(), takes, &mut random)?;
            files::up(database, sql)
        });
        self.proof.kills += kills;
    }

    fn statements(&self, releases: std::ops::RangeInclusive<usize>) -> Vec<&'static str> {
        let last = self.fixture.releases.len() - 1;
        let start = (*releases.start()).min(last);
        let end = (*releases.end()).min(last);
        self.fixture.releases[start..=end].concat()
    }

    fn beside(&mut self, phase: &Phase, statements: &[&str], change: impl FnOnce() -> Result<(), Failure>) {
        let workload = Workload { statements, clients: CLIENTS, lock_timeout: LOCK_TIMEOUT };
        let database = self.database;
        let ((result, held), experiences) =
            beside(database, &workload, || exclusive::watched(database, change));
        let context = format!("{} in {}", self.context(), phase.kind.id());
        assert!(result.is_ok(), "{context}: {:?}", result.err());
        assert!(held < EXCLUSIVE, "{context}: a relation was held against everybody for {held:?}");
        self.proof.exclusive = self.proof.exclusive.max(held);
        for (statement, Experience { slowest, errors, .. }) in statements.iter().zip(experiences) {
            assert!(errors.is_empty(), "{context}: {statement}: {errors:?}\n{}", cluster().last_deadlock());
            assert!(slowest < LOCK_TIMEOUT, "{context}: {statement} took {slowest:?}");
            self.proof.client = self.proof.client.max(slowest);
        }
    }

    /// The criteria of the phase's end; and old and new still agree, for as long as both are kept in step.
    fn leave(&mut self, phase: &Phase) {
        self.hold(&phase.exit, phase);
        if phase.kind == PhaseKind::Backfill {
            self.agreeing.extend(phase.exit.iter().cloned());
        }
        // Triggers go with the contract. Where the application writes both, its last release lets the old go.
        let last =
            if self.fixture.way == Way::Application { PhaseKind::Cutover } else { PhaseKind::Contract };
        if phase.kind == last {
            self.agreeing.clear();
        }
        let agreeing = std::mem::take(&mut self.agreeing);
        self.agreeing = agreeing.into_iter().filter(|it| self.holds(it, phase)).collect();
    }

    fn hold(&self, criteria: &[Criterion], phase: &Phase) {
        for criterion in criteria {
            assert!(
                self.holds(criterion, phase),
                "{}: a column or table is gone: {criterion:?}",
                self.context()
            );
        }
    }

    /// Whether the query could be asked; then its answer must be the one that the plan expects.
    fn holds(&self, criterion: &Criterion, phase: &Phase) -> bool {
        let (Some(query), Some(expected)) = (&criterion.query, &criterion.expected) else { return true };
        const GONE: [&str; 2] = ["42703", "42P01"];
        match rows(&mut self.database.connect(), query) {
            Ok(answer) => {
                let value = answer.first().and_then(|row| row[0].as_ref());
                let context = format!("{} in {}: {}", self.context(), phase.kind.id(), criterion.text);
                assert_eq!(value, Some(expected), "{context}\n{query}");
                true
            }
            Err(failure) if GONE.contains(&failure.sqlstate.as_str()) => false,
            Err(failure) => panic!("{}: {failure}\n{query}", self.context()),
        }
    }
}
