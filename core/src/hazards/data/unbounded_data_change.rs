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
    let (name, condition, verb, alias) = match &operation.kind {
        Kind::Update(update) => {
            // Beside another table, a key may only be what joins the two.
            let own = update.alias.as_ref().map_or(&update.table.name, |it| &it.name);
            let joined = update.from.is_some().then_some(own.as_str());
            (&update.table, update.condition.as_ref(), "changes", joined)
        }
        Kind::Delete(delete) => (&delete.table, delete.condition.as_ref(), "deletes", None),
        _ => return None,
    };
    let table = ctx.resolve(name);
    if !ctx.is_live(&table) || condition.is_some_and(|it| is_bounded(it, &table, alias, ctx)) {
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

/// Whether a condition bounds the rows: a key compared with values or a range, a limit inside. `joined` is the name of the table where
/// another one stands beside it.
fn is_bounded(condition: &Expression, table: &RelationName, joined: Option<&str>, ctx: &Context<'_>) -> bool {
    let dialect = ctx.target.dialect;
    if condition.has_word(dialect, &["limit", "fetch"]) {
        return true;
    }
    let state = ctx.catalog.table(table);
    let unique = state.into_iter().flat_map(|it| &it.indexes).filter(|index| index.unique);
    let keys = unique.filter_map(|index| index.keys.first().and_then(|key| key.column.as_deref()));
    let keys: Vec<&str> = keys.chain(state.is_none().then_some("id")).collect();
    condition.conjuncts(dialect).iter().any(|part| is_part_bounded(part, &keys, joined, dialect))
}

fn is_part_bounded(part: &Expression, keys: &[&str], joined: Option<&str>, dialect: Dialect) -> bool {
    let paged = part.names("ctid", dialect);
    // Pages by their numbers: the SELECT that puts them together reads no rows.
    if paged && part.has_word(dialect, &["generate_series"]) {
        return true;
    }
    if part.has_word(dialect, &["select"]) {
        return false;
    }
    if paged || part.has_word(dialect, &["between"]) {
        return true;
    }
    let compared = part.has_word(dialect, &["=", "<", "<=", ">=", "in"]);
    let named = match joined {
        Some(own) => keys.iter().any(|key| names_only(part, own, key, dialect)),
        None => part.names_any(keys.iter().copied(), dialect),
    };
    compared && named
}

/// Whether it is about this key and no other column.
fn names_only(part: &Expression, own: &str, key: &str, dialect: Dialect) -> bool {
    let (mut named, mut others) = (false, false);
    part.each_column(dialect, |word| {
        let is_key = word.name.name == key && word.qualifier.is_none_or(|it| it.name == own);
        named |= is_key;
        others |= !is_key && !["in", "any", "array"].contains(&word.name.name.as_str());
    });
    named && !others
}
