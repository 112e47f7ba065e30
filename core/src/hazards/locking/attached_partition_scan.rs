//! A table is read through while it becomes a partition, and nobody can read or write it meanwhile.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// A table is read through while it becomes a partition, and nobody can read or write it meanwhile.
pub(crate) static RULE: Rule = Rule {
    id: "attached-partition-scan",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("attached_partition_scan.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AttachPartition { partition, bound } = &alter.action else { return None };
    let resolved = ctx.resolve(partition);
    let mut works = ctx.effect.work.iter().filter(|(name, _)| *name == resolved).map(|(_, work)| *work);
    let work = works.by_ref().max()?;
    if !ctx.is_live(&resolved) {
        return None;
    }
    let what = if work == Work::Scan { "all its rows are checked" } else { "its indexes are built" };
    let message = format!("reads and writes of {} wait while {what}", ctx.display(&resolved));
    let parent = ctx.table(&alter.table).filter(|_| work == Work::Scan);
    let preflight =
        parent.and_then(|it| preflight::rows_outside_bound(&resolved, it, bound, ctx.target.dialect));
    Some(
        Hazard::new(&RULE, partition.span, message).with_recipe("attach-partition").with_preflight(preflight),
    )
}
