//! The straight change in a window: every fixture once more, while nobody is connected.
//!
//! It ends where the original migration ends, since it is that; what is shown is that the steps run as they are written, that the way back leads
//! back where there is one, and that a framework which opens transactions of its own (goose) runs the files. What is measured is how long the
//! window's longest lock is held.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use lockkeeper_core::plan::{Phase, SqlStep, Way};

use super::files::{self, contents, differing_rows};
use super::{Fixture, Proof, exclusive};
use crate::cluster::cluster;
use crate::database::{Database, Failure};
use crate::snapshot::{ColumnOrder, difference, snapshot};
use crate::workload::apply;

/// Each change once, whatever the ways in which it is proved beside clients.
pub(super) static FIXTURES: LazyLock<Vec<Fixture>> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    let once = super::beside_clients().filter(|it| names.insert(it.name));
    once.map(|it| Fixture { way: Way::Window, ..*it }).collect()
});

/// What the server refuses as it was written is refused in words, or fails as a whole.
pub(super) fn prove(fixture: &Fixture) -> Result<Proof, String> {
    let phases = match files::phases(fixture) {
        Ok(phases) => phases,
        Err(reason) => {
            // On an old server not even its schema may be possible.
            let database = cluster().database();
            let ran = [fixture.schema, fixture.migration]
                .iter()
                .try_for_each(|sql| files::straight(&database, sql));
            assert!(ran.is_err(), "{} is possible in a window: {reason}", fixture.name);
            return Err(reason);
        }
    };
    let direct = files::start(fixture);
    let refused = refused(fixture, &phases);
    if let Err(failure) = files::straight(&direct, fixture.migration) {
        // Rows that are refused are announced; that an expression somewhere does not fit the new type is not.
        let of_rows = failure.sqlstate.starts_with("22") || failure.sqlstate.starts_with("23");
        assert_eq!(!refused.is_empty(), of_rows, "{}, in a window: {failure}", fixture.name);
        fails_whole(fixture, &phases, &failure);
        return Err(format!("the server refuses the change as it was written ({failure})"));
    }
    assert_eq!(refused, [""; 0], "{}, in a window", fixture.name);
    Ok(Window { fixture, direct: &direct, phases: &phases }.prove())
}

/// The conditions of the window that do not hold: each a query that counts rows.
fn refused(fixture: &Fixture, phases: &[Phase]) -> Vec<String> {
    let database = files::start(fixture);
    let queries = phases.iter().flat_map(|phase| &phase.entry).filter_map(|it| it.query.clone());
    queries.filter(|query| database.value(query) != "0").collect()
}

/// A step that fails leaves nothing behind.
fn fails_whole(fixture: &Fixture, phases: &[Phase], failure: &Failure) {
    let before = files::start(fixture);
    let after = files::start(fixture);
    let mut steps = phases.iter().flat_map(Phase::migrations);
    let failed = steps.try_for_each(|step| files::up(&after, step));
    assert_eq!(failed.as_ref(), Err(failure), "{}, in a window", fixture.name);
    let window = Window { fixture, direct: &before, phases };
    window.assert_is_direct(&after, "what failed is undone");
}

struct Window<'a> {
    fixture: &'a Fixture,
    /// The database on which the original migration ran.
    direct: &'a Database,
    phases: &'a [Phase],
}

impl Window<'_> {
    fn prove(&self) -> Proof {
        let database = files::start(self.fixture);
        let (schema, rows) = (snapshot(&database, ColumnOrder::Ignored), self.rows(&database));
        let steps: Vec<&SqlStep> = self.phases.iter().flat_map(Phase::migrations).collect();
        let up = || steps.iter().try_for_each(|step| files::up(&database, step));
        let (done, exclusive) = exclusive::watched(&database, up);
        done.unwrap_or_else(|failure| panic!("{}: {failure}\n{steps:#?}", self.fixture.name));
        self.assert_is_direct(&database, "the steps");
        if steps.iter().all(|it| it.down.is_some()) {
            for step in steps.iter().rev() {
                let back = files::back(&database, step);
                back.unwrap_or_else(|failure| panic!("{}: back: {failure}\n{step:#?}", self.fixture.name));
            }
            self.assert_same(&database, &schema, &rows, "back");
        }
        self.run_files();
        let releases = self.phases.iter().flat_map(Phase::releases).count();
        Proof { files: steps.len(), releases, exclusive, ..Proof::default() }
    }

    /// The files of a framework, each as it runs there.
    fn run_files(&self) {
        let database = files::start(self.fixture);
        for (sql, running) in files::spelled(self.fixture) {
            apply(&database, &[&sql], running)
                .unwrap_or_else(|failure| panic!("{}: its file: {failure}\n{sql}", self.fixture.name));
        }
        self.assert_is_direct(&database, "the files");
    }

    fn rows(&self, database: &Database) -> String {
        contents(database, self.fixture.touched)
    }

    fn assert_is_direct(&self, database: &Database, context: &str) {
        let schema = snapshot(self.direct, ColumnOrder::Ignored);
        self.assert_same(database, &schema, &self.rows(self.direct), context);
    }

    fn assert_same(&self, database: &Database, schema: &str, rows: &str, context: &str) {
        let name = self.fixture.name;
        let after = snapshot(database, ColumnOrder::Ignored);
        assert_eq!(difference(schema, &after), "", "{name}, in a window: {context}");
        assert_eq!(differing_rows(rows, &self.rows(database)), "", "{name}, in a window: {context}");
    }
}
