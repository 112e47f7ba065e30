//! ALTER TABLE, and the same of indexes, views and sequences (manual, ALTER TABLE; `AlterTableGetLockLevel`).

use super::draft::Draft;
use super::{change_type, constraint, generated, partition, table};
use crate::catalog::{Demand, RelationKind, RelationName};
use crate::dialect::{Ident, LockMode, Name};
use crate::effect::Work;
use crate::operation::{AlterTable, ConstraintKind, RelationWord, TableAction};

/// The server's order of the subcommands of one statement (`AlterTablePass` in tablecmds.c).
pub(in crate::engine) fn pass(action: &TableAction) -> u8 {
    match action {
        TableAction::DropColumn { .. }
        | TableAction::DropConstraint { .. }
        | TableAction::DropNotNull { .. }
        | TableAction::DropDefault { .. }
        | TableAction::DropExpression { .. }
        | TableAction::DropIdentity { .. } => 1,
        TableAction::AlterType { .. } => 2,
        TableAction::AddColumn { .. } => 3,
        TableAction::SetExpression { .. } => 4,
        TableAction::SetNotNull { .. } => 5,
        TableAction::SetDefault { .. } => 7,
        TableAction::AddConstraint { constraint } => match constraint.kind {
            ConstraintKind::Check(_) | ConstraintKind::NotNull(_) => 5,
            ConstraintKind::Unique { .. }
            | ConstraintKind::PrimaryKey { .. }
            | ConstraintKind::Exclude { .. } => 6,
            ConstraintKind::ForeignKey(_) => 7,
        },
        _ => 8,
    }
}

/// What one subcommand does.
pub(super) fn alter(draft: &mut Draft<'_>, alter: &AlterTable) {
    let Some(relation) = draft.existing(&alter.table, alter.if_exists) else { return };
    if let Some(RelationKind::Index(_)) = draft.relation(&relation).map(|it| &it.kind) {
        return on_index(draft, &relation, &alter.action);
    }
    if alter.relation == RelationWord::Index {
        return on_index(draft, &relation, &alter.action);
    }
    if let Some(column) = changed_column(&alter.action)
        && misses_column(draft, &relation, column)
    {
        return;
    }
    on_column(draft, &relation, alter);
}

fn changed_column(action: &TableAction) -> Option<&Ident> {
    match action {
        TableAction::AlterType { column, .. }
        | TableAction::SetDefault { column, .. }
        | TableAction::DropDefault { column }
        | TableAction::SetNotNull { column }
        | TableAction::DropNotNull { column }
        | TableAction::SetExpression { column, .. }
        | TableAction::DropExpression { column, .. }
        | TableAction::AddIdentity { column, .. }
        | TableAction::AlterIdentity { column, .. }
        | TableAction::DropIdentity { column }
        | TableAction::SetStorage { column, .. }
        | TableAction::SetCompression { column, .. }
        | TableAction::SetColumnOptions { column, .. }
        | TableAction::RenameColumn { column, .. } => Some(column),
        TableAction::DropColumn { column, if_exists: false, .. } => Some(column),
        TableAction::SetStatistics { column, .. } => column.as_ref(),
        _ => None,
    }
}

fn misses_column(draft: &mut Draft<'_>, relation: &RelationName, column: &Ident) -> bool {
    let missing = draft.catalog.lacks_column(relation, &column.name);
    if missing {
        draft.fail(format!("column {} of {} does not exist", column.name, draft.display(relation)));
    }
    missing
}

/// Subcommands on columns; the others follow below.
fn on_column(draft: &mut Draft<'_>, relation: &RelationName, alter: &AlterTable) {
    match &alter.action {
        TableAction::AddColumn { column, if_not_exists } => {
            table::add_column(draft, relation, column, alter.only, *if_not_exists);
        }
        TableAction::DropColumn { column, cascade, .. } => {
            table::drop_column(draft, relation, &column.name, *cascade)
        }
        TableAction::AlterType { column, ty, using, collation } => {
            change_type::change(draft, relation, &column.name, ty, using.as_ref(), collation.as_ref());
        }
        TableAction::SetNotNull { column } => constraint::set_not_null(draft, relation, &column.name),
        TableAction::SetExpression { column, .. } => generated::set_expression(draft, relation, column),
        TableAction::AddIdentity { column, .. } => add_identity(draft, relation, column),
        TableAction::AlterIdentity { column, .. } => {
            draft.lock_tree(relation, LockMode::AccessExclusive);
            lock_sequence(draft, relation, column, LockMode::ShareRowExclusive);
        }
        TableAction::DropIdentity { column } => {
            draft.lock_tree(relation, LockMode::AccessExclusive);
            lock_sequence(draft, relation, column, LockMode::AccessExclusive);
        }
        TableAction::SetDefault { column, .. } | TableAction::DropDefault { column } => {
            generated::default(draft, relation, column);
            if let TableAction::SetDefault { default, .. } = &alter.action {
                table::lock_counted(draft, default);
                let state = draft.table(relation).and_then(|it| it.column(&column.name));
                if let Some(ty) = state.map(|it| &it.ty) {
                    super::defaults::refuse(draft, &column.name, ty, default);
                }
            }
            draft.lock_tree(relation, LockMode::AccessExclusive);
        }
        TableAction::DropExpression { column, if_exists } => {
            generated::drop_expression(draft, relation, column, *if_exists);
        }
        TableAction::SetCompression { .. } => {
            draft.needs(14, "SET COMPRESSION");
            draft.lock_tree(relation, LockMode::AccessExclusive);
        }
        TableAction::DropNotNull { column } => {
            draft.lock_tree(relation, LockMode::AccessExclusive);
            let key = draft.table(relation).and_then(|table| table.primary_key()).unwrap_or_default();
            if key.contains(&column.name) {
                draft.fail(format!("{column} is in the primary key"));
            }
        }
        TableAction::SetStorage { .. } => draft.lock_tree(relation, LockMode::AccessExclusive),
        TableAction::SetStatistics { column, .. } => {
            generated::set_statistics(draft, relation, column.as_ref());
            draft.lock_tree(relation, LockMode::ShareUpdateExclusive);
        }
        TableAction::SetColumnOptions { .. } => draft.lock(relation, LockMode::ShareUpdateExclusive),
        TableAction::RenameColumn { .. } if alter.relation == RelationWord::View && !draft.since(13) => {
            draft.needs(13, "ALTER VIEW RENAME COLUMN");
        }
        TableAction::RenameColumn { to, .. } => {
            draft.lock_tree(relation, LockMode::AccessExclusive);
            if draft.table(relation).is_some_and(|it| it.column(&to.name).is_some()) {
                draft.fail(format!("column {to} of {} is there already", draft.display(relation)));
            }
        }
        _ => on_relation(draft, relation, alter),
    }
}

/// Subcommands on constraints, triggers and storage.
fn on_relation(draft: &mut Draft<'_>, relation: &RelationName, alter: &AlterTable) {
    use LockMode::{AccessExclusive, ShareRowExclusive, ShareUpdateExclusive};
    match &alter.action {
        TableAction::AddConstraint { constraint } => constraint::add(draft, relation, constraint),
        TableAction::AlterConstraint { name, enforced, inherit, .. } => {
            constraint::alter(draft, relation, &name.name, *enforced, *inherit);
        }
        TableAction::ValidateConstraint { name } => constraint::validate(draft, relation, &name.name),
        TableAction::DropConstraint { name, if_exists, cascade } => {
            constraint::drop(draft, relation, &name.name, *if_exists, *cascade);
        }
        TableAction::RenameConstraint { name, .. } => constraint::rename(draft, relation, &name.name),
        TableAction::Trigger { .. } => draft.lock_tree(relation, ShareRowExclusive),
        TableAction::Rule { .. }
        | TableAction::RowSecurity { .. }
        | TableAction::ForceRowSecurity { .. }
        | TableAction::NotOf
        | TableAction::SetWithoutOids
        | TableAction::DependsOnExtension => draft.lock(relation, AccessExclusive),
        TableAction::RenameTo { to } => {
            draft.lock(relation, AccessExclusive);
            let name = RelationName { schema: relation.schema.clone(), name: to.name.as_str().into() };
            if draft.relation(&name).is_some() {
                draft.fail(format!("the relation {} is there already", draft.display(&name)));
            }
        }
        TableAction::SetSchema { .. } => {
            draft.lock(relation, AccessExclusive);
            for sequence in own_sequences(draft, relation) {
                draft.lock(&sequence, AccessExclusive);
            }
        }
        TableAction::ClusterOn { index } => {
            draft.lock(relation, ShareUpdateExclusive);
            lock_named_index(draft, relation, index, ShareUpdateExclusive);
        }
        TableAction::SetWithoutCluster => draft.lock(relation, ShareUpdateExclusive),
        TableAction::SetAccessMethod { method } => table::set_access_method(draft, relation, method),
        TableAction::SetTablespace { .. } => table::set_tablespace(draft, relation),
        TableAction::SetLogged { logged } => table::set_logged(draft, relation, *logged),
        TableAction::SetOptions { names, .. } => set_options(draft, relation, names),
        TableAction::Inherit { parent } => inherit(draft, relation, parent),
        TableAction::NoInherit { parent } => {
            let Some(parent) = draft.existing(parent, false) else { return };
            draft.lock(relation, AccessExclusive);
            draft.lock(&parent, LockMode::AccessShare);
        }
        TableAction::OfType { ty } => of_type(draft, relation, ty),
        TableAction::Owner { .. } => owner(draft, relation),
        TableAction::ReplicaIdentity { index, .. } => {
            draft.lock(relation, AccessExclusive);
            if let Some(index) = index {
                lock_named_index(draft, relation, index, LockMode::Share);
            }
        }
        TableAction::AttachPartition { partition, bound } => {
            partition::attach(draft, relation, partition, bound)
        }
        TableAction::DetachPartition { partition, concurrently, finalize } => {
            partition::detach(draft, relation, partition, *concurrently, *finalize);
        }
        _ => draft.lock(relation, AccessExclusive),
    }
}

fn lock_sequence(draft: &mut Draft<'_>, relation: &RelationName, column: &Ident, mode: LockMode) {
    let sequence = draft.table(relation).and_then(|table| table.column(&column.name)?.sequence.clone());
    if let Some(sequence) = sequence {
        draft.lock(&sequence, mode);
    }
}

fn lock_named_index(draft: &mut Draft<'_>, relation: &RelationName, index: &Ident, mode: LockMode) {
    let index = RelationName { schema: relation.schema.clone(), name: index.name.as_str().into() };
    draft.lock_index(&index, mode);
}

fn own_sequences(draft: &Draft<'_>, relation: &RelationName) -> Vec<RelationName> {
    let columns = draft.table(relation).map(|table| &table.columns).unwrap_or_default();
    columns.iter().filter_map(|column| column.sequence.clone()).collect()
}

fn add_identity(draft: &mut Draft<'_>, relation: &RelationName, column: &Ident) {
    draft.lock_tree(relation, LockMode::AccessExclusive);
    let state = draft.table(relation).and_then(|table| table.column(&column.name));
    if state.is_some_and(|state| !state.not_null) {
        draft.fail(format!("column {} must be NOT NULL before it can be an identity", column.name));
    }
}

/// Most storage options need SHARE UPDATE EXCLUSIVE (reloptions.c); a view's and `user_catalog_table` the strongest.
fn set_options(draft: &mut Draft<'_>, relation: &RelationName, names: &[String]) {
    let strong = ["user_catalog_table", "security_barrier", "security_invoker", "check_option", "options"];
    let is_view = draft.catalog.view(relation).is_some_and(|view| !view.materialized);
    let needs_strongest = is_view || names.iter().any(|name| strong.contains(&name.as_str()));
    let mode = if needs_strongest { LockMode::AccessExclusive } else { LockMode::ShareUpdateExclusive };
    draft.lock(relation, mode);
}

fn inherit(draft: &mut Draft<'_>, relation: &RelationName, parent: &Name) {
    let Some(parent) = draft.existing(parent, false) else { return };
    draft.lock(relation, LockMode::AccessExclusive);
    draft.lock(&parent, LockMode::ShareUpdateExclusive);
    let missing = draft.table(&parent).zip(draft.table(relation)).and_then(|(parent, child)| {
        parent.columns.iter().find(|column| child.column(&column.name).is_none())
    });
    if let Some(column) = missing {
        draft.fail(format!("the child table has no column {}", column.name));
    }
}

fn of_type(draft: &mut Draft<'_>, relation: &RelationName, ty: &Name) {
    draft.lock(relation, LockMode::AccessExclusive);
    let Some(crate::catalog::UserType::Composite(attributes)) = draft.catalog.type_named(ty) else { return };
    let Some(table) = draft.table(relation) else { return };
    let names = table.columns.iter().map(|column| &column.name);
    if !names.eq(attributes.iter().map(|(name, _)| name)) {
        draft.fail(format!("the columns of {} are not those of the type {ty}", draft.display(relation)));
    }
}

/// The owner of a table is the owner of its indexes and sequences (`ATExecChangeOwner`).
fn owner(draft: &mut Draft<'_>, relation: &RelationName) {
    draft.lock(relation, LockMode::AccessExclusive);
    draft.lock_indexes(relation, LockMode::AccessExclusive);
    for sequence in own_sequences(draft, relation) {
        draft.lock(&sequence, LockMode::AccessExclusive);
    }
}

/// Subcommands on an index (manual, ALTER INDEX).
fn on_index(draft: &mut Draft<'_>, index: &RelationName, action: &TableAction) {
    let mode = match action {
        TableAction::RenameTo { .. } if draft.since(12) => LockMode::ShareUpdateExclusive,
        TableAction::SetOptions { .. } | TableAction::SetStatistics { .. } => LockMode::ShareUpdateExclusive,
        TableAction::AttachIndex { index: child } => return partition::attach_index(draft, index, child),
        TableAction::SetTablespace { .. } => {
            draft.effect.index_rebuild = true;
            draft.effect.work.push((index.clone(), Work::FileCopy));
            LockMode::AccessExclusive
        }
        _ => LockMode::AccessExclusive,
    };
    draft.lock_index(index, mode);
}

/// Whether a constraint of the table is a foreign key, and to where.
pub(super) fn key_of(demand: &Demand) -> Option<&RelationName> {
    match demand {
        Demand::ForeignKey { references, .. } => Some(references),
        _ => None,
    }
}
