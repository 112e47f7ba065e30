//! Columns that a statement names and its table does not have (42703, measured on 11, 15 and 18).

use super::draft::Draft;
use super::twice;
use crate::catalog::RelationName;
use crate::dialect::Ident;
use crate::operation::{
    Comment, Constraint, ConstraintKind, CreateIndex, CreateTable, CreateTrigger, Delete, Expression, Insert,
    ObjectKind, Update,
};

/// Every table has them.
const SYSTEM: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"];

fn refuse(draft: &mut Draft<'_>, relation: &RelationName, column: &str) {
    if draft.catalog.lacks_column(relation, column) {
        draft.fail(format!("column {column} of {} does not exist", draft.display(relation)));
    }
}

fn refuse_each<'i>(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    columns: impl IntoIterator<Item = &'i Ident>,
) {
    for column in columns {
        refuse(draft, relation, &column.name);
    }
}

/// Refuses an expression on the rows of one table, where all that it names was read. `own` is what the statement calls the table.
fn refuse_in(draft: &mut Draft<'_>, relation: &RelationName, own: &str, expression: &Expression) {
    for column in named_in(draft, own, expression) {
        if !SYSTEM.contains(&column.as_str()) {
            refuse(draft, relation, &column);
        }
    }
}

/// The columns of the one table that an expression names; none where that is not certain.
fn named_in(draft: &Draft<'_>, own: &str, expression: &Expression) -> Vec<String> {
    let Some(named) = expression.certain_columns(draft.catalog.dialect()) else { return Vec::new() };
    let mine = named.into_iter().filter(|(qualifier, column)| {
        // The name of the table alone is its whole row, and a function of the row looks like a column of it.
        let is_row = qualifier.is_none() && column == own;
        let is_function = qualifier.is_some() && draft.catalog.routine(column).is_some();
        !is_row && !is_function && qualifier.as_ref().is_none_or(|it| it == own)
    });
    mine.map(|(_, column)| column).collect()
}

pub(super) fn index(draft: &mut Draft<'_>, relation: &RelationName, create: &CreateIndex) {
    let own = create.table.name.as_str();
    for key in &create.keys {
        match &key.column {
            Some(column) => refuse(draft, relation, &column.name),
            None => refuse_in(draft, relation, own, &key.text),
        }
    }
    refuse_each(draft, relation, &create.include);
    if let Some(predicate) = &create.predicate {
        refuse_in(draft, relation, own, predicate);
    }
    super::generated::index(draft, relation, create);
}

pub(super) fn constraint(draft: &mut Draft<'_>, relation: &RelationName, constraint: &Constraint) {
    let own = relation.name.to_string();
    if let ConstraintKind::Check(check) = &constraint.kind {
        refuse_in(draft, relation, &own, check);
    }
    refuse_each(draft, relation, columns_of(constraint));
    super::generated::constraint(draft, relation, constraint);
    twice::in_constraint(draft, constraint);
}

fn columns_of(constraint: &Constraint) -> impl Iterator<Item = &Ident> {
    let columns: &[Ident] = match &constraint.kind {
        ConstraintKind::Unique { columns, .. }
        | ConstraintKind::PrimaryKey { columns, .. }
        | ConstraintKind::Exclude { columns } => columns,
        ConstraintKind::ForeignKey(key) => &key.columns,
        ConstraintKind::NotNull(column) => std::slice::from_ref(column),
        ConstraintKind::Check(_) => &[],
    };
    columns.iter().chain(&constraint.include)
}

/// A new table whose columns all stand in the statement.
pub(super) fn new_table(draft: &mut Draft<'_>, create: &CreateTable) {
    super::generated::new_table(draft, create);
    twice::in_table(draft, create);
    for column in &create.columns {
        if let Some(default) = &column.default {
            super::defaults::refuse(draft, &column.name.name, &column.ty, default);
        }
    }
    let whole = create.query.is_none()
        && create.like.is_empty()
        && create.inherits.is_empty()
        && create.partition_of.is_none()
        && create.of_type.is_none();
    if !whole || create.columns.is_empty() {
        return;
    }
    let own = create.name.name.as_str();
    let mut named: Vec<String> = Vec::new();
    let of_columns = create.columns.iter().flat_map(|it| &it.constraints);
    for constraint in create.constraints.iter().chain(of_columns) {
        if let ConstraintKind::Check(check) = &constraint.kind {
            named.extend(named_in(draft, own, check));
        }
        named.extend(columns_of(constraint).map(|it| it.name.clone()));
    }
    let type_of = |name: &str| Some(create.columns.iter().find(|it| it.name.name == name)?.ty.clone());
    for generated in create.columns.iter().filter_map(|it| it.generated.as_ref()) {
        if let Some(what) = super::immutable::mutable(&generated.expression, draft.catalog, &type_of) {
            draft.fail(format!("{what} is not IMMUTABLE, as everything in a generated column must be"));
        }
        named.extend(named_in(draft, own, &generated.expression));
    }
    named.extend(create.partition_by.iter().flat_map(|it| it.columns.iter().cloned()));
    let there = |name: &String| create.columns.iter().any(|it| it.name.name == **name);
    if let Some(missing) = named.iter().find(|it| !there(it) && !SYSTEM.contains(&it.as_str())) {
        draft.fail(format!("column {missing} of {own} does not exist"));
    }
    let names = create.columns.iter().map(|it| &it.name.name);
    if let Some(twice) = twice::first(names) {
        draft.fail(format!("column {twice} stands there twice"));
    }
}

pub(super) fn insert(draft: &mut Draft<'_>, relation: &RelationName, insert: &Insert) {
    refuse_each(draft, relation, &insert.columns);
    super::generated::insert(draft, relation, insert);
    if let Some(conflict) = &insert.on_conflict {
        twice::in_actions(draft, &conflict.text);
    }
    let names = insert.columns.iter().map(|it| &it.name);
    if let Some(twice) = twice::first(names).filter(|_| draft.table(relation).is_some()) {
        draft.fail(format!("column {twice} is named twice"));
    }
}

pub(super) fn update(draft: &mut Draft<'_>, relation: &RelationName, update: &Update) {
    refuse_each(draft, relation, &update.columns);
    super::generated::update(draft, relation, update);
    if let Some(set) = &update.set {
        let names = set.iter().map(|(column, _)| &column.name);
        if let Some(twice) = twice::first(names) {
            draft.fail(format!("column {twice} gets two values"));
        }
    }
    if !update.plain || update.from.is_some() {
        return;
    }
    let own = update.alias.as_ref().map_or(&update.table.name, |it| &it.name);
    let values = update.set.iter().flatten().map(|(_, value)| value);
    for expression in values.chain(&update.condition) {
        refuse_in(draft, relation, own, expression);
    }
}

pub(super) fn delete(draft: &mut Draft<'_>, relation: &RelationName, delete: &Delete) {
    let own = delete.alias.as_ref().map_or(&delete.table.name, |it| &it.name);
    if let Some(condition) = delete.condition.as_ref().filter(|_| delete.plain) {
        refuse_in(draft, relation, own, condition);
    }
}

pub(super) fn trigger(draft: &mut Draft<'_>, relation: &RelationName, create: &CreateTrigger) {
    refuse_each(draft, relation, &create.columns);
    super::generated::trigger(draft, relation, create);
}

pub(super) fn comment(draft: &mut Draft<'_>, relation: &RelationName, comment: &Comment) {
    if let Some(column) = comment.part.as_ref().filter(|_| comment.object == ObjectKind::Column) {
        refuse(draft, relation, column);
    }
}
