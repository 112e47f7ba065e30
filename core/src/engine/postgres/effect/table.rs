//! New tables, added and dropped columns, storage (manual, CREATE TABLE, ALTER TABLE).

use super::alter::key_of;
use super::builtin::{missing_function, volatility};
use super::cast::base;
use super::draft::Draft;
use super::immutable;
use super::{constraint, partition};
use crate::catalog::{Catalog, Demand, Dependent, RelationName, Thing, UserType};
use crate::dialect::LockMode;
use crate::effect::Work;
use crate::operation::{Column, Constraint, ConstraintKind, CreateTable, Expression, Volatility};

pub(super) fn create(draft: &mut Draft<'_>, create: &CreateTable) {
    let name = draft.catalog.resolve_new(&create.name);
    if !create.temporary {
        draft.needs_schema(&create.name);
    }
    if draft.relation(&name).is_some() {
        if !create.if_not_exists {
            draft.fail(format!("the relation {} is there already", draft.display(&name)));
        }
        return;
    }
    super::names::new_table(draft, create);
    if let Some((parent, bound)) = &create.partition_of {
        partition::create(draft, parent, bound);
    }
    for parent in &create.inherits {
        let Some(parent) = draft.existing(parent, false) else { return };
        draft.lock(&parent, LockMode::ShareUpdateExclusive);
    }
    for like in &create.like {
        let Some(other) = draft.existing(&like.table, false) else { return };
        draft.lock(&other, LockMode::AccessShare);
        let copies = like.including.iter().any(|it| it == "all" || it == "defaults");
        let columns = draft.table(&other).map(|it| &it.columns).unwrap_or_default();
        for default in columns.iter().filter_map(|it| it.default.as_ref()).filter(|_| copies) {
            lock_counted(draft, default);
        }
    }
    for default in create.columns.iter().filter_map(|it| it.default.as_ref()) {
        lock_counted(draft, default);
    }
    let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
    for constraint in create.constraints.iter().chain(of_columns) {
        lock_referenced(draft, create, constraint);
    }
    if let Some(query) = &create.query {
        super::data::refuse_columns(draft, query);
        super::data::read_query(draft, query, create.with_data);
    }
}

/// From 19 on what a stored default names is opened (measured).
pub(super) fn lock_counted(draft: &mut Draft<'_>, default: &Expression) {
    if !draft.since(19) {
        return;
    }
    for sequence in draft.catalog.sequences_in(default) {
        if draft.relation(&sequence).is_some() {
            draft.lock(&sequence, LockMode::AccessShare);
        }
    }
}

fn lock_referenced(draft: &mut Draft<'_>, create: &CreateTable, constraint: &Constraint) {
    let ConstraintKind::ForeignKey(key) = &constraint.kind else { return };
    if draft.catalog.resolve(&key.references) == draft.catalog.resolve(&create.name) {
        return;
    }
    constraint::refuse_new_key(draft, key);
    let Some(parent) = draft.existing(&key.references, false) else { return };
    for name in draft.tree(&parent) {
        draft.lock(&name, LockMode::ShareRowExclusive);
        constraint::open_key(draft, &name, key);
    }
}

/// ADD COLUMN. The rewrite rules: a volatile default, a stored generated column, an identity or serial column, a
/// domain with constraints (manual, ALTER TABLE, Notes).
pub(super) fn add_column(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    column: &Column,
    only: bool,
    if_not_exists: bool,
) {
    draft.cite("manual, ALTER TABLE, Notes: adding a column; measured on 11 to 18");
    draft.lock_tree(relation, LockMode::AccessExclusive);
    let table = draft.table(relation);
    if table.is_some_and(|table| table.column(&column.name.name).is_some()) {
        if !if_not_exists {
            draft.fail(format!("column {} of {} is there already", column.name, draft.display(relation)));
        }
        return;
    }
    if table.is_some_and(|table| table.partition_of.is_some()) {
        draft.fail("a column cannot be added to a partition: add it to the partitioned table");
    }
    if table.is_some_and(|table| table.of_type.is_some()) {
        draft.fail("a column cannot be added to a table of a type: change the type");
    }
    if only && table.is_some_and(|table| !table.children.is_empty()) {
        draft.fail("the column must be added to the partitions and inheriting tables too");
    }
    if let Some(generated) = &column.generated {
        let form =
            if generated.stored { (12, "a generated column") } else { (18, "a virtual generated column") };
        draft.needs(form.0, form.1);
        let type_of = |name: &str| Some(draft.table(relation)?.column(name)?.ty.clone());
        let what = immutable::mutable(&generated.expression, draft.catalog, &type_of);
        if let Some(what) = what {
            draft.fail(format!("{what} is not IMMUTABLE, as everything in a generated column must be"));
        }
    }
    super::generated::added(draft, table, column);
    if let Some(default) = &column.default {
        lock_counted(draft, default);
        super::defaults::refuse(draft, &column.name.name, &column.ty, default);
    }
    if let Some(function) =
        column.default.as_ref().and_then(|it| missing_function(it, draft.target, draft.catalog))
    {
        draft.fail(format!("{function}() is not in PostgreSQL {}", draft.target.version.major));
    }
    let rewrites = rewrites(draft, column);
    if rewrites {
        draft.rewrite_tree(relation);
    }
    refuse_null(draft, relation, column, rewrites);
    for constraint in &column.constraints {
        column_constraint(draft, relation, column, constraint);
    }
}

/// Whether the values of the new column differ from row to row, or have to be checked one by one.
pub(super) fn rewrites(draft: &Draft<'_>, column: &Column) -> bool {
    let stored = column.generated.as_ref().is_some_and(|generated| generated.stored);
    let counted = column.identity.is_some() || column.ty.serial;
    let volatile = |default: &Expression| volatility(default, draft.catalog) == Volatility::Volatile;
    stored
        || counted
        || base(&column.ty, draft.catalog).1
        || column.default.as_ref().or(domain_default(draft, column)).is_some_and(volatile)
}

fn domain_default<'a>(draft: &Draft<'a>, column: &Column) -> Option<&'a Expression> {
    match draft.catalog.user_type(&column.ty) {
        Some(UserType::Domain { default, .. }) => default.as_ref(),
        _ => None,
    }
}

fn refuse_null(draft: &mut Draft<'_>, relation: &RelationName, column: &Column, rewrites: bool) {
    let primary = column.constraints.iter().any(|it| matches!(it.kind, ConstraintKind::PrimaryKey { .. }));
    let has_value = column.default.as_ref().is_some_and(|default| !default.is_null())
        || rewrites
        || column.generated.is_some()
        || domain_default(draft, column).is_some();
    if (column.not_null || primary) && !has_value && !draft.catalog.is_new_and_empty(relation) {
        draft.fail(format!(
            "{} holds rows, and they would have no value for {}",
            draft.display(relation),
            column.name
        ));
    }
}

fn column_constraint(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    column: &Column,
    constraint: &Constraint,
) {
    match &constraint.kind {
        ConstraintKind::Check(_) if !constraint.not_enforced => draft.scan_tree(relation),
        ConstraintKind::Unique { .. }
        | ConstraintKind::PrimaryKey { .. }
        | ConstraintKind::Exclude { .. } => {
            draft.build_tree(relation);
        }
        ConstraintKind::ForeignKey(key) => {
            // A column of NULLs points nowhere: nothing is checked.
            let mut unchecked = constraint.clone();
            unchecked.not_valid |=
                column.default.as_ref().is_none_or(Expression::is_null) && !column.ty.serial;
            constraint::add_key(draft, relation, &unchecked, key, LockMode::AccessExclusive);
        }
        _ => {}
    }
}

pub(super) fn drop_column(draft: &mut Draft<'_>, relation: &RelationName, column: &str, cascade: bool) {
    draft.cite("DROP COLUMN is catalog only; what names the column goes with it (measured on 15)");
    draft.lock_tree(relation, LockMode::AccessExclusive);
    let Some(table) = draft.table(relation) else { return };
    if table.column(column).is_none() {
        return;
    }
    if table.partition_of.is_some() {
        draft.fail(format!("{column} is inherited from the partitioned table: drop it there"));
    }
    if inherits_column(draft, table, column) {
        draft.fail(format!("{column} is inherited: drop it from the table above"));
    }
    if let Some(user) = user_of(draft.catalog, relation, table, column).filter(|_| !cascade) {
        draft.fail(format!("{user} needs {column}: CASCADE drops it too"));
    }
    if table.partition_by.as_ref().is_some_and(|it| it.columns.iter().any(|it| it == column)) {
        draft.fail(format!("{column} is in the partition key and cannot be dropped"));
    }
    let dialect = draft.catalog.dialect();
    for name in draft.tree(relation) {
        for index in draft.catalog.indexes(&name).iter().filter(|it| it.names_column(column, dialect)) {
            draft.lock_index(&index.name, LockMode::AccessExclusive);
        }
    }
    for state in
        table.constraints.iter().filter(|it| crate::catalog::names_column(&it.demand, column, dialect))
    {
        if let Some(references) = key_of(&state.demand) {
            draft.lock_tree(references, LockMode::AccessExclusive);
        }
        constraint::depending_keys(draft, relation, state, cascade);
    }
    if let Some(sequence) = table.column(column).and_then(|it| it.sequence.as_ref()) {
        draft.lock(sequence, LockMode::AccessExclusive);
        counted_elsewhere(draft, relation, column, sequence, cascade);
    }
    views(draft, relation, Some(column), cascade);
    generated(draft, relation, column, cascade);
}

/// What has a column in its definition, so that it neither goes nor changes its type (measured on 15 and 18).
pub(super) fn user_of(
    catalog: &Catalog,
    relation: &RelationName,
    table: &crate::catalog::Table,
    column: &str,
) -> Option<String> {
    let dialect = catalog.dialect();
    let watches = |it: &&crate::catalog::Trigger| {
        it.columns.iter().any(|it| it == column)
            || it.condition(dialect).is_some_and(|it| it.names(column, dialect))
    };
    if let Some(trigger) = table.triggers.iter().find(watches) {
        return Some(format!("the trigger {}", trigger.name));
    }
    if let Some((policy, _)) = table.policies.iter().find(|(_, columns)| columns.contains(column)) {
        return Some(format!("the policy {policy}"));
    }
    let mut bodies = catalog.definitions().filter_map(|(name, it)| Some((name, it.parsed_body(dialect)?)));
    let reads = |body: &crate::operation::Expression| {
        body.names(&relation.name, dialect) && body.names(column, dialect)
    };
    bodies.find(|(_, body)| reads(body)).map(|(name, _)| format!("the function {name}"))
}

/// The sequence of a column goes with it, unless another column counts by it.
fn counted_elsewhere(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    column: &str,
    sequence: &RelationName,
    cascade: bool,
) {
    let found = draft.catalog.dependents(&Thing::Sequence(sequence.clone()));
    let other = found.into_iter().find_map(|it| match it {
        Dependent::Default(table, name) if table != *relation || name != column => Some((table, name)),
        _ => None,
    });
    if let Some((table, name)) = other.filter(|_| !cascade) {
        let (table, sequence) = (draft.display(&table), draft.display(sequence));
        draft.fail(format!(
            "the default of {table}.{name} needs its sequence {sequence}: CASCADE drops it too"
        ));
    }
}

/// Whether a table above has the column.
pub(super) fn inherits_column(draft: &Draft<'_>, table: &crate::catalog::Table, column: &str) -> bool {
    let mut above = table.inherits.iter().filter_map(|it| draft.table(it));
    above.any(|parent| parent.column(column).is_some())
}

fn generated(draft: &mut Draft<'_>, relation: &RelationName, column: &str, cascade: bool) {
    let dialect = draft.catalog.dialect();
    let Some(table) = draft.table(relation) else { return };
    let mut users = table
        .columns
        .iter()
        .filter(|other| other.generated.as_ref().is_some_and(|it| it.expression.names(column, dialect)));
    // Before 15 the generated column went with it, without a word (measured on 13).
    if !draft.since(15) {
        return;
    }
    if let Some(user) = users.find(|user| user.name != column && !cascade) {
        draft.fail(format!("the generated column {} needs {column}: CASCADE drops it too", user.name));
    }
}

/// The views that go with a relation or a column, or that keep it.
pub(super) fn views(draft: &mut Draft<'_>, relation: &RelationName, column: Option<&str>, cascade: bool) {
    let views: Vec<RelationName> = match column {
        Some(column) => draft.catalog.views_on_column(relation, column).into_iter().cloned().collect(),
        None => draft.catalog.views_on(relation).into_iter().map(|(name, _)| name.clone()).collect(),
    };
    for view in views {
        if draft.gone.contains(&view) {
            continue;
        }
        if !cascade {
            let (view, what) =
                (draft.display(&view), column.map_or_else(|| draft.display(relation), str::to_owned));
            return draft.fail(format!("the view {view} needs {what}: CASCADE drops it too"));
        }
        // Views can be replaced until they read each other.
        let seen = draft.effect.lock_on(&view) == Some(LockMode::AccessExclusive);
        draft.lock(&view, LockMode::AccessExclusive);
        draft.lock_indexes(&view, LockMode::AccessExclusive);
        if !seen && view != *relation {
            self::views(draft, &view, None, true);
        }
    }
}

pub(super) fn set_access_method(draft: &mut Draft<'_>, relation: &RelationName, method: &str) {
    draft.needs(15, "SET ACCESS METHOD");
    draft.lock(relation, LockMode::AccessExclusive);
    if method != "heap" {
        draft.rewrite_tree(relation);
    }
}

/// The files are copied block by block; indexes stay where they are.
pub(super) fn set_tablespace(draft: &mut Draft<'_>, relation: &RelationName) {
    draft.lock(relation, LockMode::AccessExclusive);
    let partitioned = draft.table(relation).is_some_and(|table| table.partition_by.is_some());
    if !partitioned {
        draft.effect.heap_rewrite = true;
        draft.effect.work.push((relation.clone(), Work::FileCopy));
    }
}

pub(super) fn all_in_tablespace(draft: &mut Draft<'_>) {
    let tables: Vec<RelationName> = draft.catalog.tables().map(|(name, _)| name.clone()).collect();
    for table in tables {
        set_tablespace(draft, &table);
    }
}

pub(super) fn set_logged(draft: &mut Draft<'_>, relation: &RelationName, logged: bool) {
    draft.lock(relation, LockMode::AccessExclusive);
    let Some(table) = draft.table(relation) else { return draft.rewrite_tree(relation) };
    if table.unlogged != logged {
        return;
    }
    if !logged && draft.catalog.is_published(relation) {
        draft.fail("a published table cannot be unlogged");
    }
    let referenced = table.constraints.iter().filter_map(|it| key_of(&it.demand));
    let logged_parent =
        referenced.into_iter().find(|it| draft.table(it).is_some_and(|it| it.unlogged == logged));
    if let Some(parent) = logged_parent.filter(|parent| *parent != relation) {
        let parent = parent.clone();
        draft.lock(&parent, LockMode::AccessShare);
        if logged {
            draft.fail(format!("it refers to the unlogged table {}", draft.display(&parent)));
        }
    }
    if !logged && table.referenced_by.iter().any(|child| child != relation) {
        draft.fail("a logged table refers to it");
    }
    for sequence in table.columns.iter().filter_map(|column| column.sequence.as_ref()) {
        if draft.since(15) {
            draft.lock(sequence, LockMode::AccessExclusive);
        }
    }
    draft.rewrite_tree(relation);
}

/// Whether a table has a foreign key to another one.
pub(super) fn references(draft: &Draft<'_>, relation: &RelationName) -> Vec<RelationName> {
    let Some(table) = draft.table(relation) else { return Vec::new() };
    let keys = table.constraints.iter().filter_map(|it| match &it.demand {
        Demand::ForeignKey { references, .. } => Some(references.clone()),
        _ => None,
    });
    keys.collect()
}
