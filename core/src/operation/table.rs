//! Tables, columns, constraints and indexes, and what can be done to them.

use crate::dialect::{Ident, Name};
use crate::text::Span;

use super::{Expression, QueryText, TypeName};

/// A new table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreateTable {
    /// Its name.
    pub name: Name,
    /// With `IF NOT EXISTS` it may be there already, in another shape.
    pub if_not_exists: bool,
    /// Seen by its own session only.
    pub temporary: bool,
    /// Not written to the log.
    pub unlogged: bool,
    /// The columns that it lists.
    pub columns: Vec<Column>,
    /// The constraints of the table; those of columns stand with their columns.
    pub constraints: Vec<Constraint>,
    /// The tables that it is like.
    pub like: Vec<Like>,
    /// The tables that it inherits from.
    pub inherits: Vec<Name>,
    /// How it is partitioned.
    pub partition_by: Option<PartitionBy>,
    /// The table that it is a partition of, and its bound.
    pub partition_of: Option<(Name, PartitionBound)>,
    /// The composite type that it is of.
    pub of_type: Option<Name>,
    /// The query that fills it.
    pub query: Option<QueryText>,
    /// Whether the query is run, or only read for its shape.
    pub with_data: bool,
    /// Its storage options.
    pub options: Vec<(String, Option<String>)>,
    /// Its access method, where one is stated.
    pub method: Option<String>,
    /// Its tablespace, where one is stated.
    pub tablespace: Option<String>,
    /// Where the list of columns starts, for edits.
    pub body: Span,
}

/// `LIKE other INCLUDING …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    /// The other table.
    pub table: Name,
    /// What is taken over beside columns and NOT NULL, as lower case words: `all`, `indexes`, `constraints` …
    pub including: Vec<String>,
}

/// `PARTITION BY method (columns)`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionBy {
    /// `range`, `list` or `hash`.
    pub method: String,
    /// The columns of the key; expressions are left out.
    pub columns: Vec<String>,
}

/// The bound of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionBound {
    /// `DEFAULT`
    Default,
    /// What stands behind `FOR VALUES`, as written.
    Values(String),
}

/// A column of a new table, or one that is added.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeName,
    /// Whether `NOT NULL` is written; keys and identities imply it.
    pub not_null: bool,
    /// Its default.
    pub default: Option<Expression>,
    /// Its generation expression.
    pub generated: Option<Generated>,
    /// Whether it is an identity column.
    pub identity: Option<Identity>,
    /// Its other constraints.
    pub constraints: Vec<Constraint>,
    /// Its collation, where one is stated.
    pub collation: Option<Name>,
    /// How its values are stored, where that is stated, in lower case.
    pub storage: Option<String>,
    /// How its values are compressed, where that is stated, in lower case.
    pub compression: Option<String>,
    /// How the sequence of an identity column counts.
    pub counts: Vec<(String, String)>,
    /// The whole definition.
    pub span: Span,
}

/// `GENERATED ALWAYS AS (…)`
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The expression.
    pub expression: Expression,
    /// Whether values are stored rather than computed when read.
    pub stored: bool,
}

/// `GENERATED … AS IDENTITY`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Values of the application are refused.
    Always,
    /// Values of the application win.
    ByDefault,
}

/// A constraint of a table or a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// Its name, where one is stated.
    pub name: Option<Ident>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Old rows are not checked.
    pub not_valid: bool,
    /// `NOT ENFORCED` (PostgreSQL 18).
    pub not_enforced: bool,
    /// Checked at the end of the transaction, or may be.
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`: it is checked there unless a transaction says otherwise.
    pub initially_deferred: bool,
    /// The last column is a period: `WITHOUT OVERLAPS`, `PERIOD` (PostgreSQL 18).
    pub temporal: bool,
    /// Not handed down to inheriting tables.
    pub no_inherit: bool,
    /// Further columns that the index of a key stores.
    pub include: Vec<Ident>,
    /// The storage options of the index of a key.
    pub options: Vec<(String, Option<String>)>,
    /// Everything behind the word EXCLUDE.
    pub exclusion: Option<Expression>,
    /// Its whole text.
    pub span: Span,
}

impl Constraint {
    /// A constraint without a name and without a word about when, where and how it holds.
    pub fn of(kind: ConstraintKind) -> Self {
        Self {
            name: None,
            kind,
            not_valid: false,
            not_enforced: false,
            deferrable: false,
            initially_deferred: false,
            temporal: false,
            no_inherit: false,
            include: Vec::new(),
            options: Vec::new(),
            exclusion: None,
            span: Span::default(),
        }
    }
}

/// What a constraint demands.
#[derive(Debug, Clone, PartialEq)]
pub enum ConstraintKind {
    /// An expression holds.
    Check(Expression),
    /// A column has a value; the PostgreSQL 18 form with a name of its own.
    NotNull(Ident),
    /// No two rows have the same values in the columns.
    Unique {
        /// The columns; empty with `using_index`.
        columns: Vec<Ident>,
        /// The index that is made into the constraint.
        using_index: Option<Ident>,
        /// Whether NULLs are the same.
        nulls_not_distinct: bool,
    },
    /// The rows' identity.
    PrimaryKey {
        /// The columns; empty with `using_index`.
        columns: Vec<Ident>,
        /// The index that is made into the constraint.
        using_index: Option<Ident>,
    },
    /// Values stand in another table.
    ForeignKey(ForeignKey),
    /// No two rows conflict under some operators.
    Exclude {
        /// The columns; expressions are left out.
        columns: Vec<Ident>,
    },
}

/// `FOREIGN KEY (…) REFERENCES …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The columns on this side.
    pub columns: Vec<Ident>,
    /// The table on the other side.
    pub references: Name,
    /// The columns there; empty means its primary key.
    pub referenced: Vec<Ident>,
    /// The words behind: `ON DELETE CASCADE` …
    pub actions: String,
}

/// A new index.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreateIndex {
    /// Its name, where one is stated.
    pub name: Option<Name>,
    /// The table.
    pub table: Name,
    /// `ON ONLY`: partitions are left out.
    pub only: bool,
    /// Whether values must be distinct.
    pub unique: bool,
    /// Built without blocking reads or writes.
    pub concurrently: bool,
    /// With `IF NOT EXISTS` an index of that name may be there already, in another shape or invalid.
    pub if_not_exists: bool,
    /// The access method, where one is stated.
    pub method: Option<String>,
    /// What is indexed.
    pub keys: Vec<IndexKey>,
    /// Further columns that are stored.
    pub include: Vec<Ident>,
    /// The rows that are indexed.
    pub predicate: Option<Expression>,
    /// Whether NULLs are the same.
    pub nulls_not_distinct: bool,
    /// Its storage options.
    pub options: Vec<(String, Option<String>)>,
    /// Its tablespace, where one is stated.
    pub tablespace: Option<String>,
    /// The word `INDEX`.
    pub keyword: Span,
    /// Everything behind the table's name, as written; empty where nobody wrote it.
    pub definition: Expression,
}

/// One key of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexKey {
    /// The column, unless it is an expression.
    pub column: Option<Ident>,
    /// Its text, with operator class and order.
    pub text: Expression,
}

/// One subcommand on a relation.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterTable {
    /// The relation.
    pub table: Name,
    /// The word that the statement used for it.
    pub relation: RelationWord,
    /// `ONLY`: inheriting tables are left out.
    pub only: bool,
    /// With `IF EXISTS` it may be missing.
    pub if_exists: bool,
    /// What is done.
    pub action: TableAction,
}

/// The word that a statement uses for a relation; PostgreSQL takes `TABLE` for most others too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationWord {
    /// `ALTER TABLE`
    Table,
    /// `ALTER INDEX`
    Index,
    /// `ALTER VIEW`
    View,
    /// `ALTER MATERIALIZED VIEW`
    MaterializedView,
    /// `ALTER SEQUENCE`
    Sequence,
    /// `ALTER FOREIGN TABLE`
    ForeignTable,
}

/// What is done to a relation.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum TableAction {
    AddColumn { column: Box<Column>, if_not_exists: bool },
    DropColumn { column: Ident, if_exists: bool, cascade: bool },
    AlterType { column: Ident, ty: TypeName, using: Option<Expression>, collation: Option<Name> },
    SetDefault { column: Ident, default: Expression },
    DropDefault { column: Ident },
    SetNotNull { column: Ident },
    DropNotNull { column: Ident },
    SetExpression { column: Ident, expression: Expression },
    DropExpression { column: Ident, if_exists: bool },
    AddIdentity { column: Ident, identity: Identity, counts: Vec<(String, String)> },
    AlterIdentity { column: Ident, identity: Option<Identity>, counts: Vec<(String, String)> },
    DropIdentity { column: Ident },
    SetStatistics { column: Option<Ident>, target: String },
    SetStorage { column: Ident, storage: String },
    SetCompression { column: Ident, method: String },
    SetColumnOptions { column: Ident, options: Vec<(String, Option<String>)> },
    AddConstraint { constraint: Box<Constraint> },
    AlterConstraint { name: Ident, enforced: Option<bool>, timing: Option<(bool, bool)>, inherit: bool },
    ValidateConstraint { name: Ident },
    DropConstraint { name: Ident, if_exists: bool, cascade: bool },
    Trigger { name: Option<Ident>, state: TriggerState },
    Rule { name: Ident, state: TriggerState },
    RowSecurity { enabled: bool },
    ForceRowSecurity { forced: bool },
    ClusterOn { index: Ident },
    SetWithoutCluster,
    SetWithoutOids,
    SetAccessMethod { method: String },
    SetTablespace { tablespace: String },
    SetLogged { logged: bool },
    SetOptions { names: Vec<String>, options: Vec<(String, Option<String>)> },
    Inherit { parent: Name },
    NoInherit { parent: Name },
    OfType { ty: Name },
    NotOf,
    Owner { to: String },
    ReplicaIdentity { index: Option<Ident>, nothing: bool, full: bool },
    RenameColumn { column: Ident, to: Ident },
    RenameConstraint { name: Ident, to: Ident },
    RenameTo { to: Ident },
    SetSchema { schema: Ident },
    AttachPartition { partition: Name, bound: PartitionBound },
    DetachPartition { partition: Name, concurrently: bool, finalize: bool },
    AttachIndex { index: Name },
    DependsOnExtension,
    Unread,
}

/// What happens to triggers with `ENABLE` and `DISABLE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerState {
    /// They fire.
    Enabled,
    /// They fire on replicas too.
    Always,
    /// They fire on replicas only.
    OnReplicas,
    /// They do not fire.
    Disabled,
}
