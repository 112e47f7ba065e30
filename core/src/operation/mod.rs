//! Typed, engine-neutral schema and data changes with their spans.
//!
//! A statement becomes one operation, an `ALTER TABLE` one for each of its subcommands. How each engine
//! reads and spells them, and what they do there, is the business of `engine`.

mod bound;
mod data;
mod expression;
mod object;
mod relations;
mod renaming;
mod routine;
pub(crate) mod sources;
mod spelling;
mod subparser;
mod table;
mod types;

pub use bound::Bound;
pub use data::{Body, Copy, Delete, Insert, Merge, Query, Set, Transaction, Update};
pub use expression::{ColumnWord, Expression, QueryText};
pub use object::{
    AlterDomain, AlterObject, AlterSequence, AlterType, AttributeChange, Comment, CreateDomain,
    CreateSequence, CreateStatistics, CreateType, CreateView, DefaultPrivileges, DomainAction, Drop, Grant,
    Lock, Maintain, Maintenance, ObjectAction, ObjectKind, OnTable, Place, Publication, PublicationAction,
    Refresh, Reindex, ReindexScope, Truncate, TypeAction, TypeShape,
};
pub use routine::{CreateFunction, CreateTrigger, ROUTINE_CLAUSES, Signature, Volatility};
pub(crate) use spelling::{spelled, spelled_words};
pub use table::{
    AlterTable, Column, Constraint, ConstraintKind, CreateIndex, CreateTable, ForeignKey, Generated,
    Identity, IndexKey, Like, PartitionBound, PartitionBy, RelationWord, TableAction, TriggerState,
};
pub use types::TypeName;
pub(crate) use types::canonical as canonical_type;

use crate::dialect::Name;
use crate::text::Span;

/// One schema or data change.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What it does.
    pub kind: Kind,
    /// Its text: the statement, or the subcommand of an `ALTER TABLE`.
    pub span: Span,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A new table.
    CreateTable(Box<CreateTable>),
    /// One subcommand on a table, index, view or sequence.
    AlterTable(Box<AlterTable>),
    /// A new index.
    CreateIndex(Box<CreateIndex>),
    /// Rebuilt indexes.
    Reindex(Reindex),
    /// Objects that go.
    Drop(Drop),
    /// A rename, move or new owner of something that is no relation, and any other ALTER of such objects.
    AlterObject(AlterObject),
    /// A new or replaced view, materialized or not.
    CreateView(Box<CreateView>),
    /// A materialized view filled again.
    Refresh(Refresh),
    /// A new type.
    CreateType(CreateType),
    /// A changed type.
    AlterType(AlterType),
    /// A new domain.
    CreateDomain(Box<CreateDomain>),
    /// A changed domain.
    AlterDomain(Box<AlterDomain>),
    /// A new sequence.
    CreateSequence(CreateSequence),
    /// A changed sequence.
    AlterSequence(AlterSequence),
    /// A new or replaced function or procedure.
    CreateFunction(Box<CreateFunction>),
    /// A new or replaced trigger.
    CreateTrigger(Box<CreateTrigger>),
    /// A new policy.
    CreatePolicy(OnTable),
    /// A changed policy.
    AlterPolicy(OnTable),
    /// A renamed trigger or rule.
    AlterOnTable(OnTable),
    /// A new rule.
    CreateRule(OnTable),
    /// A new schema.
    CreateSchema(Name),
    /// A new extension.
    CreateExtension(Name),
    /// A new or changed publication.
    Publication(Publication),
    /// New extended statistics.
    CreateStatistics(CreateStatistics),
    /// VACUUM, ANALYZE, CLUSTER, REPACK.
    Maintain(Maintain),
    /// An explicit lock.
    Lock(Lock),
    /// Emptied tables.
    Truncate(Truncate),
    /// A comment on an object.
    Comment(Comment),
    /// GRANT and REVOKE.
    Grant(Box<Grant>),
    /// What objects made later are granted.
    DefaultPrivileges(Box<DefaultPrivileges>),
    /// A session setting.
    Set(Set),
    /// BEGIN, COMMIT and their like.
    Transaction(Transaction),
    /// New rows.
    Insert(Box<Insert>),
    /// Changed rows.
    Update(Box<Update>),
    /// Deleted rows.
    Delete(Box<Delete>),
    /// Merged rows.
    Merge(Box<Merge>),
    /// Bulk copy in or out.
    Copy(Copy),
    /// A plain query.
    Query(Query),
    /// An anonymous block of code.
    Do(Body),
    /// Understood, and of no consequence for any relation that exists; the words say what it is.
    Other(String),
    /// Nobody could read it.
    Unknown(Unknown),
}

/// A statement or subcommand that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Its first words, as keywords.
    pub head: String,
    /// Why it could not be read.
    pub reason: String,
    /// The relation that it most likely concerns.
    pub relation: Option<Name>,
}

impl Operation {
    /// The table, index or view that the operation is on, where there is one.
    pub fn relation(&self) -> Option<&Name> {
        self.kind.relation()
    }

    /// Whether it changes rows rather than the schema.
    pub fn changes_rows(&self) -> bool {
        self.kind.changes_rows()
    }
}

impl Kind {
    /// The table, index or view that it is on, where there is one.
    pub fn relation(&self) -> Option<&Name> {
        match self {
            Self::CreateTable(it) => Some(&it.name),
            Self::AlterTable(it) => Some(&it.table),
            Self::CreateIndex(it) => Some(&it.table),
            Self::CreateView(it) => Some(&it.name),
            Self::Refresh(it) => Some(&it.view),
            Self::CreateTrigger(it) => Some(&it.table),
            Self::CreatePolicy(it)
            | Self::AlterPolicy(it)
            | Self::AlterOnTable(it)
            | Self::CreateRule(it) => Some(&it.table),
            Self::Insert(it) => Some(&it.table),
            Self::Update(it) => Some(&it.table),
            Self::Delete(it) => Some(&it.table),
            Self::Merge(it) => Some(&it.table),
            Self::Copy(it) => it.table.as_ref(),
            Self::Drop(it) => it.on_table.as_ref().or(it.names.first()),
            Self::Lock(it) => it.tables.first(),
            Self::Truncate(it) => it.tables.first(),
            Self::Maintain(it) => it.tables.first(),
            Self::CreateStatistics(it) => it.table.as_ref(),
            Self::Unknown(it) => it.relation.as_ref(),
            _ => None,
        }
    }

    /// Whether it changes rows rather than the schema.
    pub fn changes_rows(&self) -> bool {
        match self {
            Self::Insert(_) | Self::Update(_) | Self::Delete(_) | Self::Merge(_) => true,
            Self::Copy(copy) => copy.into_table,
            _ => false,
        }
    }
}
