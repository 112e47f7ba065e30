//! A foreign key: for new rows first, then checked for the old ones without stopping writes.

use crate::catalog::RelationName;
use crate::dialect::{Dialect, Unnamed};
use crate::engine::{Capability, preflight};
use crate::mechanics::make;
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::{Refusal, carried};
use crate::operation::{AlterTable, Constraint, ConstraintKind, ForeignKey, Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "foreign-key",
    dialects: &[Dialect::Postgres],
    page: include_str!("foreign_key.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(&AlterTable, &Constraint, &ForeignKey)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddConstraint { constraint } = &alter.action else { return None };
    match &constraint.kind {
        ConstraintKind::ForeignKey(key) if !constraint.not_valid => Some((alter, constraint, key)),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, constraint, key)) = parts(operation) else {
        return Err(Refusal::new("it adds no foreign key"));
    };
    let table = scene.resolve(&alter.table);
    let parent = scene.resolve(&key.references);
    let partitioned = scene.catalog.table(&table).is_some_and(|it| it.partition_by.is_some());
    let by_partition = partitioned && !scene.can(Capability::UncheckedKeyOnPartitioned);
    let columns: Vec<&str> = key.columns.iter().map(|it| it.name.as_str()).collect();
    let own = constraint.name.as_ref().map(|it| it.name.clone());
    let name = own
        .or_else(|| scene.name_of_constraint(operation, &table))
        .unwrap_or_else(|| scene.server_name(&table, &columns, Unnamed::ForeignKey));
    let constraint = &Constraint { name: Some(make::ident(name.clone())), ..constraint.clone() };
    let orphans = preflight::violations(&table, constraint, scene.catalog);
    if by_partition {
        return by_partitions(scene, &table, &parent, constraint, orphans);
    }
    let mut steps = carried::validated(scene, &table, constraint, &name).into_iter();
    let expand = Phase::new(
        PhaseKind::Expand,
        format!("refuse new rows without a parent ({name})"),
        steps.by_ref().take(1).map(Step::Sql).collect(),
    )
    .undone_by("the down migration drops the key", "an insert or update that fails for the key");
    let verify = Phase::new(
        PhaseKind::Verification,
        format!("check the old rows for {name} without blocking"),
        steps.map(Step::Sql).collect(),
    )
    .enter_when(Criterion::told_by("every row has its parent", orphans).seen_by_step())
    .undone_by("the down migration makes the key NOT VALID again", "it fails: rows without a parent");
    Ok(vec![expand, verify])
}

/// Before 18 the key of a partitioned table cannot be NOT VALID. It takes over equal valid keys of its partitions without reading a row
/// (measured on 12 and 17: ADD of a key on 200,000 rows in 0.8 ms, no scan; the other table is closed for that moment).
fn by_partitions(
    scene: &Scene<'_>,
    table: &RelationName,
    parent: &RelationName,
    key: &Constraint,
    orphans: Option<String>,
) -> Result<Vec<Phase>, Refusal> {
    let name = key.name.as_ref().map_or("", |it| it.name.as_str());
    let refuse = |why: &str| {
        Err(Refusal::new(format!(
            "{} is partitioned, and before {} its key cannot be NOT VALID: {why}",
            table.display(scene.dialect()),
            scene.since(Capability::UncheckedKeyOnPartitioned)
        )))
    };
    let partitions = scene.table(table)?.children.as_slice();
    let nested = |it: &&RelationName| scene.catalog.table(it).is_none_or(|it| it.partition_by.is_some());
    if partitions.iter().any(|it| nested(&it)) {
        return refuse("its partitions have partitions, where what is taken over was not measured");
    }
    if scene.catalog.table(parent).is_none_or(|it| it.partition_by.is_some() || it.partition_of.is_some()) {
        return refuse(
            "it points at a partitioned table or one that is not known, where what is taken over was not measured",
        );
    }
    let (mut added, mut checked) = (Vec::new(), Vec::new());
    for partition in partitions {
        let shown = name_of(&[&partition.name, name]);
        let mut steps = carried::validated(scene, partition, key, &shown).into_iter().map(Step::Sql);
        added.extend(steps.next());
        checked.extend(steps);
    }
    let add = |table: &RelationName| scene.on(table).add(key.clone());
    let mut down = vec![scene.on(table).drop_constraint(name)];
    down.extend(partitions.iter().map(add));
    let title = format!("add {name} to the table: it takes over the keys of the partitions");
    let step = scene.on_two_tables(name_of(&[&table.name, name]), title.clone(), vec![add(table)], down);
    Ok(vec![
        Phase::new(
            PhaseKind::Expand,
            format!("refuse new rows without a parent ({name}), partition by partition"),
            added,
        )
        .undone_by("the down migrations drop the keys", "an insert or update that fails for the key"),
        Phase::new(
            PhaseKind::Verification,
            format!("check the old rows for {name} without blocking, partition by partition"),
            checked,
        )
        .enter_when(Criterion::told_by("every row has its parent", orphans).seen_by_step())
        .undone_by("the down migrations make the keys NOT VALID again", "one fails: rows without a parent"),
        Phase::new(PhaseKind::Cutover, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_people("no partition has come since: a new one needs the key first"))
            .undone_by(
                "the down migration gives the partitions keys of their own again: writes wait while their rows are compared",
                "an insert or update that fails for the key",
            ),
    ])
}
