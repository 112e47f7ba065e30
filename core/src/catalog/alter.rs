//! Changed relations.

use super::{Catalog, ConstraintState, Demand, RelationKind, RelationName, Setting, Table, UserType};
use crate::dialect::{Dialect, Unnamed};
use crate::dialect::{Ident, Name};
use crate::operation::{
    AlterTable, Bound, Expression, ObjectKind, OnTable, PartitionBound, TableAction, TypeName,
};

impl Catalog {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        let table = self.resolve(&alter.table);
        match &alter.action {
            TableAction::AddColumn { column, .. } => {
                for name in self.with_descendants(&table) {
                    self.add_column(&name, column);
                }
            }
            TableAction::DropColumn { column, .. } => {
                for name in self.with_descendants(&table) {
                    self.drop_column(&name, &column.name);
                }
            }
            TableAction::AlterType { column, ty, collation, .. } => {
                for name in self.with_descendants(&table) {
                    self.change_type(&name, &column.name, ty, collation.as_ref());
                }
            }
            TableAction::AddConstraint { constraint } => self.add_constraint(&table, constraint),
            TableAction::DropConstraint { name, cascade, .. } => {
                self.drop_constraint(&table, &name.name, *cascade)
            }
            TableAction::RenameColumn { column, to } if self.view(&table).is_some() => {
                // What its text says is not what it shows any more.
                self.with_view(&table, |view| {
                    (view.stale, view.unclear) = (true, true);
                    for shown in view.columns.iter_mut().flatten().filter(|it| **it == column.name) {
                        shown.clone_from(&to.name);
                    }
                    if let Some(details) = view.columns_details.remove(&column.name) {
                        view.columns_details.insert(to.name.clone(), details);
                    }
                });
            }
            TableAction::RenameColumn { column, to } => {
                for name in self.with_descendants(&table) {
                    self.rename_column(&name, &column.name, &to.name);
                }
            }
            TableAction::RenameTo { to } => {
                self.move_relation(&table, super::naming::sibling(&table, &to.name));
            }
            TableAction::SetSchema { schema } => self.move_with_parts(&table, schema),
            TableAction::RenameConstraint { name, to } => {
                self.rename_constraint(&table, &name.name, &to.name)
            }
            TableAction::AttachPartition { partition, bound } => self.attach(&table, partition, bound),
            TableAction::DetachPartition { partition, concurrently, finalize } => {
                if (*concurrently || *finalize) && self.detach_leaves_check {
                    self.keep_bound_as_check(&table, partition);
                }
                self.detach(&table, partition);
            }
            TableAction::AttachIndex { index } => self.attach_index(&table, index),
            TableAction::Inherit { parent } => self.inherit(&table, parent),
            TableAction::NoInherit { parent } => self.no_inherit(&table, parent),
            TableAction::AddIdentity { column, identity, counts } => {
                let ty = self.table(&table).and_then(|it| it.column(&column.name)).map(|it| it.ty.clone());
                self.own_sequence(&table, &column.name, &ty.unwrap_or_default(), true, counts);
                self.with_column(&table, column, |column| column.identity = Some(*identity));
            }
            TableAction::DropIdentity { column } => {
                let mut sequence = None;
                self.with_column(&table, column, |column| {
                    column.identity = None;
                    sequence = column.sequence.take();
                });
                if let Some(sequence) = sequence {
                    self.remove(&sequence);
                }
            }
            action => self.alter_in_place(&table, action),
        }
    }

    /// The concurrent detach leaves a check that says what the bound said (measured on 14 to 18; 19 leaves none).
    fn keep_bound_as_check(&mut self, parent: &RelationName, partition: &Name) {
        let partition = self.resolve(partition);
        let by = self.table(parent).and_then(|it| it.partition_by.as_ref());
        let bound = self.table(&partition).and_then(|it| it.partition_of.as_ref());
        let Some((by, (_, bound))) = by.zip(bound) else { return };
        let Ok(bound) = Bound::read(by, bound, self.dialect) else { return };
        let check = ConstraintState {
            name: format!("{}_{}_check", partition.name, bound.column()),
            demand: Demand::Check(Expression::new(bound.within(self.dialect).join(" AND "))),
            valid: true,
            enforced: true,
            deferrable: false,
            initially_deferred: false,
            temporal: false,
            details: super::Details::default(),
        };
        self.with_table_of(&partition, |table| table.constraints.push(check));
    }

    /// Changes that concern one table, or its columns, and nothing else.
    fn alter_in_place(&mut self, table: &RelationName, action: &TableAction) {
        match action {
            TableAction::SetNotNull { column } => {
                self.everywhere(table, column, |column| column.not_null = true)
            }
            TableAction::DropNotNull { column } => {
                self.everywhere(table, column, |column| column.not_null = false);
                self.with_table_of(table, |table| {
                    table.constraints.retain(|it| it.demand != Demand::NotNull(column.name.clone()));
                });
            }
            TableAction::SetDefault { column, default } if self.view(table).is_some() => {
                let default = Some(default.text.clone());
                self.with_column_details(table, &column.name, |it| it.set(Setting::Default, default));
            }
            TableAction::DropDefault { column } if self.view(table).is_some() => {
                self.with_column_details(table, &column.name, |it| it.set(Setting::Default, None));
            }
            TableAction::SetDefault { column, default } => {
                self.everywhere(table, column, |column| {
                    (column.default, column.default_of) = (Some(default.clone()), None);
                });
            }
            TableAction::DropDefault { column } => {
                self.everywhere(table, column, |column| (column.default, column.default_of) = (None, None));
            }
            TableAction::SetExpression { column, expression } => self.everywhere(table, column, |column| {
                if let Some(generated) = &mut column.generated {
                    generated.expression = expression.clone();
                }
            }),
            TableAction::DropExpression { column, .. } => {
                self.everywhere(table, column, |column| column.generated = None);
            }
            TableAction::AlterIdentity { column, identity, counts } => {
                if let Some(identity) = *identity {
                    self.with_column(table, column, |column| column.identity = Some(identity));
                }
                self.count_column(table, &column.name, counts);
            }
            TableAction::ValidateConstraint { name } => self.validate(table, &name.name),
            TableAction::AlterConstraint { name, enforced, timing, .. } => {
                self.with_table_of(table, |table| {
                    for constraint in table.constraints.iter_mut_where(|it| it.name == name.name) {
                        if let Some(enforced) = *enforced {
                            (constraint.enforced, constraint.valid) = (enforced, enforced);
                        }
                        if let Some(timing) = *timing {
                            (constraint.deferrable, constraint.initially_deferred) = timing;
                        }
                    }
                });
            }
            TableAction::SetLogged { logged } => self.with_table_of(table, |table| table.unlogged = !logged),
            TableAction::OfType { ty } => {
                let ty = self.resolve(ty);
                self.with_table_of(table, |table| table.of_type = Some(ty));
            }
            TableAction::NotOf => self.with_table_of(table, |table| table.of_type = None),
            _ => self.take_setting(table, action),
        }
    }

    fn with_descendants(&self, table: &RelationName) -> Vec<RelationName> {
        std::iter::once(table.clone()).chain(self.descendants(table)).collect()
    }

    fn with_column(
        &mut self,
        table: &RelationName,
        column: &Ident,
        change: impl FnOnce(&mut super::ColumnState),
    ) {
        self.with_table_of(table, |table| {
            if let Some(column) = table.column_mut(&column.name) {
                change(column);
            }
        });
    }

    fn everywhere(&mut self, table: &RelationName, column: &Ident, change: impl Fn(&mut super::ColumnState)) {
        for name in self.with_descendants(table) {
            self.with_column(&name, column, &change);
        }
    }

    fn validate(&mut self, table: &RelationName, constraint: &str) {
        for name in self.with_descendants(table) {
            self.with_table_of(&name, |table| {
                let mut not_null = None;
                for state in table.constraints.iter_mut_where(|it| it.name == constraint) {
                    state.valid = true;
                    if let Demand::NotNull(column) = &state.demand {
                        not_null = Some(column.clone());
                    }
                }
                if let Some(column) = not_null.and_then(|column| table.column_mut(&column)) {
                    column.not_null = true;
                }
            });
        }
    }

    fn change_type(&mut self, table: &RelationName, column: &str, ty: &TypeName, collation: Option<&Name>) {
        let mut sequence = None;
        let before = self.table(table).and_then(|it| it.column(column)).map(|it| it.ty.clone());
        // A literal stays one of the old type and is cast; that of a domain is one of its base (measured on 11, 15 and 18). No other type of
        // the schema takes it.
        let before = before.filter(|_| self.own_type(ty).is_none()).and_then(|it| self.own_type(&it));
        let before =
            before.filter(|it| !matches!(self.types.get(it).map(|it| &**it), Some(UserType::Domain { .. })));
        self.with_table_of(table, |table| {
            if let Some(column) = table.column_mut(column) {
                let kept = column.default.as_ref().is_some_and(|it| it.text.starts_with('\''));
                column.default_of = column.default_of.take().or(before).filter(|_| kept);
                column.ty = TypeName { serial: false, ..ty.clone() };
                column.collation = collation.map(|collation| collation.name.clone());
                // How values are stored goes back to what the type says; all else stays (measured on 15).
                column.details.set(Setting::Storage, None);
                column.details.set(Setting::Compression, None);
                sequence = column.sequence.clone().filter(|_| column.identity.is_some());
            }
        });
        // The sequence of an identity column follows, that of a serial one stays (measured on 15).
        if let Some(sequence) = sequence {
            self.with_relation(&sequence, |kind| {
                if let RelationKind::Sequence(sequence) = kind {
                    sequence.ty = ty.clone();
                }
            });
        }
    }

    fn rename_column(&mut self, table: &RelationName, from: &str, to: &str) {
        let dialect = self.dialect();
        self.with_table_of(table, |table| rename_in_table(table, from, to, dialect));
        self.rename_in_keys_to(table, from, to);
        let sequence = self.table(table).and_then(|it| it.column(to)).and_then(|it| it.sequence.clone());
        if let Some(sequence) = sequence {
            self.with_relation(&sequence, |kind| {
                if let RelationKind::Sequence(sequence) = kind {
                    sequence.owned_by = Some((table.clone(), to.to_owned()));
                }
            });
        }
        let views: Vec<RelationName> = self.views_on_column(table, from).into_iter().cloned().collect();
        for view in views {
            self.with_view(&view, |view| {
                view.stale = true;
                match view.query.with_column_renamed(dialect, from, to) {
                    Some(text) => view.query.text = text,
                    None => view.unclear = true,
                }
                for dependence in view.depends_on.iter_mut().filter(|it| it.relation == *table) {
                    dependence.columns.insert(to.to_owned());
                }
            });
        }
    }

    /// Foreign keys keep the column that they point at, whatever its name.
    fn rename_in_keys_to(&mut self, table: &RelationName, from: &str, to: &str) {
        for child in self.table(table).map(|it| it.referenced_by.clone()).unwrap_or_default() {
            self.with_table_of(&child, |child| {
                for constraint in child.constraints.iter_mut() {
                    let Demand::ForeignKey { references, key, .. } = &mut constraint.demand else { continue };
                    for column in
                        key.referenced.iter_mut().filter(|it| references == table && it.name == from)
                    {
                        to.clone_into(&mut column.name);
                    }
                }
            });
        }
    }

    fn rename_constraint(&mut self, table: &RelationName, from: &str, to: &str) {
        let has_index =
            self.table(table).and_then(|it| it.constraint(from)).is_some_and(|it| it.demand.has_index());
        if has_index {
            let index = super::naming::sibling(table, from);
            return self.move_relation(&index, super::naming::sibling(table, to));
        }
        for name in self.with_descendants(table) {
            self.with_table_of(&name, |table| {
                for constraint in table.constraints.iter_mut_where(|it| it.name == from) {
                    to.clone_into(&mut constraint.name);
                }
            });
        }
    }

    /// A table takes its indexes and sequences with it into another schema.
    fn move_with_parts(&mut self, table: &RelationName, schema: &Ident) {
        let to = |name: &RelationName| RelationName {
            schema: schema.name.as_str().into(),
            name: name.name.clone(),
        };
        let mut parts: Vec<RelationName> =
            self.indexes(table).iter().map(|index| index.name.clone()).collect();
        if let Some(found) = self.table(table) {
            parts.extend(found.columns.iter().filter_map(|column| column.sequence.clone()));
        }
        self.move_relation(table, to(table));
        for part in parts {
            self.move_relation(&part, to(&part));
        }
    }

    fn attach(&mut self, table: &RelationName, partition: &Name, bound: &PartitionBound) {
        let partition = self.resolve(partition);
        if self.is_circular(table, &partition) {
            return;
        }
        let parent_indexes = self.indexes(table).clone();
        self.with_table_of(&partition, |it| it.partition_of = Some((table.clone(), bound.clone())));
        self.with_table_of(table, |it| it.children.push(partition.clone()));
        for index in &parent_indexes {
            self.match_index(table, &partition, index);
        }
    }

    /// Attaches the partition's index that is like the parent's, or makes one.
    fn match_index(&mut self, table: &RelationName, partition: &RelationName, index: &super::Index) {
        let own =
            self.indexes(partition).iter().find(|own| same_shape(own, index)).map(|own| own.name.clone());
        let own = own.unwrap_or_else(|| {
            let columns = super::key_names::index_name_columns(&index.keys, self.dialect);
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let name = self.free_relation_name(partition, &columns, Unnamed::Index);
            let copy = super::Index { name: name.clone(), children: Vec::new(), ..index.clone() };
            self.insert_index(partition, copy);
            name
        });
        self.with_table_of(table, |table| {
            if let Some(parent) = table.indexes.find_mut(|it| it.name == index.name) {
                parent.children.push(own);
            }
        });
    }

    fn detach(&mut self, table: &RelationName, partition: &Name) {
        let partition = self.resolve(partition);
        let own: Vec<RelationName> =
            self.indexes(&partition).iter().map(|index| index.name.clone()).collect();
        self.with_table_of(&partition, |it| it.partition_of = None);
        self.with_table_of(table, |it| {
            it.children.retain(|child| *child != partition);
            for index in it.indexes.iter_mut() {
                index.children.retain(|child| !own.contains(child));
            }
        });
    }

    fn attach_index(&mut self, index: &RelationName, child: &Name) {
        let child = self.resolve(child);
        let Some((table, _)) = self.index(index) else { return };
        let table = table.clone();
        self.with_table_of(&table, |table| {
            let partitions = table.children.len();
            if let Some(index) = table.indexes.find_mut(|it| it.name == *index) {
                index.children.push(child);
                index.valid |= index.children.len() >= partitions;
            }
        });
    }

    fn inherit(&mut self, table: &RelationName, parent: &Name) {
        let parent = self.resolve(parent);
        if self.is_circular(&parent, table) {
            return;
        }
        self.with_table_of(&parent, |it| it.children.push(table.clone()));
        self.with_table_of(table, |it| it.inherits.push(parent));
    }

    /// Whether the child is the parent, or above it: the server refuses.
    fn is_circular(&self, parent: &RelationName, child: &RelationName) -> bool {
        parent == child || self.descendants(child).contains(parent)
    }

    fn no_inherit(&mut self, table: &RelationName, parent: &Name) {
        let parent = self.resolve(parent);
        self.with_table_of(&parent, |it| it.children.retain(|child| child != table));
        self.with_table_of(table, |it| it.inherits.retain(|it| *it != parent));
    }

    /// `ALTER TRIGGER … RENAME TO`, and the same of rules.
    pub(super) fn rename_on_table(&mut self, alter: &OnTable) {
        let Some(to) = alter.definition.text.split_whitespace().last().map(str::to_owned) else { return };
        self.with_table(&alter.table, |table| {
            for rule in table.rules.iter_mut().filter(|it| **it == alter.name.name) {
                rule.clone_from(&to);
            }
        });
        let relation = self.resolve(&alter.table);
        self.with_triggers(&relation, |triggers| {
            for trigger in triggers.iter_mut().filter(|it| it.name == alter.name.name) {
                trigger.name.clone_from(&to);
            }
        });
        self.rename_part(&relation, ObjectKind::Rule, &alter.name.name, &to);
    }
}

/// Whether an index of a partition can serve as the part of the parent's index.
pub(crate) fn same_shape(own: &super::Index, parent: &super::Index) -> bool {
    let texts = |index: &super::Index| -> Vec<String> {
        index.keys.iter().map(|key| key.text.text.to_lowercase().replace(' ', "")).collect()
    };
    let predicate = |index: &super::Index| index.predicate.as_ref().map(|it| it.text.to_lowercase());
    own.valid
        && own.unique == parent.unique
        && own.method == parent.method
        && texts(own) == texts(parent)
        && predicate(own) == predicate(parent)
}

/// The server keeps expressions by column, not by name.
fn rename_in_table(table: &mut Table, from: &str, to: &str, dialect: Dialect) {
    let renamed = |it: &Expression| it.with_column_renamed(dialect, from, to);
    let rename = |names: &mut Vec<String>| {
        for name in names.iter_mut().filter(|name| *name == from) {
            to.clone_into(name);
        }
    };
    if let Some(column) = table.column_mut(from) {
        to.clone_into(&mut column.name);
    }
    for index in table.indexes.iter_mut() {
        rename(&mut index.include);
        for key in &mut index.keys {
            if key.column.as_deref() == Some(from) {
                key.column = Some(to.to_owned());
            }
            key.text.text = renamed(&key.text);
        }
        if let Some(predicate) = &mut index.predicate {
            predicate.text = renamed(predicate);
        }
    }
    for constraint in table.constraints.iter_mut() {
        match &mut constraint.demand {
            Demand::Unique(columns)
            | Demand::PrimaryKey(columns)
            | Demand::Exclude(columns)
            | Demand::ForeignKey { columns, .. } => rename(columns),
            Demand::NotNull(column) if column == from => to.clone_into(column),
            Demand::NotNull(_) => {}
            Demand::Check(expression) => expression.text = renamed(expression),
        }
    }
    if let Some(partition_by) = &mut table.partition_by {
        rename(&mut partition_by.columns);
    }
    for trigger in &mut table.triggers {
        rename(&mut trigger.columns);
        trigger.events = renamed(&Expression::new(trigger.events.clone()));
        trigger.action = renamed(&Expression::new(trigger.action.clone()));
    }
    for (_, columns) in &mut table.statistics {
        rename(columns);
    }
    for (_, columns) in &mut table.policies {
        if columns.remove(from) {
            columns.insert(to.to_owned());
        }
    }
    for details in table.parts.values_mut() {
        for (_, words) in details
            .settings
            .iter_mut()
            .filter(|(it, _)| matches!(it, Setting::Policy(_) | Setting::Definition))
        {
            *words = renamed(&Expression::new(words.clone()));
        }
    }
    for generated in
        table.columns.iter_mut_where(|it| it.generated.is_some()).filter_map(|it| it.generated.as_mut())
    {
        generated.expression.text = renamed(&generated.expression);
    }
}
