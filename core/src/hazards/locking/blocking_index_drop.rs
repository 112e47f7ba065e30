//! Dropping an index closes its table to everybody, and waits for every open transaction first.

use crate::dialect::Dialect;
use crate::effect::Waits;
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation};
use crate::text::Edit;

/// Dropping an index closes its table to everybody, and waits for every open transaction first.
pub(crate) static RULE: Rule = Rule {
    id: "blocking-index-drop",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("blocking_index_drop.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Drop(drop) = &operation.kind else { return None };
    if drop.object != ObjectKind::Index || ctx.live_waits() != Waits::ReadsAndWrites {
        return None;
    }
    let name = drop.names.first()?;
    let resolved = ctx.resolve(name);
    let message = match ctx.catalog.index(&resolved) {
        Some((table, _)) => {
            format!("reads and writes of {} wait while {name} is dropped", ctx.display(table))
        }
        None => format!("reads and writes of the table of {name} wait while it is dropped"),
    };
    let hazard = Hazard::new(&RULE, name.span, message);
    let partitioned = ctx.catalog.index(&resolved).is_some_and(|(_, index)| !index.children.is_empty());
    if partitioned || drop.names.len() > 1 {
        // CONCURRENTLY takes one index, and none of a partitioned table.
        return Some(hazard);
    }
    let edit = Edit::insert_word_after(drop.keyword, "CONCURRENTLY");
    let fix = Fix::needs_review("Drop the index concurrently, outside a transaction", vec![edit]);
    Some(hazard.with_fix(fix).with_recipe("concurrent-index"))
}
