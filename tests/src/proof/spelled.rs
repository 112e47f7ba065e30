//! A column that is added, filled and required, in the spellings that people use, beside clients of both releases.
//!
//! `LOCKKEEPER_ROWS=1000000` makes the table as large as that; the gate takes 3,000 rows. Nothing that the new release wrote itself may be overwritten, no
//! row may be left without a value, and no statement of a live release may fail.

use std::time::Instant;

use super::{Fixture, busy, each, phases_of_whole};

/// What the new release writes into the column: nothing else ever does.
const OWN: &str = "424242";

/// `ADD COLUMN … NOT NULL DEFAULT 7` is not among them: nothing in it is rewritten. Each with its name, the statements, and what the value of a row must be where the new release wrote none: over `users u`.
const SPELLINGS: &[(&str, &str, &str)] = &[
    (
        "nullable, a constant, required",
        "ALTER TABLE users ADD COLUMN extra bigint; UPDATE users SET extra = 7; ALTER TABLE users ALTER COLUMN extra SET NOT NULL;",
        "extra = 7",
    ),
    (
        "required with a default that goes",
        "ALTER TABLE users ADD COLUMN extra bigint NOT NULL DEFAULT 7; ALTER TABLE users ALTER COLUMN extra DROP DEFAULT;",
        "extra = 7",
    ),
    (
        "from another table",
        "ALTER TABLE users ADD COLUMN extra bigint;
         UPDATE users SET extra = h.org_id FROM homes h WHERE h.user_id = users.id;
         UPDATE users SET extra = 1 WHERE extra IS NULL;
         ALTER TABLE users ALTER COLUMN extra SET NOT NULL;",
        "extra = coalesce((SELECT h.org_id FROM homes h WHERE h.user_id = u.id), 1)",
    ),
    (
        "from the row",
        "ALTER TABLE users ADD COLUMN extra bigint; UPDATE users SET extra = score * 2; ALTER TABLE users ALTER COLUMN extra SET NOT NULL;",
        "extra = score * 2",
    ),
    (
        "from the row, with an index, a check and a comment",
        "ALTER TABLE users ADD COLUMN extra bigint; UPDATE users SET extra = score + 1;
         ALTER TABLE users ALTER COLUMN extra SET NOT NULL; CREATE INDEX users_extra ON users (extra);
         ALTER TABLE users ADD CONSTRAINT users_extra_positive CHECK (extra > 0); COMMENT ON COLUMN users.extra IS 'x';",
        "extra = score + 1",
    ),
    (
        "another one for each row",
        "ALTER TABLE users ADD COLUMN extra bigint; UPDATE users SET extra = (random() * 1000)::bigint;
         ALTER TABLE users ALTER COLUMN extra SET NOT NULL;",
        "extra BETWEEN 0 AND 1000",
    ),
    (
        "with a foreign key",
        "ALTER TABLE users ADD COLUMN extra bigint; UPDATE users SET extra = 1 + score % 50; ALTER TABLE users ALTER COLUMN extra SET NOT NULL;
         ALTER TABLE users ADD CONSTRAINT users_extra FOREIGN KEY (extra) REFERENCES orgs (id);
         CREATE INDEX users_extra_key ON users (extra);",
        "extra = 1 + score % 50",
    ),
    (
        "with a unique constraint",
        "ALTER TABLE users ADD COLUMN extra text; UPDATE users SET extra = 'u' || id; ALTER TABLE users ALTER COLUMN extra SET NOT NULL;
         ALTER TABLE users ADD CONSTRAINT users_extra UNIQUE (extra);",
        "extra = 'u' || id",
    ),
    (
        "a default, the rows in two updates",
        "ALTER TABLE users ADD COLUMN extra bigint; ALTER TABLE users ALTER COLUMN extra SET DEFAULT 5;
         UPDATE users SET extra = 6 WHERE score > 500; UPDATE users SET extra = 5 WHERE extra IS NULL;
         ALTER TABLE users ALTER COLUMN extra SET NOT NULL;",
        "extra IN (5, 6)",
    ),
];

fn rows() -> usize {
    std::env::var("LOCKKEEPER_ROWS").ok().and_then(|it| it.parse().ok()).unwrap_or(3_000)
}

/// Texts of tests live as long as the tests.
fn lasting(text: String) -> &'static str {
    text.leak()
}

fn fixture((name, migration, _): &(&'static str, &'static str, &'static str), rows: usize) -> Fixture {
    let schema = lasting(format!(
        "CREATE TABLE orgs (id bigint PRIMARY KEY);
         INSERT INTO orgs SELECT g FROM generate_series(1, 60) g; INSERT INTO orgs VALUES ({OWN});
         CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, score bigint NOT NULL DEFAULT 3);
         CREATE TABLE homes (user_id bigint PRIMARY KEY, org_id bigint NOT NULL);
         CREATE SEQUENCE more START 100000000;
         INSERT INTO users SELECT g, 'n' || g, g % 1000 FROM generate_series(1, {rows}) g;
         INSERT INTO homes SELECT g, 1 + g % 50 FROM generate_series(1, {rows}) g WHERE g % 3 <> 0;"
    ));
    let any = format!("1 + (SELECT (random() * {})::bigint)", rows - 2);
    let old: Vec<&'static str> = vec![
        "INSERT INTO users (id, name) SELECT n, 'old' FROM nextval('more') n",
        lasting(format!("UPDATE users SET score = score WHERE id = {any}")),
        lasting(format!("UPDATE users SET name = name || 'x' WHERE id = {any} AND length(name) < 40")),
        "SELECT name, score FROM users WHERE id = 7",
    ];
    // Text or number, it reads the same; a unique one says which row it is of.
    let own = if migration.contains("UNIQUE") { "'own' || n" } else { OWN };
    let new: Vec<&'static str> = vec![
        lasting(format!("INSERT INTO users (id, name, extra) SELECT n, 'own', {own} FROM nextval('more') n")),
        lasting(format!("UPDATE users SET name = 'is' WHERE id = {any} AND name NOT IN ('own', 'old')")),
        "SELECT extra FROM users WHERE id = 7",
    ];
    let releases: Vec<&'static [&'static str]> = vec![old.leak(), new.leak()];
    Fixture {
        name,
        schema,
        migration,
        releases: releases.leak(),
        restore: Some("SELECT 1"),
        ..Fixture::PLAIN
    }
}

#[test]
fn required_columns_are_filled_beside_clients_in_every_spelling() {
    let rows = rows();
    let only = super::only();
    let spellings: Vec<_> = SPELLINGS.iter().filter(|it| it.0.contains(&only)).collect();
    each(&spellings, |spelling| {
        let fixture = fixture(spelling, rows);
        let Some(phases) = phases_of_whole(&fixture) else { return };
        let start = Instant::now();
        let wrong = format!(
            "SELECT count(*) FROM users u WHERE extra IS NULL OR name = 'own' AND extra::text NOT IN ('{OWN}', 'own' || id)
               OR name <> 'own' AND NOT ({})",
            spelling.2
        );
        let proof = busy::prove_and(&fixture, &phases, |database| {
            assert_eq!(database.value(&wrong), "0", "{}: wrong rows", fixture.name);
        });
        println!(
            "{:55} {rows} rows, {} files, {} releases: longest lock against everybody {} ms, longest statement of a client {} ms, {} kills, {} s",
            fixture.name,
            proof.files,
            proof.releases,
            proof.exclusive.as_millis(),
            proof.client.as_millis(),
            proof.kills,
            start.elapsed().as_secs()
        );
    });
}
