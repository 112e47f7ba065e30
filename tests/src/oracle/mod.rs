//! What the effect table says, compared with what real servers did: the measured facts of nine versions, and the
//! statements of `statements.sql` on the server at hand.

mod live;

use crate::facts::{Fact, Measured, facts, fixture};
use crate::observe::Mode;
use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{self, Part};
use lockkeeper_core::dialect::{Dialect, LockMode, Target, Version};
use lockkeeper_core::effect::Effect;
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::text::Span;
use std::collections::BTreeMap;
use std::fmt;

/// What can be compared of a statement: of an effect, of a measurement, of an observation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    /// Why it fails; nothing else counts then.
    fails: Option<String>,
    locks: BTreeMap<String, Mode>,
    heap_rewrite: bool,
    index_rebuild: bool,
    full_scan: bool,
}

impl Answer {
    fn of_effect(effect: &Effect) -> Answer {
        let locks = effect.locks.iter().map(|(name, mode)| (name.display(Dialect::Postgres), mode_of(*mode)));
        Answer {
            // The schema is whole here: what it does not hold is missing.
            fails: effect.fails.clone().or_else(|| effect.missing.clone()),
            locks: locks.collect(),
            heap_rewrite: effect.heap_rewrite,
            index_rebuild: effect.index_rebuild,
            full_scan: effect.full_scan,
        }
    }

    fn of_measurement(measured: &Measured) -> Answer {
        Answer {
            fails: measured.error.clone(),
            locks: measured.locks(),
            heap_rewrite: measured.heap_rewrite,
            index_rebuild: measured.index_rebuild,
            full_scan: measured.full_scan,
        }
    }

    /// What of it differs from what a server did.
    fn differences(&self, server: &Answer) -> Vec<Difference> {
        if self.fails.is_some() || server.fails.is_some() {
            let agree = self.fails.is_some() == server.fails.is_some();
            let difference = Difference::of("fails", &self.fails, &server.fails);
            return if agree { Vec::new() } else { vec![difference] };
        }
        let names = self.locks.keys().chain(server.locks.keys()).collect::<std::collections::BTreeSet<_>>();
        let locks = names.into_iter().map(|name| (name, self.locks.get(name), server.locks.get(name)));
        let locks = locks.filter(|(_, ours, theirs)| ours != theirs);
        let mut found: Vec<Difference> =
            locks.map(|(name, ours, theirs)| Difference::of(name, &ours, &theirs)).collect();
        let facts = [
            ("heap_rewrite", self.heap_rewrite, server.heap_rewrite),
            ("index_rebuild", self.index_rebuild, server.index_rebuild),
            ("full_scan", self.full_scan, server.full_scan),
        ];
        let differing = facts.iter().filter(|(_, ours, theirs)| ours != theirs);
        found.extend(differing.map(|(what, ours, theirs)| Difference::of(what, ours, theirs)));
        found
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Difference {
    what: String,
    ours: String,
    server: String,
}

impl Difference {
    fn of(what: &str, ours: &impl fmt::Debug, server: &impl fmt::Debug) -> Difference {
        Difference { what: what.to_owned(), ours: format!("{ours:?}"), server: format!("{server:?}") }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: we say {}, the server {}", self.what, self.ours, self.server)
    }
}

fn mode_of(mode: LockMode) -> Mode {
    Mode::named(mode.title()).expect("both lists are the manual's")
}

fn target(version: u32) -> Target {
    let version = u16::try_from(version).expect("a version of PostgreSQL");
    Target::postgres(Version::major(version))
}

fn whole(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

/// The catalog after migrations.
fn after(mut catalog: Catalog, migrations: &[String], target: &Target) -> Catalog {
    for migration in migrations {
        check::replay(whole(migration), target, &mut catalog);
    }
    catalog
}

/// The effect of the last statement of a text.
fn effect_of(text: &str, target: &Target, catalog: &Catalog) -> Effect {
    let mut checked = check::check(whole(text), target, catalog);
    checked.statements.pop().unwrap_or_else(|| panic!("no statement: {text}")).effect
}

/// What we know to differ from the measurements, and why it may.
const EXPECTED: &[(&str, &str)] = &[
    (
        "ALTER TABLE big ALTER COLUMN pay SET NOT NULL",
        "fails on the rows: pay holds only NULLs, which no migration says",
    ),
    ("ALTER TABLE big ADD CONSTRAINT u UNIQUE (n)", "fails on the rows: n holds duplicates"),
    ("CREATE UNIQUE INDEX CONCURRENTLY i ON big (n)", "fails on the rows: n holds duplicates"),
];

#[test]
fn effects_agree_with_nine_versions() {
    let base = [fixture("postgres-locks-base.sql")];
    let facts = facts();
    let (mut compared, mut unexpected) = (0, Vec::new());
    for version in 11..=19 {
        let target = target(version);
        let catalog = after(Catalog::empty(Dialect::Postgres), &base, &target);
        for fact in &facts {
            let Some(measured) = fact.on(version) else { continue };
            compared += 1;
            let differences = ours(fact, &target, &catalog).differences(&Answer::of_measurement(measured));
            if !differences.is_empty() && !EXPECTED.iter().any(|(sql, _)| *sql == fact.sql) {
                unexpected.push(line(version, fact, &differences));
            }
        }
    }
    assert!(compared > 2_850, "{compared} compared");
    let (count, table) = (unexpected.len(), unexpected.join("\n"));
    assert!(unexpected.is_empty(), "{count} of {compared} disagree:\n{table}");
}

#[test]
fn what_is_expected_to_differ_still_does() {
    let target = target(15);
    let base = [fixture("postgres-locks-base.sql")];
    let catalog = after(Catalog::empty(Dialect::Postgres), &base, &target);
    let facts = facts();
    for (sql, reason) in EXPECTED {
        let fact = facts.iter().find(|it| it.sql == *sql).unwrap_or_else(|| panic!("no fact: {sql}"));
        let measured = fact.on(15).expect("measured on 15");
        let differences = ours(fact, &target, &catalog).differences(&Answer::of_measurement(measured));
        assert!(!differences.is_empty(), "{sql} agrees now; it was expected to differ: {reason}");
    }
}

fn ours(fact: &Fact, target: &Target, base: &Catalog) -> Answer {
    let catalog = after(base.clone(), &fact.setup, target);
    let text = [fact.session.as_slice(), std::slice::from_ref(&fact.sql)].concat().join(";\n");
    let effect = effect_of(&text, target, &catalog);
    let mut answer = Answer::of_effect(&effect);
    if !fact.autocommit && !effect.transactional {
        answer.fails.get_or_insert("it cannot run inside a transaction".to_owned());
    }
    answer
}

fn line(version: u32, fact: &Fact, differences: &[Difference]) -> String {
    let differences: Vec<String> = differences.iter().map(Difference::to_string).collect();
    let setup = if fact.setup.is_empty() { String::new() } else { format!(" after {:?}", fact.setup) };
    format!("[{version}] {}{setup}\n      {}", fact.sql, differences.join("\n      "))
}
