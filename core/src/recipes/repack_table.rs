//! A table rewritten without blocking reads and writes, by the server's own command.

use crate::catalog::{RelationName, Setting};
use crate::dialect::Dialect;
use crate::engine::Count;
use crate::mechanics::Refusal;
use crate::mechanics::make;
use crate::mechanics::scene::{Scene, name_of};
use crate::operation::{Kind, Maintain, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, Statement, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "repack-table",
    dialects: &[Dialect::Postgres],
    page: include_str!("repack_table.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<&Maintain> {
    match &operation.kind {
        Kind::Maintain(it) if it.command.shuts_out() && it.tables.len() == 1 => Some(it),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let table = parts(operation).and_then(|it| Some((it, it.tables.first()?)));
    let Some((maintain, named)) = table else { return Err(Refusal::new("it rewrites no table")) };
    let table = scene.resolve(named);
    let shown = table.display(scene.dialect());
    let session = crate::catalog::Session::default();
    let online = make::repack(scene.name(&table), maintain.index.clone());
    for kind in online.operations() {
        let there = Operation { kind: kind.clone(), span: operation.span };
        let effect = crate::engine::effect::of(&there, scene.target, scene.catalog, &session);
        if let Some(reason) = effect.fails {
            return Err(Refusal::new(reason));
        }
    }
    let title = format!("rewrite {shown} without blocking its users");
    let down = maintain.index.as_ref().map_or_else(make::nothing, |_| clustered(scene, &table));
    let step = scene.alone(name_of(&[&table.name, "repack"]), title.clone(), online, Some(down));
    let phase = Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
        .enter_when(Criterion::counts_nothing(
            "the server writes enough to its log",
            scene.count(&Count::ThinLog),
        ))
        .enter_when(Criterion::of_people(
            "the disk has room for a second copy of the table with its indexes, and for the log that is written meanwhile",
        ))
        .undone_by(
            "nothing: the rows are the same; a run that is stopped leaves the table as it was",
            "readers or writers that stay in a transaction keep the swap at its end waiting",
        );
    Ok(vec![phase])
}

/// The mark of the index that the table is in the order of, as it was.
fn clustered(scene: &Scene<'_>, table: &RelationName) -> Statement {
    let indexes = scene.catalog.indexes(table).iter().map(|it| &it.name);
    let mut marked = indexes.filter(|it| {
        scene.catalog.relation(it).is_some_and(|it| it.details.get(&Setting::Clustered).is_some())
    });
    let on = scene.on(table);
    match marked.next() {
        Some(index) => on.does(TableAction::ClusterOn { index: make::ident(&*index.name) }),
        None => on.does(TableAction::SetWithoutCluster),
    }
}
