//! Statements that commit one by one: where a later one fails, the earlier ones stay, and the next try does them once more.

use crate::dialect::Dialect;
use crate::framework::{Reader, Transaction};
use crate::hazards::{Hazard, Rule, Sent, Severity, Trigger};
use crate::operation::{Kind, Operation, TableAction};

/// Statements that commit one by one: where a later one fails, the earlier ones stay, and the next try does them once more.
pub(crate) static RULE: Rule = Rule {
    id: "half-applied",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("half_applied.md"),
    trigger: Trigger::Runner(check),
};

fn check(sent: &Sent<'_>) -> Vec<Hazard> {
    // What psql is told to do with an error nobody knows.
    if sent.transaction != Transaction::Autocommit || sent.framework.reader == Reader::Psql {
        return Vec::new();
    }
    let own = sent.statements.iter().flat_map(|it| it.operations);
    // Whoever opens a transaction of their own has thought of it.
    if own.clone().any(|it| matches!(it.kind, Kind::Transaction(_))) {
        return Vec::new();
    }
    let mut done = own.filter(|it| !matches!(it.kind, Kind::Set(_) | Kind::Query(_))).peekable();
    while let Some(operation) = done.next() {
        if done.peek().is_none() {
            break;
        }
        if let Some(again) = again(operation, sent.script.text) {
            let message = format!(
                "it stays where a later statement of the file fails, and the next try {again}: give it a migration of its own"
            );
            return vec![Hazard::new(&RULE, operation.span, message)];
        }
    }
    Vec::new()
}

/// What a second time does; nothing where it finds all done.
fn again(operation: &Operation, text: &str) -> Option<&'static str> {
    let text = operation.span.of(text).to_ascii_lowercase();
    let is_guarded = text.contains("on conflict") || text.contains("not exists");
    let fails = |guarded: bool| (!guarded).then_some("fails here, as it is there already");
    match &operation.kind {
        Kind::Insert(_) if !is_guarded => Some("inserts the rows once more"),
        Kind::CreateTable(create) => fails(create.if_not_exists),
        Kind::CreateIndex(create) => fails(create.if_not_exists),
        Kind::CreateView(create) => fails(create.or_replace),
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { if_not_exists, .. } => fails(*if_not_exists),
            TableAction::AddConstraint { .. } => fails(false),
            TableAction::RenameColumn { .. } | TableAction::RenameTo { .. } => {
                Some("fails here, as it is done already")
            }
            TableAction::DropColumn { if_exists: false, .. } => Some("fails here, as it is gone already"),
            _ => None,
        },
        Kind::Drop(drop) if !drop.if_exists => Some("fails here, as it is gone already"),
        _ => None,
    }
}
