//! Rows are changed while the transaction holds a lock that keeps others out of the table.

use crate::dialect::{Dialect, LockMode};
use crate::effect::Work;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// Rows are changed while the transaction holds a lock that keeps others out of the table.
pub(crate) static RULE: Rule = Rule {
    id: "data-change-under-lock",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("data_change_under_lock.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    if !ctx.in_transaction() {
        return None;
    }
    if operation.changes_rows() {
        return change_after_lock(operation, ctx);
    }
    lock_after_change(operation, ctx)
}

/// Rows are changed behind a lock that blocks reads or writes.
fn change_after_lock(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let name = operation.relation()?;
    let table = ctx.resolve(name);
    let written_out = matches!(&operation.kind, Kind::Insert(insert) if insert.query.is_none());
    let reads_all = ctx.effect.work.iter().any(|(_, work)| *work == Work::Scan);
    if written_out || !(reads_all || matches!(operation.kind, Kind::Insert(_) | Kind::Merge(_))) {
        return None;
    }
    let (held, _) = ctx.strongest_held()?;
    let message =
        format!("{} stays closed to others while rows of {} change", ctx.display(&held), ctx.display(&table));
    let hazard = Hazard::new(&RULE, name.span, message);
    Some(hazard.with_recipe("batched-change").with_recipe("own-transaction"))
}

/// The table is closed while its changed rows are still locked: the statement waits for nobody, but a deferred check
/// of those rows makes it fail, and what follows runs under the lock.
fn lock_after_change(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let table = ctx.resolve(&alter.table);
    let changed = ctx.session.changed.iter().any(|(name, _)| *name == table);
    let strong = ctx.effect.lock_on(&table) == Some(LockMode::AccessExclusive);
    if !changed || !strong || !ctx.is_live(&table) {
        return None;
    }
    let message = format!(
        "rows of {} changed in this transaction stay locked behind the wait for its schema change",
        ctx.display(&table)
    );
    Some(
        Hazard::new(&RULE, alter.table.span, message)
            .with_recipe("own-transaction")
            .with_severity(Severity::Warning),
    )
}
