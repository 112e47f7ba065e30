//! Files that look before they lock: what must be so first is asked of the server, and said in words where it is not.

use std::process::Command;

use serde_json::Value;

use crate::binaries::lockkeeper;
use crate::cluster::cluster;
use crate::database::run;

/// The files that a migration is rewritten as: path and text.
fn rewritten(schema: &str, change: &str) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("migrations")).expect("is made");
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).expect("is written");
    let version = cluster().version();
    write("lockkeeper.toml", &format!("dialect = \"postgres\"\ntarget-version = {version}\n"));
    write("migrations/1_schema.up.sql", schema);
    write("migrations/1_schema.down.sql", "");
    write("migrations/2_change.up.sql", change);
    write("migrations/2_change.down.sql", "");
    let mut command = Command::new(lockkeeper());
    command.args(["rewrite", "migrations/2_change.up.sql", "--format", "json"]).current_dir(folder.path());
    let output = command.output().expect("it starts");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let text = |file: &Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    let files = report["files"].as_array().expect("files").iter();
    files
        .map(|it| (text(it, "path"), text(it, "content")))
        .filter(|(path, _)| path.ends_with(".up.sql"))
        .collect()
}

/// Without it the check would stand, and every update of a row without a value would fail: of any column, by any release.
#[test]
fn rows_without_a_value_are_found_before_their_updates_fail() {
    if cluster().version() < 12 {
        return;
    }
    const SCHEMA: &str = "CREATE TABLE users (id int PRIMARY KEY, name text, seen int);";
    for change in [
        "ALTER TABLE users ALTER COLUMN name SET NOT NULL;",
        "ALTER TABLE users ADD COLUMN email text NOT NULL;",
        "ALTER TABLE users ALTER COLUMN name SET NOT NULL, ALTER COLUMN seen SET NOT NULL;",
    ] {
        let database = cluster().database();
        database.run(SCHEMA);
        database.run("INSERT INTO users SELECT n, 'n' || n, n FROM generate_series(1, 50) n");
        let files = rewritten(SCHEMA, change);
        let first =
            files.iter().position(|(_, text)| text.contains("NOT VALID")).expect("a check comes first");
        files[..first].iter().for_each(|(_, text)| database.run(text));
        let column = if change.contains("email") { "email" } else { "name" };
        database.run(&format!("UPDATE users SET {column} = NULL WHERE id = 7"));

        let mut session = database.connect();
        let failure = run(&mut session, &files[first].1).expect_err("a row has no value");
        assert_eq!(failure.sqlstate, "P0001", "{failure}");
        let words = format!("rows of users have no {column}");
        assert!(failure.message.contains(&words), "{failure}");
        database.run("UPDATE users SET seen = 1 WHERE id = 7");

        database.run(&format!("UPDATE users SET {column} = 'given' WHERE {column} IS NULL"));
        files[first..].iter().for_each(|(_, text)| database.run(text));
        let required = format!(
            "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = '{column}'"
        );
        assert_eq!(database.value(&required), "t", "{change}");
    }
}
