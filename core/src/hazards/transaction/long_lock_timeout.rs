//! The timeout is longer than the application can bear, so the queue behind the lock is an outage before it fires.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// The timeout is longer than the application can bear, so the queue behind the lock is an outage before it fires.
pub(crate) static RULE: Rule = Rule {
    id: "long-lock-timeout",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("long_lock_timeout.md"),
    trigger: Trigger::Operation(check),
};

/// What an application's own requests can bear, at most.
const LONGEST: u64 = 10_000;

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Set(set) = &operation.kind else { return None };
    if set.name != "lock_timeout" {
        return None;
    }
    let value = crate::catalog::milliseconds(set.value.as_deref()?)?;
    if value <= LONGEST {
        return None;
    }
    let message = format!("everybody may wait {} s behind each lock that this waits for", value / 1000);
    let severity = if ctx.conditional { Severity::Note } else { Severity::Warning };
    Some(Hazard::new(&RULE, operation.span, message).with_severity(severity))
}
