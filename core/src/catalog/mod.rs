//! What is known of the schema at a point of the history.
//!
//! The catalog is replayed from the migrations, without a database. Its maps are persistent: a copy for every file of
//! a history of thousands costs nothing, so that a keystroke replays one file only. Where a statement could not be
//! read, the relations that it names become uncertain, and nothing is said to be safe because of them.

mod alter;
mod annotate;
mod apply;
pub mod compare;
mod constrain;
mod create;
mod depend;
mod details;
mod drop;
pub(crate) mod filling;
mod gaps;
mod key_names;
mod list;
mod lookup;
mod naming;
mod path;
mod relation;
mod rights;
mod routine;
mod sequence;
mod session;
mod types;

use std::sync::Arc;

use rpds::HashTrieMapSync;

use crate::dialect::{Dialect, Name};
use crate::operation::DefaultPrivileges;

pub(crate) use alter::same_shape;
pub use depend::{Dependent, Thing};
pub use details::{Details, Rights, Setting};
pub(crate) use drop::{names_column, owned_by};
pub use gaps::Gap;
pub use list::List;
pub use path::{Configured, configured, schemas_of};
pub use relation::{
    ColumnState, ConstraintState, Definition, Demand, Dependence, Index, IndexColumn, Relation, RelationKind,
    Routine, Sequence, Table, Trigger, UserType, View,
};
pub use routine::RoutineName;
pub(crate) use session::milliseconds;
pub use session::{AddedValue, MovedColumn, Opened, Session};

/// A map whose copies share all that is the same.
type Map<K, V> = HashTrieMapSync<K, V, foldhash::fast::RandomState>;

/// The full name of a relation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationName {
    /// Its schema.
    pub schema: Arc<str>,
    /// Its name there.
    pub name: Arc<str>,
}

impl RelationName {
    /// The name as the server prints it: without the schema where that is the default one.
    pub fn display(&self, dialect: Dialect) -> String {
        if &*self.schema == dialect.default_schema() || self.schema.is_empty() {
            return self.name.to_string();
        }
        format!("{}.{}", self.schema, self.name)
    }

    /// Whether people call it so: by its name, with or without its schema.
    pub fn is_called(&self, text: &str) -> bool {
        match text.split_once('.') {
            Some((schema, name)) => schema == &*self.schema && name == &*self.name,
            None => text == &*self.name,
        }
    }

    /// The name as SQL.
    pub fn sql(&self, dialect: Dialect) -> String {
        let name = Name::new(&*self.name);
        if &*self.schema == dialect.default_schema() {
            return name.sql(dialect);
        }
        Name::qualified(&*self.schema, &*self.name).sql(dialect)
    }
}

/// What is known of a schema.
#[derive(Debug, Clone)]
pub struct Catalog {
    dialect: Dialect,
    /// The schema of names that state none; `SET search_path` changes it.
    default_schema: Arc<str>,
    /// The time zone that the migration sets for its session.
    time_zone: Option<Arc<str>>,
    /// The schemas behind it in the search path.
    further_schemas: Arc<Vec<Arc<str>>>,
    /// The path outside the transaction that set its own.
    path_outside: Option<path::Path>,
    relations: Map<RelationName, Arc<Relation>>,
    /// The schema of a relation is a placeholder.
    has_placeholders: bool,
    /// Whether a partition that is detached without blocking its users keeps its bound as a check.
    pub(crate) detach_leaves_check: bool,
    /// Names that a relation had and has no more.
    departed: Map<RelationName, ()>,
    /// The views that were made to read a relation; some may read it no more.
    readers: Map<RelationName, Arc<Vec<RelationName>>>,
    /// Tables that had another name, which the names of their constraints still begin with.
    renamed: Arc<Vec<RelationName>>,
    /// The old and new names of types and routines that were renamed or moved.
    new_names: Arc<Vec<(RelationName, RelationName)>>,
    types: Map<RelationName, Arc<UserType>>,
    functions: Map<Arc<str>, Arc<Routine>>,
    definitions: Map<RoutineName, Arc<Definition>>,
    type_details: Map<RelationName, Arc<Details>>,
    schemas: Map<Arc<str>, Arc<Details>>,
    extensions: Map<Arc<str>, ()>,
    /// What objects made from now on are granted.
    default_rights: Arc<Vec<DefaultPrivileges>>,
    publications: Map<Arc<str>, Arc<Vec<RelationName>>>,
    publishes_all: bool,
    migration: u32,
    complete: bool,
}

impl Catalog {
    /// The catalog of a database that nothing is known of: any object may exist.
    pub fn unknown(dialect: Dialect) -> Self {
        Self {
            dialect,
            default_schema: dialect.default_schema().into(),
            time_zone: None,
            further_schemas: Arc::default(),
            path_outside: None,
            relations: Map::default(),
            has_placeholders: false,
            detach_leaves_check: true,
            departed: Map::default(),
            readers: Map::default(),
            renamed: Arc::default(),
            new_names: Arc::default(),
            types: Map::default(),
            functions: Map::default(),
            definitions: Map::default(),
            type_details: Map::default(),
            schemas: Map::default(),
            extensions: Map::default(),
            default_rights: Arc::default(),
            publications: Map::default(),
            publishes_all: false,
            migration: 0,
            complete: false,
        }
    }

    /// The catalog of an empty database: what it does not hold does not exist.
    pub fn empty(dialect: Dialect) -> Self {
        Self { complete: true, ..Self::unknown(dialect) }
    }

    /// Starts a new migration: what exists now has been seen by the running application.
    pub fn start_migration(&mut self) {
        self.migration += 1;
        self.start_session();
    }

    /// Turns back: what the migration made is still new, and the session is another one.
    pub fn start_way_back(&mut self) {
        self.start_session();
    }

    fn start_session(&mut self) {
        self.path_outside = None;
        self.reset_path();
        self.time_zone = None;
    }

    /// The time zone that the migration has set for its session here, where it is a name.
    pub fn time_zone(&self) -> Option<&str> {
        self.time_zone.as_deref()
    }

    /// The engine.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether all of the history was read: what the catalog does not hold does not exist.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Says that parts of the history are missing.
    pub fn mark_incomplete(&mut self) {
        self.complete = false;
    }
}
