//! New relations.

use std::collections::HashSet;

use super::key_names::index_name_columns;
use super::{
    Catalog, ColumnState, Dependence, Details, Index, IndexColumn, List, RelationKind, RelationName, Setting,
    Table, Trigger, View,
};
use crate::dialect::Unnamed;
use crate::operation::{
    Column, CreateIndex, CreateStatistics, CreateTable, CreateTrigger, CreateView, Like, ObjectKind, OnTable,
    TypeName,
};

impl Catalog {
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        let name = self.resolve_new(&create.name);
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
            guessed: self.guesses_columns(create),
            ..Table::default()
        };
        self.take_parents(create, &name, &mut table);
        self.insert(name.clone(), RelationKind::Table(Box::new(table)));
        self.with_details(&name, |it| {
            it.set_options(&create.options);
            it.set(Setting::AccessMethod, create.method.clone());
            it.set(Setting::Tablespace, create.tablespace.clone());
        });
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

    /// Whether not all columns of a new table are known.
    fn guesses_columns(&self, create: &CreateTable) -> bool {
        let sources = create.inherits.iter().chain(create.partition_of.iter().map(|(parent, _)| parent));
        let mut sources = sources.chain(create.like.iter().map(|it| &it.table));
        let unknown = |it: &crate::dialect::Name| self.table_named(it).is_none_or(|it| it.guessed);
        create.query.is_some() || create.of_type.is_some() || sources.any(unknown)
    }

    fn take_parents(&mut self, create: &CreateTable, name: &RelationName, table: &mut Table) {
        for parent in &create.inherits {
            let parent = self.resolve(parent);
            if let Some(found) = self.table(&parent) {
                table.columns.extend(found.columns.iter().map(inherited));
            }
            self.with_table_of(&parent, |parent| parent.children.push(name.clone()));
            table.inherits.push(parent);
        }
        if let Some((parent, bound)) = &create.partition_of {
            let parent = self.resolve(parent);
            if let Some(found) = self.table(&parent) {
                table.columns = found.columns.iter().map(inherited).collect();
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
            column.details = like_details(&column.details, has);
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
                self.own_sequence(name, &column.name, &column.ty, true, &[]);
                self.count_alike(name, column);
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
            let own = super::ConstraintState {
                details: without_comment(&constraint.details),
                ..constraint.clone()
            };
            self.with_table_of(name, |table| table.constraints.push(own));
        }
    }

    /// Copies the indexes, with the constraints that they keep, under names of their own.
    fn copy_indexes(&mut self, from: &Table, to: &RelationName) -> Vec<(RelationName, RelationName)> {
        let mut made = Vec::new();
        for index in &from.indexes {
            let constraint =
                from.constraints.iter().find(|it| it.demand.has_index() && it.name == *index.name.name);
            let of = match constraint.map(|it| &it.demand) {
                Some(super::Demand::PrimaryKey(_)) => Unnamed::PrimaryKey,
                Some(super::Demand::Unique(_)) => Unnamed::Unique,
                Some(super::Demand::Exclude(_)) => Unnamed::Exclusion,
                _ => Unnamed::Index,
            };
            let mut columns = index_name_columns(&index.keys, self.dialect);
            columns.extend(index.include.iter().cloned());
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let name = self.free_relation_name(to, &columns, of);
            made.push((index.name.clone(), name.clone()));
            let copy =
                Index { name: name.clone(), children: Vec::new(), born: self.migration, ..index.clone() };
            if let Some(constraint) = constraint {
                let mut constraint = constraint.clone();
                constraint.name = name.name.to_string();
                constraint.details = without_comment(&constraint.details);
                self.with_table_of(to, |table| table.constraints.push(constraint));
            }
            let details = self.details(&index.name).map(without_comment).unwrap_or_default();
            self.insert_index(to, copy);
            self.with_details(&name, |it| *it = details);
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
        state.details.set(Setting::Storage, column.storage.clone());
        state.details.set(Setting::Compression, column.compression.clone());
        self.with_table_of(table, |table| table.columns.push(state));
        if column.ty.serial || column.identity.is_some() {
            self.own_sequence(
                table,
                &column.name.name,
                &column.ty,
                column.identity.is_some(),
                &column.counts,
            );
        }
        for constraint in &column.constraints {
            self.add_constraint(table, constraint);
        }
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
                let mut columns = index_name_columns(&keys, self.dialect);
                columns.extend(create.include.iter().map(|column| column.name.clone()));
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                self.free_relation_name(&table, &columns, Unnamed::Index)
            }
        };
        let lacks = |it: &IndexColumn| it.column.as_ref().is_some_and(|it| self.lacks_column(&table, it));
        if self.relations.contains_key(&name) || self.relation(&table).is_none() || keys.iter().any(lacks) {
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
        self.with_details(&name, |it| {
            it.set_options(&create.options);
            it.set(Setting::Tablespace, create.tablespace.clone());
            it.set(Setting::NullsNotDistinct, create.nulls_not_distinct.then(|| "yes".to_owned()));
        });
        if partitioned && !create.only {
            self.index_partitions(&table, &index, Unnamed::Index);
        }
    }

    /// Makes the indexes of the partitions.
    pub(super) fn index_partitions(&mut self, table: &RelationName, index: &Index, of: Unnamed) {
        let children = self.table(table).map(|table| table.children.clone()).unwrap_or_default();
        for child in children {
            if let Some(name) = self.equal_key(&child, index, of) {
                // It becomes a part of the key above, with its index (measured on 12 and 17).
                self.with_table_of(table, |table| {
                    if let Some(parent) = table.indexes.find_mut(|it| it.name == index.name) {
                        parent.children.push(name);
                    }
                });
                continue;
            }
            let columns = index_name_columns(&index.keys, self.dialect);
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let name = self.free_relation_name(&child, &columns, of);
            let copy = Index { name: name.clone(), children: Vec::new(), ..index.clone() };
            let details = self.details(&index.name).map(without_comment).unwrap_or_default();
            self.insert_index(&child, copy.clone());
            self.with_details(&name, |it| *it = details);
            self.copy_key(table, &child, index, &copy);
            self.with_table_of(table, |table| {
                if let Some(parent) = table.indexes.find_mut(|it| it.name == index.name) {
                    parent.children.push(name);
                }
            });
            self.index_partitions(&child, &copy, of);
        }
    }

    /// The key of a partition that is equal to one of the table above, which is not a part of another.
    fn equal_key(&self, child: &RelationName, index: &Index, of: Unnamed) -> Option<RelationName> {
        let columns: Vec<String> = index.keys.iter().filter_map(|key| key.column.clone()).collect();
        let is_it = |demand: &super::Demand| match demand {
            super::Demand::PrimaryKey(own) => of == Unnamed::PrimaryKey && *own == columns,
            super::Demand::Unique(own) => of == Unnamed::Unique && *own == columns,
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
        let name = self.resolve_new(&create.name);
        if self.relations.contains_key(&name) && !create.or_replace {
            return;
        }
        let depends_on = create
            .query
            .dependences(self.dialect)
            .into_iter()
            .map(|(relation, columns)| Dependence { relation: self.resolve(&relation), columns })
            .collect();
        let kept = self.view(&name);
        let view = View {
            triggers: kept.map(|it| it.triggers.clone()).unwrap_or_default(),
            columns_details: kept.map(|it| it.columns_details.clone()).unwrap_or_default(),
            parts: kept.map(|it| it.parts.clone()).unwrap_or_default(),
            unclear: false,
            head: create.head.clone(),
            stale: false,
            columns: create.shows(self.dialect),
            query: create.query.clone(),
            materialized: create.materialized,
            populated: create.with_data,
            depends_on,
            indexes: List::default(),
        };
        let before = self.relation(&name).map(|relation| (relation.born, relation.details.clone()));
        self.insert(name.clone(), RelationKind::View(Box::new(view)));
        if let (Some((born, details)), Some(relation)) = (before, self.relations.get_mut(&name)) {
            let relation = std::sync::Arc::make_mut(relation);
            relation.born = born;
            // A view that is replaced keeps all but its options (measured on 15).
            relation.details = details;
            relation.details.settings.retain(|setting, _| !matches!(setting, Setting::Option(_)));
        }
        self.with_details(&name, |it| it.set_options(&create.options));
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
            details: super::Details::default(),
        };
        let relation = self.resolve(&create.table);
        self.with_triggers(&relation, |triggers| {
            let before = triggers.iter().position(|it| it.name == trigger.name);
            // One that is replaced keeps its comment, and fires again (measured on 15).
            let mut details = before.map(|at| triggers.remove(at).details).unwrap_or_default();
            details.set(Setting::Firing, None);
            triggers.push(Trigger { details, ..trigger });
        });
    }

    pub(super) fn create_policy(&mut self, create: &OnTable) {
        let columns = create.definition.columns(self.dialect);
        self.with_table(&create.table, |table| table.policies.push((create.name.name.clone(), columns)));
        self.write_policy(create);
    }

    pub(super) fn alter_policy(&mut self, alter: &OnTable) {
        let words: Vec<&str> = alter.definition.text.split_whitespace().collect();
        if let [rename, _, to] = words.as_slice()
            && rename.eq_ignore_ascii_case("rename")
        {
            let (from, to) = (alter.name.name.clone(), crate::dialect::fold(to, self.dialect));
            let relation = self.resolve(&alter.table);
            self.with_table_of(&relation, |table| {
                for (name, _) in table.policies.iter_mut().filter(|(it, _)| *it == from) {
                    name.clone_from(&to);
                }
            });
            return self.rename_part(&relation, ObjectKind::Policy, &from, &to);
        }
        let columns = alter.definition.columns(self.dialect);
        self.with_table(&alter.table, |table| {
            for (_, own) in table.policies.iter_mut().filter(|(it, _)| *it == alter.name.name) {
                own.extend(columns.iter().cloned());
            }
        });
        self.write_policy(alter);
    }

    pub(super) fn create_statistics(&mut self, create: &CreateStatistics) {
        let Some(table) = create.table.as_ref().map(|table| self.resolve(table)) else { return };
        let columns: Vec<&str> = create.columns.iter().map(String::as_str).collect();
        let name = match &create.name {
            Some(name) => self.resolve(name),
            None => self.free_relation_name(&table, &columns, Unnamed::Statistics),
        };
        let definition = create.definition.text.clone();
        self.with_table_of(&table, |table| table.statistics.push((name.clone(), create.columns.clone())));
        self.with_statistics(&name, |it| it.set(Setting::Definition, Some(definition)));
    }
}

fn plain_column(name: &str, ty: &TypeName) -> ColumnState {
    ColumnState {
        name: name.to_owned(),
        ty: TypeName { serial: false, ..ty.clone() },
        not_null: false,
        default: None,
        default_of: None,
        generated: None,
        identity: None,
        collation: None,
        sequence: None,
        details: super::Details::default(),
    }
}

/// A column as a partition or an inheriting table has it: it takes over how values are stored (measured on 15).
fn inherited(column: &ColumnState) -> ColumnState {
    let kept = |setting: &Setting| matches!(setting, Setting::Storage | Setting::Compression);
    let settings = column.details.settings.iter().filter(|(it, _)| kept(it));
    let settings = settings.map(|(it, value)| (it.clone(), value.clone())).collect();
    ColumnState { details: Details { settings, ..Details::default() }, ..column.clone() }
}

/// What `LIKE … INCLUDING` takes over of what hangs on a column.
fn like_details(details: &Details, has: impl Fn(&str) -> bool) -> Details {
    let kept = |setting: &Setting| match setting {
        Setting::Storage => has("storage"),
        Setting::Compression => has("compression"),
        Setting::Comment => has("comments"),
        _ => false,
    };
    let settings = details.settings.iter().filter(|(it, _)| kept(it));
    let settings = settings.map(|(it, value)| (it.clone(), value.clone())).collect();
    Details { settings, ..Details::default() }
}

fn without_comment(details: &Details) -> Details {
    let mut details = details.clone();
    details.set(Setting::Comment, None);
    // The marks of an index are of its own table (`generateClonedIndexStmt` copies none).
    details.set(Setting::Clustered, None);
    details.set(Setting::ReplicaIdentity, None);
    details
}
