//! Nobody can read the materialized view until its query has ended.

use crate::dialect::Dialect;
use crate::effect::Waits;
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};
use crate::text::Edit;

/// Nobody can read the materialized view until its query has ended.
pub(crate) static RULE: Rule = Rule {
    id: "blocking-refresh",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("blocking_refresh.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Refresh(refresh) = &operation.kind else { return None };
    if ctx.live_waits() < Waits::ReadsAndWrites || !refresh.with_data {
        return None;
    }
    let view = ctx.resolve(&refresh.view);
    if ctx.catalog.view(&view).is_some_and(|view| !view.populated) {
        // Nobody can read it yet, and CONCURRENTLY is refused.
        return None;
    }
    let message = format!("reads of {} wait until its query has ended", ctx.display(&view));
    let hazard = Hazard::new(&RULE, refresh.view.span, message).with_recipe("refresh-beside-readers");
    if !ctx.effect.has_concurrent_form {
        return Some(hazard);
    }
    let edit = Edit::insert_word_after(refresh.keyword, "CONCURRENTLY");
    let fix = Fix::needs_review("Refresh beside the readers; the view needs a unique index", vec![edit]);
    Some(hazard.with_fix(fix))
}
