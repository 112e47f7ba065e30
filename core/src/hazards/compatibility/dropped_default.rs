//! The running release inserts rows without the column, and without its default those inserts fail.

use crate::catalog::Catalog;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// The running release inserts rows without the column, and without its default those inserts fail.
pub(crate) static RULE: Rule = Rule {
    id: "dropped-default",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("dropped_default.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::DropDefault { column } = &alter.action else { return None };
    let table = ctx.resolve(&alter.table);
    let state = ctx.catalog.table(&table)?.column(&column.name)?;
    let had_none = |before: &Catalog| {
        before.table(&table).and_then(|it| it.column(&column.name)).is_none_or(|it| it.default.is_none())
    };
    if ctx.back.is_some_and(had_none) {
        return None;
    }
    let matters = state.not_null && state.default.as_ref().is_some_and(|it| !it.is_null());
    // An identity or another default in the same transaction gives the values from then on.
    let later =
        |words: [&str; 2]| ctx.rest_mentions(&["alter", &table.name, &column.name, words[0], words[1]]);
    let again = ctx.in_transaction() && (later(["add", "generated"]) || later(["set", "default"]));
    // Without NOT NULL the column is left empty.
    let may_be_empty = ctx.says(&["alter", &table.name, &column.name, "drop", "not"])
        || ctx.in_transaction() && later(["drop", "not"]);
    let again = again || may_be_empty;
    if !matters || !ctx.is_live(&table) || again {
        return None;
    }
    let message =
        format!("inserts into {} that leave out {column} fail from this moment on", ctx.display(&table));
    let hazard = Hazard::new(&RULE, column.span, message);
    Some(hazard.with_subject(ctx.display(&table), Some(&column.name)).with_recipe("drop-default"))
}
