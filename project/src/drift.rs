//! What a server has otherwise than its migrations make it: it says its schema in statements, which are replayed as the migrations are.

use std::collections::BTreeSet;

use lockkeeper_core::catalog::compare::{Aspect, Difference, Object, Order, compare};
use lockkeeper_core::catalog::{Catalog, RelationKind, RelationName};
use lockkeeper_core::check::{self, Part};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::engine::{self, Watch};
use lockkeeper_core::framework::{Framework, Memory, Transaction};
use lockkeeper_core::text::Span;

use crate::analysis::History;
use crate::database::{Database, DatabaseError};
use crate::discover::Project;
use crate::folder::{Folder, Migration};
use crate::pending::{self, PendingError};

/// What was compared, and what differs.
#[derive(Debug)]
pub struct Drift {
    /// The differences: what the server has, and what the migrations make.
    pub differences: Vec<Difference>,
    /// How many migrations the server has not run yet; `None` where nothing there says which, so that all count as run.
    pub pending: Option<usize>,
    /// Whether the history makes all that there is: else what only the server has may be older, and is no difference.
    pub complete: bool,
}

/// Compares a server with the migrations that it has run.
///
/// # Errors
/// [`DatabaseError`], in words.
pub fn drift(project: &Project, folder: &Folder, database: &Database) -> Result<Drift, DatabaseError> {
    let applied = match pending::applied(database, folder.framework) {
        Ok(applied) => Some(applied),
        Err(PendingError::NotRecorded(_)) => None,
        Err(PendingError::Unasked(error)) => return Err(error),
    };
    let has_run = |it: &Migration| {
        applied.as_ref().is_none_or(|applied| pending::has_run(folder.framework, it, applied))
    };
    let (target, replayed) = History::of_some(project, folder, has_run);
    let server = of_statements(&schema(database)?, &target);
    let mut differences = compare(&server, &replayed, Order::Ignored);
    let complete = replayed.is_complete();
    let told = parts_of_one_sided(&differences, [&server, &replayed]);
    differences.retain(|it| {
        let is_known = complete || it.theirs.is_some();
        counts(it) && is_known && !is_of_runner(it, folder.framework) && !told.contains(&it.object)
    });
    let pending = applied.is_some().then(|| folder.migrations.iter().filter(|it| !has_run(it)).count());
    Ok(Drift { differences, pending, complete })
}

/// What belongs to tables that only one side has: that the table is missing says it all.
fn parts_of_one_sided(differences: &[Difference], catalogs: [&Catalog; 2]) -> BTreeSet<Object> {
    let whole = |it: &&Difference| it.aspect == Aspect::Existence && it.object.kind == "table";
    let tables: BTreeSet<&str> = differences.iter().filter(whole).map(|it| it.object.name.as_str()).collect();
    let is_index_of = |it: &Object| {
        catalogs
            .iter()
            .filter_map(|catalog| table_of(catalog, &it.name))
            .any(|it| tables.contains(it.as_str()))
    };
    let is_part = |it: &&Object| match it.kind {
        "column" => it.name.rsplit_once('.').is_some_and(|(table, _)| tables.contains(table)),
        "index" => is_index_of(it),
        _ => it.name.split_once(" of ").is_some_and(|(_, table)| tables.contains(table)),
    };
    differences.iter().map(|it| &it.object).filter(is_part).cloned().collect()
}

/// The table that an index is on.
fn table_of(catalog: &Catalog, index: &str) -> Option<String> {
    let dialect = catalog.dialect();
    let (schema, name) = index.split_once('.').unwrap_or((dialect.default_schema(), index));
    match &catalog.relation(&RelationName { schema: schema.into(), name: name.into() })?.kind {
        RelationKind::Index(table) => Some(table.display(dialect).to_string()),
        _ => None,
    }
}

/// The statements that make a server's schema again.
fn schema(database: &Database) -> Result<Vec<String>, DatabaseError> {
    let watched = engine::of(Dialect::Postgres).watch(&Watch::Schema, Version { major: 0, minor: 0 });
    watched.map_or_else(|| Ok(Vec::new()), |query| database.column(&query))
}

fn of_statements(statements: &[String], target: &Target) -> Catalog {
    let text = statements.join(";\n");
    let mut catalog = Catalog::empty(target.dialect);
    let span = Span::new(0, text.len());
    check::replay(Part { text: &text, span, transaction: Transaction::Autocommit }, target, &mut catalog);
    catalog
}

/// Whether a difference is one of the schema. A server prints expressions in words of its own: of those only counts that there is one.
fn counts(it: &Difference) -> bool {
    match it.aspect {
        Aspect::Existence => {
            !matches!(it.object.kind, "function" | "statistics" | "policy" | "rule" | "publication")
        }
        Aspect::Condition
        | Aspect::Default
        | Aspect::Generation
        | Aspect::Query
        | Aspect::Keys
        | Aspect::Bound
        | Aspect::Partitioning
        | Aspect::Attributes => it.ours.is_none() != it.theirs.is_none(),
        Aspect::Setting(_)
        | Aspect::Rights(_)
        | Aspect::Definition
        | Aspect::Events
        | Aspect::Population
        | Aspect::Order
        | Aspect::Parents
        | Aspect::Tables => false,
        _ => true,
    }
}

/// Whether it is about the table in which the runner keeps its books.
fn is_of_runner(it: &Difference, framework: &Framework) -> bool {
    let (Memory::Each { table, .. } | Memory::Latest { table, .. }) = framework.memory else { return false };
    let table = table.trim_matches('"');
    it.object.name.trim_start_matches("public.").starts_with(table)
}
