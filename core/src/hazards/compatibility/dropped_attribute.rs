//! The values of the attribute are gone, and releases that name it fail.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{AttributeChange, Kind, Operation, TypeAction};

/// The values of the attribute are gone, and releases that name it fail.
pub(crate) static RULE: Rule = Rule {
    id: "dropped-attribute",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("dropped_attribute.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterType(alter) = &operation.kind else { return None };
    let TypeAction::Attribute { changes, .. } = &alter.action else { return None };
    let dropped = changes.iter().find_map(|it| match it {
        AttributeChange::Drop { name } => Some(name),
        _ => None,
    })?;
    let made_here = ctx.session.made_types.contains(&ctx.resolve(&alter.name));
    if made_here || ctx.goes_back() {
        return None;
    }
    let message = format!(
        "the values of {dropped} in every column of {} are gone, and releases that name it fail",
        alter.name
    );
    Some(Hazard::new(&RULE, alter.name.span, message))
}
