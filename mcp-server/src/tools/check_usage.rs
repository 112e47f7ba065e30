//! The tool `check_usage`: whether a server still sees a table or column used. Counts alone: the texts of statements stay where they are.

use lockkeeper_core::dialect::{Dialect, Version, quote};
use lockkeeper_core::engine::{self, Watch};
use lockkeeper_project::secret::redact;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::find_references::known;
use super::verify_integrity::count;
use crate::asked::database;
use crate::world::{Told, World};

/// The name, and where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The table.
    pub table: String,
    /// The column; the table itself where it is left out.
    pub column: Option<String>,
    /// The database's name in lockkeeper.toml, where there are several.
    pub database: Option<String>,
}

/// What the server counts.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Response {
    /// The database that was asked.
    pub database: String,
    /// Kinds of statements that name it, since the counters of statements were reset; nothing where that is not counted.
    pub statements: Option<f64>,
    /// How often the table was read and how many of its rows were written, since statistics were reset.
    pub reads: Option<f64>,
    /// Rows that were written.
    pub writes: Option<f64>,
    /// The day of that reset; nothing: since the database was made.
    pub since: Option<String>,
    /// What could not be asked, and why.
    pub problems: Vec<String>,
    /// What to do next.
    pub next: String,
}

const PATIENCE: u32 = 10;

pub fn run(world: &World, request: &Request) -> Told<Response> {
    let project = world.project()?;
    let table = request.table.strip_prefix("public.").unwrap_or(&request.table);
    let column = request.column.as_deref();
    known(&project, table, column)?;
    let (name, database) = database(&project, request.database.as_deref(), PATIENCE)?;
    let engine = engine::of(Dialect::Postgres);
    let version = Version { major: 0, minor: 0 };
    let parts: Vec<String> = table.split('.').map(|it| quote(it, Dialect::Postgres)).collect();
    let own = table.rsplit('.').next().unwrap_or(table).to_owned();
    let names: Vec<String> = column.map(str::to_owned).into_iter().chain([own]).collect();
    let mut response = Response { database: name, ..Response::default() };
    let mut problems = Vec::new();
    let uses = engine.watch(&Watch::Uses { names: &names }, version);
    match uses
        .ok_or_else(|| "this engine counts no statements".to_owned())
        .and_then(|it| count(&database, &it))
    {
        Ok(counted) => response.statements = Some(counted),
        Err(why) => problems.push(format!("statements are not counted: {why}")),
    }
    let scans = engine.watch(&Watch::Scans { tables: &[parts.join(".")] }, version).unwrap_or_default();
    match database.rows(&scans) {
        Ok(rows) => match rows.first().map(Vec::as_slice) {
            Some([_, reads, writes, since]) => {
                response.reads = reads.parse().ok();
                response.writes = writes.parse().ok();
                response.since = Some(since.clone()).filter(|it| !it.is_empty());
            }
            _ => problems.push("the server counts nothing of this table".to_owned()),
        },
        Err(error) => problems.push(redact(&error.to_string())),
    }
    response.next = next(&response, column.is_some()).to_owned();
    response.problems = problems;
    Ok(response)
}

fn next(response: &Response, is_column: bool) -> &'static str {
    match (response.statements, response.reads) {
        (Some(0.0), Some(reads)) if is_column || reads == 0.0 => {
            "tell your human that nothing names it since the counters were reset, and when that was; that it may go is for them to decide"
        }
        (Some(_), _) => {
            "it is named: tell your human. Counters also hold what ran before the last release, until a person resets them: \
             SELECT pg_stat_statements_reset()"
        }
        _ => "it is not known: tell your human what the server does not count, and do not take it for unused",
    }
}
