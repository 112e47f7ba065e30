//! Rows come with ids of their own while the sequence stands still, so a later insert draws an id that is taken.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// Rows come with ids of their own while the sequence stands still, so a later insert draws an id that is taken.
pub(crate) static RULE: Rule = Rule {
    id: "stale-sequence",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("stale_sequence.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Insert(insert) = &operation.kind else { return None };
    let table = ctx.resolve(&insert.table);
    let state = ctx.catalog.table(&table)?;
    let given =
        insert.columns.iter().find(|it| state.column(&it.name).is_some_and(|it| it.sequence.is_some()))?;
    let moved = ctx.rest_mentions(&["select", "setval"]) || ctx.rest_mentions(&["alter", "restart"]);
    // What a query gives may be copied together with the sequence's state, and a conflict may be meant.
    if moved || insert.query.is_some() || insert.on_conflict.is_some() || ctx.goes_back() {
        return None;
    }
    let sequence = state.column(&given.name)?.sequence.as_ref()?;
    let message = format!(
        "{} does not know of these rows: a later insert into {} collides",
        ctx.display(sequence),
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, given.span, message))
}
