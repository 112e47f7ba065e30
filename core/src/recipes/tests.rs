//! The family of recipes is well-formed, and what they write is clean.

use std::collections::BTreeSet;

use super::*;
use crate::catalog::Catalog;
use crate::check::{Part, check, replay};
use crate::dialect::{Dialect, Target, Version};
use crate::framework::Transaction;
use crate::hazards::page;
use crate::operation::lower::lower;
use crate::statement::Script;
use crate::text::Span;

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
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text); CREATE INDEX t_a ON t (a);";
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
    "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE t ADD CONSTRAINT t_self FOREIGN KEY (a) REFERENCES t (id)",
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
];

/// Every migration that a recipe writes is checked where it runs: nothing dangerous is left, and the end is the schema
/// of the change itself, but for the order of columns.
#[test]
fn what_recipes_write_is_free_of_danger_and_ends_in_the_same_schema() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, b text); CREATE INDEX t_a ON t (a);";
    for major in [12, 15, 17, 18] {
        let target = Target::postgres(Version::major(major));
        for change in CHANGES {
            let mut before = Catalog::empty(Dialect::Postgres);
            replay(part(schema), &target, &mut before);
            for way in [Way::Triggers, Way::Application] {
                prove(change, &target, &before, way);
            }
        }
    }
}

#[track_caller]
fn prove(change: &str, target: &Target, before: &Catalog, way: Way) {
    let script = Script::read(change, Dialect::Postgres);
    let operation = lower(&script, &script.statements[0]).remove(0);
    let recipe = for_operation(&operation).expect("has a recipe");
    let scene = Scene {
        text: change,
        target,
        catalog: before,
        batch_rows: 1_000,
        pause_lag_seconds: 30,
        resume_lag_seconds: 5,
    };
    let phases =
        write(recipe, &operation, &scene, way).unwrap_or_else(|refusal| panic!("{change}: {refusal:?}"));
    let mut catalog = before.clone();
    for step in phases.iter().flat_map(Phase::migrations) {
        let transaction = if step.transactional { Transaction::Wrapped } else { Transaction::Autocommit };
        let part = Part { transaction, ..part(&step.up) };
        let checked = check(part, target, &catalog);
        let judged = crate::policy::judge(&step.up, &checked, &crate::policy::Policy::default());
        assert_eq!(judged.hazards, [], "{change}: {}", step.up);
        assert_eq!(judged.allowance_problems, [], "{change}: {}", step.up);
        assert_eq!(checked.not_analysed, [], "{change}: {}", step.up);
        catalog = checked.after;
    }
    let mut direct = before.clone();
    direct.start_migration();
    direct.apply(&operation);
    assert_eq!(shape(&catalog), shape(&direct), "{change} on {}", target.version.major);
}

fn part(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

/// What two schemas must share: tables, columns, indexes and constraints by name, in no order.
fn shape(catalog: &Catalog) -> BTreeSet<String> {
    let mut shape = BTreeSet::new();
    for (name, table) in catalog.tables() {
        let own_name = |it: &str| it.ends_with("_not_null");
        for column in &table.columns {
            shape.insert(format!("{} {} {} {}", name.name, column.name, column.ty, column.not_null));
        }
        for index in &table.indexes {
            let keys: Vec<&str> = index.keys.iter().map(|key| key.text.text.as_str()).collect();
            shape.insert(format!("{} {} {}", index.name.name, keys.join(","), index.valid));
        }
        for constraint in table.constraints.iter().filter(|it| !own_name(&it.name)) {
            shape.insert(format!("{} {} {}", name.name, constraint.name, constraint.valid));
        }
        for trigger in &table.triggers {
            shape.insert(format!("{} trigger {}", name.name, trigger.name));
        }
    }
    shape
}
