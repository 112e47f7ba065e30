//! Queries by which people and we see what is on a server that is in use, and what a change does to it: `tests/src/watch.rs` runs each of them on servers.

use super::{describe, measure};
use crate::dialect::{Version, quote_literal};
use crate::engine::Watch;

/// The query, for a server of this version.
pub(super) fn query(watch: &Watch<'_>, version: Version) -> String {
    match watch {
        Watch::Baseline { tables } => baseline(tables, version),
        Watch::LongestTransaction { tables } => longest_transaction(tables),
        Watch::Sizes { tables } => sizes(tables),
        Watch::Lag => {
            "SELECT coalesce(max(extract(epoch FROM replay_lag)), 0) FROM pg_stat_replication".to_owned()
        }
        Watch::Unfinished { tables } => unfinished(tables),
        Watch::Uses { names } => uses(names),
        Watch::Scans { tables } => scans(tables),
        Watch::Sample { table, rows } => sample(table, *rows),
        Watch::Schema => describe::SCHEMA.trim().to_owned(),
        Watch::Server => measure::SERVER.to_owned(),
        Watch::Facts => measure::facts(version),
        Watch::Statements { schema } => measure::statements(schema, version),
    }
}

/// What has to be there for the counters of statements, and how they are reset.
const COUNTERS: &str =
    "/* needs the extension pg_stat_statements; SELECT pg_stat_statements_reset() begins to count from 0 */ ";

fn regclasses(tables: &[String]) -> String {
    let each: Vec<String> =
        tables.iter().map(|table| format!("{}::regclass", quote_literal(table))).collect();
    each.join(", ")
}

/// A pattern that finds a name as a word of its own.
fn word(name: &str) -> String {
    let escaped: String = name
        .chars()
        .flat_map(|it| {
            let special = "\\.^$|()[]{}*+?".contains(it);
            special.then_some('\\').into_iter().chain([it])
        })
        .collect();
    quote_literal(&format!("\\m{escaped}\\M"))
}

/// Their last parts: statements often leave the schema out.
fn named(tables: &[String]) -> String {
    let last = |it: &String| it.rsplit('.').next().unwrap_or(it).trim_matches('"').to_owned();
    let conditions: Vec<String> = tables.iter().map(|it| format!("query ~* {}", word(&last(it)))).collect();
    conditions.join(" OR ")
}

fn baseline(tables: &[String], version: Version) -> String {
    // The columns have been renamed in 13.
    let suffix = if version.major >= 13 { "_exec_time" } else { "_time" };
    format!(
        "{COUNTERS}SELECT calls, round(mean{suffix}::numeric, 2) AS mean_ms, round(stddev{suffix}::numeric, 2) AS deviation_ms, \
         round(max{suffix}::numeric, 2) AS longest_ms, left(query, 100) AS statement\n\
         FROM pg_stat_statements WHERE {} ORDER BY total{suffix} DESC LIMIT 20",
        named(tables)
    )
}

fn longest_transaction(tables: &[String]) -> String {
    format!(
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0)\n\
         FROM pg_stat_activity AS a JOIN pg_locks AS l USING (pid)\n\
         WHERE l.relation IN ({}) AND a.pid <> pg_backend_pid()",
        regclasses(tables)
    )
}

fn sizes(tables: &[String]) -> String {
    format!(
        "SELECT oid::regclass AS relation, reltuples::bigint AS estimated_rows, pg_size_pretty(pg_table_size(oid)) AS rows_take, \
         pg_size_pretty(pg_indexes_size(oid)) AS indexes_take\nFROM pg_class WHERE oid IN ({})",
        regclasses(tables)
    )
}

fn unfinished(tables: &[String]) -> String {
    let tables = regclasses(tables);
    format!(
        "SELECT (SELECT count(*) FROM pg_index WHERE indrelid IN ({tables}) AND NOT indisvalid)\n\
         \x20 + (SELECT count(*) FROM pg_constraint WHERE conrelid IN ({tables}) AND NOT convalidated)"
    )
}

fn uses(names: &[String]) -> String {
    let conditions: Vec<String> = names.iter().map(|it| format!("query ~* {}", word(it))).collect();
    format!("{COUNTERS}SELECT count(*) FROM pg_stat_statements WHERE {}", conditions.join(" AND "))
}

/// Counted since the statistics were reset, or since the server was set up: then the day is empty.
fn scans(tables: &[String]) -> String {
    format!(
        "SELECT s.relid::regclass, s.seq_scan + coalesce(s.idx_scan, 0), s.n_tup_ins + s.n_tup_upd + s.n_tup_del, d.stats_reset::date\n\
         FROM pg_stat_user_tables AS s, pg_stat_database AS d WHERE d.datname = current_database() AND s.relid IN ({})",
        regclasses(tables)
    )
}

/// About a thousand rows from everywhere in the table, without reading all of it.
fn sample(table: &str, rows: Option<u64>) -> String {
    const WANTED: f64 = 1_000.0;
    let share = rows.map_or(1.0, |rows| (WANTED * 150.0 / rows.max(1) as f64).clamp(0.000_1, 100.0));
    format!("SELECT * FROM {table} TABLESAMPLE BERNOULLI ({share:.4}) LIMIT 1000")
}
