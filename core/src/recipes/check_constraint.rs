//! A check: for new rows first, then for the old ones without stopping writes.

use crate::effect::preflight;
use crate::operation::{AlterTable, Constraint, ConstraintKind, Expression, Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, Step, Way};

use super::scene::Scene;
use super::{Form, Recipe, Refusal, carried};

pub(super) static RECIPE: Recipe = Recipe {
    id: "check-constraint",
    page: include_str!("check_constraint.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(&AlterTable, &Constraint, &Expression)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddConstraint { constraint } = &alter.action else { return None };
    match &constraint.kind {
        ConstraintKind::Check(check) if !constraint.not_valid && !constraint.not_enforced => {
            Some((alter, constraint, check))
        }
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, constraint, check)) = parts(operation) else {
        return Err(Refusal::new("it adds no check"));
    };
    let table = scene.resolve(&alter.table);
    let own = constraint.name.as_ref().map(|name| name.name.clone());
    let name = own.or_else(|| scene.name_of_constraint(operation, &table)).ok_or_else(|| {
        Refusal::new("the check has no name: give it one, so that it can be validated by that name")
    })?;
    let inherit = if constraint.no_inherit { " NO INHERIT" } else { "" };
    let definition = format!("CHECK ({}){inherit}", check.text);
    let mut steps = carried::validated(scene, &table, &name, &definition, &name).into_iter();
    let shown = table.display(scene.dialect());
    let must = vec![format!("write into {shown} only what the check {name} accepts")];
    let release = Phase::new(
        PhaseKind::DualWrite,
        format!("release the application that keeps to {name}"),
        vec![Step::Release(crate::plan::ReleaseStep { must })],
    )
    .leave_when(Criterion::of_people("no instance of the release before is running"));
    let expand = Phase::new(
        PhaseKind::Expand,
        format!("refuse new rows that break {name}"),
        steps.by_ref().take(1).map(Step::Sql).collect(),
    )
    .undone_by("the down migration drops the check", "an insert or update that fails for the check");
    let breaking = preflight::violations(&table, constraint, scene.catalog);
    let verify = Phase::new(
        PhaseKind::Verification,
        format!("check the old rows for {name}, beside readers and writers"),
        steps.map(Step::Sql).collect(),
    )
    .enter_when(Criterion::told_by("no row breaks the check", breaking))
    .undone_by("the down migration makes the check NOT VALID again", "it fails: rows that break it");
    Ok(vec![release, expand, verify])
}
