//! Names, labels and texts as attacks: what stands in the files of a plan is what the plan says, in every framework, whatever a table is called.
//!
//! In memory the files are read as their runner reads them, and hold the plan's statements one by one. On the server they are run, by psql where
//! that is what runs them, and end where the change itself does: a statement more would show.

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::framework::{
    self, Direction, FRAMEWORKS, Framework, NewFile, NewMigration, Reader, Timestamp, Transaction,
};
use lockkeeper_core::plan::{Phase, SqlStep, Way};
use lockkeeper_core::statement::{Script, TokenKind};
use lockkeeper_core::text::Span;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{runner, ways};
use crate::cluster::cluster;
use crate::database::{self, Database};
use crate::observe::Running;
use crate::proof::files::phases_of;
use crate::snapshot::{ColumnOrder, difference, snapshot};
use crate::workload::apply;

/// What names are put together from: what ends strings, comments, bodies and statements somewhere.
const PIECES: &[&str] = &[
    "a",
    "B",
    "users",
    " ",
    "é",
    "名",
    "\u{430}",
    "x1",
    "\u{200b}",
    "\u{feff}",
    "'",
    "''",
    "\"",
    "\\",
    "\\n",
    "\\000a",
    "--",
    "/*",
    "*/",
    ";",
    "$$",
    "$1",
    "$q$",
    "$lockkeeper$",
    "$body$",
    "DROP TABLE canary;",
    "'; DROP TABLE canary; --",
    "\"; DROP TABLE canary; --",
    "$$; DROP TABLE canary; --",
    "*/ DROP TABLE canary; /*",
    "-- +goose Down",
    "-- migrate:down",
    "\\q",
    ":x",
    ":'x'",
    "%s",
    "%I",
    "{0}",
    "{{x}}",
    "${x}",
    "NEW",
    "OLD.",
    "U&",
    "E'",
];

/// What ends a line or hides: of such names no file is made, and texts are written as codes.
const TREACHEROUS: &[&str] = &[
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\u{b}",
    "\u{c}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{2066}",
    ";\n",
    "\nDROP TABLE canary;\n--",
    "\r DROP TABLE canary; --",
    "\n-- +goose Down\n",
    "\n-- +goose StatementEnd\n",
    "\n-- migrate:down\n",
    "\n--rollback x\n",
    "\n--changeset x:1\n",
    "\n-- Down Migration\n",
    "\n-- +migrate Down\n",
    "\n--//@UNDO\n",
    "\n-- rambler down\n",
    "\n\\i x\n",
    "\n\\.\n",
];

/// A name as the server keeps it: at most 63 bytes.
fn name() -> impl Strategy<Value = String> {
    let made = proptest::collection::vec(proptest::sample::select(PIECES), 1..5).prop_map(|it| it.concat());
    // Long ones that differ in their last byte only.
    let alike = (0..4_u8).prop_map(|it| format!("{}{it}", "long".repeat(15) + "er"));
    prop_oneof![8 => made, 1 => alike].prop_map(|it| cut(&it))
}

/// A text, of which more may be said.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![proptest::sample::select(PIECES), proptest::sample::select(TREACHEROUS)];
    proptest::collection::vec(pieces, 1..4).prop_map(|it| cut(&it.concat()))
}

fn cut(name: &str) -> String {
    let mut end = name.len().min(63);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

/// A name in SQL as somebody writes it, as it is or in codes.
fn sql(name: &str, escaped: bool) -> String {
    if escaped {
        let code = |it: char| if is_plain(it) { it.to_string() } else { format!("\\+{:06x}", u32::from(it)) };
        return format!("U&\"{}\"", name.chars().map(code).collect::<String>());
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in SQL, as it is or in escapes.
fn literal(text: &str, escaped: bool) -> String {
    if !escaped {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let code = |it: char| if is_plain(it) { it.to_string() } else { format!("\\U{:08x}", u32::from(it)) };
    format!("E'{}'", text.chars().map(code).collect::<String>())
}

fn is_plain(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == ' '
}

/// What a change does, by number.
const CHANGES: usize = 24;

#[derive(Debug, Clone)]
struct Case {
    names: Vec<String>,
    texts: Vec<String>,
    escaped: bool,
    change: usize,
    way: Way,
}

impl Case {
    fn name(&self, at: usize) -> String {
        sql(&self.names[at], self.escaped)
    }

    fn text(&self, at: usize) -> String {
        literal(&self.texts[at], self.escaped)
    }

    fn table(&self) -> String {
        format!("{}.{}", self.name(0), self.name(1))
    }

    fn schema(&self) -> String {
        let (schema, table) = (self.name(0), self.table());
        let n = |at: usize| self.name(at);
        format!(
            "CREATE TABLE canary (id int);\nCREATE SCHEMA {schema};\n\
             CREATE TYPE {schema}.{kind} AS ENUM ({one}, {two});\n\
             CREATE TABLE {schema}.{parent} ({key} bigint PRIMARY KEY);\n\
             CREATE TABLE {table} ({id} bigint PRIMARY KEY, {a} text, {b} int NOT NULL DEFAULT 1, {p} bigint, {k} {schema}.{kind}, {gone} text DEFAULT {one}, \
             CONSTRAINT {check} CHECK ({b} > 0));\n\
             CREATE INDEX {index} ON {table} ({a});\n\
             CREATE VIEW {schema}.{view} AS SELECT {key} FROM {schema}.{parent};\n\
             COMMENT ON TABLE {table} IS {one};\nCOMMENT ON COLUMN {table}.{a} IS {two};\n\
             INSERT INTO {table} SELECT i, 'v' || i, i FROM generate_series(1, 250) AS i;\n",
            kind = n(2),
            parent = n(3),
            key = n(4),
            id = n(5),
            a = n(6),
            b = n(7),
            p = n(8),
            k = n(9),
            check = n(10),
            index = n(11),
            view = n(12),
            gone = n(13),
            one = self.text(0),
            two = self.text(1),
        )
    }

    fn migration(&self) -> String {
        let (schema, table, new) = (self.name(0), self.table(), self.name(14));
        let n = |at: usize| self.name(at);
        let text = self.text(2);
        match self.change {
            0 => format!("ALTER TABLE {table} RENAME COLUMN {} TO {new};", n(6)),
            1 => format!("ALTER TABLE {table} RENAME TO {new};"),
            2 => format!("ALTER TABLE {table} DROP COLUMN {};", n(13)),
            3 => format!("ALTER TABLE {table} ALTER COLUMN {} SET NOT NULL;", n(6)),
            4 => format!("ALTER TABLE {table} ADD CONSTRAINT {new} CHECK ({} <> {text});", n(6)),
            5 => format!(
                "ALTER TABLE {table} ADD CONSTRAINT {new} FOREIGN KEY ({}) REFERENCES {schema}.{};",
                n(8),
                n(3)
            ),
            6 => format!("ALTER TABLE {table} ADD CONSTRAINT {new} UNIQUE ({});", n(6)),
            7 => format!("CREATE INDEX {new} ON {table} ({}, {}) WHERE {} <> {text};", n(6), n(7), n(6)),
            8 => format!("ALTER TABLE {table} ALTER COLUMN {} TYPE bigint;", n(7)),
            9 => format!("ALTER TABLE {table} ADD COLUMN {new} text NOT NULL DEFAULT {text};"),
            10 => format!("DROP VIEW {schema}.{};", n(12)),
            11 => format!("ALTER TYPE {schema}.{} ADD VALUE {text};", n(2)),
            12 => format!("ALTER TYPE {schema}.{} RENAME VALUE {} TO {text};", n(2), self.text(0)),
            13 => format!("DROP INDEX {schema}.{};", n(11)),
            14 => format!("ALTER TYPE {schema}.{} RENAME TO {new};", n(2)),
            15 => format!("ALTER SCHEMA {schema} RENAME TO {new};"),
            16 => format!("UPDATE {table} SET {} = {text} WHERE {} > 3;", n(6), n(7)),
            17 => format!(
                "ALTER TABLE {table} DROP CONSTRAINT {check};\nALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({} > -1);",
                n(7),
                check = n(10)
            ),
            18 => format!("ALTER TABLE {table} ALTER COLUMN {} TYPE text;", n(9)),
            19 => format!("REINDEX INDEX {schema}.{};", n(11)),
            20 => format!("ALTER TABLE {table} ADD COLUMN {new} bigint GENERATED ALWAYS AS IDENTITY;"),
            21 => format!("DROP TABLE {table};"),
            22 => format!(
                "DROP VIEW {schema}.{view};\nCREATE VIEW {schema}.{view} AS SELECT {key}, {text}::text AS {new} FROM {schema}.{};",
                n(3),
                view = n(12),
                key = n(4)
            ),
            _ => format!("ALTER TABLE {table} ALTER COLUMN {} TYPE varchar(300);", n(6)),
        }
    }

    fn shown(&self, more: &str) -> String {
        format!("{:?}\n{}{}\n{more}", self, self.schema(), self.migration())
    }
}

fn case() -> impl Strategy<Value = Case> {
    let names = proptest::collection::vec(name(), 15);
    let texts = proptest::collection::vec(text(), 3);
    // In one of five cases one name is what no file may hold.
    let worst = proptest::option::weighted(0.2, (0..15_usize, proptest::sample::select(TREACHEROUS)));
    let distinct = |it: &Vec<String>| it.iter().collect::<std::collections::BTreeSet<_>>().len() == it.len();
    let names = (names.prop_filter("distinct", distinct), worst).prop_map(|(mut names, worst)| {
        if let Some((at, piece)) = worst {
            names[at] = cut(&format!("{piece}{}", names[at]));
        }
        names
    });
    (names, texts.prop_filter("distinct", distinct), any::<bool>(), 0..CHANGES, ways()).prop_map(
        |(names, texts, escaped, change, way)| {
            let way = if way == Way::View && ![1, 14, 15].contains(&change) { Way::Triggers } else { way };
            // A mark that stands in a file as it is would have cut the file that it comes from.
            let raw = |it: String| if escaped { it } else { it.replace("\n--", "-").replace("\n\\", "\\") };
            Case { names, texts: texts.into_iter().map(raw).collect(), escaped, change, way }
        },
    )
}

/// The words of each statement of a text, without comments.
fn words(text: &str, part: Span) -> Vec<Vec<&str>> {
    let script = Script::read_part(text, part, Dialect::Postgres);
    let words = |it| script.tokens_of(it).iter().map(|token| token.span.of(text)).collect();
    script.statements.iter().map(words).collect()
}

fn whole(text: &str) -> Span {
    Span::new(0, text.len())
}

/// The files of steps, as a framework has them.
fn files(framework: &Framework, steps: &[&SqlStep]) -> Option<Vec<Vec<NewFile>>> {
    let now = Timestamp { year: 2026, month: 2, day: 3, hour: 4, minute: 5, second: 6 };
    let texts: Vec<(String, Option<String>)> = steps.iter().map(|it| (it.up(), it.down())).collect();
    let new: Vec<NewMigration<'_>> = steps
        .iter()
        .zip(&texts)
        .map(|(step, (up, down))| NewMigration {
            name: &step.name,
            up,
            down: down.as_deref(),
            transactional: step.transactional,
        })
        .collect();
    framework::spell(framework, &[], now, &new).ok()
}

/// The parts of a file that go up or back, as its runner sends them.
fn parts<'a>(
    framework: &Framework,
    files: &[NewFile],
    file: &'a NewFile,
    direction: Direction,
) -> Vec<(&'a str, Transaction)> {
    // Settings stand beside the file, or in its folder.
    let beside = files.iter().find(|it| !it.path.ends_with(".sql")).map(|it| it.content.as_str());
    let sections = framework::sections(framework, &file.path, &file.content, beside);
    let wanted = sections.into_iter().filter(|it| it.direction == direction);
    wanted.map(|it| (it.span.of(&file.content), it.transaction)).collect()
}

/// What is wrong with the files of one step.
fn wrong(framework: &Framework, files: &[NewFile], step: &SqlStep) -> Option<String> {
    let halves = [(Direction::Up, Some(&step.up)), (Direction::Down, step.down.as_ref())];
    for (direction, statements) in halves {
        let Some(statements) = statements else { continue };
        let texts: Vec<String> = statements.iter().map(|it| it.sql(step.dialect)).collect();
        let planned: Vec<Vec<&str>> = texts.iter().flat_map(|it| words(it, whole(it))).collect();
        if planned.len() != statements.len() {
            return Some(format!(
                "{} values are {} statements:\n{texts:#?}",
                statements.len(),
                planned.len()
            ));
        }
        let sql = files.iter().filter(|it| it.path.ends_with(".sql"));
        let sent: Vec<&str> =
            sql.flat_map(|it| parts(framework, files, it, direction)).map(|(text, _)| text).collect();
        // Liquibase reads the way back from comments, and some have no file for it.
        if direction == Direction::Down && sent.is_empty() {
            continue;
        }
        let mut found: Vec<Vec<&str>> = sent.iter().flat_map(|it| words(it, whole(it))).collect();
        // Where the runner opens no transaction, the file does.
        if found.first().is_some_and(|it| it == &["BEGIN"])
            && found.last().is_some_and(|it| it == &["COMMIT"])
        {
            found.remove(0);
            found.pop();
        }
        if found != planned {
            let files: String = files.iter().map(|it| format!("== {}\n{}", it.path, it.content)).collect();
            return Some(format!(
                "{}, {direction:?}: {found:?} are not {planned:?}\n{files}",
                framework.title
            ));
        }
    }
    for file in files.iter().filter(|it| it.path.ends_with(".sql")) {
        for piece in framework::pieces(framework, &file.content, whole(&file.content)) {
            let script = Script::read_part(&file.content, piece.span, Dialect::Postgres);
            if script.tokens.iter().any(|it| it.kind == TokenKind::Broken) {
                return Some(format!(
                    "{} sends half a statement: {}",
                    framework.title,
                    piece.span.of(&file.content)
                ));
            }
        }
    }
    None
}

/// Runs `property` over random cases that the product rewrites.
fn each(cases: u32, property: impl Fn(&Case, &[Phase]) -> Result<(), TestCaseError>) {
    let ended = RefCell::new((BTreeMap::<usize, usize>::new(), BTreeMap::<String, usize>::new()));
    let result = runner(cases).run(&case(), |case| {
        match phases_of(&case.schema(), &case.migration(), case.way, cluster().version(), "") {
            Ok(phases) => {
                *ended.borrow_mut().0.entry(case.change).or_default() += 1;
                property(&case, &phases)
            }
            Err(reason) => {
                let reason: String = reason.chars().take(400).collect();
                *ended.borrow_mut().1.entry(format!("{}: {reason}", case.change)).or_default() += 1;
                Ok(())
            }
        }
    });
    let (rewritten, refused) = ended.into_inner();
    println!("rewritten: {rewritten:?}\nrefused: {refused:#?}");
    if let Err(failure) = result {
        panic!("{failure}");
    }
    let all: usize = rewritten.values().sum();
    assert!(all * 2 >= usize::try_from(cases).expect("is small"), "{all} of {cases} are rewritten");
}

#[test]
fn files_hold_the_statements_of_the_plan() {
    each(200, |case, phases| {
        let steps: Vec<&SqlStep> = phases.iter().flat_map(Phase::migrations).collect();
        for framework in FRAMEWORKS {
            let Some(files) = files(framework, &steps) else { continue };
            for (files, step) in files.iter().zip(&steps) {
                let wrong = wrong(framework, files, step);
                prop_assert!(wrong.is_none(), "{}", case.shown(&wrong.unwrap_or_default()));
            }
        }
        Ok(())
    });
}

#[test]
fn files_do_on_a_server_what_the_change_does() {
    let runs: Vec<&Framework> =
        FRAMEWORKS.iter().filter(|it| !matches!(it.id, "drizzle" | "graphile-migrate" | "sqitch")).collect();
    let next = RefCell::new(0..);
    each(24, |case, phases| {
        let direct = cluster().database();
        direct.run(&case.schema());
        let mut client = direct.connect();
        if database::run(&mut client, &case.migration()).is_err() {
            return Err(TestCaseError::reject("the rows do not allow it"));
        }
        let steps: Vec<&SqlStep> = phases.iter().flat_map(Phase::migrations).collect();
        let turn: usize = next.borrow_mut().next().unwrap_or_default();
        let framework = runs[turn % runs.len()];
        let Some(files) = files(framework, &steps) else { return Ok(()) };
        let database = cluster().database();
        database.run(&case.schema());
        for files in &files {
            let done = run_files(&database, framework, files);
            prop_assert!(
                done.is_ok(),
                "{}",
                case.shown(&format!("{}: {done:?}\n{files:#?}", framework.title))
            );
        }
        let lines =
            difference(&snapshot(&direct, ColumnOrder::Ignored), &snapshot(&database, ColumnOrder::Ignored));
        prop_assert!(
            lines.is_empty(),
            "{}",
            case.shown(&format!("{}\n{lines}\n{files:#?}", framework.title))
        );
        Ok(())
    });
}

/// Runs what goes up, as the runner does.
fn run_files(database: &Database, framework: &Framework, files: &[NewFile]) -> Result<(), String> {
    for file in files.iter().filter(|it| it.path.ends_with(".sql")) {
        for (text, transaction) in parts(framework, files, file, Direction::Up) {
            if framework.reader == Reader::Psql {
                psql(database, text)?;
                continue;
            }
            let script = Script::read(text, Dialect::Postgres);
            let one_by_one: Vec<&str> = script.statements.iter().map(|it| it.span.of(text)).collect();
            let (texts, running) = match transaction {
                Transaction::Wrapped => (vec![text], Running::InTransaction),
                Transaction::Implicit => (vec![text], Running::Autocommit),
                Transaction::Autocommit => (one_by_one, Running::Autocommit),
            };
            apply(database, &texts, running).map_err(|it| format!("{it}\n{text}"))?;
        }
    }
    Ok(())
}

fn psql(database: &Database, text: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("step.sql");
    std::fs::write(&path, text).expect("can be written");
    let mut psql = std::process::Command::new(cluster().bin().join("psql"));
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &cluster().url(database.name()), "-f"]).arg(&path);
    let output = psql.output().expect("psql starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{said}\n{text}")) }
}
