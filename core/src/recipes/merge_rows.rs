//! Rows of one table that go to another, which the first is dropped behind: refused, since what is written to it meanwhile would be lost.

use crate::catalog::RelationName;
use crate::operation::{Kind, ObjectKind, Operation};
use crate::plan::Way;

use super::scene::Scene;
use super::{Form, Phases, Recipe, Refusal};

pub(super) static RECIPE: Recipe = Recipe {
    id: "merge-rows",
    page: include_str!("merge_rows.md"),
    ways: &[Way::Triggers],
    form: Form::Several { claim: |operations, scene| merged(operations, scene).map(|it| it.members), write },
};

struct Merged {
    from: RelationName,
    into: RelationName,
    members: Vec<usize>,
}

/// `INSERT INTO t SELECT … FROM s`, and `DROP TABLE s` behind it.
fn merged(operations: &[&Operation], scene: &Scene<'_>) -> Option<Merged> {
    let Kind::Insert(insert) = &operations.first()?.kind else { return None };
    let into = scene.resolve(&insert.table);
    let read = insert.query.as_ref()?.relations(scene.dialect());
    let read: Vec<RelationName> = read.iter().map(|it| scene.resolve(it)).collect();
    let live =
        |it: &RelationName| *it != into && scene.catalog.table(it).is_some() && !scene.catalog.is_new(it);
    operations.iter().enumerate().skip(1).find_map(|(at, operation)| {
        let Kind::Drop(drop) = &operation.kind else { return None };
        let gone = drop.names.iter().map(|it| scene.resolve(it)).find(|it| read.contains(it) && live(it));
        let from = gone.filter(|_| drop.object == ObjectKind::Table)?;
        // What stands between may use both: nothing is carried out, so it is no matter.
        Some(Merged { from, into: into.clone(), members: (0..=at).collect() })
    })
}

fn write(operations: &[&Operation], scene: &Scene<'_>, _: Way) -> Phases {
    let merged = merged(operations, scene).ok_or_else(|| Refusal::new("it merges no tables"))?;
    let [from, into] = [&merged.from, &merged.into].map(|it| it.display(scene.dialect()));
    Err(Refusal::new(format!(
        "rows of {from} go to {into}, and {from} is dropped: what the running release writes to {from} after the copy would be lost. Release an \
         application that writes {into} and no more {from} first; then copy in one migration, and DROP TABLE {from} in a later one"
    )))
}
