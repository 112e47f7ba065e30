//! A table rebuilt under its name, filled from what it was: what such a migration says.
//!
//! It is read in the order in which it is written, with the names that both tables have at each place. The statements that make the new table are
//! spelled as if it stood beside the old one, under its interim name.

use crate::catalog::{Catalog, Demand, RelationName};
use crate::dialect::Name;
use crate::operation::{
    AlterSequence, AlterTable, Constraint, ConstraintKind, CreateTable, Drop, Insert, Kind, ObjectKind,
    Operation, RelationWord, TableAction,
};
use crate::plan::{Statement, Written};
use crate::text::{Edit, Span, apply_within};

use super::copied::Copied;
use super::make::{self, On};
use super::scene::Scene;
use super::scene::stands_apart;
use super::twin;

/// A new table, what fills it, and what becomes of the old one.
pub(crate) struct Rebuilt {
    /// The places of the operations that it is made of.
    pub members: Vec<usize>,
    /// The name that the old table has before, and the new one after.
    pub table: RelationName,
    /// The name that the new one has until then.
    pub interim: RelationName,
    /// The name that the old one gets, where the migration gives it one.
    pub aside: Option<RelationName>,
    /// Whether the old one goes.
    pub dropped: bool,
    /// Whether what hangs on it goes with it.
    pub cascades: bool,
    /// The statements that make the new one, with its partitions and indexes.
    pub make: Vec<Statement>,
    /// What fills it, where that could be read.
    pub copied: Option<Copied>,
    /// Statements about names and sequences, each with its way back: those that name the new table as it is called before the exchange.
    pub before: Vec<(Statement, Statement)>,
    /// Those that follow the exchange.
    pub after: Vec<(Statement, Statement)>,
    /// The columns that the new table's statement lists, where the interim name is ours: the server names their parts after it.
    pub listed: Vec<String>,
    /// Whether the new table is partitioned.
    pub partitioned: bool,
    /// A statement between, which means something else.
    pub foreign: Option<Span>,
    /// The schema as the migration itself leaves it.
    pub end: Catalog,
}

impl Rebuilt {
    /// Reads the migration that begins with these operations; `None` where they mean something else.
    pub fn of(operations: &[&Operation], scene: &Scene<'_>) -> Option<Self> {
        let (table, interim) = begins(operations, scene)?;
        let attached = operations.iter().filter_map(|it| match &it.kind {
            Kind::AlterTable(alter) => match &alter.action {
                TableAction::AttachPartition { partition, .. } => Some(scene.resolve(partition)),
                _ => None,
            },
            _ => None,
        });
        let mut reader = Reader {
            scene,
            catalog: scene.catalog.clone(),
            attached: attached.collect(),
            old: Some(table.clone()),
            new: None,
            family: Vec::new(),
            filled: false,
            last: None,
            made: Vec::new(),
            rebuilt: Self {
                members: Vec::new(),
                table,
                interim,
                aside: None,
                dropped: false,
                cascades: false,
                make: Vec::new(),
                copied: None,
                before: Vec::new(),
                after: Vec::new(),
                listed: Vec::new(),
                partitioned: false,
                foreign: None,
                end: scene.catalog.clone(),
            },
        };
        for (at, operation) in operations.iter().enumerate() {
            if reader.read(at, operation) {
                reader.rebuilt.members.push(at);
            }
            reader.catalog.apply(operation);
            if reader.old.is_none() && reader.is_done() {
                break;
            }
        }
        reader.end(operations)
    }
}

/// The table that is made rebuilt, and the interim name of its successor.
fn begins(operations: &[&Operation], scene: &Scene<'_>) -> Option<(RelationName, RelationName)> {
    let filled = |name: &RelationName| {
        operations.iter().find_map(|it| match &it.kind {
            Kind::Insert(insert) if scene.resolve(&insert.table) == *name => {
                let read = insert.query.as_ref()?.relations(scene.dialect());
                <[Name; 1]>::try_from(read).ok().map(|[source]| scene.resolve(&source))
            }
            _ => None,
        })
    };
    match &operations.first()?.kind {
        Kind::CreateTable(create) if is_plain(create) => {
            let interim = scene.resolve(&create.name);
            let table = filled(&interim)?;
            (table != interim).then_some((table, interim))
        }
        Kind::AlterTable(alter) => {
            let TableAction::RenameTo { to } = &alter.action else { return None };
            let table = scene.resolve(&alter.table);
            scene.catalog.table(&table)?;
            let source = filled(&table)?;
            let interim = twin::name(&table);
            (*source.name == *to.name).then_some((table, interim))
        }
        _ => None,
    }
}

fn is_plain(create: &CreateTable) -> bool {
    !create.temporary
        && !create.if_not_exists
        && create.query.is_none()
        && create.partition_of.is_none()
        && create.inherits.is_empty()
}

/// Where the reading is.
struct Reader<'a> {
    scene: &'a Scene<'a>,
    /// The schema before the operation at hand.
    catalog: Catalog,
    /// Tables that become partitions later on.
    attached: Vec<RelationName>,
    /// What the old table is called here; `None` once it is gone.
    old: Option<RelationName>,
    /// What the new one is called here; `None` while there is none.
    new: Option<RelationName>,
    /// Its partitions.
    family: Vec<RelationName>,
    /// Whether rows have come over.
    filled: bool,
    /// The place of the last operation that the change needs.
    last: Option<usize>,
    /// The statements that make the new table, with their places.
    made: Vec<(usize, Statement)>,
    rebuilt: Rebuilt,
}

impl Reader<'_> {
    fn resolve(&self, name: &Name) -> RelationName {
        self.catalog.resolve(name)
    }

    /// The new table has its name, the old one has not, and rows have come over.
    fn is_done(&self) -> bool {
        self.new.as_ref() == Some(&self.rebuilt.table) && self.old.as_ref() != Some(&self.rebuilt.table)
    }

    fn end(mut self, operations: &[&Operation]) -> Option<Rebuilt> {
        let last = self.last.filter(|_| self.filled && self.is_done())?;
        let mut rebuilt = self.rebuilt;
        rebuilt.members.retain(|at| *at <= last);
        self.made.retain(|(at, _)| *at <= last);
        rebuilt.make = self.made.into_iter().map(|(_, sql)| sql).collect();
        let dialect = self.scene.dialect();
        let used: Vec<Name> =
            rebuilt.members.iter().filter_map(|at| operations[*at].relations(dialect)).flatten().collect();
        let between: Vec<usize> = (0..last).filter(|at| !rebuilt.members.contains(at)).collect();
        for at in between {
            if !stands_apart(operations[at], &used, self.scene) {
                rebuilt.foreign = rebuilt.foreign.or(Some(operations[at].span));
                rebuilt.members.push(at);
            }
        }
        rebuilt.members.sort_unstable();
        rebuilt.members.iter().for_each(|at| rebuilt.end.apply(operations[*at]));
        Some(rebuilt)
    }

    /// Whether the operation is a part of the change.
    fn read(&mut self, at: usize, operation: &Operation) -> bool {
        match &operation.kind {
            Kind::CreateTable(create) => self.creates(create) && self.makes(at, operation),
            Kind::CreateIndex(index) => self.is_new(&self.resolve(&index.table)) && self.makes(at, operation),
            Kind::Grant(grant) => {
                let tables: Vec<RelationName> = grant.tables.iter().map(|it| self.resolve(it)).collect();
                !tables.is_empty() && tables.iter().all(|it| self.is_new(it)) && self.makes(at, operation)
            }
            Kind::Comment(comment) => self.is_new(&self.resolve(&comment.name)) && self.makes(at, operation),
            Kind::AlterTable(alter) => self.alters(at, alter, operation),
            Kind::AlterSequence(alter) => self.owns(alter, operation),
            Kind::Insert(insert) => self.fills(at, insert),
            Kind::Drop(drop) => self.drops(at, drop),
            // What the plan does itself.
            Kind::Query(query) => {
                let dialect = self.scene.dialect();
                let read = query.query.relations(dialect);
                query.query.calls(dialect, |function| function == "setval")
                    && read
                        .iter()
                        .any(|it| self.is_new(&self.resolve(it)) || Some(self.resolve(it)) == self.old)
            }
            Kind::Lock(lock) => lock
                .tables
                .iter()
                .all(|it| self.is_new(&self.resolve(it)) || Some(self.resolve(it)) == self.old),
            _ => false,
        }
    }

    fn fills(&mut self, at: usize, insert: &Insert) -> bool {
        if self.filled || Some(self.resolve(&insert.table)) != self.new {
            return false;
        }
        let then = Scene { catalog: &self.catalog, ..*self.scene };
        let copied = Copied::of(insert, &then).filter(|it| Some(&it.table) == self.old.as_ref());
        (self.filled, self.last, self.rebuilt.copied) = (true, Some(at), copied);
        true
    }

    fn drops(&mut self, at: usize, drop: &Drop) -> bool {
        let gone: Vec<RelationName> = drop.names.iter().map(|it| self.resolve(it)).collect();
        let drops = drop.object == ObjectKind::Table
            && self.filled
            && self.old.is_some()
            && gone.as_slice() == self.old.as_slice();
        if drops {
            (self.old, self.last) = (None, Some(at));
            (self.rebuilt.dropped, self.rebuilt.cascades) = (true, drop.cascade);
        }
        drops
    }

    fn is_new(&self, name: &RelationName) -> bool {
        self.new.as_ref() == Some(name) || self.family.contains(name)
    }

    /// Takes a table that belongs to the new one, or is it.
    fn creates(&mut self, create: &CreateTable) -> bool {
        let name = self.resolve(&create.name);
        let free = self.old.as_ref() != Some(&name);
        let expected = [&self.rebuilt.interim, &self.rebuilt.table].contains(&&name);
        if self.new.is_none() && free && expected && is_plain(create) {
            self.rebuilt.partitioned = create.partition_by.is_some();
            if name == self.rebuilt.table {
                self.rebuilt.listed = create.columns.iter().map(|it| it.name.name.clone()).collect();
            }
            self.new = Some(name);
            return true;
        }
        let parent = create.partition_of.as_ref().map(|(parent, _)| self.resolve(parent));
        let belongs = parent.is_some_and(|it| self.is_new(&it)) || self.attached.contains(&name);
        if belongs {
            self.family.push(name);
        }
        belongs
    }

    fn alters(&mut self, at: usize, alter: &AlterTable, operation: &Operation) -> bool {
        let target = self.resolve(&alter.table);
        let TableAction::RenameTo { to } = &alter.action else {
            return self.is_new(&target) && self.makes(at, operation);
        };
        let renamed = RelationName { schema: target.schema.clone(), name: to.name.as_str().into() };
        if self.new.as_ref() == Some(&target) {
            (self.new, self.last) = (Some(renamed), Some(at));
            return true;
        }
        if self.old.as_ref() == Some(&target) {
            self.rebuilt.aside = Some(renamed.clone());
            (self.old, self.last) = (Some(renamed), Some(at));
            return true;
        }
        let part = self
            .catalog
            .index(&target)
            .is_some_and(|(table, _)| self.is_new(table) || self.old.as_ref() == Some(table));
        if part {
            let word = |from: &RelationName, to: &RelationName| {
                On { name: self.scene.name(from), word: RelationWord::Index }.rename(&to.name)
            };
            let both = (word(&target, &renamed), word(&renamed, &target));
            self.adjusts(both);
        }
        part
    }

    /// `OWNED BY` the new table, or by none.
    fn owns(&mut self, alter: &AlterSequence, operation: &Operation) -> bool {
        let name = self.resolve(&alter.name);
        let Some(old) = self.scene.catalog.table(&self.rebuilt.table) else { return false };
        let Some(column) = old.columns.iter().find(|it| it.sequence.as_ref() == Some(&name)) else {
            return false;
        };
        let others = alter.ty.is_some() || alter.restarts || alter.rewrites;
        let goes_over = match &alter.owned_by {
            Some((table, _)) => Some(self.resolve(table)) == self.new,
            None => true,
        };
        if others || !goes_over {
            return false;
        }
        let owner = Some((self.scene.name(&self.rebuilt.table), column.name.as_str()));
        let back = make::own_sequence(self.scene.name(&name), None, owner);
        self.adjusts((self.scene.statement_of(operation), back));
        true
    }

    /// Something that is done when the names are exchanged.
    fn adjusts(&mut self, both: (Statement, Statement)) {
        match self.new.as_ref() == Some(&self.rebuilt.table) {
            true => self.rebuilt.after.push(both),
            false => self.rebuilt.before.push(both),
        }
    }

    /// Takes a statement that makes the new table, with the names that both have before.
    fn makes(&mut self, at: usize, operation: &Operation) -> bool {
        let mut edits = Vec::new();
        let named = operation.relations(self.scene.dialect()).unwrap_or_default();
        for name in named.into_iter().filter(|it| !it.span.is_empty()) {
            let resolved = self.resolve(&name);
            let own: &RelationName = if Some(&resolved) == self.new.as_ref() {
                &self.rebuilt.interim
            } else if Some(&resolved) == self.old.as_ref() {
                &self.rebuilt.table
            } else {
                continue;
            };
            if *own != resolved {
                edits.push(Edit::replace(name.span, self.scene.sql(own)));
            }
        }
        if let Kind::CreateTable(create) = &operation.kind {
            edits.extend(self.key_names(create, operation));
        }
        let words = spelled(operation, &edits, self.scene.text);
        self.made.push((at, Written::read(words, self.scene.dialect()).into()));
        true
    }

    /// Foreign keys without a name get the one that the migration itself would give them: their copies on partitions are called the same.
    fn key_names(&self, create: &CreateTable, operation: &Operation) -> Vec<Edit> {
        let mut after = self.catalog.clone();
        after.apply(operation);
        let Some(state) = after.table(&after.resolve(&create.name)) else { return Vec::new() };
        let is_key = |it: &&Constraint| matches!(it.kind, ConstraintKind::ForeignKey(_));
        let stated =
            create.columns.iter().flat_map(|it| &it.constraints).chain(&create.constraints).filter(is_key);
        let known = state.constraints.iter().filter(|it| matches!(it.demand, Demand::ForeignKey { .. }));
        let unnamed = stated.zip(known).filter(|(it, _)| it.name.is_none());
        unnamed
            .map(|(it, known)| {
                Edit::insert(it.span.start, format!("CONSTRAINT {} ", self.scene.quote(&known.name)))
            })
            .collect()
    }
}

/// A statement of its own with the edits in its words.
fn spelled(operation: &Operation, edits: &[Edit], text: &str) -> String {
    let words = |span: Span| apply_within(text, span, edits).unwrap_or_else(|_| span.of(text).to_owned());
    let own = words(operation.span);
    let own = own.trim().trim_end_matches(';').trim_end();
    match &operation.kind {
        Kind::AlterTable(alter) if !operation.span.contains(alter.table.span) => {
            format!("ALTER TABLE {} {own}", words(alter.table.span))
        }
        _ => own.to_owned(),
    }
}
