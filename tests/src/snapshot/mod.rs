//! A database's schema as the server tells it, as lines of text: equal schemas, equal text.
//!
//! Two ways to the same schema are compared like this: the original migration against its expand-contract steps, up and
//! down against nothing done. Names of everything are compared; object numbers and statistics are not. Definitions come from
//! the server's own printers (`pg_get_constraintdef` and the like), so spelling does not matter.

mod beside;
mod queries;

use crate::database::{Database, rows};
use postgres::Client;
use std::fmt::Write;

/// Whether the order of columns counts: a column that was added anew stands last, and that is often fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnOrder {
    Compared,
    Ignored,
}

/// The schema, one line per object or column: `kind name: properties`, sorted.
pub(crate) fn snapshot(database: &Database, order: ColumnOrder) -> String {
    // One session for all: a new one costs more than a query.
    snapshot_in(&mut database.connect(), order)
}

fn snapshot_in(client: &mut Client, order: ColumnOrder) -> String {
    let mut text = String::new();
    let mut ask = |query| rows(client, query).unwrap_or_else(|failure| panic!("{failure}\n{query}"));
    for (kind, query) in queries::ALL {
        for row in ask(query) {
            let cells: Vec<String> = row.into_iter().map(on_one_line).collect();
            let (name, properties) = cells.split_first().expect("each query names its objects");
            let properties: Vec<_> =
                properties.iter().filter(|it| !it.is_empty()).map(String::as_str).collect();
            writeln!(text, "{kind} {name}: {}", properties.join(", ")).expect("strings take all text");
        }
    }
    if order == ColumnOrder::Compared {
        for row in ask(queries::COLUMN_ORDER) {
            let cells: Vec<String> = row.into_iter().map(on_one_line).collect();
            writeln!(text, "column order {}", cells.join(": ")).expect("strings take all text");
        }
    }
    text
}

/// The schema with all that a snapshot leaves out.
pub(crate) fn whole_snapshot(client: &mut Client) -> String {
    let mut text = snapshot_in(client, ColumnOrder::Compared);
    for (kind, query) in beside::ALL {
        for row in rows(client, query).unwrap_or_else(|failure| panic!("{failure}\n{query}")) {
            let cells: Vec<String> = row.into_iter().map(on_one_line).collect();
            writeln!(text, "{kind} {}", cells.join(", ")).expect("strings take all text");
        }
    }
    text
}

fn on_one_line(cell: Option<String>) -> String {
    cell.unwrap_or_default().replace('\n', "\\n")
}

/// The lines that only one of two snapshots has: `- ` for the first, `+ ` for the second. Empty when they are equal.
pub(crate) fn difference(first: &str, second: &str) -> String {
    let only = |sign: char, these: &str, those: &str| -> String {
        let missing = these.lines().filter(|line| !those.lines().any(|other| other == *line));
        missing.map(|line| format!("{sign} {line}\n")).collect()
    };
    only('-', first, second) + &only('+', second, first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::cluster;

    /// The same schema from the same text is the same snapshot; each change of one thing shows as exactly its lines.
    #[test]
    fn every_kind_of_change_is_seen() {
        let base = include_str!("base.sql");
        let original = cluster().database_from("snapshot", |database| database.run(base));
        let before = snapshot(&original, ColumnOrder::Compared);
        let changes = [
            ("ALTER TABLE users ALTER name DROP NOT NULL", "column"),
            ("ALTER TABLE prices ALTER day TYPE timestamp", "column"),
            ("ALTER TABLE users ALTER name SET DEFAULT 'x'", "column"),
            ("ALTER TABLE events ALTER what TYPE text COLLATE \"C\"", "column"),
            ("ALTER TABLE users ALTER id SET GENERATED ALWAYS", "column"),
            ("COMMENT ON COLUMN users.name IS 'other'", "comment"),
            ("COMMENT ON TABLE users IS NULL", "comment"),
            ("ALTER TABLE orders DROP CONSTRAINT positive", "constraint"),
            ("ALTER TABLE orders VALIDATE CONSTRAINT later", "constraint"),
            ("DROP INDEX users_name", "index"),
            ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_name'::regclass", "index"),
            ("CREATE OR REPLACE VIEW names AS SELECT id, upper(name) AS name FROM users", "view"),
            ("REFRESH MATERIALIZED VIEW totals WITH NO DATA", "materialized view"),
            ("ALTER TABLE users DISABLE TRIGGER touch", "trigger"),
            ("CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2'", "function"),
            ("ALTER SEQUENCE tickets INCREMENT 5", "sequence"),
            ("ALTER SEQUENCE tickets OWNED BY NONE", "sequence"),
            ("ALTER TYPE mood ADD VALUE 'worse'", "enum"),
            ("ALTER DOMAIN amount DROP NOT NULL", "domain"),
            ("ALTER DOMAIN amount DROP CONSTRAINT amount_check", "constraint"),
            ("ALTER TABLE events DETACH PARTITION events_2025", "table"),
            ("ALTER TABLE users ENABLE ROW LEVEL SECURITY", "table"),
            ("DROP POLICY own ON users", "policy"),
            ("REVOKE SELECT ON users FROM PUBLIC", "table"),
            ("ALTER TABLE users SET (fillfactor = 70)", "table"),
            ("ALTER TABLE users SET TABLESPACE spare", "table"),
            ("ALTER INDEX users_name SET TABLESPACE spare", "index"),
            ("DROP EXTENSION citext", "extension"),
            ("CREATE SCHEMA archive", "schema"),
        ];
        let newer = [("ALTER TABLE users SET ACCESS METHOD heap2", "table")];
        let newer = newer.into_iter().filter(|_| cluster().version() >= 15);
        for (change, kind) in changes.into_iter().chain(newer) {
            let database = cluster().database_from("snapshot", |_| unreachable!("prepared above"));
            database.run(change);
            let lines = difference(&before, &snapshot(&database, ColumnOrder::Compared));
            let seen = lines.lines().filter(|line| line[2..].starts_with(kind)).count();
            assert!(seen > 0 && lines.lines().count() <= 6, "{change}:\n{lines}");
        }
    }

    #[test]
    fn a_column_added_anew_differs_only_in_its_place() {
        let base = include_str!("base.sql");
        let before = cluster().database_from("snapshot", |database| database.run(base));
        let after = cluster().database_from("snapshot", |_| unreachable!("prepared above"));
        after.run(
            "ALTER TABLE prices ADD again numeric(10,2) NOT NULL DEFAULT 0; ALTER TABLE prices DROP amount;
             ALTER TABLE prices RENAME again TO amount",
        );
        let compare = |order| difference(&snapshot(&before, order), &snapshot(&after, order));
        assert_eq!(compare(ColumnOrder::Ignored), "");
        let moved = "- column order public.prices: amount, day\n+ column order public.prices: day, amount\n";
        assert_eq!(compare(ColumnOrder::Compared), moved);
    }
}
