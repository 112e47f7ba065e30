//! The family of recipes is well-formed, and what they write is clean.

use std::collections::BTreeSet;

mod objects;
mod types;

use super::*;
use crate::catalog::compare::{End, Order, compare, unknown_losses};
use crate::catalog::{Catalog, Demand, RelationKind};
use crate::check::mutants::MUTATORS;
use crate::check::{Checked, Member, Part, check, check_deploy, replay};
use crate::dialect::{Dialect, Name, Target, Version};
use crate::engine::lower::lower;
use crate::framework::Transaction;
use crate::hazards::page;
use crate::plan::{PhaseKind, SqlStep, Walk, Work};
use crate::statement::Script;
use crate::text::Span;

mod batches;
mod several;
mod window;

#[test]
fn names_are_unique_and_pages_are_complete() {
    let names: BTreeSet<&str> = RECIPES.iter().map(|recipe| recipe.id).collect();
    assert_eq!(names.len(), RECIPES.len());
    for recipe in RECIPES {
        assert!(page::headings(recipe.page).contains(&"Steps"), "{}", recipe.id);
        assert!(page::headings(recipe.page).contains(&"Source"), "{}", recipe.id);
        assert!(page::summary(recipe.page).ends_with('.'), "{}: the first sentence", recipe.id);
    }
}

#[test]
fn every_rule_names_recipes_that_exist() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text, e int NOT NULL DEFAULT 7);
        CREATE INDEX t_a ON t (a);";
    for change in CHANGES {
        let mut catalog = Catalog::empty(Dialect::Postgres);
        replay(part(schema), &Target::default(), &mut catalog);
        for hazard in check(part(change), &Target::default(), &catalog).hazards {
            for recipe in hazard.recipes {
                assert!(by_id(recipe).is_some(), "{change}: {recipe}");
            }
        }
    }
}

const CHANGES: &[&str] = &[
    "ALTER TABLE t RENAME COLUMN a TO c",
    "ALTER TABLE t ALTER COLUMN a TYPE bigint",
    "ALTER TABLE t ALTER COLUMN e TYPE bigint",
    "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE t ADD CONSTRAINT t_self FOREIGN KEY (a) REFERENCES t (id)",
    "ALTER TABLE t ADD CONSTRAINT foreign_a FOREIGN KEY (a) REFERENCES t (id)",
    "ALTER TABLE t ADD UNIQUE (a)",
    "CREATE INDEX t_b ON t (b)",
    "DROP INDEX t_a",
    "ALTER TABLE t DROP COLUMN a",
    "ALTER TABLE t ADD CHECK (a > 0)",
    "ALTER TABLE t RENAME TO u",
    "DROP TABLE t",
    "ALTER TABLE t ADD COLUMN c uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE",
    "ALTER TABLE t ADD COLUMN c bigserial",
    "ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE t ADD COLUMN c int NOT NULL CHECK (c > 0)",
    "ALTER TABLE t SET UNLOGGED",
    "ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a * 2) STORED",
];

/// Every migration that a recipe writes is checked where it runs: nothing dangerous is left, and the end is the schema
/// of the change itself, but for the order of columns.
#[test]
fn what_recipes_write_is_free_of_danger_and_ends_in_the_same_schema() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text, e int NOT NULL DEFAULT 7);
        CREATE INDEX t_a ON t (a);";
    for major in [12, 15, 17, 18] {
        let target = Target::postgres(Version::major(major));
        for change in CHANGES {
            let mut before = Catalog::empty(Dialect::Postgres);
            replay(part(schema), &target, &mut before);
            prove(change, &target, &before, Way::View);
            prove(change, &target, &before, Way::Triggers);
            match written(change, &target, &before, Way::Application) {
                Ok(_) => prove(change, &target, &before, Way::Application),
                // Only what keeps its name has no such way.
                Err(refusal) => {
                    assert!(refusal.reason.contains("--strategy database-triggers"), "{change}: {refusal:?}");
                    let keeps = [" TYPE ", "UNLOGGED", "LOGGED", "STORED", "EXCLUDE", "TABLESPACE"];
                    assert!(keeps.iter().any(|it| change.contains(it)), "{change}: {refusal:?}");
                }
            }
        }
    }
}

#[test]
fn partitioned_tables_end_in_the_same_schema() {
    let schema = "CREATE TABLE p (id int NOT NULL, at date) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (1000);
        CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (1000) TO (2000);
        CREATE TABLE q (id int NOT NULL, at date) PARTITION BY LIST (id);
        CREATE TABLE q_rest PARTITION OF q DEFAULT;
        CREATE TABLE days (id int PRIMARY KEY); CREATE INDEX p_id ON p (id); CREATE TABLE p3 (id int NOT NULL, at date); CREATE INDEX p3_id ON p3 (id); CREATE TABLE q1 (id int NOT NULL, at date);";
    for major in [14, 17] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(schema), &target, &mut before);
        for change in [
            "CREATE INDEX p_at ON p (at)",
            "ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (2000) TO (MAXVALUE)",
            "ALTER TABLE q ATTACH PARTITION q1 FOR VALUES IN (1, 2)",
            "ALTER TABLE p DETACH PARTITION p1",
            "ALTER TABLE p ADD CONSTRAINT p_at FOREIGN KEY (id) REFERENCES days (id) ON DELETE CASCADE",
            "ALTER TABLE p ADD FOREIGN KEY (id) REFERENCES days",
            "ALTER TABLE p ADD UNIQUE (at, id)",
            "ALTER TABLE p ADD CONSTRAINT number PRIMARY KEY (id)",
        ] {
            prove(change, &target, &before, Way::Triggers);
        }
    }
}

const KEYS: &str =
    "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t DEFERRABLE INITIALLY DEFERRED, a int NOT NULL);
    CREATE TABLE c (id serial PRIMARY KEY, t_id int NOT NULL REFERENCES t (id) ON DELETE CASCADE);
    CREATE INDEX ON t (up); CREATE INDEX ON c (t_id);
    CREATE TABLE i (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TABLE two (a int, b int, PRIMARY KEY (a, b));
    CREATE PUBLICATION everything FOR ALL TABLES;";

#[test]
fn keys_are_widened_with_all_that_points_at_them() {
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(KEYS), &target, &mut before);
        for change in [
            "ALTER TABLE t ALTER COLUMN id TYPE bigint",
            "ALTER TABLE c ALTER COLUMN id TYPE bigint USING id::int8",
            "ALTER TABLE i ALTER COLUMN id TYPE int",
        ] {
            prove(change, &target, &before, Way::Triggers);
        }
    }
}

/// The swap locks one table; a foreign key keeps its words, its name and its place.
#[test]
fn foreign_keys_go_over_before_the_swap() {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(KEYS), &target, &mut before);
    let phases = written("ALTER TABLE t ALTER COLUMN id TYPE bigint", &target, &before, Way::Triggers);
    let phases = phases.expect("is possible");
    let swap = phases.iter().find(|it| it.kind == PhaseKind::Cutover).and_then(|it| it.migrations().next());
    let swap = swap.expect("there is a swap");
    assert!(!swap.up().contains("ALTER TABLE c "), "{}", swap.up());
    let mut catalog = before.clone();
    replay_steps(&phases, &target, &mut catalog);
    for (table, name, timing) in [("t", "t_up_fkey", true), ("c", "c_t_id_fkey", false)] {
        let table = catalog.resolve(&Name::new(table));
        let key = catalog.table(&table).and_then(|it| it.constraint(name)).expect("keeps its name");
        let Demand::ForeignKey { key: words, .. } = &key.demand else { panic!("{key:?}") };
        let referenced: Vec<&str> = words.referenced.iter().map(|it| it.name.as_str()).collect();
        assert_eq!((referenced, key.valid, key.initially_deferred), (vec!["id"], true, timing), "{name}");
    }
}

#[test]
fn a_sequence_stays_with_the_column_that_has_the_name() {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(KEYS), &target, &mut before);
    for (table, ty) in [("c", "bigint"), ("i", "bigint")] {
        let change = format!("ALTER TABLE {table} ALTER COLUMN id TYPE bigint");
        let phases = written(&change, &target, &before, Way::Triggers).expect("is possible");
        let mut catalog = before.clone();
        replay_steps(&phases, &target, &mut catalog);
        let name = catalog.resolve(&Name::new(table));
        let sequence = catalog.table(&name).and_then(|it| it.column("id")?.sequence.clone());
        let sequence = sequence.expect("the column has one");
        assert_eq!(&*sequence.name, format!("{table}_id_seq"));
        let Some(RelationKind::Sequence(state)) = catalog.relation(&sequence).map(|it| &it.kind) else {
            panic!("{sequence:?} is gone")
        };
        assert_eq!(
            (state.ty.to_string().as_str(), state.owned_by.clone()),
            (ty, Some((name, "id".to_owned())))
        );
    }
}

#[test]
fn keys_that_cannot_be_carried_over_are_refused_in_words() {
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    let schema = format!(
        "{KEYS} CREATE TABLE p (t_id int REFERENCES t, at date) PARTITION BY RANGE (at);
         CREATE TABLE d (id int PRIMARY KEY DEFERRABLE);"
    );
    replay(part(&schema), &target, &mut before);
    for (change, reason) in [
        ("ALTER TABLE t ALTER id TYPE bigint", "the foreign key p_t_id_fkey of p is on a partitioned table"),
        ("ALTER TABLE c ALTER id TYPE text", "only a smallint or integer key that becomes a wider integer"),
        ("ALTER TABLE c ALTER id TYPE bigint USING id * 2", "only a smallint or integer key"),
        ("ALTER TABLE two ALTER a TYPE bigint", "two.a is in the primary key"),
        ("ALTER TABLE d ALTER id TYPE bigint", "is a primary key that is deferrable"),
    ] {
        let refusal = written(change, &target, &before, Way::Triggers).expect_err(change);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}

pub(super) fn replay_steps(phases: &[Phase], target: &Target, catalog: &mut Catalog) {
    for step in phases.iter().flat_map(Phase::migrations) {
        replay(part(&step.up()), target, catalog);
    }
}

pub(super) fn written(
    change: &str,
    target: &Target,
    before: &Catalog,
    way: Way,
) -> Result<Vec<Phase>, Refusal> {
    written_back(change, "", target, before, way)
}

/// The phases of a change with this way back: one operation, or several that a recipe takes together.
fn written_back(
    change: &str,
    back: &str,
    target: &Target,
    before: &Catalog,
    way: Way,
) -> Result<Vec<Phase>, Refusal> {
    written_in(change, &scene(change, back, target, before), way)
}

fn written_in(change: &str, scene: &Scene<'_>, way: Way) -> Result<Vec<Phase>, Refusal> {
    let operations = operations(change);
    let all: Vec<&Operation> = operations.iter().collect();
    let recipe = match group(&all, scene) {
        Some(group) => {
            assert_eq!(group.members.len(), all.len(), "{change}: a recipe takes them all");
            group.recipe
        }
        None => for_operation(all[0], Dialect::Postgres).expect("has a recipe"),
    };
    write(recipe, &all, scene, way)
}

fn scene<'a>(change: &'a str, back: &'a str, target: &'a Target, before: &'a Catalog) -> Scene<'a> {
    Scene {
        text: change,
        back,
        target,
        catalog: before,
        batch_rows: 1_000,
        pause_lag_seconds: 30,
        resume_lag_seconds: 5,
        answers: &crate::mechanics::scene::NO_ANSWERS,
    }
}

fn operations(change: &str) -> Vec<Operation> {
    let script = Script::read(change, Dialect::Postgres);
    script.statements.iter().flat_map(|statement| lower(&script, statement)).collect()
}

#[track_caller]
pub(super) fn prove(change: &str, target: &Target, before: &Catalog, way: Way) {
    prove_back(change, "", target, before, way);
}

/// Where something follows a release, people learn when it is out.
#[track_caller]
fn says_when_it_is_out(change: &str, phases: &[Phase]) {
    for (phase, next) in phases.iter().zip(&phases[1..]) {
        let is_release = phase.migrations().next().is_none() && phase.releases().next().is_some();
        let told = !phase.exit.is_empty() || !next.entry.is_empty();
        assert!(told || !is_release, "{change}: when is it out? {}", phase.title);
    }
}

#[track_caller]
fn prove_back(change: &str, back: &str, target: &Target, before: &Catalog, way: Way) {
    let phases = written_back(change, back, target, before, way)
        .unwrap_or_else(|refusal| panic!("{change}: {refusal:?}"));
    says_when_it_is_out(change, &phases);
    let mut catalog = before.clone();
    for step in phases.iter().flat_map(Phase::migrations) {
        let transaction = if step.transactional { Transaction::Wrapped } else { Transaction::Autocommit };
        let up = step.up();
        let part = Part { transaction, ..part(&up) };
        let checked = check(part, target, &catalog);
        let judged = crate::policy::judge(&up, &checked, &crate::policy::Policy::default());
        assert_eq!(judged.hazards, [], "{change}: {up}");
        assert_eq!(judged.allowance_problems, [], "{change}: {up}");
        assert_eq!(checked.not_analysed, [], "{change}: {up}");
        for sql in [Some(&up), step.down().as_ref()].into_iter().flatten() {
            assert!(!sql.contains("could not be spelled"), "{change}: {sql}");
        }
        catalog = checked.after;
    }
    let mut direct = before.clone();
    direct.start_migration();
    operations(change).iter().for_each(|operation| direct.apply(operation));
    let differences: Vec<String> = unknown_losses(compare(&catalog, &direct, Order::Ignored), End::Last)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(differences.is_empty(), "{change} on {}: {differences:#?}", target.version.major);
}

/// Steps of recipes with one precaution taken away: some rule must notice. The last number tells how many there are.
#[test]
fn a_precaution_taken_from_a_recipe_is_noticed() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text, e int NOT NULL DEFAULT 7);
        CREATE INDEX t_a ON t (a);";
    let target = Target::postgres(Version::major(15));
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(schema), &target, &mut before);
    let mut count = 0;
    for change in CHANGES {
        for way in [Way::View, Way::Triggers, Way::Application] {
            let Ok(phases) = written(change, &target, &before, way) else { continue };
            count += assert_precautions_are_noticed(change, &phases, &target, &before);
        }
    }
    println!("{count} mutants");
    assert!(count > 40, "{count} mutants");
}

/// Takes each precaution from each step, and gives their number.
#[track_caller]
fn assert_precautions_are_noticed(
    change: &str,
    phases: &[Phase],
    target: &Target,
    before: &Catalog,
) -> usize {
    let steps: Vec<&SqlStep> = phases.iter().flat_map(Phase::migrations).collect();
    let mut count = 0;
    for (number, step) in steps.iter().enumerate() {
        for mutator in MUTATORS {
            for mutant in (mutator.mutants)(&step.up()) {
                count += 1;
                let excused =
                    NOT_NEEDED.iter().any(|(name, part, _)| *name == mutator.name && mutant.contains(part));
                let noticed = excused || is_noticed(&steps, number, &mutant, target, before);
                assert!(noticed, "{change}: {}\n{mutant}", mutator.name);
            }
        }
    }
    count
}

/// Whether the steps have a hazard with one of them replaced: there, or in a later one.
fn is_noticed(steps: &[&SqlStep], replaced: usize, mutant: &str, target: &Target, before: &Catalog) -> bool {
    let mut done: Vec<Checked> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let sql = if number == replaced { mutant } else { &step.up() };
        let transaction = if step.transactional { Transaction::Wrapped } else { Transaction::Autocommit };
        let catalog = done.last().map_or(before, |it| &it.after);
        let checked = check(Part { transaction, ..part(sql) }, target, catalog);
        let judged = crate::policy::judge(sql, &checked, &crate::policy::Policy::default());
        if !judged.hazards.is_empty() {
            return true;
        }
        done.push(checked);
    }
    let member = |it| Member { name: "step", text: mutant, behind: None, parts: vec![it] };
    let members: Vec<Member<'_>> = done.iter().map(member).collect();
    // That expand and contract are one deploy here says nothing about the mutant.
    let together = check_deploy(&members, None, target, before);
    together.iter().any(|it| it.hazard.rule == "unvalidated-constraint")
}

/// Precautions of recipes that no rule can miss: the precaution, a part of the mutant, the reason.
const NOT_NEEDED: &[(&str, &str, &str)] = &[
    (
        "no lock timeout",
        "IN SHARE UPDATE EXCLUSIVE MODE;\nSET LOCAL",
        "nobody who reads or writes waits behind it",
    ),
    ("no lock timeout", "SET LOCAL lock_timeout = '2s';\nLOCK TABLE", "there is a longer one"),
    ("no lock timeout", "VALIDATE CONSTRAINT", "its lock holds up nobody who reads or writes"),
    ("no limit", "INTO _low_1", "SELECT INTO takes the first row with and without it"),
    ("if exists", "INTO _low_1", "a condition of PL/pgSQL"),
    ("if exists", "RAISE EXCEPTION", "a condition of PL/pgSQL"),
    ("no batch", "CREATE FUNCTION lockkeeper_", "what a trigger's function says is run for one row"),
    ("no lock timeout", "INTO _low_1", "its pass waits for rows, which holds up nobody"),
];

pub(super) fn part(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}
