//! A primary key made from an index reads the whole table, because its columns may hold NULL.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine::preflight;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{ConstraintKind, Kind, Operation, TableAction};

/// A primary key made from an index reads the whole table, because its columns may hold NULL.
pub(crate) static RULE: Rule = Rule {
    id: "nullable-key-scan",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("nullable_key_scan.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AddConstraint { constraint } = &alter.action else { return None };
    let ConstraintKind::PrimaryKey { using_index: Some(index), .. } = &constraint.kind else { return None };
    if !ctx.works_on_live(Work::Scan) {
        return None;
    }
    let resolved = ctx.resolve(&alter.table);
    let state = ctx.catalog.table(&resolved);
    let keys = state.and_then(|it| it.index(&index.name)).map(|it| it.keys.as_slice()).unwrap_or_default();
    let columns = keys.iter().filter_map(|key| key.column.as_deref());
    let preflight = preflight::nulls(&resolved, columns, ctx.target.dialect);
    let table = ctx.display(&resolved);
    let message =
        format!("reads and writes of {table} wait while the columns of {index} are checked for NULL");
    Some(Hazard::new(&RULE, index.span, message).with_recipe("check-then-not-null").with_preflight(preflight))
}
