//! Small repositories, written to disk for each test: recognition, problems, git.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::{Expect, expect};
use lockkeeper_project::discover::{Place, alone};
use lockkeeper_project::git::since;
use lockkeeper_project::references::references;
use lockkeeper_project::target::target;
use lockkeeper_project::{Project, open};

struct Repository {
    root: PathBuf,
}

impl Repository {
    /// An empty folder of its own for the test of this name.
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).expect("a folder for the test");
        let repository = Self { root };
        files.iter().for_each(|(path, text)| repository.write(path, text.as_bytes()));
        repository
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    fn open(&self) -> Project {
        open(&self.root).expect("can be opened")
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").arg("-C").arg(&self.root).args(identity).args(arguments).output();
        assert!(output.is_ok_and(|it| it.status.success()), "git {arguments:?}");
    }
}

#[track_caller]
fn check(name: &str, files: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&summary(&Repository::new(name, files).open()));
}

fn summary(project: &Project) -> String {
    let mut lines = Vec::new();
    for folder in &project.folders {
        let engine = folder.dialect.map(|it| it.id()).or(folder.foreign).unwrap_or("?");
        lines.push(format!("{}: {} {engine} ({})", folder.path, folder.framework.id, folder.dialect_source));
        for migration in &folder.migrations {
            let files: Vec<&str> = migration.files.iter().filter_map(|it| folder.inside(&it.path)).collect();
            lines.push(format!("  {} {}: {}", migration.version.text, migration.name, files.join(" ")));
        }
        lines.extend(folder.all_problems().map(|it| format!("  ! {}: {}", it.path, it.message)));
    }
    lines.extend(project.problems.iter().map(|it| format!("! {}: {}", it.path, it.message)));
    lines.extend(
        project.not_analysed.iter().map(|it| format!("not analysed {}: {} {}", it.path, it.files, it.what)),
    );
    lines.join("\n")
}

#[test]
fn sqlx_is_told_from_golang_migrate_by_its_manifest() {
    let files = [
        ("api/Cargo.toml", "[dependencies]\nsqlx = { version = \"0.8\", features = [\"postgres\"] }\n"),
        ("api/migrations/1_a.up.sql", "SELECT 1;"),
        ("api/migrations/1_a.down.sql", "SELECT 1;"),
        ("db/migrations/000002_a.up.sql", "ALTER TABLE a ADD b SERIAL;"),
        ("db/migrations/000010_b.up.sql", "SELECT 1;"),
    ];
    check(
        "sqlx",
        &files,
        expect![[r#"
        api/migrations: sqlx postgres (api/Cargo.toml)
          1 a: 1_a.up.sql 1_a.down.sql
        db/migrations: golang-migrate postgres (the SQL: SERIAL)
          000002 a: 000002_a.up.sql
          000010 b: 000010_b.up.sql"#]],
    );
}

#[test]
fn nothing_wrong_is_lost_in_silence() {
    let repository = Repository::new(
        "problems",
        &[
            ("db/migrations/0001_a.up.sql", "SELECT 1;"),
            ("db/migrations/0001_a.down.sql", ""),
            ("db/migrations/0002_b.up.sql", "SELECT 1;"),
            ("db/migrations/0002_c.up.sql", "SELECT 1;"),
            ("db/migrations/0003_d.down.sql", "SELECT 1;"),
            ("db/migrations/0005_f.sql/x", ""),
            ("db/migrations/notes.sql", "SELECT 1;"),
            ("db/migrations/0006_g.go", "package migrations"),
        ],
    );
    repository.write("db/migrations/0004_e.up.sql", b"SELECT '\xff';");
    expect![[r#"
        db/migrations: golang-migrate ? (nothing shows the engine)
          0001 a: 0001_a.up.sql 0001_a.down.sql
          0002 b: 0002_b.up.sql
          0002 c: 0002_c.up.sql
          0003 d: 0003_d.down.sql
          0004 e: 
          ! db/migrations/0006_g.go: is a migration in code, which is not analysed
          ! db/migrations/notes.sql: is not named as golang-migrate wants it, so it never runs
          ! db/migrations: nothing shows which engine this is for, so it is taken for PostgreSQL
          ! db/migrations/0005_f.sql: is a directory named like a SQL file
          ! db/migrations/0001_a.down.sql: is empty
          ! db/migrations/0002_b.up.sql: has the same version 0002 as db/migrations/0002_c.up.sql
          ! db/migrations/0002_c.up.sql: has the same version 0002 as db/migrations/0002_b.up.sql
          ! db/migrations/0003_d.down.sql: goes down but nothing goes up
          ! db/migrations/0004_e.up.sql: cannot be read: byte 8 is not UTF-8"#]]
    .assert_eq(&summary(&repository.open()));
}

#[test]
fn the_configuration_names_what_is_not_recognised() {
    let config = "[[migrations]]\npath = \"sql\"\nframework = \"golang-migrate\"\ndialect = \"mysql\"\n\
                  [[migrations]]\npath = \"gone\"\n";
    check(
        "configured",
        &[("lockkeeper.toml", config), ("sql/1_a.up.sql", "SELECT 1;")],
        expect![[r#"
            gone: plain ? (nothing shows the engine)
              ! gone: holds no migrations
              ! gone: nothing shows which engine this is for, so it is taken for PostgreSQL
            sql: golang-migrate mysql (lockkeeper.toml)
              1 a: 1_a.up.sql
            not analysed sql: 1 MySQL (golang-migrate)"#]],
    );
}

#[test]
fn flyway_folders_of_years_are_one_location() {
    let files = [
        ("src/main/resources/db/migration/2024/V1.9__a.sql", "SELECT 1;"),
        ("src/main/resources/db/migration/2025/V1.10__b.sql", "SELECT 1;"),
        ("src/main/resources/db/migration/2025/V1.10__b.sql.conf", "executeInTransaction=false"),
        ("src/main/resources/db/migration/R__views.sql", "SELECT 1;"),
        ("src/main/resources/db/migration/U1.9__a.sql", "SELECT 1;"),
    ];
    check(
        "flyway",
        &files,
        expect![[r#"
            src/main/resources/db/migration: flyway ? (nothing shows the engine)
              1.9 a: 2024/V1.9__a.sql U1.9__a.sql
              1.10 b: 2025/V1.10__b.sql
               views: R__views.sql
              ! src/main/resources/db/migration: nothing shows which engine this is for, so it is taken for PostgreSQL"#]],
    );
}

#[test]
fn code_migrations_are_said_to_be_left_out() {
    let files = [
        ("db/migrate/20240101000000_a.rb", ""),
        ("app/migrations/0001_initial.py", ""),
        ("alembic/versions/abc_a.py", ""),
        ("priv/repo/migrations/20240101000000_a.exs", ""),
        ("server/migrations/20240101000000-a.js", ""),
    ];
    check(
        "code",
        &files,
        expect![[r#"
            not analysed alembic/versions: 1 Alembic
            not analysed app/migrations: 1 Django
            not analysed db/migrate: 1 Rails
            not analysed priv/repo/migrations: 1 Ecto
            not analysed server/migrations: 1 migrations in JavaScript"#]],
    );
}

#[test]
fn ignored_files_are_not_seen() {
    let files = [
        ("lockkeeper.toml", "ignore = [\"old/**\"]\n"),
        (".gitignore", "build/\n"),
        ("build/migrations/1_a.sql", "-- +goose Up\n"),
        ("old/migrations/1_a.sql", "-- +goose Up\n"),
        ("node_modules/x/migrations/1_a.sql", "-- +goose Up\n"),
        ("migrations/1_a.sql", "-- +goose Up\nSELECT 1;\n"),
    ];
    check(
        "ignored",
        &files,
        expect![[r#"
            migrations: goose ? (nothing shows the engine)
              1 a: 1_a.sql
              ! migrations: nothing shows which engine this is for, so it is taken for PostgreSQL"#]],
    );
}

#[test]
fn the_scheme_of_an_example_environment_shows_the_engine() {
    let files = [
        (".env.example", "DATABASE_URL=mysql://shop:hunter2@localhost/shop\n"),
        ("db/migrations/1_a.sql", "-- migrate:up\nSELECT 1;\n"),
    ];
    check(
        "environment",
        &files,
        expect![[r#"
            db/migrations: dbmate mysql (.env.example)
              1 a: 1_a.sql
            not analysed db/migrations: 1 MySQL (dbmate)"#]],
    );
}

#[test]
fn a_version_is_found_where_it_is_stated() {
    let source = |files: &[(&str, &str)]| {
        let mut all = vec![("migrations/1_a.sql", "-- +goose Up\nSELECT 1::bigserial;\n")];
        all.extend(files);
        let project = Repository::new("versions", &all).open();
        let target = target(&project, &project.folders[0]);
        format!("{} {}", target.version.major, target.source)
    };
    assert_eq!(source(&[]), "15 default");
    let workflow = (".github/workflows/ci.yml", "x:\n  image: postgres:16\n");
    assert_eq!(source(&[workflow]), "16 .github/workflows/ci.yml:2");
    assert_eq!(source(&[workflow, ("compose.yaml", "image: pgvector/pgvector:pg17\n")]), "17 compose.yaml:1");
    assert_eq!(source(&[workflow, ("lockkeeper.toml", "target-version = 13\n")]), "13 lockkeeper.toml:1");
}

#[test]
fn a_lone_file_is_divided_by_its_markers() {
    assert_eq!(alone("x.sql", "-- +goose Up\nSELECT 1;").0.id, "goose");
    assert_eq!(alone("stdin", "SELECT 1;").0.id, "plain");
    let project = Repository::new("lone", &[("a.sql", "SELECT 1;")]).open();
    assert!(matches!(project.classify_file(Path::new("a.sql")), Place::Alone));
    assert!(project.folders.is_empty());
}

#[test]
fn what_is_not_searched_is_said() {
    let repository = Repository::new("skipped", &[("a.ts", "db(`SELECT name FROM users`);")]);
    repository.write("b.bin", b"users name \0");
    repository.write("c.ts", "// users\n".repeat(300_000).as_bytes());
    let found = references(&repository.open(), "users", Some("name"));
    assert_eq!(found.references.len(), 1);
    assert_eq!(found.skipped, [("b.bin".to_owned(), "not a text"), ("c.ts".to_owned(), "larger than 2 MB")]);
}

#[test]
fn git_says_what_changed() {
    let repository = Repository::new("git", &[("a.sql", "1"), ("b.sql", "1"), ("c.sql", "1")]);
    repository.git(&["init", "--quiet", "--initial-branch=main"]);
    repository.git(&["add", "."]);
    repository.git(&["commit", "--quiet", "--message=one"]);
    repository.git(&["switch", "--quiet", "--create", "work"]);
    repository.write("b.sql", b"2");
    repository.git(&["commit", "--quiet", "--all", "--message=two"]);
    repository.write("new é.sql", b"3");
    std::fs::remove_file(repository.root.join("c.sql")).expect("is there");
    assert_eq!(since(&repository.root, "main").expect("is known"), ["b.sql", "new é.sql"]);
    let error = since(&repository.root, "--output=x").expect_err("is no revision").to_string();
    assert!(error.starts_with("git does not know the revision `--output=x`"), "{error}");
    assert!(!repository.root.join("x").exists());
}
