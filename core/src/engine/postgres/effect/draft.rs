//! An effect in the making.

use crate::catalog::{Catalog, Relation, RelationKind, RelationName, Session, Table};
use crate::dialect::{LockMode, Name, Target};
use crate::effect::{Effect, Waits, Work};

/// The tables that migration tools make for themselves: no migration does (manuals of the tools).
const RUNNERS_TABLES: &[&str] = &[
    "schema_migrations",
    "goose_db_version",
    "_sqlx_migrations",
    "__diesel_schema_migrations",
    "flyway_schema_history",
    "schema_version",
    "_prisma_migrations",
    "databasechangelog",
    "ar_internal_metadata",
];

/// An effect in the making, with what it depends on.
pub(super) struct Draft<'a> {
    pub target: &'a Target,
    pub catalog: &'a Catalog,
    pub session: &'a Session,
    pub effect: Effect,
    /// Says who waits where the locks alone would say too much: concurrent forms hold the strongest of theirs only
    /// when nobody uses the relation any more.
    pub waits: Option<Waits>,
    /// What the statement drops.
    pub gone: Vec<RelationName>,
}

impl<'a> Draft<'a> {
    pub fn new(target: &'a Target, catalog: &'a Catalog, session: &'a Session) -> Self {
        let effect = Effect { known: true, transactional: true, ..Effect::default() };
        Self { target, catalog, session, effect, waits: None, gone: Vec::new() }
    }

    /// The effect, with what follows from its locks and work.
    pub fn finish(mut self) -> Effect {
        if self.effect.fails.is_some() {
            // The locks go with the error.
            self.effect.locks.clear();
            self.effect.work.clear();
            (self.effect.heap_rewrite, self.effect.index_rebuild, self.effect.full_scan) =
                (false, false, false);
        }
        let strongest = self.effect.locks.values().copied().max();
        let by_locks = strongest.map_or(Waits::Nobody, Waits::of);
        self.effect.waits = self.waits.filter(|_| strongest.is_some()).unwrap_or(by_locks);
        self.effect.work.sort();
        self.effect.work.dedup();
        self.effect.indexes.sort();
        self.effect.indexes.dedup();
        self.effect
    }

    /// Whether the target is at least this major version.
    pub fn since(&self, major: u16) -> bool {
        self.target.version.major >= major
    }

    /// Fails on versions that do not have the form.
    pub fn needs(&mut self, major: u16, form: &str) {
        if !self.since(major) {
            let version = self.target.version.major;
            self.fail(format!("{form} needs PostgreSQL {major}; the target is {version}"));
        }
    }

    pub fn fail(&mut self, reason: impl Into<String>) {
        self.effect.fails.get_or_insert(reason.into());
    }

    pub fn assume(&mut self, what: impl Into<String>) {
        self.effect.assumed.push(what.into());
    }

    pub fn cite(&mut self, source: &'static str) {
        self.effect.sources.push(source);
    }

    pub fn display(&self, relation: &RelationName) -> String {
        relation.display(self.catalog.dialect())
    }

    /// The relation's full name, if it may exist. A relation that is known to be missing fails the statement, or with
    /// `IF EXISTS` makes it do nothing.
    pub fn existing(&mut self, name: &Name, if_exists: bool) -> Option<RelationName> {
        let resolved = self.catalog.resolve(name);
        let by_runner = RUNNERS_TABLES.contains(&&*resolved.name);
        if self.catalog.relation(&resolved).is_some() || !self.catalog.is_complete() || by_runner {
            return Some(resolved);
        }
        if if_exists {
            return None;
        }
        if self.catalog.may_predate(&resolved) {
            self.effect.missing.get_or_insert(self.display(&resolved));
            return Some(resolved);
        }
        let like = self.catalog.likeness(&resolved);
        let like = like.map(|it| format!(", but {}.{} does", it.schema, it.name)).unwrap_or_default();
        self.fail(format!("relation {} does not exist{like}", self.display(&resolved)));
        None
    }

    /// Fails where a name states no schema and the search path has none (3F000, measured on 11, 15 and 18).
    pub fn needs_schema(&mut self, name: &Name) {
        if name.schema.is_none() && self.catalog.resolve_new(name).schema.is_empty() {
            self.fail(format!("the search path is empty: there is no schema to make {name} in"));
        }
    }

    pub fn table(&self, name: &RelationName) -> Option<&'a Table> {
        self.catalog.table(name)
    }

    pub fn relation(&self, name: &RelationName) -> Option<&'a Relation> {
        self.catalog.relation(name)
    }

    pub fn lock(&mut self, relation: &RelationName, mode: LockMode) {
        let held = self.effect.locks.entry(relation.clone()).or_insert(mode);
        *held = (*held).max(mode);
        if matches!(self.relation(relation).map(|it| &it.kind), Some(RelationKind::Index(_))) {
            self.effect.indexes.push(relation.clone());
        }
    }

    pub fn lock_index(&mut self, index: &RelationName, mode: LockMode) {
        self.lock(index, mode);
        self.effect.indexes.push(index.clone());
    }

    pub fn lock_indexes(&mut self, relation: &RelationName, mode: LockMode) {
        for index in self.catalog.indexes(relation) {
            self.lock_index(&index.name, mode);
        }
    }

    /// Opens the indexes as a query does. Those of a partitioned table itself count from 16 on (measured).
    pub fn open_indexes(&mut self, relation: &RelationName, mode: LockMode) {
        if !self.is_partitioned(relation) || self.since(16) {
            self.lock_indexes(relation, mode);
        }
    }

    pub fn is_partitioned(&self, relation: &RelationName) -> bool {
        self.table(relation).is_some_and(|table| table.partition_by.is_some())
    }

    /// The relation, and its partitions where it is partitioned: what a key or index of it is about. Tables that
    /// inherit from it have keys and indexes of their own.
    pub fn partition_tree(&self, relation: &RelationName) -> Vec<RelationName> {
        if self.is_partitioned(relation) { self.tree(relation) } else { vec![relation.clone()] }
    }

    /// The relation and all below it.
    pub fn tree(&self, relation: &RelationName) -> Vec<RelationName> {
        std::iter::once(relation.clone()).chain(self.catalog.descendants(relation)).collect()
    }

    /// Locks the relation and all below it.
    pub fn lock_tree(&mut self, relation: &RelationName, mode: LockMode) {
        for name in self.tree(relation) {
            self.lock(&name, mode);
        }
    }

    /// The tables with rows of their own at or below a relation.
    pub fn leaves(&self, relation: &RelationName) -> Vec<RelationName> {
        let mut tree = self.tree(relation);
        tree.retain(|name| self.has_own_rows(name));
        tree
    }

    /// Whether rows stand in it: in itself, or in partitions that no migration made, which pg_partman and the like do.
    fn has_own_rows(&self, name: &RelationName) -> bool {
        self.table(name).is_none_or(|table| {
            let made_elsewhere = table.children.is_empty() && !self.catalog.is_new(name);
            table.partition_by.is_none() || made_elsewhere
        })
    }

    /// All rows of the relation and those below it are read.
    pub fn scan_tree(&mut self, relation: &RelationName) {
        for name in self.leaves(relation) {
            self.scan(&name);
        }
    }

    pub fn scan(&mut self, relation: &RelationName) {
        if matches!(self.relation(relation).map(|it| &it.kind), Some(RelationKind::Sequence(_))) {
            // It has one row.
            return;
        }
        self.effect.full_scan = true;
        self.effect.work.push((relation.clone(), Work::Scan));
    }

    /// Rows of the relation and those below it are written once more.
    pub fn update_tree(&mut self, relation: &RelationName) {
        for name in self.leaves(relation) {
            self.effect.work.push((name, Work::Update));
        }
    }

    /// New indexes are built on the relation and those below it.
    pub fn build_tree(&mut self, relation: &RelationName) {
        let mut leaves = self.partition_tree(relation);
        leaves.retain(|name| self.has_own_rows(name));
        for name in leaves {
            self.effect.full_scan = true;
            self.effect.work.push((name, Work::IndexBuild));
        }
    }

    /// An index of the relation is rebuilt.
    pub fn rebuild(&mut self, relation: &RelationName) {
        self.effect.index_rebuild = true;
        self.effect.full_scan = true;
        self.effect.work.push((relation.clone(), Work::IndexBuild));
    }

    /// All rows of the relation and those below it are rewritten, with all indexes.
    pub fn rewrite_tree(&mut self, relation: &RelationName) {
        for name in self.leaves(relation) {
            self.rewrite(&name);
        }
    }

    pub fn rewrite(&mut self, relation: &RelationName) {
        self.lock_indexes(relation, LockMode::AccessExclusive);
        let indexed = !self.catalog.indexes(relation).is_empty();
        self.effect.heap_rewrite = true;
        self.effect.index_rebuild |= indexed;
        self.effect.full_scan = true;
        self.effect.work.push((relation.clone(), Work::Rewrite));
    }

    /// Rows of `child` are compared with those of `parent`, as a query of the server's own: it opens all indexes.
    pub fn check_key(&mut self, child: &RelationName, parent: &RelationName) {
        for name in self.partition_tree(parent) {
            self.open_indexes(&name, LockMode::AccessShare);
        }
        // From a table without rows nothing is looked up in the other one (measured on 15: no block of it is read).
        let empty = self.catalog.is_new_and_empty(child);
        // This side is read partition by partition.
        for name in self.partition_tree(child).into_iter().chain(self.partition_tree(parent)) {
            if !self.is_partitioned(&name) {
                self.lock_indexes(&name, LockMode::AccessShare);
            }
            if !empty && self.has_own_rows(&name) {
                self.scan(&name);
            }
        }
    }

    /// Rows are read by a query: the relation and all its indexes are opened, a view opens what it reads.
    pub fn read(&mut self, relation: &RelationName, mode: LockMode) {
        let mut open = vec![relation.clone()];
        let mut done: Vec<RelationName> = Vec::new();
        // Views can be replaced until they read each other.
        while let Some(relation) = open.pop() {
            if done.contains(&relation) {
                continue;
            }
            for name in self.tree(&relation) {
                self.lock(&name, mode);
                self.open_indexes(&name, if self.since(12) { mode } else { LockMode::AccessShare });
            }
            if let Some(view) = self.catalog.view(&relation).filter(|view| !view.materialized) {
                open.extend(view.depends_on.iter().map(|it| it.relation.clone()));
            }
            done.push(relation);
        }
    }
}
