//! What an operation has to do with.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, RelationName, Table, UserType, names_column};
use crate::dialect::{Dialect, Name};
use crate::operation::{
    Constraint, ConstraintKind, CreateIndex, Expression, Kind, ObjectKind, Operation, TableAction,
    TypeAction, TypeName, Update,
};
use crate::statement::{Script, TokenKind};

/// A relation or type that an operation has to do with. The columns of an enum are its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Its name.
    pub name: RelationName,
    /// The columns of it; `None`: all of it.
    pub columns: Option<BTreeSet<String>>,
}

impl Touch {
    /// Whether both have to do with the same.
    pub fn meets(&self, other: &Self) -> bool {
        let apart = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.is_disjoint(other);
        self.name == other.name
            && !matches!((&self.columns, &other.columns), (Some(one), Some(other)) if apart(one, other))
    }
}

/// What operations, which stand in `text`, have to do with; `None` where nobody can tell. `catalog` is the schema before them.
pub fn touches(operations: &[&Operation], catalog: &Catalog, text: &str) -> Option<Vec<Touch>> {
    let mut all = Vec::new();
    for operation in operations {
        if let Some((name, label)) = new_label(operation, catalog) {
            all.push(Touch { name, columns: Some(BTreeSet::from([label])) });
            continue;
        }
        all.extend(labels(operation, catalog, text)?);
        all.extend(of_dropped_indexes(operation, catalog));
        let commented = || match &operation.kind {
            Kind::Comment(comment) => Some(&comment.name),
            _ => None,
        };
        let own = operation.relation().or_else(commented).map(|it| catalog.resolve(it));
        let columns = columns(operation, catalog.dialect());
        let granted = matches!(operation.kind, Kind::Grant(_));
        // The types of the server are everybody's, and nobody changes them.
        let own_types = operation.column_types().into_iter().filter(|it| catalog.type_named(it).is_some());
        let named = operation.relations(catalog.dialect())?.into_iter().chain(own_types);
        for name in named.map(|it| catalog.resolve(&it)) {
            let of_key = referenced(operation, catalog).filter(|(table, _)| *table == name);
            let columns = match of_key {
                Some((_, columns)) if Some(&name) != own.as_ref() => columns,
                _ => columns.clone().filter(|_| granted || Some(&name) == own.as_ref()),
            };
            let columns = columns.map(|it| with_others(it, catalog.table(&name), catalog.dialect()));
            all.push(Touch { name, columns });
        }
    }
    Some(all)
}

/// The columns of the indexes that an operation drops: on the way back they are built again, so that their table must be there.
fn of_dropped_indexes(operation: &Operation, catalog: &Catalog) -> Vec<Touch> {
    let Kind::Drop(drop) = &operation.kind else { return Vec::new() };
    let dialect = catalog.dialect();
    let touch = |name: &Name| {
        let (table, index) = catalog.index(&catalog.resolve(name))?;
        let columns = catalog.table(table)?.columns.iter().filter(|it| index.names_column(&it.name, dialect));
        Some(Touch { name: table.clone(), columns: Some(columns.map(|it| it.name.clone()).collect()) })
    };
    match drop.object {
        ObjectKind::Index => drop.names.iter().filter_map(touch).collect(),
        _ => Vec::new(),
    }
}

/// The enum that gets a new label, and the label.
fn new_label(operation: &Operation, catalog: &Catalog) -> Option<(RelationName, String)> {
    let Kind::AlterType(alter) = &operation.kind else { return None };
    let TypeAction::AddValue { value, .. } = &alter.action else { return None };
    Some((catalog.resolve(&alter.name), value.clone()))
}

/// The enums of the columns that an operation may have to do with, each with the labels that it may name: what stands in its strings.
fn labels(operation: &Operation, catalog: &Catalog, text: &str) -> Option<Vec<Touch>> {
    let mut touches = Vec::new();
    for name in operation.relations(catalog.dialect())? {
        let columns = catalog.table_named(&name).into_iter().flat_map(|table| table.columns.iter());
        let enums = columns.filter(|it| matches!(catalog.user_type(&it.ty), Some(UserType::Enum(_))));
        for ty in enums.map(|it| catalog.resolve(&named(&it.ty))) {
            if !touches.iter().any(|it: &Touch| it.name == ty) {
                touches.push(Touch { name: ty, columns: None });
            }
        }
    }
    if touches.is_empty() {
        return Some(touches);
    }
    let own = operation.span.of(text);
    let tokens = Script::read(own, catalog.dialect()).tokens;
    let strings = tokens.iter().filter(|it| it.kind == TokenKind::String).map(|it| it.span.of(own));
    let named: BTreeSet<String> = strings.map(|it| it.trim_matches('\'').replace("''", "'")).collect();
    Some(touches.into_iter().map(|it| Touch { columns: Some(named.clone()), ..it }).collect())
}

fn named(ty: &TypeName) -> Name {
    Name { schema: ty.schema.clone(), name: ty.name.clone(), span: ty.span }
}

/// The table that a foreign key points at, and the columns there.
fn referenced(operation: &Operation, catalog: &Catalog) -> Option<(RelationName, Option<BTreeSet<String>>)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddConstraint { constraint } = &alter.action else { return None };
    let ConstraintKind::ForeignKey(key) = &constraint.kind else { return None };
    let table = catalog.resolve(&key.references);
    let columns: BTreeSet<String> = match key.referenced.as_slice() {
        [] => catalog.table(&table)?.primary_key()?.iter().cloned().collect(),
        some => some.iter().map(|it| it.name.clone()).collect(),
    };
    Some((table, Some(columns)))
}

/// The columns of its own table that an operation is about; `None` where it is about more.
fn columns(operation: &Operation, dialect: Dialect) -> Option<BTreeSet<String>> {
    match &operation.kind {
        Kind::CreateIndex(index) => Some(of_index(index, dialect)),
        Kind::Update(update) => of_update(update, dialect),
        // Words about a table and rights on it hang on no column, but on those that they name.
        Kind::Grant(grant) => {
            Some(grant.privileges.iter().flat_map(|(_, columns)| columns.iter().cloned()).collect())
        }
        Kind::Comment(comment) if comment.object == ObjectKind::Table => Some(BTreeSet::new()),
        Kind::Comment(comment) if comment.object == ObjectKind::Column => {
            comment.part.clone().map(|it| BTreeSet::from([it]))
        }
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { column, .. } => {
                column.generated.is_none().then(|| BTreeSet::from([column.name.name.clone()]))
            }
            TableAction::DropColumn { column, .. }
            | TableAction::AlterType { column, .. }
            | TableAction::SetDefault { column, .. }
            | TableAction::DropDefault { column }
            | TableAction::SetNotNull { column }
            | TableAction::DropNotNull { column } => Some(BTreeSet::from([column.name.clone()])),
            TableAction::RenameColumn { column, to } => {
                Some(BTreeSet::from([column.name.clone(), to.name.clone()]))
            }
            TableAction::AddConstraint { constraint } => of_constraint(constraint, dialect),
            _ => None,
        },
        _ => None,
    }
}

fn of_index(index: &CreateIndex, dialect: Dialect) -> BTreeSet<String> {
    let keys = index.keys.iter().flat_map(|it| it.text.columns(dialect));
    let include = index.include.iter().map(|it| it.name.clone());
    let predicate = index.predicate.iter().flat_map(|it| it.columns(dialect));
    keys.chain(include).chain(predicate).collect()
}

/// A change whose condition says which rows may stand in any column.
fn of_update(update: &Update, dialect: Dialect) -> Option<BTreeSet<String>> {
    let set = update.set.as_ref()?;
    let read = |it: &Expression| it.columns(dialect);
    let values = set.iter().flat_map(|(column, value)| {
        let mut columns = read(value);
        columns.insert(column.name.clone());
        columns
    });
    Some(values.chain(update.condition.iter().flat_map(read)).collect())
}

fn of_constraint(constraint: &Constraint, dialect: Dialect) -> Option<BTreeSet<String>> {
    let names = |it: &[crate::dialect::Ident]| Some(it.iter().map(|it| it.name.clone()).collect());
    match &constraint.kind {
        ConstraintKind::Check(check) => Some(check.columns(dialect)),
        ConstraintKind::NotNull(column) => Some(BTreeSet::from([column.name.clone()])),
        ConstraintKind::Unique { columns, using_index: None, .. } => names(columns),
        ConstraintKind::ForeignKey(key) => names(&key.columns),
        _ => None,
    }
}

/// With the columns that share an index or a constraint with one of them.
fn with_others(mut columns: BTreeSet<String>, table: Option<&Table>, dialect: Dialect) -> BTreeSet<String> {
    let Some(table) = table else { return columns };
    let own = columns.clone();
    let any = |names: &dyn Fn(&str) -> bool| own.iter().any(|it| names(it));
    for column in &table.columns {
        let shares = table.indexes.iter().any(|it| {
            it.names_column(&column.name, dialect) && any(&|own: &str| it.names_column(own, dialect))
        }) || table.constraints.iter().any(|it| {
            names_column(&it.demand, &column.name, dialect)
                && any(&|own: &str| names_column(&it.demand, own, dialect))
        });
        if shares {
            columns.insert(column.name.clone());
        }
    }
    columns
}
