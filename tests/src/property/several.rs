//! Random schemas and random migrations of two to six statements: what is proved in the model ends on a server where the migration itself does,
//! with the same rows, and leads back.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{check, replay};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::plan::{Phase, PhaseKind, Step, Way};
use lockkeeper_core::verify::{Change, Releases, Traffic, review};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use super::change::{Change as Changed, changes};
use super::schema::schema;
use super::{carried_out, objections, part, runner, undo};
use crate::cluster::cluster;
use crate::proof::files::{contents, differing_rows, phases_of};
use crate::snapshot::{ColumnOrder, difference, snapshot};

/// A random migration of several statements on a random schema.
struct Case {
    sql: String,
    changes: Vec<Changed>,
    migration: String,
    version: u32,
}

/// How a run ended.
#[derive(Default)]
struct Tally {
    rewritten: usize,
    files: usize,
    releases: usize,
    statements: usize,
    refused: BTreeMap<String, usize>,
}

impl Tally {
    fn refuse(&mut self, reason: &str) {
        // Names of the schema would make each reason one of its own.
        let words: String = reason
            .split(' ')
            .filter(|it| !it.contains(['.', '"', '_']))
            .take(12)
            .collect::<Vec<_>>()
            .join(" ");
        *self.refused.entry(words).or_default() += 1;
    }

    fn show(&self, title: &str) {
        let Self { rewritten, files, releases, statements, refused } = self;
        println!(
            "{title}: {rewritten} migrations of {statements} statements rewritten as {files} files and {releases} releases, {} refused in words",
            refused.values().sum::<usize>()
        );
        refused.iter().for_each(|(reason, count)| println!("{count:5} {reason}"));
    }
}

impl Case {
    fn shown(&self) -> String {
        format!(
            "{}{}\n({:?}, {})",
            self.sql,
            self.migration,
            self.changes.iter().map(|it| it.kind).collect::<Vec<_>>(),
            self.version
        )
    }

    fn target(&self) -> Target {
        Target::postgres(Version::major(u16::try_from(self.version).expect("is small")))
    }

    /// The phases that the product would write, or `None` where it says no.
    fn proved(&self, tally: &mut Tally) -> Result<Option<Vec<Phase>>, TestCaseError> {
        let target = self.target();
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(&self.sql, Transaction::Autocommit), &target, &mut before);
        let direct = check(part(&self.migration, Transaction::Wrapped), &target, &before);
        if direct.hazards.iter().any(|it| it.rule == "failing-statement") {
            return Err(TestCaseError::reject("it fails"));
        }
        let phases = match phases_of(&self.sql, &self.migration, Way::Triggers, self.version, "") {
            Ok(phases) => phases,
            Err(reason) => {
                prop_assert!(reason.len() > 20, "{}: {reason}", self.shown());
                tally.refuse(&reason);
                return Ok(None);
            }
        };
        if let Some(objection) = objections(&before, &direct, &target, &phases).first() {
            if std::env::var_os("LOCKKEEPER_SHOW").is_some() {
                println!("{}\n  {objection}", self.shown());
            }
            tally.refuse(&format!("not proved: {:?} {objection}", objection.kind));
            return Ok(None);
        }
        tally.rewritten += 1;
        tally.statements += self.migration.matches(';').count();
        tally.files += phases.iter().flat_map(Phase::migrations).count();
        tally.releases += phases.iter().flat_map(Phase::releases).count();
        Ok(Some(phases))
    }
}

impl Case {
    /// Read as the steps of somebody else, of which nobody says when releases are, a plan that is proved has a place for them; and where one release is
    /// enough, that is where the plan has it.
    fn reviewed(&self, phases: &[Phase]) -> Result<(), TestCaseError> {
        let target = self.target();
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(&self.sql, Transaction::Autocommit), &target, &mut before);
        let after = check(part(&self.migration, Transaction::Wrapped), &target, &before).after;
        let (mut steps, mut released) = (Vec::new(), Vec::new());
        for step in phases.iter().flat_map(|it| &it.steps) {
            match step {
                Step::Sql(_) => steps.push(step.clone()),
                Step::Release(_) => released.push(steps.len()),
                Step::Check(_) => {}
            }
        }
        let broken = BTreeSet::new();
        let change = Change {
            before: &before,
            after: &after,
            broken: &broken,
            target: &target,
            traffic: Traffic::Releases,
        };
        let review = review(&change, &[Phase::new(PhaseKind::Expand, "", steps)]);
        let fits = match (&review.releases, released.as_slice()) {
            (None, _) => false,
            (Some(Releases::One(states)), [only]) => states.contains(only),
            (Some(_), _) => true,
        };
        prop_assert!(fits, "{}\nreleased behind {released:?}: {review:#?}\n{phases:#?}", self.shown());
        Ok(())
    }
}

fn each(
    cases: u32,
    title: &str,
    versions: &[u32],
    property: impl Fn(&Case, &mut Tally) -> Result<(), TestCaseError>,
) -> Tally {
    let tally = RefCell::new(Tally::default());
    let versions = proptest::sample::select(versions.to_vec());
    let mut runner: TestRunner = runner(cases);
    let result = runner.run(&(schema(), changes(), versions), |(schema, changes, version)| {
        let parts: Vec<String> = changes.iter().filter_map(|it| it.sql(&schema)).collect();
        if parts.len() < 2 {
            return Err(TestCaseError::reject("nothing of those kinds"));
        }
        let case = Case { sql: schema.sql(), changes, migration: parts.join("\n"), version };
        property(&case, &mut tally.borrow_mut())
    });
    if let Err(failure) = result {
        panic!("{title}: {failure}");
    }
    let tally = tally.into_inner();
    tally.show(title);
    tally
}

#[test]
fn several_changes_are_proved_or_refused() {
    let tally =
        each(150, "several, in the model", &[12, 15, 18], |case, tally| match case.proved(tally)? {
            Some(phases) => case.reviewed(&phases),
            None => Ok(()),
        });
    let unproved: usize =
        tally.refused.iter().filter(|(it, _)| it.starts_with("not proved")).map(|(_, it)| it).sum();
    // A plan that the model does not prove is a plan that nobody gets: few may be left.
    assert!(
        unproved * 5 <= tally.rewritten + unproved,
        "{unproved} of {} plans are not proved",
        tally.rewritten + unproved
    );
    assert!(tally.rewritten > 50, "{} rewritten", tally.rewritten);
}

#[test]
fn the_server_agrees_about_several() {
    let version = cluster().version();
    each(12, "several, on the server", &[version], |case, tally| {
        let direct = cluster().database();
        direct.run(&case.sql);
        let mut client = direct.connect();
        if crate::database::run(&mut client, &format!("BEGIN;\n{}\nCOMMIT;", case.migration)).is_err() {
            return Err(TestCaseError::reject("the rows do not allow it"));
        }
        let Some(phases) = case.proved(tally)? else { return Ok(()) };
        let database = cluster().database();
        database.run(&case.sql);
        let taken = carried_out(&case.shown(), &database, &phases)?;
        let lines =
            difference(&snapshot(&direct, ColumnOrder::Ignored), &snapshot(&database, ColumnOrder::Ignored));
        prop_assert!(lines.is_empty(), "{}\n{lines}", case.shown());
        let drawn: Vec<String> =
            (0..6).map(|it| if it == 0 { "extra".to_owned() } else { format!("extra{it}") }).collect();
        let drawn: Vec<&str> = drawn.iter().map(String::as_str).collect();
        let left_out = if case.migration.contains("clock_timestamp") { drawn.as_slice() } else { &[] };
        let rows = differing_rows(&contents(&direct, left_out), &contents(&database, left_out));
        prop_assert!(rows.is_empty(), "{}\n{rows}", case.shown());
        // What is gone comes back from a backup only, and without its NOT NULL.
        if case.migration.contains("DROP COLUMN") { Ok(()) } else { undo(&case.shown(), &database, taken) }
    });
}
