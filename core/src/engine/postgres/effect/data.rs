//! Changes of rows, queries, explicit locks and TRUNCATE.

use super::draft::Draft;
use crate::catalog::{Demand, RelationName};
use crate::dialect::{LockMode, Name};
use crate::operation::{Copy, Delete, Expression, Insert, Lock, Merge, Query, QueryText, Truncate, Update};

/// A query that another statement stores: its relations are opened, and read where it runs.
pub(super) fn read_query(draft: &mut Draft<'_>, query: &QueryText, runs: bool) {
    for name in query.relations(draft.catalog.dialect()) {
        let Some(relation) = known(draft, &name) else { continue };
        if runs {
            draft.read(&relation, LockMode::AccessShare);
            scan_unless_found(draft, &relation, None);
        } else {
            draft.lock(&relation, LockMode::AccessShare);
        }
    }
}

/// A relation that is in the catalog: functions and the names of a query's own parts look like relations too.
fn known(draft: &Draft<'_>, name: &Name) -> Option<RelationName> {
    let resolved = draft.catalog.resolve(name);
    let system = matches!(name.schema.as_deref(), Some("pg_catalog" | "information_schema"));
    let unknown_schema = !draft.catalog.is_complete() && !system;
    (draft.relation(&resolved).is_some() || unknown_schema).then_some(resolved)
}

/// All rows are read, unless a condition names the first column of an index; whether they are.
fn scan_unless_found(draft: &mut Draft<'_>, relation: &RelationName, condition: Option<&Expression>) -> bool {
    let found = condition.is_some_and(|condition| {
        let indexes = draft.catalog.indexes(relation).iter();
        let firsts = indexes.filter_map(|index| index.keys.first().and_then(|key| key.column.as_deref()));
        condition.names_any(firsts, draft.catalog.dialect())
    });
    if !found {
        draft.scan_tree(relation);
    }
    !found
}

pub(super) fn query(draft: &mut Draft<'_>, query: &Query) {
    let mode = if query.locks_rows { LockMode::RowShare } else { LockMode::AccessShare };
    let condition = where_of(&query.query.text);
    let relations = query.query.relations(draft.catalog.dialect());
    if relations.len() <= 2 {
        refuse_columns(draft, &query.query);
    }
    for name in relations {
        let Some(relation) = known(draft, &name) else { continue };
        draft.read(&relation, mode);
        scan_unless_found(draft, &relation, condition.as_ref());
    }
}

/// A plain query of one known table without aliases fails on a column that the table certainly does not have.
pub(super) fn refuse_columns(draft: &mut Draft<'_>, query: &QueryText) {
    if !draft.catalog.is_complete() {
        return;
    }
    let Some((relation, columns)) = query.columns_of_single_relation(draft.catalog.dialect()) else { return };
    let relation = draft.catalog.resolve(&relation);
    let system = ["*", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", &*relation.name];
    let lacks =
        |it: &String| draft.catalog.lacks_column(&relation, it) && draft.catalog.routine(it).is_none();
    let missing = columns.iter().find(|it| lacks(it) && !system.contains(&it.as_str()));
    if let Some(missing) = missing {
        draft.fail(format!("column {missing} of {} does not exist", draft.display(&relation)));
    }
}

fn where_of(text: &str) -> Option<Expression> {
    let at = text.to_ascii_lowercase().find(" where ")?;
    Some(Expression::new(&text[at + 7..]))
}

pub(super) fn insert(draft: &mut Draft<'_>, insert: &Insert) {
    let Some(table) = draft.existing(&insert.table, false) else { return };
    super::names::insert(draft, &table, insert);
    draft.lock(&table, LockMode::RowExclusive);
    if insert.on_conflict.is_some() {
        draft.lock_indexes(&table, LockMode::RowExclusive);
    }
    lock_parents(draft, &table, None);
    draw_numbers(draft, &table, insert);
    if let Some(query) = &insert.query {
        refuse_columns(draft, query);
        read_query(draft, query, true);
    }
    read_others(draft, &insert.others);
}

/// Columns that are left out take their value from their sequence.
fn draw_numbers(draft: &mut Draft<'_>, table: &RelationName, insert: &Insert) {
    let columns = draft.table(table).map(|it| &it.columns).unwrap_or_default();
    let left_out = columns.iter().filter(|it| insert.columns.iter().all(|named| named.name != it.name));
    for sequence in left_out.filter_map(|column| column.sequence.as_ref()) {
        if !insert.columns.is_empty() {
            draft.lock(sequence, LockMode::RowExclusive);
        }
    }
}

fn read_others(draft: &mut Draft<'_>, others: &[Name]) {
    for name in others {
        if let Some(relation) = known(draft, name) {
            draft.read(&relation, LockMode::AccessShare);
            draft.scan_tree(&relation);
        }
    }
}

/// A row that points elsewhere locks the row that it points at (`RI_FKey_check`). With `columns`, only keys in them.
fn lock_parents(draft: &mut Draft<'_>, table: &RelationName, columns: Option<&[String]>) {
    let Some(state) = draft.table(table) else { return };
    for constraint in state.constraints.iter().filter(|it| it.enforced) {
        let Demand::ForeignKey { columns: own, references, key } = &constraint.demand else { continue };
        if columns.is_none_or(|columns| own.iter().any(|it| columns.contains(it))) {
            draft.lock(references, LockMode::RowShare);
            if draft.since(19) && !draft.is_partitioned(references) && !constraint.temporal {
                // From 19 on the row is looked for in the index of the key, without a query (measured).
                super::constraint::open_key(draft, references, key);
                continue;
            }
            let on_index = if draft.since(12) { LockMode::RowShare } else { LockMode::AccessShare };
            draft.lock_indexes(references, on_index);
        }
    }
}

/// Rows that are pointed at look for those that point at them, and change or delete them where the key says so.
fn lock_children(draft: &mut Draft<'_>, table: &RelationName, event: &str) {
    let children = draft.table(table).map(|it| it.referenced_by.clone()).unwrap_or_default();
    for child in children {
        let actions = draft.table(&child).map(|it| &it.constraints).unwrap_or_default().iter();
        let changes = actions.filter_map(|it| match &it.demand {
            Demand::ForeignKey { references, key, .. } if references == table => {
                Some(key.actions.to_lowercase())
            }
            _ => None,
        });
        let changes = changes.into_iter().any(|actions| {
            let of_event = actions.split("on ").find(|it| it.starts_with(event)).unwrap_or("");
            of_event.contains("cascade") || of_event.contains("set ")
        });
        let mode = if changes { LockMode::RowExclusive } else { LockMode::RowShare };
        draft.read(&child, mode);
        if changes {
            draft.lock_indexes(&child, LockMode::RowExclusive);
        }
        if !has_index_on_key(draft, &child, table) {
            draft.scan_tree(&child);
        }
    }
}

/// Whether the keys of a table that point at another one have an index that finds their rows.
fn has_index_on_key(draft: &Draft<'_>, child: &RelationName, parent: &RelationName) -> bool {
    let constraints = draft.table(child).map(|it| &it.constraints).unwrap_or_default();
    constraints.iter().all(|it| match &it.demand {
        Demand::ForeignKey { columns, references, .. } if references == parent => {
            draft.catalog.has_index_on(child, columns)
        }
        _ => true,
    })
}

pub(super) fn update(draft: &mut Draft<'_>, update: &Update) {
    let Some(table) = draft.existing(&update.table, false) else { return };
    super::names::update(draft, &table, update);
    change(draft, &table, update.condition.as_ref());
    let columns: Vec<String> = update.columns.iter().map(|column| column.name.clone()).collect();
    lock_parents(draft, &table, Some(&columns));
    let key = draft.table(&table).and_then(|it| it.primary_key()).unwrap_or_default();
    if key.iter().any(|column| columns.contains(column)) {
        lock_children(draft, &table, "update");
    }
    read_others(draft, &update.others);
}

pub(super) fn delete(draft: &mut Draft<'_>, delete: &Delete) {
    let Some(table) = draft.existing(&delete.table, false) else { return };
    super::names::delete(draft, &table, delete);
    change(draft, &table, delete.condition.as_ref());
    lock_children(draft, &table, "delete");
    read_others(draft, &delete.others);
}

fn change(draft: &mut Draft<'_>, table: &RelationName, condition: Option<&Expression>) {
    for name in draft.tree(table) {
        draft.lock(&name, LockMode::RowExclusive);
        draft.open_indexes(&name, LockMode::RowExclusive);
    }
    if scan_unless_found(draft, table, condition) {
        draft.update_tree(table);
    }
}

pub(super) fn merge(draft: &mut Draft<'_>, merge: &Merge) {
    draft.needs(15, "MERGE");
    super::twice::in_actions(draft, &merge.text.text);
    let Some(table) = draft.existing(&merge.table, false) else { return };
    change(draft, &table, None);
    lock_parents(draft, &table, None);
    read_others(draft, &merge.others);
}

pub(super) fn copy(draft: &mut Draft<'_>, copy: &Copy) {
    if let Some(table) = &copy.table {
        let Some(table) = draft.existing(table, false) else { return };
        if copy.into_table {
            draft.lock(&table, LockMode::RowExclusive);
            lock_parents(draft, &table, None);
        } else {
            // Until 12 the lock is given back when the copy ends (measured).
            if draft.since(13) {
                draft.lock(&table, LockMode::AccessShare);
            }
            draft.scan_tree(&table);
        }
    }
    read_others(draft, &copy.others);
}

/// Locks all that are named and what is below them; a view, what it reads.
pub(super) fn lock(draft: &mut Draft<'_>, lock: &Lock) {
    for table in &lock.tables {
        let Some(table) = draft.existing(table, false) else { return };
        draft.lock_tree(&table, lock.mode);
        if let Some(view) = draft.catalog.view(&table) {
            for dependence in view.depends_on.clone() {
                draft.lock_tree(&dependence.relation, lock.mode);
            }
        }
    }
}

pub(super) fn truncate(draft: &mut Draft<'_>, truncate: &Truncate) {
    let named: Vec<RelationName> = truncate.tables.iter().map(|it| draft.catalog.resolve(it)).collect();
    let mut open: Vec<RelationName> =
        truncate.tables.iter().filter_map(|table| draft.existing(table, false)).collect();
    let mut done: Vec<RelationName> = Vec::new();
    while let Some(table) = open.pop() {
        if done.contains(&table) {
            continue;
        }
        if draft.catalog.view(&table).is_some() {
            draft.fail(format!("{} is not a table", draft.display(&table)));
        }
        for name in draft.tree(&table) {
            draft.lock(&name, LockMode::AccessExclusive);
            if !draft.is_partitioned(&name) {
                draft.lock_indexes(&name, LockMode::AccessExclusive);
            }
            lock_sequences(draft, &name, truncate.restart_identity);
        }
        let above = draft.table(&table).and_then(|it| it.partition_of.clone());
        if let Some((parent, _)) = above.filter(|_| !draft.since(14)) {
            draft.lock(&parent, LockMode::AccessShare);
        }
        let children = draft.table(&table).map(|it| it.referenced_by.clone()).unwrap_or_default();
        let others: Vec<_> =
            children.into_iter().filter(|child| *child != table && !named.contains(child)).collect();
        if let Some(child) = others.first().filter(|_| !truncate.cascade) {
            draft.fail(format!("a foreign key of {} points at it", draft.display(child)));
        }
        open.extend(others);
        done.push(table);
    }
}

fn lock_sequences(draft: &mut Draft<'_>, table: &RelationName, restart: bool) {
    let columns = draft.table(table).map(|it| &it.columns).unwrap_or_default();
    for sequence in columns.iter().filter_map(|column| column.sequence.as_ref()).filter(|_| restart) {
        draft.lock(sequence, LockMode::AccessExclusive);
    }
}
