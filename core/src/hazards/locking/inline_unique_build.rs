//! A unique constraint or primary key builds its index while nobody can read or write the table.

use crate::dialect::{Dialect, Ident, quote};
use crate::effect::Work;
use crate::engine::preflight::{self, Nulls};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Constraint, ConstraintKind, Kind, Operation, TableAction};

/// A unique constraint or primary key builds its index while nobody can read or write the table.
pub(crate) static RULE: Rule = Rule {
    id: "inline-unique-build",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("inline_unique_build.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let constraint = match &alter.action {
        TableAction::AddConstraint { constraint } => &**constraint,
        TableAction::AddColumn { column, .. } => {
            column.constraints.iter().find(|it| key_columns(it).is_some())?
        }
        _ => return None,
    };
    let columns = key_columns(constraint)?;
    let scans = ctx.works_on_live(Work::IndexBuild) || ctx.works_on_live(Work::Scan);
    if !scans {
        return None;
    }
    let table = ctx.resolve(&alter.table);
    let message = format!("reads and writes of {} wait until its index is built", ctx.display(&table));
    let span = constraint.name.as_ref().map_or(constraint.span, |name| name.span);
    let hazard = Hazard::new(&RULE, span, message);
    if matches!(alter.action, TableAction::AddColumn { .. }) || columns.is_empty() {
        return Some(hazard);
    }
    if constraint.temporal {
        return Some(hazard.with_preflight(preflight::violations(&table, constraint, ctx.catalog)));
    }
    let dialect = ctx.target.dialect;
    let keys: Vec<String> = columns.iter().map(|column| quote(&column.name, dialect)).collect();
    let nulls = match &constraint.kind {
        ConstraintKind::PrimaryKey { .. } => Nulls::Refused,
        ConstraintKind::Unique { nulls_not_distinct: true, .. } => Nulls::Same,
        _ => Nulls::Distinct,
    };
    let preflight = preflight::duplicates(&table, &keys, nulls, None, dialect);
    Some(hazard.with_recipe("unique-from-index").with_preflight(preflight))
}

fn key_columns(constraint: &Constraint) -> Option<&[Ident]> {
    match &constraint.kind {
        ConstraintKind::Unique { columns, using_index: None, .. }
        | ConstraintKind::PrimaryKey { columns, using_index: None } => Some(columns),
        _ => None,
    }
}
