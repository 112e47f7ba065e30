//! An index that goes for another one: the new one is built before the old one is dropped, and takes its name where that was asked for.

use crate::catalog::{Index, RelationName};
use crate::dialect::{Dialect, Name};
use crate::engine::Capability;
use crate::hazards::schema::duplicate_index;
use crate::mechanics::index::{counted, is_valid};
use crate::mechanics::make::{self, Build};
use crate::mechanics::scene::stands_apart;
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::sync::undone;
use crate::mechanics::{Phases, Refusal, carried, twin};
use crate::operation::{CreateIndex, Kind, ObjectKind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, Statement, Step, Way};

use super::concurrent_index::drop_phase;
use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "replace-index",
    dialects: &[Dialect::Postgres],
    page: include_str!("replace_index.md"),
    ways: &[Way::Triggers],
    form: Form::Several {
        claim: |operations, scene| Replaced::of(operations, scene).map(|it| it.members),
        write,
    },
};

/// `DROP INDEX`, and `CREATE INDEX` on the same table behind it.
struct Replaced<'a> {
    old: RelationName,
    table: RelationName,
    create: &'a CreateIndex,
    members: Vec<usize>,
}

impl<'a> Replaced<'a> {
    fn of(operations: &[&'a Operation], scene: &Scene<'_>) -> Option<Self> {
        let Kind::Drop(drop) = &operations.first()?.kind else { return None };
        let [name] = drop.names.as_slice() else { return None };
        (drop.object == ObjectKind::Index && !drop.cascade).then_some(())?;
        let old = scene.resolve(name);
        let (table, _) = scene.catalog.index(&old)?;
        let state = scene.catalog.table(table)?;
        (state.partition_by.is_none() && state.partition_of.is_none()).then_some(())?;
        let built = |it: &&'a Operation| match &it.kind {
            Kind::CreateIndex(create) if scene.resolve(&create.table) == *table => Some(create.as_ref()),
            _ => None,
        };
        let behind = || operations.iter().enumerate().skip(1);
        let candidates = || behind().filter_map(|(at, it)| Some((at, built(it)?)));
        let same = |create: &CreateIndex| create.name.as_ref().is_some_and(|it| it.name == *old.name);
        let (at, create) = candidates().find(|(_, it)| same(it)).or_else(|| candidates().next())?;
        let used: [Name; 2] = [name.clone(), create.table.clone()];
        let between = &operations[1..at];
        let apart = between.iter().all(|it| stands_apart(it, &used, scene));
        apart.then(|| Self { old, table: table.clone(), create, members: vec![0, at] })
    }
}

fn write(operations: &[&Operation], scene: &Scene<'_>, _: Way) -> Phases {
    let replaced = Replaced::of(operations, scene).ok_or_else(|| Refusal::new("it replaces no index"))?;
    let mut after = scene.catalog.clone();
    operations.iter().for_each(|it| after.apply(it));
    let known = after.indexes(&replaced.table).last().map(|it| it.name.name.to_string());
    let name = replaced.create.name.as_ref().map(|it| it.name.clone()).or(known);
    let name = name.ok_or_else(|| Refusal::new("the new index has no name: give it one"))?;
    let create = |name: &str| CreateIndex {
        name: Some(Name::new(name)),
        table: scene.name(&replaced.table),
        concurrently: true,
        if_not_exists: false,
        ..replaced.create.clone()
    };
    phases(scene, &replaced.old, &name, |it| counted(make::create_index(create(it)), &replaced.table, scene))
}

/// An index that is replaced by one that is like it.
///
/// # Errors
/// [`Refusal`] where a constraint stands on it.
pub(super) fn by_itself(table: &RelationName, index: &Index, scene: &Scene<'_>) -> Phases {
    let of_constraint = |it: &crate::catalog::Table| {
        it.constraints.iter().any(|it| it.demand.has_index() && it.name == *index.name.name)
    };
    if scene.catalog.table(table).is_some_and(of_constraint) {
        return Err(Refusal::new(format!(
            "before {} nothing rebuilds {} without blocking writes, as a constraint stands on it: take a window",
            scene.since(Capability::ReindexConcurrently),
            index.name.name
        )));
    }
    let create = |name: &str| make::index(table, index, name, Build::Concurrent, scene.dialect());
    phases(scene, &index.name, &index.name.name, create)
}

/// The new index under a name of its own, the names exchanged in one transaction where they are the same, the old index dropped.
fn phases(scene: &Scene<'_>, old: &RelationName, name: &str, create: impl Fn(&str) -> Statement) -> Phases {
    let takes_name = *old.name == *name;
    let interim = if takes_name { scene.free_name(old, &["lockkeeper", name]) } else { name.to_owned() };
    let up = create(&interim);
    let title = format!("build {interim} without blocking");
    let is_double = up.operations().iter().any(|it| match it {
        Kind::CreateIndex(index) => duplicate_index::duplicates(index, scene.catalog).next().is_some(),
        _ => false,
    });
    let up = match is_double {
        true => up.allowing(&duplicate_index::RULE, "the one that is like it goes"),
        false => up,
    };
    let step = scene.built(name_of(&[&interim, "concurrently"]), title.clone(), up.clone());
    let mut phases = vec![
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .leave_when(is_valid(scene, &scene.sibling(old, &interim)))
            .undone_by("drop it concurrently; an interrupted build leaves an invalid one", "the build fails"),
    ];
    let mut goes = old.clone();
    let mut done = vec![up];
    if takes_name {
        goes.name = scene.free_name(old, &["gone", name]).as_str().into();
        let up = vec![
            carried::rename_index(scene, old, name, &goes.name),
            carried::rename_index(scene, old, &interim, name),
        ];
        let title = format!("let the new index take the name {name}");
        let step = scene.in_transaction(name_of(&[name, "switch"]), title.clone(), up.clone(), undone(&up));
        phases.push(
            Phase::new(PhaseKind::Cutover, title, vec![Step::Sql(step)])
                .enter_when(Criterion::of_people(
                    "queries that read by the old index read by the new one (EXPLAIN)",
                ))
                .undone_by("the down migration gives the names back", "a query that became slow"),
        );
        done.extend(up);
    }
    let after = twin::after_all(scene.catalog, &done);
    phases.push(drop_phase(&Scene { catalog: &after, ..*scene }, &goes, false));
    Ok(phases)
}
