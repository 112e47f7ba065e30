//! Times are read or written in the time zone of whoever runs the migration, so they shift.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// Times are read or written in the time zone of whoever runs the migration, so they shift.
pub(crate) static RULE: Rule = Rule {
    id: "shifted-times",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("shifted_times.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AlterType { column, ty, using: None, .. } = &alter.action else { return None };
    let table = ctx.resolve(&alter.table);
    let from = &ctx.catalog.table(&table)?.column(&column.name)?.ty;
    let between = |one: &str, other: &str| from.is(one) && ty.is(other);
    let crosses = between("timestamp", "timestamptz") || between("timestamptz", "timestamp");
    let zone = ctx.session.time_zone.as_ref().or(ctx.target.time_zone.as_ref());
    if !crosses || zone.is_some() || !ctx.is_live(&table) {
        return None;
    }
    let message = format!(
        "times of {}.{column} are taken in the time zone of whoever runs the migration",
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, column.span, message))
}
