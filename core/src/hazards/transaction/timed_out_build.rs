//! The statement timeout ends a concurrent build half-way, and leaves an invalid index behind.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// The statement timeout ends a concurrent build half-way, and leaves an invalid index behind.
pub(crate) static RULE: Rule = Rule {
    id: "timed-out-build",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("timed_out_build.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let span = match &operation.kind {
        Kind::CreateIndex(index) if index.concurrently => {
            index.name.as_ref().map_or(index.keyword, |name| name.span)
        }
        Kind::Reindex(reindex) if reindex.concurrently => {
            reindex.name.as_ref().map_or(reindex.keyword, |name| name.span)
        }
        _ => return None,
    };
    let timeout = ctx.session.statement_timeout.filter(|it| *it > 0)?;
    if ctx.fails() || ctx.in_transaction() {
        return None;
    }
    let message =
        format!("an invalid index is left behind if the build takes more than {} s", timeout.div_ceil(1000));
    Some(Hazard::new(&RULE, span, message))
}
