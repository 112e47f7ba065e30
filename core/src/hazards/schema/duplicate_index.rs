//! Another index does the same already, and every write keeps both.

use crate::catalog::{Catalog, Index};
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{CreateIndex, Kind, Operation};

/// Another index does the same already, and every write keeps both.
pub(crate) static RULE: Rule = Rule {
    id: "duplicate-index",
    severity: Severity::Note,
    dialects: &[Dialect::Postgres],
    page: include_str!("duplicate_index.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::CreateIndex(index) = &operation.kind else { return None };
    let table = ctx.resolve(&index.table);
    if ctx.goes_back() {
        // It was there before.
        return None;
    }
    let replaced = |it: &Index| ctx.rest_mentions(&["drop", "index", &it.name.name.to_lowercase()]);
    let other = duplicates(index, ctx.catalog).find(|it| !replaced(it))?;
    let message = format!("{} of {} does the same already", ctx.display(&other.name), ctx.display(&table));
    Some(Hazard::new(&RULE, index.name.as_ref().map_or(index.keyword, |name| name.span), message))
}

/// The indexes that do already what a new one would do.
pub(crate) fn duplicates<'a>(
    index: &'a CreateIndex,
    catalog: &'a Catalog,
) -> impl Iterator<Item = &'a Index> {
    let own = index.name.as_ref().map(|name| name.name.as_str());
    let indexes = catalog.indexes(&catalog.resolve(&index.table)).iter();
    indexes.filter(move |it| it.valid && serves(it, index) && own != Some(&*it.name.name))
}

/// Whether an index that is there finds and refuses all that the new one would.
fn serves(there: &Index, new: &CreateIndex) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let method = new.method.as_deref().unwrap_or("btree").to_lowercase();
    let own: Vec<String> = new.keys.iter().map(|key| plain(&key.text.text)).collect();
    let keys: Vec<String> = there.keys.iter().map(|key| plain(&key.text.text)).collect();
    let same = own == keys && (there.unique || !new.unique);
    // A longer B-tree begins with the same columns.
    let longer = method == "btree" && !new.unique && keys.len() > own.len() && keys.starts_with(&own);
    let predicate = |it: Option<&crate::operation::Expression>| it.map(|it| plain(&it.text));
    there.method.to_lowercase() == method
        && predicate(there.predicate.as_ref()) == predicate(new.predicate.as_ref())
        && new.include.is_empty()
        && (same || longer)
}
