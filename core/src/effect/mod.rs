//! What an operation does on a target: locks per relation, who waits, what is read and written.
//!
//! This is the product's knowledge. Rules, recipes, hints, estimates and strategies only read it. Here stands what an effect is; what each
//! operation has for one is said by the engine (`engine::effect`).

use std::collections::BTreeMap;

use crate::catalog::RelationName;
use crate::dialect::LockMode;

/// Who waits while an operation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Waits {
    /// Nobody who reads or writes, and no other schema change for long.
    #[default]
    Nobody,
    /// Other schema changes, VACUUM.
    SchemaChanges,
    /// Writes.
    Writes,
    /// Reads and writes.
    ReadsAndWrites,
}

impl Waits {
    /// The word in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::SchemaChanges => "schema-changes",
            Self::Writes => "writes",
            Self::ReadsAndWrites => "reads-and-writes",
        }
    }

    /// Who waits for a holder of the lock.
    pub fn of(mode: LockMode) -> Self {
        match mode {
            LockMode::AccessExclusive => Self::ReadsAndWrites,
            LockMode::Exclusive | LockMode::ShareRowExclusive | LockMode::Share => Self::Writes,
            LockMode::ShareUpdateExclusive => Self::SchemaChanges,
            LockMode::RowExclusive | LockMode::RowShare | LockMode::AccessShare => Self::Nobody,
        }
    }
}

/// The kind of work that an operation does under its locks; the time of each goes by rows and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// All rows are read.
    Scan,
    /// An index is built.
    IndexBuild,
    /// All rows are rewritten, with every index.
    Rewrite,
    /// The files are copied as they are.
    FileCopy,
    /// All rows are written once more, one by one: each has two versions for a while.
    Update,
}

impl Work {
    /// The word in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::IndexBuild => "index-build",
            Self::Rewrite => "rewrite",
            Self::FileCopy => "file-copy",
            Self::Update => "update",
        }
    }
}

/// What an operation does on a target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effect {
    /// The strongest lock on each relation that existed before, indexes included.
    pub locks: BTreeMap<RelationName, LockMode>,
    /// Which of the locked relations are indexes.
    pub indexes: Vec<RelationName>,
    /// Who waits.
    pub waits: Waits,
    /// What is read and written, by relation.
    pub work: Vec<(RelationName, Work)>,
    /// The heap is rewritten.
    pub heap_rewrite: bool,
    /// An index that was there is rebuilt.
    pub index_rebuild: bool,
    /// All rows of a relation are read.
    pub full_scan: bool,
    /// What it checks of the rows that are there can be left to a later VALIDATE.
    pub can_validate_later: bool,
    /// The same can be had without blocking reads or writes, with CONCURRENTLY.
    pub has_concurrent_form: bool,
    /// It can run inside a transaction.
    pub transactional: bool,
    /// Why it fails on this target and schema, for tables that hold rows.
    pub fails: Option<String>,
    /// A relation that no migration made: it fails where that was not there before all of them.
    pub missing: Option<String>,
    /// Why it fails where its code comes to a place that a condition leads to.
    pub may_fail: Option<String>,
    /// Whether the statement was understood; else the strongest lock of its kind is assumed.
    pub known: bool,
    /// What was assumed because the catalog does not hold it.
    pub assumed: Vec<String>,
    /// Where the facts come from.
    pub sources: Vec<&'static str>,
}

impl Effect {
    /// The strongest lock on the relation.
    pub fn lock_on(&self, relation: &RelationName) -> Option<LockMode> {
        self.locks.get(relation).copied()
    }

    /// The strongest lock on any table, view or sequence, and on which.
    pub fn strongest(&self) -> Option<(&RelationName, LockMode)> {
        let tables = self.locks.iter().filter(|(name, _)| !self.indexes.contains(name));
        tables.max_by_key(|(_, mode)| **mode).map(|(name, mode)| (name, *mode))
    }

    /// The longest kind of work.
    pub fn heaviest_work(&self) -> Option<Work> {
        self.work.iter().map(|(_, work)| *work).max()
    }

    /// The relations that are fully read, built or written, with each kind of work once.
    pub fn works_on(&self, relation: &RelationName) -> bool {
        self.work.iter().any(|(name, _)| name == relation)
    }

    /// Takes over what another operation of the same statement does.
    pub(crate) fn merge(&mut self, other: Self) {
        for (relation, mode) in other.locks {
            let held = self.locks.entry(relation).or_insert(mode);
            *held = (*held).max(mode);
        }
        self.indexes.extend(other.indexes);
        self.indexes.sort();
        self.indexes.dedup();
        self.waits = self.waits.max(other.waits);
        self.work.extend(other.work);
        self.work.sort();
        self.work.dedup();
        self.heap_rewrite |= other.heap_rewrite;
        self.index_rebuild |= other.index_rebuild;
        self.full_scan |= other.full_scan;
        self.can_validate_later |= other.can_validate_later;
        self.has_concurrent_form |= other.has_concurrent_form;
        self.transactional &= other.transactional;
        self.fails = self.fails.take().or(other.fails);
        self.missing = self.missing.take().or(other.missing);
        self.may_fail = self.may_fail.take().or(other.may_fail);
        self.known &= other.known;
        self.assumed.extend(other.assumed);
        self.sources.extend(other.sources);
        self.sources.dedup();
    }
}

/// What a change of type loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Values are rounded or cut silently.
    Silent,
    /// The statement fails on the first value that does not fit.
    Error,
}
