//! The statement timeout ends the statement before the lock timeout can, so the wait for a lock is not what it seems.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// The statement timeout ends the statement before the lock timeout can, so the wait for a lock is not what it seems.
pub(crate) static RULE: Rule = Rule {
    id: "useless-lock-timeout",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("useless_lock_timeout.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Set(set) = &operation.kind else { return None };
    let value = crate::catalog::milliseconds(set.value.as_deref()?)?;
    let (lock, statement) = match set.name.as_str() {
        "lock_timeout" => (value, ctx.session.statement_timeout?),
        "statement_timeout" => (ctx.session.lock_timeout?, value),
        _ => return None,
    };
    let effective = !set.local || ctx.in_transaction();
    if !effective || statement == 0 || lock == 0 || lock < statement {
        return None;
    }
    let message =
        format!("the lock timeout of {lock} ms never fires: the statement ends after {statement} ms");
    Some(Hazard::new(&RULE, operation.span, message))
}
