//! Long work runs while the transaction keeps others out of a table that the work alone would leave open.

use crate::dialect::Dialect;
use crate::effect::Waits;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// Long work runs while the transaction keeps others out of a table that the work alone would leave open.
pub(crate) static RULE: Rule = Rule {
    id: "work-under-lock",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("work_under_lock.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let long = ctx.effect.work.iter().any(|(name, _)| ctx.is_live(name));
    if !ctx.in_transaction() || !long || operation.changes_rows() || is_validation(operation) {
        return None;
    }
    let (held, waits) = ctx.strongest_held()?;
    if waits <= ctx.live_waits() {
        // It closes as much by itself, and its own rule says so.
        return None;
    }
    let who = if waits == Waits::ReadsAndWrites { "reads and writes" } else { "writes" };
    let message =
        format!("{who} of {} wait for this too, as the transaction still holds it", ctx.display(&held));
    Some(Hazard::new(&RULE, operation.span, message).with_recipe("own-transaction"))
}

/// The neighbour's business: validation-under-lock.
fn is_validation(operation: &Operation) -> bool {
    let Kind::AlterTable(alter) = &operation.kind else { return false };
    matches!(alter.action, TableAction::ValidateConstraint { .. })
}
