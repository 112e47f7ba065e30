//! Roles other than the owner see no rows of the table, and can write none, as it has no policy.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// Roles other than the owner see no rows of the table, and can write none, as it has no policy.
pub(crate) static RULE: Rule = Rule {
    id: "row-security-lockout",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("row_security_lockout.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    if !matches!(alter.action, TableAction::RowSecurity { enabled: true }) {
        return None;
    }
    let table = ctx.resolve(&alter.table);
    let open = ctx.catalog.table(&table).is_some_and(|state| !state.policies.is_empty());
    let unknown = ctx.catalog.table(&table).is_none();
    // The transaction keeps the table closed until the policy is there.
    let follows = ctx.in_transaction() && ctx.rest_mentions(&["create", "policy", &table.name]);
    if open || unknown || follows || !ctx.is_live(&table) {
        return None;
    }
    let message = format!(
        "{} is empty for every role but its owner from this moment on, as it has no policy",
        ctx.display(&table)
    );
    Some(Hazard::new(&RULE, alter.table.span, message))
}
