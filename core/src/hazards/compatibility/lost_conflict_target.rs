//! INSERT … ON CONFLICT on the columns of the unique index fails as soon as the index is gone.

use crate::catalog::{Catalog, Index, RelationName};
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation, TableAction};

/// INSERT … ON CONFLICT on the columns of the unique index fails as soon as the index is gone.
pub(crate) static RULE: Rule = Rule {
    id: "lost-conflict-target",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("lost_conflict_target.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (index, span) = match &operation.kind {
        Kind::Drop(drop) if drop.object == ObjectKind::Index => {
            let name = drop.names.first()?;
            (ctx.resolve(name), name.span)
        }
        Kind::AlterTable(alter) => {
            let TableAction::DropConstraint { name, .. } = &alter.action else { return None };
            let table = ctx.resolve(&alter.table);
            (RelationName { schema: table.schema, name: name.name.as_str().into() }, name.span)
        }
        _ => return None,
    };
    let (table, found) = ctx.catalog.index(&index)?;
    let new = ctx.back.is_some_and(|before| before.index(&index).is_none());
    if new
        || !ctx.is_live(table)
        || ctx.fails()
        || !is_target(&index, ctx.catalog)
        || later(table, found, ctx)
    {
        return None;
    }
    let columns: Vec<&str> = found.keys.iter().map(|key| key.text.text.as_str()).collect();
    let table = ctx.display(table);
    let message = format!(
        "INSERT INTO {table} … ON CONFLICT ({}) fails, and duplicates may come in",
        columns.join(", ")
    );
    Some(Hazard::new(&RULE, span, message))
}

/// Whether an index is the only one that ON CONFLICT on its columns can go by.
pub(crate) fn is_target(index: &RelationName, catalog: &Catalog) -> bool {
    let Some((table, own)) = catalog.index(index) else { return false };
    let columns = |index: &Index| -> Vec<String> {
        let mut texts: Vec<String> = index.keys.iter().map(|key| key.text.text.to_lowercase()).collect();
        texts.sort();
        texts
    };
    let serves = |other: &Index| {
        other.name != *index
            && other.unique
            && other.valid
            && other.predicate.is_none()
            && columns(other) == columns(own)
    };
    own.unique && !catalog.indexes(table).iter().any(serves)
}

/// Whether a later statement of the transaction makes a key or unique index of the same columns.
fn later(table: &RelationName, dropped: &Index, ctx: &Context<'_>) -> bool {
    let columns: Option<Vec<&str>> = dropped.keys.iter().map(|key| key.column.as_deref()).collect();
    let Some(columns) = columns.filter(|_| ctx.in_transaction()) else { return false };
    let made =
        |word: &str| columns.iter().all(|column| ctx.rest_mentions(&["alter", &table.name, word, column]));
    let built =
        columns.iter().all(|column| ctx.rest_mentions(&["create", "unique", "index", &table.name, column]));
    made("unique") || made("primary") || built
}
