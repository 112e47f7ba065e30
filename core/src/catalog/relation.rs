//! Relations and types as they are at a point of the history.

use std::collections::{BTreeMap, BTreeSet};

use super::list::List;
use super::{Details, RelationName};
use crate::dialect::Dialect;
use crate::operation::{
    Expression, ForeignKey, Generated, Identity, ObjectKind, PartitionBound, PartitionBy, QueryText,
    Signature, TypeName, Volatility,
};
use crate::statement::{Cursor, Script};

/// A table, index, view or sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// The migration that made it.
    pub born: u32,
    /// A statement that could not be read was about it: what is known may be wrong.
    pub uncertain: bool,
    /// What hangs on it.
    pub details: Details,
    /// What it is.
    pub kind: RelationKind,
}

/// What a relation is.
#[derive(Debug, Clone, PartialEq)]
pub enum RelationKind {
    /// A table, partitioned or not.
    Table(Box<Table>),
    /// An index; its facts stand with its table.
    Index(RelationName),
    /// A view.
    View(Box<View>),
    /// A sequence.
    Sequence(Sequence),
}

/// A table. The indexes of a materialized view stand in one too.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Its columns in order.
    pub columns: List<ColumnState>,
    /// Its constraints.
    pub constraints: List<ConstraintState>,
    /// Its indexes.
    pub indexes: List<Index>,
    /// Its triggers.
    pub triggers: Vec<Trigger>,
    /// Its policies and the columns they name.
    pub policies: Vec<(String, BTreeSet<String>)>,
    /// Its rules.
    pub rules: Vec<String>,
    /// Its extended statistics and their columns.
    pub statistics: Vec<(RelationName, Vec<String>)>,
    /// What hangs on its policies, rules and extended statistics, by name; that of statistics with its schema.
    pub parts: BTreeMap<(ObjectKind, String), Details>,
    /// How it is partitioned.
    pub partition_by: Option<PartitionBy>,
    /// The table that it is a partition of, and its bound.
    pub partition_of: Option<(RelationName, PartitionBound)>,
    /// The tables that it inherits from.
    pub inherits: Vec<RelationName>,
    /// Its partitions and the tables that inherit from it.
    pub children: Vec<RelationName>,
    /// The tables whose foreign keys point at it; one entry for each key.
    pub referenced_by: Vec<RelationName>,
    /// The composite type that it is of.
    pub of_type: Option<RelationName>,
    /// Its columns come from a query, or from a table or type that is not known: there may be others than those.
    pub guessed: bool,
    /// Seen by its own session only.
    pub temporary: bool,
    /// Not written to the log.
    pub unlogged: bool,
    /// Rows have been put into it by the migration at hand.
    pub filled: bool,
    /// Rows of it have been changed or deleted: VACUUM has something to do.
    pub dirty: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnState {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: TypeName,
    /// Whether it refuses NULL.
    pub not_null: bool,
    /// Its default.
    pub default: Option<Expression>,
    /// The type that its default is still a value of, where the column has had another type since.
    pub default_of: Option<RelationName>,
    /// Its generation expression.
    pub generated: Option<Generated>,
    /// Whether it is an identity column.
    pub identity: Option<Identity>,
    /// Its collation, where one is stated.
    pub collation: Option<String>,
    /// The sequence that belongs to it.
    pub sequence: Option<RelationName>,
    /// What hangs on it.
    pub details: Details,
}

/// A constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstraintState {
    /// Its name.
    pub name: String,
    /// What it demands.
    pub demand: Demand,
    /// Whether old rows are known to satisfy it.
    pub valid: bool,
    /// Whether it is checked at all.
    pub enforced: bool,
    /// Whether it may be checked at the end of the transaction.
    pub deferrable: bool,
    /// Whether it is checked there unless a transaction says otherwise.
    pub initially_deferred: bool,
    /// Whether its last column is a period.
    pub temporal: bool,
    /// What hangs on it.
    pub details: Details,
}

/// What a constraint demands.
#[derive(Debug, Clone, PartialEq)]
pub enum Demand {
    /// An expression holds.
    Check(Expression),
    /// A column has a value.
    NotNull(String),
    /// Distinct values; kept by the index of the same name.
    Unique(Vec<String>),
    /// The rows' identity; kept by the index of the same name.
    PrimaryKey(Vec<String>),
    /// Values stand in another table.
    ForeignKey {
        /// The columns on this side.
        columns: Vec<String>,
        /// The other table.
        references: RelationName,
        /// The key as it was written.
        key: Box<ForeignKey>,
    },
    /// No two rows conflict; kept by the index of the same name.
    Exclude(Vec<String>),
}

impl Demand {
    /// Whether an index of the constraint's name belongs to it.
    pub fn has_index(&self) -> bool {
        matches!(self, Self::Unique(_) | Self::PrimaryKey(_) | Self::Exclude(_))
    }
}

/// An index.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Its name.
    pub name: RelationName,
    /// Whether values are distinct.
    pub unique: bool,
    /// Whether it is complete: an interrupted concurrent build leaves it invalid, `ON ONLY` until all are attached.
    pub valid: bool,
    /// Its keys.
    pub keys: Vec<IndexColumn>,
    /// Further columns that it stores.
    pub include: Vec<String>,
    /// The rows that it holds.
    pub predicate: Option<Expression>,
    /// Its access method.
    pub method: String,
    /// The indexes of the partitions that belong to it.
    pub children: Vec<RelationName>,
    /// The migration that made it.
    pub born: u32,
}

/// A key of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexColumn {
    /// The column; `None` for an expression.
    pub column: Option<String>,
    /// The key as written.
    pub text: Expression,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The columns after `UPDATE OF`.
    pub columns: Vec<String>,
    /// Whether it fires for every row.
    pub for_each_row: bool,
    /// The function that it calls.
    pub function: Option<String>,
    /// Whether it is a constraint trigger.
    pub constraint: bool,
    /// What it fires for, as written: `BEFORE UPDATE OF a`.
    pub events: String,
    /// Everything behind the table's name, as written.
    pub action: String,
    /// What hangs on it.
    pub details: Details,
}

impl Trigger {
    /// The condition under which it fires, where it has one.
    pub fn condition(&self, dialect: Dialect) -> Option<Expression> {
        let script = Script::read(&self.action, dialect);
        let mut cursor = Cursor::new(&self.action, dialect, &script.tokens);
        cursor.seek(&["when"]).then(|| cursor.next_token())?;
        Some(Expression::new(cursor.group()?.span().of(&self.action)))
    }
}

/// A view, materialized or not.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What stands between its name and `AS`, as written.
    pub head: String,
    /// The names of its columns, where the head or the query says them all.
    pub columns: Option<Vec<String>>,
    /// Its query as written.
    pub query: QueryText,
    /// Whether a column has another name since then, so that the text makes another view, or none.
    pub stale: bool,
    /// Whether rows are stored.
    pub materialized: bool,
    /// Whether rows have been stored.
    pub populated: bool,
    /// What it reads.
    pub depends_on: Vec<Dependence>,
    /// The indexes of a materialized view.
    pub indexes: List<Index>,
    /// Its triggers.
    pub triggers: Vec<Trigger>,
    /// What hangs on its columns.
    pub columns_details: BTreeMap<String, Details>,
    /// What hangs on its rules, by name.
    pub parts: BTreeMap<(ObjectKind, String), Details>,
    /// Whether its text could not be followed through a new name of what it reads.
    pub unclear: bool,
}

/// A relation that a view reads, and the columns of it that it may name; `*` stands for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependence {
    /// The relation.
    pub relation: RelationName,
    /// Its columns, as far as names tell.
    pub columns: BTreeSet<String>,
}

impl Dependence {
    /// Whether the view may read the column.
    pub fn may_read(&self, column: &str) -> bool {
        self.columns.contains(column) || self.columns.contains("*")
    }
}

/// A sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// The type of its values.
    pub ty: TypeName,
    /// The column that it belongs to.
    pub owned_by: Option<(RelationName, String)>,
    /// Whether it belongs to an identity column, and follows its type.
    pub identity: bool,
}

/// A function that the schema made.
#[derive(Debug, Clone, PartialEq)]
pub struct Routine {
    /// Its schema.
    pub schema: std::sync::Arc<str>,
    /// Whether it gives the same answer again.
    pub volatility: Volatility,
    /// How it is called; `None` where that is not known, or where there are several of the name.
    pub signature: Option<Signature>,
    /// Whether it is called by triggers only.
    pub of_triggers: bool,
    /// The migration that made it.
    pub born: u32,
}

/// The whole definition of a function or procedure; there may be several of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Whether it is a procedure.
    pub procedure: bool,
    /// Everything behind its name, as written, with what was altered later behind it.
    pub text: String,
    /// Whether its body stands there without quotes, so that the server reads it when it is made and keeps what it names.
    pub is_parsed: bool,
    /// What hangs on it.
    pub details: Details,
}

impl Definition {
    /// Its body, where the server has read it: `BEGIN ATOMIC …`, or `RETURN …`.
    pub fn parsed_body(&self, dialect: Dialect) -> Option<Expression> {
        if !self.is_parsed {
            return None;
        }
        let script = Script::read(&self.text, dialect);
        let mut cursor = Cursor::new(&self.text, dialect, &script.tokens);
        cursor.seek(&["begin", "return"]).then(|| Expression::new(cursor.rest().span().of(&self.text)))
    }
}

/// A type that the schema made.
#[derive(Debug, Clone, PartialEq)]
pub enum UserType {
    /// An enum and its labels.
    Enum(Vec<String>),
    /// A domain.
    Domain {
        /// The type below.
        base: TypeName,
        /// How many checks it has, with their names, and whether they are valid.
        checks: Vec<(String, bool)>,
        /// Whether it refuses NULL.
        not_null: bool,
        /// Its default.
        default: Option<Expression>,
    },
    /// A composite type.
    Composite(Vec<(String, TypeName)>),
    /// A range or base type.
    Else,
}

impl Table {
    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<&ColumnState> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column with this name, to be changed.
    pub fn column_mut(&mut self, name: &str) -> Option<&mut ColumnState> {
        self.columns.find_mut(|column| column.name == name)
    }

    /// The constraint with this name.
    pub fn constraint(&self, name: &str) -> Option<&ConstraintState> {
        self.constraints.iter().find(|constraint| constraint.name == name)
    }

    /// The index with this name.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| &*index.name.name == name)
    }

    /// The columns of the primary key.
    pub fn primary_key(&self) -> Option<&[String]> {
        self.constraints.iter().find_map(|constraint| match &constraint.demand {
            Demand::PrimaryKey(columns) => Some(columns.as_slice()),
            _ => None,
        })
    }

    /// Whether it is the default partition of its parent.
    pub fn is_default_partition(&self) -> bool {
        matches!(&self.partition_of, Some((_, PartitionBound::Default)))
    }
}
