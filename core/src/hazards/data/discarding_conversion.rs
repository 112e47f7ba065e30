//! The new values do not come from the old ones: every value of the column is thrown away.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// The new values do not come from the old ones: every value of the column is thrown away.
pub(crate) static RULE: Rule = Rule {
    id: "discarding-conversion",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("discarding_conversion.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AlterType { column, using: Some(using), .. } = &alter.action else { return None };
    let table = ctx.resolve(&alter.table);
    let reads = using.columns(ctx.target.dialect);
    if reads.contains(&column.name) || reads.contains("*") || !ctx.is_live(&table) || ctx.fails() {
        return None;
    }
    let message =
        format!("the values of {}.{column} are replaced by {}", ctx.display(&table), using.text.trim());
    Some(Hazard::new(&RULE, using.span, message))
}
