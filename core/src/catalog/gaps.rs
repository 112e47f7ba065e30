//! Gaps of the history: statements about things that nobody made.

use super::{Catalog, RelationName};
use crate::dialect::Name;
use crate::operation::{AlterTable, Kind, Operation, TableAction};

/// What an operation shows to be missing in what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// A part of the history: what the catalog does not hold may exist all the same.
    History,
    /// Something about this relation.
    Relation(Name),
}

impl Catalog {
    /// Where an operation that was run is about a relation or column that the catalog does not hold, the history has a
    /// gap.
    pub fn gap(&self, operation: &Operation) -> Option<Gap> {
        let about = match &operation.kind {
            Kind::AlterTable(alter) if !alter.if_exists => &alter.table,
            Kind::CreateIndex(index) => &index.table,
            Kind::CreateTrigger(trigger) => &trigger.table,
            Kind::Drop(drop) if !drop.if_exists => drop.on_table.as_ref()?,
            Kind::Insert(insert) => &insert.table,
            Kind::Update(update) => &update.table,
            // The schema's own function may make anything: partitions, say.
            Kind::Query(query) => {
                let own = query.query.calls(self.dialect, |name| self.function(name).is_some());
                return own.then_some(Gap::History);
            }
            _ => return None,
        };
        if self.relation(&self.resolve(about)).is_none() {
            return Some(Gap::History);
        }
        match &operation.kind {
            Kind::AlterTable(alter) if self.misses_part(alter) => Some(Gap::Relation(alter.table.clone())),
            _ => None,
        }
    }

    /// Whether a relation that no migration made may have been there before all of them: none took it away, and its name is no
    /// slip for another.
    pub fn may_predate(&self, name: &RelationName) -> bool {
        !name.schema.is_empty() && !self.departed.contains_key(name) && self.likeness(name).is_none()
    }

    /// Whether nothing was made before the migration at hand.
    pub fn begins(&self) -> bool {
        self.departed.is_empty() && self.relations.values().all(|it| it.born == self.migration)
    }

    /// The relation whose name is almost this one, or the same in another schema.
    pub fn likeness(&self, name: &RelationName) -> Option<&RelationName> {
        // Of short names many are one letter apart: hosts and posts are two tables.
        let most = if name.name.len() < 8 { 1 } else { 2 };
        let own = name.name.to_lowercase();
        let may_be = |it: &&RelationName| {
            let near = it.name.len().abs_diff(own.len()) <= most
                && it.name.to_lowercase().chars().next() == own.chars().next();
            it.name == name.name || it.schema == name.schema && near
        };
        let others = self.relations.keys().filter(may_be);
        let found = others.map(|it| (strsim::osa_distance(&own, &it.name.to_lowercase()), it));
        found.filter(|(distance, _)| *distance <= most).min().map(|(_, it)| it)
    }

    /// Takes a gap over into what is known.
    pub fn mark_gap(&mut self, gap: &Gap) {
        match gap {
            Gap::History => self.mark_incomplete(),
            Gap::Relation(name) => self.mark_uncertain(name),
        }
    }

    fn misses_part(&self, alter: &AlterTable) -> bool {
        let Some(table) = self.table_named(&alter.table) else { return false };
        match &alter.action {
            TableAction::DropColumn { column, if_exists: false, .. }
            | TableAction::AlterType { column, .. }
            | TableAction::SetNotNull { column }
            | TableAction::DropNotNull { column }
            | TableAction::SetDefault { column, .. }
            | TableAction::RenameColumn { column, .. } => table.column(&column.name).is_none(),
            TableAction::DropConstraint { name, if_exists: false, .. }
            | TableAction::ValidateConstraint { name }
            | TableAction::RenameConstraint { name, .. } => table.constraint(&name.name).is_none(),
            TableAction::AddColumn { column, if_not_exists: false } => {
                table.column(&column.name.name).is_some()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::engine::lower::lower;
    use crate::statement::Script;

    #[test]
    fn slips_are_told_from_other_names() {
        let sql = "CREATE TABLE hosts (id int); CREATE TABLE shipments (id int); CREATE SCHEMA app; CREATE TABLE app.legacy (id int);";
        let script = Script::read(sql, Dialect::Postgres);
        let mut catalog = Catalog::empty(Dialect::Postgres);
        script.statements.iter().flat_map(|it| lower(&script, it)).for_each(|it| catalog.apply(&it));
        let like = |name: &str| {
            let name = RelationName { schema: "public".into(), name: name.into() };
            catalog.likeness(&name).map(|it| it.name.to_string())
        };
        assert_eq!(like("host").as_deref(), Some("hosts"));
        assert_eq!(like("shipmets").as_deref(), Some("shipments"));
        assert_eq!(like("legacy").as_deref(), Some("legacy"));
        assert_eq!(like("posts"), None);
        assert_eq!(like("users"), None);
    }
}
