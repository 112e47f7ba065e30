//! A risky migration rewritten as files in the project's own framework.

mod followers;
mod pieces;
mod write;

use std::collections::BTreeSet;

use lockkeeper_core::check::{self, check};
use lockkeeper_core::dialect::{Dialect, Name};
use lockkeeper_core::framework::{self, Direction, NewFile, NewMigration, Timestamp, Transaction};
use lockkeeper_core::operation::{Expression, Kind, Operation, TableAction};
use lockkeeper_core::plan::{Criterion, Phase, PhaseKind, SqlStep, Statement, Step, Way};
use lockkeeper_core::planner::{Part, together};
use lockkeeper_core::recipes::{self, Answers};
use lockkeeper_core::text::{Span, comment};

use crate::analysis::CheckedFile;
use crate::discover::{Place, Project};
use crate::folder::{Folder, Migration};
use crate::proved;
use pieces::{Becomes, Kept, Order, Piece, Redefined, pieces, recipes};

pub use write::write;

/// A file to be made or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Relative to the root.
    pub path: String,
    /// The number of its step, from 1 on; the halves of a migration have the same.
    pub step: usize,
    /// What the step does.
    pub title: String,
    /// What must be so before it; which release must be out says [`Release::before_file`].
    pub before: Vec<String>,
    /// The phase that it belongs to.
    pub phase: PhaseKind,
    /// Its whole text.
    pub content: String,
    /// The text that it replaces.
    pub was: Option<String>,
    /// Whether a file of that path is there and is replaced: the migration that is rewritten, and its down.
    pub replaces: bool,
}

/// What the application must do between phases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The phase whose files run before it; `assessment` where none does.
    pub after_phase: PhaseKind,
    /// The first file that may run only when it is out.
    pub before_file: Option<String>,
    /// What it must do.
    pub must: Vec<String>,
}

/// A migration rewritten.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewrite {
    /// How it is carried out.
    pub way: Way,
    /// The files in the order in which they run.
    pub files: Vec<PlannedFile>,
    /// The releases between them.
    pub releases: Vec<Release>,
    /// All phases, with criteria and rollback.
    pub phases: Vec<Phase>,
    /// What whoever writes the files should know first.
    pub notes: Vec<String>,
}

/// Why a migration cannot be rewritten, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RewriteError {
    /// In the user's words.
    pub message: String,
}

impl RewriteError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// The ways that may differ for a checked file, the one that it is rewritten in by itself first.
pub fn ways(file: &CheckedFile) -> Vec<Way> {
    let has_stand_in = recipes(file).iter().any(|recipe| recipe.ways.contains(&Way::View));
    Way::ALL.into_iter().filter(|way| *way != Way::View || has_stand_in).collect()
}

/// The phases of a checked file carried out in a way, as the answers say, without spelling files.
///
/// # Errors
/// [`RewriteError`] where nothing in the file has a recipe, or a recipe is not possible here.
pub fn phases(
    project: &Project,
    file: &CheckedFile,
    way: Way,
    answers: &Answers,
) -> Result<Vec<Phase>, RewriteError> {
    if !ways(file).contains(&way) {
        return Err(RewriteError::new(
            "nothing in this migration takes a name from what the running release says, so nothing can stand under it: leave --strategy out",
        ));
    }
    let down = down_migration(project, file);
    let back = way_back(&down, file);
    let pieces = pieces(&Order { file, way, limits: &project.config.limits, back: &back, answers })?;
    let stem = stem_of(&file.path);
    if way == Way::Window {
        return Ok(window(file, &down, &stem));
    }
    let part = |(number, piece): (usize, &Piece)| {
        let name = format!("{stem}_{}", number + 1);
        let phases = match &piece.becomes {
            Becomes::Rewritten(own) => own.clone(),
            Becomes::Kept(kept) => vec![kept_phase(kept, name, file.target.dialect)],
            Becomes::Redefined(views) => vec![redefined_phase(views, name, file.target.dialect)],
        };
        Part { phases, touches: piece.touches.clone() }
    };
    let parts: Vec<Part> = pieces.iter().enumerate().map(part).collect();
    let proved = |phases: &[Phase], count: usize| {
        let after =
            count.checked_sub(1).and_then(|last| pieces.get(last)).map_or(&file.before, |it| &it.after);
        proved::objections_to(file, way, phases, after).is_empty()
    };
    Ok(together(&parts, proved))
}

/// The values that a way back computes: the down migration, and what `-- lockkeeper: back SQL` states.
fn way_back(down: &str, file: &CheckedFile) -> String {
    let stated = file.parts.iter().flat_map(|(checked, _)| &checked.comments);
    let stated = stated.filter_map(|span| stated_back(span.of(&file.text)));
    std::iter::once(down).filter(|it| !it.is_empty()).chain(stated).collect::<Vec<_>>().join(";\n")
}

/// The way back as the developer wrote it: the down migration, here or beside.
fn down_migration(project: &Project, file: &CheckedFile) -> String {
    let own = file.downs.iter().flat_map(|(checked, _)| &checked.statements);
    let mut down: Vec<&str> = own.map(|statement| statement.span.of(&file.text)).collect();
    if let Place::Migration(_, migration, _) = project.classify_file(std::path::Path::new(&file.path)) {
        let siblings = migration.files.iter().filter(|source| source.path != file.path);
        for source in siblings {
            let downs = source.sections.iter().filter(|section| section.direction == Direction::Down);
            down.extend(downs.map(|section| section.span.of(&source.text)));
        }
    }
    down.join(";\n")
}

/// The SQL of a comment `-- lockkeeper: back SQL`.
fn stated_back(comment: &str) -> Option<&str> {
    let words = comment.trim_start_matches(['-', '/', '*', '#', ' ']).trim_end_matches(['*', '/', ' ']);
    words.strip_prefix("lockkeeper:")?.trim().strip_prefix("back ").map(str::trim)
}

/// One phase: the statements as they were written.
fn window(file: &CheckedFile, down: &str, stem: &str) -> Vec<Phase> {
    let up: Vec<_> = file.parts.iter().flat_map(|(it, _)| recipes::written(&file.text, it)).collect();
    let after = file.parts.last().map_or(&file.before, |(it, _)| &it.after);
    let part =
        check::Part { text: down, span: Span::new(0, down.len()), transaction: Transaction::Autocommit };
    let mut phases = recipes::in_window(
        stem,
        &up,
        &recipes::written(down, &check(part, &file.target, after)),
        file.target.dialect,
    );
    let queries = file.hazards().filter_map(|hazard| hazard.preflight.as_ref());
    let queries: BTreeSet<&String> = queries.filter(|query| can_be_asked_before(query, file)).collect();
    let refused =
        |query: &String| Criterion::counts_nothing("there is no row that the server refuses", query);
    phases.iter_mut().for_each(|phase| phase.entry.extend(queries.iter().copied().map(refused)));
    phases
}

/// Whether a query asks for nothing that the migration itself makes or mends: nobody could ask it before.
fn can_be_asked_before(query: &str, file: &CheckedFile) -> bool {
    let query = Expression::new(query);
    let operations: Vec<_> =
        file.parts.iter().flat_map(|(it, _)| &it.statements).flat_map(|it| &it.operations).collect();
    let dialect = file.target.dialect;
    let named = |table: &Name| query.calls_something(&table.name, dialect);
    let mends = |it: &&&Operation| it.changes_rows() && it.relation().is_some_and(named);
    if operations.iter().any(|it| mends(&it)) {
        return false;
    }
    let mut made = operations.iter().filter_map(|it| match &it.kind {
        Kind::AlterTable(alter) => match &alter.action {
            TableAction::AddColumn { column, .. } => Some((&alter.table, &column.name.name)),
            TableAction::RenameColumn { to, .. } => Some((&alter.table, &to.name)),
            _ => None,
        },
        _ => None,
    });
    let was_there = |(table, column): (&Name, &String)| {
        file.before.table(&file.before.resolve(table)).is_some_and(|it| it.column(column).is_some())
    };
    made.all(|(table, column)| was_there((table, column)) || !query.names(column, dialect))
}

fn kept_phase(kept: &Kept, name: String, dialect: Dialect) -> Phase {
    let guarded = |it: Vec<Statement>| if kept.transactional { recipes::with_timeout(it) } else { it };
    let title = "what stays as it was written".to_owned();
    let (up, down) = (guarded(kept.up.clone()), kept.down.clone().map(guarded));
    let step = SqlStep { name, title: title.clone(), up, down, transactional: kept.transactional, dialect };
    Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
}

fn redefined_phase(views: &Redefined, name: String, dialect: Dialect) -> Phase {
    let shown: Vec<String> = views.names().map(|it| it.display(dialect)).collect();
    let title = format!("replace {} in one transaction", shown.join(", "));
    let (up, down) = (recipes::with_timeout(views.up()), Some(recipes::with_timeout(views.down())));
    let step = SqlStep { name, title: title.clone(), up, down, transactional: true, dialect };
    Phase::new(PhaseKind::Cutover, title, vec![Step::Sql(step)])
}

/// Rewrites a checked file of `project`. `now` gives new files their names.
///
/// # Errors
/// [`RewriteError`] where nothing in the file has a recipe, a recipe is not possible here, or the framework cannot run
/// the steps.
pub fn rewrite(
    project: &Project,
    file: &CheckedFile,
    way: Way,
    answers: &Answers,
    now: Timestamp,
) -> Result<Rewrite, RewriteError> {
    let phases = phases(project, file, way, answers)?;
    refuse_unproved(file, way, &phases)?;
    followers::refuse_needed_by_later(project, file, &phases)?;
    let (files, first_files) = spell(project, file, &phases, now)?;
    let releases = releases(&phases, &first_files);
    Ok(Rewrite { way, files, releases, phases, notes: followers::notes(project, file) })
}

/// Nobody gets a plan that the model does not prove.
fn refuse_unproved(file: &CheckedFile, way: Way, phases: &[Phase]) -> Result<(), RewriteError> {
    /// More than these nobody reads at once.
    const MOST: usize = 5;
    let objections = proved::objections(file, way, phases);
    if objections.is_empty() {
        return Ok(());
    }
    let mut words: Vec<String> = objections.iter().take(MOST).map(ToString::to_string).collect();
    if objections.len() > MOST {
        words.push(format!("and {} more", objections.len() - MOST));
    }
    let message = format!(
        "the steps that this migration would become are not safe together, so none is written: {}. Split the migration at these \
         places, or carry it out in a window (--strategy maintenance-window)",
        words.join("; ")
    );
    Err(RewriteError::new(message))
}

/// The releases in order. `first_files` has the path of the first file of each migration.
fn releases(phases: &[Phase], first_files: &[String]) -> Vec<Release> {
    let (mut releases, mut after_phase, mut done) = (Vec::new(), PhaseKind::Assessment, 0);
    for (phase, step) in phases.iter().flat_map(|phase| phase.steps.iter().map(move |step| (phase, step))) {
        match step {
            Step::Sql(_) => (after_phase, done) = (phase.kind, done + 1),
            Step::Release(release) => releases.push(Release {
                after_phase,
                before_file: first_files.get(done).cloned(),
                must: release.must.clone(),
            }),
            Step::Check(_) => {}
        }
    }
    releases
}

/// A migration of the plan with its place in it.
struct Planned<'a> {
    phase: &'a Phase,
    step: &'a SqlStep,
    /// What must be so before it.
    criteria: Vec<String>,
    up: String,
    down: Option<String>,
}

fn spell(
    project: &Project,
    file: &CheckedFile,
    phases: &[Phase],
    now: Timestamp,
) -> Result<(Vec<PlannedFile>, Vec<String>), RewriteError> {
    let goes_back = !down_migration(project, file).is_empty();
    let planned = planned(phases, goes_back);
    let migrations: Vec<NewMigration<'_>> = planned
        .iter()
        .map(|it| NewMigration {
            name: &it.step.name,
            up: &it.up,
            down: it.down.as_deref(),
            transactional: it.step.transactional,
        })
        .collect();
    let place = project.classify_file(std::path::Path::new(&file.path));
    let (folder, original) = match place {
        Place::Migration(folder, migration, _) => (Some(folder), Some(migration)),
        Place::Folder(folder) => (Some(folder), None),
        Place::Alone => (None, None),
    };
    let existing = folder.map(Folder::existing).unwrap_or_default();
    let spelled = |migrations: &[NewMigration<'_>]| {
        framework::spell(file.framework, &existing, now, migrations)
            .map_err(|error| RewriteError::new(error.to_string()))
    };
    // The first step takes the place of the original, so the one behind it has the next number.
    let apart = usize::from(original.is_some()).min(migrations.len());
    let of_first = spelled(&migrations[..apart])?;
    let behind = |count: usize| -> Result<Vec<NewFile>, RewriteError> {
        Ok(of_first.iter().cloned().chain(spelled(&migrations[apart..count])?).collect())
    };
    let (mut files, mut first_files) = (Vec::<PlannedFile>::new(), Vec::new());
    let all = behind(migrations.len())?;
    let mut done = 0;
    for (number, it) in planned.iter().enumerate() {
        let end = behind(apart.max(number + 1))?.len();
        let before = files.len();
        for new in &all[done..end] {
            let content = new.content.clone();
            let first = number == 0;
            let own_name = if first { in_place_of(file, folder, original, &new.path) } else { None };
            let replaces = own_name.as_ref().is_some_and(|path| exists(path, file, original));
            let path = own_name.unwrap_or_else(|| join(folder, file, &new.path));
            let was = text_of(&path, file, original).filter(|_| replaces);
            files.push(PlannedFile {
                path,
                step: number + 1,
                title: it.step.title.clone(),
                before: it.criteria.clone(),
                phase: it.phase.kind,
                was,
                content,
                replaces,
            });
        }
        first_files.extend(files.get(before).map(|it| it.path.clone()));
        done = end;
    }
    Ok((files, first_files))
}

/// The text of a half of the migration that is rewritten.
fn text_of(path: &str, file: &CheckedFile, original: Option<&Migration>) -> Option<String> {
    if path == file.path {
        return Some(file.text.to_string());
    }
    original?.files.iter().find(|it| it.path == path).map(|it| it.text.to_string())
}

fn exists(path: &str, file: &CheckedFile, original: Option<&Migration>) -> bool {
    path == file.path || original.is_some_and(|it| it.files.iter().any(|it| it.path == path))
}

/// A new file in the migrations folder, or beside a file that is in none.
fn join(folder: Option<&Folder>, file: &CheckedFile, path: &str) -> String {
    let parent = match folder {
        Some(folder) => folder.path.clone(),
        None => file.path.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned()),
    };
    if parent.is_empty() { path.to_owned() } else { format!("{parent}/{path}") }
}

/// The first migration takes the place of the one that is rewritten: the path of the same half of it.
fn in_place_of(
    file: &CheckedFile,
    folder: Option<&Folder>,
    original: Option<&Migration>,
    new: &str,
) -> Option<String> {
    let Some(folder) = folder else { return Some(file.path.clone()).filter(|_| new.ends_with(".sql")) };
    let part = match new.ends_with(".down.sql") {
        true => framework::Part::Down,
        false => framework::parse(file.framework, new)?.part,
    };
    // A file without a half in its name holds the way up; the way down and settings have files of their own beside it.
    let whole = matches!(part, framework::Part::Whole | framework::Part::Up);
    let same_half = |path: &str| {
        folder.parse(path).is_some_and(|it| it.part == part || it.part == framework::Part::Whole && whole)
    };
    if same_half(&file.path) {
        return Some(file.path.clone());
    }
    let other = original.and_then(|it| it.files.iter().find(|it| same_half(&it.path)));
    other.map(|it| it.path.clone()).or_else(|| sibling(file, folder, new))
}

/// The path of another half of the same migration that is not there yet.
fn sibling(file: &CheckedFile, folder: &Folder, new: &str) -> Option<String> {
    let inside = folder.inside(&file.path)?;
    let end = |path: &str| match file.framework.layout {
        framework::Layout::Folders { .. } => path.find('/').unwrap_or(path.len()),
        framework::Layout::Files => {
            let ends = [".up.sql", ".down.sql", ".sql", ".sql.conf"];
            ends.iter().find_map(|it| path.strip_suffix(it)).unwrap_or(path).len()
        }
    };
    let (own, new_end) = (&inside[..end(inside)], &new[end(new)..]);
    let own = match file.framework.halves {
        // `V2__x.sql` is taken back by `U2__x.sql`.
        framework::Halves::Letters => format!("{}{}", new.get(..1)?, own.get(1..)?),
        // `2.do.x.sql` by `2.undo.x.sql`.
        framework::Halves::Actions => {
            let mut words: Vec<&str> = own.split('.').collect();
            *words.get_mut(1)? = new.split('.').nth(1)?;
            words.join(".")
        }
        _ => own.to_owned(),
    };
    Some(if folder.path.is_empty() {
        format!("{own}{new_end}")
    } else {
        format!("{}/{own}{new_end}", folder.path)
    })
}

/// The way back from a step that only changes rows, for a project whose migrations have one: a runner that finds none stops there.
const NOTHING_BACK: &str =
    "-- Nothing takes this step back: what the rows were before is in the backup only\nSELECT 1;\n";

/// Whether a step changes rows and nothing else.
fn changes_rows_only(step: &SqlStep) -> bool {
    step.job().is_some() || step.operations().all(|it| it.changes_rows() || matches!(it, Kind::Set(_)))
}

/// The migrations of a plan in order, each with a comment that says where it stands.
fn planned(phases: &[Phase], goes_back: bool) -> Vec<Planned<'_>> {
    let count = phases.iter().flat_map(Phase::migrations).count();
    let mut planned = Vec::with_capacity(count);
    let (mut criteria, mut released) = (Vec::new(), Vec::new());
    for phase in phases {
        if phase.migrations().next().is_some() {
            criteria.extend(phase.entry.iter().map(|it| it.text.clone()));
        }
        for step in &phase.steps {
            let step = match step {
                Step::Sql(step) => step,
                Step::Release(release) => {
                    released.extend(release.must.iter().cloned());
                    continue;
                }
                Step::Check(_) => continue,
            };
            criteria.dedup();
            let place = (planned.len() + 1, count);
            let up = header(place, phase, step, (&criteria, &released)) + &step.up();
            let nothing = || (goes_back && changes_rows_only(step)).then(|| NOTHING_BACK.to_owned());
            let down = step.down().or_else(nothing);
            released.clear();
            planned.push(Planned { phase, step, criteria: std::mem::take(&mut criteria), up, down });
        }
    }
    planned
}

fn header(
    (number, count): (usize, usize),
    phase: &Phase,
    step: &SqlStep,
    (criteria, released): (&[String], &[String]),
) -> String {
    let mut text = comment(&format!("Step {number} of {count} ({}): {}", phase.kind.id(), step.title));
    for criterion in criteria {
        text.push_str(&comment(&format!("Before it: {criterion}")));
    }
    for must in released {
        text.push_str(&comment(&format!("Before it: released: {must}")));
    }
    for index in built(step) {
        text.push_str(&comment(&format!(
            "If it fails it leaves an invalid index: DROP INDEX CONCURRENTLY IF EXISTS {index}, then run it again"
        )));
    }
    if step.down.is_none() {
        text.push_str(&comment("There is no way back that keeps everything"));
    }
    text
}

/// The indexes that a step builds beside writers.
fn built(step: &SqlStep) -> impl Iterator<Item = String> {
    step.operations().filter_map(move |it| match it {
        Kind::CreateIndex(index) if index.concurrently => {
            let name = index.name.as_ref()?;
            Some(index.table.sibling(name.name.clone()).sql(step.dialect))
        }
        _ => None,
    })
}

fn stem_of(path: &str) -> String {
    let name = path.rsplit('/').find(|part| !matches!(*part, "up.sql" | "down.sql" | "migration.sql"));
    let name = name.unwrap_or("migration").trim_end_matches(".sql").trim_end_matches(".up");
    let words =
        name.trim_start_matches(|it: char| it.is_ascii_digit() || matches!(it, '_' | '-' | 'V' | '.'));
    if words.is_empty() { "migration".to_owned() } else { words.to_owned() }
}
