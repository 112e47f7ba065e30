//! SET NOT NULL reads every row while nobody can read or write the table.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// SET NOT NULL reads every row while nobody can read or write the table.
pub(crate) static RULE: Rule = Rule {
    id: "not-null-scan",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("not_null_scan.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::SetNotNull { column } = &alter.action else { return None };
    if !ctx.works_on_live(Work::Scan) {
        return None;
    }
    let table = ctx.resolve(&alter.table);
    let message = format!("reads and writes of {} wait while every row is checked", ctx.display(&table));
    let preflight = preflight::nulls(&table, [column.name.as_str()], ctx.target.dialect);
    Some(
        Hazard::new(&RULE, column.span, message).with_recipe("check-then-not-null").with_preflight(preflight),
    )
}
