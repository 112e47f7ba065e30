//! New constraints, with the indexes that keep them.

use super::{Catalog, ConstraintState, Demand, Index, IndexColumn, RelationName, Setting};
use crate::dialect::{Ident, Unnamed};
use crate::operation::{Constraint, ConstraintKind, Expression, ForeignKey};

impl Catalog {
    pub(super) fn add_constraint(&mut self, table: &RelationName, constraint: &Constraint) {
        match &constraint.kind {
            ConstraintKind::Check(expression) => self.add_check(table, constraint, expression),
            ConstraintKind::NotNull(column) => self.add_not_null(table, constraint, column),
            ConstraintKind::Unique { columns, using_index: None, .. } => {
                self.add_keyed(table, constraint, columns, Unnamed::Unique, Demand::Unique);
            }
            ConstraintKind::Exclude { columns } => {
                self.add_keyed(table, constraint, columns, Unnamed::Exclusion, Demand::Exclude);
            }
            ConstraintKind::PrimaryKey { columns, using_index: None } => {
                self.add_keyed(table, constraint, columns, Unnamed::PrimaryKey, Demand::PrimaryKey);
                self.refuse_null(table, &names(columns));
            }
            ConstraintKind::Unique { using_index: Some(index), .. } => {
                self.use_index(table, constraint, index, Demand::Unique);
            }
            ConstraintKind::PrimaryKey { using_index: Some(index), .. } => {
                if let Some(columns) = self.use_index(table, constraint, index, Demand::PrimaryKey) {
                    self.refuse_null(table, &columns);
                }
            }
            ConstraintKind::ForeignKey(key) => self.add_foreign_key(table, constraint, key),
        }
    }

    fn refuse_null(&mut self, table: &RelationName, columns: &[String]) {
        for name in std::iter::once(table.clone()).chain(self.descendants(table)) {
            self.with_table_of(&name, |table| {
                for column in columns {
                    if let Some(column) = table.column_mut(column) {
                        column.not_null = true;
                    }
                }
            });
        }
    }

    fn constraint_name(
        &self,
        table: &RelationName,
        constraint: &Constraint,
        columns: &[&str],
        of: Unnamed,
    ) -> String {
        if let Some(name) = &constraint.name {
            return name.name.clone();
        }
        // The server looks for names that are free in the schema: a table that was called the same has some of them.
        let renamed = self.renamed.iter().filter(|it| it.schema == table.schema);
        let others: Vec<_> = std::iter::once(table).chain(renamed).filter_map(|it| self.table(it)).collect();
        let taken = |name: &str| others.iter().any(|it| it.constraint(name).is_some());
        self.dialect().free_server_name(&table.name, columns, of, taken)
    }

    fn push(&mut self, table: &RelationName, name: String, demand: Demand, constraint: &Constraint) {
        let mut details = super::Details::default();
        details.set(Setting::NoInherit, constraint.no_inherit.then(|| "no".to_owned()));
        details.set(Setting::Definition, constraint.exclusion.as_ref().map(|it| it.text.clone()));
        let state = ConstraintState {
            details,
            name,
            demand,
            valid: !constraint.not_valid && !constraint.not_enforced,
            enforced: !constraint.not_enforced,
            deferrable: constraint.deferrable,
            initially_deferred: constraint.initially_deferred,
            temporal: constraint.temporal,
        };
        self.with_table_of(table, |table| table.constraints.push(state));
    }

    fn add_check(&mut self, table: &RelationName, constraint: &Constraint, expression: &Expression) {
        let used =
            if constraint.name.is_some() { Default::default() } else { expression.columns(self.dialect) };
        let known: Vec<&str> = used.iter().map(String::as_str).collect();
        // A check on one column has the column in its name, one on several has not.
        let columns: &[&str] = if known.len() == 1 { &known } else { &[] };
        let name = self.constraint_name(table, constraint, columns, Unnamed::Check);
        let tables: Vec<RelationName> = match constraint.no_inherit {
            true => vec![table.clone()],
            false => std::iter::once(table.clone()).chain(self.descendants(table)).collect(),
        };
        for table in tables {
            self.push(&table, name.clone(), Demand::Check(expression.clone()), constraint);
        }
    }

    fn add_not_null(&mut self, table: &RelationName, constraint: &Constraint, column: &Ident) {
        let name = self.constraint_name(table, constraint, &[&column.name], Unnamed::NotNull);
        self.push(table, name, Demand::NotNull(column.name.clone()), constraint);
        if !constraint.not_valid {
            self.refuse_null(table, &names(std::slice::from_ref(column)));
        }
    }

    fn add_keyed(
        &mut self,
        table: &RelationName,
        constraint: &Constraint,
        columns: &[Ident],
        of: Unnamed,
        demand: impl Fn(Vec<String>) -> Demand,
    ) {
        let columns = names(columns);
        let in_name: Vec<&str> = columns.iter().map(String::as_str).collect();
        let name = match &constraint.name {
            Some(name) => super::naming::sibling(table, &name.name),
            None => self.free_relation_name(table, &in_name, of),
        };
        let text = |column: &String| Expression::new(crate::dialect::quote(column, self.dialect()));
        let keys =
            columns.iter().map(|it| IndexColumn { column: Some(it.clone()), text: text(it) }).collect();
        let index = Index {
            name: name.clone(),
            unique: of != Unnamed::Exclusion,
            valid: true,
            keys,
            include: names(&constraint.include),
            predicate: None,
            method: if of == Unnamed::Exclusion { "gist" } else { "btree" }.to_owned(),
            children: Vec::new(),
            born: self.migration,
        };
        self.push(table, name.name.to_string(), demand(columns), constraint);
        self.insert_index(table, index.clone());
        let distinct = !matches!(&constraint.kind, ConstraintKind::Unique { nulls_not_distinct: true, .. });
        self.with_details(&name, |it| {
            it.set_options(&constraint.options);
            it.set(Setting::NullsNotDistinct, (!distinct).then(|| "yes".to_owned()));
        });
        if self.table(table).is_some_and(|it| it.partition_by.is_some()) {
            self.index_partitions(table, &index, of);
        }
    }

    /// Makes an index into a constraint: the index takes its name.
    fn use_index(
        &mut self,
        table: &RelationName,
        constraint: &Constraint,
        index: &Ident,
        demand: impl FnOnce(Vec<String>) -> Demand,
    ) -> Option<Vec<String>> {
        let index_name = super::naming::sibling(table, &index.name);
        let (_, found) = self.index(&index_name)?;
        let columns: Vec<String> = found.keys.iter().filter_map(|key| key.column.clone()).collect();
        let name = constraint.name.as_ref().map_or_else(|| index.name.clone(), |name| name.name.clone());
        if name != index.name {
            self.move_relation(&index_name, super::naming::sibling(table, &name));
        }
        self.push(table, name, demand(columns.clone()), constraint);
        Some(columns)
    }

    fn add_foreign_key(&mut self, table: &RelationName, constraint: &Constraint, key: &ForeignKey) {
        let columns = names(&key.columns);
        let in_name: Vec<&str> = columns.iter().map(String::as_str).collect();
        let name = self.constraint_name(table, constraint, &in_name, Unnamed::ForeignKey);
        let references = self.resolve(&key.references);
        // Partitions have the key too; tables that inherit have not.
        let partitioned = self.table(table).is_some_and(|it| it.partition_by.is_some());
        let below = if partitioned { self.descendants(table) } else { Vec::new() };
        for table in std::iter::once(table.clone()).chain(below) {
            let own = self.table(&table).map(|it| &it.constraints).unwrap_or_default();
            if own.iter().any(|it| it.takes_over(&references, constraint, key)) {
                // It belongs to the key above from now on, under its own name.
                continue;
            }
            let demand = Demand::ForeignKey {
                columns: columns.clone(),
                references: references.clone(),
                key: Box::new(key.clone()),
            };
            self.push(&table, name.clone(), demand, constraint);
            self.with_table_of(&references, |other| other.referenced_by.push(table));
        }
    }
}

impl ConstraintState {
    /// Whether it is a valid foreign key that a key of the partitioned table above takes over as its part.
    pub fn takes_over(&self, parent: &RelationName, constraint: &Constraint, key: &ForeignKey) -> bool {
        let Demand::ForeignKey { columns, references, key: own } = &self.demand else { return false };
        let words = |key: &ForeignKey| key.actions.to_lowercase();
        self.valid
            && references == parent
            && *columns == names(&key.columns)
            && names(&own.referenced) == names(&key.referenced)
            && words(own) == words(key)
            && (self.deferrable, self.initially_deferred)
                == (constraint.deferrable, constraint.initially_deferred)
    }
}

fn names(columns: &[Ident]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}
