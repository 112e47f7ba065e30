//! Plans of recipes with one thing changed: each must be objected to. What is not stands in a list with its reason.

use super::{objections, schema, target};
use crate::catalog::Catalog;
use crate::engine::lower::lower;
use crate::mechanics::{self, Scene};
use crate::operation::Operation;
use crate::plan::{Act, Phase, Step, Way, Written};
use crate::recipes;
use crate::statement::Script;

const SCHEMA: &str = "
    CREATE TABLE u (id int PRIMARY KEY);
    CREATE TABLE t (
        id int PRIMARY KEY, a int NOT NULL CONSTRAINT t_a CHECK (a > 0), b text, d int REFERENCES u,
        e int NOT NULL DEFAULT 7, CONSTRAINT t_b UNIQUE (b)
    );
    CREATE INDEX t_a_b ON t (a DESC, b) INCLUDE (e) WHERE b IS NOT NULL;
    CREATE INDEX t_d ON t (d);
    CREATE VIEW v AS SELECT id, a FROM t;";

const CHANGES: &[&str] = &[
    "ALTER TABLE t RENAME COLUMN a TO c",
    "ALTER TABLE t RENAME COLUMN d TO c",
    "ALTER TABLE t ALTER COLUMN e TYPE bigint",
    "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE t ADD CONSTRAINT t_self FOREIGN KEY (a) REFERENCES u (id) ON DELETE CASCADE",
    "ALTER TABLE t ADD CONSTRAINT t_key UNIQUE (a, b)",
    "CREATE INDEX t_new ON t (b, a DESC) INCLUDE (e) WHERE a > 5",
    "DROP INDEX t_a_b",
    "ALTER TABLE t DROP COLUMN b",
    "ALTER TABLE t ADD CONSTRAINT t_check CHECK (a > 5)",
    "ALTER TABLE t RENAME TO w",
    "DROP TABLE u CASCADE",
    "ALTER TABLE t ADD COLUMN c uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE",
    "ALTER TABLE t ADD COLUMN c bigserial",
    "ALTER TABLE t ADD COLUMN c int NOT NULL CHECK (c > 0)",
];

fn operations(change: &str) -> Vec<Operation> {
    let script = Script::read(change, crate::dialect::Dialect::Postgres);
    script.statements.iter().flat_map(|statement| lower(&script, statement)).collect()
}

fn phases(change: &str, before: &Catalog, way: Way) -> Option<Vec<Phase>> {
    let target = target();
    let scene = Scene {
        text: change,
        back: "",
        target: &target,
        catalog: before,
        batch_rows: 1_000,
        pause_lag_seconds: 30,
        resume_lag_seconds: 5,
        answers: &mechanics::Answers::new(),
    };
    let operations = operations(change);
    let recipe = recipes::for_operation(operations.first()?, crate::dialect::Dialect::Postgres)?;
    recipes::write(recipe, &operations.iter().collect::<Vec<_>>(), &scene, way).ok()
}

/// All plans that recipes write here.
fn plans(before: &Catalog) -> Vec<(&'static str, Way, Vec<Phase>)> {
    let mut plans = Vec::new();
    for change in CHANGES {
        for way in [Way::Triggers, Way::View, Way::Application] {
            plans.extend(phases(change, before, way).map(|phases| (*change, way, phases)));
        }
    }
    plans
}

#[test]
fn plans_of_recipes_are_proved() {
    let before = schema(SCHEMA);
    let plans = plans(&before);
    for (change, way, phases) in &plans {
        let found = objections(&before, change, phases);
        assert!(found.is_empty(), "{change} ({}): {found:#?}", way.id());
    }
    assert!(plans.len() > 25, "{} plans", plans.len());
}

/// A text with one thing changed, for each place where it can be.
struct Mutation {
    name: &'static str,
    from: &'static str,
    to: &'static str,
}

const MUTATIONS: &[Mutation] = &[
    Mutation { name: "predicate", from: " WHERE (b IS NOT NULL)", to: "" },
    Mutation { name: "predicate", from: " WHERE b IS NOT NULL", to: "" },
    Mutation { name: "predicate", from: " WHERE a > 5", to: " WHERE a > 6" },
    Mutation { name: "condition", from: "a > 5", to: "a > 6" },
    Mutation { name: "condition", from: "c > 0", to: "c > 1" },
    Mutation { name: "condition", from: "IS NOT NULL) NOT VALID", to: "IS NULL) NOT VALID" },
    Mutation { name: "INCLUDE", from: " INCLUDE (e)", to: "" },
    Mutation { name: "order of a key", from: "a DESC", to: "a" },
    Mutation { name: "default", from: "DEFAULT 7", to: "DEFAULT 8" },
    Mutation { name: "default", from: "SET DEFAULT gen_random_uuid()", to: "DROP DEFAULT" },
    Mutation { name: "unique", from: "CREATE UNIQUE INDEX", to: "CREATE INDEX" },
    Mutation { name: "action", from: " ON DELETE CASCADE", to: "" },
    Mutation { name: "concurrently", from: "INDEX CONCURRENTLY", to: "INDEX" },
    Mutation { name: "not valid", from: " NOT VALID", to: "" },
    Mutation { name: "direction", from: "NEW.c := NEW.a;", to: "NEW.a := NEW.c;" },
    Mutation { name: "direction", from: "NEW.e_new := NEW.e;", to: "NEW.e := NEW.e_new;" },
    Mutation { name: "events", from: "BEFORE INSERT OR UPDATE", to: "BEFORE UPDATE" },
    Mutation { name: "timing", from: "BEFORE INSERT OR UPDATE", to: "AFTER INSERT OR UPDATE" },
    Mutation { name: "guard", from: "true) = 'on'", to: "true) <> 'on'" },
    Mutation { name: "timeout", from: "SET LOCAL lock_timeout = '2s';\n", to: "" },
    Mutation { name: "name", from: "RENAME TO t_a_b", to: "RENAME TO t_a_c" },
];

/// Mutants that the model does not notice: the mutation, a part of what it makes, and the reason.
const SURVIVORS: &[(&str, &str, &str)] = &[
    (
        "guard",
        "<> 'on'",
        "for which of two writers a trigger stands aside is known when it runs: tests/src/proof kills it",
    ),
    ("timeout", "VALIDATE CONSTRAINT", "its lock holds up nobody who reads or writes"),
    ("timeout", "SHARE UPDATE EXCLUSIVE MODE", "its lock holds up nobody who reads or writes"),
    ("swapped", "INDEX CONCURRENTLY", "an index can be built before or behind what stands beside it"),
    ("swapped", "VALIDATE CONSTRAINT", "old rows can be checked earlier or later"),
    (
        "swapped",
        "SET NOT NULL",
        "NULL is refused from the check on: which of two proofs comes first makes no difference",
    ),
    ("swapped", "CREATE OR REPLACE VIEW v", "the view can read either column, as both are in step"),
    ("swapped", "go on writing both", "what the release in the middle reads is in step on both sides"),
    ("dropped", "go on writing both", "what the release in the middle reads is in step on both sides"),
    (
        "swapped",
        "write a value into t.b",
        "what a release writes into a column that it knows, no schema tells",
    ),
    (
        "dropped",
        "write a value into t.b",
        "what a release writes into a column that it knows, no schema tells",
    ),
    (
        "swapped",
        "write into t only what",
        "what a release writes into a column that it knows, no schema tells",
    ),
    (
        "dropped",
        "write into t only what",
        "what a release writes into a column that it knows, no schema tells",
    ),
    (
        "swapped",
        "DROP CONSTRAINT t_d_fkey",
        "a foreign key can go before the release that ends the use of its table",
    ),
    (
        "dropped",
        "DO $lockkeeper$",
        "where the application writes both, no schema tells that old rows need a value",
    ),
    ("swapped", "as integer as well as bigint", "a driver may take a wider integer for the same"),
    ("dropped", "as integer as well as bigint", "a driver may take a wider integer for the same"),
];

struct Mutant {
    name: String,
    text: String,
    phases: Vec<Phase>,
}

fn places(phases: &[Phase]) -> Vec<(usize, usize)> {
    let steps = |phase: &Phase| phase.steps.len();
    phases.iter().enumerate().flat_map(|(at, phase)| (0..steps(phase)).map(move |step| (at, step))).collect()
}

fn mutants(phases: &[Phase]) -> Vec<Mutant> {
    let places = places(phases);
    let mut found = Vec::new();
    for (number, (phase, step)) in places.iter().copied().enumerate() {
        let mut without = phases.to_vec();
        let gone = without[phase].steps.remove(step);
        found.push(Mutant { name: "dropped".to_owned(), text: shown(&gone), phases: without });
        if let Some((next_phase, next)) = places.get(number + 1).copied() {
            let mut swapped = phases.to_vec();
            let (one, other) = (phases[phase].steps[step].clone(), phases[next_phase].steps[next].clone());
            let text = format!("{}\nbehind\n{}", shown(&one), shown(&other));
            (swapped[phase].steps[step], swapped[next_phase].steps[next]) = (other, one);
            found.push(Mutant { name: "swapped".to_owned(), text, phases: swapped });
        }
        let Step::Sql(sql) = &phases[phase].steps[step] else { continue };
        for (at, statement) in sql.up.iter().enumerate() {
            // The job of a backfill is no text: it is lost or moved with its step.
            if matches!(statement.act, Act::Batches(_)) {
                continue;
            }
            for (name, text) in mutations(&statement.sql(sql.dialect)) {
                let mut changed = phases.to_vec();
                if let Step::Sql(sql) = &mut changed[phase].steps[step] {
                    sql.up[at] = Written::read(text.clone(), sql.dialect).into();
                }
                found.push(Mutant { name: name.to_owned(), text, phases: changed });
            }
        }
    }
    found
}

/// A statement with one thing changed, in each way.
fn mutations(text: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for mutation in MUTATIONS {
        let Mutation { name, from, to } = *mutation;
        // Both branches of a trigger.
        if name == "direction" && text.contains(from) {
            found.push((name, text.replace(from, to)));
            continue;
        }
        let each = text.match_indices(from);
        found.extend(
            each.map(|(at, from)| (name, format!("{}{to}{}", &text[..at], &text[at + from.len()..]))),
        );
    }
    found
}

fn shown(step: &Step) -> String {
    match step {
        Step::Sql(sql) => sql.up(),
        Step::Release(release) => release.must.join("; "),
        Step::Check(criterion) => criterion.text.clone(),
    }
}

#[test]
fn changed_plans_are_objected_to() {
    let before = schema(SCHEMA);
    let (mut count, mut alive) = (0, Vec::new());
    for (change, way, phases) in plans(&before) {
        for mutant in mutants(&phases) {
            count += 1;
            let excused =
                SURVIVORS.iter().any(|(name, part, _)| *name == mutant.name && mutant.text.contains(part));
            if !excused && objections(&before, change, &mutant.phases).is_empty() {
                alive.push(format!("{change} ({}): {}\n{}\n", way.id(), mutant.name, mutant.text));
            }
        }
    }
    println!("{count} mutants, {} of kinds that the model cannot see", SURVIVORS.len());
    assert!(alive.is_empty(), "{} of {count} survive:\n{}", alive.len(), alive.join("\n"));
}
