//! The way back makes the table or column again, but not what was in it.

use crate::catalog::{Catalog, RelationName};
use crate::dialect::Dialect;
use crate::effect::Loss;
use crate::engine::effect::loss;
use crate::hazards::{Back, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation, TableAction};

/// The way back makes the table or column again, but not what was in it.
pub(crate) static RULE: Rule = Rule {
    id: "irreversible-change",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("irreversible_change.md"),
    trigger: Trigger::Back(check),
};

/// What the way up destroys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Lost {
    /// The rows of a table that is dropped.
    Table(RelationName),
    /// The values of a column that is dropped.
    Column(RelationName, String),
    /// Rows that are deleted.
    Rows(RelationName),
    /// What a narrower type cannot hold.
    Precision(RelationName, String),
}

fn check(back: &Back<'_>) -> Vec<Hazard> {
    let Some(first) = back.steps_back().next() else { return Vec::new() };
    let mut lost: Vec<Lost> = back.up.iter().flat_map(|it| lost_by(it, back.before)).collect();
    lost.sort();
    lost.dedup();
    lost.retain(|it| !is_restored(it, back));
    let place =
        |it: &Lost| back.steps_back().find(|step| makes_again(step, it, back.before)).unwrap_or(first);
    lost.iter().map(|it| Hazard::new(&RULE, place(it).span, message(it, back.before))).collect()
}

fn message(lost: &Lost, before: &Catalog) -> String {
    let show = |table: &RelationName| table.display(before.dialect());
    match lost {
        Lost::Table(table) => format!("the rows of {} that the way up drops do not come back", show(table)),
        Lost::Column(table, column) => {
            format!("the values of {}.{column} that the way up drops do not come back", show(table))
        }
        Lost::Rows(table) => format!("the rows of {} that the way up deletes do not come back", show(table)),
        Lost::Precision(table, column) => {
            format!("what the way up cuts off {}.{column} does not come back", show(table))
        }
    }
}

/// What one operation destroys of what was there before the migration.
fn lost_by(operation: &Operation, before: &Catalog) -> Vec<Lost> {
    let was_there = |table: &RelationName| match before.table(table) {
        Some(state) => !state.temporary,
        None => !before.is_complete(),
    };
    match &operation.kind {
        Kind::Drop(drop) if drop.object == ObjectKind::Table => {
            let tables = drop.names.iter().map(|name| before.resolve(name));
            tables
                .filter(|it| was_there(it) && !(drop.if_exists && before.table(it).is_none()))
                .map(Lost::Table)
                .collect()
        }
        Kind::Truncate(truncate) => truncate
            .tables
            .iter()
            .map(|name| before.resolve(name))
            .filter(was_there)
            .map(Lost::Rows)
            .collect(),
        Kind::Delete(delete) => {
            Some(before.resolve(&delete.table)).filter(was_there).map(Lost::Rows).into_iter().collect()
        }
        Kind::AlterTable(alter) => {
            let table = before.resolve(&alter.table);
            lost_column(&alter.action, &table, before).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn lost_column(action: &TableAction, table: &RelationName, before: &Catalog) -> Option<Lost> {
    let state = before.table(table);
    match action {
        TableAction::DropColumn { column, if_exists, .. } => {
            let there = match state {
                Some(state) => state
                    .column(&column.name)
                    .is_some_and(|it| !it.generated.as_ref().is_some_and(|it| it.stored)),
                None => !before.is_complete() && !if_exists,
            };
            there.then(|| Lost::Column(table.clone(), column.name.clone()))
        }
        TableAction::AlterType { column, ty, using: None, .. } => {
            let from = &state?.column(&column.name)?.ty;
            (loss(from, ty)? == Loss::Silent).then(|| Lost::Precision(table.clone(), column.name.clone()))
        }
        _ => None,
    }
}

/// Whether the way back puts rows or values into it: from what the way up has kept elsewhere, as it must be.
fn is_restored(lost: &Lost, back: &Back<'_>) -> bool {
    back.steps_back().any(|step| match (lost, &step.kind) {
        (Lost::Table(table) | Lost::Rows(table), Kind::Insert(insert)) => {
            back.before.resolve(&insert.table) == *table
        }
        (Lost::Table(table) | Lost::Rows(table), Kind::Copy(copy)) => {
            copy.table.as_ref().is_some_and(|name| back.before.resolve(name) == *table)
        }
        (Lost::Table(table), Kind::AlterTable(alter)) => match &alter.action {
            TableAction::RenameTo { to } => to.name == *table.name,
            _ => false,
        },
        (Lost::Column(table, column) | Lost::Precision(table, column), Kind::Update(update)) => {
            back.before.resolve(&update.table) == *table && update.columns.iter().any(|it| it.name == *column)
        }
        (Lost::Column(table, column), Kind::AlterTable(alter)) => match &alter.action {
            TableAction::RenameColumn { to, .. } => {
                back.before.resolve(&alter.table) == *table && to.name == *column
            }
            _ => false,
        },
        _ => false,
    })
}

/// Whether a step of the way back is the one that seems to bring it back.
fn makes_again(step: &Operation, lost: &Lost, before: &Catalog) -> bool {
    match (lost, &step.kind) {
        (Lost::Table(table), Kind::CreateTable(create)) => before.resolve(&create.name) == *table,
        (Lost::Column(table, column), Kind::AlterTable(alter)) => match &alter.action {
            TableAction::AddColumn { column: added, .. } => {
                before.resolve(&alter.table) == *table && added.name.name == *column
            }
            _ => false,
        },
        (Lost::Precision(table, column), Kind::AlterTable(alter)) => match &alter.action {
            TableAction::AlterType { column: changed, .. } => {
                before.resolve(&alter.table) == *table && changed.name == *column
            }
            _ => false,
        },
        _ => false,
    }
}
