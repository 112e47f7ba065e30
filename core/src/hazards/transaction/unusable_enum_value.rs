//! The new value of the enum is used in the transaction that adds it, which the server refuses.

use crate::dialect::Dialect;
use crate::engine::effect::is_usable_at_once;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// The new value of the enum is used in the transaction that adds it, which the server refuses.
pub(crate) static RULE: Rule = Rule {
    id: "unusable-enum-value",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("unusable_enum_value.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    if !ctx.in_transaction() || matches!(operation.kind, Kind::AlterType(_) | Kind::Comment(_)) {
        return None;
    }
    let text = ctx.text_of(operation);
    let used = ctx.session.added_values.iter().find(|added| {
        let literal = crate::dialect::quote_literal(&added.value);
        text.contains(&literal) && !is_usable_at_once(added, ctx.target)
    })?;
    let message =
        format!("it fails: '{}' cannot be used before the transaction that adds it has ended", used.value);
    Some(Hazard::new(&RULE, operation.span, message).with_recipe("own-transaction"))
}
