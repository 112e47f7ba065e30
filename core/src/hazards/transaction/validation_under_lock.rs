//! The constraint is validated in the transaction that added it, so the table stays closed while every row is checked.

use crate::dialect::Dialect;
use crate::effect::{Waits, Work};
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// The constraint is validated in the transaction that added it, so the table stays closed while every row is checked.
pub(crate) static RULE: Rule = Rule {
    id: "validation-under-lock",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("validation_under_lock.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::ValidateConstraint { name } = &alter.action else { return None };
    let scans = ctx.works_on_live(Work::Scan) || ctx.table(&alter.table).is_none();
    let (held, waits) = ctx.strongest_held()?;
    if !ctx.in_transaction() || !scans || waits < Waits::Writes {
        return None;
    }
    let who = if waits == Waits::ReadsAndWrites { "reads and writes" } else { "writes" };
    let message = format!("{who} of {} wait while every row is checked for {name}", ctx.display(&held));
    let table = ctx.resolve(&alter.table);
    let constraint = ctx.catalog.table(&table).and_then(|it| it.constraint(&name.name));
    let preflight = constraint.and_then(|it| preflight::old_violations(&table, it, ctx.catalog));
    Some(Hazard::new(&RULE, name.span, message).with_preflight(preflight))
}
