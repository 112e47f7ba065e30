//! Views, types, domains, sequences, triggers, publications, comments and grants.

use super::draft::Draft;
use crate::catalog::{RelationName, UserType};
use crate::dialect::{LockMode, Name};
use crate::operation::{
    AlterDomain, AlterObject, AlterSequence, AlterType, Comment, CreateFunction, CreateSequence,
    CreateStatistics, CreateTrigger, CreateView, DomainAction, Grant, ObjectAction, ObjectKind, OnTable,
    Publication, PublicationAction, Refresh, TypeAction, TypeName,
};

pub(super) fn create_view(draft: &mut Draft<'_>, create: &CreateView) {
    let name = draft.catalog.resolve_new(&create.name);
    if !create.temporary {
        draft.needs_schema(&create.name);
    }
    if draft.relation(&name).is_some() {
        if create.if_not_exists {
            return;
        }
        if !create.or_replace {
            return draft.fail(format!("the relation {} is there already", draft.display(&name)));
        }
        draft.lock(&name, LockMode::AccessExclusive);
        let before = draft.catalog.view(&name).and_then(|view| view.columns.clone());
        if let (Some(before), Some(after)) = (before, create.shows(draft.catalog.dialect()))
            && !after.starts_with(&before)
        {
            // Measured on 11 to 18: columns are only added, behind those that are there.
            return draft.fail(format!(
                "{} must go on showing {} in this order, and may only show more behind them",
                draft.display(&name),
                before.join(", ")
            ));
        }
    }
    super::twice::in_view(draft, create);
    super::data::refuse_columns(draft, &create.query);
    super::data::read_query(draft, &create.query, create.materialized && create.with_data);
}

pub(super) fn refresh(draft: &mut Draft<'_>, refresh: &Refresh) {
    let Some(view) = draft.existing(&refresh.view, false) else { return };
    let state = draft.catalog.view(&view);
    let on_view = if refresh.concurrently { LockMode::Exclusive } else { LockMode::AccessExclusive };
    draft.lock(&view, on_view);
    if refresh.concurrently {
        draft.lock_indexes(&view, LockMode::RowExclusive);
        draft.scan(&view);
        let unique =
            draft.catalog.indexes(&view).iter().any(|index| index.unique && index.predicate.is_none());
        if state.is_some() && !unique {
            draft.fail("REFRESH CONCURRENTLY needs a unique index, whole and on plain columns");
        }
    } else {
        let unique = |index: &crate::catalog::Index| index.unique && index.predicate.is_none();
        draft.effect.has_concurrent_form =
            state.is_none_or(|state| state.populated && state.indexes.iter().any(unique));
        draft.lock_indexes(&view, LockMode::AccessExclusive);
        draft.effect.heap_rewrite = refresh.with_data;
        draft.effect.index_rebuild = refresh.with_data && !draft.catalog.indexes(&view).is_empty();
    }
    for dependence in state.map(|state| state.depends_on.clone()).unwrap_or_default() {
        if refresh.with_data {
            draft.read(&dependence.relation, LockMode::AccessShare);
            draft.scan_tree(&dependence.relation);
        }
    }
}

pub(super) fn alter(draft: &mut Draft<'_>, alter: &AlterObject) {
    if alter.object == ObjectKind::Extension && alter.action == ObjectAction::Update {
        draft.cite("an extension's update script may take any lock: read it");
    }
    if matches!(alter.object, ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine) {
        let (takes, arguments) = (alter.takes.as_deref(), alter.arguments.as_deref());
        if let Some(reason) = draft.catalog.refuses_routine(alter.object, &alter.name, takes, arguments) {
            draft.fail(reason);
        }
    }
    if alter.object == ObjectKind::Statistics {
        let name = draft.catalog.resolve(&alter.name);
        let owner = draft.catalog.tables().find(|(_, it)| it.statistics.iter().any(|(it, _)| *it == name));
        if let Some(owner) =
            owner.map(|(owner, _)| owner.clone()).filter(|_| matches!(alter.action, ObjectAction::Else(_)))
        {
            draft.lock(&owner, LockMode::ShareUpdateExclusive);
        }
    }
}

pub(super) fn alter_type(draft: &mut Draft<'_>, alter: &AlterType) {
    match &alter.action {
        TypeAction::AddValue { .. } => {
            // Before 12 only a type of the same transaction takes it (measured on 11).
            let made_here = draft.session.made_types.contains(&draft.catalog.resolve(&alter.name));
            draft.effect.transactional = draft.since(12) || made_here;
        }
        TypeAction::RenameValue { .. } => {}
        TypeAction::Attribute { retyped, cascade, .. } => {
            attribute(draft, &alter.name, retyped.as_ref(), *cascade)
        }
    }
}

/// Tables of the type follow with CASCADE, and refuse without.
fn attribute(draft: &mut Draft<'_>, name: &Name, retyped: Option<&(String, TypeName)>, cascade: bool) {
    let ty = draft.catalog.resolve(name);
    for table in draft.catalog.tables_of_type(&ty) {
        if !cascade {
            draft.fail(format!("{} is of the type {name}: CASCADE changes it too", draft.display(&table)));
        }
        draft.lock(&table, LockMode::AccessExclusive);
        if let Some((attribute, to)) = retyped {
            let from = draft.table(&table).and_then(|it| it.column(attribute)).map(|it| &it.ty);
            let free = from.is_some_and(|from| {
                super::cast::conversion(from, to, draft.catalog, false) == super::cast::Conversion::Free
            });
            if !free {
                draft.rewrite(&table);
            }
        }
    }
}

/// Every table with a column of the domain is read under SHARE (measured on 11 to 18).
pub(super) fn alter_domain(draft: &mut Draft<'_>, alter: &AlterDomain) {
    let domain = draft.catalog.resolve(&alter.name);
    let checks_rows = match &alter.action {
        DomainAction::SetNotNull => {
            !matches!(draft.catalog.type_named(&alter.name), Some(UserType::Domain { not_null: true, .. }))
        }
        DomainAction::AddConstraint(constraint) => {
            let is_check = matches!(constraint.kind, crate::operation::ConstraintKind::Check(_));
            draft.effect.can_validate_later = is_check && !constraint.not_valid;
            !constraint.not_valid
        }
        DomainAction::ValidateConstraint(_) => true,
        _ => false,
    };
    if !checks_rows {
        return;
    }
    for (table, _) in draft.catalog.tables_using(&domain) {
        draft.lock(&table, LockMode::Share);
        draft.scan_tree(&table);
    }
}

pub(super) fn create_sequence(draft: &mut Draft<'_>, create: &CreateSequence) {
    draft.needs_schema(&create.name);
    if let Some((table, _)) = &create.owned_by
        && let Some(table) = draft.existing(table, false)
    {
        draft.lock(&table, LockMode::AccessShare);
    }
}

pub(super) fn alter_sequence(draft: &mut Draft<'_>, alter: &AlterSequence) {
    let Some(sequence) = draft.existing(&alter.name, false) else { return };
    draft.lock(&sequence, LockMode::ShareRowExclusive);
    if let Some((table, _)) = &alter.owned_by
        && let Some(table) = draft.existing(table, false)
    {
        draft.lock(&table, LockMode::AccessShare);
    }
}

/// One of the name with the same arguments is only replaced where the statement says so.
pub(super) fn create_function(draft: &mut Draft<'_>, create: &CreateFunction) {
    let there = draft.catalog.routine_name(&create.name, Some(&create.takes)).filter(|_| !create.or_replace);
    let certain = draft.catalog.is_complete() && draft.catalog.reads_arguments(create);
    if let Some(there) = there.filter(|_| certain) {
        draft.fail(format!("the function {there} is there already"));
    }
}

pub(super) fn create_trigger(draft: &mut Draft<'_>, create: &CreateTrigger) {
    let Some(table) = draft.existing(&create.table, false) else { return };
    super::names::trigger(draft, &table, create);
    if create.or_replace {
        draft.needs(14, "CREATE OR REPLACE TRIGGER");
    }
    let partitioned = draft.table(&table).is_some_and(|it| it.partition_by.is_some());
    if partitioned && create.for_each_row && create.timing == "before" {
        draft.needs(13, "a BEFORE ROW trigger on a partitioned table");
    }
    match create.for_each_row {
        true => draft.lock_tree(&table, LockMode::ShareRowExclusive),
        false => draft.lock(&table, LockMode::ShareRowExclusive),
    }
    if let Some(from) = create.from.as_ref().and_then(|from| draft.existing(from, false)) {
        draft.lock(&from, LockMode::AccessShare);
    }
}

pub(super) fn on_table(draft: &mut Draft<'_>, object: &OnTable, mode: LockMode) {
    if let Some(table) = draft.existing(&object.table, false) {
        draft.lock(&table, mode);
    }
}

/// ALTER TRIGGER or RULE … RENAME; from 15 on the triggers of partitions follow (release notes of 15).
pub(super) fn rename_on_table(draft: &mut Draft<'_>, object: &OnTable) {
    let Some(table) = draft.existing(&object.table, false) else { return };
    draft.lock(&table, LockMode::AccessExclusive);
    let is_trigger = draft.table(&table).is_some_and(|it| {
        it.triggers.iter().any(|trigger| trigger.name == object.name.name && trigger.for_each_row)
    });
    if is_trigger && draft.since(15) {
        draft.lock_tree(&table, LockMode::AccessExclusive);
    }
}

pub(super) fn publication(draft: &mut Draft<'_>, publication: &Publication) {
    let named: Vec<RelationName> =
        publication.tables.iter().filter_map(|table| draft.existing(table, false)).collect();
    if publication.action == PublicationAction::Set {
        let before = draft.catalog.published(&publication.name.name).map(<[_]>::to_vec).unwrap_or_default();
        for table in before {
            draft.lock(&table, LockMode::ShareUpdateExclusive);
        }
    }
    let left_out = publication.except.iter().filter_map(|table| draft.existing(table, false));
    let left_out: Vec<RelationName> = left_out.collect();
    for table in named.iter().chain(&left_out) {
        draft.lock_tree(table, LockMode::ShareUpdateExclusive);
    }
}

pub(super) fn create_statistics(draft: &mut Draft<'_>, create: &CreateStatistics) {
    if let Some(table) = create.table.as_ref().and_then(|table| draft.existing(table, false)) {
        super::generated::statistics(draft, &table, create);
        draft.lock(&table, LockMode::ShareUpdateExclusive);
    }
}

pub(super) fn comment(draft: &mut Draft<'_>, comment: &Comment) {
    let mode = match comment.object {
        ObjectKind::Table
        | ObjectKind::Index
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence
        | ObjectKind::ForeignTable
        | ObjectKind::Column => LockMode::ShareUpdateExclusive,
        // What hangs on a table is found with the table open to all (measured).
        ObjectKind::Constraint | ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {
            LockMode::AccessShare
        }
        _ => return,
    };
    if let Some(relation) = draft.existing(&comment.name, false) {
        super::names::comment(draft, &relation, comment);
        draft.lock(&relation, mode);
    }
}

/// Until 17 rights are given without a lock on the table; 18 takes the weakest (measured).
pub(super) fn grant(draft: &mut Draft<'_>, grant: &Grant) {
    for table in &grant.tables {
        let Some(table) = draft.existing(table, false) else { return };
        if draft.since(18) {
            draft.lock(&table, LockMode::AccessShare);
        }
    }
}
