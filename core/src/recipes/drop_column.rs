//! Drop a column: first from the application, then from the table.

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::engine::effect::volatility;
use crate::hazards::compatibility::dropped_column;
use crate::mechanics::Refusal;
use crate::mechanics::carried::{Carried, Part};
use crate::mechanics::derivation::refuse_views;
use crate::mechanics::scene::{Scene, name_of};
use crate::operation::{AlterTable, Expression, Kind, Operation, TableAction, Volatility};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "drop-column",
    dialects: &[Dialect::Postgres],
    page: include_str!("drop_column.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(&AlterTable, &str)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        TableAction::DropColumn { column, .. } => Some((alter, &column.name)),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, column)) = parts(operation) else { return Err(Refusal::new("it drops no column")) };
    let table = scene.resolve(&alter.table);
    let state = scene.table(&table)?;
    refuse_views(scene, &table, &[column])?;
    let carried = Carried::of(scene, &table, state, column, column)?;
    let on = scene.on(&table);
    let shown = table.display(scene.dialect());
    let mut phases = Vec::new();
    let freed = carried.not_null() && carried.default().is_none();
    if freed {
        let (up, down) = (on.drop_not_null(column), on.set_not_null(column));
        let title = format!("let rows be written without {column}");
        let name = name_of(&[&table.name, column, "nullable"]);
        let step = scene.in_transaction(name, title.clone(), vec![up], vec![down]);
        phases.push(Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)]).undone_by(
            "the down migration sets NOT NULL again, once every row has a value",
            "a reader that fails on NULL",
        ));
    }
    let must =
        vec![format!("stop reading and writing {shown}.{column}, also by `SELECT *` into a fixed shape")];
    phases.push(
        Phase::new(
            PhaseKind::Cutover,
            format!("release the application that does not know {column}"),
            vec![Step::Release(ReleaseStep { must })],
        )
        .leave_when(Criterion::of_people("no instance of the release before is running"))
        .undone_by("roll the application back", "errors over the baseline"),
    );
    let up = on
        .drop_column(column, cascades(alter))
        .allowing(&dropped_column::RULE, format!("the release that does not know {column} is out"));
    // Its values are gone: NOT NULL comes back with it where rows have another one.
    let value = value_back(scene, &table, column, carried.default());
    let mut again = carried.bare(column);
    again.default.clone_from(&value);
    again.not_null = value.is_some() && carried.not_null() && !freed;
    let mut down = vec![on.add_column(again)];
    if value.is_some() && carried.default().is_none() {
        down.push(on.drop_default(column));
    }
    let told = value.as_ref().map(|it| it.text.as_str()) == carried.default();
    let without: &[Part] = if told { &[Part::NotNull, Part::Default] } else { &[Part::NotNull] };
    down.extend(carried.make_again_on(column, without));
    let title = format!("drop {column}; its values are gone for good");
    let step =
        scene.in_transaction(name_of(&[&table.name, column, "contract"]), title.clone(), vec![up], down);
    phases.push(
        Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_backup("the column"))
            .enter_when(Criterion::of_people(format!(
                "no release that names {column} has run for one full release cycle"
            )))
            .undone_by(
                "the column comes back empty; its values only from the backup",
                "a program that still names it",
            ),
    );
    Ok(phases)
}

/// The value that rows have when the column comes back: what the developer's own way back gives them, or the default; nothing where it is another
/// one for each row, as every row would be written then.
fn value_back(
    scene: &Scene<'_>,
    table: &RelationName,
    column: &str,
    default: Option<&str>,
) -> Option<Expression> {
    let mut stated = scene.operations_back().into_iter().filter_map(|it| match it.kind {
        Kind::AlterTable(alter) if scene.resolve(&alter.table) == *table => match alter.action {
            TableAction::AddColumn { column: own, .. } if own.name.name == column => own.default,
            _ => None,
        },
        _ => None,
    });
    let value = stated.next().or_else(|| default.map(Expression::new))?;
    (volatility(&value, scene.catalog) != Volatility::Volatile).then_some(value)
}

fn cascades(alter: &AlterTable) -> bool {
    matches!(alter.action, TableAction::DropColumn { cascade: true, .. })
}
