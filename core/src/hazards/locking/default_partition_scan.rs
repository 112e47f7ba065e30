//! The default partition is read through while nobody can read or write it, because it may hold rows of the new one.

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// The default partition is read through while nobody can read or write it, because it may hold rows of the new one.
pub(crate) static RULE: Rule = Rule {
    id: "default-partition-scan",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("default_partition_scan.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (parent, bound) = match &operation.kind {
        Kind::CreateTable(create) => create.partition_of.as_ref().map(|(parent, bound)| (parent, bound))?,
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::AttachPartition { bound, .. } => (&alter.table, bound),
            _ => return None,
        },
        _ => return None,
    };
    let is_default =
        |name: &RelationName| ctx.catalog.table(name).is_some_and(|table| table.is_default_partition());
    let scanned = ctx.effect.work.iter().filter(|(_, work)| *work == Work::Scan);
    let (default, _) = scanned.into_iter().find(|(name, _)| is_default(name) && ctx.is_live(name))?;
    let message = format!("reads and writes of {} wait while all its rows are checked", ctx.display(default));
    let state = ctx.table(parent);
    let preflight =
        state.and_then(|state| preflight::rows_of_bound(default, state, bound, ctx.target.dialect));
    Some(Hazard::new(&RULE, parent.span, message).with_recipe("attach-partition").with_preflight(preflight))
}
