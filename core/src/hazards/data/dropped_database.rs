//! A migration drops a whole database.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation};

/// A migration drops a whole database.
pub(crate) static RULE: Rule = Rule {
    id: "dropped-database",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("dropped_database.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, _: &Context<'_>) -> Option<Hazard> {
    let Kind::Drop(drop) = &operation.kind else { return None };
    let name = drop.names.first().filter(|_| drop.object == ObjectKind::Database)?;
    Some(Hazard::new(&RULE, name.span, format!("everything in the database {name} is gone")))
}
