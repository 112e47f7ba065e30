//! Drop a table: from the application first, then its foreign keys one by one, then the table under another name.

use crate::catalog::{ConstraintState, Demand, RelationName, Table};
use crate::operation::{Drop, Kind, ObjectKind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Step, Way};

use super::scene::{Scene, name_of};
use super::{Recipe, Refusal, carried};

pub(super) static RECIPE: Recipe = Recipe {
    id: "drop-table",
    page: include_str!("drop_table.md"),
    ways: &[Way::Triggers],
    applies: |operation| dropped(operation).is_some(),
    write,
};

fn dropped(operation: &Operation) -> Option<&Drop> {
    match &operation.kind {
        Kind::Drop(drop) if drop.object == ObjectKind::Table => Some(drop),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some(drop) = dropped(operation) else { return Err(Refusal::new("it drops no table")) };
    let [name] = drop.names.as_slice() else {
        return Err(Refusal::new(
            "it drops several tables: one migration for each, so that each can be taken back",
        ));
    };
    let table = scene.resolve(name);
    let state = scene.table(&table)?;
    let shown = table.display(scene.dialect());
    if let Some((view, _)) = scene.catalog.views_on(&table).first() {
        return Err(Refusal::new(format!(
            "the view {} reads {shown}: drop or replace it first",
            view.display(scene.dialect())
        )));
    }
    if state.partition_of.is_some() || state.partition_by.is_some() || !state.children.is_empty() {
        return Err(Refusal::new(format!(
            "{shown} is part of a partitioned or inherited table: detach the partition concurrently, then drop it"
        )));
    }
    let must = vec![format!("read and write {shown} nowhere")];
    let mut phases = vec![
        Phase::new(
            PhaseKind::Cutover,
            format!("release the application that does not know {shown}"),
            vec![Step::Release(ReleaseStep { must })],
        )
        .leave_when(Criterion::of_people("no instance of the release before is running"))
        .undone_by("roll the application back", "errors over the baseline"),
    ];
    let keys: Vec<Step> = keys(scene, &table, state).into_iter().map(Step::Sql).collect();
    if !keys.is_empty() {
        phases.push(
            Phase::new(PhaseKind::Expand, format!("drop the foreign keys of {shown} one by one"), keys)
                .undone_by("the down migrations add the keys again and check them", "a need for the table"),
        );
    }
    phases.push(contract(scene, &table, &shown));
    Ok(phases)
}

/// Every key that goes locks two tables: one transaction each, so that none is waited for while another is held.
fn keys(scene: &Scene<'_>, table: &RelationName, state: &Table) -> Vec<SqlStep> {
    let mut steps: Vec<SqlStep> = state.constraints.iter().filter_map(|it| key(scene, table, it)).collect();
    for (child, other) in scene.catalog.tables().filter(|(name, _)| *name != table) {
        let points = |it: &&ConstraintState| matches!(&it.demand, Demand::ForeignKey { references, .. } if references == table);
        steps.extend(other.constraints.iter().filter(points).filter_map(|it| key(scene, child, it)));
    }
    steps.sort_by(|a, b| a.name.cmp(&b.name));
    steps
}

fn key(scene: &Scene<'_>, table: &RelationName, constraint: &ConstraintState) -> Option<SqlStep> {
    if !matches!(constraint.demand, Demand::ForeignKey { .. }) {
        return None;
    }
    let definition = carried::definition(scene, constraint)?;
    let (sql, name) = (scene.sql(table), scene.quote(&constraint.name));
    let up = format!("ALTER TABLE {sql} DROP CONSTRAINT {name}");
    let down = format!("ALTER TABLE {sql} ADD CONSTRAINT {name} {definition}");
    let title = format!("drop the foreign key {} of {}", constraint.name, table.display(scene.dialect()));
    Some(scene.in_transaction(name_of(&[&table.name, &constraint.name, "drop"]), title, &[up], &[down]))
}

fn contract(scene: &Scene<'_>, table: &RelationName, shown: &str) -> Phase {
    let gone = name_of(&["gone", &table.name]);
    let (sql, quoted) = (scene.sql(table), scene.quote(&gone));
    let aside = scene.in_transaction(
        name_of(&[&table.name, "aside"]),
        format!("put {shown} aside as {gone}: who still uses it fails now, and it can come back at once"),
        &[
            "-- lockkeeper: allow renamed-table because the release that does not know it is out: this is the test of that".to_owned(),
            format!("ALTER TABLE {sql} RENAME TO {quoted}"),
        ],
        &[format!("ALTER TABLE {} RENAME TO {}", scene.sibling(table, &gone), scene.quote(&table.name))],
    );
    let mut drop = scene.in_transaction(
        name_of(&[&table.name, "drop"]),
        format!("drop {shown}; its rows are gone for good"),
        &[
            "-- lockkeeper: allow dropped-table because nobody missed it while it stood aside".to_owned(),
            format!("DROP TABLE {}", scene.sibling(table, &gone)),
        ],
        &[],
    );
    drop.down = None;
    Phase::new(
        PhaseKind::Contract,
        format!("put {shown} aside, and drop it when nobody missed it"),
        vec![Step::Sql(aside), Step::Sql(drop)],
    )
    .enter_when(Criterion::of_people("a backup that holds the table was restored and checked"))
    .enter_when(Criterion::of_people(format!(
        "no release that names {shown} has run for one full release cycle"
    )))
    .undone_by(
        "before the drop: the down migration gives the table its name back; after it, only the backup",
        "a program that still names it",
    )
}
