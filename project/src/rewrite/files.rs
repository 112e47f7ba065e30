//! The migrations of a plan as files: named as the project names them, in the place of the one that is rewritten and behind all others.

use lockkeeper_core::framework::{self, NewFile, NewMigration, Timestamp};
use lockkeeper_core::operation::Kind;
use lockkeeper_core::plan::{Phase, PhaseKind, SqlStep, Step};
use lockkeeper_core::text::comment;

use super::{PlannedFile, RewriteError};
use crate::analysis::CheckedFile;
use crate::discover::{Place, Project};
use crate::folder::{Folder, Migration};

/// A migration of a plan as it will stand in files, without a version and a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    /// The number of its step, from 1 on.
    pub number: usize,
    /// Its name, as files have it.
    pub name: String,
    /// What it does.
    pub title: String,
    /// What must be so before it.
    pub before: Vec<String>,
    /// The phase that it belongs to.
    pub phase: PhaseKind,
    /// The SQL that goes up.
    pub up: String,
    /// The SQL that goes back.
    pub down: Option<String>,
    /// Whether it runs in one transaction.
    pub transactional: bool,
}

/// The files of migrations, behind all that are there. The first migration of a plan takes the place of the one that is rewritten.
///
/// # Errors
/// [`RewriteError`] where the framework cannot run a migration as it is meant.
pub(super) fn spelled(
    project: &Project,
    file: &CheckedFile,
    drafted: &[Drafted],
    now: Timestamp,
) -> Result<Vec<PlannedFile>, RewriteError> {
    let place = project.classify_file(std::path::Path::new(&file.path));
    let (folder, original) = match place {
        Place::Migration(folder, migration, _) => (Some(folder), Some(migration)),
        Place::Folder(folder) => (Some(folder), None),
        Place::Alone => (None, None),
    };
    let existing = folder.map(Folder::existing).unwrap_or_default();
    let spelled = |drafted: &[Drafted]| {
        let new = drafted.iter().map(|it| NewMigration {
            name: &it.name,
            up: &it.up,
            down: it.down.as_deref(),
            transactional: it.transactional,
        });
        framework::spell(file.framework, &existing, now, &new.collect::<Vec<_>>())
            .map_err(|error| RewriteError::new(error.to_string()))
    };
    // The first step takes the place of the original, so the one behind it has the next number.
    let begins = original.is_some() && drafted.first().is_some_and(|it| it.number == 1);
    let (first, behind) = drafted.split_at(usize::from(begins));
    let all = spelled(first)?.into_iter().chain(spelled(behind)?);
    let mut files = Vec::new();
    for (of, new) in drafted.iter().zip(all) {
        for NewFile { path, content } in new {
            let own_name = if of.number == 1 { in_place_of(file, folder, original, &path) } else { None };
            let replaces = own_name.as_ref().is_some_and(|path| exists(path, file, original));
            let path = own_name.unwrap_or_else(|| join(folder, file, &path));
            files.push(PlannedFile {
                was: text_of(&path, file, original).filter(|_| replaces),
                path,
                step: of.number,
                title: of.title.clone(),
                before: of.before.clone(),
                phase: of.phase,
                content,
                replaces,
                held: false,
                kept_in: None,
            });
        }
    }
    Ok(files)
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

/// The migrations of a plan in order, each with a comment that says where it stands. `goes_back`: those of the project have a way back.
pub(super) fn drafted(phases: &[Phase], goes_back: bool) -> Vec<Drafted> {
    let count = phases.iter().flat_map(Phase::migrations).count();
    let mut drafted = Vec::with_capacity(count);
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
            let number = drafted.len() + 1;
            let up = header((number, count), phase, step, (&criteria, &released)) + &step.up();
            let nothing = || (goes_back && changes_rows_only(step)).then(|| NOTHING_BACK.to_owned());
            let down = step.down().or_else(nothing);
            released.clear();
            drafted.push(Drafted {
                number,
                name: step.name.clone(),
                title: step.title.clone(),
                before: std::mem::take(&mut criteria),
                phase: phase.kind,
                up,
                down,
                transactional: step.transactional,
            });
        }
    }
    drafted
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

/// The indexes that a step builds without blocking writes.
fn built(step: &SqlStep) -> impl Iterator<Item = String> {
    step.operations().filter_map(move |it| match it {
        Kind::CreateIndex(index) if index.concurrently => {
            let name = index.name.as_ref()?;
            Some(index.table.sibling(name.name.clone()).sql(step.dialect))
        }
        _ => None,
    })
}
