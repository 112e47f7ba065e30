//! A check: for new rows first, then for the old ones without stopping writes.

use crate::catalog::RelationName;
use crate::effect::preflight;
use crate::operation::{AlterTable, Constraint, ConstraintKind, Expression, Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, Step, Way};

use super::make;
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
    let check = Check {
        table: &table,
        constraint: Constraint {
            no_inherit: constraint.no_inherit,
            ..make::check(&name, check.text.clone())
        },
        must: format!("write into {} only what the check {name} accepts", table.display(scene.dialect())),
        breaking: preflight::violations(&table, constraint, scene.catalog),
        holds: "no row breaks the check".to_owned(),
    };
    Ok(checked(scene, &check))
}

/// A check that is to hold for every row.
pub(super) struct Check<'a> {
    pub table: &'a RelationName,
    /// The check under its name.
    pub constraint: Constraint,
    /// What the application must do before it.
    pub must: String,
    /// The query that counts the rows that break it.
    pub breaking: Option<String>,
    /// That there is none, in words.
    pub holds: String,
}

/// The phases that make a check hold: a release that keeps to it, new rows, then the old ones.
pub(super) fn checked(scene: &Scene<'_>, check: &Check<'_>) -> Vec<Phase> {
    let name = check.constraint.name.as_ref().map_or("", |it| it.name.as_str());
    let mut steps = carried::validated(scene, check.table, &check.constraint, name).into_iter();
    let must = vec![check.must.clone()];
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
    let verify = Phase::new(
        PhaseKind::Verification,
        format!("check the old rows for {name}, beside readers and writers"),
        steps.map(Step::Sql).collect(),
    )
    .enter_when(Criterion::told_by(check.holds.as_str(), check.breaking.clone()))
    .undone_by("the down migration makes the check NOT VALID again", "it fails: rows that break it");
    vec![release, expand, verify]
}
