//! New relations.

use std::collections::HashSet;

use super::{
    Catalog, ColumnState, Dependence, Index, IndexColumn, List, RelationKind, RelationName, Sequence, Table,
    Trigger, View,
};
use crate::dialect::Ident;
use crate::operation::{
    AlterSequence, Column, CreateIndex, CreateSequence, CreateStatistics, CreateTable, CreateTrigger,
    CreateView, Expression, Like, OnTable, TypeName,
};

impl Catalog {
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let name = self.resolve(&create.name);
        if self.relations.contains_key(&name) {
            // Either it fails, or IF NOT EXISTS keeps what is there.
            return;
        }
        let mut table = Table {
            partition_by: create.partition_by.clone(),
            temporary: create.temporary,
            unlogged: create.unlogged,
            filled: create.query.is_some() && create.with_data,
            of_type: create.of_type.as_ref().map(|ty| self.resolve(ty)),
            ..Table::default()
        };
        self.take_parents(create, &name, &mut table);
        self.insert(name.clone(), RelationKind::Table(Box::new(table)));
        for like in &create.like {
            self.take_like(like, &name);
        }
        // Not looked for in the table: the next one would be looked for among all that came before.
        let known = self.table(&name).map(|it| &it.columns).unwrap_or_default().iter();
        let mut known: HashSet<String> = known.map(|column| column.name.clone()).collect();
        for column in create.columns.iter().filter(|column| known.insert(column.name.name.clone())) {
            self.take_column(&name, column);
        }
        for constraint in &create.constraints {
            self.add_constraint(&name, constraint);
        }
        if let Some((parent, _)) = &create.partition_of {
            let parent = self.resolve(parent);
            self.take_partition_parts(&parent, &name);
        }
    }

    fn take_parents(&mut self, create: &CreateTable, name: &RelationName, table: &mut Table) {
        for parent in &create.inherits {
            let parent = self.resolve(parent);
            if let Some(found) = self.table(&parent) {
                table.columns.extend(found.columns.iter().cloned());
            }
            self.with_table_of(&parent, |parent| parent.children.push(name.clone()));
            table.inherits.push(parent);
        }
        if let Some((parent, bound)) = &create.partition_of {
            let parent = self.resolve(parent);
            if let Some(found) = self.table(&parent) {
                table.columns.clone_from(&found.columns);
            }
            self.with_table_of(&parent, |parent| parent.children.push(name.clone()));
            table.partition_of = Some((parent, bound.clone()));
        }
        if let Some(super::UserType::Composite(attributes)) =
            create.of_type.as_ref().and_then(|ty| self.type_named(ty)).cloned()
        {
            let column = |(name, ty): &(String, TypeName)| plain_column(name, ty);
            table.columns.extend(attributes.iter().map(column));
        }
    }

    fn take_like(&mut self, like: &Like, name: &RelationName) {
        let Some(other) = self.table(&self.resolve(&like.table)).cloned() else { return };
        let has = |word: &str| like.including.iter().any(|it| it == word || it == "all");
        let mut columns = other.columns.clone();
        for column in columns.iter_mut() {
            column.sequence = None;
            column.default = column.default.take().filter(|_| has("defaults"));
            column.identity = column.identity.filter(|_| has("identity"));
            column.generated = column.generated.take().filter(|_| has("generated"));
        }
        self.with_table_of(name, |table| table.columns.extend(columns.iter().cloned()));
        if has("constraints") {
            let checks =
                other.constraints.iter().filter(|it| matches!(it.demand, super::Demand::Check(_))).cloned();
            let checks: Vec<_> = checks.collect();
            self.with_table_of(name, |table| table.constraints.extend(checks));
        }
        if has("indexes") {
            self.copy_indexes(&other, name);
        }
        if has("identity") {
            for column in other.columns.iter().filter(|it| it.identity.is_some()) {
                self.own_sequence(name, &column.name, &column.ty, true);
            }
        }
    }

    /// Gives a partition its own copies of the indexes and foreign keys of its parent.
    pub(super) fn take_partition_parts(&mut self, parent: &RelationName, name: &RelationName) {
        let Some(parent_table) = self.table(parent).cloned() else { return };
        let made = self.copy_indexes(&parent_table, name);
        for (of_parent, own) in made {
            self.with_table_of(parent, |parent| {
                if let Some(index) = parent.indexes.find_mut(|index| index.name == of_parent) {
                    index.children.push(own.clone());
                }
            });
        }
        for constraint in &parent_table.constraints {
            if constraint.demand.has_index() {
                continue;
            }
            if let super::Demand::ForeignKey { references, .. } = &constraint.demand {
                self.with_table_of(references, |other| other.referenced_by.push(name.clone()));
            }
            self.with_table_of(name, |table| table.constraints.push(constraint.clone()));
        }
    }

    /// Copies the indexes, with the constraints that they keep, under names of their own.
    fn copy_indexes(&mut self, from: &Table, to: &RelationName) -> Vec<(RelationName, RelationName)> {
        let mut made = Vec::new();
        for index in &from.indexes {
            let constraint =
                from.constraints.iter().find(|it| it.demand.has_index() && it.name == *index.name.name);
            let label = match constraint.map(|it| &it.demand) {
                Some(super::Demand::PrimaryKey(_)) => "pkey",
                Some(super::Demand::Unique(_)) => "key",
                Some(super::Demand::Exclude(_)) => "excl",
                _ => "idx",
            };
            let mut columns = index_name_columns(&index.keys);
            columns.extend(index.include.iter().cloned());
            let columns: Vec<&str> =
                if label == "pkey" { Vec::new() } else { columns.iter().map(String::as_str).collect() };
            let name = self.free_relation_name(to, &columns, label);
            made.push((index.name.clone(), name.clone()));
            let copy =
                Index { name: name.clone(), children: Vec::new(), born: self.migration, ..index.clone() };
            if let Some(constraint) = constraint {
                let mut constraint = constraint.clone();
                constraint.name = name.name.to_string();
                self.with_table_of(to, |table| table.constraints.push(constraint));
            }
            self.insert_index(to, copy);
        }
        made
    }

    pub(super) fn insert_index(&mut self, table: &RelationName, index: Index) {
        self.insert(index.name.clone(), RelationKind::Index(table.clone()));
        self.with_relation(table, |kind| match kind {
            RelationKind::Table(table) => table.indexes.push(index),
            RelationKind::View(view) => view.indexes.push(index),
            _ => {}
        });
    }

    /// Adds a column with everything that hangs on it.
    pub(super) fn add_column(&mut self, table: &RelationName, column: &Column) {
        if self.table(table).is_none_or(|it| it.column(&column.name.name).is_none()) {
            self.take_column(table, column);
        }
    }

    fn take_column(&mut self, table: &RelationName, column: &Column) {
        let mut state = plain_column(&column.name.name, &column.ty);
        state.not_null = column.not_null || column.identity.is_some() || column.ty.serial;
        state.default.clone_from(&column.default);
        state.generated.clone_from(&column.generated);
        state.identity = column.identity;
        state.collation = column.collation.as_ref().map(|collation| collation.name.clone());
        self.with_table_of(table, |table| table.columns.push(state));
        if column.ty.serial || column.identity.is_some() {
            self.own_sequence(table, &column.name.name, &column.ty, column.identity.is_some());
        }
        for constraint in &column.constraints {
            self.add_constraint(table, constraint);
        }
    }

    /// Makes the sequence of a serial or identity column.
    pub(super) fn own_sequence(&mut self, table: &RelationName, column: &str, ty: &TypeName, identity: bool) {
        let name = self.free_relation_name(table, &[column], "seq");
        self.own_named_sequence(table, column, ty, identity, name);
    }

    /// The sequence of a column, under a name.
    pub(super) fn own_named_sequence(
        &mut self,
        table: &RelationName,
        column: &str,
        ty: &TypeName,
        identity: bool,
        name: RelationName,
    ) {
        let ty = TypeName { serial: false, ..ty.clone() };
        let sequence = Sequence { ty, owned_by: Some((table.clone(), column.to_owned())), identity };
        self.insert(name.clone(), RelationKind::Sequence(sequence));
        let literal = crate::dialect::quote_literal(&name.sql(self.dialect));
        let default = (!identity).then(|| Expression::new(format!("nextval({literal}::regclass)")));
        self.with_table_of(table, |table| {
            if let Some(column) = table.column_mut(column) {
                column.sequence = Some(name);
                column.default = default.or(column.default.take());
            }
        });
    }

    pub(super) fn create_index(&mut self, create: &CreateIndex) {
        let table = self.resolve(&create.table);
        let keys: Vec<IndexColumn> = create
            .keys
            .iter()
            .map(|key| IndexColumn {
                column: key.column.as_ref().map(|it| it.name.clone()),
                text: key.text.clone(),
            })
            .collect();
        let name = match &create.name {
            Some(name) => super::naming::sibling(&table, &name.name),
            None => {
                let mut columns = index_name_columns(&keys);
                columns.extend(create.include.iter().map(|column| column.name.clone()));
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                self.free_relation_name(&table, &columns, "idx")
            }
        };
        if self.relations.contains_key(&name) || self.relation(&table).is_none() {
            return;
        }
        let partitioned = self.table(&table).is_some_and(|it| it.partition_by.is_some());
        let index = Index {
            name: name.clone(),
            unique: create.unique,
            valid: !(create.only && partitioned),
            keys,
            include: create.include.iter().map(|column| column.name.clone()).collect(),
            predicate: create.predicate.clone(),
            method: create.method.clone().unwrap_or_else(|| "btree".to_owned()),
            children: Vec::new(),
            born: self.migration,
        };
        self.insert_index(&table, index.clone());
        if partitioned && !create.only {
            self.index_partitions(&table, &index, "idx");
        }
    }

    /// Makes the indexes of the partitions.
    pub(super) fn index_partitions(&mut self, table: &RelationName, index: &Index, label: &str) {
        let children = self.table(table).map(|table| table.children.clone()).unwrap_or_default();
        for child in children {
            if let Some(name) = self.equal_key(&child, index, label) {
                // It becomes a part of the key above, with its index (measured on 12 and 17).
                self.with_table_of(table, |table| {
                    if let Some(parent) = table.indexes.find_mut(|it| it.name == index.name) {
                        parent.children.push(name);
                    }
                });
                continue;
            }
            let columns = index_name_columns(&index.keys);
            let columns: Vec<&str> =
                if label == "pkey" { Vec::new() } else { columns.iter().map(String::as_str).collect() };
            let name = self.free_relation_name(&child, &columns, label);
            let copy = Index { name: name.clone(), children: Vec::new(), ..index.clone() };
            self.insert_index(&child, copy.clone());
            self.copy_key(table, &child, index, &copy);
            self.with_table_of(table, |table| {
                if let Some(parent) = table.indexes.find_mut(|it| it.name == index.name) {
                    parent.children.push(name);
                }
            });
            self.index_partitions(&child, &copy, label);
        }
    }

    /// The key of a partition that is equal to one of the table above, which is not a part of another.
    fn equal_key(&self, child: &RelationName, index: &Index, label: &str) -> Option<RelationName> {
        let columns: Vec<String> = index.keys.iter().filter_map(|key| key.column.clone()).collect();
        let is_it = |demand: &super::Demand| match demand {
            super::Demand::PrimaryKey(own) => label == "pkey" && *own == columns,
            super::Demand::Unique(own) => label == "key" && *own == columns,
            _ => false,
        };
        let own = self.table(child)?.constraints.iter().find(|it| it.valid && is_it(&it.demand))?;
        Some(super::naming::sibling(child, &own.name))
    }

    /// A partition has the key of the table above too, under the name of its own index.
    fn copy_key(&mut self, table: &RelationName, child: &RelationName, index: &Index, copy: &Index) {
        let above = self.table(table).and_then(|it| it.constraint(&index.name.name));
        let Some(above) = above.filter(|it| it.demand.has_index()).cloned() else { return };
        let own = super::ConstraintState { name: copy.name.name.to_string(), ..above };
        self.with_table_of(child, |child| child.constraints.push(own));
    }

    pub(super) fn create_view(&mut self, create: &CreateView) {
        let name = self.resolve(&create.name);
        if self.relations.contains_key(&name) && !create.or_replace {
            return;
        }
        let depends_on = create
            .query
            .dependences(self.dialect)
            .into_iter()
            .map(|(relation, columns)| Dependence { relation: self.resolve(&relation), columns })
            .collect();
        let view = View {
            head: create.head.clone(),
            stale: false,
            columns: create.shows(self.dialect),
            query: create.query.clone(),
            materialized: create.materialized,
            populated: create.with_data,
            depends_on,
            indexes: List::default(),
        };
        let born = self.relation(&name).map(|relation| relation.born);
        self.insert(name.clone(), RelationKind::View(Box::new(view)));
        if let (Some(born), Some(relation)) = (born, self.relations.get_mut(&name)) {
            std::sync::Arc::make_mut(relation).born = born;
        }
    }

    pub(super) fn create_sequence(&mut self, create: &CreateSequence) {
        let name = self.resolve(&create.name);
        if self.relations.contains_key(&name) {
            return;
        }
        let ty = create.ty.clone().unwrap_or_else(|| TypeName::plain("int8"));
        let sequence = Sequence { ty, owned_by: None, identity: false };
        self.insert(name.clone(), RelationKind::Sequence(sequence));
        self.own(&name, create.owned_by.as_ref());
    }

    pub(super) fn alter_sequence(&mut self, alter: &AlterSequence) {
        let name = self.resolve(&alter.name);
        self.with_relation(&name, |kind| {
            if let (RelationKind::Sequence(sequence), Some(ty)) = (kind, &alter.ty) {
                sequence.ty = ty.clone();
            }
        });
        if alter.disowned {
            self.disown(&name);
        }
        self.own(&name, alter.owned_by.as_ref());
    }

    /// The sequence belongs to no column any more.
    fn disown(&mut self, sequence: &RelationName) {
        let Some(RelationKind::Sequence(state)) = self.relation(sequence).map(|it| &it.kind) else { return };
        let Some((table, column)) = state.owned_by.clone() else { return };
        self.with_table_of(&table, |table| {
            if let Some(column) = table.column_mut(&column) {
                column.sequence = None;
            }
        });
        self.with_relation(sequence, |kind| {
            if let RelationKind::Sequence(sequence) = kind {
                sequence.owned_by = None;
            }
        });
    }

    fn own(&mut self, sequence: &RelationName, owner: Option<&(crate::dialect::Name, Ident)>) {
        let Some((table, column)) = owner else { return };
        let owner = (self.resolve(table), column.name.clone());
        let before = match self.relation(sequence).map(|it| &it.kind) {
            Some(RelationKind::Sequence(state)) => state.owned_by.clone(),
            _ => None,
        };
        if let Some((table, column)) = before {
            self.with_table_of(&table, |table| {
                if let Some(column) = table.column_mut(&column) {
                    column.sequence = None;
                }
            });
        }
        self.with_table_of(&owner.0, |table| {
            if let Some(column) = table.column_mut(&owner.1) {
                column.sequence = Some(sequence.clone());
            }
        });
        self.with_relation(sequence, |kind| {
            if let RelationKind::Sequence(sequence) = kind {
                sequence.owned_by = Some(owner);
            }
        });
    }

    pub(super) fn create_trigger(&mut self, create: &CreateTrigger) {
        let trigger = Trigger {
            name: create.name.name.clone(),
            columns: create.columns.iter().map(|column| column.name.clone()).collect(),
            for_each_row: create.for_each_row,
            function: create.function.as_ref().map(|function| function.name.clone()),
            constraint: create.constraint,
            events: create.events.text.clone(),
            action: create.action.text.clone(),
        };
        self.with_table(&create.table, |table| {
            table.triggers.retain(|it| it.name != trigger.name);
            table.triggers.push(trigger);
        });
    }

    pub(super) fn create_policy(&mut self, create: &OnTable) {
        let columns = create.definition.columns(self.dialect);
        self.with_table(&create.table, |table| table.policies.push((create.name.name.clone(), columns)));
    }

    pub(super) fn create_statistics(&mut self, create: &CreateStatistics) {
        let Some(table) = create.table.as_ref().map(|table| self.resolve(table)) else { return };
        let columns: Vec<&str> = create.columns.iter().map(String::as_str).collect();
        let name = match &create.name {
            Some(name) => self.resolve(name),
            None => self.free_relation_name(&table, &columns, "stat"),
        };
        self.with_table_of(&table, |table| table.statistics.push((name, create.columns.clone())));
    }
}

fn plain_column(name: &str, ty: &TypeName) -> ColumnState {
    ColumnState {
        name: name.to_owned(),
        ty: TypeName { serial: false, ..ty.clone() },
        not_null: false,
        default: None,
        generated: None,
        identity: None,
        collation: None,
        sequence: None,
    }
}

/// What stands in the name of an index for each of its keys.
pub(super) fn index_name_columns(keys: &[IndexColumn]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        let name = key.column.clone().unwrap_or_else(|| expression_name(&key.text.text));
        let taken = |candidate: &str| names.iter().any(|it| it == candidate);
        let mut candidate = name.clone();
        let mut number = 0;
        while taken(&candidate) {
            number += 1;
            candidate = format!("{name}{number}");
        }
        names.push(candidate);
    }
    names
}

/// An expression is named by the function that it calls, else `expr`.
fn expression_name(text: &str) -> String {
    let function = text.split('(').next().unwrap_or("").trim().to_lowercase();
    let plain = !function.is_empty() && function.chars().all(|it| it.is_alphanumeric() || it == '_');
    if plain { function } else { "expr".to_owned() }
}
