//! From a project's files to what is carried out: the history, the migration, and the steps that it is rewritten as.

use std::sync::Arc;

use lockkeeper_core::framework::{Direction, Framework, Kind, Transaction};
use lockkeeper_core::text::Span;
use lockkeeper_database::{Rewritten, Script, Step};
use lockkeeper_project::Project;
use lockkeeper_project::analysis::CheckedFile;
use lockkeeper_project::discover::Place;
use lockkeeper_project::folder::Source;
use lockkeeper_project::rewrite::{PlannedFile, Rewrite};

/// What runs before a migration, in its runner's order.
pub fn history(project: &Project, file: &CheckedFile) -> Vec<Script> {
    let place = project.classify_file(std::path::Path::new(&file.path));
    let Some(folder) = place.folder() else { return Vec::new() };
    let own = (folder.framework.id == "golang-migrate").then(own_table);
    let before = folder.before(&file.path).iter().filter(|it| it.kind == Kind::Versioned);
    own.into_iter().chain(before.flat_map(|it| &it.files).flat_map(|it| scripts(it, Direction::Up))).collect()
}

/// The table in which golang-migrate keeps its books: there are histories that change it.
fn own_table() -> Script {
    const TABLE: &str =
        "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)";
    Script {
        path: "golang-migrate".to_owned(),
        text: TABLE.into(),
        span: Span::new(0, TABLE.len()),
        transaction: Transaction::Autocommit,
    }
}

/// The migration as it is written.
pub fn written(project: &Project, file: &CheckedFile) -> Step {
    let own = match project.classify_file(std::path::Path::new(&file.path)) {
        Place::Migration(_, migration, _) => migration.files.clone(),
        _ => vec![Source::new(file.framework, &file.path, &file.text, None)],
    };
    Step {
        title: "the migration as it is written".to_owned(),
        path: file.path.clone(),
        up: own.iter().filter(|it| it.path == file.path).flat_map(|it| scripts(it, Direction::Up)).collect(),
        down: own.iter().flat_map(|it| scripts(it, Direction::Down)).collect(),
        before: Vec::new(),
        releases_before: 0,
    }
}

/// The steps that a migration is rewritten as. A release goes out before the first file that needs it.
pub fn rewritten(file: &CheckedFile, rewrite: &Rewrite) -> Rewritten {
    let mut steps: Vec<Step> = Vec::new();
    for files in rewrite.files.chunk_by(|one, other| one.step == other.step) {
        let out =
            rewrite.releases.iter().filter(|it| it.before_file.as_ref() == Some(&files[0].path)).count();
        let before = steps.last().map_or(0, |it| it.releases_before);
        steps.push(step(file.framework, files, before + out));
    }
    let must = rewrite.releases.iter().flat_map(|it| it.must.iter().cloned());
    // What people have to do behind a step is announced as well.
    let behind = rewrite.phases.iter().flat_map(|it| &it.exit).filter(|it| it.query.is_none());
    let must = must.chain(behind.map(|it| it.text.clone())).collect();
    Rewritten { strategy: rewrite.way.id().to_owned(), steps, releases: rewrite.releases.len(), must }
}

fn step(framework: &'static Framework, files: &[PlannedFile], releases_before: usize) -> Step {
    let sidecar = files.iter().find(|it| !it.path.ends_with(".sql")).map(|it| it.content.as_str());
    let sources = files.iter().filter(|it| it.path.ends_with(".sql"));
    let sources: Vec<Source> =
        sources.map(|it| Source::new(framework, &it.path, &it.content, sidecar)).collect();
    Step {
        title: files[0].title.clone(),
        path: files[0].path.clone(),
        up: sources.iter().flat_map(|it| scripts(it, Direction::Up)).collect(),
        down: sources.iter().flat_map(|it| scripts(it, Direction::Down)).collect(),
        before: files[0].before.clone(),
        releases_before,
    }
}

/// The parts of a file that go one way; the last one that goes up is the first that goes back.
fn scripts(source: &Source, direction: Direction) -> Vec<Script> {
    let text: Arc<str> = Arc::clone(&source.text);
    let sections = source.sections.iter().filter(|it| it.direction == direction);
    let mut scripts: Vec<Script> = sections
        .filter(|it| has_statements(&text, it.span))
        .map(|it| Script {
            path: source.path.clone(),
            text: Arc::clone(&text),
            span: it.span,
            transaction: it.transaction,
        })
        .collect();
    if direction == Direction::Down {
        scripts.reverse();
    }
    scripts
}

fn has_statements(text: &str, span: Span) -> bool {
    use lockkeeper_core::dialect::Dialect;
    use lockkeeper_core::statement::Script as Sql;
    !Sql::read_part(text, span, Dialect::Postgres).statements.is_empty()
}
