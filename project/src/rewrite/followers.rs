//! What stands around a migration that is rewritten: the ones behind it, and whether it was handed out already.

use lockkeeper_core::catalog::Table;
use lockkeeper_core::check::{Checked, Part, check, replay};
use lockkeeper_core::framework::{Direction, Transaction};
use lockkeeper_core::plan::Phase;
use lockkeeper_core::reference::ReferenceKind;
use lockkeeper_core::text::Span;

use super::RewriteError;
use crate::analysis::CheckedFile;
use crate::discover::{Place, Project};
use crate::folder::{Folder, Migration};
use crate::git;
use crate::references::references;

/// The folder of a checked file, with the place of its migration there.
fn place<'a>(project: &'a Project, file: &CheckedFile) -> Option<(&'a Folder, usize)> {
    let Place::Migration(folder, migration, _) = project.classify_file(std::path::Path::new(&file.path))
    else {
        return None;
    };
    let at = folder.migrations.iter().position(|it| std::ptr::eq(it, migration))?;
    Some((folder, at))
}

/// So many later migrations are looked at: whoever rewrites an old one has others to think of.
const NEAREST: usize = 30;

/// The first step takes the place of the migration, and all others stand behind those that are there: one of these that needs more than the first
/// step leaves would fail.
///
/// # Errors
/// [`RewriteError`] where there is one, with what to do.
pub(super) fn refuse_needed_by_later(
    project: &Project,
    file: &CheckedFile,
    phases: &[Phase],
) -> Result<(), RewriteError> {
    let Some((folder, at)) = place(project, file) else { return Ok(()) };
    let Some(first) = phases.iter().flat_map(Phase::migrations).next() else { return Ok(()) };
    let mut written = file.parts.last().map_or(&file.before, |(it, _)| &it.after).clone();
    let mut planned = file.before.clone();
    planned.start_migration();
    replay(part(&first.up()), &file.target, &mut planned);
    for later in folder.migrations[at + 1..].iter().take(NEAREST) {
        written.start_migration();
        planned.start_migration();
        for text in ups(later) {
            let (one, other) =
                (check(part(text), &file.target, &planned), check(part(text), &file.target, &written));
            let fails = |it: &Checked| it.statements.iter().filter(|it| it.effect.fails.is_some()).count();
            if fails(&one) > fails(&other) {
                return Err(RewriteError::new(format!(
                    "{} stands behind this migration and needs more than its first step leaves, and the other steps would run behind it: put this \
                     migration at the end of the folder first, under a new version, or rewrite it together with what follows",
                    later.files.first().map_or("a migration", |it| it.path.as_str())
                )));
            }
            (planned, written) = (one.after, other.after);
        }
    }
    Ok(())
}

fn part(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

fn ups(migration: &Migration) -> impl Iterator<Item = &str> {
    migration.files.iter().flat_map(|source| {
        let ups = source.sections.iter().filter(|it| it.direction == Direction::Up);
        ups.map(|section| section.span.of(&source.text))
    })
}

/// The places in the sources that write a table by the places of its columns, which are others when all steps are done; each with what to do.
pub fn writers_by_place(project: &Project, file: &CheckedFile, phases: &[Phase]) -> Vec<String> {
    let mut end = file.before.clone();
    end.start_migration();
    let steps = phases.iter().flat_map(Phase::migrations);
    steps.for_each(|step| replay(part(&step.up()), &file.target, &mut end));
    let direct = file.parts.last().map_or(&file.before, |(it, _)| &it.after);
    let order = |table: &Table| table.columns.iter().map(|it| it.name.clone()).collect::<Vec<String>>();
    let moved = direct.tables().filter_map(|(name, table)| {
        let columns = order(table);
        let differs = end.table(name).is_some_and(|it| order(it) != columns);
        differs.then(|| (name, columns.into_iter().next()))
    });
    let mut notes = Vec::new();
    for (name, first) in moved {
        let found = references(project, &name.name, first.as_deref()).references;
        let written = found.iter().filter(|it| it.by_place && it.kind == ReferenceKind::Write);
        notes.extend(written.map(|it| {
            format!(
                "{}:{} writes {} by the places of its columns, which are others when all steps are done: name the columns there before the release that the steps ask for",
                it.path,
                it.line,
                name.display(file.target.dialect)
            )
        }));
    }
    notes
}

/// What whoever writes the files should know first.
pub(super) fn notes(project: &Project, file: &CheckedFile) -> Vec<String> {
    let committed = git::is_committed(&project.root, &file.path, &file.text);
    let note = || {
        format!(
            "{} is committed already: where a database has run it, these files come too late, and the change needs a new migration",
            file.path
        )
    };
    committed.then(note).into_iter().collect()
}
