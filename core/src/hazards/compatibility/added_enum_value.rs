//! A release that does not know the new value fails on the first row that holds it.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TypeAction};

/// A release that does not know the new value fails on the first row that holds it.
pub(crate) static RULE: Rule = Rule {
    id: "added-enum-value",
    severity: Severity::Note,
    dialects: &[Dialect::Postgres],
    page: include_str!("added_enum_value.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterType(alter) = &operation.kind else { return None };
    let TypeAction::AddValue { value, .. } = &alter.action else { return None };
    if ctx.goes_back() || ctx.fails() {
        return None;
    }
    let users = ctx.catalog.tables_using(&ctx.resolve(&alter.name));
    let (table, columns) = users.into_iter().find(|(table, _)| ctx.is_live(table))?;
    let of = format!("{}.{}", ctx.display(&table), columns.first()?);
    let message =
        format!("a release that does not know '{value}' fails on the first row of {of} that holds it");
    Some(Hazard::new(&RULE, operation.span, message).with_recipe("add-enum-value"))
}
