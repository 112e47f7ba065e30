//! Random schemas and random single changes: what recipes make of a change ends where the change itself does.
//!
//! `LOCKKEEPER_CASES=500` runs more of them, `LOCKKEEPER_SEED=7` others.

mod change;
mod hostile;
mod schema;
mod several;

use std::cell::RefCell;
use std::collections::BTreeMap;

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::catalog::compare::{End, Order, compare, unknown_losses};
use lockkeeper_core::check::{Checked, Part, check, replay};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::plan::{Phase, SqlStep, Way};
use lockkeeper_core::policy::{Policy, judge};
use lockkeeper_core::text::Span;
use lockkeeper_core::verify::{self, Objection, Traffic, verify};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::cluster::cluster;
use crate::database::Database;
use crate::proof::files::{back, contents, differing_rows, phases_of, up};
use crate::snapshot::{ColumnOrder, difference, snapshot};
use change::{Change, Kind, change};
use schema::{Schema, schema};

/// How a run ended, by kind of change.
#[derive(Debug, Default)]
struct Tally {
    rewritten: BTreeMap<Kind, usize>,
    refused: BTreeMap<String, usize>,
}

impl Tally {
    fn show(&self, title: &str) {
        let rewritten: usize = self.rewritten.values().sum();
        let refused: usize = self.refused.values().sum();
        println!("{title}: {rewritten} rewritten, {refused} refused in words");
        println!("{:?}", self.rewritten);
        for (reason, count) in &self.refused {
            println!("{count:4} {reason}");
        }
    }
}

fn runner(cases: u32) -> TestRunner {
    let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u32>().ok());
    let seed = number("LOCKKEEPER_SEED").unwrap_or(1);
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: number("LOCKKEEPER_CASES").unwrap_or(cases),
        failure_persistence: None,
        max_shrink_iters: 200,
        max_global_rejects: 1_000_000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn ways() -> impl Strategy<Value = Way> {
    proptest::sample::select(vec![Way::Triggers, Way::Application, Way::View])
}

/// Runs `property` over random changes, and tells how they ended.
fn each(cases: u32, title: &str, property: impl Fn(&Case, &mut Tally) -> Result<(), TestCaseError>) -> Tally {
    let tally = RefCell::new(Tally::default());
    let versions = proptest::sample::select(vec![12, 15, 18]);
    let result =
        runner(cases).run(&(schema(), change(), ways(), versions), |(schema, change, way, version)| {
            let Some(migration) = change.sql(&schema) else {
                return Err(TestCaseError::reject("nothing of that kind"));
            };
            // Only a table has something to stand under its name here.
            let way = if way == Way::View && change.kind != Kind::RenameTable { Way::Triggers } else { way };
            let case = Case { sql: schema.sql(), schema, change, migration, way, version };
            property(&case, &mut tally.borrow_mut())
        });
    if let Err(failure) = result {
        panic!("{title}: {failure}");
    }
    let tally = tally.into_inner();
    tally.show(title);
    tally
}

struct Case {
    #[allow(dead_code, reason = "shown when a case fails")]
    schema: Schema,
    sql: String,
    change: Change,
    migration: String,
    way: Way,
    version: u32,
}

impl Case {
    fn shown(&self) -> String {
        format!("{}{}\n({}, {})", self.sql, self.migration, self.way.id(), self.version)
    }

    /// The phases, or `None` where the product says no in words.
    fn phases(&self, version: u32, tally: &mut Tally) -> Result<Option<Vec<Phase>>, TestCaseError> {
        match phases_of(&self.sql, &self.migration, self.way, version, "") {
            Ok(phases) => {
                *tally.rewritten.entry(self.change.kind).or_default() += 1;
                Ok(Some(phases))
            }
            Err(reason) => {
                prop_assert!(reason.len() > 20, "{}: {reason}", self.shown());
                *tally.refused.entry(format!("{:?}: {reason}", self.change.kind)).or_default() += 1;
                Ok(None)
            }
        }
    }
}

fn part(text: &str, transaction: Transaction) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction }
}

#[test]
fn steps_are_clean_and_end_in_the_schema_of_the_change() {
    let tally = each(150, "in the model", |case, tally| {
        let target = Target::postgres(Version::major(u16::try_from(case.version).expect("is small")));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(&case.sql, Transaction::Autocommit), &target, &mut before);
        let Some(phases) = case.phases(case.version, tally)? else { return Ok(()) };
        let transaction =
            if case.change.transactional() { Transaction::Wrapped } else { Transaction::Autocommit };
        let direct = check(part(&case.migration, transaction), &target, &before);
        if direct.hazards.iter().any(|it| it.rule == "failing-statement") {
            // A recipe may find a way where the statement fails; there is nothing to compare it with.
            return Err(TestCaseError::reject("it fails"));
        }
        let mut catalog = before.clone();
        for step in phases.iter().flat_map(Phase::migrations) {
            catalog = clean(case, step, &target, &catalog)?;
        }
        let objections = objections(&before, &direct, &target, &phases);
        let objections: Vec<String> = objections.iter().map(ToString::to_string).collect();
        prop_assert!(objections.is_empty(), "{}\n{}", case.shown(), objections.join("\n"));
        let found = unknown_losses(compare(&catalog, &direct.after, Order::Ignored), End::Last);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        prop_assert!(found.is_empty(), "{}\n{}", case.shown(), found.join("\n"));
        Ok(())
    });
    // Most of what can be changed has a recipe; a kind that is never rewritten is not tested here.
    assert!(tally.rewritten.len() >= 15, "{:?}", tally.rewritten);
}

/// The schema after a step, which no rule may find fault with.
fn clean(case: &Case, step: &SqlStep, target: &Target, before: &Catalog) -> Result<Catalog, TestCaseError> {
    let transaction = if step.transactional { Transaction::Wrapped } else { Transaction::Autocommit };
    let checked = check(part(&step.up(), transaction), target, before);
    let judged = judge(&step.up(), &checked, &Policy::default());
    // That a key has no index, or is too narrow, is so with the change itself. What a schema has twice it has twice again.
    let own = |rule: &str| match rule {
        "unindexed-foreign-key" | "mismatched-key" => case.change.kind == Kind::AddForeignKey,
        "duplicate-index" => true,
        _ => false,
    };
    let found = judged.hazards.iter().filter(|it| !own(it.rule));
    let found: Vec<String> = found.map(|it| format!("{}: {}", it.rule, it.message)).collect();
    prop_assert!(found.is_empty(), "{}\n{}\n{}", case.shown(), step.up(), found.join("\n"));
    prop_assert!(judged.allowance_problems.is_empty(), "{}\n{}", case.shown(), step.up());
    prop_assert!(checked.not_analysed.is_empty(), "{}\n{}", case.shown(), step.up());
    Ok(checked.after)
}

/// The same on the server, with rows, and back again.
#[test]
fn the_server_agrees() {
    let version = cluster().version();
    each(12, "on the server", |case, tally| {
        let direct = cluster().database();
        direct.run(&case.sql);
        let mut client = direct.connect();
        if crate::database::run(&mut client, &case.migration).is_err() {
            return Err(TestCaseError::reject("the rows do not allow it"));
        }
        let Some(phases) = case.phases(version, tally)? else { return Ok(()) };
        let database = cluster().database();
        database.run(&case.sql);
        let taken = carried_out(&case.shown(), &database, &phases)?;
        let schemas = (snapshot(&direct, ColumnOrder::Ignored), snapshot(&database, ColumnOrder::Ignored));
        let lines = difference(&schemas.0, &schemas.1);
        prop_assert!(lines.is_empty(), "{}\n{lines}", case.shown());
        // Values that are drawn anew each time.
        let drawn = match case.change.kind {
            Kind::AddColumnOfMoment | Kind::AddSerial | Kind::AddIdentity => &["extra"][..],
            _ => &[],
        };
        let rows = differing_rows(&contents(&direct, drawn), &contents(&database, drawn));
        prop_assert!(rows.is_empty(), "{}\n{rows}", case.shown());
        if loses(case.change.kind) { Ok(()) } else { undo(&case.shown(), &database, taken) }
    });
}

/// Takes back every step that can be, as far as one that cannot.
fn undo(shown: &str, database: &Database, taken: Vec<(String, &SqlStep)>) -> Result<(), TestCaseError> {
    for (before, step) in taken.into_iter().rev() {
        if step.down.is_none() {
            return Ok(());
        }
        let done = back(database, step);
        prop_assert!(done.is_ok(), "{shown}\ndown of {}\n{:?}\n{:?}", step.up(), step.down(), done.err());
        let lines = difference(&before, &snapshot(database, ColumnOrder::Ignored));
        prop_assert!(lines.is_empty(), "{shown}\ndown of {}\n{lines}", step.up());
    }
    Ok(())
}

/// Carries the steps out; each with the schema in front of it.
fn carried_out<'a>(
    shown: &str,
    database: &Database,
    phases: &'a [Phase],
) -> Result<Vec<(String, &'a SqlStep)>, TestCaseError> {
    let mut taken = Vec::new();
    for step in phases.iter().flat_map(Phase::migrations) {
        taken.push((snapshot(database, ColumnOrder::Ignored), step));
        let done = up(database, step);
        prop_assert!(done.is_ok(), "{shown}\n{}\n{:?}", step.up(), done.err());
    }
    Ok(taken)
}

/// What the model objects to in a plan that leads from one schema to what `direct` left.
fn objections(before: &Catalog, direct: &Checked, target: &Target, phases: &[Phase]) -> Vec<Objection> {
    let broken = direct.hazards.iter().map(|it| it.rule).collect();
    let after = &direct.after;
    let change = verify::Change { before, after, broken: &broken, target, traffic: Traffic::Releases };
    verify(&change, phases)
}

/// What is gone comes back from a backup only, and without its NOT NULL.
fn loses(kind: Kind) -> bool {
    matches!(kind, Kind::DropColumn | Kind::DropTable)
}
