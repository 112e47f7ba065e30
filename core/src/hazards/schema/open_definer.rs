//! A function runs with its owner’s rights and takes names from its caller’s search path.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation};

/// A function runs with its owner’s rights and takes names from its caller’s search path.
pub(crate) static RULE: Rule = Rule {
    id: "open-definer",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("open_definer.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::CreateFunction(create) = &operation.kind else { return None };
    let dialect = ctx.target.dialect;
    let says = |word: &str| create.definition.has_word(dialect, &[word]);
    // The body of a function that is read when it is made keeps what its names meant then.
    if !says("definer") || says("search_path") || says("atomic") || ctx.goes_back() {
        return None;
    }
    let name = create.name.name.as_str();
    if ctx.rest_mentions(&["alter", name, "search_path"]) {
        return None;
    }
    let message = format!(
        "who calls {name} decides what the names in it mean, and they are used with its owner's rights"
    );
    Some(Hazard::new(&RULE, create.name.span, message))
}
