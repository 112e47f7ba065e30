//! A unique index that is built without blocking fails at its end where two rows have the same values, and stays as an invalid index.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Index, RelationName};
use crate::dialect::Dialect;
use crate::engine::preflight::{self, Nulls};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger, is_of_rewrite};
use crate::operation::{CreateIndex, Kind, Operation};

/// A unique index that is built without blocking fails at its end where two rows have the same values, and stays as an invalid index.
pub(crate) static RULE: Rule = Rule {
    id: "possible-duplicates",
    severity: Severity::Note,
    dialects: &[Dialect::Postgres],
    page: include_str!("possible_duplicates.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::CreateIndex(index) = &operation.kind else { return None };
    let table = ctx.resolve(&index.table);
    if ctx.goes_back() || !ctx.is_live(&table) || !may_meet(index, &table, ctx.catalog) {
        return None;
    }
    let dialect = ctx.target.dialect;
    let keys = preflight::index_keys(&index.keys, dialect)?;
    let nulls = if index.nulls_not_distinct { Nulls::Same } else { Nulls::Distinct };
    let predicate = index.predicate.as_ref().map(|it| it.text.as_str());
    let query = preflight::duplicates(&table, &keys, nulls, predicate, dialect);
    let shown: Vec<&str> = index.keys.iter().map(|it| it.text.text.as_str()).collect();
    let message = format!(
        "where two rows of {} have the same {} it fails at its end, and leaves an invalid index",
        ctx.display(&table),
        shown.join(", ")
    );
    let span = index.name.as_ref().map_or(index.keyword, |name| name.span);
    Some(Hazard::new(&RULE, span, message).with_preflight(query))
}

/// Whether an index may meet duplicates, and ends with what is left of it. A step of a rewrite is told by its plan.
pub(crate) fn may_meet(index: &CreateIndex, table: &RelationName, catalog: &Catalog) -> bool {
    let of_rewrite = index.name.as_ref().is_some_and(|it| is_of_rewrite(&it.name));
    let counted = preflight::index_keys(&index.keys, catalog.dialect()).is_some();
    let apart = catalog.indexes(table).iter().any(|it| keeps_apart(it, index));
    index.unique && index.concurrently && counted && !of_rewrite && !apart
}

/// Whether an index that is there lets no two rows have the same values of the new one.
fn keeps_apart(own: &Index, new: &CreateIndex) -> bool {
    let of_new: BTreeSet<&str> =
        new.keys.iter().filter_map(|it| it.column.as_ref()).map(|it| it.name.as_str()).collect();
    let whole = own.unique && own.valid && own.predicate.is_none() && !own.keys.is_empty();
    whole && own.keys.iter().all(|it| it.column.as_deref().is_some_and(|it| of_new.contains(it)))
}
