//! What a recipe is written for.

use crate::catalog::{Catalog, RelationName, Table};
use crate::dialect::{Dialect, Name, Target, quote};
use crate::operation::Operation;
use crate::plan::SqlStep;

use super::Refusal;

/// Where an operation stands: the text, the target and the schema before it.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The whole text that spans are places in.
    pub text: &'a str,
    /// The engine, version and settings.
    pub target: &'a Target,
    /// The schema before the operation.
    pub catalog: &'a Catalog,
    /// Rows of one batch of a backfill.
    pub batch_rows: u64,
}

/// How long a statement of ours waits for its lock.
const LOCK_TIMEOUT: &str = "2s";

impl<'a> Scene<'a> {
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

    /// The text of an operation, without a semicolon.
    pub fn text_of(&self, operation: &Operation) -> &'a str {
        operation.span.of(self.text).trim().trim_end_matches(';').trim_end()
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
        SqlStep {
            name: name.into(),
            title: title.into(),
            up: with_timeout(up),
            down: Some(with_timeout(down)),
            transactional: true,
        }
    }

    /// A migration of one statement each way that must run outside a transaction.
    pub fn alone(&self, name: impl Into<String>, title: impl Into<String>, up: &str, down: &str) -> SqlStep {
        SqlStep {
            name: name.into(),
            title: title.into(),
            up: format!("{up};\n"),
            down: Some(format!("{down};\n")),
            transactional: false,
        }
    }
}

fn with_timeout(statements: &[String]) -> String {
    let mut sql = format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';\n");
    for statement in statements {
        sql.push_str(statement);
        sql.push_str(if statement.starts_with("--") { "\n" } else { ";\n" });
    }
    sql
}

/// A name made of parts, cut to what the server keeps.
pub(super) fn name_of(parts: &[&str]) -> String {
    let mut name = parts.join("_");
    while name.len() > 63 {
        name.pop();
    }
    name
}
