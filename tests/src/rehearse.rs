//! `lockkeeper rehearse` on a real server: what it shows of the example, what it contains, and that nothing is left.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::binaries::{lockkeeper, root};
use crate::surfaces::copy;

const RENAME: &str = "db/migrations/20260114100000_rename_user_name.sql";

/// A project, and a folder of its own for what is temporary: what is left in it was left by the rehearsal.
struct Stage {
    folder: TempDir,
}

impl Stage {
    fn empty() -> Stage {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let temporary = folder.path().join("tmp");
        std::fs::create_dir(&temporary).expect("can be made");
        // The server has another account where the tests run as root.
        for open in [folder.path(), &temporary] {
            std::fs::set_permissions(open, std::fs::Permissions::from_mode(0o777)).expect("is ours");
        }
        Stage { folder }
    }

    fn shop() -> Stage {
        let stage = Stage::empty();
        copy(&root().join("examples/shop"), &stage.project());
        stage
    }

    /// A project of plain files, each with its text.
    fn of(files: &[(&str, &str)]) -> Stage {
        let stage = Stage::empty();
        let migrations = stage.project().join("migrations");
        std::fs::create_dir_all(&migrations).expect("can be made");
        std::fs::write(stage.project().join("lockkeeper.toml"), "dialect = \"postgres\"\n")
            .expect("is written");
        for (name, text) in files {
            std::fs::write(migrations.join(name), text).expect("is written");
        }
        stage
    }

    fn project(&self) -> std::path::PathBuf {
        self.folder.path().join("project")
    }

    fn temporary(&self) -> std::path::PathBuf {
        self.folder.path().join("tmp")
    }

    fn command(&self, file: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(lockkeeper());
        command.args(["rehearse", file, "--format", "json"]).args(arguments);
        command.current_dir(self.project()).env("TMPDIR", self.temporary());
        command.env("LOCKKEEPER_STATE_DIR", self.folder.path().join("state"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[track_caller]
    fn rehearse(&self, file: &str, arguments: &[&str]) -> (Option<i32>, Value, String) {
        let output = self.command(file, arguments).output().expect("it starts");
        self.leaves_nothing();
        told(&output)
    }

    /// No folder, and no process that has one open.
    #[track_caller]
    fn leaves_nothing(&self) {
        let start = Instant::now();
        let mut left = left(&self.temporary());
        while !left.is_empty() && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
            left = self::left(&self.temporary());
        }
        assert!(left.is_empty(), "{left:?}");
    }
}

fn told(output: &Output) -> (Option<i32>, Value, String) {
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), report, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn left(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("is ours").flatten();
    let mut left: Vec<String> = entries.map(|it| it.path().display().to_string()).collect();
    for process in std::fs::read_dir("/proc").expect("Linux").flatten() {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&folder.display().to_string()) {
            left.push(line);
        }
    }
    left
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value[key].as_array().cloned().unwrap_or_default()
}

/// The SQLSTATE of each failure of a release.
fn states(report: &Value, release: &str) -> Vec<String> {
    let errors = list(report, "errors");
    let of_release = errors.iter().filter(|it| it["release"] == release);
    of_release.map(|it| it["sqlstate"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_rename_as_it_is_written_breaks_the_running_release() {
    let (code, report, said) = Stage::shop().rehearse(RENAME, &["--rows", "300"]);
    assert_eq!(code, Some(1), "{said}{report:#}");
    assert_eq!((report["version"].as_u64(), report["verdict"].as_str()), (Some(1), Some("block")));
    assert_eq!(report["rows"]["public.users"], 300, "{report:#}");
    // Read, insert and update name the column that is gone; other columns are updated as before.
    assert_eq!(states(&report, "running release"), ["42703", "42703", "42703"], "{report:#}");
    assert_eq!(states(&report, "next release"), [""; 0], "{report:#}");
    let locks = list(&report["steps"][0], "locks");
    let lock = locks.iter().find(|it| it["relation"] == "public.users").expect("it locks the table");
    assert_eq!(lock["mode"], "ACCESS EXCLUSIVE");
    assert_eq!(list(&report, "unfilled"), [Value::Null; 0]);
}

#[test]
fn the_rename_rewritten_breaks_nobody_and_leads_back() {
    let (code, report, said) = Stage::shop().rehearse(RENAME, &["--rewritten", "--rows", "300"]);
    assert_eq!(code, Some(0), "{said}{report:#}");
    assert_eq!((list(&report, "errors"), list(&report, "differences")), (Vec::new(), Vec::new()));
    let steps = list(&report, "steps");
    let of = |direction: &str| steps.iter().filter(|it| it["direction"] == direction).count();
    assert!(of("up") >= 5 && of("down") == of("up") && of("up again") == of("up"), "{report:#}");
    // Each step had clients beside it, and the last one those of the new release.
    let up: Vec<&Value> = steps.iter().filter(|it| it["direction"] == "up").collect();
    assert!(up.iter().all(|it| it["longest_wait"]["milliseconds"].is_u64()), "{report:#}");
    assert_eq!(up[0]["releases"], serde_json::json!(["running release"]));
    assert_eq!(up[up.len() - 1]["releases"], serde_json::json!(["next release"]));
}

/// What a lock does to clients is seen, and too long a wait is a failure.
#[test]
fn a_long_lock_is_a_long_wait() {
    let stage = Stage::of(&[
        ("1_users.sql", "CREATE TABLE users (id int PRIMARY KEY, name text);"),
        ("2_slow.sql", "BEGIN; LOCK TABLE users; SELECT pg_sleep(0.7); COMMIT;"),
    ]);
    let (code, report, said) =
        stage.rehearse("migrations/2_slow.sql", &["--rows", "50", "--max-wait", "300"]);
    assert_eq!(code, Some(1), "{said}{report:#}");
    let step = &report["steps"][0];
    assert!(step["longest_wait"]["milliseconds"].as_u64() >= Some(500), "{report:#}");
    let held = list(step, "locks").iter().find(|it| it["mode"] == "ACCESS EXCLUSIVE").cloned();
    assert!(held.is_some_and(|it| it["milliseconds"].as_u64() >= Some(500)), "{report:#}");
    assert_eq!(list(&report, "errors"), [Value::Null; 0], "nothing failed, it only waited");
    let (code, ..) = stage.rehearse("migrations/2_slow.sql", &["--rows", "50", "--max-wait", "5000"]);
    assert_eq!(code, Some(0));
}

/// What clients write between two statements of the migration is put back by the second one. Without clients nothing is lost.
#[test]
fn lost_writes_are_seen() {
    let loses = "CREATE TABLE saved AS SELECT id, name FROM users;
        SELECT pg_sleep(0.7);
        UPDATE users SET name = saved.name FROM saved WHERE saved.id = users.id;
        DROP TABLE saved;";
    let schema = "CREATE TABLE users (id int PRIMARY KEY, name text, age int);";
    let stage = Stage::of(&[("1_users.sql", schema), ("2_x.sql", loses)]);
    let (code, report, said) = stage.rehearse("migrations/2_x.sql", &["--rows", "500"]);
    assert_eq!(code, Some(1), "{said}{report:#}");
    let differences = list(&report, "differences");
    let what = |it: &Value| it["what"].as_str().unwrap_or_default().to_owned();
    assert!(differences.iter().any(|it| what(it).contains("public.users.name")), "{report:#}");
    assert!(!differences.iter().any(|it| what(it).contains("public.users.age")), "{report:#}");
}

/// A migration, the exit code, and what is said.
const HOSTILE: &[(&str, i32, &str)] = &[
    ("DROP SCHEMA public CASCADE;", 1, ""),
    ("COPY users TO PROGRAM 'touch tmp/pwned';", 2, "42501"),
    ("COPY users FROM '/etc/passwd';", 2, "42501"),
    ("SET statement_timeout = 0; DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$;", 2, "--max-time"),
    ("ALTER SYSTEM SET listen_addresses = '*';", 2, "42501"),
    ("SET ROLE postgres; ALTER ROLE postgres SUPERUSER;", 2, "42501"),
    ("SET ROLE lockkeeper_admin;", 2, "42501"),
    ("GRANT pg_execute_server_program TO postgres;", 2, "42501"),
    ("CREATE EXTENSION dblink;", 2, "42501"),
    (
        "CREATE TABLE big AS SELECT repeat(md5(g::text), 200) AS t FROM generate_series(1, 5000000) g;",
        2,
        "--max-disk",
    ),
];

#[test]
fn hostile_migrations_are_contained() {
    for (sql, code, message) in HOSTILE {
        let stage = Stage::of(&[
            ("1_users.sql", "CREATE TABLE users (id int PRIMARY KEY, name text);"),
            ("2_x.sql", sql),
        ]);
        let time = if *message == "--max-time" { "12" } else { "120" };
        let limits = ["--rows", "20", "--max-time", time, "--max-disk", "200"];
        let (found, report, said) = stage.rehearse("migrations/2_x.sql", &limits);
        assert_eq!(found, Some(*code), "{sql}: {said}{report:#}");
        assert!(said.contains(message), "{sql}: {said}");
    }
}

/// Clients whose sessions are ended fail, and go on in new ones.
#[test]
fn terminated_clients_are_seen_to_fail() {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid();";
    let stage = Stage::of(&[
        ("1_users.sql", "CREATE TABLE users (id int PRIMARY KEY, name text);"),
        ("2_x.sql", sql),
    ]);
    // The table must be touched for clients to be there.
    let file = stage.project().join("migrations/2_x.sql");
    std::fs::write(file, format!("ALTER TABLE users ADD COLUMN age int; {sql}")).expect("is written");
    let (code, report, said) = stage.rehearse("migrations/2_x.sql", &["--rows", "20"]);
    assert_eq!(code, Some(1), "{said}{report:#}");
    let states = states(&report, "running release");
    assert!(
        !states.is_empty() && states.iter().all(|it| it.starts_with("57P") || it == "08000"),
        "{report:#}"
    );
}

/// Without rows it would go through.
#[test]
fn a_migration_that_fails_on_rows_is_no_usage_error() {
    let stage = Stage::of(&[
        ("1_users.sql", "CREATE TABLE users (id int PRIMARY KEY, name text);"),
        ("2_age.sql", "ALTER TABLE users ADD COLUMN age int NOT NULL;"),
    ]);
    let (code, report, said) = stage.rehearse("migrations/2_age.sql", &["--rows", "50"]);
    assert_eq!(code, Some(1), "{said}{report:#}");
    let errors = list(&report, "errors");
    let own: Vec<&Value> = errors.iter().filter(|it| it["release"].is_null()).collect();
    assert_eq!(own.len(), 1, "{report:#}");
    assert_eq!((&own[0]["sqlstate"], &own[0]["place"]), (&"23502".into(), &"migrations/2_age.sql:1".into()));
}

#[test]
fn a_history_that_fails_is_said() {
    let stage = Stage::of(&[
        ("1_users.sql", "CREATE TABLE users (id int PRIMARY KEY);\nALTER TABLE orders ADD COLUMN x int;"),
        ("2_age.sql", "ALTER TABLE users ADD COLUMN age int;"),
    ]);
    let (code, _, said) = stage.rehearse("migrations/2_age.sql", &[]);
    assert_eq!(code, Some(2));
    for part in ["history", "migrations/1_users.sql:2", "ALTER TABLE orders", "42P01"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_program_that_is_ended_leaves_nothing() {
    let stage =
        Stage::of(&[("1_users.sql", "CREATE TABLE users (id int);"), ("2_x.sql", "SELECT pg_sleep(60);")]);
    for signal in ["-KILL", "-TERM", "-INT"] {
        let mut child = stage.command("migrations/2_x.sql", &[]).spawn().expect("it starts");
        let start = Instant::now();
        let runs = || left(&stage.temporary()).iter().any(|it| it.contains("postgres -D data"));
        while !runs() {
            assert!(start.elapsed() < Duration::from_secs(60), "no server was started");
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(status.expect("there is kill").success());
        assert!(!child.wait().expect("it is ours").success());
        stage.leaves_nothing();
    }
}

#[test]
fn what_a_dead_machine_left_is_removed() {
    let stage = Stage::of(&[("1_users.sql", "CREATE TABLE users (id int);"), ("2_x.sql", "SELECT 1;")]);
    // No process has this number.
    let old = stage.temporary().join("lockkeeper-rehearse-4194999-abc/data");
    std::fs::create_dir_all(&old).expect("can be made");
    let (code, report, said) = stage.rehearse("migrations/2_x.sql", &["--rows", "10"]);
    assert_eq!(code, Some(0), "{said}{report:#}");
}

#[test]
fn without_a_server_the_way_to_one_is_said() {
    let (code, _, said) = Stage::shop().rehearse(RENAME, &["--bin-dir", "/nowhere"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("/nowhere") && said.contains("--bin-dir"), "{said}");
}

const AWKWARD: &str = include_str!("rehearse/awkward.sql");

/// Every kind of column, key and condition gets rows, the same for the same seed.
#[test]
fn awkward_schemas_are_filled() {
    let tables = AWKWARD.matches("CREATE TABLE ").count() - AWKWARD.matches("PARTITION OF").count();
    let touch: Vec<String> = AWKWARD
        .lines()
        .filter(|it| it.starts_with("CREATE TABLE ") && !it.contains("PARTITION OF"))
        .filter_map(|it| it.strip_prefix("CREATE TABLE ")?.split(" (").next())
        .map(|it| format!("ALTER TABLE {it} ADD COLUMN added int;"))
        .collect();
    let stage = Stage::of(&[("1_schema.sql", AWKWARD), ("2_touch.sql", &touch.join("\n"))]);
    let (code, report, said) = stage.rehearse("migrations/2_touch.sql", &["--rows", "400", "--seed", "7"]);
    assert_eq!(code, Some(0), "{said}{report:#}");
    assert_eq!(list(&report, "unfilled"), [Value::Null; 0], "{report:#}");
    let rows = report["rows"].as_object().cloned().unwrap_or_default();
    assert_eq!(rows.len(), tables, "{report:#}");
    assert!(rows.values().all(|it| it.as_u64() > Some(0)), "{rows:#?}");
}
