//! Rewrites spelled as files: where they stand in each framework's folder, and that none takes another's path.

use std::collections::BTreeSet;
use std::path::Path;

use expect_test::{Expect, expect};
use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::mechanics::Answers;
use lockkeeper_core::plan::Way;
use lockkeeper_core::statement::{Script, Statement};
use lockkeeper_project::rewrite::Rewrite;
use lockkeeper_project::{analysis, open, rewrite};

const SCHEMA: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);";
const CHANGE: &str = "ALTER TABLE users ALTER COLUMN name SET NOT NULL;";

/// The rewrite of a migration in a project of these files.
fn rewritten(name: &str, config: &str, files: &[(&str, &str)], change: &str, way: Way) -> Rewrite {
    tried(name, config, files, change, way).expect("can be rewritten")
}

/// The same, or why there is none.
fn tried(
    name: &str,
    config: &str,
    files: &[(&str, &str)],
    change: &str,
    way: Way,
) -> Result<Rewrite, rewrite::RewriteError> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rewrite-{name}"));
    let _ = std::fs::remove_dir_all(&root);
    for (path, text) in files.iter().chain(&[("lockkeeper.toml", config)]) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let project = open(&root).expect("can be opened");
    let policies = analysis::policies(&project, None);
    let file = analysis::check_path(&project, &root.join(change), None, &policies).expect("is a migration");
    let now = Timestamp { year: 2026, month: 2, day: 3, hour: 4, minute: 5, second: 6 };
    rewrite::rewrite(&project, &file, way, &Answers::new(), now)
}

/// The files of a rewrite, in order; those that replace one that is there with a star.
#[track_caller]
fn check(name: &str, config: &str, files: &[(&str, &str)], change: &str, expected: Expect) {
    let rewrite = rewritten(name, config, files, change, Way::Triggers);
    let paths: BTreeSet<&str> = rewrite.files.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths.len(), rewrite.files.len(), "{name}: one path for two files");
    let star = |replaces| if replaces { " *" } else { "" };
    let lines: Vec<String> =
        rewrite.files.iter().map(|it| format!("{}{}\n", it.path, star(it.replaces))).collect();
    expected.assert_eq(&lines.concat());
}

const POSTGRES: &str = "dialect = \"postgres\"\ntarget-version = 15\n";

#[test]
fn a_plain_file_tells_its_way_back() {
    let files = [("migrations/001_schema.sql", SCHEMA), ("migrations/002_change.sql", CHANGE)];
    check(
        "plain",
        POSTGRES,
        &files,
        "migrations/002_change.sql",
        expect![[r#"
            migrations/002_change.sql *
            migrations/003_users_name_not_null_validate.sql
            migrations/004_users_name_not_null_set.sql
        "#]],
    );
}

#[test]
fn halves_of_golang_migrate_are_replaced_each_by_its_own() {
    let files = [
        ("migrations/000001_schema.up.sql", SCHEMA),
        ("migrations/000001_schema.down.sql", "DROP TABLE users;"),
        ("migrations/000002_change.up.sql", CHANGE),
        ("migrations/000002_change.down.sql", "ALTER TABLE users ALTER COLUMN name DROP NOT NULL;"),
    ];
    check(
        "golang-migrate",
        POSTGRES,
        &files,
        "migrations/000002_change.up.sql",
        expect![[r#"
            migrations/000002_change.up.sql *
            migrations/000002_change.down.sql *
            migrations/000003_users_name_not_null_validate.up.sql
            migrations/000003_users_name_not_null_validate.down.sql
            migrations/000004_users_name_not_null_set.up.sql
            migrations/000004_users_name_not_null_set.down.sql
        "#]],
    );
}

#[test]
fn a_simple_migration_of_sqlx_stays_simple() {
    let files = [
        ("Cargo.toml", "[dependencies]\nsqlx = { features = [\"postgres\"] }\n"),
        ("migrations/20250101000000_schema.sql", SCHEMA),
        ("migrations/20250102000000_change.sql", CHANGE),
    ];
    check(
        "sqlx",
        POSTGRES,
        &files,
        "migrations/20250102000000_change.sql",
        expect![[r#"
            migrations/20250102000000_change.sql *
            migrations/20260203040506_users_name_not_null_validate.sql
            migrations/20260203040507_users_name_not_null_set.sql
        "#]],
    );
}

#[test]
fn a_migration_of_flyway_is_taken_back_under_another_letter() {
    let files = [("db/migration/V1__schema.sql", SCHEMA), ("db/migration/V2.1__change.sql", CHANGE)];
    check(
        "flyway",
        POSTGRES,
        &files,
        "db/migration/V2.1__change.sql",
        expect![[r#"
            db/migration/V2.1__change.sql *
            db/migration/U2.1__change.sql
            db/migration/V2.2__users_name_not_null_validate.sql
            db/migration/U2.2__users_name_not_null_validate.sql
            db/migration/V2.3__users_name_not_null_set.sql
            db/migration/U2.3__users_name_not_null_set.sql
        "#]],
    );
}

#[test]
fn the_settings_of_a_migration_of_flyway_stand_beside_it() {
    let files = [
        ("db/migration/V1__schema.sql", SCHEMA),
        ("db/migration/V2__change.sql", "CREATE INDEX users_name ON users (name);"),
    ];
    check(
        "flyway-settings",
        POSTGRES,
        &files,
        "db/migration/V2__change.sql",
        expect![[r#"
        db/migration/V2__change.sql *
        db/migration/U2__change.sql
        db/migration/V2__change.sql.conf
        db/migration/U2__change.sql.conf
    "#]],
    );
}

#[test]
fn one_file_of_goose_holds_both_ways() {
    let schema = format!("-- +goose Up\n{SCHEMA}\n-- +goose Down\nDROP TABLE users;\n");
    let change = format!("-- +goose Up\n{CHANGE}\n-- +goose Down\nSELECT 1;\n");
    let files = [
        ("migrations/20250101000000_schema.sql", schema.as_str()),
        ("migrations/20250102000000_change.sql", change.as_str()),
    ];
    check(
        "goose",
        POSTGRES,
        &files,
        "migrations/20250102000000_change.sql",
        expect![[r#"
            migrations/20250102000000_change.sql *
            migrations/20260203040506_users_name_not_null_validate.sql
            migrations/20260203040507_users_name_not_null_set.sql
        "#]],
    );
}

#[test]
fn folders_of_prisma_and_diesel_are_folders() {
    let files = [
        ("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n"),
        ("prisma/migrations/20250101000000_schema/migration.sql", SCHEMA),
        ("prisma/migrations/20250102000000_change/migration.sql", CHANGE),
    ];
    check(
        "prisma",
        POSTGRES,
        &files,
        "prisma/migrations/20250102000000_change/migration.sql",
        expect![[r#"
            prisma/migrations/20250102000000_change/migration.sql *
            prisma/migrations/20250102000000_change/down.sql
            prisma/migrations/20260203040506_users_name_not_null_validate/migration.sql
            prisma/migrations/20260203040506_users_name_not_null_validate/down.sql
            prisma/migrations/20260203040507_users_name_not_null_set/migration.sql
            prisma/migrations/20260203040507_users_name_not_null_set/down.sql
        "#]],
    );
    let files = [
        ("diesel.toml", "[migrations_directory]\ndir = \"migrations\"\n"),
        ("migrations/2025-01-01-000000_schema/up.sql", SCHEMA),
        ("migrations/2025-01-01-000000_schema/down.sql", "DROP TABLE users;"),
        ("migrations/2025-01-02-000000_change/up.sql", CHANGE),
        ("migrations/2025-01-02-000000_change/down.sql", "SELECT 1;"),
    ];
    check(
        "diesel",
        POSTGRES,
        &files,
        "migrations/2025-01-02-000000_change/up.sql",
        expect![[r#"
            migrations/2025-01-02-000000_change/up.sql *
            migrations/2025-01-02-000000_change/down.sql *
            migrations/2026-02-03-040506_users_name_not_null_validate/up.sql
            migrations/2026-02-03-040506_users_name_not_null_validate/down.sql
            migrations/2026-02-03-040507_users_name_not_null_set/up.sql
            migrations/2026-02-03-040507_users_name_not_null_set/down.sql
        "#]],
    );
}

/// The hazard is of the whole statement, not of one of its subcommands.
#[test]
fn a_statement_on_a_second_table_gets_a_transaction_of_its_own() {
    let files = [
        (
            "migrations/1_schema.sql",
            "-- +goose Up\nCREATE TABLE a (id int);\nCREATE TABLE b (id int);\n-- +goose Down\n",
        ),
        (
            "migrations/2_change.sql",
            "-- +goose Up\nSET lock_timeout = '2s';\nALTER TABLE a ADD x int, ADD y int;\nALTER TABLE b ADD x int, ADD y int;\n-- +goose Down\n",
        ),
    ];
    check(
        "two-tables",
        POSTGRES,
        &files,
        "migrations/2_change.sql",
        expect![[r#"
            migrations/2_change.sql *
            migrations/3_change_2.sql
        "#]],
    );
}

/// What leaves the transaction stands alone, the way back is the developer's, and rows that the server refuses are counted before.
/// Of several tables in one transaction each is closed by itself; what is about one of them goes together.
#[test]
fn statements_that_stay_close_one_table_at_a_time() {
    let tables = "CREATE TABLE a (id int PRIMARY KEY, x text); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY); \
                  CREATE TABLE d (id int PRIMARY KEY, a int CONSTRAINT d_a REFERENCES a); CREATE TABLE e (id int PRIMARY KEY);";
    let change = "ALTER TABLE a ADD COLUMN p int;\nALTER TABLE a ADD COLUMN q int;\nALTER TABLE b ADD COLUMN p int;\nALTER TABLE c ADD COLUMN p int;\n\
                  CREATE TABLE f (id int);\nALTER TABLE d DROP CONSTRAINT d_a;\nALTER TABLE e ADD COLUMN p int;\nALTER TABLE a ALTER COLUMN x SET NOT NULL;\n";
    let files = [("migrations/1_tables.sql", tables), ("migrations/2_change.sql", change)];
    let rewrite = rewritten("apart", POSTGRES, &files, "migrations/2_change.sql", Way::Triggers);
    let closing = |text: &str| -> Vec<String> {
        let altered = text
            .lines()
            .filter_map(|it| it.strip_prefix("ALTER TABLE "))
            .filter(|it| it.contains(" p int") || it.contains("q int") || it.contains("d_a"));
        altered.map(|it| it.split(' ').next().unwrap_or_default().to_owned()).collect()
    };
    let ups = rewrite.drafted.iter().map(|it| closing(&it.up)).filter(|it| !it.is_empty());
    assert_eq!(ups.collect::<Vec<_>>(), [vec!["a", "a"], vec!["b"], vec!["c"], vec!["d"], vec!["e"]]);
}

/// On the way back an index is built again, so its table has to be there: the index goes before it.
#[test]
fn an_index_goes_before_its_table() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX t_a ON t (a); CREATE TABLE u (id int PRIMARY KEY);";
    let files = [
        ("migrations/1_schema.sql", schema),
        ("migrations/2_drop.sql", "DROP INDEX t_a;\nDROP TABLE t;\nALTER TABLE u ADD COLUMN b int;\n"),
    ];
    let rewrite = rewritten("index-first", POSTGRES, &files, "migrations/2_drop.sql", Way::Triggers);
    let place = |words: &str| rewrite.drafted.iter().position(|it| it.up.contains(words));
    let (index, table) = (place("DROP INDEX CONCURRENTLY"), place("DROP TABLE"));
    assert!(index.is_some() && index < table, "{:#?}", rewrite.drafted);
}

#[test]
fn a_window_is_spelled_as_its_framework_runs_it() {
    let change = "-- +goose Up\nALTER TABLE users ALTER name SET NOT NULL, ALTER name TYPE varchar(40);\nVACUUM FULL users;\n\
                  -- +goose Down\nALTER TABLE users ALTER name DROP NOT NULL, ALTER name TYPE text;\n";
    let schema = format!("-- +goose Up\n{SCHEMA}\n");
    let files = [("migrations/00001_schema.sql", schema.as_str()), ("migrations/00002_change.sql", change)];
    let rewrite = rewritten("window", POSTGRES, &files, "migrations/00002_change.sql", Way::Window);
    let entry = rewrite.phases.iter().flat_map(|phase| &phase.entry).filter_map(|it| it.query.as_ref());
    let mut text: String = entry.map(|query| format!("{query}\n")).collect();
    text.extend(rewrite.files.iter().map(|file| format!("=== {}\n{}", file.path, file.content)));
    expect![[r#"
        SELECT count(*) FROM users WHERE name IS NULL
        SELECT count(*) FROM users WHERE rtrim(substr(name, 40 + 1), ' ') <> ''
        === migrations/00002_change.sql
        -- +goose Up
        -- Step 1 of 2 (contract): the change as it was written
        -- Before it: the window is announced and the application is stopped
        -- Before it: there is no row that the server refuses
        SET LOCAL lock_timeout = '2s';
        ALTER TABLE users ALTER name SET NOT NULL, ALTER name TYPE varchar(40);

        -- +goose Down
        SET LOCAL lock_timeout = '2s';
        ALTER TABLE users ALTER name DROP NOT NULL, ALTER name TYPE text;
        === migrations/00003_change_2.sql
        -- +goose NO TRANSACTION
        -- +goose Up
        -- Step 2 of 2 (contract): the change as it was written
        -- There is no way back that keeps everything
        VACUUM FULL users;
    "#]]
    .assert_eq(&text);
}

/// Every file of a rewrite, as the server's lexer takes it apart: the first words of its statements.
fn words(rewrite: &Rewrite) -> Vec<String> {
    let script = |text: &str| {
        let script = Script::read(text, Dialect::Postgres);
        let first = |it: &Statement| {
            let words = it.span.of(text).split_whitespace().take(2);
            // The tag of a body is chosen after the body.
            let words: Vec<&str> = words.filter(|word| !word.starts_with('$')).collect();
            words.join(" ")
        };
        script.statements.iter().map(first).collect::<Vec<_>>()
    };
    rewrite.files.iter().flat_map(|it| script(&it.content)).collect()
}

#[test]
fn no_name_becomes_a_statement() {
    let names = [
        "full */ DROP TABLE users; /*",
        "$lockkeeper$; DROP TABLE users; --",
        "'; DROP TABLE users; --",
        "a, b",
    ];
    let path = "migrations/002_change.sql";
    let renamed = |name: &str| {
        let change = format!("ALTER TABLE users RENAME COLUMN name TO \"{name}\";");
        let files = [("migrations/001_schema.sql", SCHEMA), (path, change.as_str())];
        tried("attack", POSTGRES, &files, path, Way::Triggers)
    };
    let plain = words(&renamed("full").expect("can be rewritten"));
    for name in names {
        assert_eq!(words(&renamed(name).expect("can be rewritten")), plain, "{name:?}");
    }
    // A runner that reads line by line knows no quotes, and nobody sees what hides.
    for name in [
        "full\rDROP TABLE users;\r--",
        "full\nDROP TABLE users;\n--",
        "full\n\tDROP TABLE users;\n--",
        "\u{2028}DROP TABLE users;\u{202e}",
    ] {
        let refused = renamed(name).expect_err("is refused").to_string();
        assert!(refused.contains("holds an end of a line"), "{refused}");
        assert!(!refused.contains(['\n', '\r', '\u{2028}', '\u{202e}']), "{refused:?}");
    }
}

#[test]
fn names_that_share_their_beginning_stay_apart() {
    let long = "a_very_long_index_name_that_is_cut_where_it_should_not_be_";
    let schema = format!(
        "{SCHEMA} CREATE INDEX {long}a ON users (name); CREATE INDEX {long}b ON users (lower(name));"
    );
    let files = [
        ("migrations/001_schema.sql", schema.as_str()),
        ("migrations/002_change.sql", "ALTER TABLE users RENAME COLUMN name TO full_name;"),
    ];
    let rewrite = rewritten("long", POSTGRES, &files, "migrations/002_change.sql", Way::Triggers);
    let all: String = rewrite.files.iter().map(|it| it.content.as_str()).collect();
    let built = all.lines().filter_map(|line| line.strip_prefix("CREATE INDEX CONCURRENTLY "));
    let built: BTreeSet<&str> = built.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(built.len(), 2, "{built:?}");
    assert!(built.iter().all(|it| it.len() <= 63), "{built:?}");
}

/// Each step is in a session of its own; a trigger's function is in that of the application, where only the way names and values are read is its own.
#[test]
fn what_a_migration_sets_is_set_by_its_steps() {
    let change =
        "SET search_path = public; SET shop.tenant = '7'; SET ROLE \"Big Boss\"; SET statement_timeout = 0;
        ALTER TABLE users RENAME COLUMN name TO full_name;";
    let path = "migrations/002_change.sql";
    let files = [("migrations/001_schema.sql", SCHEMA), (path, change)];
    let rewrite = rewritten("settings", POSTGRES, &files, path, Way::Triggers);
    let (first, backfill) = (&rewrite.files[0].content, &rewrite.files[1].content);
    for set in ["search_path = public;", "shop.tenant = '7';", "role = \"Big Boss\";"] {
        assert!(first.contains(&format!("SET LOCAL {set}")), "{set}: {first}");
    }
    assert!(!first.contains("statement_timeout"), "{first}");
    let function = first.lines().find(|it| it.starts_with("CREATE FUNCTION")).expect("makes one");
    assert!(function.contains("SET search_path TO public AS"), "{function}");
    assert!(backfill.contains("set_config('role', 'Big Boss', false)"), "{backfill}");
}

/// What is mended before the release that makes no more of it would be there again.
#[test]
fn rows_are_mended_behind_the_release() {
    let change = "UPDATE users SET name = 'nobody' WHERE name = '';
        ALTER TABLE users ADD CONSTRAINT users_name CHECK (name <> '');";
    let path = "migrations/002_change.sql";
    let files = [("migrations/001_schema.sql", SCHEMA), (path, change)];
    let rewrite = rewritten("mended", POSTGRES, &files, path, Way::Triggers);
    let titles: Vec<&str> = rewrite.files.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(rewrite.releases[0].before_file.as_deref(), Some(path));
    assert!(titles[0].contains("change name of users") && titles[1].contains("new rows only"), "{titles:?}");
    assert!(rewrite.files[0].before.iter().any(|it| it.contains("no instance of the release before")));
}

/// The name that a constraint has meanwhile is nothing for people.
#[test]
fn a_replaced_check_is_told_by_its_own_name() {
    let schema = "CREATE TABLE users (id bigint PRIMARY KEY, age int CONSTRAINT users_age CHECK (age > 0));";
    let change = "ALTER TABLE users DROP CONSTRAINT users_age, ADD CONSTRAINT users_age CHECK (age > 17);";
    let path = "migrations/002_change.sql";
    let files = [("migrations/001_schema.sql", schema), (path, change)];
    let rewrite = rewritten("replaced", POSTGRES, &files, path, Way::Triggers);
    assert_eq!(rewrite.releases[0].must, ["write into users only what the new check users_age accepts"]);
}

/// Found by rehearsals: the column came back with NULL in every row, and NOT NULL could not.
#[test]
fn a_dropped_column_comes_back_with_the_value_that_the_way_back_states() {
    let down = |own: &str| {
        let schema = format!("CREATE TABLE users (id bigint PRIMARY KEY, code text NOT NULL{own});");
        let files = [
            ("migrations/1_users.up.sql", schema.as_str()),
            ("migrations/1_users.down.sql", "DROP TABLE users;"),
            ("migrations/2_drop.up.sql", "ALTER TABLE users DROP COLUMN code;"),
            ("migrations/2_drop.down.sql", "ALTER TABLE users ADD COLUMN code text NOT NULL DEFAULT 'x';"),
        ];
        let name = if own.is_empty() { "comes-back" } else { "comes-back-by-default" };
        let rewrite =
            rewritten(name, "dialect = \"postgres\"\n", &files, "migrations/2_drop.up.sql", Way::Triggers);
        let text = rewrite.files.last().expect("has files").content.clone();
        text.lines().filter(|line| line.starts_with("ALTER")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        down(""),
        [
            "ALTER TABLE users ADD COLUMN code text DEFAULT 'x';",
            "ALTER TABLE users ALTER COLUMN code DROP DEFAULT;"
        ]
    );
    assert_eq!(
        down(" DEFAULT 'y'"),
        [
            "ALTER TABLE users ADD COLUMN code text DEFAULT 'x' NOT NULL;",
            "ALTER TABLE users ALTER COLUMN code SET DEFAULT 'y';"
        ]
    );
}

/// What the developer takes back of a table's rows goes with the first change that stays, whatever a recipe took of the others.
#[test]
fn rows_go_back_as_the_developer_wrote_it_and_once() {
    let downs = |name: &str, up: &str| {
        let files = [
            ("migrations/1_users.up.sql", SCHEMA),
            ("migrations/1_users.down.sql", "DROP TABLE users;"),
            ("migrations/2_rows.up.sql", up),
            ("migrations/2_rows.down.sql", "DELETE FROM users WHERE id > 90;"),
        ];
        let rewrite = rewritten(name, POSTGRES, &files, "migrations/2_rows.up.sql", Way::Triggers);
        let downs = rewrite.files.iter().filter(|it| it.path.ends_with(".down.sql"));
        let backs = downs.filter(|it| it.content.contains("DELETE FROM users WHERE id > 90;"));
        backs.map(|it| it.path.clone()).collect::<Vec<_>>()
    };
    let index = "CREATE INDEX users_name ON users (name);";
    let batched = "UPDATE users SET name = '' WHERE name IS NULL; INSERT INTO users VALUES (99, 'a');";
    assert_eq!(downs("back-behind-a-recipe", &format!("{batched} {index}")).len(), 1);
    let twice = "INSERT INTO users VALUES (98, 'a'); INSERT INTO users VALUES (99, 'b');";
    assert_eq!(downs("back-of-two", &format!("{twice} {index}")).len(), 1);
}
