//! What is known of the session and its open transaction while a migration runs.

use std::collections::BTreeMap;

use super::{Catalog, Configured, RelationName, UserType, configured, schemas_of};
use crate::dialect::{LockMode, Name};
use crate::operation::{
    AlterTable, AlterType, Kind, ObjectKind, Operation, Set, TableAction, Transaction, TypeAction, TypeName,
};
use crate::text::Span;

/// Who opened the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// The runner, around the file.
    ByRunner,
    /// A BEGIN in the text.
    ByText,
    /// Nobody: the statements are sent in one string, and the server takes those between two COMMITs together.
    BySending,
}

/// A session: its settings and its open transaction.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Who opened the transaction that is open, if one is.
    pub transaction: Option<Opened>,
    /// The BEGIN in the text that opened it.
    pub began: Option<Span>,
    /// `lock_timeout` in milliseconds where something set it; 0 waits for ever.
    pub lock_timeout: Option<u64>,
    /// `statement_timeout` in milliseconds where something set it.
    pub statement_timeout: Option<u64>,
    /// `TimeZone` where something set it.
    pub time_zone: Option<String>,
    /// The locks that the open transaction took on relations that existed before, without indexes, and by which text.
    pub held: Vec<(RelationName, LockMode, Span)>,
    /// The strongest of them on each relation.
    strongest: BTreeMap<RelationName, LockMode>,
    /// The tables whose rows the open transaction changed.
    pub changed: Vec<(RelationName, Span)>,
    /// The columns that the migration dropped.
    pub dropped_columns: Vec<MovedColumn>,
    /// The columns that the migration added.
    pub added_columns: Vec<MovedColumn>,
    /// The columns that the migration gave values to.
    pub filled_columns: Vec<(RelationName, String)>,
    /// The indexes that the migration dropped, whether they were there or not.
    pub dropped_indexes: Vec<Name>,
    /// The values that the open transaction added to enums.
    pub added_values: Vec<AddedValue>,
    /// The types that the open transaction made.
    pub made_types: Vec<RelationName>,
    /// The types that the migration made: no release can name them yet.
    pub new_types: Vec<RelationName>,
    /// `SET CONSTRAINTS ALL IMMEDIATE` has been said in the open transaction.
    pub checks_immediately: bool,
    /// The text that left the search path without a schema, for as long as the session lasts.
    pub emptied_path: Option<Span>,
    sent_together: bool,
    /// Settings that end with the transaction.
    local: Vec<(LocalSetting, Option<u64>)>,
}

/// A value that the open transaction added to an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedValue {
    /// The value.
    pub value: String,
    /// Whether the same transaction made the type.
    pub of_new_type: bool,
}

/// A column that came or went.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedColumn {
    /// Its table.
    pub table: RelationName,
    /// Its name.
    pub column: String,
    /// Its type.
    pub ty: TypeName,
}

impl MovedColumn {
    /// Whether a column of this type in this table could be the same under another name.
    pub fn is_like(&self, table: &RelationName, ty: &TypeName) -> bool {
        self.table == *table && self.ty.is_same(ty)
    }
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

    /// The session of a file whose statements are sent in one string.
    pub fn sent_together() -> Self {
        Self { transaction: Some(Opened::BySending), sent_together: true, ..Self::default() }
    }

    /// Takes over what an operation did to the session. Locks are added by [`Session::hold`].
    pub fn apply(&mut self, operation: &Operation, catalog: &Catalog) {
        match &operation.kind {
            Kind::Set(set) => self.set(set, operation.span),
            Kind::Query(query) => {
                if let Some(Configured::To(set)) = configured(&query.query, catalog.dialect()) {
                    self.set(&set, operation.span);
                }
            }
            Kind::Transaction(transaction) => {
                if *transaction == Transaction::Begin && self.may_begin() {
                    self.began = Some(operation.span);
                }
                self.transact(*transaction);
            }
            Kind::AlterTable(alter) => {
                self.note_columns(alter, catalog);
                self.note_name(alter, catalog);
            }
            Kind::AlterType(alter) => self.note_value(alter, catalog),
            Kind::CreateType(create) => self.note_type(catalog.resolve(&create.name)),
            Kind::CreateDomain(create) => self.note_type(catalog.resolve(&create.name)),
            Kind::Drop(drop) if drop.object == ObjectKind::Index => {
                self.dropped_indexes.extend(drop.names.iter().cloned());
            }
            _ if operation.changes_rows() && self.transaction.is_some() => {
                if let Some(table) = operation.relation() {
                    self.changed.push((catalog.resolve(table), operation.span));
                }
            }
            _ => {}
        }
        if let Kind::Update(update) = &operation.kind {
            let table = catalog.resolve(&update.table);
            let columns = update.columns.iter().map(|column| (table.clone(), column.name.clone()));
            self.filled_columns.extend(columns);
        }
        if self.transaction.is_none() {
            self.forget_transaction();
        }
    }

    fn note_type(&mut self, name: RelationName) {
        self.made_types.push(name.clone());
        self.new_types.push(name);
    }

    /// Whether BEGIN opens a transaction: it makes one of what is only sent together.
    fn may_begin(&self) -> bool {
        matches!(self.transaction, None | Some(Opened::BySending))
    }

    /// A block of code that stood in no transaction has ended.
    pub(crate) fn end_block(&mut self) {
        self.forget_transaction();
    }

    fn forget_transaction(&mut self) {
        self.held.clear();
        self.strongest.clear();
        self.changed.clear();
        self.added_values.clear();
        self.made_types.clear();
        self.checks_immediately = false;
    }

    fn note_columns(&mut self, alter: &AlterTable, catalog: &Catalog) {
        let table = catalog.resolve(&alter.table);
        match &alter.action {
            TableAction::AddColumn { column, .. } => {
                let (column, ty) = (column.name.name.clone(), column.ty.clone());
                self.added_columns.push(MovedColumn { table, column, ty });
            }
            TableAction::DropColumn { column, .. } => {
                let state = catalog.table(&table).and_then(|it| it.column(&column.name));
                let moved = state.map(|state| MovedColumn {
                    table,
                    column: state.name.clone(),
                    ty: state.ty.clone(),
                });
                self.dropped_columns.extend(moved);
            }
            _ => {}
        }
    }

    /// What is locked stays locked under its new name.
    fn note_name(&mut self, alter: &AlterTable, catalog: &Catalog) {
        let from = catalog.resolve(&alter.table);
        let to = match &alter.action {
            TableAction::RenameTo { to } => RelationName { name: to.name.as_str().into(), ..from.clone() },
            TableAction::SetSchema { schema } => {
                RelationName { schema: schema.name.as_str().into(), ..from.clone() }
            }
            _ => return,
        };
        for (held, ..) in self.held.iter_mut().filter(|(held, ..)| *held == from) {
            *held = to.clone();
        }
        if let Some(mode) = self.strongest.remove(&from) {
            self.strongest.insert(to, mode);
        }
    }

    fn note_value(&mut self, alter: &AlterType, catalog: &Catalog) {
        let TypeAction::AddValue { value, .. } = &alter.action else { return };
        // Known labels are there already: IF NOT EXISTS does nothing.
        let known = match catalog.type_named(&alter.name) {
            Some(UserType::Enum(labels)) => labels.contains(value),
            _ => false,
        };
        if !known {
            let of_new_type = self.made_types.contains(&catalog.resolve(&alter.name));
            self.added_values.push(AddedValue { value: value.clone(), of_new_type });
        }
    }

    /// The transaction holds a lock until it ends.
    pub fn hold(&mut self, relation: RelationName, mode: LockMode, span: Span) {
        if self.transaction.is_none() || self.strongest.get(&relation).is_some_and(|held| *held >= mode) {
            return;
        }
        self.strongest.insert(relation.clone(), mode);
        self.held.push((relation, mode, span));
    }

    fn transact(&mut self, transaction: Transaction) {
        match transaction {
            Transaction::Begin if self.may_begin() => self.transaction = Some(Opened::ByText),
            Transaction::Commit | Transaction::Rollback | Transaction::Prepare => self.end(),
            Transaction::Begin | Transaction::Savepoint | Transaction::RollbackTo => {}
        }
    }

    fn end(&mut self) {
        (self.transaction, self.began) = (self.sent_together.then_some(Opened::BySending), None);
        self.forget_transaction();
        for (setting, before) in std::mem::take(&mut self.local).into_iter().rev() {
            match setting {
                LocalSetting::LockTimeout => self.lock_timeout = before,
                LocalSetting::StatementTimeout => self.statement_timeout = before,
            }
        }
    }

    fn set(&mut self, set: &Set, span: Span) {
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
            "constraints" => {
                let value = set.value.as_deref().unwrap_or("");
                self.checks_immediately = value.starts_with("all") && value.ends_with("immediate");
            }
            "timezone" => self.time_zone.clone_from(&set.value),
            "all" => (self.lock_timeout, self.statement_timeout, self.emptied_path) = (None, None, None),
            "search_path" if !set.local => {
                let value = set.value.as_deref().filter(|it| !it.contains("$user"));
                self.emptied_path = value.is_some_and(|it| schemas_of(it).is_empty()).then_some(span);
            }
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
