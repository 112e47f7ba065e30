//! What could not be read never passes: the program on files, folders and configurations that it cannot read.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::binaries::lockkeeper;
use crate::language_client::LanguageClient;

const POSTGRES: (&str, &str) = ("lockkeeper.toml", "dialect = \"postgres\"\n");

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        write(folder.path(), path, text.as_bytes());
    }
    folder
}

fn write(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("stands in a folder")).expect("is made");
    std::fs::write(path, bytes).expect("is written");
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(lockkeeper());
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.output().expect("it starts")
}

/// The exit code, the verdict, and each unread thing as `path:line reason; way out`.
fn check(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let output = run(folder, &[&["check", "--format", "json"], arguments].concat());
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let unread = report["unread"].as_array().expect("a list").iter().map(|it| {
        let text = |key: &str| it[key].as_str().expect("a text").to_owned();
        let line = it["span"]["line"].as_u64().map_or(String::new(), |line| format!(":{line}"));
        format!("{}{line} {}; {}", text("path"), text("reason"), text("way_out"))
    });
    (output.status.code(), report["verdict"].as_str().expect("a word").to_owned(), unread.collect())
}

/// The project is not passed, and something at `path` is named with a way out that holds `way_out`.
#[track_caller]
fn unread(files: &[(&str, &str)], arguments: &[&str], path: &str, way_out: &str) {
    let folder = project(files);
    let (code, verdict, unread) = check(folder.path(), arguments);
    assert_eq!((code, verdict.as_str()), (Some(5), "unread"), "{unread:?}");
    assert!(unread.iter().any(|it| it.starts_with(path) && it.contains(way_out)), "{unread:?}");
    let (code, verdict, listed) = check(folder.path(), &[&["--allow-unread"], arguments].concat());
    assert_eq!((code, verdict.as_str()), (Some(0), "pass"));
    assert_eq!(listed, unread, "it is listed all the same");
}

#[test]
fn text_that_is_no_sql_is_unread() {
    for text in [
        "DROP TABL users;",
        "INSERT INT users VALUES (1);",
        "DELETE FORM users;",
        "CREATE TABLE users (id int;",
        "hello world",
        "SELECT 'open",
        "TRUNCATE;",
        "GRANT everything;",
        "\\i other.sql\n",
        "DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'users'; END $$;",
    ] {
        unread(&[POSTGRES, ("migrations/1_a.sql", text)], &[], "migrations/1_a.sql:1", "");
    }
}

#[test]
fn a_reason_accepts_a_statement_that_is_not_read() {
    let text = "-- lockkeeper: allow unread because the extension adds it\nFROBNICATE users;\n";
    let folder = project(&[POSTGRES, ("migrations/1_a.sql", text)]);
    assert_eq!(check(folder.path(), &[]), (Some(0), "pass".to_owned(), Vec::new()));
}

#[test]
fn a_danger_weighs_more_and_both_are_told() {
    let text = "CREATE TABLE users (id int);";
    let danger = "SET lock_timeout = '2s';\nDROP TABL users;\nCREATE INDEX i ON users (id);";
    let folder = project(&[POSTGRES, ("migrations/1_a.sql", text), ("migrations/2_b.sql", danger)]);
    let (code, verdict, unread) = check(folder.path(), &[]);
    assert_eq!((code, verdict.as_str(), unread.len()), (Some(1), "block", 1));
}

#[test]
fn files_that_cannot_be_read_are_unread() {
    let folder = project(&[POSTGRES, ("migrations/1_a.sql", "CREATE TABLE users (id int);")]);
    write(folder.path(), "migrations/2_b.sql", b"-- caf\xe9\n");
    let mut long = b"SELECT 1;\n".repeat(2_000_001);
    long.truncate(20_000_010);
    write(folder.path(), "migrations/3_c.sql", &long);
    let (code, _, unread) = check(folder.path(), &[]);
    assert_eq!(code, Some(5));
    let expected =
        ["migrations/2_b.sql cannot be read: byte 6", "migrations/3_c.sql cannot be read: it is larger"];
    assert!(unread.iter().zip(expected).all(|(it, expected)| it.starts_with(expected)), "{unread:?}");
}

#[test]
fn migrations_in_code_are_unread_with_the_command_that_prints_their_sql() {
    for (path, text, command) in [
        ("db/migrate/20240101000000_a.rb", "", "bin/rails runner"),
        (
            "shop/migrations/0001_initial.py",
            "",
            "python manage.py sqlmigrate APP NUMBER | lockkeeper check -",
        ),
        ("alembic/versions/ab_a.py", "", "alembic upgrade FROM:TO --sql | lockkeeper check -"),
        ("migrations/20240101_a.js", "exports.up = (knex) => {}", "npx knex migrate:up"),
        ("migrations/1700000000000-a.ts", "implements MigrationInterface", "npx typeorm migration:run"),
        ("migrations/20240101-a.js", "up: (queryInterface) => {}", "npx sequelize-cli db:migrate"),
        ("migrations/1700000000000_a.js", "exports.up = (pgm) => {}", "npx node-pg-migrate up --dry-run"),
        ("priv/repo/migrations/20240101000000_a.exs", "", "mix ecto.migrate --log-migrations-sql"),
        ("database/migrations/2024_01_01_000000_a.php", "", "php artisan migrate --pretend"),
        ("db/animals_migrate/20240101000000_a.rb", "", "bin/rails runner"),
        ("db/changelog/a.xml", "<databaseChangeLog>", "liquibase update-sql | lockkeeper check -"),
        ("db/changelog/a.yaml", "databaseChangeLog:", "liquibase update-sql | lockkeeper check -"),
    ] {
        let folder = path.rsplit_once('/').expect("stands in a folder").0;
        unread(&[POSTGRES, (path, text)], &[], folder, command);
        unread(&[POSTGRES, (path, text)], &["."], folder, command);
        unread(&[POSTGRES, (path, text)], &[path], path, if path.contains("change") { "" } else { command });
    }
}

#[test]
fn sql_that_is_named_for_an_engine_is_unread_until_it_is_named() {
    let file = ("db/1_a.sql.postgres", "CREATE TABLE users (id int);");
    unread(&[POSTGRES, file], &[], "db", "lockkeeper check FILE");
    let folder = project(&[POSTGRES, file]);
    assert_eq!(check(folder.path(), &[file.0]).0, Some(0));
}

#[test]
fn code_that_is_named_is_no_sql() {
    for path in ["a.rb", "a.py", "a.exs", "a.ts", "a.js", "package.json"] {
        unread(&[POSTGRES, (path, "SELECT 1;\n")], &[path], path, "lockkeeper check -");
    }
}

#[test]
fn projects_for_other_engines_are_unread() {
    let mysql = "CREATE TABLE users (id int AUTO_INCREMENT) ENGINE=InnoDB;";
    let sqlite = "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT) WITHOUT ROWID;";
    for text in [mysql, sqlite] {
        let files = [("migrations/001_a.sql", text), ("migrations/002_b.sql", text)];
        unread(&files, &[], "migrations", "--dialect postgres");
        unread(&files, &["migrations/002_b.sql"], "migrations/002_b.sql", "--dialect postgres");
        unread(&[("a.sql", text)], &["a.sql"], "a.sql", "--dialect postgres");
        let folder = project(&files);
        for command in ["rewrite", "plan", "effect"] {
            let output = run(folder.path(), &[command, "migrations/002_b.sql"]);
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.code() == Some(5) && message.contains("not analysed"),
                "{command}: {message}"
            );
        }
    }
}

#[test]
fn a_configuration_that_fits_no_file_is_unread() {
    let folder = "[[migrations]]\npath = \"db\"\nframework = \"goose\"\n";
    unread(
        &[("lockkeeper.toml", folder), ("src/a.sql", "SELECT 1;")],
        &[],
        "db holds no migrations",
        "lockkeeper.toml",
    );
    let flyway = "[[migrations]]\npath = \"db\"\nframework = \"flyway\"\n";
    unread(&[("lockkeeper.toml", flyway), ("db/1_a.sql", "SELECT 1;")], &[], "db/1_a.sql", "ignore");
}

#[test]
fn a_file_without_its_frameworks_marker_is_unread() {
    let goose = ("migrations/00001_a.sql", "-- +goose Up\nSELECT 1;\n");
    let bare = ("migrations/00002_b.sql", "DROP TABLE users;\n");
    unread(&[POSTGRES, goose, bare], &[], bare.0, "add the marker");
    unread(&[POSTGRES, goose, bare], &[bare.0], bare.0, "add the marker");
}

#[test]
fn what_did_not_change_was_not_asked_about() {
    let folder =
        project(&[POSTGRES, ("db/migrate/20240101000000_a.rb", ""), ("migrations/1_a.sql", "DROP TABL a;")]);
    for arguments in [&["init", "-q", "-b", "main"][..], &["add", "."], &["commit", "-q", "-m", "base"]] {
        let mut git = Command::new("git");
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let status = git.args(identity).args(arguments).current_dir(folder.path()).status();
        assert!(status.expect("git starts").success());
    }
    assert_eq!(check(folder.path(), &["--since", "main"]).0, Some(0));
    write(folder.path(), "db/migrate/20240102000000_b.rb", b"");
    let (code, _, unread) = check(folder.path(), &["--since", "main"]);
    assert!(code == Some(5) && unread[0].starts_with("db/migrate 2 files of Rails"), "{unread:?}");
}

/// The same words are refused in the file and as flags, and by every command.
#[test]
fn a_wrong_configuration_is_a_wrong_call() {
    let migration = ("migrations/1_a.sql", "SELECT 1;");
    for (configuration, flags) in [
        ("target-version = 10", &["check", "--target-version", "10"][..]),
        ("target-version = 25", &["check", "--target-version", "25"]),
        ("target-version = 9.6", &["effect", "migrations/1_a.sql", "--target-version", "9.6"]),
        ("target-version = \"new\"", &["check", "--target-version", "new"]),
        ("dialect = \"postgrs\"", &["check", "--dialect", "postgrs"]),
        (
            "[answers]\ndowntime-allowed = \"nune\"",
            &["plan", "migrations/1_a.sql", "--answer", "downtime-allowed=nune"],
        ),
        (
            "[answers]\ntable-rows = \"many\"",
            &["rewrite", "migrations/1_a.sql", "--answer", "table-rows=many"],
        ),
        ("[answers]\ncolour = \"blue\"", &["plan", "migrations/1_a.sql", "--answer", "colour=blue"]),
        ("[severity]\nno-such-rule = \"note\"", &["check", "--fail-on", "nothing"]),
        ("ignore = [\"a{b\"]", &["check", "--no-such-flag"]),
    ] {
        let fine = project(&[POSTGRES, migration]);
        assert_eq!(run(fine.path(), flags).status.code(), Some(2), "{flags:?}");
        let wrong = project(&[("lockkeeper.toml", configuration), migration]);
        let commands = [
            "check .",
            "rewrite migrations/1_a.sql",
            "plan migrations/1_a.sql",
            "schema",
            "signals",
            "references a",
        ];
        for command in commands {
            let words: Vec<&str> = command.split(' ').collect();
            let output = run(wrong.path(), &words);
            let message = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{configuration}: {command}: {message}");
            assert!(message.contains("lockkeeper.toml:"), "{message}");
        }
    }
}

#[test]
fn a_version_that_is_seen_and_not_known_is_said() {
    let compose = ("docker-compose.yml", "services:\n  db:\n    image: postgres:9.6\n");
    let folder = project(&[compose, ("migrations/1_a.sql", "CREATE TABLE users (id int);")]);
    let text = String::from_utf8(run(folder.path(), &["check"]).stdout).expect("is text");
    assert!(text.contains("for postgres 11 (docker-compose.yml:3: PostgreSQL 9.6 is not known"), "{text}");
}

/// One tool call, without the SDK: what the server answers to it.
fn by_agents_tool(folder: &Path, file: &str) -> Value {
    let mut command = Command::new(lockkeeper());
    command.arg("mcp").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = command.spawn().expect("it starts");
    let client = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let call = json!({"name": "analyze_migration", "arguments": {"file": file}});
    let mut input = server.stdin.take().expect("is piped");
    for message in [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}),
    ] {
        writeln!(input, "{message}").expect("is read");
    }
    let output = std::io::BufReader::new(server.stdout.take().expect("is piped"));
    let messages =
        output.lines().map(|line| serde_json::from_str::<Value>(&line.expect("is text")).expect("is JSON"));
    let answer = messages.into_iter().find(|it| it["id"] == 2).expect("it answers");
    drop(input);
    server.wait().expect("it ends");
    answer["result"].clone()
}

#[test]
fn agents_are_told_what_is_unread_and_what_is_wrong() {
    let folder = project(&[POSTGRES, ("migrations/1_a.sql", "DROP TABL users;"), ("a.py", "import os")]);
    for file in ["migrations/1_a.sql", "a.py"] {
        let report = &by_agents_tool(folder.path(), file)["structuredContent"];
        assert!(report["verdict"] == "unread" && report["unread"][0]["path"] == file, "{report}");
    }
    write(folder.path(), "lockkeeper.toml", b"target-version = 10");
    let answer = by_agents_tool(folder.path(), "migrations/1_a.sql");
    let message = answer["content"][0]["text"].as_str().expect("a text");
    assert!(answer["isError"] == true && message.contains("PostgreSQL 10 is not known"), "{answer}");
}

#[test]
fn editors_show_what_is_unread_and_what_is_wrong() {
    let folder = project(&[POSTGRES, ("migrations/1_a.sql", "DROP TABL users;")]);
    let shown = |configuration: &str| {
        write(folder.path(), "lockkeeper.toml", configuration.as_bytes());
        let uri = format!("file://{}", folder.path().canonicalize().expect("is there").display());
        let mut client = LanguageClient::start(Command::new(lockkeeper()).arg("lsp"));
        client.initialize(&uri, json!({}));
        let document = json!({"uri": format!("{uri}/migrations/1_a.sql"), "languageId": "sql", "version": 1, "text": "DROP TABL users;"});
        client.notify("textDocument/didOpen", json!({"textDocument": document}));
        // The mistake stands in its own file too, which is told by itself.
        let is_it = |it: &Value| it["params"]["uri"].as_str().is_some_and(|uri| uri.ends_with("1_a.sql"));
        let published = client.wait_for(|it| it["method"] == "textDocument/publishDiagnostics" && is_it(it));
        client.shut_down();
        let diagnostics = published["params"]["diagnostics"].as_array().expect("a list").iter();
        let messages =
            diagnostics.filter(|it| it["code"] == "not-analysed").filter_map(|it| it["message"].as_str());
        messages.collect::<Vec<_>>().join("\n")
    };
    assert!(shown("").contains("allow unread because"));
    assert!(shown("target-version = 10").contains("PostgreSQL 10 is not known"));
}

/// What the server runs on counts, not what tests or a client beside it run on.
#[test]
fn the_version_is_that_of_the_server() {
    let table = "CREATE TABLE users (id int);";
    let at = |image: &str| format!("services:\n  db:\n    image: postgres:{image}\n");
    let (old, new) = (at("12"), at("16"));
    for aside in ["docker-compose.test.yml", "client/docker-compose.yml", "api/docker-compose.yml"] {
        let folder = project(&[
            (aside, &old),
            ("server/docker-compose.yml", &new),
            ("server/migrations/1_a.sql", table),
        ]);
        let text = String::from_utf8(run(folder.path(), &["check", ".", "--format", "json"]).stdout)
            .expect("is text");
        let report: Value = serde_json::from_str(&text).expect("is JSON");
        assert_eq!(report["target"]["version"], "16", "{aside}: {}", report["target"]);
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_no_pass() {
    let folder = project(&[POSTGRES, ("migrations/1_a.sql", "SELECT 1;")]);
    for format in ["text", "json"] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("is there");
        let mut command = Command::new(lockkeeper());
        command.args(["check", "--format", format]).current_dir(folder.path()).stdout(full);
        assert_eq!(command.status().expect("it starts").code(), Some(3), "{format}");
    }
}

/// A framework, the files of its folder, and whether the build in the last one is refused in a transaction.
type Case<'a> = (&'a str, Vec<(&'a str, String)>, bool);

/// Each on a folder as its framework has it: what it is taken for, and how the statements reach the server.
#[test]
fn frameworks_are_recognised_by_what_is_theirs() {
    let index = "CREATE INDEX CONCURRENTLY i ON users (id);\n";
    let first = "CREATE TABLE users (id int);\n";
    let cargo = ("Cargo.toml", "[dependencies]\nrefinery = \"0.9\"\n");
    let plan = (
        "sqitch.plan",
        "%syntax-version=1.0.0\n\nz 2024-01-01T00:00:00Z A <a@b> # first\na [z] 2024-01-02T00:00:00Z A <a@b>\n",
    );
    let mark = |up: &str, sql: &str| format!("{up}\n{sql}");
    let cases: Vec<Case<'_>> = vec![
        (
            "sql-migrate",
            vec![
                ("db/1-a.sql", mark("-- +migrate Up", first)),
                ("db/2-b.sql", mark("-- +migrate Up notransaction", index)),
            ],
            false,
        ),
        (
            "sql-migrate",
            vec![
                ("db/1-a.sql", mark("-- +migrate Up", first)),
                ("db/2-b.sql", mark("-- +migrate Up", index)),
            ],
            true,
        ),
        (
            "node-pg-migrate",
            vec![
                ("migrations/1700000000000_a.sql", mark("-- Up Migration", first)),
                ("migrations/1700000000001_b.sql", mark("-- Up Migration", index)),
            ],
            true,
        ),
        (
            "liquibase",
            vec![
                ("db/a.sql", mark("--liquibase formatted sql\n\n--changeset a:1", first)),
                (
                    "db/b.sql",
                    mark("--liquibase formatted sql\n\n--changeset a:2 runInTransaction:false", index),
                ),
            ],
            false,
        ),
        (
            "liquibase",
            vec![
                ("db/a.sql", mark("--liquibase formatted sql\n\n--changeset a:1", first)),
                ("db/b.sql", mark("--liquibase formatted sql\n\n--changeset a:2", index)),
            ],
            true,
        ),
        (
            "supabase",
            vec![
                ("supabase/migrations/20240101000000_a.sql", first.to_owned()),
                ("supabase/migrations/20240102000000_b.sql", index.to_owned()),
            ],
            false,
        ),
        (
            "supabase",
            vec![
                ("supabase/migrations/20240101000000_a.sql", first.to_owned()),
                ("supabase/migrations/20240102000000_b.sql", mark("SELECT 1;", index)),
            ],
            true,
        ),
        (
            "atlas",
            vec![
                ("m/20240101000000_a.sql", first.to_owned()),
                ("m/20240102000000_b.sql", index.to_owned()),
                ("m/atlas.sum", String::new()),
            ],
            true,
        ),
        (
            "atlas",
            vec![
                ("m/20240101000000_a.sql", first.to_owned()),
                ("m/20240102000000_b.sql", mark("-- atlas:txmode none\n", index)),
                ("m/atlas.sum", String::new()),
            ],
            false,
        ),
        (
            "refinery",
            vec![
                (cargo.0, cargo.1.to_owned()),
                ("migrations/V1__a.sql", first.to_owned()),
                ("migrations/U2__b.sql", index.to_owned()),
            ],
            true,
        ),
        (
            "postgrator",
            vec![
                ("migrations/001.do.a.sql", first.to_owned()),
                ("migrations/002.do.b.sql", index.to_owned()),
            ],
            false,
        ),
        (
            "graphile-migrate",
            vec![
                ("migrations/committed/000001.sql", mark("--! Previous: -\n--! Hash: sha1:0\n", first)),
                (
                    "migrations/committed/000002-b.sql",
                    mark("--! Previous: sha1:0\n--! Hash: sha1:1\n", index),
                ),
            ],
            true,
        ),
        (
            "sqitch",
            vec![
                (plan.0, plan.1.to_owned()),
                ("deploy/z.sql", first.to_owned()),
                ("deploy/a.sql", mark("BEGIN;", index) + "COMMIT;\n"),
                ("verify/z.sql", "SELECT 1".to_owned()),
            ],
            true,
        ),
    ];
    for (framework, files, fails) in cases {
        let folder = project(&[POSTGRES]);
        files.iter().for_each(|(path, text)| write(folder.path(), path, text.as_bytes()));
        let output = run(folder.path(), &["check", "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).expect("is JSON");
        let files = report["files"].as_array().expect("a list");
        assert!(
            files.len() == 2 && files.iter().all(|it| it["framework"] == framework),
            "{framework}: {report:#}"
        );
        let rules: Vec<&str> = files
            .iter()
            .flat_map(|it| it["hazards"].as_array().expect("a list"))
            .filter_map(|it| it["rule"].as_str())
            .collect();
        assert_eq!(rules.contains(&"concurrent-in-transaction"), fails, "{framework}: {rules:?}");
        assert!(!rules.contains(&"failing-statement"), "{framework}: the table is made before: {rules:?}");
        assert!(report["unread"].as_array().expect("a list").is_empty(), "{framework}: {}", report["unread"]);
    }
}

#[test]
fn a_comment_over_a_file_of_another_runner_decides_nothing() {
    let text = "-- Up migration\nCREATE TABLE users (id int);";
    let folder = project(&[
        POSTGRES,
        ("migrations/1_a.up.sql", text),
        ("migrations/1_a.down.sql", "DROP TABLE users;"),
    ]);
    let report: Value =
        serde_json::from_slice(&run(folder.path(), &["check", "--format", "json"]).stdout).expect("is JSON");
    assert_eq!((&report["files"][0]["framework"], &report["unread"]), (&json!("golang-migrate"), &json!([])));
}

/// What is written is read, and nothing of it is dangerous; both halves keep a file of their own.
#[test]
fn a_rewrite_is_written_as_the_framework_has_it() {
    for (marker, first, second, undone) in [
        ("-- +migrate Up", "db/1-a.sql", "db/2-b.sql", None),
        ("--liquibase formatted sql\n\n--changeset a:1", "db/1-a.sql", "db/2-b.sql", None),
        ("", "supabase/migrations/20240101000000_a.sql", "supabase/migrations/20240102000000_b.sql", None),
        ("", "m/001.do.a.sql", "m/002.do.b.sql", Some("m/002.undo.b.sql")),
    ] {
        let folder = project(&[POSTGRES]);
        let write = |path: &str, sql: &str| write(folder.path(), path, format!("{marker}\n{sql}").as_bytes());
        write(first, "CREATE TABLE users (id int PRIMARY KEY, name text);\n");
        write(second, "ALTER TABLE users RENAME COLUMN name TO full_name;\n");
        let output = run(folder.path(), &["rewrite", second, "--write"]);
        assert!(output.status.success(), "{second}: {}", String::from_utf8_lossy(&output.stderr));
        let (code, _, unread) = check(folder.path(), &[]);
        assert_eq!((code, unread.as_slice()), (Some(0), &[][..]), "{second}");
        assert!(undone.is_none_or(|path| folder.path().join(path).is_file()), "{second}");
    }
}

/// `afterReset.sql` of Graphile Migrate has the name of a callback of Flyway.
#[test]
fn a_name_that_others_have_too_decides_nothing() {
    let folder = project(&[
        POSTGRES,
        ("migrations/afterReset.sql", "GRANT CONNECT ON DATABASE app TO app;"),
        (
            "migrations/committed/000001.sql",
            "--! Previous: -\n--! Hash: sha1:0\n\nCREATE TABLE users (id int);",
        ),
    ]);
    let report: Value =
        serde_json::from_slice(&run(folder.path(), &["check", "--format", "json"]).stdout).expect("is JSON");
    assert_eq!(report["files"][0]["framework"], "graphile-migrate");
}

#[test]
fn a_folder_that_looks_like_two_frameworks_is_asked_about() {
    let files = [POSTGRES, ("db/1_a.up.sql", "CREATE TABLE users (id int);"), ("db/atlas.sum", "")];
    unread(&files, &[], "db looks like Atlas and like golang-migrate", "framework = \"golang-migrate\"");
    let decided = "dialect = \"postgres\"\n[[migrations]]\npath = \"db\"\nframework = \"golang-migrate\"\n";
    let folder = project(&[("lockkeeper.toml", decided), files[1], files[2]]);
    assert_eq!(check(folder.path(), &[]).0, Some(0));
}
