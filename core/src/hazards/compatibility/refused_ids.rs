//! Inserts that give the identity themselves are refused from this moment on.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Identity, Kind, Operation, TableAction};

/// Inserts that give the identity themselves are refused from this moment on.
pub(crate) static RULE: Rule = Rule {
    id: "refused-ids",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("refused_ids.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let column = match &alter.action {
        TableAction::AddIdentity { column, identity: Identity::Always, .. }
        | TableAction::AlterIdentity { column, identity: Some(Identity::Always), .. } => column,
        _ => return None,
    };
    let table = ctx.resolve(&alter.table);
    if !ctx.is_live(&table) || ctx.fails() {
        return None;
    }
    let message = format!("inserts into {} that give {column} fail", ctx.display(&table));
    Some(Hazard::new(&RULE, column.span, message).with_subject(ctx.display(&table), Some(&column.name)))
}
