//! The running release uses the old name, and fails from this moment on.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, RelationWord, TableAction};

/// The running release uses the old name, and fails from this moment on.
pub(crate) static RULE: Rule = Rule {
    id: "renamed-column",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("renamed_column.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::RenameColumn { column, to } = &alter.action else { return None };
    let table = ctx.resolve(&alter.table);
    if !ctx.is_live(&table)
        || alter.relation == RelationWord::Index
        || ctx.undoes_column(&table, &column.name)
        || ctx.said_before(&["alter", &table.name, "add", &column.name])
        || ctx.fails()
    {
        return None;
    }
    let message = format!("the running release still uses {}.{column} and will fail", ctx.display(&table));
    let hazard = Hazard::new(&RULE, column.span.cover(to.span), message);
    Some(hazard.with_recipe("expand-contract-rename").with_subject(ctx.display(&table), Some(&column.name)))
}
