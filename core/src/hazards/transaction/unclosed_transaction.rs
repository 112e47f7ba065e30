//! The text opens a transaction and does not end it, so its work is undone or its locks stay.

use crate::dialect::Dialect;
use crate::hazards::{End, Hazard, Rule, Severity, Trigger};

/// The text opens a transaction and does not end it, so its work is undone or its locks stay.
pub(crate) static RULE: Rule = Rule {
    id: "unclosed-transaction",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("unclosed_transaction.md"),
    trigger: Trigger::End(check),
};

fn check(end: &End<'_>) -> Option<Hazard> {
    let begin = end.session.began?;
    let message = "it is never committed: its work is undone, or its locks stay until the session ends";
    Some(Hazard::new(&RULE, begin, message))
}
