//! UPDATE and DELETE on the published table fail from this moment on.

use crate::catalog::Demand;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// UPDATE and DELETE on the published table fail from this moment on.
pub(crate) static RULE: Rule = Rule {
    id: "dropped-replica-identity",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("dropped_replica_identity.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let table = ctx.resolve(&alter.table);
    let state = ctx.catalog.table(&table)?;
    let is_key =
        |name: &str| state.constraint(name).is_some_and(|it| matches!(it.demand, Demand::PrimaryKey(_)));
    let span = match &alter.action {
        TableAction::DropConstraint { name, .. } if is_key(&name.name) => name.span,
        TableAction::DropColumn { column, .. }
            if state.primary_key().is_some_and(|key| key.contains(&column.name)) =>
        {
            column.span
        }
        TableAction::ReplicaIdentity { nothing: true, .. } => alter.table.span,
        _ => return None,
    };
    if !ctx.catalog.is_published(&table) || !ctx.is_live(&table) || ctx.fails() {
        return None;
    }
    let message = format!(
        "UPDATE and DELETE on {} fail from this moment on: it is published and has nothing to tell rows by",
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, span, message))
}
