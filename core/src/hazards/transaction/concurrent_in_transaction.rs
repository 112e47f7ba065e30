//! The server refuses the statement inside a transaction, and the runner opens one.

use crate::catalog::Opened;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Maintenance, ObjectKind, Operation};

/// The server refuses the statement inside a transaction, and the runner opens one.
pub(crate) static RULE: Rule = Rule {
    id: "concurrent-in-transaction",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("concurrent_in_transaction.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    if ctx.effect.transactional || ctx.fails() {
        return None;
    }
    let by = match ctx.session.transaction? {
        Opened::BySending => "the one transaction that statements sent in one string are",
        Opened::ByRunner => "the transaction that the migration tool opens",
        Opened::ByText => "the transaction opened above",
    };
    let message = format!("{} is refused inside {by}", command(operation));
    let hazard = Hazard::new(&RULE, operation.span, message);
    let of_index = matches!(operation.kind, Kind::CreateIndex(_) | Kind::Drop(_));
    Some(if of_index { hazard.with_recipe("concurrent-index") } else { hazard })
}

/// The command in the words of SQL, with the word that makes it need transactions of its own.
fn command(operation: &Operation) -> &str {
    match &operation.kind {
        Kind::CreateIndex(_) => "CREATE INDEX CONCURRENTLY",
        Kind::Drop(drop) if drop.object == ObjectKind::Index => "DROP INDEX CONCURRENTLY",
        Kind::Drop(drop) if drop.object == ObjectKind::Database => "DROP DATABASE",
        Kind::Reindex(reindex) if reindex.concurrently => "REINDEX CONCURRENTLY",
        Kind::Reindex(_) => "REINDEX of more than one table",
        Kind::AlterTable(_) => "DETACH PARTITION CONCURRENTLY",
        Kind::AlterType(_) => "ALTER TYPE ADD VALUE",
        Kind::Maintain(maintain) if maintain.command == Maintenance::Cluster => "CLUSTER of all tables",
        Kind::Maintain(maintain) => match maintain.command {
            Maintenance::Repack { concurrently: true } => "REPACK (CONCURRENTLY)",
            Maintenance::Repack { .. } => "REPACK of more than one table",
            _ => "VACUUM",
        },
        Kind::Other(what) => what,
        _ => "the statement",
    }
}
