//! What an operation does on a target, asked of its engine. Each is a folder, matched exhaustively; a fact stands there once, with its source.

use crate::catalog::{Catalog, RelationName, Session};
use crate::dialect::{Dialect, Target};
use crate::effect::{Effect, Loss};
use crate::operation::{Expression, Kind, Operation, TypeName, Volatility};

use super::postgres::effect as postgres;

/// What an operation does on a target with this schema and session.
pub fn of(operation: &Operation, target: &Target, catalog: &Catalog, session: &Session) -> Effect {
    match target.dialect {
        Dialect::Postgres => postgres::of(operation, target, catalog, session),
        Dialect::Mysql | Dialect::Sqlite => unknown(),
    }
}

/// What all operations of one statement do together. They are taken in the order in which the server does them.
pub fn of_statement(
    operations: &[Operation],
    target: &Target,
    catalog: &Catalog,
    session: &Session,
) -> Effect {
    let mut catalog = catalog.clone();
    let before = catalog.clone();
    let mut merged: Option<Effect> = None;
    for operation in in_server_order(operations) {
        let effect = of(operation, target, &catalog, session);
        catalog.apply(operation);
        match &mut merged {
            Some(merged) => merged.merge(effect),
            None => merged = Some(effect),
        }
    }
    let mut merged = merged.unwrap_or_else(unknown);
    let existed = |name: &RelationName| before.relation(name).is_some() || catalog.relation(name).is_none();
    merged.locks.retain(|name, _| existed(name));
    merged
}

/// The operations of a statement in the order in which the server does them: an ALTER TABLE drops first, then changes
/// types, adds columns, adds constraints (the passes of `ATController`).
pub fn in_server_order(operations: &[Operation]) -> Vec<&Operation> {
    let mut sorted: Vec<&Operation> = operations.iter().collect();
    sorted.sort_by_key(|operation| match &operation.kind {
        Kind::AlterTable(alter) => postgres::pass(&alter.action),
        _ => 0,
    });
    sorted
}

fn unknown() -> Effect {
    Effect { known: false, transactional: true, ..Effect::default() }
}

/// What values lose when their type changes; `None` where all fit, or where it cannot be told.
pub fn loss(from: &TypeName, to: &TypeName) -> Option<Loss> {
    postgres::loss(from, to)
}

/// Whether a value that the open transaction added to an enum can be used before it ends.
pub fn is_usable_at_once(value: &crate::catalog::AddedValue, target: &Target) -> bool {
    match target.dialect {
        Dialect::Postgres => postgres::is_usable_at_once(value, target),
        _ => true,
    }
}

/// Whether an expression may give another value for the same row at another moment, or to another user or session.
pub fn drifts(expression: &Expression, catalog: &Catalog) -> bool {
    postgres::drifts(expression, catalog)
}

/// The volatility of an expression in this schema.
pub fn volatility(expression: &Expression, catalog: &Catalog) -> Volatility {
    postgres::volatility(expression, catalog)
}
