//! What a change is like, as far as it decides what must be asked.

use crate::catalog::Catalog;
use crate::check::CheckedStatement;
use crate::effect::Waits;
use crate::hazards::{Hazard, data::lossy_type_change};
use crate::operation::{Kind, ObjectKind, TableAction};

/// What a change is like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Nature {
    /// It takes a name or a value from who uses it.
    pub breaks_users: bool,
    /// It drops or changes values.
    pub loses_values: bool,
    /// A column holds less than before.
    pub narrows: bool,
    /// It reads or writes all rows of a table.
    pub works: bool,
    /// Its locks make others wait, if for a moment.
    pub waits: bool,
}

impl Nature {
    /// The nature of these statements on the schema before them, with what was found in them.
    pub fn of<'a>(
        before: &Catalog,
        statements: impl IntoIterator<Item = &'a CheckedStatement>,
        hazards: impl IntoIterator<Item = &'a Hazard>,
    ) -> Self {
        let mut nature = Self::default();
        for statement in statements {
            nature.works |= !statement.effect.work.is_empty();
            nature.waits |= statement.effect.waits >= Waits::Writes;
            nature.loses_values |= statement.operations.iter().any(|it| loses(&it.kind, before));
        }
        for hazard in hazards {
            nature.breaks_users |= hazard.subject.is_some();
            nature.narrows |= hazard.rule == lossy_type_change::RULE.id;
        }
        nature.loses_values |= nature.narrows;
        nature
    }
}

/// Whether values of the schema before are dropped or changed, or may be.
fn loses(kind: &Kind, before: &Catalog) -> bool {
    match kind {
        Kind::Drop(drop) => drop.object == ObjectKind::Table,
        Kind::AlterTable(alter) => matches!(alter.action, TableAction::DropColumn { .. }),
        Kind::Update(update) => {
            let table = before.table(&before.resolve(&update.table));
            let was_there = |column: &str| table.is_none_or(|it| it.column(column).is_some());
            update.columns.iter().any(|it| was_there(&it.name))
        }
        Kind::Truncate(_) | Kind::Delete(_) | Kind::Merge(_) => true,
        _ => false,
    }
}
