//! An index that goes for another one: the new one is built before the old one is dropped, and takes its name where that was asked for.

use crate::catalog::{Index, RelationName};
use crate::dialect::Name;
use crate::operation::{CreateIndex, Kind, ObjectKind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, Step, Way};

use super::concurrent_index::{drop_phase, is_valid};
use super::group::stands_apart;
use super::scene::{Scene, name_of};
use super::{Form, Phases, Recipe, Refusal, carried, twin};

pub(super) static RECIPE: Recipe = Recipe {
    id: "replace-index",
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
    let unique = if replaced.create.unique { "UNIQUE " } else { "" };
    let (table, definition) = (scene.sql(&replaced.table), replaced.create.definition.of(scene.text).trim());
    let create = |name: &str| {
        format!("CREATE {unique}INDEX CONCURRENTLY {} ON {table} {definition}", scene.quote(name))
    };
    phases(scene, &replaced.old, &name, create)
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
            "before PostgreSQL 12 nothing builds {} anew beside writers, as a constraint stands on it: take a window",
            index.name.name
        )));
    }
    let create = |name: &str| carried::create_index(scene, table, index, name, "CONCURRENTLY ");
    phases(scene, &index.name, &index.name.name, create)
}

/// The new index under a name of its own, the names exchanged in one transaction where they are the same, the old index dropped.
fn phases(scene: &Scene<'_>, old: &RelationName, name: &str, create: impl Fn(&str) -> String) -> Phases {
    let takes_name = *old.name == *name;
    let interim = if takes_name { name_of(&["lockkeeper", name]) } else { name.to_owned() };
    let built = scene.sibling(old, &interim);
    let up = create(&interim);
    let title = format!("build {interim} beside readers and writers");
    let down = format!("DROP INDEX CONCURRENTLY IF EXISTS {built}");
    let allow = match scene.finds(&up, "duplicate-index") {
        true => "-- lockkeeper: allow duplicate-index because the one that is like it goes\n",
        false => "",
    };
    let step =
        scene.alone(name_of(&[&interim, "concurrently"]), title.clone(), &format!("{allow}{up}"), &down);
    let mut phases = vec![
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .leave_when(is_valid(&built))
            .undone_by("drop it concurrently; an interrupted build leaves an invalid one", "the build fails"),
    ];
    let mut goes = old.clone();
    let mut done = vec![up];
    if takes_name {
        goes.name = name_of(&["gone", name]).as_str().into();
        let rename = |from: &str, to: &str| {
            format!("ALTER INDEX {} RENAME TO {}", scene.sibling(old, from), scene.quote(to))
        };
        let up = [rename(name, &goes.name), rename(&interim, name)];
        let down = [rename(name, &interim), rename(&goes.name, name)];
        let title = format!("let the new index take the name {name}");
        let step = scene.in_transaction(name_of(&[name, "switch"]), title.clone(), &up, &down);
        phases.push(
            Phase::new(PhaseKind::Cutover, title, vec![Step::Sql(step)])
                .enter_when(Criterion::of_people(
                    "queries that read by the old index read by the new one (EXPLAIN)",
                ))
                .undone_by("the down migration gives the names back", "a query that became slow"),
        );
        done.extend(up);
    }
    let after = twin::after_all(scene, scene.catalog, &done);
    phases.push(drop_phase(&Scene { catalog: &after, ..*scene }, &goes, false));
    Ok(phases)
}
