//! A server against the migrations that it has run: nothing differs where only they have worked on it, and everything is found that somebody did besides.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::binaries::lockkeeper;
use crate::cluster::cluster;
use crate::database::Database;

const UP: &[&str] = &[
    "CREATE TYPE mood AS ENUM ('sad', 'it''s fine');
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TABLE users (id serial PRIMARY KEY, email varchar(200) NOT NULL UNIQUE, name text DEFAULT 'x', mood mood, born timestamp(3), \"Odd Name\" numeric(10, 2)[]);
    CREATE TABLE teams (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int REFERENCES users ON DELETE CASCADE, size positive, CHECK (size < 100));
    CREATE INDEX users_name ON users (lower(name) text_pattern_ops, born DESC) WHERE name IS NOT NULL;
    CREATE VIEW named AS SELECT id, name FROM users WHERE name IS NOT NULL;",
    "CREATE SCHEMA sales;
    CREATE TABLE sales.lines (id int, at date NOT NULL, total int DEFAULT 0, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE sales.lines_1 PARTITION OF sales.lines FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE INDEX ON sales.lines (total);
    CREATE MATERIALIZED VIEW sales.totals AS SELECT at, sum(total) AS total FROM sales.lines GROUP BY at;
    CREATE UNIQUE INDEX ON sales.totals (at);
    ALTER TABLE users ADD COLUMN team bigint, ADD CONSTRAINT of_team FOREIGN KEY (team) REFERENCES teams (id) NOT VALID;
    ALTER TABLE users ALTER COLUMN name SET NOT NULL;
    CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER users_touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE PROCEDURE touched();",
    "ALTER TABLE users RENAME COLUMN born TO born_at;",
];

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("migrations")).expect("is made");
    let version = cluster().version();
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).expect("is written");
    write(
        "lockkeeper.toml",
        &format!(
            "dialect = \"postgres\"\ntarget-version = {version}\n[[migrations]]\npath = \"migrations\"\nframework = \"golang-migrate\"\n"
        ),
    );
    for (number, text) in UP.iter().enumerate() {
        write(&format!("migrations/{}_step.up.sql", number + 1), text);
        write(&format!("migrations/{}_step.down.sql", number + 1), "SELECT 1;");
    }
    folder
}

/// What the runner writes down behind the migration of that number.
fn books(number: usize) -> String {
    format!(
        "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES ({number}, false)"
    )
}

/// The differences as `object: aspect`, and how many migrations are pending.
fn drift(folder: &Path, database: &Database) -> (Vec<String>, Value, Option<i32>) {
    let mut command = Command::new(lockkeeper());
    command.args(["schema", ".", "--against-server", "SHOP_DATABASE", "--format", "json"]);
    command.current_dir(folder).env("SHOP_DATABASE", cluster().url(database.name()));
    let output = command.output().expect("it starts");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let differences = report["differences"].as_array().expect("a list").iter();
    let differences =
        differences.map(|it| format!("{}: {}", text(it, "object"), text(it, "aspect"))).collect();
    (differences, report["pending"].clone(), output.status.code())
}

#[test]
fn a_server_that_only_migrations_worked_on_has_nothing_else() {
    let database = cluster().database();
    let folder = project();
    UP.iter().take(2).for_each(|it| database.run(it));
    database.run(&books(2));
    assert_eq!(drift(folder.path(), &database), (Vec::new(), Value::from(1), Some(0)));
    database.run(UP[2]);
    database.run("UPDATE schema_migrations SET version = 3");
    assert_eq!(drift(folder.path(), &database), (Vec::new(), Value::from(0), Some(0)));
}

#[test]
fn what_somebody_did_besides_is_found() {
    let folder = project();
    for (change, expected) in [
        ("CREATE TABLE notes (id int)", "table notes: existence"),
        ("ALTER TABLE users ADD COLUMN nick text", "column users.nick: existence"),
        ("ALTER TABLE users ALTER COLUMN email TYPE text", "column users.email: its type"),
        ("ALTER TABLE users ALTER COLUMN email DROP NOT NULL", "column users.email: what it does with NULL"),
        ("ALTER TABLE users ALTER COLUMN name DROP DEFAULT", "column users.name: its default"),
        ("DROP INDEX users_name", "index users_name: existence"),
        ("CREATE INDEX by_hand ON users (email)", "index by_hand: existence"),
        ("ALTER TABLE users VALIDATE CONSTRAINT of_team", "constraint of_team of users: its validity"),
        ("ALTER TABLE users DROP CONSTRAINT of_team", "constraint of_team of users: existence"),
        ("ALTER TYPE mood ADD VALUE 'glad'", "type mood: its list of labels"),
        ("DROP VIEW named", "view named: existence"),
        ("DROP TRIGGER users_touched ON users", "trigger users_touched of users: existence"),
        ("DROP TABLE sales.lines_1 CASCADE", "table sales.lines_1: existence"),
        ("ALTER SEQUENCE users_id_seq AS bigint", "sequence users_id_seq: its type"),
    ] {
        let database = cluster().database();
        UP.iter().for_each(|it| database.run(it));
        database.run(&books(3));
        database.run(change);
        let (differences, _, code) = drift(folder.path(), &database);
        assert!(differences.iter().any(|it| it == expected), "{change}: {differences:#?}");
        assert!(differences.len() <= 3, "{change}: {differences:#?}");
        assert_eq!(code, Some(1), "{change}");
    }
}
