//! The running release writes and compares the old label, and fails from this moment on.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TypeAction};

/// The running release writes and compares the old label, and fails from this moment on.
pub(crate) static RULE: Rule = Rule {
    id: "renamed-enum-value",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("renamed_enum_value.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterType(alter) = &operation.kind else { return None };
    let TypeAction::RenameValue { from, .. } = &alter.action else { return None };
    if ctx.goes_back() || ctx.session.new_types.contains(&ctx.resolve(&alter.name)) {
        return None;
    }
    let message = format!("the running release still uses '{from}', which {} no longer has", alter.name);
    Some(Hazard::new(&RULE, operation.span, message).with_recipe("rename-enum-value"))
}
