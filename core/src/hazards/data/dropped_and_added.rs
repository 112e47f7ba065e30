//! A column goes and one of the same type comes: if that was meant as a rename, its values are lost.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// A column goes and one of the same type comes: if that was meant as a rename, its values are lost.
pub(crate) static RULE: Rule = Rule {
    id: "dropped-and-added",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("dropped_and_added.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let table = ctx.resolve(&alter.table);
    let (span, dropped, added) = match &alter.action {
        TableAction::AddColumn { column, .. } => {
            // One whose name is there again was replaced by that.
            let replaced = |name: &str| ctx.catalog.table(&table).is_some_and(|it| it.column(name).is_some());
            let mut dropped = ctx.session.dropped_columns.iter().filter(|it| it.is_like(&table, &column.ty));
            let same = |it: &&crate::catalog::MovedColumn| it.column == column.name.name;
            if ctx.session.dropped_columns.iter().any(|it| it.table == table && same(&it)) {
                return None;
            }
            let dropped = dropped.find(|it| !replaced(&it.column))?;
            (column.name.span, &dropped.column, &column.name.name)
        }
        TableAction::DropColumn { column, .. } => {
            let state = ctx.catalog.table(&table)?.column(&column.name)?;
            let added = ctx.session.added_columns.iter().find(|it| it.is_like(&table, &state.ty))?;
            (column.span, &column.name, &added.column)
        }
        _ => return None,
    };
    let copied = ctx.session.filled_columns.iter().any(|(it, column)| *it == table && column == added);
    if ctx.goes_back() || !ctx.is_live(&table) || dropped == added || copied {
        return None;
    }
    let message = format!(
        "values of {}.{dropped} are not carried over to {added}: is this a rename?",
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, span, message).with_recipe("expand-contract-rename"))
}
