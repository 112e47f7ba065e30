//! A changed type rewrites the whole table, or rebuilds indexes, while nobody can use the table.

use crate::catalog::{RelationName, UserType};
use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// A changed type rewrites the whole table, or rebuilds indexes, while nobody can use the table.
pub(crate) static RULE: Rule = Rule {
    id: "type-change-rewrite",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("type_change_rewrite.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AlterType { column, .. } = &alter.action else { return None };
    let work = if ctx.works_on_live(Work::Rewrite) {
        "every row is rewritten"
    } else if ctx.works_on_live(Work::IndexBuild) {
        "its indexes are rebuilt"
    } else if ctx.works_on_live(Work::Scan) {
        "every row is checked again"
    } else {
        return None;
    };
    let table = ctx.resolve(&alter.table);
    let message = format!("reads and writes of {} wait while {work}", ctx.display(&table));
    let preflight = unreadable(&alter.action, &table, ctx);
    let hazard = Hazard::new(&RULE, column.span, message)
        .with_recipe("expand-contract-type")
        .with_preflight(preflight);
    Some(hazard.with_subject(ctx.display(&table), Some(&column.name)))
}

/// The rows whose values the new type cannot read.
fn unreadable(action: &TableAction, table: &RelationName, ctx: &Context<'_>) -> Option<String> {
    let TableAction::AlterType { column, ty, using: Some(using), .. } = action else { return None };
    let from = &ctx.catalog.table(table)?.column(&column.name)?.ty;
    let labels = match ctx.catalog.user_type(ty) {
        Some(UserType::Enum(labels)) => Some(labels.as_slice()),
        _ => None,
    };
    let casts = preflight::only_casts(using, &column.name);
    casts.then(|| preflight::unreadable(table, &column.name, (from, ty), labels, ctx.target))?
}
