//! One statement changes every row it finds, holds their locks to the end, and floods the replicas.

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Expression, Kind, Operation};

/// One statement changes every row it finds, holds their locks to the end, and floods the replicas.
pub(crate) static RULE: Rule = Rule {
    id: "unbounded-data-change",
    severity: Severity::Warning,
    dialects: Dialect::ANALYSED,
    page: include_str!("unbounded_data_change.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (name, condition, verb) = match &operation.kind {
        Kind::Update(update) => (&update.table, update.condition.as_ref(), "changes"),
        Kind::Delete(delete) => (&delete.table, delete.condition.as_ref(), "deletes"),
        _ => return None,
    };
    let table = ctx.resolve(name);
    if !ctx.is_live(&table) || condition.is_some_and(|it| is_bounded(it, &table, ctx)) {
        return None;
    }
    let all = condition.is_none_or(|it| it.is_tautology(ctx.target.dialect));
    let which = if all { "every row" } else { "an unknown number of rows" };
    let message = format!(
        "{verb} {which} of {} in one transaction, and writers of those rows wait for all of it",
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, name.span, message).with_recipe("batched-change"))
}

/// Whether a condition bounds the rows: a key compared with values or a range, a limit inside.
fn is_bounded(condition: &Expression, table: &RelationName, ctx: &Context<'_>) -> bool {
    let text = condition.text.to_lowercase();
    let selects = text.contains("select");
    let limited = text.contains("limit") || text.contains("fetch first");
    if limited || !selects && (text.contains("ctid") || text.contains(" between ")) {
        return true;
    }
    let compared = text.contains('=') || text.contains(" in (") || text.contains('<');
    if !compared || selects {
        return false;
    }
    let state = ctx.catalog.table(table);
    let unique = state.into_iter().flat_map(|it| &it.indexes).filter(|index| index.unique);
    let keys = unique.filter_map(|index| index.keys.first().and_then(|key| key.column.as_deref()));
    let keys = keys.chain(state.is_none().then_some("id"));
    condition.names_any(keys, ctx.target.dialect)
}
