//! Every role that can connect gets the right, those that are made later too.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Grant, Kind, ObjectKind, Operation};

/// Every role that can connect gets the right, those that are made later too.
pub(crate) static RULE: Rule = Rule {
    id: "public-grant",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("public_grant.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Grant(grant) = &operation.kind else { return None };
    let to_all = grant.roles.iter().any(|it| it == "public");
    if grant.revoke || !to_all || ctx.goes_back() {
        return None;
    }
    let privileges: Vec<String> = grant.privileges.iter().map(|(it, _)| it.to_uppercase()).collect();
    let (object, span) = match (grant.tables.first(), grant.schemas.first(), grant.objects.first()) {
        (Some(table), ..) => (ctx.display(&ctx.resolve(table)), table.span),
        (_, Some(schema), _) => (format!("everything in {schema}"), schema.span),
        (.., Some((schema, _))) if makes_objects(grant) => (format!("the schema {schema}"), schema.span),
        _ => return None,
    };
    let what = if makes_objects(grant) { "make objects in".to_owned() } else { privileges.join(", ") };
    let message = format!("every role can {what} {object}");
    Some(Hazard::new(&RULE, span, message))
}

/// Whether it lets others make objects in a schema; to use one is what a schema is for.
fn makes_objects(grant: &Grant) -> bool {
    let makes = |(privilege, _): &(String, Vec<String>)| privilege == "create" || privilege == "all";
    grant.object == Some(ObjectKind::Schema) && grant.privileges.iter().any(makes)
}
