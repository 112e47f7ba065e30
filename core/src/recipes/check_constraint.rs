//! A check: for new rows first, then for the old ones without stopping writes.

use crate::dialect::Dialect;
use crate::engine::preflight;
use crate::mechanics::Refusal;
use crate::mechanics::check::{Check, checked};
use crate::mechanics::make;
use crate::mechanics::scene::Scene;
use crate::operation::{AlterTable, Constraint, ConstraintKind, Expression, Kind, Operation, TableAction};
use crate::plan::{Phase, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "check-constraint",
    dialects: &[Dialect::Postgres],
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
