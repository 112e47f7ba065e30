//! A unique constraint or primary key from an index that is built beside readers and writers.

use crate::dialect::Ident;
use crate::effect::preflight::{self, Nulls};
use crate::operation::{AlterTable, Constraint, ConstraintKind, Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, Step, Way};

use super::scene::{Scene, name_of};
use super::{Form, Recipe, Refusal, check_then_not_null};

pub(super) static RECIPE: Recipe = Recipe {
    id: "unique-from-index",
    page: include_str!("unique_from_index.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(&AlterTable, &Constraint, &[Ident])> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddConstraint { constraint } = &alter.action else { return None };
    match &constraint.kind {
        ConstraintKind::Unique { columns, using_index: None, .. }
        | ConstraintKind::PrimaryKey { columns, using_index: None } => Some((alter, constraint, columns)),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, constraint, columns)) = parts(operation) else {
        return Err(Refusal::new("it adds no unique constraint"));
    };
    let table = scene.resolve(&alter.table);
    let state = scene.catalog.table(&table);
    let primary = matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
    let names: Vec<&str> = columns.iter().map(|it| it.name.as_str()).collect();
    if state.is_some_and(|it| it.partition_by.is_some()) {
        return super::partitioned_key::phases(operation, scene, &table, constraint, &names);
    }
    let own_name = || match primary {
        true => name_of(&[&table.name, "pkey"]),
        false => name_of(&[&table.name, &names.join("_"), "key"]),
    };
    let name = constraint.name.as_ref().map_or_else(own_name, |it| it.name.clone());
    let mut phases = Vec::new();
    let nullable = |column: &&str| state.and_then(|it| it.column(column)).is_none_or(|it| !it.not_null);
    if primary {
        let steps: Vec<Step> = names
            .iter()
            .copied()
            .filter(nullable)
            .flat_map(|column| check_then_not_null::steps(scene, &table, column))
            .map(Step::Sql)
            .collect();
        if !steps.is_empty() {
            check_then_not_null::possible(scene)?;
            phases.push(Phase::new(
                PhaseKind::Expand,
                "let the key's columns refuse NULL, without a scan under lock",
                steps,
            ));
        }
    }
    phases.extend(key_phases(scene, &table, constraint, &name, &names, primary));
    Ok(phases)
}

fn key_phases(
    scene: &Scene<'_>,
    table: &crate::catalog::RelationName,
    constraint: &Constraint,
    name: &str,
    columns: &[&str],
    primary: bool,
) -> [Phase; 2] {
    let (sql, quoted) = (scene.sql(table), scene.quote(name));
    let list = scene.list(columns.iter().copied());
    let distinct = match constraint.kind {
        ConstraintKind::Unique { nulls_not_distinct: true, .. } => " NULLS NOT DISTINCT",
        _ => "",
    };
    let concurrent = format!("CREATE UNIQUE INDEX CONCURRENTLY {quoted} ON {sql} ({list}){distinct}");
    let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", scene.sibling(table, name));
    let build = scene.alone(
        name_of(&[name, "index"]),
        format!("build the index of {name} beside writers"),
        &concurrent,
        &drop,
    );
    let word = if primary { "PRIMARY KEY" } else { "UNIQUE" };
    let deferrable = match (constraint.deferrable, constraint.initially_deferred) {
        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    };
    let add = format!("ALTER TABLE {sql} ADD CONSTRAINT {quoted} {word} USING INDEX {quoted}{deferrable}");
    let remove = format!("ALTER TABLE {sql} DROP CONSTRAINT {quoted}");
    let plain = format!("CREATE UNIQUE INDEX {quoted} ON {sql} ({list}){distinct}");
    let attach = scene.in_transaction(
        name_of(&[name, "constraint"]),
        format!("make the index the constraint {name}: nothing is read"),
        &[add],
        &[remove, plain],
    );
    let duplicates = duplicates(scene, table, constraint, columns);
    let invalid = format!(
        "SELECT count(*) FROM pg_index WHERE indexrelid = {}::regclass AND NOT indisvalid",
        crate::dialect::quote_literal(&scene.sibling(table, name))
    );
    [
        Phase::new(PhaseKind::Expand, format!("build a unique index on {list}"), vec![Step::Sql(build)])
            .enter_when(Criterion::told_by("no value stands twice", duplicates))
            .leave_when(Criterion::counts_nothing("the index is valid", invalid))
            .undone_by(
                "drop the index concurrently; an interrupted build leaves an invalid one",
                "the build fails",
            ),
        Phase::new(PhaseKind::Cutover, format!("add the constraint {name}"), vec![Step::Sql(attach)])
            .undone_by(
                "the down migration drops the constraint",
                "an insert that the old release relies on fails",
            ),
    ]
}

/// Rows that are too many for the key.
pub(super) fn duplicates(
    scene: &Scene<'_>,
    table: &crate::catalog::RelationName,
    constraint: &Constraint,
    columns: &[&str],
) -> Option<String> {
    let nulls = match constraint.kind {
        ConstraintKind::PrimaryKey { .. } => Nulls::Refused,
        ConstraintKind::Unique { nulls_not_distinct: true, .. } => Nulls::Same,
        _ => Nulls::Distinct,
    };
    let keys: Vec<String> = columns.iter().map(|it| scene.quote(it)).collect();
    preflight::duplicates(table, &keys, nulls, None, scene.dialect())
}
