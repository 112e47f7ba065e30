//! Drop a view when no release reads it.

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::hazards::compatibility::dropped_view;
use crate::mechanics::make;
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::{Phases, Refusal};
use crate::operation::{Drop, Kind, ObjectKind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Statement, Step, Way};

use super::rename_behind_view::view_again;
use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "drop-view",
    dialects: &[Dialect::Postgres],
    page: include_str!("drop_view.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| dropped(operation).is_some(), write },
};

fn dropped(operation: &Operation) -> Option<&Drop> {
    match &operation.kind {
        Kind::Drop(drop) if drop.object == ObjectKind::View => Some(drop),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Phases {
    let drop = dropped(operation).ok_or_else(|| Refusal::new("it drops no view"))?;
    let names: Vec<RelationName> = drop.names.iter().map(|it| scene.resolve(it)).collect();
    let shown: Vec<String> = names.iter().map(|it| it.display(scene.dialect())).collect();
    for name in &names {
        if scene.catalog.view(name).is_none_or(|it| it.stale || it.unclear) {
            let shown = name.display(scene.dialect());
            return Err(Refusal::new(format!(
                "nobody knows how {shown} was made, so nothing takes its end back"
            )));
        }
        let others = scene.catalog.views_on(name);
        if let Some((reader, _)) = others.iter().find(|(reader, _)| !names.contains(reader)) {
            let (reader, shown) = (reader.display(scene.dialect()), name.display(scene.dialect()));
            return Err(Refusal::new(format!("{reader} reads {shown}: drop or replace it first")));
        }
    }
    let listed = shown.join(", ");
    let release = Phase::new(
        PhaseKind::Cutover,
        format!("release the application that does not know {listed}"),
        vec![Step::Release(ReleaseStep { must: vec![format!("stop reading {listed}")] })],
    )
    .leave_when(Criterion::of_people("no instance of the release before is running"))
    .undone_by("roll the application back", "errors over the baseline");
    // Those that read others go first, and come again last.
    let reads = |one: &RelationName, other: &RelationName| {
        scene.catalog.views_on(other).iter().any(|(reader, _)| *reader == one)
    };
    let mut order: Vec<&RelationName> = Vec::new();
    for name in &names {
        let before = order.iter().position(|it| reads(name, it)).unwrap_or(order.len());
        order.insert(before, name);
    }
    let because = "the release that does not read it is out";
    let gone = |it: &&RelationName| {
        make::drop(ObjectKind::View, scene.name(it)).allowing(&dropped_view::RULE, because)
    };
    let up: Vec<Statement> = order.iter().map(gone).collect();
    let down = order.iter().rev().flat_map(|it| view_again(scene, it)).collect();
    let title = format!("drop {listed}");
    let step = scene.in_transaction(name_of(&[&names[0].name, "drop"]), title.clone(), up, down);
    let contract = Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
        .undone_by("the down migration makes it again, with its rights and its comment", "a need for it");
    Ok(vec![release, contract])
}
