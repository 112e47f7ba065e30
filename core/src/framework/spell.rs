//! Writing migrations as the project's own framework spells them.

use std::fmt;

use super::style::Style;
use super::{Framework, Halves, Layout, OptOut, Part, Timestamp, Transaction, parse, pieces};
use crate::dialect::Dialect;
use crate::statement::Script;
use crate::text::{self, Span};

/// A migration to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMigration<'a> {
    /// Its name, in any spelling: it becomes words joined by `_`.
    pub name: &'a str,
    /// The SQL that goes up.
    pub up: &'a str,
    /// The SQL that goes back, where there is a way.
    pub down: Option<&'a str>,
    /// Whether it is to run in a transaction. Where not, each statement must commit on its own.
    pub transactional: bool,
}

/// A file to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Relative to the migrations folder, with `/` between its parts.
    pub path: String,
    /// Its whole text.
    pub content: String,
}

/// Why migrations cannot be spelled, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpellError {
    /// The framework sends a file as one string, which is one transaction when it holds several statements.
    OneStatementPerFile {
        /// The framework's title.
        framework: &'static str,
        /// The migration's name.
        migration: String,
        /// How many statements its larger half holds.
        statements: usize,
    },
    /// The framework runs everything in a transaction.
    CannotLeaveTransaction {
        /// The framework's title.
        framework: &'static str,
        /// The migration's name.
        migration: String,
    },
    /// The framework keeps its own record of the files, which only its tool writes.
    NeedsItsTool {
        /// The framework's title.
        framework: &'static str,
        /// How it is done.
        how: &'static str,
    },
}

impl fmt::Display for SpellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneStatementPerFile { framework, migration, statements } => write!(
                f,
                "{framework} runs the {statements} statements of {migration} as one transaction: write each into a \
                 migration of its own"
            ),
            Self::CannotLeaveTransaction { framework, migration } => write!(
                f,
                "{framework} cannot run {migration} outside a transaction: run its statements by hand before the \
                 deployment, and let the migration state them with IF NOT EXISTS"
            ),
            Self::NeedsItsTool { framework, how } => {
                write!(f, "{framework} records its files itself: {how}")
            }
        }
    }
}

impl std::error::Error for SpellError {}

/// The files of each of several migrations, in order, with versions behind the existing ones and spelled like them.
/// `existing` are the paths in the migrations folder, relative to it.
///
/// # Errors
/// [`SpellError`] where the framework cannot run a migration as it is meant to be run.
pub fn spell(
    framework: &Framework,
    existing: &[&str],
    now: Timestamp,
    migrations: &[NewMigration<'_>],
) -> Result<Vec<Vec<NewFile>>, SpellError> {
    let how = match framework.id {
        "drizzle" => Some("run `drizzle-kit generate --custom --name <name>` and put the SQL into that file"),
        "graphile-migrate" => {
            Some("put the SQL into migrations/current.sql and run `graphile-migrate commit`")
        }
        "sqitch" => Some("run `sqitch add <name>` and put the SQL into its deploy and revert files"),
        _ => None,
    };
    if let Some(how) = how {
        return Err(SpellError::NeedsItsTool { framework: framework.title, how });
    }
    let mut style = Style::of(framework, existing, now);
    let mut files = Vec::new();
    for migration in migrations {
        fits(framework, migration)?;
        let version = style.next();
        files.push(files_of(framework, &style, &version, migration));
    }
    Ok(files)
}

fn fits(framework: &Framework, migration: &NewMigration<'_>) -> Result<(), SpellError> {
    if migration.transactional || framework.outside == Transaction::Autocommit {
        return Ok(());
    }
    let (title, name) = (framework.title, migration.name.to_owned());
    if framework.outside == Transaction::Wrapped {
        return Err(SpellError::CannotLeaveTransaction { framework: title, migration: name });
    }
    let count = statements(migration.up).max(migration.down.map_or(0, statements));
    if count > 1 {
        return Err(SpellError::OneStatementPerFile { framework: title, migration: name, statements: count });
    }
    Ok(())
}

/// How many statements a text holds. What we write is PostgreSQL's SQL: no other engine has recipes.
fn statements(sql: &str) -> usize {
    Script::read(sql, Dialect::Postgres).statements.len()
}

fn files_of(
    framework: &Framework,
    style: &Style,
    version: &str,
    migration: &NewMigration<'_>,
) -> Vec<NewFile> {
    let name = words(migration.name);
    // Of what is about a table called `count_down` the name would say that the file leads back.
    let leads_back =
        parse(framework, &format!("{version}_{name}.sql")).is_some_and(|it| it.part == Part::Down);
    let name = if leads_back { format!("{name}_step") } else { name };
    let mut files = match (framework.layout, framework.halves) {
        (Layout::Folders { up, down }, _) => {
            let folder = format!("{version}_{name}");
            pair(framework, migration, format!("{folder}/{up}"), format!("{folder}/{down}"))
        }
        (Layout::Files, Halves::Markers { prefix }) => {
            let content = marked(framework, prefix, migration);
            vec![NewFile { path: format!("{version}_{name}.sql"), content }]
        }
        (Layout::Files, Halves::Letters) if framework.id == "refinery" => {
            let path = format!("V{version}__{name}.sql");
            vec![NewFile { path, content: with_way_back(framework, migration) }]
        }
        (Layout::Files, Halves::Actions) => {
            let path = |action: &str| format!("{version}.{action}.{name}.sql");
            pair(framework, migration, path("do"), path("undo"))
        }
        (Layout::Files, Halves::Changesets) => {
            let content = changesets(framework, &format!("{version}_{name}"), migration);
            vec![NewFile { path: format!("{version}_{name}.sql"), content }]
        }
        (Layout::Files, Halves::UpOnly) => {
            let path = format!("{version}{}{name}.sql", style.separator);
            vec![NewFile { path, content: with_way_back(framework, migration) }]
        }
        (Layout::Files, Halves::Letters) => {
            let stem = format!("{version}__{name}.sql");
            pair(framework, migration, format!("V{stem}"), format!("U{stem}"))
        }
        (Layout::Files, Halves::Suffixes | Halves::Siblings) => {
            suffixed(framework, style, &format!("{version}{}{name}", style.separator), migration)
        }
    };
    files.extend(sidecars(framework, migration, &files));
    files
}

fn pair(framework: &Framework, migration: &NewMigration<'_>, up: String, down: String) -> Vec<NewFile> {
    let mut files = vec![NewFile { path: up, content: body(framework, migration, migration.up) }];
    files.extend(migration.down.map(|sql| NewFile { path: down, content: body(framework, migration, sql) }));
    files
}

/// `.up.sql` and `.down.sql`, or what the project has instead.
fn suffixed(framework: &Framework, style: &Style, stem: &str, migration: &NewMigration<'_>) -> Vec<NewFile> {
    let stem = format!("{}{stem}", style.prefix);
    let simple = match framework.id {
        "golang-migrate" => false,
        "plain" => style.up_suffix.is_none(),
        _ => style.up_suffix.is_none() && (style.has_files || migration.down.is_none()),
    };
    let up = if simple { ".sql" } else { style.up_suffix.as_deref().unwrap_or(".up.sql") };
    let down = style.down_suffix.as_deref().unwrap_or(".down.sql");
    // Beside plain files a loop over `*.sql` would run the way back too, and first.
    let up_only = framework.id == "sqlx" || framework.id == "plain" && style.down_suffix.is_none();
    if simple && up_only {
        return vec![NewFile { path: format!("{stem}.sql"), content: with_way_back(framework, migration) }];
    }
    pair(framework, migration, format!("{stem}{up}"), format!("{stem}{down}"))
}

/// Change sets of Liquibase: one, or outside a transaction one for each statement. Liquibase cuts at every `;`, also in bodies,
/// unless it is told to send a change set whole. The way back stands in comments that Liquibase reads.
fn changesets(framework: &Framework, id: &str, migration: &NewMigration<'_>) -> String {
    let up = ended(migration.up);
    let parts = if migration.transactional { vec![up.as_str()] } else { one_by_one(&up) };
    let mut content = "--liquibase formatted sql\n".to_owned();
    for (number, part) in parts.iter().enumerate() {
        let number = if number == 0 { String::new() } else { format!("_{}", number + 1) };
        content.push_str(&format!("\n--changeset lockkeeper:{id}{number}"));
        if let OptOut::Option(option) = framework.opt_out
            && !migration.transactional
        {
            content.push_str(&format!(" {option}"));
        }
        if holds_semicolons(part) {
            content.push_str(" splitStatements:false stripComments:false");
        }
        let back = migration.down.filter(|_| number.is_empty());
        if back.is_some_and(holds_semicolons) {
            content.push_str(" rollbackSplitStatements:false");
        }
        content.push_str(&format!("\n{}", ended(part)));
        let lines = back.into_iter().flat_map(text::lines).filter(|line| !line.trim().is_empty());
        lines.for_each(|line| content.push_str(&format!("--rollback {line}\n")));
        if back.is_none() {
            content.push_str("--rollback empty\n");
        }
    }
    content
}

/// The statements of a text, each with the comments before it.
fn one_by_one(sql: &str) -> Vec<&str> {
    let ends = Script::read(sql, Dialect::Postgres).statements.into_iter().map(|it| it.end);
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(ends).map(|(start, end)| &sql[start..end]).collect()
}

/// Whether a statement of a text holds a semicolon inside.
fn holds_semicolons(sql: &str) -> bool {
    Script::read(sql, Dialect::Postgres).statements.iter().any(|it| it.span.of(sql).contains(';'))
}

/// Where there is no down, or it must not be mixed with files that have one: the way back becomes a comment.
fn with_way_back(framework: &Framework, migration: &NewMigration<'_>) -> String {
    let mut content = body(framework, migration, migration.up);
    if let Some(down) = migration.down {
        content.push_str("\n-- To undo:\n");
        text::lines(down).for_each(|line| content.push_str(&format!("--   {line}\n")));
    }
    content
}

fn body(framework: &Framework, migration: &NewMigration<'_>, sql: &str) -> String {
    let first_line = match framework.opt_out {
        OptOut::FirstLine(comment) if !migration.transactional => format!("{comment}\n"),
        OptOut::Header { comment, .. } if !migration.transactional => format!("{comment}\n\n"),
        _ => String::new(),
    };
    let autocommit = framework.transaction == Transaction::Autocommit;
    match autocommit && migration.transactional && statements(sql) > 1 {
        true => format!("BEGIN;\n\n{}\nCOMMIT;\n", ended(sql)),
        false => first_line + &ended(sql),
    }
}

fn marked(framework: &Framework, prefix: &str, migration: &NewMigration<'_>) -> String {
    // Both end a statement at a line that ends with `;`.
    let fenced_by_marker = matches!(framework.id, "goose" | "sql-migrate");
    let (before, option) = match framework.opt_out {
        OptOut::Marker(words) if !migration.transactional => {
            (format!("-- {prefix} {words}\n"), String::new())
        }
        OptOut::Option(option) if !migration.transactional => (String::new(), format!(" {option}")),
        _ => Default::default(),
    };
    let [up, down] = match framework.id {
        "dbmate" => ["up", "down"],
        "node-pg-migrate" => ["Up Migration", "Down Migration"],
        _ => [" Up", " Down"],
    };
    let sql = |sql: &str| if fenced_by_marker { fenced(framework, prefix, sql) } else { ended(sql) };
    let mut content = format!("{before}-- {prefix}{up}{option}\n{}", sql(migration.up));
    if let Some(way_back) = migration.down {
        content.push_str(&format!("\n-- {prefix}{down}{option}\n{}", sql(way_back)));
    }
    content
}

/// goose ends a statement at a line that ends with `;`, and sees a comment in every word that begins with `--`, also inside of names and texts: what it
/// would not take as one statement needs a fence.
fn fenced(framework: &Framework, prefix: &str, sql: &str) -> String {
    let sql = ended(sql);
    let mut result = String::new();
    let mut copied = 0;
    for statement in Script::read(&sql, Dialect::Postgres).statements {
        let (span, end) = (statement.span, statement.end);
        let inner = span.of(&sql);
        let sent = pieces(framework, &sql, Span::new(span.start, end));
        let whole = matches!(sent.as_slice(), [piece] if piece.ended && piece.span.of(&sql).trim().starts_with(inner));
        if !whole {
            result.push_str(&sql[copied..span.start]);
            result.push_str(&format!(
                "-- {prefix} StatementBegin\n{}\n-- {prefix} StatementEnd",
                &sql[span.start..end]
            ));
        } else {
            result.push_str(&sql[copied..end]);
        }
        copied = end;
    }
    result + &sql[copied..]
}

fn sidecars(framework: &Framework, migration: &NewMigration<'_>, files: &[NewFile]) -> Vec<NewFile> {
    let OptOut::Sidecar { file, setting } = framework.opt_out else {
        return Vec::new();
    };
    if migration.transactional {
        return Vec::new();
    }
    match framework.layout {
        Layout::Folders { .. } => {
            let folder =
                files.first().and_then(|first| first.path.split_once('/')).map_or("", |(folder, _)| folder);
            vec![NewFile { path: format!("{folder}/{file}"), content: format!("{setting} = false\n") }]
        }
        Layout::Files => files
            .iter()
            .map(|it| NewFile { path: format!("{}{file}", it.path), content: format!("{setting}=false\n") })
            .collect(),
    }
}

fn ended(sql: &str) -> String {
    format!("{}\n", sql.trim())
}

/// Words joined by `_`, safe as a file's name anywhere.
fn words(name: &str) -> String {
    let words: Vec<&str> =
        name.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let mut joined = words.join("_").to_ascii_lowercase();
    joined.truncate(100);
    if joined.is_empty() { "migration".to_owned() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::super::{Direction, FRAMEWORKS, sections};
    use super::*;

    const NOW: u64 = 1_709_210_096;

    fn spelled(
        id: &str,
        existing: &[&str],
        migrations: &[NewMigration<'_>],
    ) -> Result<Vec<NewFile>, SpellError> {
        spell(Framework::by_id(id).expect("is in the table"), existing, Timestamp::from_unix(NOW), migrations)
            .map(|it| it.concat())
    }

    fn index(transactional: bool) -> NewMigration<'static> {
        let up = "CREATE INDEX CONCURRENTLY orders_day ON orders (day);";
        let down = Some("DROP INDEX CONCURRENTLY orders_day;");
        NewMigration { name: "Index orders.day", up, down, transactional }
    }

    #[track_caller]
    fn check(id: &str, existing: &[&str], migration: NewMigration<'_>, expected: &[(&str, &str)]) {
        let files = spelled(id, existing, &[migration]).expect("can be spelled");
        let files: Vec<_> = files.iter().map(|it| (it.path.as_str(), it.content.as_str())).collect();
        assert_eq!(files, expected);
    }

    #[test]
    fn goose_fences_what_holds_semicolons() {
        let up = "SELECT 1;\nDO $$\nBEGIN\n  a;\nEND $$;";
        let migration = NewMigration { name: "x", up, down: None, transactional: true };
        let content = "-- +goose Up\nSELECT 1;\n-- +goose StatementBegin\nDO $$\nBEGIN\n  a;\nEND $$;\n-- +goose StatementEnd\n";
        check("goose", &["00041_y.sql"], migration, &[("00042_x.sql", content)]);
    }

    #[test]
    fn dbmate_marks_both_sections() {
        let content = "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_day ON orders (day);\n\n\
                       -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY orders_day;\n";
        check("dbmate", &[], index(false), &[("20240229123456_index_orders_day.sql", content)]);
    }

    #[test]
    fn several_statements_in_plain_files_get_a_transaction() {
        let migration = NewMigration { name: "x", up: "a; b;", down: None, transactional: true };
        check("plain", &["0009-y.sql"], migration, &[("0010-x.sql", "BEGIN;\n\na; b;\n\nCOMMIT;\n")]);
    }

    #[test]
    fn simple_sqlx_migrations_stay_simple() {
        let migration = NewMigration { name: "x", up: "a;", down: Some("b;"), transactional: true };
        check("sqlx", &["0001_y.sql"], migration, &[("0002_x.sql", "a;\n\n-- To undo:\n--   b;\n")]);
        check("sqlx", &["1_y.up.sql"], migration, &[("2_x.up.sql", "a;\n"), ("2_x.down.sql", "b;\n")]);
    }

    #[test]
    fn one_string_with_several_statements_cannot_be_outside() {
        for id in ["golang-migrate", "prisma", "dbmate", "sqlx", "diesel"] {
            let migration = NewMigration { up: "a; b;", ..index(false) };
            let error = spelled(id, &[], &[migration]).expect_err("is refused").to_string();
            assert!(error.ends_with("write each into a migration of its own"), "{error}");
        }
    }

    #[test]
    fn drizzle_is_told_to_use_its_tool() {
        let error = spelled("drizzle", &[], &[index(true)]).expect_err("is refused").to_string();
        assert!(error.contains("drizzle-kit generate --custom"), "{error}");
    }

    #[test]
    fn frameworks_without_a_down_keep_the_way_back_as_a_comment() {
        let migration = NewMigration { name: "x", up: "a;", down: Some("b;"), transactional: false };
        let atlas = "-- atlas:txmode none\n\na;\n\n-- To undo:\n--   b;\n";
        check("atlas", &["20240101000000_y.sql"], migration, &[("20240229123456_x.sql", atlas)]);
        let liquibase = "--liquibase formatted sql\n\n--changeset lockkeeper:20240229123456_x runInTransaction:false\n\
                         a;\n--rollback b;\n";
        check("liquibase", &[], migration, &[("20240229123456_x.sql", liquibase)]);
        let both = [("002.do.x.sql", "a;\n"), ("002.undo.x.sql", "b;\n")];
        check("postgrator", &["001.do.y.sql"], migration, &both);
        for id in ["refinery", "node-pg-migrate"] {
            let error = spelled(id, &[], &[migration]).expect_err("is refused").to_string();
            assert!(error.contains("outside a transaction"), "{error}");
        }
    }

    /// Liquibase cuts at each `;`, and outside a transaction several statements of one string would be one.
    #[test]
    fn liquibase_is_told_what_to_send_whole() {
        let up = "SELECT 1;\nDO $$ BEGIN a; END $$;";
        let migration = NewMigration { name: "x", up, down: Some("b;"), transactional: false };
        let content = "--liquibase formatted sql\n\n\
                       --changeset lockkeeper:2_x runInTransaction:false\nSELECT 1;\n--rollback b;\n\n\
                       --changeset lockkeeper:2_x_2 runInTransaction:false splitStatements:false stripComments:false\n\
                       DO $$ BEGIN a; END $$;\n--rollback empty\n";
        check("liquibase", &["1-y.sql"], migration, &[("2_x.sql", content)]);
    }

    #[test]
    fn a_name_does_not_turn_a_file_round() {
        let plain = Framework::by_id("plain").expect("is in the table");
        let new =
            NewMigration { name: "orders count_down", up: "SELECT 1;", down: None, transactional: true };
        let now = Timestamp::from_digits("20260101000000").expect("is a moment");
        let files = spell(plain, &[], now, &[new]).expect("can be spelled");
        assert_eq!(files[0][0].path, "0001_orders_count_down_step.sql");
    }

    #[test]
    fn a_statement_that_goose_would_cut_is_fenced() {
        let goose = Framework::by_id("goose").expect("is in the table");
        for name in ["a; --b\n", "a --b", "a;\nb"] {
            let up = format!("ALTER TABLE t DROP COLUMN \"{name}\";");
            let whole = fenced(goose, "+goose", &up);
            assert_eq!(whole, format!("-- +goose StatementBegin\n{up}\n-- +goose StatementEnd\n"));
        }
        assert_eq!(fenced(goose, "+goose", "SELECT 1;"), "SELECT 1;\n");
    }

    #[test]
    fn versions_follow_each_other() {
        let files =
            spelled("golang-migrate", &["0190_x.up.sql"], &[index(false), index(true)]).expect("fits");
        let paths: Vec<_> = files.iter().map(|it| it.path.as_str()).collect();
        let expected = [
            "0191_index_orders_day.up.sql",
            "0191_index_orders_day.down.sql",
            "0192_index_orders_day.up.sql",
            "0192_index_orders_day.down.sql",
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_loop_over_plain_files_runs_no_way_back() {
        let files = spelled("plain", &["001_a.sql"], &[index(true)]).expect("fits");
        let paths: Vec<&str> = files.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["002_index_orders_day.sql"]);
        assert!(files[0].content.contains("-- To undo:\n--   DROP INDEX"), "{}", files[0].content);
    }

    /// What is written is read back: the same SQL, both ways, in the transaction that was asked for.
    #[test]
    fn every_framework_reads_what_it_writes() {
        let tools = ["drizzle", "graphile-migrate", "sqitch"];
        for framework in FRAMEWORKS.iter().filter(|it| !tools.contains(&it.id)) {
            let can_leave = framework.outside != Transaction::Wrapped;
            for transactional in [true, false].into_iter().filter(|inside| *inside || can_leave) {
                round_trip(framework, index(transactional));
                round_trip(framework, NewMigration { down: None, ..index(transactional) });
            }
        }
    }

    #[track_caller]
    fn round_trip(framework: &Framework, migration: NewMigration<'_>) {
        // Beside plain files there are downs only where there were some before.
        let existing: &[&str] = if framework.id == "plain" { &["1_a.sql", "1_a.down.sql"] } else { &[] };
        let files =
            spell(framework, existing, Timestamp::from_unix(NOW), &[migration]).expect("fits").concat();
        let mut found = Vec::new();
        for file in &files {
            let sidecar = sidecar_of(&file.path, &files);
            if file.path.ends_with(".sql") {
                for section in sections(framework, &file.path, &file.content, sidecar) {
                    let sql = section.span.of(&file.content);
                    let sql = sql
                        .trim_start_matches("-- no-transaction")
                        .trim_start_matches("-- atlas:txmode none");
                    let sql = sql.split("\n\n-- To undo:").next().unwrap_or(sql);
                    let sql = sql.split("\n--rollback").next().unwrap_or(sql).trim();
                    found.push((section.direction, sql, section.transaction));
                }
            }
        }
        let detected = framework.id == "flyway";
        let inside = migration.transactional && !detected;
        let unit = if inside { framework.transaction } else { framework.outside };
        let mut expected = vec![(Direction::Up, migration.up, unit)];
        let has_down =
            !matches!(framework.halves, Halves::UpOnly | Halves::Changesets) && framework.id != "refinery";
        expected.extend(migration.down.filter(|_| has_down).map(|down| (Direction::Down, down, unit)));
        assert_eq!(found, expected, "{}", framework.id);
    }

    fn sidecar_of<'a>(path: &str, files: &'a [NewFile]) -> Option<&'a str> {
        let folder = path.split_once('/').map_or("", |(folder, _)| folder);
        let names = [format!("{path}.conf"), format!("{folder}/metadata.toml")];
        files.iter().find(|it| names.contains(&it.path)).map(|it| it.content.as_str())
    }
}
