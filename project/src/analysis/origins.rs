//! Where each object of a schema was made, changed, used and dropped: read once from a folder's history, beside the catalog, which keeps no places.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use lockkeeper_core::catalog::{Catalog, RelationName};
use lockkeeper_core::dialect::{Ident, Name};
use lockkeeper_core::engine::effect::in_server_order;
use lockkeeper_core::engine::lower::lower;
use lockkeeper_core::framework::Direction;
use lockkeeper_core::operation::{
    AlterTable, Column, Constraint, ConstraintKind, CreateTable, Kind, ObjectAction, ObjectKind, Operation,
    TableAction, TypeName,
};
use lockkeeper_core::statement::Script;
use lockkeeper_core::text::Span;

use super::History;
use crate::folder::{Folder, Source};

/// An object with a name of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A table, view, index or sequence.
    Relation(RelationName),
    /// A column of a table or view.
    Column(RelationName, Arc<str>),
    /// A constraint of a table.
    Constraint(RelationName, Arc<str>),
    /// A type or domain.
    Type(RelationName),
}

/// What a place does with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It is there from here on.
    Made,
    /// It is another from here on, or has another name.
    Changed,
    /// Something else names it.
    Used,
    /// It is gone from here on.
    Dropped,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What is named.
    pub object: Object,
    /// What is done with it.
    pub change: Change,
    /// Where its name stands.
    pub span: Span,
    /// The object that had another name until here.
    pub was: Option<Object>,
}

/// A place in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The migration, by its place in the folder.
    pub migration: usize,
    /// Its file.
    pub file: usize,
    /// Where the name stands there.
    pub span: Span,
    /// What is done.
    pub change: Change,
}

/// All places of a folder's history.
#[derive(Debug, Default)]
pub struct Origins {
    events: HashMap<Object, Vec<Event>>,
    /// Objects that had another name, until which migration.
    former: HashMap<Object, (Object, usize)>,
}

impl Origins {
    /// Reads the ways up of a folder.
    pub fn read(folder: &Folder, history: &History) -> Self {
        let mut origins = Self::default();
        for (migration, of) in folder.migrations.iter().enumerate() {
            let (before, after) = (history.at(migration), history.after_migration(migration));
            for (file, source) in of.files.iter().enumerate() {
                for mention in mentions_of(source, before, after) {
                    if let Some(was) = mention.was {
                        origins.former.insert(mention.object.clone(), (was, migration));
                    }
                    let event = Event { migration, file, span: mention.span, change: mention.change };
                    origins.events.entry(mention.object).or_default().push(event);
                }
            }
        }
        origins
    }

    /// The places of an object in order, also those under its former names, in the first `until` migrations.
    pub fn of(&self, object: &Object, until: usize) -> Vec<Event> {
        let mut found = Vec::new();
        let (mut object, mut until) = (object.clone(), until);
        // As often as there are names: a table may be renamed in a ring.
        for _ in 0..=self.former.len() {
            let own = self.events.get(&object).into_iter().flatten();
            found.extend(own.filter(|it| it.migration < until).copied());
            let Some((former, at)) = self.former_of(&object).filter(|(_, at)| *at < until) else { break };
            (object, until) = (former, at + 1);
        }
        found.sort_by_key(|it| (it.migration, it.file, it.span));
        found.dedup();
        found
    }

    fn former_of(&self, object: &Object) -> Option<(Object, usize)> {
        if let Some(known) = self.former.get(object) {
            return Some(known.clone());
        }
        let (Object::Column(table, _) | Object::Constraint(table, _)) = object else { return None };
        let (Object::Relation(table), at) = self.former.get(&Object::Relation(table.clone()))? else {
            return None;
        };
        let moved = match object {
            Object::Column(_, name) => Object::Column(table.clone(), name.clone()),
            _ => Object::Constraint(table.clone(), object.name().into()),
        };
        Some((moved, *at))
    }
}

impl Object {
    /// Its own name.
    pub fn name(&self) -> &str {
        match self {
            Self::Relation(name) | Self::Type(name) => &name.name,
            Self::Column(_, name) | Self::Constraint(_, name) => name,
        }
    }
}

/// What the way up of a file names, in order. `after` tells which names the server gave.
fn mentions_of(source: &Source, before: &Catalog, after: &Catalog) -> Vec<Mention> {
    let mut found = Vec::new();
    for section in source.sections.iter().filter(|it| it.direction == Direction::Up) {
        let script = Script::read_part(&source.text, section.span, before.dialect());
        let statements = script.statements.iter().map(|it| lower(&script, it));
        let operations: Vec<Operation> =
            statements.flat_map(|it| in_server_order(&it).into_iter().cloned().collect::<Vec<_>>()).collect();
        found.extend(mentions(&operations, before, after));
    }
    found
}

/// What operations name, in order, between two schemas.
pub fn mentions(operations: &[Operation], before: &Catalog, after: &Catalog) -> Vec<Mention> {
    let mut found = Mentions { before, all: Vec::new(), touched: BTreeMap::new() };
    operations.iter().for_each(|it| found.operation(it));
    found.named_by_the_server(after);
    found.all.retain(|it| !it.span.is_empty());
    found.all
}

struct Mentions<'a> {
    before: &'a Catalog,
    all: Vec<Mention>,
    /// The tables that were changed, each with the place that may have made what the server names.
    touched: BTreeMap<RelationName, Span>,
}

impl Mentions<'_> {
    fn add(&mut self, object: Object, change: Change, span: Span) {
        self.all.push(Mention { object, change, span, was: None });
    }

    fn relation(&mut self, name: &Name, change: Change) -> RelationName {
        let relation = self.before.resolve(name);
        self.add(Object::Relation(relation.clone()), change, name.span);
        relation
    }

    fn column(&mut self, table: &RelationName, column: &Ident, change: Change) {
        self.add(Object::Column(table.clone(), column.name.as_str().into()), change, column.span);
    }

    fn constraint_named(&mut self, table: &RelationName, name: &Ident, change: Change) {
        self.add(Object::Constraint(table.clone(), name.name.as_str().into()), change, name.span);
    }

    fn type_named(&mut self, name: &Name, change: Change) -> RelationName {
        let name_of = self.before.resolve(name);
        self.add(Object::Type(name_of.clone()), change, name.span);
        name_of
    }

    fn ty(&mut self, ty: &TypeName) {
        let name = Name { schema: ty.schema.clone(), name: ty.name.clone(), span: ty.span };
        if self.before.user_type(ty).is_some() {
            self.type_named(&name, Change::Used);
        }
    }

    fn operation(&mut self, operation: &Operation) {
        match &operation.kind {
            Kind::CreateTable(it) => self.create_table(it, operation.span),
            Kind::AlterTable(it) => self.alter_table(it, operation.span),
            Kind::CreateIndex(it) => {
                let table = self.relation(&it.table, Change::Used);
                if let Some(name) = &it.name {
                    let index = it.table.sibling(&name.name);
                    self.relation(&Name { span: name.span, ..index }, Change::Made);
                }
                let keys = it.keys.iter().filter_map(|key| key.column.as_ref()).chain(&it.include);
                keys.for_each(|it| self.column(&table, it, Change::Used));
                self.touched.insert(table, it.keyword);
            }
            Kind::Drop(it) => it.names.iter().for_each(|name| self.dropped(it.object, name)),
            Kind::CreateView(it) => {
                let known = self.before.relation(&self.before.resolve(&it.name)).is_some();
                self.relation(&it.name, if known { Change::Changed } else { Change::Made });
            }
            Kind::CreateSequence(it) => _ = self.relation(&it.name, Change::Made),
            Kind::AlterSequence(it) => _ = self.relation(&it.name, Change::Changed),
            Kind::CreateType(it) => _ = self.type_named(&it.name, Change::Made),
            Kind::CreateDomain(it) => _ = self.type_named(&it.name, Change::Made),
            Kind::AlterType(it) => _ = self.type_named(&it.name, Change::Changed),
            Kind::AlterDomain(it) => _ = self.type_named(&it.name, Change::Changed),
            Kind::AlterObject(it) if matches!(it.object, ObjectKind::Type | ObjectKind::Domain) => {
                let was = self.type_named(&it.name, Change::Changed);
                if let ObjectAction::RenameTo(to) = &it.action {
                    let new = RelationName { schema: was.schema.clone(), name: to.name.as_str().into() };
                    self.renamed(Object::Type(was), Object::Type(new), to.span);
                }
            }
            _ => {
                let names = operation.relations(self.before.dialect()).unwrap_or_default();
                names.iter().for_each(|it| _ = self.relation(it, Change::Used));
            }
        }
    }

    fn dropped(&mut self, object: ObjectKind, name: &Name) {
        match object {
            ObjectKind::Type | ObjectKind::Domain => _ = self.type_named(name, Change::Dropped),
            ObjectKind::Table
            | ObjectKind::Index
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::ForeignTable => _ = self.relation(name, Change::Dropped),
            _ => {}
        }
    }

    fn renamed(&mut self, was: Object, object: Object, span: Span) {
        self.all.push(Mention { object, change: Change::Changed, span, was: Some(was) });
    }

    fn create_table(&mut self, create: &CreateTable, span: Span) {
        let table = self.relation(&create.name, Change::Made);
        create.columns.iter().for_each(|it| self.column_made(&table, it));
        create.constraints.iter().for_each(|it| self.constraint(&table, it));
        let parents = create.inherits.iter().chain(create.partition_of.iter().map(|(parent, _)| parent));
        let parents = parents.chain(create.like.iter().map(|it| &it.table));
        parents.for_each(|it| _ = self.relation(it, Change::Used));
        self.touched.insert(table, if create.name.span.is_empty() { span } else { create.name.span });
    }

    fn column_made(&mut self, table: &RelationName, column: &Column) {
        self.column(table, &column.name, Change::Made);
        self.ty(&column.ty);
        column.constraints.iter().for_each(|it| self.constraint(table, it));
    }

    fn constraint(&mut self, table: &RelationName, constraint: &Constraint) {
        if let Some(name) = &constraint.name {
            self.constraint_named(table, name, Change::Made);
        }
        let columns = match &constraint.kind {
            ConstraintKind::Check(_) => &[][..],
            ConstraintKind::NotNull(column) => std::slice::from_ref(column),
            ConstraintKind::Unique { columns, .. }
            | ConstraintKind::PrimaryKey { columns, .. }
            | ConstraintKind::Exclude { columns } => columns,
            ConstraintKind::ForeignKey(key) => {
                let other = self.relation(&key.references, Change::Used);
                key.referenced.iter().for_each(|it| self.column(&other, it, Change::Used));
                &key.columns
            }
        };
        columns.iter().for_each(|it| self.column(table, it, Change::Used));
    }

    fn alter_table(&mut self, alter: &AlterTable, span: Span) {
        let table = self.relation(&alter.table, Change::Changed);
        self.touched.insert(table.clone(), span);
        match &alter.action {
            TableAction::AddColumn { column, .. } => self.column_made(&table, column),
            TableAction::DropColumn { column, .. } => self.column(&table, column, Change::Dropped),
            TableAction::AlterType { column, ty, .. } => {
                self.column(&table, column, Change::Changed);
                self.ty(ty);
            }
            TableAction::SetDefault { column, .. }
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
            | TableAction::SetColumnOptions { column, .. } => self.column(&table, column, Change::Changed),
            TableAction::AddConstraint { constraint } => self.constraint(&table, constraint),
            TableAction::AlterConstraint { name, .. } | TableAction::ValidateConstraint { name } => {
                self.constraint_named(&table, name, Change::Changed);
            }
            TableAction::DropConstraint { name, .. } => self.constraint_named(&table, name, Change::Dropped),
            TableAction::RenameColumn { column, to } => {
                self.column(&table, column, Change::Changed);
                let [was, new] =
                    [column, to].map(|it| Object::Column(table.clone(), it.name.as_str().into()));
                self.renamed(was, new, to.span);
            }
            TableAction::RenameConstraint { name, to } => {
                self.constraint_named(&table, name, Change::Changed);
                let [was, new] =
                    [name, to].map(|it| Object::Constraint(table.clone(), it.name.as_str().into()));
                self.renamed(was, new, to.span);
            }
            TableAction::RenameTo { to } => self.moved(table, None, &to.name, to.span),
            TableAction::SetSchema { schema } => {
                let name = table.name.to_string();
                self.moved(table, Some(&schema.name), &name, schema.span);
            }
            TableAction::AttachPartition { partition, .. }
            | TableAction::DetachPartition { partition, .. } => {
                self.relation(partition, Change::Used);
            }
            TableAction::Inherit { parent } | TableAction::NoInherit { parent } => {
                self.relation(parent, Change::Used);
            }
            _ => {}
        }
    }

    fn moved(&mut self, was: RelationName, schema: Option<&str>, name: &str, span: Span) {
        let schema = schema.map_or_else(|| was.schema.clone(), Into::into);
        let new = RelationName { schema, name: name.into() };
        self.touched.remove(&was);
        self.renamed(Object::Relation(was), Object::Relation(new), span);
    }

    /// Indexes and constraints that are there afterwards and that nobody named.
    fn named_by_the_server(&mut self, after: &Catalog) {
        for (table, span) in std::mem::take(&mut self.touched) {
            let Some(now) = after.table(&table) else { continue };
            let was = self.before.table(&table);
            for index in &now.indexes {
                let known = was.is_some_and(|it| it.index(&index.name.name).is_some());
                self.unnamed(known, Object::Relation(index.name.clone()), span);
            }
            for constraint in &now.constraints {
                let known = was.is_some_and(|it| it.constraint(&constraint.name).is_some());
                self.unnamed(known, Object::Constraint(table.clone(), constraint.name.as_str().into()), span);
            }
        }
    }

    fn unnamed(&mut self, known: bool, object: Object, span: Span) {
        if !known && !self.all.iter().any(|it| it.object == object) {
            self.add(object, Change::Made, span);
        }
    }
}
