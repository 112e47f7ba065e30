//! The statement cannot succeed on this schema and version, and the migration stops there.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{CreateIndex, Kind, Operation, TableAction};

/// The statement cannot succeed on this schema and version, and the migration stops there.
pub(crate) static RULE: Rule = Rule {
    id: "failing-statement",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("failing_statement.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Some(reason) = &ctx.effect.fails else {
        return may_fail(operation, ctx).or_else(|| may_be_missing(operation, ctx));
    };
    let neighbours = matches!(&operation.kind, Kind::AlterTable(alter) if is_required_column(&alter.action));
    if ctx.conditional || neighbours {
        return None;
    }
    let hazard = Hazard::new(&RULE, operation.span, format!("it fails: {reason}"));
    let replaces = matches!(&operation.kind, Kind::CreateView(view) if view.or_replace);
    let partitioned =
        matches!(&operation.kind, Kind::CreateIndex(it) if it.concurrently && is_partitioned(it, ctx));
    Some(match (replaces, partitioned) {
        (true, _) => hazard.with_recipe("reshape-view"),
        (_, true) => hazard.with_recipe("concurrent-index"),
        _ => hazard,
    })
}

/// Where only a condition leads to the place that fails, it is no danger for certain.
fn may_fail(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let reason = ctx.effect.may_fail.as_ref().filter(|_| !ctx.conditional)?;
    let hazard = Hazard::new(&RULE, operation.span, format!("it fails where it comes to it: {reason}"));
    Some(hazard.with_severity(Severity::Warning))
}

/// What no migration made may have been there before them: it is judged as if it were, and that is said once.
fn may_be_missing(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let name = ctx.effect.missing.as_ref().filter(|_| !ctx.conditional && !ctx.missing_reported)?;
    let message = format!("it fails unless {name} was there before all migrations: none makes it");
    let severity = if ctx.catalog.begins() { Severity::Note } else { Severity::Warning };
    Some(Hazard::new(&RULE, operation.span, message).with_severity(severity))
}

fn is_partitioned(index: &CreateIndex, ctx: &Context<'_>) -> bool {
    ctx.catalog.table(&ctx.resolve(&index.table)).is_some_and(|it| it.partition_by.is_some())
}

/// A column that rows have no value for is the neighbour's business: required-column.
fn is_required_column(action: &TableAction) -> bool {
    matches!(action, TableAction::AddColumn { column, .. } if column.not_null && column.default.is_none())
}
