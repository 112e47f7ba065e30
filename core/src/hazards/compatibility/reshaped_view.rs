//! A view is made anew without a column that the running release may read.

use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::lower::lower;
use crate::operation::{CreateView, Kind, ObjectKind, Operation};
use crate::statement::Script;
use crate::text::Span;

/// A view is made anew without a column that the running release may read.
pub(crate) static RULE: Rule = Rule {
    id: "reshaped-view",
    severity: Severity::Warning,
    dialects: Dialect::ANALYSED,
    page: include_str!("reshaped_view.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Drop(drop) = &operation.kind else { return None };
    let name = drop.names.first().filter(|_| drop.object == ObjectKind::View && drop.names.len() == 1)?;
    let resolved = ctx.resolve(name);
    let before = ctx.catalog.view(&resolved)?.columns.as_ref()?;
    if ctx.fails() || ctx.goes_back() || !ctx.is_live(&resolved) || !ctx.rest_mentions(&["create", "view"]) {
        return None;
    }
    let after = made_again(ctx, |it| ctx.resolve(&it.name) == resolved)?;
    let gone = before.iter().find(|it| !after.contains(it))?;
    let message = format!("a release that reads {gone} of {name} fails");
    let hazard = Hazard::new(&RULE, name.span, message).with_recipe("replace-view");
    Some(hazard.with_subject(ctx.display(&resolved), Some(gone)))
}

/// The columns of a view that a later statement makes.
fn made_again(ctx: &Context<'_>, is_it: impl Fn(&CreateView) -> bool) -> Option<Vec<String>> {
    let dialect = ctx.target.dialect;
    let rest = Span::new(ctx.statement_span.end, ctx.text.len()).of(ctx.text);
    let script = Script::read(rest, dialect);
    let mut operations = script.statements.iter().flat_map(|statement| lower(&script, statement));
    operations.find_map(|operation| match operation.kind {
        Kind::CreateView(view) if is_it(&view) => view.shows(dialect),
        _ => None,
    })
}
