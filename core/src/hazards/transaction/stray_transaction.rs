//! The text ends or opens a transaction that the migration tool manages, so the rest of it runs outside.

use crate::catalog::Opened;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Kind, Operation, Transaction};

/// The text ends or opens a transaction that the migration tool manages, so the rest of it runs outside.
pub(crate) static RULE: Rule = Rule {
    id: "stray-transaction",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("stray_transaction.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let Kind::Transaction(transaction) = &operation.kind else { return None };
    if ctx.conditional {
        return None;
    }
    let (message, severity) = match (transaction, ctx.session.transaction) {
        (Transaction::Begin, Some(Opened::ByRunner)) => {
            ("BEGIN does nothing: the migration tool has a transaction open", Severity::Warning)
        }
        (Transaction::Begin, Some(Opened::ByText)) => {
            ("BEGIN does nothing: a transaction is open already", Severity::Warning)
        }
        (Transaction::Commit | Transaction::Rollback, Some(Opened::ByRunner)) => {
            ("what follows runs outside the transaction that the migration tool opened", Severity::Danger)
        }
        (Transaction::Commit | Transaction::Rollback, None) => {
            ("it ends nothing: no transaction is open", Severity::Warning)
        }
        _ => return None,
    };
    Some(Hazard::new(&RULE, operation.span, message).with_severity(severity))
}
