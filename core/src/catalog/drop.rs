//! Objects that go, and what goes with them.

use super::{Catalog, Demand, Dependent, RelationKind, RelationName, Thing};
use crate::dialect::Name;
use crate::operation::{Drop, ObjectKind};

impl Catalog {
    pub(super) fn drop_objects(&mut self, drop: &Drop) {
        match drop.object {
            ObjectKind::Table | ObjectKind::ForeignTable => self.drop_tables(drop),
            ObjectKind::View | ObjectKind::MaterializedView => self.drop_views(drop),
            ObjectKind::Index => {
                for name in &drop.names {
                    self.drop_index(&self.resolve(name));
                }
            }
            ObjectKind::Sequence => {
                for name in &drop.names {
                    self.drop_sequence(&self.resolve(name), drop.cascade);
                }
            }
            ObjectKind::Type | ObjectKind::Domain => {
                for name in &drop.names {
                    let name = self.resolve(name);
                    if self.drop_dependents(&Thing::Type(name.clone()), drop.cascade) {
                        self.drop_type(&name, drop.cascade);
                    }
                }
            }
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                for (name, takes) in drop.names.iter().zip(&drop.takes) {
                    let routine = self.routine_name(name, takes.as_deref());
                    let free =
                        routine.is_none_or(|it| self.drop_dependents(&Thing::Routine(it), drop.cascade));
                    if free {
                        self.drop_routine(name, takes.as_deref());
                    }
                }
            }
            ObjectKind::Schema => {
                for name in &drop.names {
                    self.drop_schema(&name.name);
                }
            }
            ObjectKind::Extension => {
                for name in &drop.names {
                    if self.drop_dependents(&Thing::Extension(name.name.clone()), drop.cascade) {
                        self.extensions.remove_mut(name.name.as_str());
                    }
                }
            }
            ObjectKind::Publication => {
                for name in &drop.names {
                    self.publications.remove_mut(name.name.as_str());
                }
            }
            ObjectKind::Statistics => {
                for name in &drop.names {
                    self.drop_statistics(name);
                }
            }
            ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => self.drop_on_table(drop),
            _ => {}
        }
    }

    /// What its session alone sees goes with it.
    pub fn end_session(&mut self) {
        let temporary = self.tables().filter(|(_, table)| table.temporary);
        let names: Vec<RelationName> = temporary.map(|(name, _)| name.clone()).collect();
        names.iter().for_each(|name| self.drop_table(name, true));
    }

    /// Tables that need each other go together; where something else needs one, the server refuses all.
    fn drop_tables(&mut self, drop: &Drop) {
        let all: Vec<RelationName> = drop.names.iter().map(|it| self.resolve(it)).collect();
        if drop.cascade || !all.iter().any(|it| self.is_needed(it, &all)) {
            all.iter().for_each(|it| self.drop_table_beside(it, drop.cascade, &all));
        }
    }

    fn drop_views(&mut self, drop: &Drop) {
        let all: Vec<RelationName> = drop.names.iter().map(|it| self.resolve(it)).collect();
        let needed = |it: &RelationName| self.views_on(it).iter().any(|(view, _)| !all.contains(view));
        let together = all.len() > 1 && !all.iter().any(needed);
        all.iter().for_each(|it| self.drop_view(it, drop.cascade || together));
    }

    /// Drops what depends on an object. Without CASCADE the server refuses where there is something, and nothing changes.
    fn drop_dependents(&mut self, on: &Thing, cascade: bool) -> bool {
        let found = self.dependents(on);
        if !cascade {
            return found.is_empty();
        }
        for dependent in found {
            self.drop_dependent(dependent);
        }
        true
    }

    fn drop_dependent(&mut self, dependent: Dependent) {
        match dependent {
            Dependent::Trigger(relation, name) => {
                self.with_triggers(&relation, |triggers| triggers.retain(|it| it.name != name));
            }
            Dependent::Policy(table, name) => self.with_table_of(&table, |table| {
                table.policies.retain(|(it, _)| *it != name);
                table.parts.remove(&(ObjectKind::Policy, name));
            }),
            Dependent::Column(table, column) => self.drop_column(&table, &column),
            Dependent::Default(table, column) => self.with_table_of(&table, |table| {
                if let Some(column) = table.column_mut(&column) {
                    (column.default, column.default_of, column.sequence) = (None, None, None);
                }
            }),
            Dependent::Constraint(table, name) => self.drop_constraint(&table, &name, true),
            Dependent::Index(_, name) => self.drop_index(&name),
            Dependent::View(name) => self.drop_view(&name, true),
            Dependent::Type(name) => {
                if self.types.contains_key(&name) && self.drop_dependents(&Thing::Type(name.clone()), true) {
                    self.drop_type(&name, true);
                }
            }
            Dependent::Routine(name) => {
                self.drop_dependents(&Thing::Routine(name.clone()), true);
                self.definitions.remove_mut(&name);
            }
        }
    }

    fn drop_on_table(&mut self, drop: &Drop) {
        let (Some(table), Some(name)) = (&drop.on_table, drop.names.first()) else { return };
        self.with_table(table, |table| match drop.object {
            ObjectKind::Trigger => {}
            ObjectKind::Policy => table.policies.retain(|(it, _)| *it != name.name),
            _ => table.rules.retain(|it| *it != name.name),
        });
        let relation = self.resolve(table);
        let part = (drop.object, name.name.clone());
        self.with_relation(&relation, |kind| match kind {
            RelationKind::Table(table) => _ = table.parts.remove(&part),
            RelationKind::View(view) => _ = view.parts.remove(&part),
            RelationKind::Index(_) | RelationKind::Sequence(_) => {}
        });
        if drop.object == ObjectKind::Trigger {
            self.with_triggers(&relation, |triggers| triggers.retain(|it| it.name != name.name));
        }
    }

    fn drop_statistics(&mut self, name: &Name) {
        let name = self.resolve(name);
        let owner = self.tables().find(|(_, table)| table.statistics.iter().any(|(it, _)| *it == name));
        if let Some(owner) = owner.map(|(owner, _)| owner.clone()) {
            self.with_table_of(&owner, |table| {
                table.statistics.retain(|(it, _)| *it != name);
                table.parts.remove(&(ObjectKind::Statistics, name.name.to_string()));
            });
        }
    }

    pub(super) fn drop_table(&mut self, name: &RelationName, cascade: bool) {
        self.drop_table_beside(name, cascade, &[]);
    }

    /// Whether something needs a table that does not go with it.
    fn is_needed(&self, name: &RelationName, others: &[RelationName]) -> bool {
        let Some(table) = self.table(name) else { return false };
        let goes = |it: &RelationName| it == name || others.contains(it);
        let keeps = |on: &Thing| self.dependents(on).iter().any(|it| !it.relation().is_some_and(goes));
        table.referenced_by.iter().any(|it| !goes(it))
            || !self.views_on(name).is_empty()
            || owned_by(name, table).any(|on| keeps(&on))
    }

    /// Drops a table together with others.
    fn drop_table_beside(&mut self, name: &RelationName, cascade: bool, others: &[RelationName]) {
        let Some(table) = self.table(name).cloned() else { return };
        let goes = |it: &RelationName| it == name || others.contains(it);
        if !cascade && self.is_needed(name, others) {
            // The server refuses.
            return;
        }
        if cascade {
            let found: Vec<Dependent> = owned_by(name, &table).flat_map(|on| self.dependents(&on)).collect();
            for dependent in found.into_iter().filter(|it| !it.relation().is_some_and(goes)) {
                self.drop_dependent(dependent);
            }
        }
        // First of all: whatever leads back to it then finds nothing.
        self.remove(name);
        for child in &table.children {
            self.drop_table(child, cascade);
        }
        for index in &table.indexes {
            self.remove(&index.name);
        }
        for sequence in table.columns.iter().filter_map(|column| column.sequence.as_ref()) {
            self.remove(sequence);
        }
        let parents = table.inherits.iter().chain(table.partition_of.iter().map(|(parent, _)| parent));
        for parent in parents {
            self.with_table_of(parent, |parent| parent.children.retain(|child| child != name));
        }
        for constraint in &table.constraints {
            if let Demand::ForeignKey { references, .. } = &constraint.demand {
                self.forget_reference(references, name);
            }
        }
        for other in &table.referenced_by {
            self.with_table_of(other, |other| {
                other.constraints.retain(
                    |it| !matches!(&it.demand, Demand::ForeignKey { references, .. } if references == name),
                );
            });
        }
        self.drop_views_on(name, None);
    }

    fn forget_reference(&mut self, references: &RelationName, by: &RelationName) {
        self.with_table_of(references, |other| {
            if let Some(at) = other.referenced_by.iter().position(|it| it == by) {
                other.referenced_by.remove(at);
            }
        });
    }

    /// Drops the views that read a relation, or one column of it.
    fn drop_views_on(&mut self, name: &RelationName, column: Option<&str>) {
        let views: Vec<RelationName> = match column {
            Some(column) => self.views_on_column(name, column).into_iter().cloned().collect(),
            None => self.views_on(name).into_iter().map(|(view, _)| view.clone()).collect(),
        };
        for view in views {
            self.drop_view(&view, true);
        }
    }

    fn drop_view(&mut self, name: &RelationName, cascade: bool) {
        if self.view(name).is_none() || (!cascade && !self.views_on(name).is_empty()) {
            return;
        }
        for index in &self.indexes(name).clone() {
            self.remove(&index.name);
        }
        self.remove(name);
        self.drop_views_on(name, None);
    }

    fn drop_index(&mut self, name: &RelationName) {
        let Some((table, index)) = self.index(name) else { return };
        let (table, index) = (table.clone(), index.clone());
        let constrained = self.table(&table).and_then(|it| it.constraint(&name.name));
        if constrained.is_some_and(|it| it.demand.has_index()) {
            // The server refuses: the constraint needs it.
            return;
        }
        self.remove_index(&table, &index);
    }

    fn remove_index(&mut self, table: &RelationName, index: &super::Index) {
        for child in &index.children {
            if let Some((table, index)) = self.index(child) {
                let (table, index) = (table.clone(), index.clone());
                self.remove_index(&table, &index);
            }
        }
        self.remove(&index.name);
        self.with_relation(table, |kind| match kind {
            RelationKind::Table(table) => {
                table.indexes.retain(|it| it.name != index.name);
                table.constraints.retain(|it| !it.demand.has_index() || it.name != *index.name.name);
            }
            RelationKind::View(view) => view.indexes.retain(|it| it.name != index.name),
            _ => {}
        });
    }

    fn drop_sequence(&mut self, name: &RelationName, cascade: bool) {
        let is_one = matches!(self.relation(name).map(|it| &it.kind), Some(RelationKind::Sequence(_)));
        if is_one && self.drop_dependents(&Thing::Sequence(name.clone()), cascade) {
            self.remove(name);
        }
    }

    fn drop_type(&mut self, name: &RelationName, cascade: bool) {
        let users = self.tables_using(name);
        if !users.is_empty() && !cascade {
            return;
        }
        for (table, columns) in users {
            for column in columns {
                self.drop_column(&table, &column);
            }
        }
        self.types.remove_mut(name);
        self.type_details.remove_mut(name);
    }

    fn drop_schema(&mut self, schema: &str) {
        let inside: Vec<RelationName> =
            self.relations.keys().filter(|name| &*name.schema == schema).cloned().collect();
        for name in inside {
            self.drop_table(&name, true);
            self.remove(&name);
        }
        let types: Vec<RelationName> =
            self.types.keys().filter(|it| &*it.schema == schema).cloned().collect();
        for name in types {
            self.drop_type(&name, true);
        }
        let routines: Vec<_> = self.definitions.keys().filter(|it| &*it.schema == schema).cloned().collect();
        for name in routines {
            self.definitions.remove_mut(&name);
        }
        self.schemas.remove_mut(schema);
    }

    /// Drops a column with the indexes, constraints, statistics and sequence that name it.
    pub(super) fn drop_column(&mut self, table: &RelationName, column: &str) {
        let dialect = self.dialect;
        let Some(found) = self.table(table).cloned() else { return };
        let constraints: Vec<String> = found
            .constraints
            .iter()
            .filter(|it| names_column(&it.demand, column, dialect))
            .map(|it| it.name.clone())
            .collect();
        for constraint in &constraints {
            self.drop_constraint(table, constraint, true);
        }
        for index in found.indexes.iter().filter(|index| index.names_column(column, dialect)) {
            self.remove_index(table, index);
        }
        if let Some(sequence) = found.column(column).and_then(|it| it.sequence.clone()) {
            self.remove(&sequence);
        }
        self.drop_views_on(table, Some(column));
        self.with_table_of(table, |table| {
            table.columns.retain(|it| it.name != column);
            let (gone, left) = std::mem::take(&mut table.statistics)
                .into_iter()
                .partition(|(_, it)| it.iter().any(|it| it == column));
            table.statistics = left;
            let gone: Vec<(RelationName, Vec<String>)> = gone;
            for (name, _) in gone {
                table.parts.remove(&(ObjectKind::Statistics, name.name.to_string()));
            }
        });
    }

    pub(super) fn drop_constraint(&mut self, table: &RelationName, name: &str, cascade: bool) {
        let Some(constraint) = self.table(table).and_then(|it| it.constraint(name)).cloned() else { return };
        if constraint.demand.has_index()
            && let Some(index) = self.table(table).and_then(|it| it.index(name)).cloned()
        {
            self.remove_index(table, &index);
        }
        if let Demand::ForeignKey { references, .. } = &constraint.demand {
            self.forget_reference(references, table);
        }
        if cascade {
            self.drop_keys_to(table, &constraint.demand);
        }
        let not_null = match &constraint.demand {
            Demand::NotNull(column) => Some(column.clone()),
            _ => None,
        };
        for name in std::iter::once(table.clone()).chain(self.descendants(table)) {
            self.with_table_of(&name, |table| {
                table.constraints.retain(|it| it.name != constraint.name);
                if let Some(column) = not_null.as_ref().and_then(|column| table.column_mut(column)) {
                    column.not_null = false;
                }
            });
        }
    }

    /// Drops the foreign keys that point at the columns of a key.
    fn drop_keys_to(&mut self, table: &RelationName, key: &Demand) {
        let (Demand::PrimaryKey(columns) | Demand::Unique(columns)) = key else { return };
        let is_primary = matches!(key, Demand::PrimaryKey(_));
        let points_here = |demand: &Demand| match demand {
            Demand::ForeignKey { references, key, .. } if references == table => {
                let referenced: Vec<&String> = key.referenced.iter().map(|it| &it.name).collect();
                let same =
                    referenced.len() == columns.len() && columns.iter().all(|it| referenced.contains(&it));
                same || is_primary && referenced.is_empty()
            }
            _ => false,
        };
        let others = self.table(table).map(|it| it.referenced_by.clone()).unwrap_or_default();
        let mut left = Vec::new();
        for other in others {
            let mut dropped = false;
            self.with_table_of(&other, |other| {
                // One of them for each entry of `referenced_by`.
                dropped = other.constraints.remove_first(|it| points_here(&it.demand));
            });
            left.extend((!dropped).then_some(other));
        }
        self.with_table_of(table, |it| it.referenced_by = left);
    }
}

/// What goes with a table: its row type, and the sequences of its columns.
pub(crate) fn owned_by(name: &RelationName, table: &super::Table) -> impl Iterator<Item = Thing> {
    let sequences = table.columns.iter().filter_map(|column| column.sequence.clone());
    let things: Vec<Thing> = sequences.map(Thing::Sequence).chain([Thing::Type(name.clone())]).collect();
    things.into_iter()
}

/// Whether a constraint names a column.
pub(crate) fn names_column(demand: &Demand, column: &str, dialect: crate::dialect::Dialect) -> bool {
    match demand {
        Demand::Check(expression) => expression.names(column, dialect),
        Demand::NotNull(it) => it == column,
        Demand::Unique(columns)
        | Demand::PrimaryKey(columns)
        | Demand::Exclude(columns)
        | Demand::ForeignKey { columns, .. } => columns.iter().any(|it| it == column),
    }
}

impl super::Index {
    /// Whether a key, a stored column, an expression or the predicate names the column.
    pub fn names_column(&self, column: &str, dialect: crate::dialect::Dialect) -> bool {
        let plain = self.keys.iter().any(|key| key.column.as_deref() == Some(column));
        plain || self.include.iter().any(|it| it == column) || self.computes_from(column, dialect)
    }

    /// Whether an expression or the predicate names the column.
    pub fn computes_from(&self, column: &str, dialect: crate::dialect::Dialect) -> bool {
        let mut texts = self.keys.iter().filter(|key| key.column.is_none()).map(|key| &key.text);
        let mut texts = texts.by_ref().chain(&self.predicate);
        texts.any(|it| it.names(column, dialect))
    }
}
