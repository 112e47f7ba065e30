//! A loop changes rows in batches and never commits, so all of them are one transaction.

use crate::catalog::RelationName;
use crate::dialect::{Dialect, Name};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Expression, Kind, Operation};

/// A loop changes rows in batches and never commits, so all of them are one transaction.
pub(crate) static RULE: Rule = Rule {
    id: "uncommitted-batches",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("uncommitted_batches.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    if !ctx.in_uncommitted_loop {
        return None;
    }
    let (table, span) = match &operation.kind {
        Kind::Update(update) => {
            (condition_on(ctx, &update.table, update.condition.as_ref())?, update.table.span)
        }
        Kind::Delete(delete) => {
            (condition_on(ctx, &delete.table, delete.condition.as_ref())?, delete.table.span)
        }
        Kind::Insert(insert) => {
            let query = insert.query.as_ref().filter(|it| it.locks_rows(ctx.target.dialect))?;
            let read = query.relations(ctx.target.dialect);
            (read.iter().map(|it| ctx.resolve(it)).find(|it| ctx.is_live(it))?, insert.table.span)
        }
        _ => return None,
    };
    let message = format!(
        "no batch ends before the loop does: rows of {} stay locked until it commits",
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, span, message))
}

/// The table in use of which one batch takes a part.
fn condition_on(ctx: &Context<'_>, table: &Name, condition: Option<&Expression>) -> Option<RelationName> {
    let table = ctx.resolve(table);
    (condition.is_some() && ctx.is_live(&table)).then_some(table)
}
