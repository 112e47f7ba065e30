//! Several migrations of one deploy close the same table, and each waits for its lock again.

use std::collections::BTreeMap;

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::hazards::{Deploy, Found, Hazard, Pending, PendingStatement, Rule, Severity, Trigger};
use crate::operation::{Kind, TableAction};
use crate::text::Span;

use super::contract_with_expand::is_planned;

/// Several migrations of one deploy close the same table, and each waits for its lock again.
pub(crate) static RULE: Rule = Rule {
    id: "repeated-lock",
    severity: Severity::Note,
    dialects: &[Dialect::Postgres],
    page: include_str!("repeated_lock.md"),
    trigger: Trigger::Deploy(check),
};

/// Two are soon there when two people work; more are a habit.
const FEWEST: usize = 3;

fn check(deploy: &Deploy<'_>) -> Vec<Found> {
    let mut closed: BTreeMap<RelationName, Vec<(usize, Span)>> = BTreeMap::new();
    let mut found = Vec::new();
    for (number, migration) in deploy.migrations.iter().enumerate() {
        if is_planned(migration) {
            continue;
        }
        closed.retain(|table, _| !splits(migration, table, deploy));
        for (table, span) in closes(migration, deploy) {
            let by = closed.entry(table.clone()).or_default();
            by.push((number, span));
            if by.len() == FEWEST {
                let files: Vec<&str> = by.iter().map(|(it, _)| deploy.migrations[*it].name).collect();
                let message = format!(
                    "{} is closed by each of {}: one migration would wait for its lock once",
                    table.display(deploy.before.dialect()),
                    files.join(", ")
                );
                found.push(Found { migration: number, hazard: Hazard::new(&RULE, span, message) });
            }
        }
    }
    found
}

/// The tables in use that a migration closes to readers, each with the first place.
fn closes(migration: &Pending<'_>, deploy: &Deploy<'_>) -> BTreeMap<RelationName, Span> {
    let mut tables = BTreeMap::new();
    for PendingStatement { operations, effect } in &migration.statements {
        let locks = effect.locks.iter().filter(|(name, mode)| {
            mode.blocks_reads() && !effect.indexes.contains(*name) && deploy.before.table(name).is_some()
        });
        let Some(first) = operations.first().filter(|_| effect.transactional) else { continue };
        for (name, _) in locks {
            tables.entry(name.clone()).or_insert(first.span);
        }
    }
    tables
}

/// Whether a migration does on the table what must stand apart: a validation, a concurrent build, a change of rows.
fn splits(migration: &Pending<'_>, table: &RelationName, deploy: &Deploy<'_>) -> bool {
    migration.statements.iter().any(|PendingStatement { operations, effect }| {
        let about = effect.locks.contains_key(table);
        let apart = operations.iter().any(|it| match &it.kind {
            Kind::AlterTable(alter) => {
                let validates = matches!(alter.action, TableAction::ValidateConstraint { .. });
                validates && deploy.before.resolve(&alter.table) == *table
            }
            _ => it.changes_rows(),
        });
        about && (apart || !effect.transactional)
    })
}
