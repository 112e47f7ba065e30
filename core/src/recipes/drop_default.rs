//! A default goes when no release relies on it any more.

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::hazards::compatibility::dropped_default;
use crate::mechanics::Refusal;
use crate::mechanics::scene::{Scene, name_of};
use crate::operation::{Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "drop-default",
    dialects: &[Dialect::Postgres],
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
    let required = scene.table(&table)?.column(column).is_some_and(|it| it.not_null);
    let contract = contract(scene, &table, column, required).ok_or_else(refuse)?;
    let shown = format!("{}.{column}", table.display(scene.dialect()));
    let must = vec![format!("write a value into {shown} in every insert")];
    let release = Phase::new(
        PhaseKind::DualWrite,
        format!("release the application that always writes {column}"),
        vec![Step::Release(ReleaseStep { must })],
    )
    .leave_when(Criterion::of_people("no instance of the release before is running"))
    .undone_by("roll the application back: the default is still there", "errors over the baseline");
    Ok(vec![release, contract])
}

/// The phase in which the default of a column goes that then may refuse NULL; `None` where no default is known.
pub(super) fn contract(
    scene: &Scene<'_>,
    table: &RelationName,
    column: &str,
    required: bool,
) -> Option<Phase> {
    let state = scene.catalog.table(table)?.column(column)?;
    let default = state.default.as_ref()?;
    let on = scene.on(table);
    let drop = match required {
        true => on
            .drop_default(column)
            .allowing(&dropped_default::RULE, "the release that always writes it is out"),
        false => on.drop_default(column),
    };
    let title = format!("drop the default of {}.{column}", table.display(scene.dialect()));
    let name = name_of(&[&table.name, column, "default"]);
    let step = scene.in_transaction(
        name,
        title.clone(),
        vec![drop],
        vec![on.set_default(column, default.text.clone())],
    );
    let phase = Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)]);
    Some(phase.undone_by("the down migration sets it again", "an insert without the column"))
}
