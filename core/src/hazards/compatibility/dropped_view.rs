//! The running release still reads the view, and fails from this moment on.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation};

/// The running release still reads the view, and fails from this moment on.
pub(crate) static RULE: Rule = Rule {
    id: "dropped-view",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("dropped_view.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Drop(drop) = &operation.kind else { return None };
    if !matches!(drop.object, ObjectKind::View | ObjectKind::MaterializedView) || ctx.fails() {
        return None;
    }
    let gone = drop.names.iter().find(|name| {
        let resolved = ctx.resolve(name);
        let there = !ctx.is_certainly_missing(&resolved, drop.object);
        there && ctx.is_live(&resolved) && !ctx.undoes_table(&resolved) && !comes_again(&name.name, ctx)
    })?;
    let message = format!("a release that reads {gone} fails");
    let found = Hazard::new(&RULE, gone.span, message).with_subject(ctx.display(&ctx.resolve(gone)), None);
    Some(if drop.object == ObjectKind::View { found.with_recipe("drop-view") } else { found })
}

/// Whether a later statement makes something of that name again.
fn comes_again(name: &str, ctx: &Context<'_>) -> bool {
    let name = name.to_lowercase();
    ctx.rest_mentions(&["create", "view", &name]) || ctx.rest_mentions(&["create", "table", &name])
}
