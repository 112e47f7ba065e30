//! What stands around a migration that is rewritten: the ones behind it, and whether it was handed out already.

use lockkeeper_core::framework::Direction;
use lockkeeper_core::operation::Operation;
use lockkeeper_core::operation::lower::lower;
use lockkeeper_core::planner::{Touch, touches};
use lockkeeper_core::statement::Script;

use super::RewriteError;
use crate::analysis::CheckedFile;
use crate::discover::{Place, Project};
use crate::folder::{Folder, Migration};
use crate::git;

/// The folder of a checked file, with the place of its migration there.
fn place<'a>(project: &'a Project, file: &CheckedFile) -> Option<(&'a Folder, usize)> {
    let Place::Migration(folder, migration, _) = project.classify_file(std::path::Path::new(&file.path))
    else {
        return None;
    };
    let at = folder.migrations.iter().position(|it| std::ptr::eq(it, migration))?;
    Some((folder, at))
}

/// New steps stand behind all migrations that are there: one that uses what this one changes would run too early.
///
/// # Errors
/// [`RewriteError`] where there is one, with what to do.
pub(super) fn refuse_needed_by_later(project: &Project, file: &CheckedFile) -> Result<(), RewriteError> {
    let Some((folder, at)) = place(project, file) else { return Ok(()) };
    let later = &folder.migrations[at + 1..];
    if later.is_empty() {
        return Ok(());
    }
    let own = file.parts.iter().flat_map(|(it, _)| &it.statements).flat_map(|it| &it.operations);
    let own: Vec<&Operation> = own.collect();
    let Some(own) = touches(&own, &file.before) else { return Ok(()) };
    match later.iter().find(|it| uses(it, &own, file)) {
        None => Ok(()),
        Some(later) => Err(RewriteError::new(format!(
            "{} stands behind this migration and uses what it changes, and the new steps would run behind it: put this migration at the end of \
             the folder first, under a new version, or rewrite it together with what follows",
            later.files.first().map_or("a migration", |it| it.path.as_str())
        ))),
    }
}

fn uses(migration: &Migration, own: &[Touch], file: &CheckedFile) -> bool {
    let ups = migration.files.iter().flat_map(|source| {
        let ups = source.sections.iter().filter(|it| it.direction == Direction::Up);
        ups.map(|section| section.span.of(&source.text))
    });
    let catalog = file.parts.last().map_or(&file.before, |(it, _)| &it.after);
    ups.into_iter().any(|text| {
        let script = Script::read(text, file.target.dialect);
        let operations: Vec<Operation> = script.statements.iter().flat_map(|it| lower(&script, it)).collect();
        let meets = |operation: &Operation| {
            let touched = touches(&[operation], catalog).unwrap_or_default();
            touched.iter().any(|it| own.iter().any(|own| it.meets(own)))
        };
        operations.iter().any(meets)
    })
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
