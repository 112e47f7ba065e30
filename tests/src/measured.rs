//! What a running server tells of itself: asked by the program, kept in the project, used by plans that have no way to the server.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binaries::lockkeeper;
use crate::cluster::cluster;

const SCHEMA: &str = "
    CREATE SCHEMA sales;
    CREATE TABLE users (id int PRIMARY KEY, name text);
    CREATE TABLE sales.\"Order Lines\" (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE sales.lines_1 PARTITION OF sales.\"Order Lines\" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE sales.lines_2 PARTITION OF sales.\"Order Lines\" FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE untold (id int);
    INSERT INTO users SELECT n, repeat('n', 100) FROM generate_series(1, 5000) n;
    INSERT INTO sales.\"Order Lines\" SELECT n, date '2025-06-01' + n % 400 FROM generate_series(1, 3000) n;
    ANALYZE users; ANALYZE sales.\"Order Lines\"; ANALYZE sales.lines_1; ANALYZE sales.lines_2;
    ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '') NOT VALID;
    CREATE PUBLICATION feed FOR TABLE users;
    CREATE PUBLICATION everything FOR ALL TABLES;";

const RENAME: &str = "ALTER TABLE users RENAME COLUMN name TO full_name;";

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).expect("is written");
    std::fs::create_dir(folder.path().join("migrations")).expect("is made");
    write("lockkeeper.toml", "dialect = \"postgres\"\n");
    write("migrations/1_users.up.sql", "CREATE TABLE users (id int PRIMARY KEY, name text);\n");
    write("migrations/1_users.down.sql", "DROP TABLE users;\n");
    write("migrations/2_rename.up.sql", RENAME);
    write("migrations/2_rename.down.sql", "ALTER TABLE users RENAME COLUMN full_name TO name;\n");
    folder
}

fn run(folder: &Path, arguments: &[&str], url: &str) -> Output {
    let mut command = Command::new(lockkeeper());
    command.args(arguments).current_dir(folder).env("SHOP_DATABASE", url);
    command.output().expect("it starts")
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}\n{text}\n{}", String::from_utf8_lossy(&output.stderr)))
}

fn signal<'a>(report: &'a Value, id: &str) -> &'a Value {
    let signals = report["signals"].as_array().expect("a list");
    signals.iter().find(|it| it["id"] == id).unwrap_or(&Value::Null)
}

const SIGNALS: &[&str] = &["signals", "--database-url", "SHOP_DATABASE", "--format", "json"];

#[test]
fn a_server_tells_how_large_it_is_and_a_plan_asks_no_more() {
    let database = cluster().database_from("measured", |it| it.run(SCHEMA));
    let url = cluster().url(database.name());
    let folder = project();
    let plan = |folder: &Path| {
        let answers = ["downtime-allowed=none", "rollback-window=3 days", "every-writer-is-here=yes"];
        let answers = answers.iter().chain(&["verified-backup=yesterday", "releases-between-steps=any"]);
        let answers: Vec<&str> = answers.flat_map(|it| ["--answer", it]).collect();
        let arguments = [&["plan", "migrations/2_rename.up.sql", "--format", "json"], &answers[..]].concat();
        json(&run(folder, &arguments, ""))
    };
    assert_eq!(plan(folder.path())["blocked_by"], serde_json::json!(["table-rows"]));

    let report = json(&run(folder.path(), SIGNALS, &url));
    assert!(!folder.path().join(".lockkeeper").exists(), "asking writes nothing");
    let value = |id: &str| signal(&report, id)["value"].as_str().unwrap_or("none").to_owned();
    assert_eq!(value("engine"), format!("PostgreSQL {}", cluster().version()));
    assert_eq!(
        (value("rows.users"), value("rows.sales.Order Lines")),
        ("5000".to_owned(), "3000".to_owned())
    );
    let bytes: u64 = value("row-bytes.users").parse().expect("bytes");
    assert!((100..200).contains(&bytes), "{bytes}");
    assert_eq!(value("rows.untold"), "none", "nobody analysed it: its rows are not known");
    assert_eq!(value("publications.users"), "everything, feed");
    assert_eq!(value("publications.sales.Order Lines"), "everything");
    assert_eq!(value("unfinished.users"), "constraint named is not validated");
    assert_eq!(value("rows.sales.lines_1"), "none", "a partition is no table of its own");

    let wrote = run(folder.path(), &[SIGNALS, &["--write"]].concat(), &url);
    assert!(String::from_utf8_lossy(&wrote.stderr).contains(".lockkeeper/facts.toml written"));
    let kept = std::fs::read_to_string(folder.path().join(".lockkeeper/facts.toml")).expect("is there");
    assert!(!kept.contains("host") && !kept.contains(&url), "{kept}");

    // Without the server: nothing is asked any more, and each place names the line of the file.
    let report = plan(folder.path());
    assert_eq!(report["blocked_by"], serde_json::json!([]));
    let rows = signal(&report, "rows.users");
    let line = rows["evidence"][0]["line"].as_u64().expect("a line") as usize;
    assert_eq!(kept.lines().nth(line - 1), Some("users = 5000"), "{rows}");
    assert_eq!(
        signal(&report, "rows.sales.Order Lines"),
        &Value::Null,
        "another table's facts decide nothing"
    );
    let escalations = report["escalations"].to_string();
    assert!(escalations.contains("constraint named is not validated"), "{escalations}");
    let consumers = report["plan"]["consumers"].to_string();
    assert!(consumers.contains("publication everything, feed"), "{consumers}");

    // What a person states wins, and what the server told stays beside it.
    let facts = "dialect = \"postgres\"\n[facts.rows]\nusers = \"5M\"\n";
    std::fs::write(folder.path().join("lockkeeper.toml"), facts).expect("is written");
    let report = plan(folder.path());
    let rows = signal(&report, "rows.users");
    assert_eq!((&rows["value"], &rows["observed"]), (&Value::from("5M"), &Value::from("5000")));
}

#[test]
fn asking_waits_for_no_migration() {
    let database = cluster().database_from("measured", |it| it.run(SCHEMA));
    let mut migration = database.connect();
    migration
        .batch_execute("BEGIN; LOCK TABLE users, sales.\"Order Lines\" IN ACCESS EXCLUSIVE MODE;")
        .expect("a lock");
    let started = Instant::now();
    let report = json(&run(project().path(), SIGNALS, &cluster().url(database.name())));
    assert_eq!(signal(&report, "rows.users")["value"], "5000");
    assert!(signal(&report, "longest-transaction")["value"].as_str().is_some_and(|it| it.ends_with(" s")));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    migration.batch_execute("ROLLBACK").expect("it ends");
    if cluster().version() >= 15 {
        database.run("CREATE PUBLICATION all_sales FOR TABLES IN SCHEMA sales");
        let report = json(&run(project().path(), SIGNALS, &cluster().url(database.name())));
        assert_eq!(signal(&report, "publications.sales.Order Lines")["value"], "all_sales, everything");
    }
}

#[test]
fn a_file_that_is_not_ours_is_refused_with_its_line() {
    let folder = project();
    std::fs::create_dir(folder.path().join(".lockkeeper")).expect("is made");
    let file = folder.path().join(".lockkeeper/facts.toml");
    let said = |text: &str| {
        std::fs::write(&file, text).expect("is written");
        let output = run(folder.path(), &["check"], "");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, message) = said("database = \"shop\"\nmeasured = \"today\"\n[facts.rows]\nusers = \"many\"\n");
    assert!(code == Some(2) && message.contains("facts.toml:4"), "{code:?} {message}");
    let (code, message) = said("database = \"shop\"\nmeasured = \"today\"\n[facts]\nrows = 7\n");
    assert!(code == Some(2) && message.contains("facts.toml:4"), "{code:?} {message}");
    std::fs::remove_file(&file).expect("is removed");
    let output = run(folder.path(), &["signals", "--database-url", "NO_SUCH_VARIABLE_HERE"], "");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && message.contains("no environment variable"), "{message}");
}
