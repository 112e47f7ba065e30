//! Every name in the schema changes, and the running release still uses the old ones.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectAction, ObjectKind, Operation};

/// Every name in the schema changes, and the running release still uses the old ones.
pub(crate) static RULE: Rule = Rule {
    id: "renamed-schema",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("renamed_schema.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterObject(alter) = &operation.kind else { return None };
    let ObjectAction::RenameTo(to) = &alter.action else { return None };
    if alter.object != ObjectKind::Schema || ctx.goes_back() {
        return None;
    }
    let mut inside = ctx.catalog.relations().filter(|(name, _)| *name.schema == *alter.name.name);
    let in_use = inside.any(|(name, _)| ctx.is_live(name)) || !ctx.catalog.is_complete();
    if !in_use {
        return None;
    }
    let message = format!("the running release still uses {} and will find nothing in it", alter.name);
    Some(Hazard::new(&RULE, alter.name.span.cover(to.span), message).with_recipe("rename-behind-stand-in"))
}
