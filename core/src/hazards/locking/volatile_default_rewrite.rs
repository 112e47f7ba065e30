//! A column whose default differs from row to row is added by rewriting the whole table.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine::effect::volatility;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction, Volatility};

/// A column whose default differs from row to row is added by rewriting the whole table.
pub(crate) static RULE: Rule = Rule {
    id: "volatile-default-rewrite",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("volatile_default_rewrite.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddColumn { column, .. } = &alter.action else { return None };
    let default = column.default.as_ref()?;
    if !ctx.works_on_live(Work::Rewrite) || volatility(default, ctx.catalog) != Volatility::Volatile {
        return None;
    }
    let table = ctx.display(&ctx.resolve(&alter.table));
    let message = format!("reads and writes of {table} wait while every row is rewritten");
    Some(Hazard::new(&RULE, default.span, message).with_recipe("add-column-in-steps"))
}
