//! A partition is made or taken off while nobody can read or write the partitioned table.

use crate::dialect::{Dialect, LockMode, Name};
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};
use crate::text::Edit;

/// A partition is made or taken off while nobody can read or write the partitioned table.
pub(crate) static RULE: Rule = Rule {
    id: "locked-partition-parent",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("locked_partition_parent.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (parent, what) = match &operation.kind {
        Kind::CreateTable(create) => (&create.partition_of.as_ref()?.0, "a partition is made"),
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::AttachPartition { .. } => (&alter.table, "a partition is attached"),
            TableAction::DetachPartition { .. } => (&alter.table, "a partition is taken off"),
            _ => return None,
        },
        _ => return None,
    };
    let resolved = ctx.resolve(parent);
    if ctx.effect.lock_on(&resolved) != Some(LockMode::AccessExclusive) || !ctx.is_live(&resolved) {
        return None;
    }
    let message = format!("reads and writes of all of {} wait while {what}", ctx.display(&resolved));
    let hazard = Hazard::new(&RULE, parent.span, message).with_recipe("detach-partition");
    Some(with_fix(hazard, operation, ctx, parent))
}

fn with_fix(hazard: Hazard, operation: &Operation, ctx: &Context<'_>, parent: &Name) -> Hazard {
    let Kind::AlterTable(alter) = &operation.kind else { return hazard };
    let TableAction::DetachPartition { partition, .. } = &alter.action else { return hazard };
    if !ctx.effect.has_concurrent_form || *parent != alter.table {
        return hazard;
    }
    let edit = Edit::insert_word_after(partition.span, "CONCURRENTLY");
    hazard.with_fix(Fix::needs_review("Detach it concurrently, outside a transaction", vec![edit]))
}
