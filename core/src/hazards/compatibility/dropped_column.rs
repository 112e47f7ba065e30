//! The running release still reads or writes the column, and its values are gone for good.

use crate::catalog::Table;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// The running release still reads or writes the column, and its values are gone for good.
pub(crate) static RULE: Rule = Rule {
    id: "dropped-column",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("dropped_column.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::DropColumn { column, .. } = &alter.action else { return None };
    let table = ctx.resolve(&alter.table);
    let state = ctx.catalog.table(&table);
    let was_never_there = state.is_some_and(|it| it.column(&column.name).is_none());
    if !ctx.is_live(&table) || was_never_there || ctx.undoes_column(&table, &column.name) {
        return None;
    }
    let lost = state.map(|state| lost_with(state, &column.name, ctx)).unwrap_or_default();
    let mut message =
        format!("{}.{column} and its values are gone, and a release that uses it fails", ctx.display(&table));
    if !lost.is_empty() {
        message.push_str(&format!("; {} goes with it", lost.join(", ")));
    }
    let hazard = Hazard::new(&RULE, column.span, message).with_recipe("drop-column");
    Some(hazard.with_subject(ctx.display(&table), Some(&column.name)))
}

/// The constraints and indexes over several columns that go without being named (measured on 15).
fn lost_with(table: &Table, column: &str, ctx: &Context<'_>) -> Vec<String> {
    let dialect = ctx.target.dialect;
    let constraints =
        table.constraints.iter().filter(|it| crate::catalog::names_column(&it.demand, column, dialect));
    let mut lost: Vec<String> = constraints.map(|it| format!("the constraint {}", it.name)).collect();
    for index in table.indexes.iter().filter(|it| it.names_column(column, dialect)) {
        let by_constraint = table.constraint(&index.name.name).is_some_and(|it| it.demand.has_index());
        if !by_constraint {
            lost.push(format!("the index {}", index.name.name));
        }
    }
    lost
}
