//! An ordinary index build stops every write to the table until it ends.

use crate::dialect::Dialect;
use crate::effect::{Waits, Work};
use crate::engine::preflight::{self, Nulls};
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{CreateIndex, Kind, Operation};
use crate::text::Edit;

/// An ordinary index build stops every write to the table until it ends.
pub(crate) static RULE: Rule = Rule {
    id: "blocking-index-build",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("blocking_index_build.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::CreateIndex(index) = &operation.kind else { return None };
    if ctx.live_waits() < Waits::Writes || !ctx.works_on_live(Work::IndexBuild) {
        return None;
    }
    if ctx.table(&index.table).is_some_and(|table| table.partition_by.is_some()) {
        // CONCURRENTLY is refused there: partitioned-index-build.
        return None;
    }
    let table = ctx.display(&ctx.resolve(&index.table));
    let span = index.name.as_ref().map_or(index.keyword, |name| name.span);
    let hazard = Hazard::new(&RULE, span, format!("writes to {table} wait until the index is built"));
    let hazard = hazard.with_preflight(duplicates(index, ctx));
    let edit = Edit::insert_word_after(index.keyword, "CONCURRENTLY");
    let fix = Fix::needs_review("Build the index concurrently, outside a transaction", vec![edit]);
    Some(hazard.with_fix(fix).with_recipe("concurrent-index"))
}

/// The rows that make a unique index fail.
fn duplicates(index: &CreateIndex, ctx: &Context<'_>) -> Option<String> {
    if !index.unique {
        return None;
    }
    let dialect = ctx.target.dialect;
    let keys = preflight::index_keys(&index.keys, dialect)?;
    let nulls = if index.nulls_not_distinct { Nulls::Same } else { Nulls::Distinct };
    let predicate = index.predicate.as_ref().map(|it| it.text.as_str());
    preflight::duplicates(&ctx.resolve(&index.table), &keys, nulls, predicate, dialect)
}
