//! What is known of the session and its open transaction while a migration runs.

use super::{Catalog, RelationName};
use crate::dialect::LockMode;
use crate::operation::{Kind, Operation, Set, Transaction};
use crate::text::Span;

/// Who opened the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// The runner, around the file.
    ByRunner,
    /// A BEGIN in the text.
    ByText,
}

/// A session: its settings and its open transaction.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Who opened the transaction that is open, if one is.
    pub transaction: Option<Opened>,
    /// `lock_timeout` in milliseconds where something set it; 0 waits for ever.
    pub lock_timeout: Option<u64>,
    /// `statement_timeout` in milliseconds where something set it.
    pub statement_timeout: Option<u64>,
    /// `TimeZone` where something set it.
    pub time_zone: Option<String>,
    /// The locks that the open transaction took on relations that existed before, and by which text.
    pub held: Vec<(RelationName, LockMode, Span)>,
    /// The tables whose rows the open transaction changed.
    pub changed: Vec<(RelationName, Span)>,
    /// Settings that end with the transaction.
    local: Vec<(LocalSetting, Option<u64>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LocalSetting {
    LockTimeout,
    StatementTimeout,
}

impl Session {
    /// The session of a file that the runner puts into one transaction.
    pub fn in_transaction() -> Self {
        Self { transaction: Some(Opened::ByRunner), ..Self::default() }
    }

    /// Takes over what an operation did to the session. Locks are added by [`Session::hold`].
    pub fn apply(&mut self, operation: &Operation, catalog: &Catalog) {
        match &operation.kind {
            Kind::Set(set) => self.set(set),
            Kind::Transaction(transaction) => self.transact(*transaction),
            _ if operation.changes_rows() && self.transaction.is_some() => {
                if let Some(table) = operation.relation() {
                    self.changed.push((catalog.resolve(table), operation.span));
                }
            }
            _ => {}
        }
        if self.transaction.is_none() {
            self.held.clear();
            self.changed.clear();
        }
    }

    /// The transaction holds a lock until it ends.
    pub fn hold(&mut self, relation: RelationName, mode: LockMode, span: Span) {
        if self.transaction.is_some() {
            self.held.push((relation, mode, span));
        }
    }

    fn transact(&mut self, transaction: Transaction) {
        match transaction {
            Transaction::Begin if self.transaction.is_none() => self.transaction = Some(Opened::ByText),
            Transaction::Commit | Transaction::Rollback | Transaction::Prepare => self.end(),
            Transaction::Begin | Transaction::Savepoint | Transaction::RollbackTo => {}
        }
    }

    fn end(&mut self) {
        self.transaction = None;
        self.held.clear();
        self.changed.clear();
        for (setting, before) in std::mem::take(&mut self.local).into_iter().rev() {
            match setting {
                LocalSetting::LockTimeout => self.lock_timeout = before,
                LocalSetting::StatementTimeout => self.statement_timeout = before,
            }
        }
    }

    fn set(&mut self, set: &Set) {
        // SET LOCAL outside a transaction warns and does nothing (measured on 15).
        if set.local && self.transaction.is_none() {
            return;
        }
        let value = set.value.as_deref().and_then(milliseconds);
        match set.name.as_str() {
            "lock_timeout" => {
                let before = std::mem::replace(&mut self.lock_timeout, value);
                self.remember(set, LocalSetting::LockTimeout, before);
            }
            "statement_timeout" => {
                let before = std::mem::replace(&mut self.statement_timeout, value);
                self.remember(set, LocalSetting::StatementTimeout, before);
            }
            "timezone" => self.time_zone.clone_from(&set.value),
            "all" => (self.lock_timeout, self.statement_timeout) = (None, None),
            _ => {}
        }
    }

    fn remember(&mut self, set: &Set, setting: LocalSetting, before: Option<u64>) {
        if set.local {
            self.local.push((setting, before));
        }
    }
}

/// A time as settings spell it, in milliseconds: `500`, `'2s'`, `'1 min'`.
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim().trim_matches('\'').trim();
    let digits = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "" | "ms" => 1.0,
        "us" => 0.001,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    Some((number * unit) as u64)
}
