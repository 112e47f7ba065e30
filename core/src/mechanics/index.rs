//! Indexes: when one is complete, and one of a partitioned table, built partition by partition.

use crate::catalog::{Catalog, RelationName};
use crate::dialect::Name;
use crate::engine::Count;
use crate::hazards::data::possible_duplicates;
use crate::operation::{CreateIndex, Kind, Operation, RelationWord, TableAction};
use crate::plan::{Act, Criterion, Phase, PhaseKind, Statement, Step};

use super::Refusal;
use super::make::{self, Build, On};
use super::scene::{Scene, name_of};

/// The index is complete.
pub(crate) fn is_valid(scene: &Scene<'_>, index: &Name) -> Criterion {
    let invalid = scene.count(&Count::IncompleteIndex { index: &index.sql(scene.dialect()) });
    Criterion::counts_nothing("the index is valid", invalid)
}

/// The partitions, where none of them is partitioned again.
pub(crate) fn leaves<'a>(scene: &Scene<'a>, table: &RelationName) -> Result<&'a [RelationName], Refusal> {
    let state = scene.table(table)?;
    let again = |name: &&RelationName| scene.catalog.table(name).is_some_and(|it| it.partition_by.is_some());
    match state.children.iter().find(again) {
        Some(child) => Err(Refusal::new(format!(
            "the partition {} is partitioned again: build the index on its partitions first, then on it",
            child.display(scene.dialect())
        ))),
        None => Ok(&state.children),
    }
}

/// The index that a table has in one schema and not in the other.
pub(crate) fn new_index(before: &Catalog, after: &Catalog, table: &RelationName) -> Option<String> {
    let known = before.indexes(table);
    let added = after.indexes(table).iter().find(|it| known.iter().all(|other| other.name != it.name))?;
    Some(added.name.name.to_string())
}

/// An index on a partitioned table: concurrently on each partition, then on the table ONLY, then attached.
pub(crate) fn partitioned(
    index: &CreateIndex,
    scene: &Scene<'_>,
    table: &RelationName,
) -> Result<Vec<Phase>, Refusal> {
    let leaves = leaves(scene, table)?;
    let mut after = scene.catalog.clone();
    after.apply(&Operation { kind: Kind::CreateIndex(Box::new(index.clone())), span: index.keyword });
    let nameless = || Refusal::new("the index has no name: give it one, so that it can be found again");
    let name = new_index(scene.catalog, &after, table).ok_or_else(nameless)?;
    let own = |own: &str, table: &RelationName| CreateIndex {
        name: Some(Name::new(own)),
        table: scene.name(table),
        if_not_exists: false,
        ..index.clone()
    };
    let mut steps = Vec::new();
    let whole = CreateIndex { only: true, concurrently: false, ..own(&name, table) };
    let mut attach = vec![make::create_index(whole)];
    let full = scene.sibling(table, &name);
    for leaf in leaves {
        let part = new_index(scene.catalog, &after, leaf).ok_or_else(nameless)?;
        let built = make::create_index(CreateIndex { concurrently: true, only: false, ..own(&part, leaf) });
        let title = format!("build {part} on {} without blocking", leaf.display(scene.dialect()));
        steps.push(Step::Sql(scene.built(name_of(&[&part, "concurrently"]), title, built)));
        let on = On { name: full.clone(), word: RelationWord::Index };
        attach.push(on.does(TableAction::AttachIndex { index: scene.sibling(leaf, &part) }));
    }
    let title = format!("make {name} of them: nothing is read");
    let down = vec![make::drop_index(full.clone(), Build::Plain, false)];
    steps.push(Step::Sql(scene.in_transaction(name_of(&[&name, "attach"]), title, attach, down)));
    let invalid = scene.count(&Count::IncompleteIndex { index: &full.sql(scene.dialect()) });
    let title = format!("build {name} partition by partition");
    Ok(vec![
        Phase::new(PhaseKind::Expand, title, steps)
            .leave_when(Criterion::counts_nothing("the index is valid, on every partition", invalid))
            .undone_by("drop the index: those of the partitions go with it", "a build fails"),
    ])
}

/// The build of an index, which says where it needs rows that were counted.
pub(crate) fn counted(build: Statement, table: &RelationName, scene: &Scene<'_>) -> Statement {
    let may_meet = match &build.act {
        Act::Operation(kind) => match &**kind {
            Kind::CreateIndex(index) => possible_duplicates::may_meet(index, table, scene.catalog),
            _ => false,
        },
        _ => false,
    };
    match may_meet {
        true => build.allowing(&possible_duplicates::RULE, "duplicates are counted before it"),
        false => build,
    }
}
