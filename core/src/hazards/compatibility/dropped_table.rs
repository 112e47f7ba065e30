//! The running release still uses the table, its rows are gone for good, and its parents are locked.

use crate::dialect::{Dialect, LockMode};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation};

/// The running release still uses the table, its rows are gone for good, and its parents are locked.
pub(crate) static RULE: Rule = Rule {
    id: "dropped-table",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("dropped_table.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Drop(drop) = &operation.kind else { return None };
    if drop.object != ObjectKind::Table {
        return None;
    }
    let certain = ctx.catalog.is_complete();
    let gone = drop.names.iter().find(|name| {
        let resolved = ctx.resolve(name);
        ctx.is_live(&resolved)
            && !ctx.undoes_table(&resolved)
            && (ctx.catalog.relation(&resolved).is_some() || !certain)
    })?;
    let dropped: Vec<_> = drop.names.iter().map(|name| ctx.resolve(name)).collect();
    let also: Vec<String> = ctx
        .effect
        .locks
        .iter()
        .filter(|(name, mode)| {
            **mode == LockMode::AccessExclusive
                && !dropped.contains(name)
                && !ctx.effect.indexes.contains(name)
                && ctx.catalog.table(name).is_some()
                && ctx.is_live(name)
        })
        .map(|(name, _)| ctx.display(name))
        .collect();
    let table = ctx.display(&ctx.resolve(gone));
    // Another table takes its name in the same transaction: a swap.
    let swapped = ctx.in_transaction() && ctx.rest_mentions(&["alter", "table", "rename", "to", &gone.name]);
    let mut message = if swapped {
        format!("another table takes the place of {table}: rows that were not copied to it are gone")
    } else {
        format!("{table} and its rows are gone, and a release that uses it fails")
    };
    if !also.is_empty() {
        message.push_str(&format!("; reads and writes of {} wait too", also.join(", ")));
    }
    Some(Hazard::new(&RULE, gone.span, message).with_recipe("drop-table").with_subject(table, None))
}
