//! Every table with a column of the domain is read through while its writes wait.

use crate::dialect::Dialect;
use crate::engine::preflight;
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{ConstraintKind, DomainAction, Kind, Operation};
use crate::text::Edit;

/// Every table with a column of the domain is read through while its writes wait.
pub(crate) static RULE: Rule = Rule {
    id: "domain-constraint-scan",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("domain_constraint_scan.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterDomain(alter) = &operation.kind else { return None };
    let adds = match &alter.action {
        DomainAction::AddConstraint(constraint) => !constraint.not_valid,
        DomainAction::SetNotNull => true,
        _ => false,
    };
    let tables: Vec<String> =
        ctx.effect.locks.keys().filter(|name| ctx.is_live(name)).map(|name| ctx.display(name)).collect();
    let unknown = !ctx.catalog.is_complete() && ctx.catalog.type_named(&alter.name).is_none();
    if !adds || (tables.is_empty() && !unknown) {
        return None;
    }
    let which =
        if tables.is_empty() { format!("every table that uses {}", alter.name) } else { tables.join(", ") };
    let message = format!("writes to {which} wait while every row is checked");
    let check = match &alter.action {
        DomainAction::AddConstraint(constraint) => match &constraint.kind {
            ConstraintKind::Check(check) => Some(check.text.as_str()),
            _ => None,
        },
        _ => None,
    };
    let columns = ctx.catalog.tables_using(&ctx.resolve(&alter.name));
    let preflight = preflight::domain_violations(&columns, check, ctx.target.dialect);
    let hazard = Hazard::new(&RULE, alter.name.span, message).with_preflight(preflight);
    let DomainAction::AddConstraint(constraint) = &alter.action else { return Some(hazard) };
    if !ctx.effect.can_validate_later {
        return Some(hazard);
    }
    let edit = Edit::insert(constraint.span.end, " NOT VALID");
    let fix = Fix::needs_review("Add it NOT VALID, and VALIDATE it in a later transaction", vec![edit]);
    Some(hazard.with_fix(fix))
}
