//! What a recipe is written for.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, RelationName, Table};
use crate::dialect::{Dialect, LockMode, Name, Target, Unnamed, quote};
use crate::engine::lower::lower;
use crate::engine::{self, Capability, Count, Engine};
use crate::operation::{ConstraintKind, Kind, ObjectKind, Operation, RelationWord, TableAction};
use crate::plan::{SqlStep, Statement, Written};
use crate::statement::Script;

use super::Refusal;
use super::inverse::inverse;
use super::make::{self, On};

/// Where an operation stands: the text, the target and the schema before it.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The whole text that spans are places in.
    pub text: &'a str,
    /// The way back as the developer wrote it: SQL of a text of its own, empty where there is none.
    pub back: &'a str,
    /// The engine, version and settings.
    pub target: &'a Target,
    /// The schema before the operation.
    pub catalog: &'a Catalog,
    /// Rows of one batch of a backfill.
    pub batch_rows: u64,
    /// Lag of a replica at which a backfill pauses.
    pub pause_lag_seconds: u64,
    /// Lag of all replicas at which it goes on.
    pub resume_lag_seconds: u64,
    /// What the developer answered.
    pub answers: &'a Answers,
}

/// What the developer answered, by the question's id.
pub type Answers = BTreeMap<String, String>;

/// Where nobody answered anything.
pub(crate) static NO_ANSWERS: Answers = Answers::new();

/// How long a statement of ours waits for its lock.
pub(super) const LOCK_TIMEOUT: &str = "2s";

/// How long it waits for a second table, or row, while it holds a first. Below the server's `deadlock_timeout` of a second: who uses the
/// two the other way round waits for it, and is not the one that is ended (seen on 18: a join beside a dropped foreign key).
pub(crate) const SECOND_LOCK_TIMEOUT: &str = "500ms";

impl<'a> Scene<'a> {
    /// What the developer's own way back does.
    pub fn operations_back(&self) -> Vec<Operation> {
        let script = Script::read(self.back, self.dialect());
        script.statements.iter().flat_map(|it| lower(&script, it)).collect()
    }

    /// What is needed to read what a migration means.
    pub fn reading(text: &'a str, target: &'a Target, catalog: &'a Catalog) -> Self {
        Self {
            text,
            back: "",
            target,
            catalog,
            batch_rows: 0,
            pause_lag_seconds: 0,
            resume_lag_seconds: 0,
            answers: &NO_ANSWERS,
        }
    }

    /// The engine.
    pub fn dialect(&self) -> Dialect {
        self.target.dialect
    }

    /// The full name of a relation.
    pub fn resolve(&self, name: &Name) -> RelationName {
        self.catalog.resolve(name)
    }

    /// A name as SQL.
    pub fn sql(&self, name: &RelationName) -> String {
        name.sql(self.dialect())
    }

    /// An identifier as SQL.
    pub fn quote(&self, identifier: &str) -> String {
        quote(identifier, self.dialect())
    }

    /// Identifiers as SQL, with commas between.
    pub fn list<'b>(&self, identifiers: impl IntoIterator<Item = &'b str>) -> String {
        let quoted: Vec<String> = identifiers.into_iter().map(|it| self.quote(it)).collect();
        quoted.join(", ")
    }

    /// An operation as a statement of its own: a subcommand of an ALTER TABLE with its head.
    pub fn statement_of(&self, operation: &Operation) -> Statement {
        let written = Statement::from(Written {
            text: alone(operation, self.text),
            operations: vec![operation.clone()],
        });
        match inverse(operation, self.catalog) {
            Some(inverse) => written.undone_by(inverse),
            None => written,
        }
    }

    /// The name that the server gives to the constraint that an operation adds to a table.
    pub fn name_of_constraint(&self, operation: &Operation, table: &RelationName) -> Option<String> {
        let mut after = self.catalog.clone();
        after.apply(operation);
        let before = self.catalog.table(table)?;
        let added =
            after.table(table)?.constraints.iter().find(|it| before.constraint(&it.name).is_none())?;
        Some(added.name.clone())
    }

    /// The table, which must be known.
    pub fn table(&self, name: &RelationName) -> Result<&'a Table, Refusal> {
        let shown = name.display(self.dialect());
        let unknown = || {
            Refusal::new(format!(
                "nothing is known of the table {shown}: put the migration into its folder, or give the schema, so that \
                 its columns, indexes and constraints can be carried over"
            ))
        };
        let table = self.catalog.table(name).ok_or_else(unknown)?;
        if self.catalog.relation(name).is_some_and(|it| it.uncertain) {
            return Err(Refusal::new(format!(
                "an earlier statement about {shown} could not be read, so what hangs on it is not certain"
            )));
        }
        Ok(table)
    }

    /// The name of a relation as statements say it.
    pub fn name(&self, relation: &RelationName) -> Name {
        make::name(relation, self.dialect())
    }

    /// Another name in the schema of a relation.
    pub fn sibling(&self, relation: &RelationName, name: &str) -> Name {
        self.name(&RelationName { schema: relation.schema.clone(), name: name.into() })
    }

    /// A sequence goes on where another one stands.
    pub fn go_on(&self, sequence: &Name, stands: &Name) -> Statement {
        make::query(self.engine().go_on(&sequence.sql(self.dialect()), &stands.sql(self.dialect())))
    }

    /// What differs from one engine to another.
    pub fn engine(&self) -> &'static dyn Engine {
        engine::of(self.dialect())
    }

    /// Whether the target can do something.
    pub fn can(&self, what: Capability) -> bool {
        engine::can(self.target, what)
    }

    /// The engine and the version that brought something: `PostgreSQL 12`.
    pub fn since(&self, what: Capability) -> String {
        engine::since(self.dialect(), what)
    }

    /// A query that counts what must not be there.
    pub fn count(&self, count: &Count<'_>) -> String {
        self.engine().count(count)
    }

    /// The name that the server gives where nobody does.
    pub fn server_name(&self, table: &RelationName, columns: &[&str], of: Unnamed) -> String {
        self.dialect().server_name(&table.name, columns, of)
    }

    /// Statements about a table.
    pub(crate) fn on(&self, table: &RelationName) -> On {
        On::table(table, self.dialect())
    }

    /// A name for something of ours beside a table, which nothing there has. The same parts give the same name.
    pub fn free_name(&self, table: &RelationName, parts: &[&str]) -> String {
        let state = self.catalog.table(table);
        let taken = |name: &str| {
            let relation = RelationName { schema: table.schema.clone(), name: name.into() };
            self.catalog.relation(&relation).is_some()
                || self.catalog.routine(name).is_some()
                || state.is_some_and(|it| {
                    it.constraint(name).is_some()
                        || it.column(name).is_some()
                        || it.triggers.iter().any(|it| it.name == name)
                })
        };
        let plain = name_of(parts);
        let numbered = (2..).map(|number: u32| name_of(&[parts, &[number.to_string().as_str()]].concat()));
        std::iter::once(plain).chain(numbered).find(|it| !taken(it)).unwrap_or_default()
    }

    /// A migration in one transaction, whose statements give up rather than wait for their locks.
    pub fn in_transaction(
        &self,
        name: impl Into<String>,
        title: impl Into<String>,
        up: Vec<Statement>,
        down: Vec<Statement>,
    ) -> SqlStep {
        self.step(name, title, with_timeout(up), Some(with_timeout(down)))
    }

    /// The same, of statements that lock a second table while they hold a first one.
    ///
    /// An autovacuum gives way to who waits for longer than `deadlock_timeout`, which the second wait must not last. So first, under a lock that
    /// holds up no reader and no writer, the tables are waited for as long as that takes (measured on 15: a slow one is never ended by a wait of
    /// 500 ms, and after a second by one of 2 s).
    pub fn on_two_tables(
        &self,
        name: impl Into<String>,
        title: impl Into<String>,
        up: Vec<Statement>,
        down: Vec<Statement>,
    ) -> SqlStep {
        let (mut there, mut back) = (self.lasting(&up), self.lasting(&down));
        if there.all && back.all {
            // The name of a constraint does not tell the other table, but the words of it do.
            let both: Vec<RelationName> = there.tables.iter().chain(&back.tables).cloned().collect();
            (there, back) = (Lasting::of(&both), Lasting::of(&both));
        }
        let side = |lasting: &Lasting, statements: Vec<Statement>| {
            let tables: Vec<Name> = lasting.tables.iter().map(|it| self.name(it)).collect();
            let wait = match tables.is_empty() {
                true => Vec::new(),
                false => vec![lock_timeout(LOCK_TIMEOUT), make::lock(tables, LockMode::ShareUpdateExclusive)],
            };
            [wait, vec![lock_timeout(SECOND_LOCK_TIMEOUT)], statements].concat()
        };
        self.step(name, title, side(&there, up), Some(side(&back, down)))
    }

    /// The tables that statements lock and that are there before them.
    fn lasting(&self, statements: &[Statement]) -> Lasting {
        let (mut named, mut made, mut all) = (Vec::new(), Vec::new(), true);
        for kind in statements.iter().flat_map(Statement::operations) {
            match kind {
                Kind::Lock(lock) => named.extend(&lock.tables),
                Kind::CreateTrigger(trigger) => named.push(&trigger.table),
                Kind::Drop(drop) if drop.object == ObjectKind::Table => {
                    named.extend(&drop.names);
                    all = false;
                }
                Kind::Drop(drop) => named.extend(&drop.on_table),
                Kind::CreateTable(create) => {
                    made.push(self.resolve(&create.name));
                    all = false;
                }
                Kind::AlterTable(alter) if alter.relation == RelationWord::Table => {
                    named.push(&alter.table);
                    match &alter.action {
                        TableAction::AddConstraint { constraint } => {
                            if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                                named.push(&key.references);
                            }
                        }
                        TableAction::RenameTo { to } => {
                            made.push(self.resolve(&alter.table.sibling(&to.name)));
                            all = false;
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        let named = named.into_iter().map(|it| self.resolve(it)).filter(|it| !made.contains(it));
        Lasting { all, ..Lasting::of(&named.collect::<Vec<_>>()) }
    }

    /// A migration of one statement each way that must run outside a transaction.
    pub fn alone(
        &self,
        name: impl Into<String>,
        title: impl Into<String>,
        up: Statement,
        down: Option<Statement>,
    ) -> SqlStep {
        let both = self.step(name, title, vec![up], down.map(|it| vec![it]));
        SqlStep { transactional: false, ..both }
    }

    /// An index that is built without blocking writes, in a migration of its own, and goes in the same way.
    pub fn built(&self, name: impl Into<String>, title: impl Into<String>, index: Statement) -> SqlStep {
        let down = index.inverse.as_deref().cloned();
        self.alone(name, title, index, down)
    }

    /// A migration in one transaction, as it is.
    pub fn step(
        &self,
        name: impl Into<String>,
        title: impl Into<String>,
        up: Vec<Statement>,
        down: Option<Vec<Statement>>,
    ) -> SqlStep {
        let (name, title, dialect) = (name.into(), title.into(), self.dialect());
        SqlStep { name, title, up, down, transactional: true, dialect }
    }
}

/// Tables that stand before the statements of a step.
struct Lasting {
    /// Each once, in the order in which they are locked.
    tables: Vec<RelationName>,
    /// Whether the same tables stand behind them.
    all: bool,
}

impl Lasting {
    fn of(tables: &[RelationName]) -> Self {
        let mut once: Vec<RelationName> = Vec::new();
        for table in tables {
            if !once.contains(table) {
                once.push(table.clone());
            }
        }
        Self { tables: once, all: true }
    }
}

fn lock_timeout(timeout: &str) -> Statement {
    make::set_local("lock_timeout", timeout)
}

/// Statements in a transaction that gives up rather than wait for its locks.
pub fn with_timeout(statements: Vec<Statement>) -> Vec<Statement> {
    std::iter::once(lock_timeout(LOCK_TIMEOUT)).chain(statements).collect()
}

/// A subcommand of an ALTER TABLE as a statement of its own; any other operation as it stands in `text`.
pub fn alone(operation: &Operation, text: &str) -> String {
    let own = operation.span.of(text).trim().trim_end_matches(';').trim_end();
    let Kind::AlterTable(alter) = &operation.kind else { return own.to_owned() };
    let whole = own.split_whitespace().take(2).map(str::to_lowercase).eq(["alter", "table"]);
    if whole { own.to_owned() } else { format!("ALTER TABLE {} {own}", alter.table.span.of(text)) }
}

/// A name made of parts, no longer than the server keeps. Two that differ stay different: what is cut leaves its mark.
pub(crate) fn name_of(parts: &[&str]) -> String {
    let name = parts.join("_");
    // A name is made before anybody asks which engine it is for, so the shortest of all holds.
    let longest = Dialect::ANALYSED.iter().filter_map(|it| it.naming().longest).min();
    let Some(longest) = longest.filter(|it| *it < name.len()) else { return name };
    // FNV-1a: the same for ever, which names in files must be.
    let mark =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mut kept = longest.saturating_sub(9);
    while !name.is_char_boundary(kept) {
        kept -= 1;
    }
    format!("{}_{mark:08x}", &name[..kept])
}

/// Whether an operation has nothing to do with any of these relations and types.
pub(crate) fn stands_apart(operation: &Operation, used: &[Name], scene: &Scene<'_>) -> bool {
    let Some(own) = operation.relations(scene.dialect()) else { return false };
    let resolved = |name: &Name| scene.resolve(name);
    own.iter()
        .chain(&operation.column_types())
        .all(|name| used.iter().all(|it| resolved(it) != resolved(name)))
}
