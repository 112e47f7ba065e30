//! Gaps of the history: statements about things that nobody made.

use super::Catalog;
use crate::operation::{AlterTable, Kind, Operation, TableAction};

impl Catalog {
    /// Notices where the history has a gap: an operation that was run before is about a relation or column that the
    /// catalog does not hold. What it does not hold may then exist all the same.
    pub fn notice_gap(&mut self, operation: &Operation) {
        let about = match &operation.kind {
            Kind::AlterTable(alter) if !alter.if_exists => Some(&alter.table),
            Kind::CreateIndex(index) => Some(&index.table),
            Kind::CreateTrigger(trigger) => Some(&trigger.table),
            Kind::Drop(drop) if !drop.if_exists => drop.on_table.as_ref(),
            Kind::Insert(insert) => Some(&insert.table),
            Kind::Update(update) => Some(&update.table),
            _ => None,
        };
        if let Kind::Query(query) = &operation.kind
            && query.query.functions(self.dialect).iter().any(|name| self.function(name).is_some())
        {
            // The schema's own function may make anything: partitions, say.
            self.mark_incomplete();
        }
        let Some(name) = about else { return };
        if self.relation(&self.resolve(name)).is_none() {
            self.mark_incomplete();
        }
        if let Kind::AlterTable(alter) = &operation.kind
            && self.misses_part(alter)
        {
            self.mark_uncertain(&alter.table);
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
