//! REPACK: what it refuses, and whether a table can be rewritten without blocking its users (measured on 19).

use super::draft::Draft;
use crate::catalog::{RelationName, Setting};
use crate::effect::Waits;
use crate::operation::Maintain;

pub(super) fn repack(draft: &mut Draft<'_>, maintain: &Maintain, concurrently: bool) {
    draft.needs(19, "REPACK");
    let Some(table) = maintain.tables.first() else {
        if concurrently {
            draft.fail("REPACK (CONCURRENTLY) needs the name of a table");
        }
        return;
    };
    let table = draft.catalog.resolve(table);
    let incomplete = draft.catalog.indexes(&table).iter().find(|it| !it.valid);
    if let Some(index) = incomplete.filter(|_| !draft.is_partitioned(&table)) {
        draft.fail(format!("the index {} is not valid, and REPACK refuses it", index.name.name));
    }
    if !concurrently {
        return;
    }
    draft.cite(
        "manual, REPACK: with CONCURRENTLY the table is copied under SHARE UPDATE EXCLUSIVE, and ACCESS EXCLUSIVE is taken for the swap of the files \
         (measured on 19)",
    );
    draft.waits = Some(Waits::SchemaChanges);
    if let Some(reason) = refusal(draft, &table) {
        draft.fail(reason);
    }
}

/// Why the table cannot be rewritten without blocking its users. Logical decoding has to tell its rows apart.
pub(super) fn refusal(draft: &Draft<'_>, name: &RelationName) -> Option<String> {
    let shown = draft.display(name);
    if draft.catalog.view(name).is_some() {
        return Some(format!("{shown} is a view, and REPACK (CONCURRENTLY) takes only tables"));
    }
    let relation = draft.relation(name)?;
    let table = draft.table(name)?;
    if table.partition_by.is_some() {
        return Some(format!("{shown} is partitioned: REPACK (CONCURRENTLY) takes one partition at a time"));
    }
    if table.unlogged || table.temporary {
        return Some(format!("{shown} is not written to the log, and REPACK (CONCURRENTLY) reads it there"));
    }
    match relation.details.get(&Setting::ReplicaIdentity) {
        Some(word @ ("full" | "nothing")) => {
            return Some(format!(
                "REPACK (CONCURRENTLY) refuses REPLICA IDENTITY {}, which {shown} has",
                word.to_uppercase()
            ));
        }
        Some(_) => return None,
        None => {}
    }
    let key = table.constraints.iter().find(|it| matches!(it.demand, crate::catalog::Demand::PrimaryKey(_)));
    match key {
        None if !relation.uncertain && !table.guessed => Some(format!(
            "{shown} has neither a primary key nor a replica identity, and REPACK (CONCURRENTLY) tells rows apart by one"
        )),
        Some(key) if key.deferrable => {
            Some(format!("the primary key of {shown} is deferrable, and REPACK (CONCURRENTLY) refuses it"))
        }
        _ => None,
    }
}
