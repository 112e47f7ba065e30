//! The server refuses the statement inside a transaction, and the runner opens one.

use crate::catalog::Opened;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::Operation;

/// The server refuses the statement inside a transaction, and the runner opens one.
pub(crate) static RULE: Rule = Rule {
    id: "concurrent-in-transaction",
    severity: Severity::Danger,
    dialects: Dialect::ANALYSED,
    page: include_str!("concurrent_in_transaction.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    if ctx.effect.transactional || ctx.fails() {
        return None;
    }
    let by = match ctx.session.transaction? {
        Opened::ByRunner => "the transaction that the migration tool opens",
        Opened::ByText => "the transaction opened above",
    };
    let mut words = ctx.text_of(operation).split_whitespace();
    let head: Vec<&str> = words.by_ref().take(2).collect();
    let message = format!("{} is refused inside {by}", head.join(" ").to_uppercase());
    let hazard = Hazard::new(&RULE, operation.span, message);
    Some(hazard.with_recipe("concurrent-index"))
}
