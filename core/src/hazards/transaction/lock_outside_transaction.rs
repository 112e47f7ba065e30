//! The server refuses LOCK TABLE outside a transaction: the lock would be gone at once.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// The server refuses LOCK TABLE outside a transaction: the lock would be gone at once.
pub(crate) static RULE: Rule = Rule {
    id: "lock-outside-transaction",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("lock_outside_transaction.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Lock(lock) = &operation.kind else { return None };
    // In the body of a function or a block it belongs to the statement that runs that.
    let own = ctx.statement_span.of(ctx.text).trim_start();
    let stands_alone = own.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("lock"));
    if ctx.in_transaction() || !stands_alone {
        return None;
    }
    let table = lock.tables.first()?;
    let message = format!("LOCK TABLE {table} is refused outside a transaction");
    Some(Hazard::new(&RULE, operation.span, message))
}
