//! While the statement waits for its lock, everybody who comes later waits behind it, for ever.

use crate::dialect::{Dialect, LockMode};
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::Operation;
use crate::text::Edit;

/// While the statement waits for its lock, everybody who comes later waits behind it, for ever.
pub(crate) static RULE: Rule = Rule {
    id: "no-lock-timeout",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("no_lock_timeout.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    if ctx.timeout_reported || ctx.fails() || ctx.session.lock_timeout.is_some_and(|it| it > 0) {
        return None;
    }
    let waiting =
        ctx.effect.locks.iter().filter(|(name, mode)| ctx.is_live(name) && **mode >= LockMode::Share);
    let own = operation.relation().map(|name| ctx.resolve(name));
    let (relation, _) = waiting.max_by_key(|(name, mode)| {
        (**mode, !ctx.effect.indexes.contains(name), own.as_ref() == Some(*name))
    })?;
    if !ctx.effect.transactional {
        // The concurrent forms wait without holding anybody up.
        return None;
    }
    let message =
        format!("waits for {} without limit, and everybody behind it waits too", ctx.display(relation));
    let local = if ctx.in_transaction() { "SET LOCAL" } else { "SET" };
    let edit = Edit::insert(ctx.statement_span.start, format!("{local} lock_timeout = '2s';\n"));
    let fix = Fix::safe("Give up after two seconds, and try again", vec![edit]);
    Some(Hazard::new(&RULE, operation.span, message).with_fix(fix))
}
