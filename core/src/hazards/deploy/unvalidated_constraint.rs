//! A constraint is added NOT VALID and nothing in the deploy validates it, so old rows may violate it for ever.

use crate::catalog::{RelationName, Table};
use crate::dialect::Dialect;
use crate::hazards::{Deploy, Found, Hazard, Rule, Severity, Trigger};
use crate::operation::{Constraint, Kind, Operation, TableAction};

/// A constraint is added NOT VALID and nothing in the deploy validates it, so old rows may violate it for ever.
pub(crate) static RULE: Rule = Rule {
    id: "unvalidated-constraint",
    severity: Severity::Note,
    dialects: &[Dialect::Postgres],
    page: include_str!("unvalidated_constraint.md"),
    trigger: Trigger::Deploy(check),
};

fn check(deploy: &Deploy<'_>) -> Vec<Found> {
    let Some(last) = deploy.migrations.last() else { return Vec::new() };
    let mut found = Vec::new();
    for (number, migration) in deploy.migrations.iter().enumerate() {
        for operation in migration.operations() {
            let Some((table, constraint)) = added(operation, deploy) else { continue };
            if !last.after.table(&table).is_some_and(|state| is_left(state, constraint)) {
                continue;
            }
            let name = constraint.name.as_ref().map_or("the constraint", |name| &name.name);
            let message = format!(
                "{name} of {} is still unchecked for old rows when the deploy ends",
                table.display(deploy.before.dialect())
            );
            let span = constraint.name.as_ref().map_or(constraint.span, |name| name.span);
            found.push(Found { migration: number, hazard: Hazard::new(&RULE, span, message) });
        }
    }
    found
}

fn added<'a>(operation: &'a Operation, deploy: &Deploy<'_>) -> Option<(RelationName, &'a Constraint)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddConstraint { constraint } = &alter.action else { return None };
    let table = deploy.before.resolve(&alter.table);
    constraint.not_valid.then_some((table, &**constraint))
}

fn is_left(table: &Table, constraint: &Constraint) -> bool {
    let Some(name) = &constraint.name else { return false };
    table.constraint(&name.name).is_some_and(|it| !it.valid && it.enforced)
}
