//! A risky migration rewritten as files in the project's own framework.

mod files;
mod followers;
mod held;
mod pieces;
mod write;

use std::collections::BTreeSet;

use lockkeeper_core::check::{self, check};
use lockkeeper_core::dialect::{Dialect, Name};
use lockkeeper_core::framework::{Direction, Timestamp, Transaction};
use lockkeeper_core::mechanics::{self, Answers, STALE_STATEMENTS};
use lockkeeper_core::operation::{Expression, Kind, Operation, TableAction};
use lockkeeper_core::plan::{Act, Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Statement, Step, Way};
use lockkeeper_core::planner::{Part, guarded, together};
use lockkeeper_core::text::{self, Span};

use crate::analysis::CheckedFile;
use crate::discover::{Place, Project};
use crate::proved;
use pieces::{Becomes, Kept, Order, Piece, Redefined, pieces, recipes};

pub use files::Drafted;
pub use followers::writers_by_place;
pub use held::{Awaited, Held, KeptFile, folder_of};
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
    /// Whether it waits and is not written now.
    pub held: bool,
    /// The file in which it waits.
    pub kept_in: Option<String>,
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
    /// The migration that is rewritten, relative to the root.
    pub subject: String,
    /// How it is carried out.
    pub way: Way,
    /// The files in the order in which they run.
    pub files: Vec<PlannedFile>,
    /// The releases between them.
    pub releases: Vec<Release>,
    /// All phases, with criteria and rollback.
    pub phases: Vec<Phase>,
    /// Their migrations as they stand in the files.
    pub drafted: Vec<Drafted>,
    /// The files in which those wait that are held back, and those of an earlier rewrite that go.
    pub kept: Vec<KeptFile>,
    /// What whoever writes the files should know first.
    pub notes: Vec<String>,
}

/// Why a migration cannot be rewritten, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RewriteError {
    /// In the user's words.
    pub message: String,
    /// Nothing in the migration asks for it.
    pub nothing_to_do: bool,
}

impl RewriteError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), nothing_to_do: false }
    }

    fn nothing_to_do() -> Self {
        let message = "nothing in this migration has a recipe: there is nothing to rewrite".to_owned();
        Self { message, nothing_to_do: true }
    }
}

/// A migration that is no file yet and stays as it was drafted: one file.
pub fn of_draft(file: &CheckedFile) -> Rewrite {
    let only = PlannedFile {
        path: file.path.clone(),
        step: 1,
        title: "the migration as it was drafted".to_owned(),
        before: Vec::new(),
        phase: PhaseKind::Expand,
        content: file.text.to_string(),
        was: None,
        replaces: false,
        held: false,
        kept_in: None,
    };
    Rewrite {
        subject: file.path.clone(),
        way: Way::Window,
        files: vec![only],
        releases: Vec::new(),
        phases: Vec::new(),
        drafted: Vec::new(),
        kept: Vec::new(),
        notes: Vec::new(),
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
    let config = project.config.at(&file.path);
    let pieces = pieces(&Order { file, way, limits: &config.limits, back: &back, answers })?;
    let stem = stem_of(&file.path);
    if way == Way::Window {
        return legible(window(file, &down, &stem), file.target.dialect);
    }
    let part = |(number, piece): (usize, &Piece)| {
        let name = format!("{stem}_{}", number + 1);
        let mut phases = match &piece.becomes {
            Becomes::Rewritten(own) => own.clone(),
            Becomes::Kept(kept) => vec![kept_phase(kept, name, file.target.dialect)],
            Becomes::Redefined(views) => vec![redefined_phase(views, name, file.target.dialect)],
        };
        piece.settings.over(&mut phases);
        Part { phases, touches: piece.touches.clone() }
    };
    let parts: Vec<Part> = pieces.iter().enumerate().map(part).collect();
    let proved = |phases: &[Phase], count: usize| {
        let after =
            count.checked_sub(1).and_then(|last| pieces.get(last)).map_or(&file.before, |it| &it.after);
        proved::objections_to(file, way, phases, after).is_empty()
    };
    let mut phases = used(together(&parts, proved), file.target.dialect);
    guarded(&mut phases);
    legible(phases, file.target.dialect)
}

/// The phases, where every name in them can stand in a file.
fn legible(phases: Vec<Phase>, dialect: Dialect) -> Result<Vec<Phase>, RewriteError> {
    let of_step = |it: &SqlStep| {
        let mut statements = it.up.iter().chain(it.down.iter().flatten());
        statements.find_map(|it| it.treacherous_name(dialect))
    };
    let found = phases.iter().flat_map(Phase::migrations).find_map(of_step);
    match found {
        None => Ok(phases),
        Some(name) => Err(RewriteError::new(format!(
            "the name {} holds an end of a line or a character that nobody sees: a runner that reads files line by line could take it for a mark of its \
             own, and who reviews a file would read something else; give it another name first, by hand",
            text::quoted(&name, 80)
        ))),
    }
}

/// With a release behind what the migration makes last, where none follows by itself: until then nothing can use it.
fn used(mut phases: Vec<Phase>, dialect: Dialect) -> Vec<Phase> {
    let Some(last) = phases.iter().rposition(|it| it.releases().next().is_some()) else { return phases };
    let behind = phases[last + 1..].iter().flat_map(Phase::migrations).flat_map(|it| &it.up);
    let written = behind.filter(|it| matches!(it.act, Act::Written(_)));
    let made: Vec<String> =
        written.flat_map(Statement::operations).filter_map(|it| made(it, dialect)).collect();
    if !made.is_empty() {
        let must = vec![format!("use {} from here on", made.join(", "))];
        let title = "release the application that uses what is new".to_owned();
        let steps = vec![Step::Release(ReleaseStep { must })];
        phases.push(
            Phase::new(PhaseKind::DualWrite, title, steps).undone_by(
                "roll the application back: nothing depends on it yet",
                "errors over the baseline",
            ),
        );
    }
    phases
}

/// What an operation makes that a release can use.
fn made(kind: &Kind, dialect: Dialect) -> Option<String> {
    match kind {
        Kind::CreateTable(it) => Some(it.name.sql(dialect)),
        Kind::CreateView(it) => Some(it.name.sql(dialect)),
        Kind::AlterTable(it) => match &it.action {
            TableAction::AddColumn { column, .. } => {
                Some(format!("{}.{}", it.table.sql(dialect), column.name.name))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The values that a way back computes: the down migration, and what `-- lockkeeper: back SQL` states.
fn way_back(down: &str, file: &CheckedFile) -> String {
    let stated = file.parts.iter().flat_map(|(checked, _)| &checked.comments);
    let stated = stated.filter_map(|span| stated_back(span.of(&file.text)));
    std::iter::once(down).filter(|it| !it.is_empty()).chain(stated).collect::<Vec<_>>().join(";\n")
}

/// The way back as the developer wrote it: the down migration, here or beside.
pub(crate) fn down_migration(project: &Project, file: &CheckedFile) -> String {
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

/// One phase: the statements as they were written, while nobody uses the application.
fn window(file: &CheckedFile, down: &str, stem: &str) -> Vec<Phase> {
    let (up, back) = standing(file, down);
    asked_before(file, mechanics::in_window(stem, &up, &back, file.target.dialect))
}

/// One phase: the migration as it is, beside the running release. No file comes of it.
pub fn as_written(project: &Project, file: &CheckedFile) -> Vec<Phase> {
    let (up, back) = standing(file, &down_migration(project, file));
    asked_before(file, mechanics::as_written(&stem_of(&file.path), &up, &back, file.target.dialect))
}

/// The same while nobody uses the application.
pub fn in_window(project: &Project, file: &CheckedFile) -> Vec<Phase> {
    window(file, &down_migration(project, file), &stem_of(&file.path))
}

/// The statements of the migration and of its way back.
fn standing(file: &CheckedFile, down: &str) -> (Vec<mechanics::Standing>, Vec<mechanics::Standing>) {
    let up = file.parts.iter().flat_map(|(it, _)| mechanics::written(&file.text, it)).collect();
    let after = file.parts.last().map_or(&file.before, |(it, _)| &it.after);
    let part =
        check::Part { text: down, span: Span::new(0, down.len()), transaction: Transaction::Autocommit };
    (up, mechanics::written(down, &check(part, &file.target, after)))
}

/// With the queries that count the rows which the server refuses.
fn asked_before(file: &CheckedFile, mut phases: Vec<Phase>) -> Vec<Phase> {
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

/// Whether a step gives a column another type in place, in the words of the migration.
fn retypes(step: &SqlStep) -> bool {
    let written = step.up.iter().filter(|it| matches!(it.act, Act::Written(_)));
    let changes = |it: &Kind| matches!(it, Kind::AlterTable(alter) if matches!(alter.action, TableAction::AlterType { .. }));
    written.flat_map(Statement::operations).any(changes)
}

fn kept_phase(kept: &Kept, name: String, dialect: Dialect) -> Phase {
    let guarded = |it: Vec<Statement>| if kept.transactional { mechanics::with_timeout(it) } else { it };
    let (kind, title) = match &kept.because {
        Some(_) => {
            (PhaseKind::Backfill, "change rows in one statement, which locks them to its end".to_owned())
        }
        None => (PhaseKind::Expand, "what stays as it was written".to_owned()),
    };
    let (up, down) = (guarded(kept.up.clone()), kept.down.clone().map(guarded));
    let step = SqlStep { name, title: title.clone(), up, down, transactional: kept.transactional, dialect };
    let retyped = retypes(&step);
    let mut phase = Phase::new(kind, title, vec![Step::Sql(step)]);
    if retyped {
        phase.leave_with(Criterion::of_people(format!(
            "the connection pool was recycled: {STALE_STATEMENTS}"
        )));
    }
    match &kept.because {
        Some(because) => phase.enter_when(Criterion::of_people(format!(
            "few rows change, or nobody else writes them for that time: {because}"
        ))),
        None => phase,
    }
}

fn redefined_phase(views: &Redefined, name: String, dialect: Dialect) -> Phase {
    let shown: Vec<String> = views.names().map(|it| it.display(dialect)).collect();
    let title = format!("replace {} in one transaction", shown.join(", "));
    let (up, down) = (mechanics::with_timeout(views.up()), Some(mechanics::with_timeout(views.down())));
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
    let phases = proved_phases(project, file, way, answers)?;
    of_phases(project, file, way, phases, now)
}

/// The phases of a checked file, as [`phases`] has them, where the model proves them and no later migration needs more than the first step.
///
/// # Errors
/// [`RewriteError`] where it does not.
pub fn proved_phases(
    project: &Project,
    file: &CheckedFile,
    way: Way,
    answers: &Answers,
) -> Result<Vec<Phase>, RewriteError> {
    let phases = phases(project, file, way, answers)?;
    refuse_unproved(file, way, &phases)?;
    followers::refuse_needed_by_later(project, file, &phases)?;
    Ok(phases)
}

/// The files of phases that are proved. `now` gives new files their names.
///
/// # Errors
/// [`RewriteError`] where the framework cannot run the steps.
pub fn of_phases(
    project: &Project,
    file: &CheckedFile,
    way: Way,
    phases: Vec<Phase>,
    now: Timestamp,
) -> Result<Rewrite, RewriteError> {
    let drafted = files::drafted(&phases, !down_migration(project, file).is_empty());
    let files = files::spelled(project, file, &drafted, now)?;
    let releases = releases(&phases, &files);
    let (subject, mut notes) = (file.path.clone(), followers::notes(project, file));
    let numbered = phases.iter().flat_map(Phase::migrations).enumerate();
    notes.extend(
        numbered
            .filter(|(_, it)| retypes(it))
            .map(|(at, _)| format!("recycle the connection pool behind step {}: {STALE_STATEMENTS}", at + 1)),
    );
    Ok(Rewrite { subject, way, files, releases, phases, drafted, kept: Vec::new(), notes })
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

/// The releases in order.
fn releases(phases: &[Phase], files: &[PlannedFile]) -> Vec<Release> {
    let (mut releases, mut after_phase, mut done) = (Vec::new(), PhaseKind::Assessment, 0);
    for (phase, step) in phases.iter().flat_map(|phase| phase.steps.iter().map(move |step| (phase, step))) {
        match step {
            Step::Sql(_) => (after_phase, done) = (phase.kind, done + 1),
            Step::Release(release) => releases.push(Release {
                after_phase,
                before_file: files.iter().find(|it| it.step == done + 1).map(|it| it.path.clone()),
                must: release.must.clone(),
            }),
            Step::Check(_) => {}
        }
    }
    releases
}

fn stem_of(path: &str) -> String {
    let name = path.rsplit('/').find(|part| !matches!(*part, "up.sql" | "down.sql" | "migration.sql"));
    let name = name.unwrap_or("migration").trim_end_matches(".sql").trim_end_matches(".up");
    let words =
        name.trim_start_matches(|it: char| it.is_ascii_digit() || matches!(it, '_' | '-' | 'V' | '.'));
    if words.is_empty() { "migration".to_owned() } else { words.to_owned() }
}
