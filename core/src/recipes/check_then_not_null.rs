//! NOT NULL: proved first, without blocking reads or writes, then set without a scan.

use crate::dialect::Dialect;
use crate::mechanics::scene::Scene;
use crate::mechanics::{Refusal, not_null};
use crate::operation::{AlterTable, ConstraintKind, Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "check-then-not-null",
    dialects: &[Dialect::Postgres],
    page: include_str!("check_then_not_null.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| column(operation).is_some(), write },
};

fn column(operation: &Operation) -> Option<(&AlterTable, &str)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        TableAction::SetNotNull { column } => Some((alter, &column.name)),
        TableAction::AddConstraint { constraint } if !constraint.not_valid => match &constraint.kind {
            ConstraintKind::NotNull(column) => Some((alter, &column.name)),
            _ => None,
        },
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, column)) = column(operation) else { return Err(Refusal::new("it sets no NOT NULL")) };
    let table = scene.resolve(&alter.table);
    not_null::possible(scene)?;
    let shown = table.display(scene.dialect());
    let (sql, quoted) = (scene.sql(&table), scene.quote(column));
    let count = format!("SELECT count(*) FROM {sql} WHERE {quoted} IS NULL");
    let must = vec![format!("write a value into {shown}.{column} in every insert and update")];
    let release = Phase::new(
        PhaseKind::DualWrite,
        format!("release the application that always writes {column}"),
        vec![Step::Release(ReleaseStep { must })],
    )
    .leave_when(Criterion::of_people("no instance of the release before is running"));
    let mut steps = not_null::guarded(scene, &table, column).into_iter();
    let expand = Phase::new(
        PhaseKind::Expand,
        format!("refuse new rows without {column}"),
        steps.by_ref().take(1).map(Step::Sql).collect(),
    )
    .enter_when(Criterion::counts_nothing(format!("every row has a value in {column}"), count).seen_by_step())
    .undone_by("the down migration drops the check", "an insert or update that fails for the check");
    let rest = Phase::new(
        PhaseKind::Verification,
        format!("prove it of old rows, then set NOT NULL on {column}"),
        steps.map(Step::Sql).collect(),
    )
    .undone_by(
        "the down migrations take NOT NULL and the check away",
        "an insert or update that fails for it",
    );
    Ok(vec![release, expand, rest])
}
