//! Indexes and maintenance (manual, CREATE INDEX, REINDEX, VACUUM, CLUSTER).

use super::draft::Draft;
use super::{immutable, repack};
use crate::catalog::RelationName;
use crate::dialect::{LockMode, Name};
use crate::effect::{Waits, Work};
use crate::operation::{CreateIndex, Maintain, Maintenance, Reindex, ReindexScope};

pub(super) fn create(draft: &mut Draft<'_>, create: &CreateIndex) {
    draft.cite("manual, CREATE INDEX: SHARE, or SHARE UPDATE EXCLUSIVE with CONCURRENTLY");
    let Some(relation) = draft.existing(&create.table, false) else { return };
    let partitioned = draft.table(&relation).is_some_and(|table| table.partition_by.is_some());
    if draft.catalog.view(&relation).is_some_and(|view| !view.materialized) {
        draft.fail(format!("{} is a view: it has no rows to index", draft.display(&relation)));
    }
    super::names::index(draft, &relation, create);
    let type_of = |name: &str| Some(draft.table(&relation)?.column(name)?.ty.clone());
    let keys = create.keys.iter().filter(|key| key.column.is_none()).map(|key| &key.text);
    let mut expressions = keys.chain(&create.predicate);
    if let Some(what) = expressions.find_map(|it| immutable::mutable(it, draft.catalog, &type_of)) {
        draft.fail(format!("{what} is not IMMUTABLE, as everything in an index must be"));
    }
    if create.nulls_not_distinct {
        draft.needs(15, "NULLS NOT DISTINCT");
    }
    let mode = if create.concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
    draft.effect.transactional = !create.concurrently;
    if create.concurrently && partitioned && !create.only {
        draft
            .fail("an index on a partitioned table cannot be built concurrently: ON ONLY, then leaf by leaf");
    }
    draft.lock(&relation, mode);
    let exists = create.name.as_ref().is_some_and(|name| {
        let name = RelationName { schema: relation.schema.clone(), name: name.name.as_str().into() };
        draft.relation(&name).is_some()
    });
    if exists {
        if !create.if_not_exists {
            draft.fail("a relation of that name is there already");
        }
        return;
    }
    if create.only && partitioned {
        return;
    }
    for child in draft.catalog.descendants(&relation).into_iter().filter(|_| partitioned) {
        draft.lock(&child, mode);
    }
    if partitioned { draft.build_tree(&relation) } else { build_one(draft, &relation) }
}

fn build_one(draft: &mut Draft<'_>, relation: &RelationName) {
    draft.effect.full_scan = true;
    draft.effect.work.push((relation.clone(), Work::IndexBuild));
}

pub(super) fn reindex(draft: &mut Draft<'_>, reindex: &Reindex) {
    if reindex.newer_form {
        draft.needs(14, "REINDEX with CONCURRENTLY or TABLESPACE in parentheses");
    }
    if reindex.concurrently {
        draft.needs(12, "REINDEX CONCURRENTLY");
        draft.effect.transactional = false;
        // The old index is dropped under ACCESS EXCLUSIVE when no plan uses it any more.
        draft.waits = Some(Waits::SchemaChanges);
    }
    let system = reindex.scope == ReindexScope::System;
    draft.effect.has_concurrent_form = !reindex.concurrently && !system && draft.since(12);
    match (reindex.scope, &reindex.name) {
        (ReindexScope::Index, Some(name)) => {
            let Some(index) = draft.existing(name, false) else { return };
            let of =
                draft.catalog.index(&index).map(|(table, index)| (table.clone(), index.children.clone()));
            if let Some((table, children)) = of.filter(|(table, _)| draft.is_partitioned(table)) {
                draft.needs(14, "REINDEX INDEX on a partitioned table");
                draft.effect.transactional = false;
                // Held while the partitions are listed.
                let mode =
                    if reindex.concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
                draft.lock(&table, mode);
                draft.lock_index(&index, LockMode::AccessExclusive);
                for child in children {
                    reindex_index(draft, &child, reindex.concurrently);
                }
                return;
            }
            reindex_index(draft, &index, reindex.concurrently);
        }
        (ReindexScope::Table, Some(name)) => {
            let Some(table) = draft.existing(name, false) else { return };
            if draft.is_partitioned(&table) {
                draft.lock(
                    &table,
                    if reindex.concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share },
                );
                if !draft.since(14) {
                    // It says that it cannot, and does nothing.
                    return;
                }
                // The partitions are done one after the other, each in a transaction of its own.
                draft.effect.transactional = false;
            }
            for leaf in draft.leaves(&table) {
                reindex_table(draft, &leaf, reindex.concurrently);
            }
        }
        (ReindexScope::Schema, Some(name)) => {
            draft.effect.transactional = false;
            let inside = tables_of(draft, Some(&name.name));
            for table in inside {
                reindex_table(draft, &table, reindex.concurrently);
            }
        }
        _ => {
            draft.effect.transactional = false;
            for table in tables_of(draft, None) {
                reindex_table(draft, &table, reindex.concurrently);
            }
        }
    }
}

fn tables_of(draft: &Draft<'_>, schema: Option<&str>) -> Vec<RelationName> {
    let inside =
        draft.catalog.tables().map(|(name, _)| name).filter(|it| schema.is_none_or(|s| *it.schema == *s));
    inside.cloned().collect()
}

fn reindex_index(draft: &mut Draft<'_>, index: &RelationName, concurrently: bool) {
    let mode = if concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
    draft.lock_index(index, LockMode::AccessExclusive);
    let table = draft.catalog.index(index).map(|(table, _)| table.clone());
    match table {
        Some(table) => {
            draft.lock(&table, mode);
            draft.rebuild(&table);
        }
        None => draft.rebuild(index),
    }
}

fn reindex_table(draft: &mut Draft<'_>, table: &RelationName, concurrently: bool) {
    let mode = if concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
    draft.lock(table, mode);
    draft.lock_indexes(table, LockMode::AccessExclusive);
    if !draft.catalog.indexes(table).is_empty() || draft.relation(table).is_none() {
        draft.rebuild(table);
    }
}

pub(super) fn maintain(draft: &mut Draft<'_>, maintain: &Maintain) {
    if let Maintenance::Repack { concurrently } = maintain.command {
        repack::repack(draft, maintain, concurrently);
    }
    let all_at_once = maintain.tables.is_empty();
    draft.effect.transactional = match maintain.command {
        Maintenance::Analyze => true,
        Maintenance::Cluster => !all_at_once,
        Maintenance::Repack { concurrently } => !all_at_once && !concurrently,
        Maintenance::Vacuum { .. } | Maintenance::VacuumFull => false,
    };
    for table in &maintain.tables {
        maintain_table(draft, table, maintain.command);
    }
    if let ([table], true) = (maintain.tables.as_slice(), maintain.command.shuts_out()) {
        let table = draft.catalog.resolve(table);
        draft.effect.has_concurrent_form = draft.since(19) && repack::refusal(draft, &table).is_none();
    }
}

fn maintain_table(draft: &mut Draft<'_>, table: &Name, command: Maintenance) {
    let Some(table) = draft.existing(table, false) else { return };
    match command {
        Maintenance::Vacuum { analyze } => {
            // Empty pages at the end of the file are given back under ACCESS EXCLUSIVE, but only for as long as
            // nobody waits (manual, VACUUM, TRUNCATE); that is not counted here.
            if draft.is_partitioned(&table) {
                draft.lock(&table, LockMode::AccessShare);
            }
            for leaf in draft.leaves(&table) {
                draft.lock(&leaf, LockMode::ShareUpdateExclusive);
                draft.lock_indexes(&leaf, LockMode::RowExclusive);
                // Pages that hold nothing new are passed over by the visibility map.
                if analyze || draft.table(&leaf).is_none_or(|table| table.dirty) {
                    draft.scan(&leaf);
                }
            }
        }
        Maintenance::Analyze => {
            for name in draft.tree(&table) {
                draft.lock(&name, LockMode::ShareUpdateExclusive);
                if !draft.is_partitioned(&name) {
                    draft.lock_indexes(&name, LockMode::AccessShare);
                }
            }
            draft.scan_tree(&table);
        }
        Maintenance::VacuumFull | Maintenance::Cluster | Maintenance::Repack { .. } => {
            if draft.is_partitioned(&table) && command.orders() {
                // From 15 on the partitions are done one after the other, each in a transaction of its own.
                draft.needs(15, "CLUSTER of a partitioned table");
                draft.effect.transactional = false;
                draft.lock(&table, LockMode::AccessExclusive);
                draft.lock_indexes(&table, LockMode::AccessShare);
            }
            for leaf in draft.leaves(&table) {
                draft.lock(&leaf, LockMode::AccessExclusive);
                draft.rewrite(&leaf);
            }
        }
    }
}
