//! CASCADE drops what depends on the object, without naming it in the text.

use crate::dialect::{Dialect, LockMode};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, ObjectKind, Operation, TableAction};
use crate::text::Span;

/// CASCADE drops what depends on the object, without naming it in the text.
pub(crate) static RULE: Rule = Rule {
    id: "cascading-drop",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("cascading_drop.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (span, what) = dropped(operation, ctx)?;
    if ctx.fails() {
        return None;
    }
    let also = also_dropped(operation, ctx);
    let known = ctx.catalog.is_complete() && has_known_dependents(operation);
    if known && also.is_empty() {
        return None;
    }
    let also = if also.is_empty() { "whatever depends on it".to_owned() } else { also.join(", ") };
    Some(Hazard::new(&RULE, span, format!("{what} goes, and with it {also}")))
}

fn dropped(operation: &Operation, ctx: &Context<'_>) -> Option<(Span, String)> {
    match &operation.kind {
        Kind::Drop(drop) if drop.cascade => {
            let name = drop.names.first()?;
            let resolved = ctx.resolve(name);
            let live = ctx.is_live(&resolved) && !ctx.is_certainly_missing(&resolved, drop.object);
            live.then(|| (name.span, format!("{} {name}", drop.object.title())))
        }
        Kind::AlterTable(alter) => {
            let name = match &alter.action {
                TableAction::DropColumn { column, cascade: true, .. } => column,
                TableAction::DropConstraint { name, cascade: true, .. } => name,
                _ => return None,
            };
            ctx.is_live(&ctx.resolve(&alter.table)).then(|| (name.span, name.name.clone()))
        }
        _ => None,
    }
}

/// Whether everything that can depend on the object is replayed: views, keys and columns are, functions are not.
fn has_known_dependents(operation: &Operation) -> bool {
    match &operation.kind {
        Kind::Drop(drop) => matches!(
            drop.object,
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence
        ),
        _ => true,
    }
}

/// What is locked as nothing but a drop locks it, and is not named: views, and tables that lose a key or a column.
fn also_dropped(operation: &Operation, ctx: &Context<'_>) -> Vec<String> {
    let named: Vec<_> = match &operation.kind {
        Kind::Drop(drop) => drop.names.iter().map(|name| ctx.resolve(name)).collect(),
        _ => operation.relation().map(|name| ctx.resolve(name)).into_iter().collect(),
    };
    let locked = ctx.effect.locks.iter().filter(|(name, mode)| {
        **mode == LockMode::AccessExclusive && !named.contains(name) && !ctx.effect.indexes.contains(name)
    });
    let referenced: Vec<_> = named.iter().flat_map(|name| ctx.catalog.referenced_tables(name)).collect();
    let dependents = locked.filter(|(name, _)| !referenced.contains(name) && !is_owned(name, ctx));
    let title = |name: &crate::catalog::RelationName| match ctx.catalog.view(name) {
        Some(_) => format!("the view {}", ctx.display(name)),
        None => format!("a part of {}", ctx.display(name)),
    };
    dependents.map(|(name, _)| title(name)).collect()
}

/// A sequence of a column goes with it in any case.
fn is_owned(name: &crate::catalog::RelationName, ctx: &Context<'_>) -> bool {
    ctx.catalog.table(name).is_none() && ctx.catalog.view(name).is_none()
}
