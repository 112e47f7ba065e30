//! A release that says the old name of a type, function or sequence fails from this moment on.

use crate::catalog::{RelationKind, RelationName};
use crate::dialect::{Dialect, Name};
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{DomainAction, Kind, ObjectAction, ObjectKind, Operation, RelationWord, TableAction};

/// A release that says the old name of a type, function or sequence fails from this moment on.
pub(crate) static RULE: Rule = Rule {
    id: "renamed-object",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("renamed_object.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (object, name) = renamed(operation)?;
    let resolved = ctx.resolve(name);
    let is_new = match object {
        ObjectKind::Type | ObjectKind::Domain => ctx.session.new_types.contains(&resolved),
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
            let of_triggers = ctx.catalog.routine(&name.name).is_some_and(|it| it.of_triggers);
            ctx.catalog.is_new_routine(&name.name) || of_triggers
        }
        ObjectKind::Sequence => !ctx.is_live(&resolved) || is_of_identity(&resolved, ctx),
        ObjectKind::Extension | ObjectKind::Aggregate => false,
        _ => return None,
    };
    if is_new || ctx.goes_back() || ctx.fails() {
        return None;
    }
    let message = format!("a release that says the {} {name} fails", object.title());
    Some(Hazard::new(&RULE, name.span, message).with_recipe("rename-behind-stand-in"))
}

/// Of an identity nobody says the sequence's name.
fn is_of_identity(name: &RelationName, ctx: &Context<'_>) -> bool {
    let kind = ctx.catalog.relation(name).map(|it| &it.kind);
    matches!(kind, Some(RelationKind::Sequence(sequence)) if sequence.identity)
}

/// What has another name, or lies in another schema.
fn renamed(operation: &Operation) -> Option<(ObjectKind, &Name)> {
    match &operation.kind {
        Kind::AlterObject(it)
            if matches!(it.action, ObjectAction::RenameTo(_) | ObjectAction::SetSchema(_)) =>
        {
            Some((it.object, &it.name))
        }
        Kind::AlterDomain(it)
            if matches!(it.action, DomainAction::RenameTo(_) | DomainAction::SetSchema(_)) =>
        {
            Some((ObjectKind::Domain, &it.name))
        }
        Kind::AlterTable(it)
            if it.relation == RelationWord::Sequence
                && matches!(it.action, TableAction::RenameTo { .. } | TableAction::SetSchema { .. }) =>
        {
            Some((ObjectKind::Sequence, &it.table))
        }
        _ => None,
    }
}
