//! A foreign key: for new rows first, then checked for the old ones without stopping writes.

use crate::operation::{AlterTable, Constraint, ConstraintKind, ForeignKey, Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, Step, Way};

use super::scene::Scene;
use super::{Recipe, Refusal, carried};

pub(super) static RECIPE: Recipe = Recipe {
    id: "foreign-key",
    page: include_str!("foreign_key.md"),
    ways: &[Way::Triggers],
    applies: |operation| parts(operation).is_some(),
    write,
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
    if partitioned && scene.target.version.major < 18 {
        return Err(Refusal::new(
            "before PostgreSQL 18 a foreign key on a partitioned table cannot be NOT VALID: add it to each partition \
             first, then to the table",
        ));
    }
    let columns: Vec<&str> = key.columns.iter().map(|it| it.name.as_str()).collect();
    let name = constraint.name.as_ref().map_or_else(
        || super::scene::name_of(&[&table.name, &columns.join("_"), "fkey"]),
        |name| name.name.clone(),
    );
    let referenced: Vec<&str> = match key.referenced.is_empty() {
        false => key.referenced.iter().map(|it| it.name.as_str()).collect(),
        true => {
            let state = scene.catalog.table(&parent).and_then(|it| it.primary_key()).unwrap_or_default();
            state.iter().map(String::as_str).collect()
        }
    };
    let start = constraint.span.of(scene.text);
    let definition = start[start.to_lowercase().find("foreign").unwrap_or(0)..].trim().to_owned();
    let mut steps = carried::validated(scene, &table, &name, &definition, &name).into_iter();
    let expand = Phase::new(
        PhaseKind::Expand,
        format!("refuse new rows that point nowhere ({name})"),
        steps.by_ref().take(1).map(Step::Sql).collect(),
    )
    .undone_by("the down migration drops the key", "an insert or update that fails for the key");
    let orphans = orphans(scene, &table, &parent, &columns, &referenced);
    let verify = Phase::new(
        PhaseKind::Verification,
        format!("check the old rows for {name}, beside readers and writers"),
        steps.map(Step::Sql).collect(),
    )
    .enter_when(Criterion::counts_nothing("no row points nowhere", orphans))
    .undone_by("the down migration makes the key NOT VALID again", "it fails: rows that point nowhere");
    Ok(vec![expand, verify])
}

fn orphans(
    scene: &Scene<'_>,
    table: &crate::catalog::RelationName,
    parent: &crate::catalog::RelationName,
    columns: &[&str],
    referenced: &[&str],
) -> String {
    let pairs = columns.iter().zip(referenced);
    let joined: Vec<String> =
        pairs.map(|(own, other)| format!("p.{} = c.{}", scene.quote(other), scene.quote(own))).collect();
    let set: Vec<String> = columns.iter().map(|own| format!("c.{} IS NOT NULL", scene.quote(own))).collect();
    format!(
        "SELECT count(*) FROM {} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})",
        scene.sql(table),
        set.join(" AND "),
        scene.sql(parent),
        joined.join(" AND ")
    )
}
