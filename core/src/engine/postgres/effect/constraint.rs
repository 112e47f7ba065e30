//! Constraints (manual, ALTER TABLE; locks measured on 11 to 18).

use super::alter::key_of;
use super::draft::Draft;
use crate::catalog::{ConstraintState, Demand, RelationName, Table};
use crate::dialect::{Ident, LockMode};
use crate::operation::{Constraint, ConstraintKind, ForeignKey};

pub(super) fn add(draft: &mut Draft<'_>, relation: &RelationName, constraint: &Constraint) {
    if constraint.not_enforced {
        draft.needs(18, "NOT ENFORCED");
    }
    super::names::constraint(draft, relation, constraint);
    if let Some(name) = &constraint.name
        && draft.table(relation).is_some_and(|table| table.constraint(&name.name).is_some())
    {
        draft.fail(format!("the constraint {name} is there already"));
    }
    match &constraint.kind {
        ConstraintKind::Check(_) => {
            let names = if constraint.no_inherit { vec![relation.clone()] } else { draft.tree(relation) };
            for name in &names {
                draft.lock(name, LockMode::AccessExclusive);
            }
            if !constraint.not_valid && !constraint.not_enforced {
                let with_rows =
                    if constraint.no_inherit { vec![relation.clone()] } else { draft.leaves(relation) };
                for name in with_rows {
                    draft.scan(&name);
                }
                draft.effect.can_validate_later = true;
            }
        }
        ConstraintKind::NotNull(column) => add_not_null(draft, relation, constraint, column),
        ConstraintKind::Unique { columns, using_index, nulls_not_distinct } => {
            if *nulls_not_distinct {
                draft.needs(15, "NULLS NOT DISTINCT");
            }
            keyed(draft, relation, columns, using_index.as_ref(), KeyKind::Unique);
        }
        ConstraintKind::PrimaryKey { columns, using_index } => {
            keyed(draft, relation, columns, using_index.as_ref(), KeyKind::Primary);
        }
        ConstraintKind::Exclude { columns } => keyed(draft, relation, columns, None, KeyKind::Exclusion),
        ConstraintKind::ForeignKey(key) => {
            add_key(draft, relation, constraint, key, LockMode::ShareRowExclusive)
        }
    }
}

fn add_not_null(draft: &mut Draft<'_>, relation: &RelationName, constraint: &Constraint, column: &Ident) {
    draft.needs(18, "a NOT NULL constraint with a name of its own");
    draft.lock_tree(relation, LockMode::AccessExclusive);
    if !constraint.not_valid && !is_not_null(draft, relation, &column.name) {
        draft.scan_tree(relation);
        draft.effect.can_validate_later = true;
    }
}

/// Whether the column refuses NULL already, or a valid constraint proves that it holds none.
fn is_not_null(draft: &Draft<'_>, relation: &RelationName, column: &str) -> bool {
    let Some(table) = draft.table(relation) else { return false };
    table.column(column).is_some_and(|column| column.not_null)
        || (draft.since(12) && proves_not_null(draft, table, column))
}

/// From 12 on a valid check serves as the proof (release notes of 12).
fn proves_not_null(draft: &Draft<'_>, table: &Table, column: &str) -> bool {
    let proves = |constraint: &ConstraintState| match &constraint.demand {
        Demand::Check(expression) => {
            constraint.valid && expression.implied_not_null(draft.catalog.dialect()).contains(column)
        }
        _ => false,
    };
    table.constraints.iter().any(proves)
}

pub(super) fn set_not_null(draft: &mut Draft<'_>, relation: &RelationName, column: &str) {
    draft.cite("manual, ALTER TABLE: SET NOT NULL; a valid CHECK saves the scan from 12 on (measured)");
    draft.lock_tree(relation, LockMode::AccessExclusive);
    for leaf in draft.leaves(relation) {
        if !is_not_null(draft, &leaf, column) {
            draft.scan(&leaf);
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum KeyKind {
    Unique,
    Primary,
    Exclusion,
}

fn keyed(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    columns: &[Ident],
    using_index: Option<&Ident>,
    kind: KeyKind,
) {
    draft.lock(relation, LockMode::AccessExclusive);
    if kind == KeyKind::Primary && draft.table(relation).is_some_and(|table| table.primary_key().is_some()) {
        draft.fail(format!("{} has a primary key already", draft.display(relation)));
    }
    match using_index {
        Some(index) => use_index(draft, relation, index, kind),
        None => build(draft, relation, columns, kind),
    }
}

fn build(draft: &mut Draft<'_>, relation: &RelationName, columns: &[Ident], kind: KeyKind) {
    let table = draft.table(relation);
    let key = table.and_then(|table| table.partition_by.as_ref());
    if let Some(missing) =
        key.and_then(|key| key.columns.iter().find(|it| columns.iter().all(|c| c.name != **it)))
    {
        draft.fail(format!(
            "the key of a partitioned table must hold its partition key, and {missing} is not in it"
        ));
    }
    let nullable = |column: &&Ident| {
        table.and_then(|table| table.column(&column.name)).is_some_and(|column| !column.not_null)
    };
    let sets_not_null = kind == KeyKind::Primary && columns.iter().any(|column| nullable(&column));
    // The partitions are only built on (SHARE), until 18 hands NOT NULL down as a constraint.
    let strong = sets_not_null || draft.since(18);
    let mode = if strong { LockMode::AccessExclusive } else { LockMode::Share };
    for child in draft.catalog.descendants(relation) {
        // Tables that inherit have keys of their own; only NOT NULL comes down to them, and from 18 on the lock.
        if strong || draft.is_partitioned(relation) {
            draft.lock(&child, mode);
        }
    }
    let equal = |leaf: &RelationName| {
        let same = |own: &[String]| own.iter().eq(columns.iter().map(|it| &it.name));
        draft.is_partitioned(relation)
            && draft.table(leaf).is_some_and(|it| {
                it.constraints.iter().any(|own| match &own.demand {
                    Demand::PrimaryKey(own) => kind == KeyKind::Primary && same(own),
                    Demand::Unique(own) => kind == KeyKind::Unique && same(own),
                    _ => false,
                })
            })
    };
    let taken: Vec<RelationName> = draft.leaves(relation).into_iter().filter(equal).collect();
    if !taken.is_empty() && taken == draft.leaves(relation) {
        draft.cite("an equal key of each partition is taken over with its index (measured on 12 and 17)");
    } else {
        draft.build_tree(relation);
    }
    if sets_not_null {
        draft.scan_tree(relation);
    }
}

fn use_index(draft: &mut Draft<'_>, relation: &RelationName, index: &Ident, kind: KeyKind) {
    let name = RelationName { schema: relation.schema.clone(), name: index.name.as_str().into() };
    // The index takes the constraint's name, and renaming an index became lighter with 12.
    let mode = if draft.since(12) { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
    draft.lock_index(&name, mode);
    let Some(found) = draft.table(relation).and_then(|table| table.index(&index.name)) else {
        if draft.catalog.is_complete() && draft.table(relation).is_some() {
            draft.fail(format!("the index {index} does not exist"));
        }
        return;
    };
    if !found.unique || found.predicate.is_some() || found.keys.iter().any(|key| key.column.is_none()) {
        draft
            .fail(format!("{index} cannot keep a constraint: it must be unique, whole and on plain columns"));
    }
    if !found.valid {
        draft.fail(format!("the index {index} is not valid: its build was interrupted or is not complete"));
    }
    let columns: Vec<String> = found.keys.iter().filter_map(|key| key.column.clone()).collect();
    if kind == KeyKind::Primary && columns.iter().any(|column| !is_not_null(draft, relation, column)) {
        draft.scan_tree(relation);
    }
}

/// A new foreign key. `mode` is the lock on this side: weaker when the key comes alone than with a new column.
pub(super) fn add_key(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    constraint: &Constraint,
    key: &ForeignKey,
    mode: LockMode,
) {
    draft.cite("manual, ALTER TABLE: ADD FOREIGN KEY takes SHARE ROW EXCLUSIVE on both tables");
    let tables = if draft.since(18) { draft.tree(relation) } else { draft.partition_tree(relation) };
    for name in tables {
        draft.lock(&name, mode);
    }
    let Some(parent) = draft.existing(&key.references, false) else { return };
    refuse_key(draft, &parent, key);
    for name in draft.partition_tree(&parent) {
        draft.lock(&name, LockMode::ShareRowExclusive);
        open_key(draft, &name, key);
    }
    let partitioned = draft.table(relation).is_some_and(|table| table.partition_by.is_some());
    if constraint.not_valid && partitioned && !draft.since(18) {
        draft.fail("before 18 a foreign key on a partitioned table cannot be NOT VALID");
    }
    if !constraint.not_valid && !constraint.not_enforced {
        let taken = partitions_with(draft, relation, &parent, constraint, key);
        if partitioned && taken == draft.leaves(relation) {
            // The triggers of the partitions' own keys go from the other side (measured on 12 and 17: no row is read).
            draft.cite(
                "a valid equal key of each partition is taken over without a scan (measured on 12 and 17)",
            );
            draft.lock(&parent, LockMode::AccessExclusive);
        } else {
            draft.check_key(relation, &parent);
            draft.effect.can_validate_later = !partitioned || draft.since(18);
        }
    }
}

/// The partitions that have an equal key already, whose rows are known to satisfy it.
fn partitions_with(
    draft: &Draft<'_>,
    relation: &RelationName,
    parent: &RelationName,
    constraint: &Constraint,
    key: &ForeignKey,
) -> Vec<RelationName> {
    let mut leaves = draft.leaves(relation);
    leaves.retain(|leaf| {
        leaf != relation
            && draft
                .table(leaf)
                .is_some_and(|it| it.constraints.iter().any(|own| own.takes_over(parent, constraint, key)))
    });
    leaves
}

/// The same for a table that is being made.
pub(super) fn refuse_new_key(draft: &mut Draft<'_>, key: &ForeignKey) {
    if let Some(parent) = draft.existing(&key.references, false) {
        refuse_key(draft, &parent, key);
    }
}

/// From 19 on the index of the key that is pointed at is opened too (measured).
pub(super) fn open_key(draft: &mut Draft<'_>, parent: &RelationName, key: &ForeignKey) {
    if let Some(index) = key_index(draft, parent, key).filter(|_| draft.since(19)) {
        draft.lock_index(&index, LockMode::AccessShare);
    }
}

/// The index of the key that a foreign key points at.
pub(super) fn key_index(draft: &Draft<'_>, parent: &RelationName, key: &ForeignKey) -> Option<RelationName> {
    let table = draft.table(parent)?;
    let named: Vec<&str> = key.referenced.iter().map(|it| it.name.as_str()).collect();
    let primary = || table.primary_key().map(|it| it.iter().map(String::as_str).collect());
    let mut wanted = if named.is_empty() { primary()? } else { named };
    wanted.sort_unstable();
    let is_it = |index: &&crate::catalog::Index| {
        let mut keys: Vec<&str> = index.keys.iter().filter_map(|key| key.column.as_deref()).collect();
        keys.sort_unstable();
        index.unique && index.predicate.is_none() && keys == wanted
    };
    table.indexes.iter().find(is_it).map(|it| it.name.clone())
}

fn refuse_key(draft: &mut Draft<'_>, parent: &RelationName, key: &ForeignKey) {
    let Some(table) = draft.table(parent) else { return };
    let partitioned = table.partition_by.is_some();
    if partitioned && !draft.since(12) {
        draft.fail("before 12 a foreign key cannot point at a partitioned table");
    }
    let columns: Vec<&str> = key.referenced.iter().map(|it| it.name.as_str()).collect();
    let unique = |index: &crate::catalog::Index| {
        let mut keys: Vec<&str> = index.keys.iter().filter_map(|key| key.column.as_deref()).collect();
        let mut wanted = columns.clone();
        keys.sort_unstable();
        wanted.sort_unstable();
        index.unique && index.predicate.is_none() && keys == wanted
    };
    let found =
        if columns.is_empty() { table.primary_key().is_some() } else { table.indexes.iter().any(unique) };
    if !found && draft.relation(parent).is_some_and(|it| !it.uncertain) {
        draft.fail(format!("no unique constraint of {} is on the columns of the key", draft.display(parent)));
    }
}

pub(super) fn validate(draft: &mut Draft<'_>, relation: &RelationName, name: &str) {
    draft.cite("manual, ALTER TABLE: VALIDATE CONSTRAINT takes SHARE UPDATE EXCLUSIVE");
    let Some(state) = found(draft, relation, name, false) else {
        draft.lock_tree(relation, LockMode::ShareUpdateExclusive);
        return;
    };
    match &state.demand {
        Demand::ForeignKey { references, .. } => {
            draft.lock_tree(relation, LockMode::ShareUpdateExclusive);
            if !state.valid {
                draft.lock_tree(references, LockMode::RowShare);
                draft.check_key(relation, references);
            }
        }
        _ => {
            draft.lock_tree(relation, LockMode::ShareUpdateExclusive);
            if !state.valid {
                draft.scan_tree(relation);
            }
        }
    }
}

/// The constraint, where it is known; one that is known to be missing fails the statement.
fn found(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    name: &str,
    if_exists: bool,
) -> Option<ConstraintState> {
    let table = draft.table(relation)?;
    let state = table.constraint(name).cloned();
    let certain = draft.catalog.is_complete() && draft.relation(relation).is_some_and(|it| !it.uncertain);
    // From 18 on every NOT NULL has a name, which is not replayed for columns that state none.
    let perhaps_not_null = draft.since(18) && name.ends_with("_not_null");
    if state.is_none() && certain && !if_exists && !perhaps_not_null {
        draft.fail(format!("the constraint {name} of {} does not exist", draft.display(relation)));
    }
    state
}

pub(super) fn drop(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    name: &str,
    if_exists: bool,
    cascade: bool,
) {
    draft.lock(relation, LockMode::AccessExclusive);
    let Some(state) = found(draft, relation, name, if_exists) else { return };
    if let Some(references) = key_of(&state.demand) {
        draft.cite("DROP CONSTRAINT of a foreign key locks the referenced table too (measured on 11 to 18)");
        draft.lock_tree(references, LockMode::AccessExclusive);
    }
    if state.demand.has_index() {
        let index = RelationName { schema: relation.schema.clone(), name: name.into() };
        draft.lock_index(&index, LockMode::AccessExclusive);
        depending_keys(draft, relation, &state, cascade);
    }
    for child in draft.catalog.descendants(relation) {
        draft.lock(&child, LockMode::AccessExclusive);
    }
}

/// The foreign keys that need a unique constraint.
pub(super) fn depending_keys(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    state: &ConstraintState,
    cascade: bool,
) {
    let is_primary = matches!(state.demand, Demand::PrimaryKey(_));
    let (Demand::PrimaryKey(columns) | Demand::Unique(columns)) = &state.demand else { return };
    let children = draft.table(relation).map(|table| table.referenced_by.clone()).unwrap_or_default();
    for child in children {
        let depends = draft.table(&child).is_some_and(|it| {
            it.constraints.iter().any(|constraint| {
                let Demand::ForeignKey { references, key, .. } = &constraint.demand else { return false };
                let named: Vec<&str> = key.referenced.iter().map(|it| it.name.as_str()).collect();
                references == relation
                    && (named.is_empty() && is_primary
                        || named == columns.iter().map(String::as_str).collect::<Vec<_>>())
            })
        });
        if depends && !cascade {
            draft.fail(format!("a foreign key of {} needs the constraint", draft.display(&child)));
        } else if depends {
            draft.lock(&child, LockMode::AccessExclusive);
        }
    }
}

pub(super) fn rename(draft: &mut Draft<'_>, relation: &RelationName, name: &str) {
    draft.lock(relation, LockMode::AccessExclusive);
    let Some(state) = found(draft, relation, name, false) else { return };
    if state.demand.has_index() {
        let index = RelationName { schema: relation.schema.clone(), name: name.into() };
        let mode = if draft.since(12) { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
        draft.lock_index(&index, mode);
    }
    if matches!(state.demand, Demand::Check(_)) {
        draft.lock_tree(relation, LockMode::AccessExclusive);
    }
}

pub(super) fn alter(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    name: &str,
    enforced: Option<bool>,
    inherit: bool,
) {
    draft.lock(relation, LockMode::AccessExclusive);
    if enforced.is_some() || inherit {
        draft.needs(18, "ALTER CONSTRAINT ENFORCED or INHERIT");
    }
    let Some(state) = found(draft, relation, name, false) else { return };
    if let (Demand::Check(_), Some(enforced), true) = (&state.demand, enforced, draft.since(19)) {
        draft.lock_tree(relation, LockMode::AccessExclusive);
        if enforced && !state.enforced {
            draft.scan_tree(relation);
        }
        return;
    }
    let Some(references) = key_of(&state.demand).cloned() else {
        if !inherit && !matches!(state.demand, Demand::NotNull(_)) {
            draft.fail(format!("{name} is no foreign key: its timing and enforcement cannot change"));
        }
        return;
    };
    if enforced == Some(false) && state.enforced {
        // The triggers on the other side go (measured on 18).
        draft.lock_tree(&references, LockMode::AccessExclusive);
    }
    if enforced == Some(true) && !state.enforced {
        draft.lock_tree(&references, LockMode::ShareRowExclusive);
        draft.check_key(relation, &references);
    }
}
