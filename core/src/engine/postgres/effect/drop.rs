//! DROP (manual, DROP TABLE, DROP INDEX …; locks measured on 11 to 18).

use super::draft::Draft;
use super::table::{references, views};
use crate::catalog::{Dependent, RelationKind, RelationName, Thing, owned_by};
use crate::dialect::{LockMode, Name};
use crate::effect::Waits;
use crate::operation::{Drop, ObjectKind};

pub(super) fn drop(draft: &mut Draft<'_>, drop: &Drop) {
    // What goes in the same statement needs nothing any more (measured on 11 to 18).
    draft.gone = drop.names.iter().map(|it| draft.catalog.resolve(it)).collect();
    match drop.object {
        ObjectKind::Table | ObjectKind::ForeignTable => {
            for name in &drop.names {
                if let Some(table) = draft.existing(name, drop.if_exists) {
                    self::table(draft, &table, drop);
                }
            }
        }
        ObjectKind::Index => {
            draft.effect.transactional = !drop.concurrently;
            for name in &drop.names {
                if let Some(index) = draft.existing(name, drop.if_exists) {
                    self::index(draft, &index, drop);
                }
            }
        }
        ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence => {
            for name in &drop.names {
                if let Some(relation) = draft.existing(name, drop.if_exists) {
                    self::relation(draft, &relation, drop);
                }
            }
        }
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => on_table(draft, drop),
        ObjectKind::Type | ObjectKind::Domain => types(draft, drop),
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => routines(draft, drop),
        ObjectKind::Extension => {
            for name in &drop.names {
                depending(draft, &Thing::Extension(name.name.clone()), drop, &name.name);
            }
        }
        ObjectKind::Schema => schemas(draft, drop),
        ObjectKind::Statistics => statistics(draft, drop),
        ObjectKind::Database | ObjectKind::Subscription => draft.effect.transactional = false,
        _ => {}
    }
}

/// What depends on an object keeps it, or goes with it.
fn depending(draft: &mut Draft<'_>, on: &Thing, drop: &Drop, name: &str) {
    let named: Vec<RelationName> = drop.names.iter().map(|it| draft.catalog.resolve(it)).collect();
    let goes = |it: &Dependent| match it {
        Dependent::Type(ty) => named.contains(ty),
        Dependent::Routine(routine) => {
            drop.object == ObjectKind::Routine && named.iter().any(|it| it.name == routine.name)
        }
        _ => it.relation().is_some_and(|it| {
            named.contains(it) || named.iter().any(|named| draft.catalog.descendants(named).contains(it))
        }),
    };
    let found: Vec<Dependent> = draft.catalog.dependents(on).into_iter().filter(|it| !goes(it)).collect();
    if let Some(first) = found.first().filter(|_| !drop.cascade) {
        let what = what_depends(draft, first);
        draft.fail(format!("{what} needs {name}: CASCADE drops it too"));
    }
    for relation in found.iter().filter_map(Dependent::relation) {
        draft.lock(relation, LockMode::AccessExclusive);
    }
}

fn what_depends(draft: &Draft<'_>, dependent: &Dependent) -> String {
    match dependent {
        Dependent::Trigger(on, name) => format!("the trigger {name} on {}", draft.display(on)),
        Dependent::Policy(on, name) => format!("the policy {name} on {}", draft.display(on)),
        Dependent::Column(table, column) => format!("the column {}.{column}", draft.display(table)),
        Dependent::Default(table, column) => format!("the default of {}.{column}", draft.display(table)),
        Dependent::Constraint(table, name) => format!("the constraint {name} of {}", draft.display(table)),
        Dependent::Index(_, name) => format!("the index {}", draft.display(name)),
        Dependent::View(name) => format!("the view {}", draft.display(name)),
        Dependent::Type(name) => format!("the type {}", draft.display(name)),
        Dependent::Routine(name) => format!("the function {name}"),
    }
}

fn routines(draft: &mut Draft<'_>, drop: &Drop) {
    let arguments = drop.arguments.as_deref().filter(|_| drop.names.len() == 1);
    for (name, takes) in drop.names.iter().zip(&drop.takes) {
        let refused = draft.catalog.refuses_routine(drop.object, name, takes.as_deref(), arguments);
        if let Some(reason) = refused.filter(|it| !drop.if_exists || !it.contains("does not exist")) {
            return draft.fail(reason);
        }
        if let Some(routine) = draft.catalog.routine_name(name, takes.as_deref()) {
            let shown = routine.to_string();
            depending(draft, &Thing::Routine(routine), drop, &shown);
        }
    }
}

fn on_table(draft: &mut Draft<'_>, drop: &Drop) {
    let Some(table) = drop.on_table.as_ref().and_then(|it| draft.existing(it, drop.if_exists)) else {
        return;
    };
    if is_missing(draft, &table, drop) {
        if !drop.if_exists {
            draft.fail(format!("{} has no such {}", draft.display(&table), drop.object.title()));
        }
        return;
    }
    draft.lock(&table, LockMode::AccessExclusive);
    if drop.object == ObjectKind::Trigger {
        draft.lock_tree(&table, LockMode::AccessExclusive);
    }
}

/// Whether the trigger, policy or rule is certainly not there.
fn is_missing(draft: &Draft<'_>, relation: &RelationName, drop: &Drop) -> bool {
    let certain = draft.catalog.is_complete() && draft.relation(relation).is_some_and(|it| !it.uncertain);
    let (Some(table), Some(name)) = (draft.table(relation), drop.names.first()) else { return false };
    // Partitions have the triggers of their parent, and those are not replayed.
    let certain = certain && table.partition_of.is_none();
    certain
        && match drop.object {
            ObjectKind::Trigger => table.triggers.iter().all(|it| it.name != name.name),
            ObjectKind::Policy => table.policies.iter().all(|(it, _)| *it != name.name),
            _ => table.rules.iter().all(|it| *it != name.name),
        }
}

fn table(draft: &mut Draft<'_>, table: &RelationName, drop: &Drop) {
    draft.cite("DROP TABLE locks every table that it refers to (measured on 11 to 18)");
    let descendants = draft.catalog.descendants(table);
    let partitioned = draft.table(table).is_some_and(|it| it.partition_by.is_some());
    if !partitioned && !descendants.iter().all(|it| draft.gone.contains(it)) && !drop.cascade {
        draft.fail("tables inherit from it: CASCADE drops them too");
    }
    for name in std::iter::once(table.clone()).chain(descendants) {
        draft.lock(&name, LockMode::AccessExclusive);
        draft.lock_indexes(&name, LockMode::AccessExclusive);
        for parent in references(draft, &name) {
            draft.lock(&parent, LockMode::AccessExclusive);
        }
        let sequences = draft.table(&name).map(|it| &it.columns).unwrap_or_default();
        for sequence in sequences.iter().filter_map(|column| column.sequence.as_ref()) {
            draft.lock(sequence, LockMode::AccessExclusive);
        }
    }
    for child in draft.table(table).map(|it| it.referenced_by.clone()).unwrap_or_default() {
        if child != *table && !drop.cascade && !draft.gone.contains(&child) {
            draft.fail(format!("a foreign key of {} points at it", draft.display(&child)));
        }
        draft.lock(&child, LockMode::AccessExclusive);
    }
    parent_of_partition(draft, table);
    views(draft, table, None, drop.cascade);
    if let Some(state) = draft.table(table) {
        for on in owned_by(table, state) {
            let name = match &on {
                Thing::Sequence(sequence) => format!("its sequence {}", draft.display(sequence)),
                _ => format!("the row type {}", draft.display(table)),
            };
            depending(draft, &on, drop, &name);
        }
    }
}

/// The parent of a partition is closed too, and the default partition, whose bound changes.
fn parent_of_partition(draft: &mut Draft<'_>, table: &RelationName) {
    let Some((parent, _)) = draft.table(table).and_then(|it| it.partition_of.clone()) else { return };
    draft.lock(&parent, LockMode::AccessExclusive);
    let siblings = draft.table(&parent).map(|it| it.children.clone()).unwrap_or_default();
    for sibling in siblings {
        if draft.table(&sibling).is_some_and(|it| it.is_default_partition()) {
            draft.lock(&sibling, LockMode::AccessExclusive);
        }
    }
}

fn index(draft: &mut Draft<'_>, index: &RelationName, drop: &Drop) {
    let found = draft.catalog.index(index).map(|(table, index)| (table.clone(), index.clone()));
    if drop.concurrently {
        // The index goes under ACCESS EXCLUSIVE when no plan uses it any more.
        draft.waits = Some(Waits::SchemaChanges);
    }
    draft.lock_index(index, LockMode::AccessExclusive);
    let Some((table, state)) = found else {
        return draft.assume(format!("the table of {} is not known; it is locked too", draft.display(index)));
    };
    if draft.table(&table).and_then(|it| it.constraint(&index.name)).is_some_and(|it| it.demand.has_index()) {
        draft.fail(format!("the constraint {} needs the index: drop the constraint", index.name));
    }
    let mode = if drop.concurrently { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
    if drop.concurrently && !state.children.is_empty() {
        draft.fail("an index on a partitioned table cannot be dropped concurrently");
    }
    draft.lock(&table, mode);
    for child in &state.children {
        draft.lock_index(child, LockMode::AccessExclusive);
        if let Some((table, _)) = draft.catalog.index(child) {
            draft.lock(table, LockMode::AccessExclusive);
        }
    }
    if draft.table(&table).is_some_and(|it| it.partition_by.is_some()) {
        draft.lock_tree(&table, LockMode::AccessExclusive);
    }
}

fn relation(draft: &mut Draft<'_>, relation: &RelationName, drop: &Drop) {
    let cascade = drop.cascade;
    draft.lock(relation, LockMode::AccessExclusive);
    draft.lock_indexes(relation, LockMode::AccessExclusive);
    if let Some(RelationKind::Sequence(sequence)) = draft.relation(relation).map(|it| &it.kind)
        && let Some((table, column)) = &sequence.owned_by
    {
        if !cascade && uses_sequence(draft, table, column, relation) {
            draft.fail(format!("the default of {}.{column} needs it", draft.display(table)));
        }
        draft.lock(table, LockMode::AccessExclusive);
    }
    let on = match draft.relation(relation).map(|it| &it.kind) {
        Some(RelationKind::Sequence(_)) => Thing::Sequence(relation.clone()),
        _ => Thing::Type(relation.clone()),
    };
    let name = draft.display(relation);
    depending(draft, &on, drop, &name);
    views(draft, relation, None, cascade);
}

fn uses_sequence(draft: &Draft<'_>, table: &RelationName, column: &str, sequence: &RelationName) -> bool {
    let Some(column) = draft.table(table).and_then(|table| table.column(column)) else { return false };
    let by_default = column.default.as_ref().is_some_and(|it| it.text.contains(&*sequence.name));
    by_default || column.identity.is_some() && column.sequence.as_ref() == Some(sequence)
}

/// With CASCADE the columns of the type go.
fn types(draft: &mut Draft<'_>, drop: &Drop) {
    for name in &drop.names {
        let ty = draft.catalog.resolve(name);
        if draft.catalog.tables_of_type(&ty).is_empty() && draft.catalog.tables_using(&ty).is_empty() {
            depending(draft, &Thing::Type(ty.clone()), drop, &name.to_string());
        }
        for table in draft.catalog.tables_of_type(&ty) {
            if !drop.cascade {
                draft.fail(format!("{} is a table of the type {name}", draft.display(&table)));
            }
            self::table(draft, &table, drop);
        }
        for (table, columns) in draft.catalog.tables_using(&ty) {
            if !drop.cascade {
                draft.fail(format!("{}.{} is of the type {name}", draft.display(&table), columns[0]));
            }
            for column in &columns {
                super::table::drop_column(draft, &table, column, true);
            }
        }
    }
}

fn schemas(draft: &mut Draft<'_>, drop: &Drop) {
    for Name { name, .. } in &drop.names {
        let inside: Vec<RelationName> =
            draft.catalog.relations().map(|(it, _)| it.clone()).filter(|it| *it.schema == **name).collect();
        for relation in inside {
            if !drop.cascade {
                draft.fail(format!("the schema holds {}: CASCADE drops all of it", draft.display(&relation)));
            }
            draft.lock(&relation, LockMode::AccessExclusive);
        }
    }
}

/// From 12 on the table is locked too (measured).
fn statistics(draft: &mut Draft<'_>, drop: &Drop) {
    for name in &drop.names {
        let name = draft.catalog.resolve(name);
        let owner = draft.catalog.tables().find(|(_, it)| it.statistics.iter().any(|(it, _)| *it == name));
        if let Some((owner, _)) = owner.filter(|_| draft.since(12)) {
            let owner = owner.clone();
            draft.lock(&owner, LockMode::ShareUpdateExclusive);
        }
    }
}
