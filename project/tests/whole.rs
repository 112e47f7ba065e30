//! Whole migrations: each of these was once written so that something broke between its files.

use std::path::Path;
use std::process::Command;

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::mechanics::Answers;
use lockkeeper_core::plan::PhaseKind;
use lockkeeper_core::statement::Script;
use lockkeeper_project::rewrite::Rewrite;
use lockkeeper_project::{analysis, open, rewrite};

const SCHEMA: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, title text NOT NULL, amount bigint, plan text);
    CREATE TABLE memberships (user_id bigint NOT NULL REFERENCES users, org_id bigint NOT NULL);
    CREATE VIEW titles AS SELECT id, title FROM users;
    GRANT SELECT, INSERT ON users TO app;
    GRANT UPDATE (title) ON users TO clerk;
    GRANT SELECT ON titles TO app;
    COMMENT ON COLUMN users.title IS 'as printed';";

fn folder(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("whole-{name}"));
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(root.join("migrations")).expect("a folder");
    let config = "dialect = \"postgres\"\ntarget-version = 15\n";
    let usual = [("lockkeeper.toml", config), ("migrations/0001_schema.sql", SCHEMA)];
    for (path, text) in usual.iter().chain(files) {
        std::fs::write(root.join(path), text).expect("a file");
    }
    root
}

fn rewritten_in(root: &Path) -> Result<Rewrite, String> {
    let project = open(root).expect("can be opened");
    let policies = analysis::policies(&project, None);
    let path = root.join("migrations/0002_change.sql");
    let file = analysis::check_path(&project, &path, None, &policies).expect("is a migration");
    let now = Timestamp { year: 2026, month: 2, day: 3, hour: 4, minute: 5, second: 6 };
    let way = rewrite::ways(&file)[0];
    rewrite::rewrite(&project, &file, way, &Answers::new(), now).map_err(|it| it.message)
}

fn rewritten(name: &str, change: &str) -> Result<Rewrite, String> {
    rewritten_in(&folder(name, &[("migrations/0002_change.sql", change)]))
}

/// The files that go up, in order.
fn ups(rewrite: &Rewrite) -> Vec<&str> {
    let ups = rewrite.files.iter().filter(|it| !it.path.ends_with(".down.sql"));
    ups.map(|it| it.content.as_str()).collect()
}

/// The place of the first file that says this.
#[track_caller]
fn place(files: &[&str], words: &str) -> usize {
    files
        .iter()
        .position(|it| it.contains(words))
        .unwrap_or_else(|| panic!("nothing says {words}:\n{}", files.join("\n")))
}

#[test]
fn a_column_is_filled_behind_the_release_that_writes_it_and_required_last() {
    let rewrite = rewritten(
        "fill",
        "ALTER TABLE users ADD COLUMN org_id bigint;
         UPDATE users SET org_id = m.org_id FROM memberships m WHERE m.user_id = users.id;
         ALTER TABLE users ALTER COLUMN org_id SET NOT NULL;
         CREATE INDEX users_org ON users (org_id);",
    )
    .expect("can be rewritten");
    let [release] = rewrite.releases.as_slice() else { panic!("{:?}", rewrite.releases) };
    let first = rewrite
        .files
        .iter()
        .position(|it| Some(&it.path) == release.before_file.as_ref())
        .expect("is a file");
    assert!(
        rewrite.files[first].content.contains("UPDATE users SET org_id"),
        "{}",
        rewrite.files[first].content
    );
    assert_eq!(release.after_phase, rewrite.files[first - 1].phase);
    let files = ups(&rewrite);
    let last_fill = files.iter().rposition(|it| it.contains("UPDATE users SET org_id")).expect("is filled");
    assert!(last_fill < place(&files, "org_id IS NOT NULL) NOT VALID"));
    assert!(
        place(&files, "CREATE INDEX CONCURRENTLY users_org") < last_fill,
        "the new release may use the index"
    );
    let counts: Vec<&str> =
        rewrite.phases.iter().flat_map(|it| &it.entry).filter_map(|it| it.query.as_deref()).collect();
    // Rows without a membership.
    assert!(counts.iter().any(|it| it.contains("LIMIT 1)) IS NULL")), "{counts:#?}");
}

#[test]
fn what_follows_the_row_is_kept_in_step_until_the_release_writes_it() {
    let rewrite = rewritten(
        "slug",
        "ALTER TABLE users ADD COLUMN slug text; UPDATE users SET slug = lower(title); ALTER TABLE users ALTER COLUMN slug SET NOT NULL;",
    )
    .expect("can be rewritten");
    let files = ups(&rewrite);
    assert!(files[0].contains("NEW.slug := lower(NEW.title);"), "{}", files[0]);
    assert!(files[files.len() - 1].contains("DROP TRIGGER"), "{}", files[files.len() - 1]);
}

#[test]
fn one_release_serves_all_statements() {
    let rewrite = rewritten(
        "one-release",
        "ALTER TABLE users RENAME COLUMN plan TO tier;
         ALTER TABLE memberships ADD COLUMN role text NOT NULL;
         ALTER TABLE users ALTER COLUMN amount SET NOT NULL;",
    )
    .expect("can be rewritten");
    assert_eq!(rewrite.releases.len(), 1, "{:?}", rewrite.releases);
    assert_eq!(rewrite.releases[0].must.len(), 4, "{:?}", rewrite.releases[0].must);
    assert_eq!(rewrite.files.last().map(|it| it.phase), Some(PhaseKind::Contract));
}

#[test]
fn a_view_is_replaced_in_one_file() {
    let split = "ALTER TABLE users ADD COLUMN first text, ADD COLUMN rest text;
        UPDATE users SET first = split_part(title, ' ', 1), rest = split_part(title, ' ', 2);
        -- lockkeeper: back UPDATE users SET title = first || ' ' || rest
        DROP VIEW titles;
        ALTER TABLE users DROP COLUMN title;
        CREATE VIEW titles AS SELECT id, first || ' ' || rest AS title FROM users;
        GRANT SELECT ON titles TO app;";
    let retyped =
        "DROP VIEW titles; ALTER TABLE users ALTER COLUMN title TYPE varchar(80) USING left(title, 80);
        -- lockkeeper: back UPDATE users SET title = title::text
        CREATE VIEW titles AS SELECT id, title FROM users; GRANT SELECT ON titles TO app;";
    for (name, change) in [("view-split", split), ("view-type", retyped)] {
        let rewrite = rewritten(name, change).expect("can be rewritten");
        let files = ups(&rewrite);
        let at = place(&files, "DROP VIEW titles");
        assert!(
            files[at].contains("CREATE VIEW titles") && files[at].contains("GRANT SELECT ON titles TO app"),
            "{}",
            files[at]
        );
        assert_eq!(files.iter().filter(|it| it.contains("DROP VIEW titles")).count(), 1);
    }
}

#[test]
fn rights_comments_and_settings_go_with_what_they_hang_on() {
    let table = rewritten("grants-table", "ALTER TABLE users RENAME TO people;").expect("can be rewritten");
    let first = ups(&table)[0];
    for words in ["GRANT INSERT, SELECT ON users TO app;", "GRANT UPDATE (title) ON users TO clerk;"] {
        assert!(first.contains(words), "{first}");
    }
    let column = "DROP VIEW titles; ALTER TABLE users RENAME COLUMN title TO name; CREATE VIEW titles AS SELECT id, name AS title FROM users;";
    let column = rewritten("grants-column", column).expect("can be rewritten");
    let first = ups(&column)[0];
    for words in ["GRANT UPDATE (name) ON users TO clerk;", "COMMENT ON COLUMN users.name IS 'as printed';"] {
        assert!(first.contains(words), "{first}");
    }
}

/// What hangs on a column is words of a history: none of them becomes a statement. What no server ever took is refused.
#[test]
fn what_hangs_on_a_column_becomes_no_statement() {
    let change = ("migrations/0002_change.sql", "ALTER TABLE users RENAME COLUMN plan TO tier;");
    for (number, (said, taken)) in [
        ("COMMENT ON COLUMN users.plan IS 'it''s; DROP TABLE users; --';", true),
        ("ALTER TABLE users ALTER COLUMN plan SET (n_distinct = '5''); DROP TABLE users; --');", true),
        ("GRANT SELECT (plan) ON users TO \"a; DROP TABLE users; --\";", true),
        ("ALTER TABLE users ALTER COLUMN plan SET STORAGE \"external; DROP TABLE users; --\";", false),
        ("GRANT \"select on users to public; drop table users; --\" (plan) ON users TO app;", false),
    ]
    .into_iter()
    .enumerate()
    {
        let schema = format!("{SCHEMA}{said}");
        let files = [("migrations/0001_schema.sql", schema.as_str()), change];
        let rewrite = rewritten_in(&folder(&format!("details-{number}"), &files));
        assert_eq!(rewrite.is_ok(), taken, "{said}: {rewrite:?}");
        for file in rewrite.iter().flat_map(|it| &it.files) {
            let script = Script::read(&file.content, Dialect::Postgres);
            let statements = script.statements.iter().map(|it| it.span.of(&file.content).to_lowercase());
            assert_eq!(statements.filter(|it| it.starts_with("drop table")).count(), 0, "{}", file.content);
        }
    }
}

#[test]
fn changes_that_are_the_same_when_done_twice_are_cut() {
    for (number, change) in [
        "UPDATE users SET plan = COALESCE(plan, '');",
        "UPDATE users SET plan = m.org_id::text FROM memberships m WHERE m.user_id = users.id AND users.plan IS DISTINCT FROM m.org_id::text;",
        "UPDATE users SET plan = lower(plan);",
    ]
    .into_iter()
    .enumerate()
    {
        let rewrite = rewritten(&format!("twice-{number}"), change);
        assert!(rewrite.is_ok(), "{change}: {rewrite:?}");
    }
    let twice = rewritten("twice-not", "UPDATE users SET amount = amount + 1;").expect_err("counts twice");
    assert!(twice.contains("count twice"), "{twice}");
}

#[test]
fn rows_are_changed_when_their_column_has_its_type() {
    let rewrite = rewritten(
        "retyped",
        "ALTER TABLE users ALTER COLUMN amount TYPE text USING amount::text; UPDATE users SET amount = NULL;",
    );
    let rewrite = rewrite.expect("can be rewritten");
    let files = ups(&rewrite);
    assert!(
        place(&files, "RENAME COLUMN amount_new TO amount") < place(&files, "UPDATE users SET amount = NULL")
    );
}

#[test]
fn a_migration_that_a_later_one_needs_stays() {
    let change = "ALTER TABLE users RENAME COLUMN plan TO tier;";
    let used = [
        ("migrations/0002_change.sql", change),
        ("migrations/0003_later.sql", "ALTER TABLE users ADD COLUMN plan text;"),
    ];
    let message = rewritten_in(&folder("later-used", &used)).expect_err("a later one needs the end");
    assert!(message.contains("0003_later.sql stands behind this migration and needs more"), "{message}");
    let apart =
        [("migrations/0002_change.sql", change), ("migrations/0003_later.sql", "CREATE TABLE x (id int);")];
    let rewrite = rewritten_in(&folder("later-apart", &apart)).expect("nothing uses it");
    let second = rewrite.files.iter().find(|it| it.step == 2).expect("has a second step");
    assert!(second.path.starts_with("migrations/0004_"), "{}", second.path);
}

#[test]
fn a_committed_migration_is_said_to_be_one() {
    let root = folder(
        "committed",
        &[("migrations/0002_change.sql", "ALTER TABLE users RENAME COLUMN plan TO tier;")],
    );
    let git = |arguments: &[&str]| {
        let done = Command::new("git").arg("-C").arg(&root).args(arguments).output().expect("git starts");
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    };
    git(&["init", "-q"]);
    assert_eq!(rewritten_in(&root).expect("can be rewritten").notes, [""; 0]);
    git(&["add", "."]);
    git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all"]);
    let notes = rewritten_in(&root).expect("can be rewritten").notes;
    assert!(notes[0].contains("is committed already"), "{notes:?}");
}

#[test]
fn what_loses_its_default_or_changes_its_meaning_waits_for_words() {
    let default = rewritten(
        "default",
        "ALTER TABLE users ADD COLUMN state text NOT NULL DEFAULT 'new'; ALTER TABLE users ALTER COLUMN state DROP DEFAULT;",
    );
    let default = default.expect("can be rewritten");
    let files = ups(&default);
    assert_eq!(files.len(), 2, "{files:#?}");
    assert_eq!(
        default.releases[0].before_file.as_deref(),
        default.files.iter().find(|it| it.step == 2).map(|it| it.path.as_str())
    );
    let meaning = rewritten(
        "meaning",
        "ALTER TABLE users ALTER COLUMN amount TYPE numeric(20, 2) USING amount / 100.0;",
    );
    assert!(meaning.expect_err("nothing is guessed").contains("say how they are computed from the new ones"));
}
