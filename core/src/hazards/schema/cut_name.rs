//! The name is longer than the server keeps, so it is cut without an error, and whoever says all of it may meet another object.

use crate::dialect::{Dialect, kept};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};
use crate::text::Span;

/// The name is longer than the server keeps, so it is cut without an error, and whoever says all of it may meet another object.
pub(crate) static RULE: Rule = Rule {
    id: "cut-name",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("cut_name.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let kept = |name: &str| kept(name, ctx.target.dialect);
    let is_cut = |name: &str| kept(name) < name.len();
    let mut all = names(operation).into_iter().chain(used(operation));
    let long = all.find(|span| is_cut(bare(*span, ctx)))?;
    let name = bare(long, ctx);
    Some(Hazard::new(&RULE, long, format!("it is cut to {}", &name[..kept(name)])))
}

fn bare<'a>(span: Span, ctx: &Context<'a>) -> &'a str {
    let text = span.of(ctx.text);
    // Of a qualified name only the last part counts.
    let last = if text.ends_with('"') {
        text.trim_end_matches('"').rfind('"').map_or(text, |at| &text[at..])
    } else {
        text.rsplit('.').next().unwrap_or(text)
    };
    last.trim_matches('"')
}

/// The names by which an operation finds something: the server cuts them too, and finds what has the shorter name.
fn used(operation: &Operation) -> Vec<Span> {
    match &operation.kind {
        Kind::Drop(drop) => drop.names.iter().map(|name| name.span).collect(),
        _ => operation.relation().map(|name| name.span).into_iter().collect(),
    }
}

/// The names that an operation gives.
fn names(operation: &Operation) -> Vec<Span> {
    match &operation.kind {
        Kind::CreateTable(create) => {
            let columns = create.columns.iter().map(|column| column.name.span);
            let constraints = create.constraints.iter().filter_map(|it| it.name.as_ref()).map(|it| it.span);
            std::iter::once(create.name.span).chain(columns).chain(constraints).collect()
        }
        Kind::CreateIndex(index) => index.name.iter().map(|name| name.span).collect(),
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { column, .. } => vec![column.name.span],
            TableAction::AddConstraint { constraint } => {
                constraint.name.iter().map(|name| name.span).collect()
            }
            TableAction::RenameTo { to }
            | TableAction::RenameColumn { to, .. }
            | TableAction::RenameConstraint { to, .. } => vec![to.span],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
