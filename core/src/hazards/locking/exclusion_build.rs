//! The index of an exclusion constraint is built while nobody can read or write the table, and there is no gentler way to add it.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{ConstraintKind, Kind, Operation, TableAction};

/// The index of an exclusion constraint is built while nobody can read or write the table, and there is no gentler way to add it.
pub(crate) static RULE: Rule = Rule {
    id: "exclusion-build",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("exclusion_build.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddConstraint { constraint } = &alter.action else { return None };
    let excludes = matches!(constraint.kind, ConstraintKind::Exclude { .. });
    if !excludes || !ctx.works_on_live(Work::IndexBuild) {
        return None;
    }
    let resolved = ctx.resolve(&alter.table);
    let preflight = preflight::conflicts(&resolved, constraint.span.of(ctx.text), ctx.target.dialect);
    let table = ctx.display(&resolved);
    let span = constraint.name.as_ref().map_or(constraint.span, |name| name.span);
    let message = format!("reads and writes of {table} wait until its index is built");
    Some(Hazard::new(&RULE, span, message).with_recipe("swap-table").with_preflight(preflight))
}
