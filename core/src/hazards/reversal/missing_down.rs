//! The migrations before it have a way back, and this one has none.

use crate::dialect::Dialect;
use crate::hazards::{Back, Hazard, Rule, Severity, Trigger};

/// The migrations before it have a way back, and this one has none.
pub(crate) static RULE: Rule = Rule {
    id: "missing-down",
    severity: Severity::Note,
    dialects: &[Dialect::Postgres],
    page: include_str!("missing_down.md"),
    trigger: Trigger::Back(check),
};

fn check(back: &Back<'_>) -> Vec<Hazard> {
    if back.down.is_some() {
        return Vec::new();
    }
    let Some(first) = back.steps_up().next() else { return Vec::new() };
    let message = "nothing takes this back, where the migrations before it have a way back";
    vec![Hazard::new(&RULE, first.span, message)]
}
