//! What a recipe is written for.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, RelationName, Table};
use crate::check::{Part, check};
use crate::dialect::{Dialect, Name, Target, quote};
use crate::framework::Transaction;
use crate::operation::lower::lower;
use crate::operation::{ConstraintKind, Kind, ObjectKind, Operation, RelationWord, TableAction};
use crate::plan::SqlStep;
use crate::statement::Script;
use crate::text::Span;

use super::Refusal;

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
pub(super) static NO_ANSWERS: Answers = Answers::new();

/// How long a statement of ours waits for its lock.
pub(super) const LOCK_TIMEOUT: &str = "2s";

/// How long it waits for a second table, or row, while it holds a first. Below the server's `deadlock_timeout` of a second: who uses the
/// two the other way round waits for it, and is not the one that is ended (seen on 18: a join beside a dropped foreign key).
pub(super) const SECOND_LOCK_TIMEOUT: &str = "500ms";

impl<'a> Scene<'a> {
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
    pub fn statement_of(&self, operation: &Operation) -> String {
        alone(operation, self.text)
    }

    /// The way back from an operation that only adds.
    pub fn inverse(&self, operation: &Operation) -> Option<String> {
        inverse(operation, self.text)
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

    /// Whether a rule finds something in a statement of ours here.
    pub fn finds(&self, sql: &str, rule: &str) -> bool {
        let (span, transaction) = (Span::new(0, sql.len()), Transaction::Autocommit);
        let checked = check(Part { text: sql, span, transaction }, self.target, self.catalog);
        checked.hazards.iter().any(|it| it.rule == rule)
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

    /// Another name in the schema of a relation, as SQL.
    pub fn sibling(&self, relation: &RelationName, name: &str) -> String {
        self.sql(&RelationName { schema: relation.schema.clone(), name: name.into() })
    }

    /// A migration in one transaction, whose statements give up rather than wait for their locks.
    pub fn in_transaction(
        &self,
        name: impl Into<String>,
        title: impl Into<String>,
        up: &[String],
        down: &[String],
    ) -> SqlStep {
        step(name, title, with_timeout(up), with_timeout(down))
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
        up: &[String],
        down: &[String],
    ) -> SqlStep {
        let (mut there, mut back) = (self.lasting(up), self.lasting(down));
        if there.all && back.all {
            // The name of a constraint does not tell the other table, but the words of it do.
            let both: Vec<RelationName> = there.tables.iter().chain(&back.tables).cloned().collect();
            (there, back) = (Lasting::of(&both), Lasting::of(&both));
        }
        let side = |lasting: &Lasting, statements: &[String]| {
            let tables: Vec<String> = lasting.tables.iter().map(|it| self.sql(it)).collect();
            let wait = match tables.is_empty() {
                true => String::new(),
                false => format!(
                    "SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';\nLOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE;\n",
                    tables.join(", ")
                ),
            };
            format!("{wait}SET LOCAL lock_timeout = '{SECOND_LOCK_TIMEOUT}';\n{}", joined(statements))
        };
        step(name, title, side(&there, up), side(&back, down))
    }

    /// The tables that statements lock and that are there before them.
    fn lasting(&self, statements: &[String]) -> Lasting {
        let text = joined(statements);
        let script = Script::read(&text, self.dialect());
        let operations: Vec<Operation> =
            script.statements.iter().flat_map(|statement| lower(&script, statement)).collect();
        let (mut named, mut made, mut all) = (Vec::new(), Vec::new(), true);
        for operation in &operations {
            match &operation.kind {
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
    pub fn alone(&self, name: impl Into<String>, title: impl Into<String>, up: &str, down: &str) -> SqlStep {
        let both = step(name, title, format!("{up};\n"), format!("{down};\n"));
        SqlStep { transactional: false, ..both }
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

/// A migration in one transaction.
fn step(name: impl Into<String>, title: impl Into<String>, up: String, down: String) -> SqlStep {
    SqlStep { name: name.into(), title: title.into(), up, down: Some(down), transactional: true, job: None }
}

/// Statements in a transaction that gives up rather than wait for its locks.
pub(super) fn with_timeout(statements: &[String]) -> String {
    format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';\n{}", joined(statements))
}

/// Statements, and comments between them, one behind the other.
pub(super) fn joined(statements: &[String]) -> String {
    let end = |it: &str| if it.starts_with("--") { "\n" } else { ";\n" };
    statements.iter().flat_map(|it| [it, end(it)]).collect()
}

/// A subcommand of an ALTER TABLE as a statement of its own; any other operation as it stands in `text`.
pub fn alone(operation: &Operation, text: &str) -> String {
    let own = operation.span.of(text).trim().trim_end_matches(';').trim_end();
    let Kind::AlterTable(alter) = &operation.kind else { return own.to_owned() };
    let whole = own.split_whitespace().take(2).map(str::to_lowercase).eq(["alter", "table"]);
    if whole { own.to_owned() } else { format!("ALTER TABLE {} {own}", alter.table.span.of(text)) }
}

/// The way back from an operation that only adds; `None` where none is known.
pub fn inverse(operation: &Operation, text: &str) -> Option<String> {
    match &operation.kind {
        Kind::CreateTable(create) => Some(format!("DROP TABLE {}", create.name.span.of(text))),
        Kind::CreateIndex(index) => {
            let concurrently = if index.concurrently { "CONCURRENTLY " } else { "" };
            Some(format!("DROP INDEX {concurrently}{}", index.name.as_ref()?.span.of(text)))
        }
        Kind::CreateView(view) if !view.or_replace => Some(format!("DROP VIEW {}", view.name.span.of(text))),
        Kind::AlterTable(alter) => {
            let table = alter.table.span.of(text);
            let action = match &alter.action {
                TableAction::AddColumn { column, .. } => format!("DROP COLUMN {}", column.name.span.of(text)),
                TableAction::AddConstraint { constraint } => {
                    format!("DROP CONSTRAINT {}", constraint.name.as_ref()?.span.of(text))
                }
                _ => return None,
            };
            Some(format!("ALTER TABLE {table} {action}"))
        }
        _ => None,
    }
}

/// A name made of parts, cut to what the server keeps.
pub(super) fn name_of(parts: &[&str]) -> String {
    let mut name = parts.join("_");
    while name.len() > 63 {
        name.pop();
    }
    name
}
