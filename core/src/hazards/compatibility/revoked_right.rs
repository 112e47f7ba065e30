//! A release that runs as a role which loses the right fails from this moment on.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// A release that runs as a role which loses the right fails from this moment on.
pub(crate) static RULE: Rule = Rule {
    id: "revoked-right",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("revoked_right.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Grant(grant) = &operation.kind else { return None };
    let known = |name: &&crate::dialect::Name| ctx.catalog.relation(&ctx.resolve(name)).is_some();
    let table = grant.tables.iter().find(|name| known(name) && ctx.is_live(&ctx.resolve(name)))?;
    if !grant.revoke || ctx.goes_back() {
        return None;
    }
    let message = format!("whoever used {table} by this right fails: is it the application's role?");
    Some(Hazard::new(&RULE, table.span, message))
}
