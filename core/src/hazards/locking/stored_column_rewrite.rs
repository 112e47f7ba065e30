//! A stored generated, identity, serial or checked-domain column is added by rewriting the whole table.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine::effect::volatility;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction, Volatility};

/// A stored generated, identity, serial or checked-domain column is added by rewriting the whole table.
pub(crate) static RULE: Rule = Rule {
    id: "stored-column-rewrite",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("stored_column_rewrite.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let (column, what) = match &alter.action {
        TableAction::AddColumn { column, .. } => {
            let volatile = |it| volatility(it, ctx.catalog) == Volatility::Volatile;
            if column.default.as_ref().is_some_and(volatile) {
                // The neighbour's business: volatile-default-rewrite.
                return None;
            }
            let generated = column.generated.as_ref().is_some_and(|it| it.stored);
            let what = match (generated, column.identity.is_some(), column.ty.serial) {
                (true, ..) => "its stored value is computed for",
                (_, true, _) => "an identity is drawn for",
                (.., true) => "a number is drawn for",
                _ => "the constraints of its type are checked on",
            };
            (&column.name, what)
        }
        TableAction::SetExpression { column, .. } => (column, "its stored value is computed for"),
        _ => return None,
    };
    if !ctx.works_on_live(Work::Rewrite) {
        return None;
    }
    let table = ctx.display(&ctx.resolve(&alter.table));
    let message = format!("reads and writes of {table} wait while {what} every row");
    let hazard = Hazard::new(&RULE, column.span, message);
    Some(hazard.with_recipe("add-column-in-steps").with_recipe("swap-table"))
}
