//! A new check or foreign key is compared with every row while writes wait.

use crate::dialect::Dialect;
use crate::effect::Work;
use crate::engine::preflight;
use crate::hazards::{Context, Fix, Hazard, Rule, Severity, Trigger};
use crate::operation::{Constraint, ConstraintKind, Kind, Operation, TableAction};
use crate::text::{Edit, Span};

/// A new check or foreign key is compared with every row while writes wait.
pub(crate) static RULE: Rule = Rule {
    id: "validating-constraint",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("validating_constraint.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    if !ctx.works_on_live(Work::Scan) {
        return None;
    }
    let table = ctx.display(&ctx.resolve(&alter.table));
    match &alter.action {
        TableAction::AddConstraint { constraint } => added(operation, constraint, &table, ctx),
        TableAction::AddColumn { column, .. } => {
            let checked = column.constraints.iter().find(|it| scans(it))?;
            let message = format!("reads and writes of {table} wait while every row is checked");
            Some(Hazard::new(&RULE, checked.span, message).with_recipe("add-column-in-steps"))
        }
        _ => None,
    }
}

fn scans(constraint: &Constraint) -> bool {
    matches!(
        constraint.kind,
        ConstraintKind::Check(_) | ConstraintKind::ForeignKey(_) | ConstraintKind::NotNull(_)
    )
}

fn added(operation: &Operation, constraint: &Constraint, table: &str, ctx: &Context<'_>) -> Option<Hazard> {
    let (message, recipe) = match &constraint.kind {
        ConstraintKind::ForeignKey(key) => {
            let parent = ctx.display(&ctx.resolve(&key.references));
            let both = if parent == table { table.to_owned() } else { format!("{table} and {parent}") };
            (format!("writes to {both} wait while every row is compared"), "foreign-key")
        }
        ConstraintKind::NotNull(_) => {
            (format!("reads and writes of {table} wait while every row is checked"), "check-then-not-null")
        }
        ConstraintKind::Check(_) => {
            (format!("reads and writes of {table} wait while every row is checked"), "check-constraint")
        }
        _ => return None,
    };
    let span = constraint.name.as_ref().map_or(first_word(constraint.span, ctx), |name| name.span);
    let resolved = operation.relation().map(|name| ctx.resolve(name))?;
    let preflight = preflight::violations(&resolved, constraint, ctx.catalog);
    let mut hazard = Hazard::new(&RULE, span, message).with_preflight(preflight);
    if ctx.effect.can_validate_later {
        let edit = Edit::insert(constraint.span.end.min(operation.span.end), " NOT VALID");
        let fix = Fix::needs_review("Add it NOT VALID, and VALIDATE it in a later transaction", vec![edit]);
        hazard = hazard.with_fix(fix);
    }
    Some(hazard.with_recipe(recipe))
}

fn first_word(span: Span, ctx: &Context<'_>) -> Span {
    let text = span.of(ctx.text);
    let length = text.find(|it: char| !it.is_alphanumeric()).unwrap_or(text.len());
    Span::new(span.start, span.start + length)
}
