//! The running release uses the old name of the table, and fails from this moment on.

use crate::catalog::RelationKind;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, RelationWord, TableAction};

/// The running release uses the old name of the table, and fails from this moment on.
pub(crate) static RULE: Rule = Rule {
    id: "renamed-table",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("renamed_table.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let table = ctx.resolve(&alter.table);
    let span = match &alter.action {
        TableAction::RenameTo { to } => alter.table.span.cover(to.span),
        TableAction::SetSchema { schema } => alter.table.span.cover(schema.span),
        _ => return None,
    };
    let named_by_code = match ctx.catalog.relation(&table).map(|it| &it.kind) {
        Some(RelationKind::Table(_) | RelationKind::View(_)) => true,
        Some(_) => false,
        None => !matches!(alter.relation, RelationWord::Index | RelationWord::Sequence),
    };
    // A view under the old name, made in the same transaction, keeps the old release alive.
    let view_takes_over = ctx.in_transaction() && ctx.later_view(&table).is_some();
    if !named_by_code || !ctx.is_live(&table) || ctx.undoes_table(&table) || view_takes_over {
        return None;
    }
    let message = format!("the running release still uses {} and will fail", ctx.display(&table));
    let hazard = Hazard::new(&RULE, span, message).with_recipe("rename-behind-view");
    Some(hazard.with_subject(ctx.display(&table), None))
}
