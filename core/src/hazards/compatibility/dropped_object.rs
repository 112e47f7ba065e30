//! A release that says the name of a dropped function, sequence, type or extension fails from this moment on.

use crate::catalog::{RelationKind, RelationName};
use crate::dialect::{Dialect, Name};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger, is_of_rewrite};
use crate::operation::{Drop, Kind, ObjectKind, Operation};

/// A release that says the name of a dropped function, sequence, type or extension fails from this moment on.
pub(crate) static RULE: Rule = Rule {
    id: "dropped-object",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("dropped_object.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Drop(drop) = &operation.kind else { return None };
    if ctx.goes_back() || ctx.fails() {
        return None;
    }
    if drop.object == ObjectKind::Policy {
        return of_policy(drop, ctx);
    }
    let gone = drop.names.iter().find(|name| is_in_use(drop, name, ctx))?;
    let message = format!("a release that says the {} {gone} fails", drop.object.title());
    Some(Hazard::new(&RULE, gone.span, message))
}

/// Whether a release may say the name: it was there before this migration, and does not come again.
fn is_in_use(drop: &Drop, name: &Name, ctx: &Context<'_>) -> bool {
    let resolved = ctx.resolve(name);
    let catalog = ctx.catalog;
    let missing = catalog.is_complete() && drop.if_exists;
    let (is_new, is_missing) = match drop.object {
        ObjectKind::Type | ObjectKind::Domain => {
            (ctx.session.new_types.contains(&resolved), missing && catalog.type_named(name).is_none())
        }
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            let of_triggers = catalog.routine(&name.name).is_some_and(|it| it.of_triggers);
            let takes = drop.names.iter().position(|it| it == name).and_then(|at| drop.takes[at].as_deref());
            let there = catalog.routine_name(name, takes).is_some();
            (catalog.is_new_routine(&name.name) || of_triggers, missing && !there)
        }
        ObjectKind::Sequence => (
            !ctx.is_live(&resolved) || is_of_identity(&resolved, ctx),
            missing && catalog.relation(&resolved).is_none(),
        ),
        ObjectKind::Aggregate => (ctx.said_before(&["create", "aggregate", &name.name]), false),
        ObjectKind::Extension => {
            let there = catalog.extensions().any(|it| it == name.name);
            (ctx.said_before(&["create", "extension", &name.name]), missing && !there)
        }
        _ => return false,
    };
    let word = drop.object.title();
    // Whoever said the name says what has it now, or said another name until this migration.
    let comes_again = ctx.rest_mentions(&["create", word, &name.name])
        || ctx.rest_mentions(&["alter", word, "rename", "to", &name.name])
        || drop.object == ObjectKind::Routine && ctx.rest_mentions(&["create", &name.name]);
    let renamed = ctx.said_before(&["alter", word, "rename", "to", &name.name]);
    // What a rewrite made for itself is said by no release.
    let of_rewrite = is_of_rewrite(&name.name);
    let quiet = is_new || is_missing || comes_again || renamed || of_rewrite;
    !quiet && !catalog.is_put_aside(&resolved)
}

/// Of an identity nobody says the sequence's name.
fn is_of_identity(name: &RelationName, ctx: &Context<'_>) -> bool {
    let kind = ctx.catalog.relation(name).map(|it| &it.kind);
    matches!(kind, Some(RelationKind::Sequence(sequence)) if sequence.identity)
}

/// A policy says who sees which rows.
fn of_policy(drop: &Drop, ctx: &Context<'_>) -> Option<Hazard> {
    let (table, name) = (drop.on_table.as_ref()?, drop.names.first()?);
    let resolved = ctx.resolve(table);
    let state = ctx.catalog.table(&resolved);
    let there = state.is_some_and(|it| it.policies.iter().any(|(it, _)| *it == name.name));
    let missing = ctx.catalog.is_complete() && !there;
    let again = ctx.rest_mentions(&["create", "policy", &name.name])
        || ctx.rest_mentions(&["create", "policy", "on", &table.name]);
    if missing || again || !ctx.is_live(&resolved) || ctx.said_before(&["create", "policy", &name.name]) {
        return None;
    }
    let table = ctx.display(&resolved);
    let message =
        format!("the policy {name} decides no more which rows of {table} a release sees and writes");
    Some(Hazard::new(&RULE, name.span, message))
}
