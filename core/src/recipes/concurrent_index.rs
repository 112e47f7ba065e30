//! An index built or dropped beside readers and writers, in a migration of its own.

use crate::operation::{CreateIndex, Kind, ObjectKind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::scene::{Scene, name_of};
use super::{Form, Recipe, Refusal, carried, partitioned};

pub(super) static RECIPE: Recipe = Recipe {
    id: "concurrent-index",
    page: include_str!("concurrent_index.md"),
    ways: &[Way::Triggers],
    form: Form::One {
        applies: |operation| match &operation.kind {
            Kind::CreateIndex(_) => true,
            Kind::Drop(drop) => drop.object == ObjectKind::Index && drop.names.len() == 1,
            _ => false,
        },
        write,
    },
};

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    match &operation.kind {
        Kind::CreateIndex(index) => build(index, scene),
        Kind::Drop(_) => drop(operation, scene),
        _ => Err(Refusal::new("it neither builds nor drops an index")),
    }
}

fn build(index: &CreateIndex, scene: &Scene<'_>) -> Result<Vec<Phase>, Refusal> {
    let table = scene.resolve(&index.table);
    if scene.catalog.table(&table).is_some_and(|it| it.partition_by.is_some()) {
        return partitioned::index(index, scene, &table);
    }
    let mut after = scene.catalog.clone();
    after.apply(&Operation { kind: Kind::CreateIndex(Box::new(index.clone())), span: index.keyword });
    let known = after.indexes(&table).last().map(|it| it.name.name.to_string());
    let name = index.name.as_ref().map(|it| it.name.clone()).or(known);
    let Some(name) = name else {
        return Err(Refusal::new("the index has no name: give it one, so that it can be found again"));
    };
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (sql, quoted) = (scene.sql(&table), scene.quote(&name));
    let definition = index.definition.of(scene.text).trim();
    let up = format!("CREATE {unique}INDEX CONCURRENTLY {quoted} ON {sql} {definition}");
    let full = scene.sibling(&table, &name);
    let down = format!("DROP INDEX CONCURRENTLY IF EXISTS {full}");
    let title = format!("build {name} beside readers and writers");
    let step = scene.alone(name_of(&[&name, "concurrently"]), title.clone(), &up, &down);
    let invalid = format!(
        "SELECT count(*) FROM pg_index WHERE indexrelid = {}::regclass AND NOT indisvalid",
        crate::dialect::quote_literal(&full)
    );
    Ok(vec![
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .leave_when(Criterion::counts_nothing("the index is valid", invalid))
            .undone_by("drop it concurrently; an interrupted build leaves an invalid one", "the build fails"),
    ])
}

fn drop(operation: &Operation, scene: &Scene<'_>) -> Result<Vec<Phase>, Refusal> {
    let Kind::Drop(drop) = &operation.kind else { return Err(Refusal::new("it drops no index")) };
    let Some(name) = drop.names.first() else { return Err(Refusal::new("it names no index")) };
    let resolved = scene.resolve(name);
    let found = scene.catalog.index(&resolved);
    if found.is_some_and(|(_, index)| !index.children.is_empty()) {
        return Err(Refusal::new("the index is on a partitioned table: it cannot be dropped concurrently"));
    }
    let full = scene.sql(&resolved);
    let if_exists = if drop.if_exists { "IF EXISTS " } else { "" };
    let full_drop = format!("DROP INDEX CONCURRENTLY {full}");
    let unique = scene.finds(&full_drop, "lost-conflict-target");
    let allow = match unique {
        true => {
            "-- lockkeeper: allow lost-conflict-target because the release that does without the key is out\n"
        }
        false => "",
    };
    let up = format!("{allow}DROP INDEX CONCURRENTLY {if_exists}{full}");
    let down =
        found.map(|(table, index)| carried::create_index(scene, table, index, &name.name, "CONCURRENTLY "));
    let title = format!("drop {} beside readers and writers", name.name);
    let mut step = scene.alone(
        name_of(&[&name.name, "drop"]),
        title.clone(),
        &up,
        down.as_deref().unwrap_or("SELECT 1"),
    );
    if down.is_none() {
        step.down = None;
    }
    let must =
        format!("name the key of {} in no ON CONFLICT, and rely on it for no row's uniqueness", name.name);
    let released = Step::Release(ReleaseStep { must: vec![must] });
    let steps = unique.then_some(released).into_iter().chain([Step::Sql(step)]).collect();
    Ok(vec![
        Phase::new(PhaseKind::Contract, title, steps)
            .enter_when(Criterion::of_people(
                "nothing reads by it: its idx_scan stands still on every server",
            ))
            .undone_by("build it again concurrently", "a query that became slow"),
    ])
}
