//! The search path stays empty behind the migration, and the next names without a schema are not found.

use crate::dialect::Dialect;
use crate::hazards::{End, Hazard, Rule, Severity, Trigger};

/// The search path stays empty behind the migration, and the next names without a schema are not found.
pub(crate) static RULE: Rule = Rule {
    id: "emptied-search-path",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("emptied_search_path.md"),
    trigger: Trigger::End(check),
};

fn check(end: &End<'_>) -> Option<Hazard> {
    let message = "the path stays empty for the session: the runner does not find its own table, and later files with bare names fail";
    Some(Hazard::new(&RULE, end.session.emptied_path?, message))
}
