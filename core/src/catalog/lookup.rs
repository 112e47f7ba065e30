//! Questions about the schema.

use std::sync::Arc;

use super::list::List;
use super::{Catalog, Demand, Index, Relation, RelationKind, RelationName, Routine, Table, UserType, View};
use crate::dialect::Name;
use crate::operation::{TypeName, Volatility};

impl Catalog {
    /// The full name of a relation as a statement spells it.
    pub fn resolve(&self, name: &Name) -> RelationName {
        let new = self.resolve_new(name);
        if self.relations.contains_key(&new) {
            return new;
        }
        if let Some(found) = self.filled_in(name) {
            return found;
        }
        if name.schema.is_some() || self.further_schemas.is_empty() {
            return new;
        }
        self.found_behind(name).filter(|_| !self.types.contains_key(&new)).unwrap_or(new)
    }

    /// The only relation with this name, where its schema or that of the name is a placeholder: nobody knows what is filled in.
    fn filled_in(&self, name: &Name) -> Option<RelationName> {
        let any = name.schema.as_deref().is_some_and(is_placeholder);
        (any || self.has_placeholders && name.schema.is_none()).then_some(())?;
        let mut alike =
            self.relations.keys().filter(|it| *it.name == *name.name && (any || is_placeholder(&it.schema)));
        let found = alike.next().cloned()?;
        alike.next().is_none().then_some(found)
    }

    /// The relation with this name.
    pub fn relation(&self, name: &RelationName) -> Option<&Relation> {
        self.relations.get(name).map(|relation| &**relation)
    }

    /// The table with this name.
    pub fn table(&self, name: &RelationName) -> Option<&Table> {
        match &self.relation(name)?.kind {
            RelationKind::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Whether the table certainly has no such column.
    pub fn lacks_column(&self, name: &RelationName, column: &str) -> bool {
        let certain = self.complete && self.relation(name).is_some_and(|it| !it.uncertain);
        certain && self.table(name).is_some_and(|it| !it.guessed && it.column(column).is_none())
    }

    /// The table that a statement names.
    pub fn table_named(&self, name: &Name) -> Option<&Table> {
        self.table(&self.resolve(name))
    }

    /// The view with this name.
    pub fn view(&self, name: &RelationName) -> Option<&View> {
        match &self.relation(name)?.kind {
            RelationKind::View(view) => Some(view),
            _ => None,
        }
    }

    /// The indexes of a table or materialized view.
    pub fn indexes(&self, name: &RelationName) -> &List<Index> {
        match self.relation(name).map(|relation| &relation.kind) {
            Some(RelationKind::Table(table)) => &table.indexes,
            Some(RelationKind::View(view)) => &view.indexes,
            _ => Default::default(),
        }
    }

    /// The table of an index, and the index.
    pub fn index(&self, name: &RelationName) -> Option<(&RelationName, &Index)> {
        let RelationKind::Index(table) = &self.relation(name)?.kind else { return None };
        let index = self.indexes(table).iter().find(|index| index.name == *name)?;
        Some((table, index))
    }

    /// Whether a whole index of the table begins with these columns, in any order.
    pub fn has_index_on(&self, table: &RelationName, columns: &[String]) -> bool {
        self.indexes(table).iter().any(|index| {
            let first = index.keys.iter().take(columns.len()).filter_map(|key| key.column.as_ref());
            let mut first: Vec<&String> = first.collect();
            let mut wanted: Vec<&String> = columns.iter().collect();
            first.sort();
            wanted.sort();
            index.predicate.is_none() && first == wanted
        })
    }

    /// The type with this name.
    pub fn user_type(&self, ty: &TypeName) -> Option<&UserType> {
        let schema = ty.schema.as_deref().map_or_else(|| self.default_schema.clone(), Arc::from);
        let name = RelationName { schema, name: ty.name.as_str().into() };
        self.types.get(&name).map(|ty| &**ty)
    }

    /// The type with this name, as a statement on types spells it.
    pub fn type_named(&self, name: &Name) -> Option<&UserType> {
        self.types.get(&self.resolve(name)).map(|ty| &**ty)
    }

    /// The volatility of a function that the schema made.
    pub fn function(&self, name: &str) -> Option<Volatility> {
        Some(self.routine(name)?.volatility)
    }

    /// The function with this name, without its schema.
    pub fn routine(&self, name: &str) -> Option<&Routine> {
        self.functions.get(name).map(|routine| &**routine)
    }

    /// All functions that the schema made, by their names without a schema, in no order.
    pub fn routines(&self) -> impl Iterator<Item = (&str, &Routine)> {
        self.functions.iter().map(|(name, routine)| (&**name, &**routine))
    }

    /// Whether the migration at hand made the function.
    pub fn is_new_routine(&self, name: &str) -> bool {
        self.routine(name).is_some_and(|routine| routine.born == self.migration)
    }

    /// All tables, in no order.
    pub fn tables(&self) -> impl Iterator<Item = (&RelationName, &Table)> {
        self.relations.iter().filter_map(|(name, relation)| match &relation.kind {
            RelationKind::Table(table) => Some((name, &**table)),
            _ => None,
        })
    }

    /// All relations, in no order.
    pub fn relations(&self) -> impl Iterator<Item = (&RelationName, &Relation)> {
        self.relations.iter().map(|(name, relation)| (name, &**relation))
    }

    /// All types that the schema made, in no order.
    pub fn types(&self) -> impl Iterator<Item = (&RelationName, &UserType)> {
        self.types.iter().map(|(name, ty)| (name, &**ty))
    }

    /// What hangs on a type.
    pub fn type_details(&self, name: &RelationName) -> Option<&super::Details> {
        self.type_details.get(name).map(|it| &**it)
    }

    /// All schemas that were made, or that something hangs on.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, &super::Details)> {
        self.schemas.iter().map(|(name, details)| (&**name, &**details))
    }

    /// The extensions that were made.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        self.extensions.keys().map(|name| &**name)
    }

    /// All publications with their tables.
    pub fn publications(&self) -> impl Iterator<Item = (&str, &[RelationName])> {
        self.publications.iter().map(|(name, tables)| (&**name, tables.as_slice()))
    }

    /// All views that read the relation, in order of name.
    pub fn views_on(&self, relation: &RelationName) -> Vec<(&RelationName, &View)> {
        let readers = self.readers.get(relation).map(|readers| readers.as_slice()).unwrap_or_default();
        let mut views: Vec<_> = readers
            .iter()
            .filter_map(|name| Some((name, self.view(name)?)))
            .filter(|(_, view)| view.depends_on.iter().any(|it| it.relation == *relation))
            .collect();
        views.sort_by_key(|(name, _)| *name);
        views
    }

    /// All views that may read the column, in order of name.
    pub fn views_on_column(&self, relation: &RelationName, column: &str) -> Vec<&RelationName> {
        let reads =
            |view: &View| view.depends_on.iter().any(|it| it.relation == *relation && it.may_read(column));
        self.views_on(relation).into_iter().filter(|(_, view)| reads(view)).map(|(name, _)| name).collect()
    }

    /// The partitions and inheriting tables below a table, at any depth.
    pub fn descendants(&self, name: &RelationName) -> Vec<RelationName> {
        let mut found: Vec<RelationName> = Vec::new();
        let mut open = vec![name.clone()];
        while let Some(next) = open.pop() {
            let Some(table) = self.table(&next) else { continue };
            for child in &table.children {
                if !found.contains(child) && child != name {
                    found.push(child.clone());
                    open.push(child.clone());
                }
            }
        }
        found.sort();
        found
    }

    /// The partitioned table at the top, or the relation itself.
    pub fn topmost(&self, name: &RelationName) -> RelationName {
        let mut top = name.clone();
        // As deep as anybody partitions, and no endless loop on a broken schema.
        for _ in 0..16 {
            match self.table(&top).and_then(|table| table.partition_of.as_ref()) {
                Some((parent, _)) => top = parent.clone(),
                None => break,
            }
        }
        top
    }

    /// Whether the migration at hand made the relation, so that nobody uses it yet.
    pub fn is_new(&self, name: &RelationName) -> bool {
        self.relation(name).is_some_and(|relation| relation.born == self.migration)
    }

    /// Whether the relation is seen by its own session only.
    pub fn is_temporary(&self, name: &RelationName) -> bool {
        self.table(name).is_some_and(|table| table.temporary)
    }

    /// Whether the migration at hand made it, and it holds no rows yet.
    pub fn is_new_and_empty(&self, name: &RelationName) -> bool {
        self.is_new(name) && self.table(name).is_some_and(|table| !table.filled)
    }

    /// The tables that a table's own foreign keys point at.
    pub fn referenced_tables(&self, name: &RelationName) -> Vec<RelationName> {
        let constraints = self.table(name).map(|table| &table.constraints).unwrap_or_default();
        let mut found: Vec<RelationName> = constraints
            .iter()
            .filter_map(|constraint| match &constraint.demand {
                Demand::ForeignKey { references, .. } => Some(references.clone()),
                _ => None,
            })
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// The tables with a column of the type, in order of name, and those columns.
    pub fn tables_using(&self, ty: &RelationName) -> Vec<(RelationName, Vec<String>)> {
        let is_it = |column: &TypeName| {
            let schema = column.schema.as_deref().unwrap_or(&self.default_schema);
            column.name == *ty.name && schema == &*ty.schema
        };
        let mut found = Vec::new();
        for (name, table) in self.tables() {
            let columns = table.columns.iter().filter(|column| is_it(&column.ty));
            let columns: Vec<String> = columns.map(|column| column.name.clone()).collect();
            if !columns.is_empty() {
                found.push((name.clone(), columns));
            }
        }
        found.sort();
        found
    }

    /// The tables that are of a composite type, in order of name.
    pub fn tables_of_type(&self, ty: &RelationName) -> Vec<RelationName> {
        let typed = self.tables().filter(|(_, table)| table.of_type.as_ref() == Some(ty));
        let mut typed: Vec<RelationName> = typed.map(|(name, _)| name.clone()).collect();
        typed.sort();
        typed
    }

    /// The tables of a publication.
    pub fn published(&self, publication: &str) -> Option<&[RelationName]> {
        self.publications.get(publication).map(|tables| tables.as_slice())
    }

    /// Whether any publication carries the table.
    pub fn is_published(&self, table: &RelationName) -> bool {
        self.publishes_all || self.publications.values().any(|tables| tables.contains(table))
    }
}

/// Whether a name is one of a templating language, of a runner or of psql, and is filled in when it runs.
pub(super) fn is_placeholder(name: &str) -> bool {
    ["${", "{{", "%(", "$(", "#{", "<%"].iter().any(|it| name.contains(it)) || name.starts_with(':')
}
