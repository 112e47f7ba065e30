//! A change alone on its database, so that all rows can be compared.

use lockkeeper_core::plan::{Phase, SqlStep};

use super::Fixture;
use super::files::{self, contents, differing_rows};
use super::kill::{self, Random};
use crate::database::Database;
use crate::snapshot::{ColumnOrder, difference, snapshot};

/// Kills of one backfill on one copy of the rows.
const KILLS_OF_ONE: usize = 5;

/// The rows at the end, the way back from every phase, backfills run twice and killed; how many kills came before the end.
pub(super) fn prove(fixture: &Fixture, phases: &[Phase]) -> usize {
    let direct = files::start(fixture);
    direct.run(fixture.direct());
    let expected = contents(&direct, fixture.touched);
    drop(direct);
    let quiet = Quiet { fixture, phases, expected };
    quiet.back_from_every_phase();
    let backfills = quiet.steps().filter(|(_, step)| step.job().is_some()).count();
    if backfills == 0 {
        return 0;
    }
    let rounds = kill::tries().div_ceil(KILLS_OF_ONE);
    (0..rounds).map(|round| quiet.with_kills(round)).sum()
}

struct Quiet<'a> {
    fixture: &'a Fixture,
    phases: &'a [Phase],
    /// What the original migration makes of the rows.
    expected: String,
}

impl Quiet<'_> {
    fn context(&self) -> String {
        format!("{} ({}), quiet", self.fixture.name, self.fixture.way.id())
    }

    fn steps(&self) -> impl Iterator<Item = (&Phase, &SqlStep)> {
        self.phases.iter().flat_map(|phase| phase.migrations().map(move |step| (phase, step)))
    }

    fn up(&self, database: &Database, step: &SqlStep) {
        files::up(database, step)
            .unwrap_or_else(|failure| panic!("{}: {}: {failure}\n{}", self.context(), step.name, step.up()));
    }

    fn assert_is_direct(&self, database: &Database) {
        let rows = differing_rows(&self.expected, &contents(database, self.fixture.touched));
        assert_eq!(rows, "", "{}: other rows than the original migration's", self.context());
    }

    /// Up to a phase and back, then up to the next: what was undone can be done again.
    fn back_from_every_phase(&self) {
        let database = files::start(self.fixture);
        let schema = snapshot(&database, ColumnOrder::Ignored);
        let rows = contents(&database, self.fixture.touched);
        for last in 1..=self.phases.len() {
            let steps: Vec<_> = self.phases[..last].iter().flat_map(Phase::migrations).collect();
            if self.phases[last - 1].migrations().next().is_none() {
                continue;
            }
            for step in &steps {
                self.up(&database, step);
                if step.job().is_some() {
                    self.run_again(&database, step);
                }
            }
            if last == self.phases.len() {
                self.assert_is_direct(&database);
            }
            for step in steps.into_iter().rev() {
                files::down(self.fixture, &database, self.phases, step);
                // What says that it may have nothing to do can be run twice.
                if !step.transactional && step.down().as_ref().is_some_and(|it| it.contains(" IF EXISTS ")) {
                    files::down(self.fixture, &database, self.phases, step);
                }
            }
            let context = format!("{}: back from {}", self.context(), self.phases[last - 1].kind.id());
            let after = snapshot(&database, ColumnOrder::Ignored);
            assert_eq!(difference(&schema, &after), "", "{context}");
            assert_eq!(differing_rows(&rows, &contents(&database, self.fixture.touched)), "", "{context}");
        }
    }

    /// A backfill that is done touches no row.
    fn run_again(&self, database: &Database, step: &SqlStep) {
        let rows = contents(database, &[]);
        self.up(database, step);
        assert_eq!(differing_rows(&rows, &contents(database, &[])), "", "{}: run twice", self.context());
    }

    fn with_kills(&self, round: usize) -> usize {
        let database = files::start(self.fixture);
        let mut random = Random(round as u64);
        let mut landed = 0;
        for (_, step) in self.steps() {
            if step.job().is_none() {
                self.up(&database, step);
                continue;
            }
            let takes = self.takes(step);
            landed += kill::killed(&database, step, KILLS_OF_ONE, takes, &mut random)
                .unwrap_or_else(|failure| panic!("{}: killed: {failure}", self.context()));
        }
        self.assert_is_direct(&database);
        landed
    }

    /// How long the backfill takes on a copy of its own.
    fn takes(&self, backfill: &SqlStep) -> std::time::Duration {
        let database = files::start(self.fixture);
        for (_, step) in self.steps().take_while(|(_, step)| step.name != backfill.name) {
            self.up(&database, step);
        }
        kill::timed(&database, backfill).unwrap_or_else(|failure| panic!("{}: {failure}", self.context()))
    }
}
