//! The phases of a fixture as the product writes them, and how its files are run.

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::engine::lower::lower;
use lockkeeper_core::framework::{self, Direction, Timestamp, Transaction};
use lockkeeper_core::plan::{Phase, PhaseKind, SqlStep, Way};
use lockkeeper_core::recipes::{self, Recipe};
use lockkeeper_core::statement::Script;
use lockkeeper_project::analysis::CheckedFile;
use lockkeeper_project::discover::Project;
use lockkeeper_project::{analysis, discover, rewrite};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use super::Fixture;
use crate::cluster::cluster;
use crate::database::{Database, Failure, rows};
use crate::observe::Running;
use crate::workload::apply;

/// Small windows, so that there are many of them in small tables.
const BATCH_ROWS: u32 = 100;

/// The recipe for the first statement of a migration.
pub(super) fn recipe(migration: &str) -> &'static Recipe {
    let script = Script::read(migration, Dialect::Postgres);
    let operations = lower(&script, &script.statements[0]);
    let found = operations.iter().find_map(|it| recipes::for_operation(it, Dialect::Postgres));
    found.unwrap_or_else(|| panic!("no recipe: {migration}"))
}

/// The phases that the product writes for a fixture, or why it says no.
pub(super) fn phases(fixture: &Fixture) -> Result<Vec<Phase>, String> {
    phases_of(fixture.schema, fixture.migration, fixture.way, cluster().version(), fixture.answers)
}

/// The phases that the product writes for a project with this history, or why it says no.
pub(crate) fn phases_of(
    schema: &str,
    migration: &str,
    way: Way,
    version: u32,
    answers: &str,
) -> Result<Vec<Phase>, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (project, file) = checked(folder.path(), [schema, migration].map(str::to_owned), version, answers);
    rewrite::phases(&project, &file, way, &project.config.answers_with(&[]))
        .map_err(|error| error.to_string())
}

/// The second of two migrations, in a project of its own.
pub(super) fn checked(
    folder: &Path,
    texts: [String; 2],
    version: u32,
    answers: &str,
) -> (Project, CheckedFile) {
    let migrations = folder.join("migrations");
    std::fs::create_dir_all(&migrations).expect("can be made");
    let settings =
        format!("dialect = \"postgres\"\ntarget-version = {version}\n[limits]\nbatch-rows = {BATCH_ROWS}\n");
    let settings = format!("{settings}[answers]\n{answers}");
    std::fs::write(folder.join("lockkeeper.toml"), settings).expect("can be written");
    let paths = ["0001_schema.sql", "0002_change.sql"].map(|name| migrations.join(name));
    for (path, text) in paths.iter().zip(texts) {
        std::fs::write(path, text).expect("can be written");
    }
    let project = discover(folder).expect("is a project");
    let policies = analysis::policies(&project, None);
    let file = analysis::check_path(&project, &paths[1], None, &policies).expect("is a migration");
    (project, file)
}

/// The files that the product writes for a project of goose, each with how it runs there. Nothing in them fails, and they wait for no lock
/// without an end.
pub(super) fn spelled(fixture: &Fixture) -> Vec<(String, Running)> {
    const FAULTS: [&str; 4] =
        ["failing-statement", "concurrent-in-transaction", "stray-transaction", "no-lock-timeout"];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let texts = [fixture.schema, fixture.migration].map(|sql| format!("-- +goose Up\n{sql}"));
    let (project, file) = checked(folder.path(), texts, cluster().version(), fixture.answers);
    let now = Timestamp { year: 2026, month: 2, day: 3, hour: 4, minute: 5, second: 6 };
    let answers = project.config.answers_with(&[]);
    let rewrite = rewrite::rewrite(&project, &file, fixture.way, &answers, now).expect("was possible");
    rewrite::write(&project.root, &rewrite).expect("can be written");
    let project = discover(folder.path()).expect("is a project");
    let policies = analysis::policies(&project, None);
    let mut runs = Vec::new();
    for new in &rewrite.files {
        let path = project.root.join(&new.path);
        let file = analysis::check_path(&project, &path, None, &policies).expect("is a migration");
        let fault = file.hazards().find(|it| FAULTS.contains(&it.rule));
        assert!(fault.is_none(), "{}: {fault:#?}\n{}", fixture.name, file.text);
        let sections = framework::sections(file.framework, &new.path, &file.text, None);
        for section in sections.iter().filter(|it| it.direction == Direction::Up) {
            let wrapped = section.transaction == Transaction::Wrapped;
            let running = if wrapped { Running::InTransaction } else { Running::Autocommit };
            runs.push((section.span.of(&file.text).to_owned(), running));
        }
    }
    runs
}

/// A database with the fixture's schema and rows: the same bytes each time.
pub(super) fn start(fixture: &Fixture) -> Database {
    let mut hasher = DefaultHasher::new();
    fixture.schema.hash(&mut hasher);
    let name = format!("proof_{:x}", hasher.finish());
    cluster().database_from(&name, |database| database.run(fixture.schema))
}

/// Runs a migration as its file says, and again where it gave up for its lock.
pub(crate) fn up(database: &Database, step: &SqlStep) -> Result<(), Failure> {
    again(|| one(database, &step.up(), step))
}

/// Runs the way back, or what a person does where there is none: behind the last step of a plan that contracts, or in place of one that nothing
/// takes back.
pub(super) fn down(fixture: &Fixture, database: &Database, phases: &[Phase], step: &SqlStep) {
    let (name, way) = (fixture.name, fixture.way.id());
    let end = phases.iter().rev().find_map(|phase| Some((phase, phase.migrations().last()?)));
    let contracts = end.is_some_and(|(phase, last)| phase.kind == PhaseKind::Contract && last == step);
    let of_contract =
        |phase: &Phase| phase.kind == PhaseKind::Contract && phase.migrations().any(|it| it == step);
    let each = fixture.restores_each && phases.iter().any(of_contract);
    let last = contracts || each || step.down.is_none();
    let restore = fixture.restore.filter(|_| last);
    assert!(step.down.is_some() || restore.is_some(), "{name} ({way}): {} has no way back", step.name);
    back(database, step).unwrap_or_else(|failure| {
        panic!("{name} ({way}): down from {}: {failure}\n{:?}", step.name, step.down())
    });
    if let Some(restore) = restore {
        database.run(restore);
    }
}

/// Runs the way back, where there is one.
pub(crate) fn back(database: &Database, step: &SqlStep) -> Result<(), Failure> {
    step.down().as_ref().map_or(Ok(()), |down| again(|| one(database, down, step)))
}

fn one(database: &Database, sql: &str, step: &SqlStep) -> Result<(), Failure> {
    if step.transactional {
        return apply(database, &[sql], Running::InTransaction);
    }
    straight(database, sql)
}

/// The statements of a text one by one, as psql sends them: sent together they would be one transaction.
pub(super) fn straight(database: &Database, sql: &str) -> Result<(), Failure> {
    let script = Script::read(sql, Dialect::Postgres);
    let statements: Vec<&str> = script.statements.iter().map(|it| it.span.of(sql)).collect();
    apply(database, &statements, Running::Autocommit)
}

fn again(run: impl Fn() -> Result<(), Failure>) -> Result<(), Failure> {
    for _ in 0..20 {
        match run() {
            Err(failure) if failure.sqlstate == "55P03" => {}
            other => return other,
        }
    }
    run()
}

/// All rows of all tables, columns by name, and where each sequence stands; without columns and sequences of some names.
pub(crate) fn contents(database: &Database, left_out: &[&str]) -> String {
    let mut client = database.connect();
    let mut ask =
        |query: &str| rows(&mut client, query).unwrap_or_else(|failure| panic!("{failure}\n{query}"));
    let tables = ask(
        "SELECT c.oid::regclass::text, c.relkind FROM pg_class c WHERE relkind IN ('r', 'm', 'S') AND relnamespace IN
           (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema') ORDER BY 1",
    );
    let without: String = left_out.iter().map(|column| format!(" - '{column}'")).collect();
    let mut text = String::new();
    for row in tables {
        let [Some(name), Some(kind)] = row.as_slice() else { continue };
        if left_out.contains(&name.as_str()) {
            continue;
        }
        let query = match kind.as_str() {
            "S" => format!("SELECT format('%s %s', last_value, is_called) FROM {name}"),
            _ => format!("SELECT (to_jsonb(t){without})::text FROM {name} t ORDER BY 1"),
        };
        for value in ask(&query) {
            text.push_str(&format!("{name}: {}\n", value[0].as_deref().unwrap_or_default()));
        }
    }
    text
}

/// The first lines in which two contents differ; empty when they are equal.
pub(crate) fn differing_rows(expected: &str, found: &str) -> String {
    if expected == found {
        return String::new();
    }
    let only = |sign: char, these: &str, those: &str| -> String {
        let those: std::collections::BTreeSet<&str> = those.lines().collect();
        let missing = these.lines().filter(|line| !those.contains(line)).take(5);
        missing.map(|line| format!("{sign} {line}\n")).collect()
    };
    let lines = only('-', expected, found) + &only('+', found, expected);
    format!("{} rows, now {}\n{lines}", expected.lines().count(), found.lines().count())
}
