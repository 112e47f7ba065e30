//! A loop changes rows in batches and never commits, so all of them are one transaction.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// A loop changes rows in batches and never commits, so all of them are one transaction.
pub(crate) static RULE: Rule = Rule {
    id: "uncommitted-batches",
    severity: Severity::Warning,
    dialects: Dialect::ANALYSED,
    page: include_str!("uncommitted_batches.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (name, condition) = match &operation.kind {
        Kind::Update(update) => (&update.table, &update.condition),
        Kind::Delete(delete) => (&delete.table, &delete.condition),
        _ => return None,
    };
    let table = ctx.resolve(name);
    if !ctx.in_uncommitted_loop || condition.is_none() || !ctx.is_live(&table) {
        return None;
    }
    let message = format!(
        "no batch ends before the loop does: rows of {} stay locked until it commits",
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, name.span, message))
}
