//! The column is widened and its sequence is not, so inserts still fail at the old limit.

use crate::catalog::RelationKind;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// The column is widened and its sequence is not, so inserts still fail at the old limit.
pub(crate) static RULE: Rule = Rule {
    id: "narrow-sequence",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("narrow_sequence.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::AlterType { column, ty, .. } = &alter.action else { return None };
    let state = ctx.table(&alter.table)?.column(&column.name)?;
    let name = state.sequence.as_ref().filter(|_| state.identity.is_none())?;
    let RelationKind::Sequence(sequence) = &ctx.catalog.relation(name)?.kind else { return None };
    let size = |name: &str| ["int2", "int4", "int8"].iter().position(|it| *it == name);
    if size(&sequence.ty.name)? >= size(&ty.name)? || widened_later(name, ctx) {
        return None;
    }
    let message = format!("{} still ends where {} ends", ctx.display(name), sequence.ty);
    Some(Hazard::new(&RULE, column.span, message))
}

/// Whether a later statement of the text is about the sequence.
fn widened_later(sequence: &crate::catalog::RelationName, ctx: &Context<'_>) -> bool {
    ctx.rest_mentions(&["alter", "sequence", &sequence.name])
}
