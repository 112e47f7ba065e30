//! What migrations do on their way back, and several of them in one deploy: the program on folders of files, with a
//! repository and with a live database.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::binaries::lockkeeper;
use crate::cluster::cluster;

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("lockkeeper.toml"), "dialect = \"postgres\"\n").expect("is written");
    write(folder.path(), files);
    folder
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("stands in a folder")).expect("is made");
        std::fs::write(path, text).expect("is written");
    }
}

fn check(folder: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(lockkeeper());
    command.args(["check", ".", "--format", "json"]).args(arguments).current_dir(folder);
    let output = command.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}\n{text}\n{}", String::from_utf8_lossy(&output.stderr)))
}

/// The hazards of the given rules as `file:line direction rule`.
fn hazards(report: &Value, rules: &[&str]) -> Vec<String> {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for file in list(report, "files") {
        for hazard in list(&file, "hazards") {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            if rules.contains(&text(&hazard["rule"]).as_str()) {
                let path = text(&file["path"]);
                let name = path.trim_start_matches("migrations/");
                let place = format!("{name}:{}", hazard["span"]["line"]);
                found.push(format!("{place} {} {}", text(&hazard["direction"]), text(&hazard["rule"])));
            }
        }
    }
    found
}

const BACK: &[&str] = &["irreversible-change", "incomplete-down", "missing-down", "blocking-index-drop"];

#[test]
fn the_way_back_in_its_own_file_knows_the_way_up() {
    let folder = project(&[
        ("migrations/1_users.up.sql", "CREATE TABLE users (id int PRIMARY KEY, name text);"),
        ("migrations/1_users.down.sql", "DROP TABLE users;"),
        ("migrations/2_name.up.sql", "ALTER TABLE users DROP COLUMN name;\nCREATE INDEX i ON users (id);"),
        ("migrations/2_name.down.sql", "\nDROP INDEX i;\nALTER TABLE users ADD COLUMN name varchar(10);"),
        ("migrations/3_age.up.sql", "ALTER TABLE users ADD COLUMN age int;"),
    ]);
    let expected = [
        "2_name.down.sql:2 down incomplete-down",
        "2_name.down.sql:2 down blocking-index-drop",
        "2_name.down.sql:3 down irreversible-change",
        "3_age.up.sql:1 up missing-down",
    ];
    assert_eq!(hazards(&check(folder.path(), &[]), BACK), expected);
}

#[test]
fn the_way_back_below_its_marker_stands_at_its_own_place() {
    let folder = project(&[
        (
            "migrations/00001_a.sql",
            "-- +goose Up\nCREATE TABLE users (id int, name text);\n-- +goose Down\nDROP TABLE users;\n",
        ),
        (
            "migrations/00002_b.sql",
            "-- +goose Up\nALTER TABLE users DROP COLUMN name;\n-- +goose Down\nALTER TABLE users ADD COLUMN name text;\n",
        ),
    ]);
    let report = check(folder.path(), &[]);
    assert_eq!(hazards(&report, BACK), ["00002_b.sql:4 down irreversible-change"]);
    let hazard =
        report["files"][1]["hazards"].as_array().expect("some").iter().find(|it| it["direction"] == "down");
    assert_eq!(hazard.expect("is there")["statement"], 1, "statements are counted through both parts");
}

const TOGETHER: &[&str] = &["contract-with-expand", "discarded-work", "repeated-lock"];

#[test]
fn what_is_new_against_a_revision_is_one_deploy() {
    let folder =
        project(&[("migrations/1_users.up.sql", "CREATE TABLE users (id int PRIMARY KEY, name text);")]);
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "base"]);
    write(
        folder.path(),
        &[
            ("migrations/2_expand.up.sql", "ALTER TABLE users ADD COLUMN full_name text;"),
            ("migrations/3_fill.up.sql", "UPDATE users SET full_name = name WHERE id BETWEEN 1 AND 9;"),
            ("migrations/4_contract.up.sql", "ALTER TABLE users DROP COLUMN name;"),
        ],
    );
    let report = check(folder.path(), &["--since", "main"]);
    assert_eq!(hazards(&report, TOGETHER), ["4_contract.up.sql:1 up contract-with-expand"]);
    assert_eq!(report["pending"].as_array().map(Vec::len), Some(3));
    git(folder.path(), &["add", "migrations/2_expand.up.sql", "migrations/3_fill.up.sql"]);
    git(folder.path(), &["commit", "-q", "-m", "expand"]);
    assert_eq!(hazards(&check(folder.path(), &["--since", "main"]), TOGETHER), [""; 0]);
    assert_eq!(hazards(&check(folder.path(), &[]), TOGETHER), [""; 0], "nobody says what is pending");
}

/// The files of a rewrite say which of them wait for a release.
#[test]
fn a_rewrite_that_is_deployed_at_once_is_noticed() {
    let folder =
        project(&[("migrations/1_users.up.sql", "CREATE TABLE users (id int PRIMARY KEY, name text);")]);
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "base"]);
    write(
        folder.path(),
        &[("migrations/2_rename.up.sql", "ALTER TABLE users RENAME COLUMN name TO full_name;")],
    );
    let mut rewrite = Command::new(lockkeeper());
    rewrite.args(["rewrite", "migrations/2_rename.up.sql", "--write", "--all"]).current_dir(folder.path());
    let output = rewrite.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = hazards(&check(folder.path(), &["--since", "main"]), TOGETHER);
    let contract = found.iter().filter(|it| it.ends_with("up contract-with-expand")).count();
    assert_eq!((contract, found.len()), (1, 1), "{found:?}");
}

/// A schema of Prisma that changed without a migration is said: what was checked is not what will be deployed.
#[test]
fn models_without_a_migration_are_noticed() {
    const SCHEMA: &str =
        "generator client {\n  provider = \"prisma-client-js\"\n}\n\nmodel User {\n  id Int @id\n}\n";
    let folder = project(&[
        ("prisma/schema.prisma", SCHEMA),
        ("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n"),
        ("prisma/migrations/1_users/migration.sql", "CREATE TABLE \"User\" (id int PRIMARY KEY);"),
    ]);
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "base"]);
    let told = |schema: &str| {
        write(folder.path(), &[("prisma/schema.prisma", schema)]);
        let report = check(folder.path(), &["--since", "main"]);
        let problems = report["problems"].as_array().cloned().unwrap_or_default();
        problems.iter().filter(|it| it["path"] == "prisma/schema.prisma").count()
    };
    let changed = SCHEMA.replace("id Int @id\n", "id Int @id\n  name String?\n");
    assert_eq!(told(SCHEMA), 0);
    assert_eq!(told(&SCHEMA.replace("prisma-client-js", "prisma-client")), 0, "no model changed");
    assert_eq!(told(&format!("// users\n{SCHEMA}")), 0, "a comment is no change");
    assert_eq!(told(&changed), 1);
    // A model in another file is the same model.
    let (head, model) = SCHEMA.split_once("model").expect("both");
    write(folder.path(), &[("prisma/user.prisma", &format!("model{model}"))]);
    assert_eq!(told(head), 0);
    std::fs::remove_file(folder.path().join("prisma/user.prisma")).expect("is there");
    assert_eq!(told(head), 1, "the model is gone");
    let migration = ("prisma/migrations/2_name/migration.sql", "ALTER TABLE \"User\" ADD COLUMN name text;");
    write(folder.path(), &[migration]);
    assert_eq!(told(&changed), 0, "the migration is there");
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
    let status = Command::new("git").current_dir(folder).args(identity).args(arguments).status();
    assert!(status.expect("git starts").success(), "{arguments:?}");
}

/// A framework, how it names three files, and what its table holds when the first two have run.
struct Recorded {
    framework: &'static str,
    files: [&'static str; 3],
    table: &'static str,
}

/// The tables as the tools make them, with what they write for two migrations that have run.
const RECORDED: &[Recorded] = &[
    Recorded {
        framework: "golang-migrate",
        files: ["1_a.up.sql", "2_b.up.sql", "3_c.up.sql"],
        table: "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
                INSERT INTO schema_migrations VALUES (2, false)",
    },
    Recorded {
        framework: "dbmate",
        files: ["20240101000000_a.sql", "20240102000000_b.sql", "20240103000000_c.sql"],
        table: "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);
                INSERT INTO schema_migrations VALUES ('20240101000000'), ('20240102000000')",
    },
    Recorded {
        framework: "goose",
        files: ["00001_a.sql", "00002_b.sql", "00003_c.sql"],
        table: "CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL,
                tstamp timestamp DEFAULT now());
                INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (3, true), (3, false)",
    },
    Recorded {
        framework: "sqlx",
        files: ["1_a.sql", "2_b.sql", "3_c.sql"],
        table: "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, success boolean NOT NULL);
                INSERT INTO _sqlx_migrations VALUES (1, 'a', true), (2, 'b', true), (3, 'c', false)",
    },
    Recorded {
        framework: "diesel",
        files: ["2024-01-01-000000_a/up.sql", "2024-01-02-000000_b/up.sql", "2024-01-03-000000_c/up.sql"],
        table: "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp DEFAULT now());
                INSERT INTO __diesel_schema_migrations VALUES ('20240101000000'), ('20240102000000')",
    },
    Recorded {
        framework: "flyway",
        files: ["V1__a.sql", "V1.1__b.sql", "V2__c.sql"],
        table: "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description text,
                type varchar(20) NOT NULL, success boolean NOT NULL);
                INSERT INTO flyway_schema_history VALUES (1, '1', 'a', 'SQL', true), (2, '1.1', 'b', 'SQL', true),
                (3, NULL, 'r', 'SQL', true), (4, '2', 'c', 'SQL', true), (5, '2', 'c', 'UNDO_SQL', true)",
    },
    Recorded {
        framework: "prisma",
        files: ["20240101000000_a/migration.sql", "20240102000000_b/migration.sql", "20240103000000_c/migration.sql"],
        table: "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, migration_name varchar(255) NOT NULL,
                finished_at timestamptz, rolled_back_at timestamptz);
                INSERT INTO _prisma_migrations VALUES ('1', '20240101000000_a', now(), NULL), ('2', '20240102000000_b', now(), NULL),
                ('3', '20240103000000_c', now(), now())",
    },
];

#[test]
fn what_the_migrations_table_does_not_list_is_pending() {
    for Recorded { framework, files, table } in RECORDED {
        let text = match *framework {
            "goose" => "-- +goose Up\nSELECT 1;\n",
            "dbmate" => "-- migrate:up\nSELECT 1;\n",
            _ => "SELECT 1;\n",
        };
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "dialect = \"postgres\"\n[[migrations]]\npath = \"migrations\"\nframework = \"{framework}\"\n"
        );
        std::fs::write(folder.path().join("lockkeeper.toml"), config).expect("is written");
        for file in files {
            write(folder.path(), &[(&format!("migrations/{file}"), text)]);
        }
        let database = cluster().database();
        let pending = |expected: &[&str]| {
            let report = check(folder.path(), &["--database-url", &cluster().url(database.name())]);
            let expected: Vec<Value> =
                expected.iter().map(|file| format!("migrations/{file}").into()).collect();
            assert_eq!(report["pending"], Value::Array(expected), "{framework}");
        };
        pending(files);
        database.run(table);
        pending(&files[2..]);
    }
}

#[test]
fn a_database_that_is_not_there_is_said_without_its_password() {
    let folder = project(&[("migrations/1_a.up.sql", "SELECT 1;")]);
    let mut command = Command::new(lockkeeper());
    command
        .args(["check", "--database-url", "postgres://shop:hunter2@127.0.0.1:1/shop"])
        .current_dir(folder.path());
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("cannot be asked") && !said.contains("hunter2"), "{said}");
}
