//! SET LOCAL outside a transaction does nothing, so the timeout that it promises is not there.

use crate::dialect::Dialect;
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};
use crate::text::Edit;

/// SET LOCAL outside a transaction does nothing, so the timeout that it promises is not there.
pub(crate) static RULE: Rule = Rule {
    id: "ineffective-local-setting",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("ineffective_local_setting.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Set(set) = &operation.kind else { return None };
    if !set.local || ctx.in_transaction() || ctx.conditional {
        return None;
    }
    let message = format!("{} stays as it is: SET LOCAL does nothing outside a transaction", set.name);
    let hazard = Hazard::new(&RULE, operation.span, message);
    let Some(span) = ctx.word_in(operation, "local") else { return Some(hazard) };
    let fix = Fix::needs_review("Set it for the session", vec![Edit::replace(span, "SESSION")]);
    Some(hazard.with_fix(fix))
}
