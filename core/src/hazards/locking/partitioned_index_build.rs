//! An index on a partitioned table is built on all partitions at once, and writes to all of them wait.

use crate::dialect::Dialect;
use crate::effect::{Waits, Work};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// An index on a partitioned table is built on all partitions at once, and writes to all of them wait.
pub(crate) static RULE: Rule = Rule {
    id: "partitioned-index-build",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("partitioned_index_build.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::CreateIndex(index) = &operation.kind else { return None };
    let table = ctx.resolve(&index.table);
    if !ctx.is_partitioned(&table) || ctx.live_waits() < Waits::Writes || !ctx.works_on_live(Work::IndexBuild)
    {
        return None;
    }
    let span = index.name.as_ref().map_or(index.keyword, |name| name.span);
    let message = format!(
        "writes to {} and all its partitions wait until the index is built on every one",
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, span, message).with_recipe("concurrent-index"))
}
