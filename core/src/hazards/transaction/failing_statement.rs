//! The statement cannot succeed on this schema and version, and the migration stops there.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::Operation;

/// The statement cannot succeed on this schema and version, and the migration stops there.
pub(crate) static RULE: Rule = Rule {
    id: "failing-statement",
    severity: Severity::Danger,
    dialects: Dialect::ANALYSED,
    page: include_str!("failing_statement.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let reason = ctx.effect.fails.as_ref()?;
    if ctx.conditional {
        return None;
    }
    Some(Hazard::new(&RULE, operation.span, format!("it fails: {reason}")))
}
