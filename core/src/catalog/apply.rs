//! The schema after an operation.

use std::sync::Arc;

use super::list::List;
use super::{Catalog, Demand, Details, Relation, RelationKind, RelationName, Routine, Table, View};
use crate::dialect::Name;
use crate::operation::{
    AlterObject, CreateFunction, Kind, Maintenance, ObjectAction, ObjectKind, Operation, Publication,
    PublicationAction, Transaction,
};

impl Catalog {
    /// Takes over what an operation did. Operations that cannot succeed change nothing.
    pub fn apply(&mut self, operation: &Operation) {
        match &operation.kind {
            Kind::CreateTable(it) => self.create_table(it),
            Kind::AlterTable(it) => self.alter_table(it),
            Kind::CreateIndex(it) => self.create_index(it),
            Kind::Drop(it) => self.drop_objects(it),
            Kind::AlterObject(it) => self.alter_object(it),
            Kind::CreateView(it) => self.create_view(it),
            Kind::CreateType(it) => self.create_type(it),
            Kind::AlterType(it) => self.alter_type(it),
            Kind::CreateDomain(it) => self.create_domain(it),
            Kind::AlterDomain(it) => self.alter_domain(it),
            Kind::CreateSequence(it) => self.create_sequence(it),
            Kind::AlterSequence(it) => self.alter_sequence(it),
            Kind::CreateFunction(it) => self.create_function(it),
            Kind::CreateTrigger(it) => self.create_trigger(it),
            Kind::CreatePolicy(it) => self.create_policy(it),
            Kind::AlterPolicy(it) => self.alter_policy(it),
            Kind::CreateRule(it) => {
                let name = it.name.name.clone();
                self.with_table(&it.table, |table| {
                    table.rules.retain(|it| *it != name);
                    table.rules.push(name);
                });
                self.write_rule(it);
            }
            Kind::Comment(it) => self.comment(it),
            Kind::Grant(it) => self.grant(it),
            Kind::DefaultPrivileges(it) => self.grant_later(it),
            Kind::CreateSchema(it) => self.create_schema(&it.name),
            Kind::CreateExtension(it) => self.extensions.insert_mut(it.name.as_str().into(), ()),
            Kind::AlterOnTable(it) => self.rename_on_table(it),
            Kind::Publication(it) => self.publication(it),
            Kind::CreateStatistics(it) => self.create_statistics(it),
            Kind::Set(it) => self.set(it),
            Kind::Query(it) => self.configure(&it.query),
            Kind::Transaction(Transaction::Commit | Transaction::Rollback | Transaction::Prepare) => {
                self.end_local_path();
            }
            Kind::Refresh(it) => {
                let (name, populated) = (self.resolve(&it.view), it.with_data);
                self.with_view(&name, |view| view.populated = populated);
            }
            Kind::Insert(it) => self.fill(&it.table),
            Kind::Merge(it) => {
                self.fill(&it.table);
                self.soil(&it.table);
            }
            Kind::Update(it) => self.soil(&it.table),
            Kind::Delete(it) => self.soil(&it.table),
            Kind::Copy(it) if it.into_table => self.fill(&it.table.clone().unwrap_or_default()),
            Kind::Reindex(it) => self.reindexed(it.name.as_ref()),
            Kind::Maintain(it) if it.command == Maintenance::VacuumFull => self.reindexed(it.tables.first()),
            Kind::Maintain(it) if it.command.orders() && it.index.is_some() => {
                if let Some(table) = it.tables.first() {
                    self.cluster_on(&self.resolve(table), it.index.as_ref());
                }
            }
            Kind::Unknown(it) => {
                if let Some(relation) = &it.relation {
                    self.mark_uncertain(relation);
                }
            }
            Kind::Maintain(_)
            | Kind::Copy(_)
            | Kind::Lock(_)
            | Kind::Truncate(_)
            | Kind::Transaction(_)
            | Kind::Do(_)
            | Kind::Other(_) => {}
        }
    }

    /// A statement that could not be read, or may not have run, was about the relation.
    pub fn mark_uncertain(&mut self, name: &Name) {
        let name = self.resolve(name);
        if let Some(relation) = self.relations.get(&name) {
            let relation = Relation { uncertain: true, ..(**relation).clone() };
            self.relations.insert_mut(name, Arc::new(relation));
        }
    }

    pub(super) fn insert(&mut self, name: RelationName, kind: RelationKind) {
        self.has_placeholders |= super::lookup::is_placeholder(&name.schema);
        if let RelationKind::View(view) = &kind {
            for dependence in &view.depends_on {
                self.add_reader(&dependence.relation, &name);
            }
        }
        let details = match &kind {
            RelationKind::Table(_) | RelationKind::View(_) => {
                self.first_details(ObjectKind::Table, &name.schema)
            }
            RelationKind::Sequence(_) => self.first_details(ObjectKind::Sequence, &name.schema),
            RelationKind::Index(_) => Details::default(),
        };
        let relation = Relation { born: self.migration, uncertain: false, details, kind };
        self.relations.insert_mut(name, Arc::new(relation));
    }

    fn add_reader(&mut self, relation: &RelationName, view: &RelationName) {
        let mut readers = self.readers.get(relation).cloned().unwrap_or_default();
        if !readers.contains(view) {
            Arc::make_mut(&mut readers).push(view.clone());
            self.readers.insert_mut(relation.clone(), readers);
        }
    }

    pub(super) fn remove(&mut self, name: &RelationName) {
        if self.relations.remove_mut(name) {
            self.departed.insert_mut(name.clone(), ());
        }
    }

    /// Changes a relation where it is known.
    pub(super) fn with_relation(&mut self, name: &RelationName, change: impl FnOnce(&mut RelationKind)) {
        if let Some(relation) = self.relations.get_mut(name) {
            change(&mut Arc::make_mut(relation).kind);
        }
    }

    pub(super) fn with_table_of(&mut self, name: &RelationName, change: impl FnOnce(&mut Table)) {
        self.with_relation(name, |kind| {
            if let RelationKind::Table(table) = kind {
                change(table);
            }
        });
    }

    pub(super) fn with_table(&mut self, name: &Name, change: impl FnOnce(&mut Table)) {
        self.with_table_of(&self.resolve(name), change);
    }

    pub(super) fn with_view(&mut self, name: &RelationName, change: impl FnOnce(&mut View)) {
        self.with_relation(name, |kind| {
            if let RelationKind::View(view) = kind {
                change(view);
            }
        });
    }

    fn fill(&mut self, table: &Name) {
        if self.table_named(table).is_some_and(|table| !table.filled) {
            self.with_table(table, |table| table.filled = true);
        }
    }

    /// Rows have been changed or deleted.
    fn soil(&mut self, table: &Name) {
        if self.table_named(table).is_some_and(|table| !table.dirty) {
            self.with_table(table, |table| table.dirty = true);
        }
    }

    /// Rebuilt indexes are valid.
    fn reindexed(&mut self, name: Option<&Name>) {
        let Some(name) = name.map(|name| self.resolve(name)) else { return };
        let table = self.index(&name).map_or_else(|| name.clone(), |(table, _)| table.clone());
        let is_table = table == name;
        self.with_table_of(&table, |table| {
            for index in table.indexes.iter_mut() {
                index.valid |= is_table || index.name == name;
            }
        });
    }

    fn create_schema(&mut self, name: &str) {
        if self.schema(name).is_none() {
            let details = self.first_details(ObjectKind::Schema, "");
            self.schemas.insert_mut(name.into(), Arc::new(details));
        }
    }

    fn alter_object(&mut self, alter: &AlterObject) {
        let owner = |to: &String| {
            let to = to.clone();
            move |it: &mut Details| it.set(super::Setting::Owner, Some(to))
        };
        match (&alter.action, alter.object) {
            (_, ObjectKind::Function | ObjectKind::Routine | ObjectKind::Procedure) => {
                self.alter_routine(alter)
            }
            (ObjectAction::Owner(to), ObjectKind::Schema) => self.with_schema(&alter.name.name, owner(to)),
            (ObjectAction::Owner(to), ObjectKind::Type | ObjectKind::Domain) => {
                self.with_type_details(&alter.name, owner(to));
            }
            (ObjectAction::Owner(to), ObjectKind::Statistics) => {
                self.with_statistics(&self.resolve(&alter.name), owner(to));
            }
            (ObjectAction::Else(words), ObjectKind::Statistics) => {
                let words = words.clone();
                self.with_statistics(&self.resolve(&alter.name), |it| {
                    it.set(super::Setting::Statistics, Some(words))
                });
            }
            (ObjectAction::RenameTo(to), ObjectKind::Statistics) => {
                self.move_statistics(&alter.name, alter.name.sibling(&to.name));
            }
            (ObjectAction::SetSchema(to), ObjectKind::Statistics) => {
                self.move_statistics(&alter.name, Name::qualified(&to.name, &alter.name.name));
            }
            _ => {}
        }
        match (&alter.action, alter.object) {
            (ObjectAction::RenameTo(to), ObjectKind::Schema) => {
                self.rename_schema(&alter.name.name, &to.name)
            }
            (ObjectAction::RenameTo(to), ObjectKind::Type | ObjectKind::Domain) => {
                self.move_type(&alter.name, alter.name.sibling(&to.name));
            }
            (ObjectAction::SetSchema(schema), ObjectKind::Type | ObjectKind::Domain) => {
                self.move_type(&alter.name, Name::qualified(&schema.name, &alter.name.name));
            }
            (
                ObjectAction::RenameTo(to),
                ObjectKind::Function | ObjectKind::Routine | ObjectKind::Procedure,
            ) => {
                if let Some(routine) = self.functions.get(alter.name.name.as_str()).cloned() {
                    self.functions.remove_mut(alter.name.name.as_str());
                    self.functions.insert_mut(to.name.as_str().into(), routine);
                }
            }
            (ObjectAction::SetSchema(to), ObjectKind::Function | ObjectKind::Routine) => {
                if let Some(routine) = self.functions.get_mut(alter.name.name.as_str()) {
                    Arc::make_mut(routine).schema = to.name.as_str().into();
                }
            }
            _ => {}
        }
    }

    fn create_function(&mut self, create: &CreateFunction) {
        self.define(create);
        let RelationName { schema, name } = self.resolve(&create.name);
        let before = self.routine(&name);
        // Another of the same name: which is meant is not known any more.
        let same = before.is_none_or(|it| it.signature == create.signature);
        let routine = Routine {
            schema,
            volatility: create.volatility,
            signature: create.signature.clone().filter(|_| same),
            of_triggers: create.returns_trigger,
            born: before.filter(|_| create.or_replace).map_or(self.migration, |it| it.born),
        };
        self.functions.insert_mut(name, Arc::new(routine));
    }

    fn rename_schema(&mut self, from: &str, to: &str) {
        let moved: Vec<RelationName> =
            self.relations.keys().filter(|name| &*name.schema == from).cloned().collect();
        for name in moved {
            self.move_relation(&name, RelationName { schema: to.into(), name: name.name.clone() });
        }
        let types: Vec<RelationName> = self.types.keys().filter(|it| &*it.schema == from).cloned().collect();
        for name in types {
            self.move_type(&Name::qualified(from, &*name.name), Name::qualified(to, &*name.name));
        }
        let routines: Vec<_> = self.definitions.keys().filter(|it| &*it.schema == from).cloned().collect();
        for name in routines {
            if let Some(definition) = self.definitions.get(&name).cloned() {
                self.definitions.remove_mut(&name);
                self.definitions.insert_mut(super::RoutineName { schema: to.into(), ..name }, definition);
            }
        }
        if let Some(details) = self.schemas.get(from).cloned() {
            self.schemas.remove_mut(from);
            self.schemas.insert_mut(to.into(), details);
        }
    }

    fn move_statistics(&mut self, from: &Name, to: Name) {
        let (from, to) = (self.resolve(from), self.resolve(&to));
        let owner = self.tables().find(|(_, table)| table.statistics.iter().any(|(it, _)| *it == from));
        let Some(owner) = owner.map(|(owner, _)| owner.clone()) else { return };
        self.with_table_of(&owner, |table| {
            for (name, _) in table.statistics.iter_mut().filter(|(it, _)| *it == from) {
                *name = to.clone();
            }
        });
        self.rename_part(&owner, ObjectKind::Statistics, &from.name, &to.name);
    }

    fn publication(&mut self, publication: &Publication) {
        self.publishes_all |= publication.all_tables;
        let key: Arc<str> = publication.name.name.as_str().into();
        let named: Vec<RelationName> = publication.tables.iter().map(|table| self.resolve(table)).collect();
        let mut tables = self.publications.get(&key).map(|tables| (**tables).clone()).unwrap_or_default();
        match publication.action {
            PublicationAction::Create | PublicationAction::Set => tables = named,
            PublicationAction::Add => tables.extend(named),
            PublicationAction::Drop => tables.retain(|table| !named.contains(table)),
            PublicationAction::Else => {}
        }
        self.publications.insert_mut(key, Arc::new(tables));
    }

    /// Puts a relation under another name, and follows it wherever it is named.
    pub(super) fn move_relation(&mut self, from: &RelationName, to: RelationName) {
        let Some(relation) = self.relations.get(from).cloned() else { return };
        self.remove(from);
        self.relations.insert_mut(to.clone(), relation.clone());
        match &relation.kind {
            RelationKind::Table(table) => {
                self.follow_table(from, &to, table);
                std::sync::Arc::make_mut(&mut self.renamed).push(to.clone());
            }
            RelationKind::Index(table) => self.follow_index(from, &to, table),
            RelationKind::View(view) => {
                for dependence in &view.depends_on {
                    self.add_reader(&dependence.relation, &to);
                }
                for index in &view.indexes {
                    self.with_relation(&index.name, |kind| *kind = RelationKind::Index(to.clone()));
                }
            }
            RelationKind::Sequence(sequence) => {
                if let Some((table, column)) = &sequence.owned_by {
                    self.with_table_of(table, |table| {
                        if let Some(column) = table.column_mut(column) {
                            column.sequence = Some(to.clone());
                        }
                    });
                }
            }
        }
        self.follow_in_views(from, &to);
    }

    fn follow_index(&mut self, from: &RelationName, to: &RelationName, table: &RelationName) {
        let rename = |indexes: &mut List<super::Index>| {
            for index in indexes.iter_mut_where(|index| index.name == *from) {
                index.name = to.clone();
            }
        };
        self.with_relation(table, |kind| match kind {
            RelationKind::Table(table) => {
                rename(&mut table.indexes);
                for constraint in table.constraints.iter_mut_where(|it| it.demand.has_index()) {
                    if constraint.name == *from.name {
                        constraint.name = to.name.to_string();
                    }
                }
            }
            RelationKind::View(view) => rename(&mut view.indexes),
            _ => {}
        });
    }

    fn follow_table(&mut self, from: &RelationName, to: &RelationName, table: &Table) {
        for index in &table.indexes {
            self.with_relation(&index.name, |kind| *kind = RelationKind::Index(to.clone()));
        }
        let replace = |names: &mut Vec<RelationName>| {
            for name in names.iter_mut().filter(|name| *name == from) {
                *name = to.clone();
            }
        };
        let parents = table.inherits.iter().chain(table.partition_of.iter().map(|(parent, _)| parent));
        for parent in parents {
            self.with_table_of(parent, |parent| replace(&mut parent.children));
        }
        for child in &table.children {
            self.with_table_of(child, |child| {
                replace(&mut child.inherits);
                if let Some((parent, _)) = child.partition_of.as_mut().filter(|(parent, _)| parent == from) {
                    *parent = to.clone();
                }
            });
        }
        for column in &table.columns {
            if let Some(sequence) = &column.sequence {
                self.with_relation(sequence, |kind| {
                    if let RelationKind::Sequence(sequence) = kind {
                        sequence.owned_by = Some((to.clone(), column.name.clone()));
                    }
                });
            }
        }
        self.follow_keys(from, to, table, replace);
    }

    fn follow_keys(
        &mut self,
        from: &RelationName,
        to: &RelationName,
        table: &Table,
        replace: impl Fn(&mut Vec<RelationName>),
    ) {
        for constraint in &table.constraints {
            if let Demand::ForeignKey { references, .. } = &constraint.demand {
                let references = if references == from { to } else { references };
                self.with_table_of(references, |other| replace(&mut other.referenced_by));
            }
        }
        for child in &table.referenced_by {
            let child = if child == from { to } else { child };
            self.with_table_of(child, |child| {
                for constraint in child.constraints.iter_mut() {
                    if let Demand::ForeignKey { references, .. } = &mut constraint.demand
                        && references == from
                    {
                        *references = to.clone();
                    }
                }
            });
        }
    }

    fn follow_in_views(&mut self, from: &RelationName, to: &RelationName) {
        let views: Vec<RelationName> =
            self.views_on(from).into_iter().map(|(name, _)| name.clone()).collect();
        let (dialect, default) = (self.dialect, self.default_schema.clone());
        let is_it =
            |it: &Name| *it.name == *from.name && it.schema.as_deref().unwrap_or(&default) == &*from.schema;
        let shown =
            if to.schema == default { Name::new(&*to.name) } else { Name::qualified(&*to.schema, &*to.name) };
        for view in views {
            self.add_reader(to, &view);
            self.with_view(&view, |view| {
                view.query.text = view.query.with_relation_renamed(dialect, &shown, is_it);
                for dependence in view.depends_on.iter_mut().filter(|it| it.relation == *from) {
                    dependence.relation = to.clone();
                }
            });
        }
    }
}
