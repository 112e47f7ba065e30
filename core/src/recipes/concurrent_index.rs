//! An index built or dropped without blocking reads or writes, in a migration of its own.

use crate::catalog::RelationName;
use crate::dialect::{Dialect, Name};
use crate::engine::{Capability, Count};
use crate::hazards::compatibility::lost_conflict_target;
use crate::mechanics::index::{self, is_valid};
use crate::mechanics::make::{self, Build};
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::{Phases, Refusal};
use crate::operation::{CreateIndex, Kind, ObjectKind, Operation, Reindex, ReindexScope};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::{Form, Recipe, replace_index};

pub(super) static RECIPE: Recipe = Recipe {
    id: "concurrent-index",
    dialects: &[Dialect::Postgres],
    page: include_str!("concurrent_index.md"),
    ways: &[Way::Triggers],
    form: Form::One {
        applies: |operation| match &operation.kind {
            Kind::CreateIndex(_) => true,
            Kind::Drop(drop) => drop.object == ObjectKind::Index && drop.names.len() == 1,
            Kind::Reindex(it) => matches!(it.scope, ReindexScope::Index | ReindexScope::Table),
            _ => false,
        },
        write,
    },
};

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    match &operation.kind {
        Kind::CreateIndex(index) => build(index, scene),
        Kind::Drop(_) => drop(operation, scene),
        Kind::Reindex(it) => rebuild(it, scene),
        _ => Err(Refusal::new("it neither builds nor drops an index")),
    }
}

fn build(index: &CreateIndex, scene: &Scene<'_>) -> Result<Vec<Phase>, Refusal> {
    let table = scene.resolve(&index.table);
    if scene.catalog.table(&table).is_some_and(|it| it.partition_by.is_some()) {
        return index::partitioned(index, scene, &table);
    }
    let mut after = scene.catalog.clone();
    after.apply(&Operation { kind: Kind::CreateIndex(Box::new(index.clone())), span: index.keyword });
    let known = after.indexes(&table).last().map(|it| it.name.name.to_string());
    let name = index.name.as_ref().map(|it| it.name.clone()).or(known);
    let Some(name) = name else {
        return Err(Refusal::new("the index has no name: give it one, so that it can be found again"));
    };
    let own = CreateIndex {
        name: Some(Name::new(name.as_str())),
        table: scene.name(&table),
        concurrently: true,
        if_not_exists: false,
        ..index.clone()
    };
    let title = format!("build {name} without blocking");
    let step = scene.built(
        name_of(&[&name, "concurrently"]),
        title.clone(),
        index::counted(make::create_index(own), &table, scene),
    );
    Ok(vec![
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .leave_when(is_valid(scene, &scene.sibling(&table, &name)))
            .undone_by("drop it concurrently; an interrupted build leaves an invalid one", "the build fails"),
    ])
}

/// Where the server does not do it itself, a second index takes the name.
fn rebuild(reindex: &Reindex, scene: &Scene<'_>) -> Phases {
    let Some(name) = &reindex.name else { return Err(Refusal::new("it names nothing")) };
    let resolved = scene.resolve(name);
    let shown = resolved.display(scene.dialect());
    let is_index = reindex.scope == ReindexScope::Index;
    if !scene.can(Capability::ReindexConcurrently) {
        let index = scene.catalog.index(&resolved).filter(|_| is_index);
        let (table, index) = index.ok_or_else(|| {
            Refusal::new(format!(
                "before {} one index at a time is rebuilt, by a second one that takes its name: name the indexes of {shown}, and put the \
                 migrations that made them into their folder",
                scene.since(Capability::ReindexConcurrently)
            ))
        })?;
        return replace_index::by_itself(table, index, scene);
    }
    let partitioned = scene.catalog.table(&resolved).is_some_and(|it| it.partition_by.is_some())
        || scene.catalog.index(&resolved).is_some_and(|(_, index)| !index.children.is_empty());
    if partitioned && !scene.can(Capability::ReindexPartitioned) {
        return Err(Refusal::new(format!(
            "before {} {shown}, which is partitioned, cannot be named: name its partitions",
            scene.since(Capability::ReindexPartitioned)
        )));
    }
    let part = if is_index { "index" } else { "table" };
    let own = scene.name(&resolved);
    let title = format!("rebuild {shown} without blocking");
    let up = make::reindex(reindex.scope, own.clone());
    let name = name_of(&["reindex", part, &resolved.name]);
    let step = scene.alone(name, title.clone(), up, Some(make::nothing()));
    let phase = Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
        .leave_when(match is_index {
            true => is_valid(scene, &own),
            false => nothing_left(&resolved, scene),
        })
        .undone_by(
            "nothing to undo; drop concurrently what an interrupted build leaves, an invalid index whose name ends with _ccnew or _ccold",
            "the build fails",
        );
    Ok(vec![phase])
}

fn nothing_left(table: &RelationName, scene: &Scene<'_>) -> Criterion {
    let invalid = scene.count(&Count::IncompleteIndexes { table: &scene.sql(table) });
    Criterion::counts_nothing("every index of the table is valid", invalid)
}

fn drop(operation: &Operation, scene: &Scene<'_>) -> Result<Vec<Phase>, Refusal> {
    let Kind::Drop(drop) = &operation.kind else { return Err(Refusal::new("it drops no index")) };
    let Some(name) = drop.names.first() else { return Err(Refusal::new("it names no index")) };
    let resolved = scene.resolve(name);
    let found = scene.catalog.index(&resolved);
    if found.is_some_and(|(_, index)| !index.children.is_empty()) {
        return Err(Refusal::new("the index is on a partitioned table: it cannot be dropped concurrently"));
    }
    Ok(vec![drop_phase(scene, &resolved, drop.if_exists)])
}

/// The phase in which an index goes.
pub(super) fn drop_phase(scene: &Scene<'_>, index: &RelationName, if_exists: bool) -> Phase {
    let found = scene.catalog.index(index);
    let unique = lost_conflict_target::is_target(index, scene.catalog);
    let drop = make::drop_index(scene.name(index), Build::Concurrent, if_exists);
    let up = match unique {
        true => drop.allowing(&lost_conflict_target::RULE, "the release that does without the key is out"),
        false => drop,
    };
    let down =
        found.map(|(table, own)| make::index(table, own, &index.name, Build::Concurrent, scene.dialect()));
    let title = format!("drop {} without blocking", index.name);
    let step = scene.alone(name_of(&[&index.name, "drop"]), title.clone(), up, down);
    let must =
        format!("name the key of {} in no ON CONFLICT, and rely on it for no row's uniqueness", index.name);
    let released = Step::Release(ReleaseStep { must: vec![must] });
    let steps = unique.then_some(released).into_iter().chain([Step::Sql(step)]).collect();
    Phase::new(PhaseKind::Contract, title, steps)
        .enter_when(Criterion::of_people("nothing reads by it: its idx_scan stands still on every server"))
        .undone_by("build it again concurrently", "a query that became slow")
}
