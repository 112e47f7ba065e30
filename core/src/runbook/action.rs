//! What a step does, as a verb that programs sort by, and on which table.

use crate::dialect::Dialect;
use crate::operation::{ConstraintKind, Kind, ObjectKind, TableAction};
use crate::plan::{SqlStep, Statement, Step};

/// The verb of a step, and its table as people write it.
pub fn action(step: &Step, dialect: Dialect) -> (&'static str, Option<String>) {
    match step {
        Step::Sql(sql) => of_migration(sql, dialect),
        Step::Release(_) => ("release_application", None),
        Step::Check(_) => ("verify", None),
    }
}

fn of_migration(sql: &SqlStep, dialect: Dialect) -> (&'static str, Option<String>) {
    if let Some(job) = sql.job() {
        let verb = match &job.work {
            crate::backfill::Work::Set(_) => "backfill",
            crate::backfill::Work::Delete => "delete_rows",
            crate::backfill::Work::Copy { .. } => "copy_rows",
        };
        return (verb, Some(job.table.display(dialect)));
    }
    // Settings and helpers stand around what a step is about.
    let told = sql.operations().map(|kind| (weight(kind), kind)).max_by_key(|(weight, _)| *weight);
    let Some((_, kind)) = told else {
        let refuses = sql.up.iter().any(Statement::is_look);
        return (if refuses { "verify" } else { "run_sql" }, None);
    };
    (verb(kind), kind.relation().map(ToString::to_string))
}

/// How much an operation says of what a step is about; of equals the last wins.
fn weight(kind: &Kind) -> u8 {
    match kind {
        Kind::Set(_) | Kind::Transaction(_) | Kind::Query(_) | Kind::Comment(_) | Kind::Lock(_) => 0,
        Kind::Grant(_) | Kind::CreateFunction(_) | Kind::DefaultPrivileges(_) => 1,
        Kind::Drop(drop) if !matches!(drop.object, ObjectKind::Table | ObjectKind::Index) => 1,
        Kind::CreateTrigger(_) => 2,
        _ => 3,
    }
}

fn verb(kind: &Kind) -> &'static str {
    match kind {
        Kind::CreateTable(_) => "create_table",
        Kind::AlterTable(alter) => of_table(&alter.action),
        Kind::CreateIndex(index) if index.unique => "create_unique_index",
        Kind::CreateIndex(_) => "create_index",
        Kind::Reindex(_) => "rebuild_index",
        Kind::Drop(drop) => match drop.object {
            ObjectKind::Table => "drop_table",
            ObjectKind::Index => "drop_index",
            ObjectKind::View => "drop_view",
            ObjectKind::Trigger => "drop_trigger",
            _ => "drop_object",
        },
        Kind::CreateView(_) => "create_view",
        Kind::Refresh(_) => "refresh_view",
        Kind::CreateType(_) | Kind::CreateDomain(_) => "create_type",
        Kind::AlterType(_) | Kind::AlterDomain(_) => "change_type",
        Kind::CreateSequence(_) | Kind::AlterSequence(_) => "change_sequence",
        Kind::CreateFunction(_) => "create_function",
        Kind::CreateTrigger(_) => "dual_write",
        Kind::CreatePolicy(_) | Kind::AlterPolicy(_) => "change_policy",
        Kind::Truncate(_) => "empty_table",
        Kind::Insert(_) | Kind::Copy(_) => "insert_rows",
        Kind::Update(_) | Kind::Merge(_) => "update_rows",
        Kind::Delete(_) => "delete_rows",
        Kind::Grant(_) => "grant",
        _ => "run_sql",
    }
}

fn of_table(action: &TableAction) -> &'static str {
    match action {
        TableAction::AddColumn { .. } => "add_column",
        TableAction::DropColumn { .. } => "drop_column",
        TableAction::AlterType { .. } => "change_column_type",
        TableAction::SetDefault { .. } | TableAction::DropDefault { .. } => "change_default",
        TableAction::SetNotNull { .. } => "set_not_null",
        TableAction::DropNotNull { .. } => "drop_not_null",
        TableAction::AddConstraint { constraint } => match &constraint.kind {
            ConstraintKind::ForeignKey(_) => "add_foreign_key",
            ConstraintKind::Check { .. } => "add_check",
            _ => "add_constraint",
        },
        TableAction::ValidateConstraint { .. } => "validate_constraint",
        TableAction::DropConstraint { .. } => "drop_constraint",
        TableAction::RenameColumn { .. } => "rename_column",
        TableAction::RenameTo { .. } => "rename_table",
        TableAction::AttachPartition { .. } => "attach_partition",
        TableAction::DetachPartition { .. } => "detach_partition",
        _ => "alter_table",
    }
}
