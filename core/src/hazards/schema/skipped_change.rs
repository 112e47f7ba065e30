//! IF NOT EXISTS finds something of that name in another shape, does nothing, and reports success.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{CreateTable, Kind, Operation, TableAction};
use crate::text::Span;

/// IF NOT EXISTS finds something of that name in another shape, does nothing, and reports success.
pub(crate) static RULE: Rule = Rule {
    id: "skipped-change",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("skipped_change.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (span, what, there) = match &operation.kind {
        Kind::CreateTable(create) if create.if_not_exists => table(create, ctx)?,
        Kind::AlterTable(alter) => {
            let TableAction::AddColumn { column, if_not_exists: true } = &alter.action else { return None };
            let state = ctx.table(&alter.table)?.column(&column.name.name)?;
            if state.ty.is_same(&column.ty) || column.ty.serial {
                return None;
            }
            (column.name.span, format!("{}.{}", alter.table, column.name), format!("is {}", state.ty))
        }
        _ => return None,
    };
    let uncertain = operation
        .relation()
        .is_some_and(|name| ctx.catalog.relation(&ctx.resolve(name)).is_some_and(|it| it.uncertain));
    if uncertain || ctx.conditional {
        return None;
    }
    Some(Hazard::new(&RULE, span, format!("nothing happens: {what} is there already, and {there}")))
}

/// The first column in which the table that is there differs.
fn table(create: &CreateTable, ctx: &Context<'_>) -> Option<(Span, String, String)> {
    let there = ctx.table(&create.name)?;
    let differs = create.columns.iter().find_map(|column| match there.column(&column.name.name) {
        None => Some(format!("has no {}", column.name)),
        Some(state) => {
            let differs = !state.ty.is_same(&column.ty) && !column.ty.serial;
            differs.then(|| format!("its {} is {}", column.name, state.ty))
        }
    });
    Some((create.name.span, create.name.to_string(), differs?))
}
