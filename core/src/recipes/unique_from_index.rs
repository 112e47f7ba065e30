//! A unique constraint or primary key from an index that is built without blocking reads or writes.

mod partitioned;

use crate::dialect::{Dialect, Ident, Unnamed};
use crate::engine::preflight::{self, Nulls};
use crate::mechanics::index::{counted, is_valid};
use crate::mechanics::make::{self, Build};
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::{Refusal, not_null};
use crate::operation::{AlterTable, Constraint, ConstraintKind, Kind, Operation, TableAction};
use crate::plan::{Act, Criterion, Phase, PhaseKind, Statement, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "unique-from-index",
    dialects: &[Dialect::Postgres],
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
    if constraint.temporal {
        return Err(Refusal::new(
            "a key without overlaps is made with its index, and takes over none that was built before: add it in a window",
        ));
    }
    let state = scene.catalog.table(&table);
    let primary = matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
    let names: Vec<&str> = columns.iter().map(|it| it.name.as_str()).collect();
    if state.is_some_and(|it| it.partition_by.is_some()) {
        return partitioned::phases(operation, scene, &table, constraint, &names);
    }
    // The name that the statement itself would give.
    let own_name = || match primary {
        true => scene.server_name(&table, &[], Unnamed::PrimaryKey),
        false => scene.server_name(&table, &names, Unnamed::Unique),
    };
    let name = constraint.name.as_ref().map(|it| it.name.clone());
    let name = name.or_else(|| scene.name_of_constraint(operation, &table)).unwrap_or_else(own_name);
    let mut phases = Vec::new();
    let nullable = |column: &&str| state.and_then(|it| it.column(column)).is_none_or(|it| !it.not_null);
    if primary {
        let steps: Vec<Step> = names
            .iter()
            .copied()
            .filter(nullable)
            .flat_map(|column| not_null::guarded(scene, &table, column))
            .map(Step::Sql)
            .collect();
        if !steps.is_empty() {
            not_null::possible(scene)?;
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
    let list = columns.join(", ");
    let distinct = matches!(constraint.kind, ConstraintKind::Unique { nulls_not_distinct: true, .. });
    let index = |build| {
        let index =
            make::unique_index(scene.name(table), name, columns.iter().copied(), build, scene.dialect());
        with_nulls(index, distinct)
    };
    let title = format!("build the index of {name} without blocking writes");
    let build =
        scene.built(name_of(&[name, "index"]), title, counted(index(Build::Concurrent), table, scene));
    let key = Constraint {
        deferrable: constraint.deferrable,
        initially_deferred: constraint.initially_deferred,
        ..make::from_index(name, primary, name)
    };
    let on = scene.on(table);
    let attach = scene.in_transaction(
        name_of(&[name, "constraint"]),
        format!("make the index the constraint {name}: nothing is read"),
        vec![on.add(key)],
        vec![on.drop_constraint(name), index(Build::Plain)],
    );
    let duplicates = duplicates(scene, table, constraint, columns);
    [
        Phase::new(PhaseKind::Expand, format!("build a unique index on {list}"), vec![Step::Sql(build)])
            .enter_when(Criterion::told_by("no value stands twice", duplicates).seen_by_step())
            .leave_when(is_valid(scene, &scene.sibling(table, name)))
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

/// The same index, with NULLs that are the same where that was asked for.
fn with_nulls(mut index: Statement, same: bool) -> Statement {
    if let Act::Operation(kind) = &mut index.act
        && let Kind::CreateIndex(create) = &mut **kind
    {
        create.nulls_not_distinct = same;
    }
    index
}

/// Rows that are too many for the key.
fn duplicates(
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
