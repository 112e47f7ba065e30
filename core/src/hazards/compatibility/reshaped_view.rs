//! A view is made again without a column that the running release may read.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation};

/// A view is made again without a column that the running release may read.
pub(crate) static RULE: Rule = Rule {
    id: "reshaped-view",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("reshaped_view.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Drop(drop) = &operation.kind else { return None };
    let name = drop.names.first().filter(|_| drop.object == ObjectKind::View && drop.names.len() == 1)?;
    let resolved = ctx.resolve(name);
    let before = ctx.catalog.view(&resolved)?.columns.as_ref()?;
    if ctx.fails() || ctx.goes_back() || !ctx.is_live(&resolved) {
        return None;
    }
    let after = ctx.later_view(&resolved)?.shows(ctx.target.dialect)?;
    let gone = before.iter().find(|it| !after.contains(it))?;
    let message = format!("a release that reads {gone} of {name} fails");
    let hazard = Hazard::new(&RULE, name.span, message).with_recipe("replace-view");
    Some(hazard.with_subject(ctx.display(&resolved), Some(gone)))
}
