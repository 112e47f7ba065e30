//! The table changes its shape while checks of its changed rows are still to come, which the server refuses.

use crate::catalog::Demand;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// The table changes its shape while checks of its changed rows are still to come, which the server refuses.
pub(crate) static RULE: Rule = Rule {
    id: "pending-check",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("pending_check.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let table = ctx.resolve(&alter.table);
    let changed = ctx.session.changed.iter().any(|(name, _)| *name == table);
    let state = ctx.catalog.table(&table)?;
    let deferred = state
        .constraints
        .iter()
        .find(|it| it.deferrable && it.enforced && matches!(it.demand, Demand::ForeignKey { .. }))?;
    if !changed || !ctx.in_transaction() || ctx.session.checks_immediately {
        return None;
    }
    let message = format!(
        "it fails while checks of {} for the changed rows of {} are pending",
        deferred.name,
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, alter.table.span, message))
}
