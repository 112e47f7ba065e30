//! Drop a table: from the application first, then its foreign keys one by one, then the table under another name.

use crate::catalog::{ConstraintState, Demand, RelationName, Table};
use crate::dialect::Dialect;
use crate::hazards::compatibility::{dropped_table, renamed_table};
use crate::mechanics::make;
use crate::mechanics::referencing::drop_key;
use crate::mechanics::scene::{Scene, name_of, with_timeout};
use crate::mechanics::table_again;
use crate::mechanics::{Phases, Refusal};
use crate::operation::{Drop, Kind, ObjectKind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "drop-table",
    dialects: &[Dialect::Postgres],
    page: include_str!("drop_table.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| dropped(operation).is_some(), write },
};

fn dropped(operation: &Operation) -> Option<&Drop> {
    match &operation.kind {
        Kind::Drop(drop) if drop.object == ObjectKind::Table => Some(drop),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Phases {
    phases(operation, scene)
}

/// The release that does not know the table, and what follows it.
///
/// # Errors
/// [`Refusal`] where something hangs on the table.
pub(super) fn phases(operation: &Operation, scene: &Scene<'_>) -> Phases {
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
    let must = vec![format!("stop reading and writing {shown}")];
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
    phases.extend(contract(scene, &table, state, &shown));
    Ok(phases)
}

/// Every key that goes locks two tables: one transaction each, so that none is waited for while another is held.
fn keys(scene: &Scene<'_>, table: &RelationName, state: &Table) -> Vec<SqlStep> {
    let mut steps: Vec<SqlStep> =
        state.constraints.iter().filter_map(|it| drop_key(scene, table, it)).collect();
    for (child, other) in scene.catalog.tables().filter(|(name, _)| *name != table) {
        let points = |it: &&ConstraintState| matches!(&it.demand, Demand::ForeignKey { references, .. } if references == table);
        steps.extend(other.constraints.iter().filter(points).filter_map(|it| drop_key(scene, child, it)));
    }
    steps.sort_by(|a, b| a.name.cmp(&b.name));
    steps
}

fn contract(scene: &Scene<'_>, table: &RelationName, state: &Table, shown: &str) -> [Phase; 2] {
    let gone = scene.free_name(table, &["gone", &table.name]);
    let aside_name = RelationName { schema: table.schema.clone(), name: gone.as_str().into() };
    let because = "the release that does not know it is out: this is the test of that";
    let aside = scene.in_transaction(
        name_of(&[&table.name, "aside"]),
        format!("put {shown} aside as {gone}: who still uses it fails now, and it can come back at once"),
        vec![scene.on(table).rename(&gone).allowing(&renamed_table::RULE, because)],
        vec![scene.on(&aside_name).rename(&table.name)],
    );
    let drop = make::drop(ObjectKind::Table, scene.name(&aside_name));
    let drop = drop.allowing(&dropped_table::RULE, "nobody missed it while it stood aside");
    let again = table_again::whole(scene, table, state, &aside_name);
    let drop = scene.step(
        name_of(&[&table.name, "drop"]),
        format!("drop {shown}; its rows are gone for good"),
        with_timeout(vec![drop]),
        again.map(with_timeout),
    );
    let aside = Phase::new(PhaseKind::Verification, format!("put {shown} aside"), vec![Step::Sql(aside)])
        .enter_when(Criterion::of_backup("the table"))
        .undone_by("the down migration gives the table its name back", "a program that still names it");
    let last =
        Phase::new(PhaseKind::Contract, format!("drop {shown} when nobody missed it"), vec![Step::Sql(drop)])
            .enter_when(Criterion::of_people(format!("nobody missed {shown} for one full release cycle")))
            .undone_by(
                "the table comes back empty, its rows only from the backup",
                "a program that still names it",
            );
    [aside, last]
}
