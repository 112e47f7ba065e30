//! Objects beside tables, and what can be done to them.

use crate::dialect::{Ident, LockMode, Name};
use crate::text::Span;

use super::{Constraint, Expression, QueryText, TypeName};

/// What kind of object a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum ObjectKind {
    Table,
    Index,
    View,
    MaterializedView,
    Sequence,
    ForeignTable,
    Type,
    Domain,
    Function,
    Procedure,
    Routine,
    Aggregate,
    Trigger,
    Rule,
    Policy,
    Schema,
    Extension,
    Publication,
    Subscription,
    Statistics,
    Constraint,
    Column,
    Database,
    /// Roles, casts, operators, servers: nothing that lives in a table.
    Else,
}

impl ObjectKind {
    /// The words of SQL for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Sequence => "sequence",
            Self::ForeignTable => "foreign table",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Routine => "routine",
            Self::Aggregate => "aggregate",
            Self::Trigger => "trigger",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::Schema => "schema",
            Self::Extension => "extension",
            Self::Publication => "publication",
            Self::Subscription => "subscription",
            Self::Statistics => "statistics",
            Self::Constraint => "constraint",
            Self::Column => "column",
            Self::Database => "database",
            Self::Else => "object",
        }
    }
}

/// Objects that go.
#[derive(Debug, Clone, PartialEq)]
pub struct Drop {
    /// What they are.
    pub object: ObjectKind,
    /// Their names.
    pub names: Vec<Name>,
    /// The types of the arguments of each, where they are stated.
    pub takes: Vec<Option<Vec<TypeName>>>,
    /// The table of a trigger, rule or policy.
    pub on_table: Option<Name>,
    /// Without stopping readers and writers (indexes).
    pub concurrently: bool,
    /// They may be missing.
    pub if_exists: bool,
    /// What depends on them goes too.
    pub cascade: bool,
    /// The arguments of a function, where one is dropped.
    pub arguments: Option<String>,
    /// The word that names the kind of object, for edits.
    pub keyword: Span,
}

/// A changed object that is no relation.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterObject {
    /// What it is.
    pub object: ObjectKind,
    /// Its name.
    pub name: Name,
    /// The arguments of a function.
    pub arguments: Option<String>,
    /// The types of a routine's arguments, where they are stated.
    pub takes: Option<Vec<TypeName>>,
    /// What is done.
    pub action: ObjectAction,
}

/// What is done to an object that is no relation.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectAction {
    /// It has a new name.
    RenameTo(Ident),
    /// It moves to another schema.
    SetSchema(Ident),
    /// It has another owner.
    Owner(String),
    /// An extension in another version.
    Update,
    /// Something else, in the words of the statement.
    Else(String),
}

/// Rebuilt indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct Reindex {
    /// Of what.
    pub scope: ReindexScope,
    /// The index, table, schema or database.
    pub name: Option<Name>,
    /// Beside readers and writers.
    pub concurrently: bool,
    /// With an option in parentheses that came with 14: CONCURRENTLY, TABLESPACE.
    pub newer_form: bool,
    /// The word that names the scope, for edits.
    pub keyword: Span,
}

/// What a REINDEX is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ReindexScope {
    Index,
    Table,
    Schema,
    Database,
    System,
}

/// A new or replaced view.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    /// Its name.
    pub name: Name,
    /// It may be there already and is replaced.
    pub or_replace: bool,
    /// It may be there already and stays.
    pub if_not_exists: bool,
    /// Seen by its own session only.
    pub temporary: bool,
    /// Rows are stored.
    pub materialized: bool,
    /// The stored rows are made now.
    pub with_data: bool,
    /// The names of its columns, where stated.
    pub columns: Vec<Ident>,
    /// What stands between its name and `AS`: columns, options.
    pub head: String,
    /// Its options.
    pub options: Vec<(String, Option<String>)>,
    /// Its query.
    pub query: QueryText,
}

impl CreateView {
    /// The names of its columns, where the query says them all; what is stated goes for the first of them.
    pub fn shows(&self, dialect: crate::dialect::Dialect) -> Option<Vec<String>> {
        let mut names = self.query.shows(dialect)?;
        for (name, stated) in names.iter_mut().zip(&self.columns) {
            *name = Some(stated.name.clone());
        }
        names.into_iter().collect()
    }
}

/// A materialized view filled again.
#[derive(Debug, Clone, PartialEq)]
pub struct Refresh {
    /// The view.
    pub view: Name,
    /// Beside readers.
    pub concurrently: bool,
    /// With data, or emptied.
    pub with_data: bool,
    /// The word `VIEW`, for edits.
    pub keyword: Span,
}

/// A new type.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateType {
    /// Its name.
    pub name: Name,
    /// What it is made of.
    pub shape: TypeShape,
    /// Everything behind its name.
    pub definition: Expression,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeShape {
    /// The labels of an enum.
    Enum(Vec<String>),
    /// The attributes of a composite type.
    Composite(Vec<(String, TypeName)>),
    /// A range or base type.
    Else,
}

/// A changed type.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterType {
    /// Its name.
    pub name: Name,
    /// What is done.
    pub action: TypeAction,
}

/// What is done to a type.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeAction {
    /// A new label of an enum.
    AddValue {
        /// The label.
        value: String,
        /// It may be there already.
        if_not_exists: bool,
        /// Its place among the others, where one is stated; else it is the last.
        place: Option<Place>,
    },
    /// A label with a new name.
    RenameValue {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// An attribute of a composite type is added, dropped, changed or renamed.
    Attribute {
        /// The attribute and its new type, where that changes.
        retyped: Option<(String, TypeName)>,
        /// What depends on it follows.
        cascade: bool,
        /// What is done to each.
        changes: Vec<AttributeChange>,
    },
}

/// What is done to an attribute of a composite type.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum AttributeChange {
    Add { name: String, ty: TypeName },
    Drop { name: String },
    Retype { name: String, ty: TypeName },
    Rename { name: String, to: String },
}

/// The place of a new label of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Just before this label.
    Before(String),
    /// Just behind this label.
    After(String),
}

/// A new domain.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateDomain {
    /// Its name.
    pub name: Name,
    /// The type below.
    pub base: TypeName,
    /// Its default.
    pub default: Option<Expression>,
    /// Its collation, where one is stated.
    pub collation: Option<Name>,
    /// Whether it refuses NULL.
    pub not_null: bool,
    /// Its checks.
    pub checks: Vec<Constraint>,
}

/// A changed domain.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterDomain {
    /// Its name.
    pub name: Name,
    /// What is done.
    pub action: DomainAction,
}

/// What is done to a domain.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum DomainAction {
    SetDefault(Expression),
    DropDefault,
    SetNotNull,
    DropNotNull,
    AddConstraint(Box<Constraint>),
    DropConstraint(Ident),
    ValidateConstraint(Ident),
    RenameConstraint { name: Ident, to: Ident },
    RenameTo(Ident),
    SetSchema(Ident),
    Owner(String),
}

/// A new sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateSequence {
    /// Its name.
    pub name: Name,
    /// It may be there already.
    pub if_not_exists: bool,
    /// The type of its values, where stated.
    pub ty: Option<TypeName>,
    /// The column that it belongs to.
    pub owned_by: Option<(Name, Ident)>,
    /// Seen by its own session only.
    pub temporary: bool,
    /// How it counts: each option with its value, `no` where it says that it has none.
    pub options: Vec<(String, String)>,
}

/// A changed sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterSequence {
    /// Its name.
    pub name: Name,
    /// The new type of its values.
    pub ty: Option<TypeName>,
    /// The column that it belongs to from now on.
    pub owned_by: Option<(Name, Ident)>,
    /// It belongs to no column from now on.
    pub disowned: bool,
    /// It starts again, or counts otherwise.
    pub restarts: bool,
    /// The number that it starts again at, or any other option that rewrites it.
    pub rewrites: bool,
    /// How it counts: each option with its value, `no` where it says that it has none.
    pub options: Vec<(String, String)>,
}

/// A policy, rule or trigger by its table.
#[derive(Debug, Clone, PartialEq)]
pub struct OnTable {
    /// Its name.
    pub name: Ident,
    /// What stands between its name and that of the table: the event of a rule.
    pub head: Expression,
    /// Its table.
    pub table: Name,
    /// Everything behind the table's name.
    pub definition: Expression,
}

/// A new or changed publication.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// Its name.
    pub name: Name,
    /// What is done.
    pub action: PublicationAction,
    /// The tables that it is about.
    pub tables: Vec<Name>,
    /// The tables that are left out of all.
    pub except: Vec<Name>,
    /// All tables there are and will be.
    pub all_tables: bool,
}

/// What is done to a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicationAction {
    /// It is new.
    Create,
    /// Tables come in.
    Add,
    /// Tables go out.
    Drop,
    /// It has just these tables.
    Set,
    /// Something else.
    Else,
}

/// New extended statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateStatistics {
    /// Their name, where one is stated.
    pub name: Option<Name>,
    /// The table.
    pub table: Option<Name>,
    /// The columns.
    pub columns: Vec<String>,
    /// The kinds in parentheses and what they are on.
    pub definition: Expression,
}

/// Maintenance of tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Maintain {
    /// What is done.
    pub command: Maintenance,
    /// The tables; none means all.
    pub tables: Vec<Name>,
    /// The index that CLUSTER or REPACK orders by.
    pub index: Option<Ident>,
}

/// What maintenance does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maintenance {
    /// Dead rows are freed in place.
    Vacuum {
        /// Statistics are taken too.
        analyze: bool,
    },
    /// The table is rewritten.
    VacuumFull,
    /// Statistics are taken.
    Analyze,
    /// The table is rewritten in the order of an index.
    Cluster,
    /// REPACK of PostgreSQL 19.
    Repack {
        /// Beside readers and writers.
        concurrently: bool,
    },
}

impl Maintenance {
    /// Whether it can put rows into the order of an index.
    pub fn orders(self) -> bool {
        matches!(self, Self::Cluster | Self::Repack { .. })
    }

    /// Whether it rewrites the table while nobody can use it.
    pub fn shuts_out(self) -> bool {
        matches!(self, Self::VacuumFull | Self::Cluster | Self::Repack { concurrently: false })
    }
}

/// An explicit lock.
#[derive(Debug, Clone, PartialEq)]
pub struct Lock {
    /// The tables.
    pub tables: Vec<Name>,
    /// The mode; ACCESS EXCLUSIVE where none is stated.
    pub mode: LockMode,
    /// Fails rather than waits.
    pub nowait: bool,
}

/// Emptied tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Truncate {
    /// The tables.
    pub tables: Vec<Name>,
    /// Tables that refer to them too.
    pub cascade: bool,
    /// Their sequences start again.
    pub restart_identity: bool,
}

/// A comment on an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// What it is on.
    pub object: ObjectKind,
    /// The object; of a column, constraint or trigger, its table.
    pub name: Name,
    /// The column, constraint, trigger, policy or rule of that table; the check of a domain.
    pub part: Option<String>,
    /// The types of a routine's arguments, where they are stated.
    pub takes: Option<Vec<TypeName>>,
    /// Its text; `None` takes it away.
    pub text: Option<String>,
}

/// GRANT and REVOKE.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// Rights are taken away.
    pub revoke: bool,
    /// The tables or sequences, where it is about such.
    pub tables: Vec<Name>,
    /// What kind of object it is about; `None` where it makes roles members of others.
    pub object: Option<ObjectKind>,
    /// The objects; the types of a routine's arguments stand with it where they are stated.
    pub objects: Vec<(Name, Option<Vec<TypeName>>)>,
    /// The schemas of `ALL … IN SCHEMA`.
    pub schemas: Vec<Ident>,
    /// The privileges in lower case, `all` for every one, each with its columns.
    pub privileges: Vec<(String, Vec<String>)>,
    /// The roles, `public` for all.
    pub roles: Vec<String>,
    /// `WITH GRANT OPTION`; of a REVOKE, that nothing but the option is taken away.
    pub option: bool,
}

/// What objects made later are granted.
#[derive(Debug, Clone, PartialEq)]
pub struct DefaultPrivileges {
    /// The roles whose objects are meant; none means whoever says it.
    pub roles: Vec<String>,
    /// The schemas that are meant; none means all.
    pub schemas: Vec<String>,
    /// What is granted or taken away.
    pub grant: Grant,
}
