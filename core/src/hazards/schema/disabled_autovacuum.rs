//! Nothing frees the dead rows of the table or keeps its statistics any more.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// Nothing frees the dead rows of the table or keeps its statistics any more.
pub(crate) static RULE: Rule = Rule {
    id: "disabled-autovacuum",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("disabled_autovacuum.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (options, table) = match &operation.kind {
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::SetOptions { options, .. } => (options, &alter.table),
            _ => return None,
        },
        Kind::CreateTable(create) => (&create.options, &create.name),
        _ => return None,
    };
    let off =
        |value: &str| ["false", "off", "no", "0"].contains(&value.trim_matches('\'').to_lowercase().as_str());
    let disabled =
        options.iter().any(|(name, value)| name == "autovacuum_enabled" && value.as_deref().is_some_and(off));
    // Switched off for a load and on again behind it.
    let again = ctx.rest_mentions(&["alter", table.name.as_str(), "autovacuum_enabled"]);
    if !disabled || again || ctx.goes_back() {
        return None;
    }
    let shown = ctx.display(&ctx.resolve(table));
    let message =
        format!("{shown} grows and its plans get worse until somebody runs VACUUM and ANALYZE by hand");
    Some(Hazard::new(&RULE, table.span, message))
}
