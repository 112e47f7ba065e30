//! Each row that is deleted on the other side reads this whole table, as no index finds the rows that refer to it.

use crate::catalog::{ConstraintState, Demand};
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Constraint, ConstraintKind, Kind, Operation, TableAction};

/// Each row that is deleted on the other side reads this whole table, as no index finds the rows that refer to it.
pub(crate) static RULE: Rule = Rule {
    id: "unindexed-foreign-key",
    severity: Severity::Note,
    dialects: &[Dialect::Postgres],
    page: include_str!("unindexed_foreign_key.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let constraint: &Constraint = match &alter.action {
        TableAction::AddConstraint { constraint } => constraint,
        TableAction::AddColumn { column, .. } => {
            column.constraints.iter().find(|it| matches!(it.kind, ConstraintKind::ForeignKey(_)))?
        }
        _ => return None,
    };
    let ConstraintKind::ForeignKey(key) = &constraint.kind else { return None };
    let table = ctx.resolve(&alter.table);
    let columns: Vec<String> = key.columns.iter().map(|it| it.name.clone()).collect();
    let state = ctx.catalog.table(&table)?;
    // A key on the same columns reads as much already: this one is its successor, or costs nothing more.
    let same = |it: &ConstraintState| matches!(&it.demand, Demand::ForeignKey { columns: own, .. } if *own == columns);
    if state.constraints.iter().any(same)
        || ctx.goes_back()
        || ctx.catalog.has_index_on(&table, &columns)
        || !ctx.is_live(&table)
        || indexed_later(&columns, ctx)
    {
        return None;
    }
    let parent = ctx.display(&ctx.resolve(&key.references));
    let message = format!(
        "each DELETE on {parent} reads all of {}: no index begins with {}",
        ctx.display(&table),
        columns.join(", ")
    );
    let span = constraint.name.as_ref().map_or(key.references.span, |name| name.span);
    Some(Hazard::new(&RULE, span, message))
}

/// Whether a later statement of the text builds an index on the columns.
fn indexed_later(columns: &[String], ctx: &Context<'_>) -> bool {
    columns.first().is_some_and(|column| ctx.rest_mentions(&["create", "index", column]))
}
