//! A default goes when no release relies on it any more.

use crate::hazards::compatibility::dropped_default;
use crate::operation::{Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::scene::{Scene, name_of};
use super::{Form, Recipe, Refusal};

pub(super) static RECIPE: Recipe = Recipe {
    id: "drop-default",
    page: include_str!("drop_default.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| column(operation).is_some(), write },
};

fn column(operation: &Operation) -> Option<&str> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        TableAction::DropDefault { column } => Some(&column.name),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let refuse = || Refusal::new("nothing is known of the default that goes");
    let (column, table) = column(operation).zip(operation.relation()).ok_or_else(refuse)?;
    let table = scene.resolve(table);
    let state = scene.table(&table)?.column(column).ok_or_else(refuse)?;
    let default = state.default.as_ref().ok_or_else(refuse)?;
    let shown = format!("{}.{column}", table.display(scene.dialect()));
    let must = vec![format!("write a value into {shown} in every insert")];
    let release = Phase::new(
        PhaseKind::DualWrite,
        format!("release the application that always writes {column}"),
        vec![Step::Release(ReleaseStep { must })],
    )
    .leave_when(Criterion::of_people("no instance of the release before is running"))
    .undone_by("roll the application back: the default is still there", "errors over the baseline");
    let on = scene.on(&table);
    let drop = on.drop_default(column);
    let up = match state.not_null {
        true => drop.allowing(&dropped_default::RULE, "the release that always writes it is out"),
        false => drop,
    };
    let down = on.set_default(column, default.text.clone());
    let title = format!("drop the default of {shown}");
    let name = name_of(&[&table.name, column, "default"]);
    let step = scene.in_transaction(name, title.clone(), vec![up], vec![down]);
    let contract = Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
        .undone_by("the down migration sets it again", "an insert without the column");
    Ok(vec![release, contract])
}
