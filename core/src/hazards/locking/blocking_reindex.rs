//! Indexes are rebuilt while writes wait, and most reads wait too.

use crate::dialect::Dialect;
use crate::effect::Waits;
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, ReindexScope};
use crate::text::Edit;

/// Indexes are rebuilt while writes wait, and most reads wait too.
pub(crate) static RULE: Rule = Rule {
    id: "blocking-reindex",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("blocking_reindex.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Reindex(reindex) = &operation.kind else { return None };
    let many = !matches!(reindex.scope, ReindexScope::Index | ReindexScope::Table);
    let in_the_way = ctx.live_waits() >= Waits::Writes || (many && !reindex.concurrently);
    if !in_the_way {
        return None;
    }
    let span = reindex.name.as_ref().map_or(reindex.keyword, |name| name.span);
    let what = match (&reindex.name, reindex.scope) {
        (Some(name), ReindexScope::Table) => ctx.display(&ctx.resolve(name)),
        (Some(name), ReindexScope::Index) => match ctx.catalog.index(&ctx.resolve(name)) {
            Some((table, _)) => ctx.display(table),
            None => format!("the table of {name}"),
        },
        (Some(name), _) => format!("every table of {name}"),
        (None, _) => "every table".to_owned(),
    };
    let message = format!("writes and most reads of {what} wait until its indexes are rebuilt");
    let hazard = Hazard::new(&RULE, span, message);
    let hazard = if many { hazard } else { hazard.with_recipe("concurrent-index") };
    if !ctx.effect.has_concurrent_form {
        return Some(hazard);
    }
    let edit = Edit::insert_word_after(reindex.keyword, "CONCURRENTLY");
    let fix = Fix::needs_review("Rebuild concurrently, outside a transaction", vec![edit]);
    Some(hazard.with_fix(fix))
}
