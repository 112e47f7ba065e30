//! The check depends on the moment it runs, so a row that passes today is refused by a restore tomorrow.

use crate::dialect::Dialect;
use crate::engine::effect::volatility;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Constraint, ConstraintKind, Kind, Operation, TableAction, Volatility};

/// The check depends on the moment it runs, so a row that passes today is refused by a restore tomorrow.
pub(crate) static RULE: Rule = Rule {
    id: "moving-check",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("moving_check.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let constraints: Vec<&Constraint> = match &operation.kind {
        Kind::CreateTable(create) => {
            create.columns.iter().flat_map(|it| &it.constraints).chain(&create.constraints).collect()
        }
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::AddConstraint { constraint } => vec![constraint],
            TableAction::AddColumn { column, .. } => column.constraints.iter().collect(),
            _ => return None,
        },
        _ => return None,
    };
    let moves = |it: &&&Constraint| match &it.kind {
        ConstraintKind::Check(check) => {
            let clock =
                ["now", "current_date", "current_timestamp", "localtimestamp", "clock_timestamp", "random"];
            let calls = check.functions(ctx.target.dialect);
            calls.iter().any(|it| clock.contains(&it.as_str()))
                && volatility(check, ctx.catalog) != Volatility::Immutable
        }
        _ => false,
    };
    let constraint = constraints.iter().find(moves)?;
    let span = constraint.name.as_ref().map_or(constraint.span, |name| name.span);
    Some(Hazard::new(&RULE, span, "rows that satisfy it now violate it later, and a restore of them fails"))
}
