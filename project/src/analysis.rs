//! Migrations checked in their place: the history replayed up to them, policy applied, references attached.
//!
//! The command line, the language server and the tools of agents all call these functions, so that they agree.

use std::collections::BTreeMap;
use std::path::Path;

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{self, Checked, Part};
use lockkeeper_core::dialect::{Dialect, Target};
use lockkeeper_core::estimate::Sizes;
use lockkeeper_core::framework::{Direction, Framework};
use lockkeeper_core::hazards::{Hazard, Subject};
use lockkeeper_core::policy::{Judged, Policy};
use lockkeeper_core::recipes::Group;
use lockkeeper_core::reference::Reference;
use lockkeeper_core::report::{self, CheckReport, FileFacts, FileReport, ProblemReport};
use lockkeeper_core::signals::{self, Situation};

use crate::discover::{self, Place, Project};
use crate::folder::{Folder, Migration, Problem, Source};
use crate::references::references;
use crate::rewrite;
use crate::target::{target, target_alone};

pub mod deploy;
pub mod editing;
pub mod named;
pub mod origins;
mod policies;
mod source;

pub use policies::{Policies, policies};
pub use source::check_source;

/// The schema before each migration of a folder, and after the last.
#[derive(Debug, Clone)]
pub struct History {
    /// What the folder's migrations run on.
    pub target: Target,
    before: Vec<Catalog>,
}

impl History {
    /// Replays all migrations of a folder.
    pub fn replay(project: &Project, folder: &Folder) -> Self {
        let target = target(project, folder);
        let mut catalog = base(&target);
        let mut before = Vec::with_capacity(folder.migrations.len() + 1);
        for migration in &folder.migrations {
            before.push(catalog.clone());
            replay_migration(migration, &target, &mut catalog);
        }
        before.push(catalog);
        Self { target, before }
    }

    /// The schema behind those migrations of a folder that are asked for.
    pub fn of_some(
        project: &Project,
        folder: &Folder,
        is_asked: impl Fn(&Migration) -> bool,
    ) -> (Target, Catalog) {
        let target = target(project, folder);
        let mut catalog = base(&target);
        for migration in folder.migrations.iter().filter(|it| is_asked(it)) {
            replay_migration(migration, &target, &mut catalog);
        }
        (target, catalog)
    }

    /// The schema before the file's migration. A file that is not there yet counts as what its name says.
    pub fn before(&self, folder: &Folder, path: &str) -> &Catalog {
        let at = folder.before(path).len();
        &self.before[at.min(self.before.len() - 1)]
    }

    /// The schema before the migration at `index`.
    pub fn at(&self, index: usize) -> &Catalog {
        &self.before[index.min(self.before.len() - 1)]
    }

    /// The schema behind `range` of the folder's migrations, with other texts for some files. A file that is in none of
    /// them runs before the migration whose place it takes.
    pub fn before_edited(
        &self,
        folder: &Folder,
        range: std::ops::Range<usize>,
        edited: &[(usize, Source)],
    ) -> Catalog {
        let mut catalog = self.at(range.start).clone();
        for index in range.start..=range.end {
            for (_, source) in
                edited.iter().filter(|(at, it)| *at == index && folder.find(&it.path).is_none())
            {
                replay_source(source, &self.target, &mut catalog);
            }
            let Some(migration) = folder.migrations.get(index).filter(|_| index < range.end) else { break };
            for source in &migration.files {
                let now = edited.iter().find(|(_, it)| it.path == source.path);
                replay_source(now.map_or(source, |(_, it)| it), &self.target, &mut catalog);
            }
        }
        catalog
    }

    /// The schema after the last migration.
    pub fn after(&self) -> &Catalog {
        &self.before[self.before.len() - 1]
    }

    /// The schema after the migration at `index`.
    pub fn after_migration(&self, index: usize) -> &Catalog {
        &self.before[(index + 1).min(self.before.len() - 1)]
    }
}

/// A history starts with an empty database.
fn base(target: &Target) -> Catalog {
    Catalog::empty(target.dialect)
}

fn replay_migration(migration: &Migration, target: &Target, catalog: &mut Catalog) {
    for source in &migration.files {
        replay_source(source, target, catalog);
    }
}

fn replay_source(source: &Source, target: &Target, catalog: &mut Catalog) {
    for section in source.sections.iter().filter(|section| section.direction == Direction::Up) {
        let part = Part { text: &source.text, span: section.span, transaction: section.transaction };
        check::replay(part, target, catalog);
    }
}

/// A file, checked.
#[derive(Debug, Clone)]
pub struct CheckedFile {
    /// Relative to the root.
    pub path: String,
    /// The framework.
    pub framework: &'static Framework,
    /// What it was checked for.
    pub target: Target,
    /// Its text.
    pub text: std::sync::Arc<str>,
    /// The parts that go up, each with what counts.
    pub parts: Vec<(Checked, Judged)>,
    /// The parts that go back, each with what counts.
    pub downs: Vec<(Checked, Judged)>,
    /// What several operations that go up mean together: their places in the order of the server.
    pub groups: Vec<Group>,
    /// The schema before it.
    pub before: Catalog,
}

impl CheckedFile {
    /// All parts: those that go up, and then those that go back.
    pub fn all_parts(&self) -> impl Iterator<Item = &(Checked, Judged)> {
        self.parts.iter().chain(&self.downs)
    }

    /// The hazards of the way up that count.
    pub fn hazards(&self) -> impl Iterator<Item = &Hazard> {
        self.parts.iter().flat_map(|(_, judged)| &judged.hazards)
    }

    /// Whether any statement goes up.
    pub fn is_up(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Whether anything of it runs, up or back.
    pub fn runs(&self) -> bool {
        self.all_parts().next().is_some()
    }
}

/// How large the tables are that the migration at `path` is about, as somebody stated.
pub fn declared_sizes(project: &Project, path: &str) -> Option<Sizes> {
    let config = project.config.at(path);
    let measured = signals::with_measured(Vec::new(), &project.measured);
    let signals = signals::with_stated(measured, &config.facts());
    let questions = signals::questions(&config.answers(), &signals);
    Situation::of(&signals, &questions).sizes
}

/// Checks a text that stands in no folder of migrations: nothing is known of the schema.
pub fn check_alone(path: &str, text: &str, target: &Target, policy: &Policy) -> CheckedFile {
    let (framework, source) = discover::alone(path, text);
    check_source(framework, &source, target, &Catalog::unknown(target.dialect), None, policy)
}

/// Checks all files of a migration, in one pass with the replay of its folder.
pub fn check_folder(
    project: &Project,
    folder: &Folder,
    policies: &Policies,
    wanted: impl Fn(&Source) -> bool,
) -> Vec<CheckedFile> {
    check_folder_for(folder, &target(project, folder), policies, wanted)
}

/// The same for a stated target.
pub fn check_folder_for(
    folder: &Folder,
    target: &Target,
    policies: &Policies,
    wanted: impl Fn(&Source) -> bool,
) -> Vec<CheckedFile> {
    let mut files = Vec::new();
    check_each(folder, target, policies, wanted, |file| files.push(file));
    files
}

/// The same, file by file. What `visit` does not keep of a file is let go before the next one is checked: its schemas and
/// what its statements do are most of what a check of a long history takes.
pub fn check_each(
    folder: &Folder,
    target: &Target,
    policies: &Policies,
    wanted: impl Fn(&Source) -> bool,
    mut visit: impl FnMut(CheckedFile),
) {
    let mut catalog = base(target);
    for migration in &folder.migrations {
        let before = catalog.clone();
        for source in &migration.files {
            if wanted(source) {
                let is_up = source.sections.iter().any(|section| section.direction == Direction::Up);
                let before = if is_up { &catalog } else { &before };
                let policy = policies.of(&source.path);
                let file = check_source(folder.framework, source, target, before, Some(folder), policy);
                if let Some((last, _)) = file.parts.last() {
                    catalog = last.after.clone();
                }
                visit(file);
            } else {
                replay_source(source, target, &mut catalog);
            }
        }
    }
}

/// Checks a text as a file of a folder, after the migrations that come before it.
pub fn check_in_folder(
    folder: &Folder,
    target: &Target,
    path: &str,
    text: &str,
    policy: &Policy,
) -> CheckedFile {
    let mut catalog = base(target);
    for migration in folder.before(path) {
        replay_migration(migration, target, &mut catalog);
    }
    let on_disk = folder.find(path).map(|(_, source)| source).filter(|source| &*source.text == text).cloned();
    let source = on_disk.unwrap_or_else(|| Source::new(folder.framework, path, text, None));
    check_source(folder.framework, &source, target, &catalog, Some(folder), policy)
}

/// Who uses what the hazards of a file take away, each subject searched once.
pub fn subjects_references(project: &Project, files: &[CheckedFile]) -> BTreeMap<Subject, Vec<Reference>> {
    let mut found = BTreeMap::new();
    for hazard in files.iter().flat_map(CheckedFile::hazards) {
        if let Some(subject) = &hazard.subject
            && !found.contains_key(subject)
        {
            found.insert(subject.clone(), subject_references(project, subject));
        }
    }
    found
}

/// Who uses one table or column.
pub fn subject_references(project: &Project, subject: &Subject) -> Vec<Reference> {
    let table = subject.table.rsplit('.').next().unwrap_or(&subject.table);
    references(project, table, subject.column.as_deref()).references
}

/// The report of a file.
pub fn file_report(
    file: &CheckedFile,
    rows: Option<&Sizes>,
    references: &BTreeMap<Subject, Vec<Reference>>,
) -> FileReport {
    let facts = FileFacts {
        path: &file.path,
        framework: file.framework.id,
        text: &file.text,
        target: &file.target,
        rows,
    };
    let parts: Vec<_> = file.all_parts().collect();
    report::file_report(facts, &parts, |hazard| {
        hazard.subject.as_ref().and_then(|subject| references.get(subject)).cloned().unwrap_or_default()
    })
}

/// The report of a file that is looked at closely: with the reason where a rewrite is refused although rules name recipes. What is not held is not promised.
pub fn close_report(
    project: &Project,
    file: &CheckedFile,
    rows: Option<&Sizes>,
    references: &BTreeMap<Subject, Vec<Reference>>,
) -> FileReport {
    let mut report = file_report(file, rows, references);
    let way = rewrite::ways(file).first().copied();
    let way = way.filter(|_| file.hazards().any(|it| !it.recipes.is_empty()));
    report.rewrite_refused = way.and_then(|way| {
        rewrite::proved_phases(project, file, way, &project.config.at(&file.path).answers_with(&[]))
            .err()
            .map(|it| it.message)
    });
    report
}

/// The report over files that are looked at closely, with what could not be read and the verdict.
pub fn check_report(
    project: &Project,
    files: &[CheckedFile],
    problems: &[Problem],
    policies: &Policies,
    references: &BTreeMap<Subject, Vec<Reference>>,
) -> CheckReport {
    let target = files.first().map_or_else(Target::default, |file| file.target.clone());
    let report = |file: &CheckedFile| {
        close_report(project, file, declared_sizes(project, &file.path).as_ref(), references)
    };
    let reports = files.iter().map(report).collect();
    let problems = problems.iter().map(problem_report).collect();
    CheckReport::new(&target, reports, problems, policies.whole())
}

/// A problem on the wire.
pub fn problem_report(problem: &Problem) -> ProblemReport {
    ProblemReport {
        path: problem.path.clone(),
        message: problem.message.clone(),
        advice: problem.advice.clone(),
        unread: problem.unread,
    }
}

/// Checks one file of a project by its path, with `text` in place of what is on disk where it is given.
pub fn check_path(
    project: &Project,
    path: &Path,
    text: Option<&str>,
    policies: &Policies,
) -> Option<CheckedFile> {
    let relative = project.relative(path);
    match project.classify_file(path) {
        Place::Migration(folder, ..) | Place::Folder(folder) => {
            let text = text.map(str::to_owned).or_else(|| project.read(&relative))?;
            let target = target(project, folder);
            Some(check_in_folder(folder, &target, &relative, &text, policies.of(&relative)))
        }
        Place::Alone => {
            let text = text.map(str::to_owned).or_else(|| project.read(&relative))?;
            let target = target_alone(project, &relative);
            Some(check_alone(&relative, &text, &target, policies.of(&relative)))
        }
    }
}

/// What is wrong with a text as a file where it stands, beside what is found in it: it is not read, or not by its runner.
pub fn problem_of(
    project: &Project,
    place: Place<'_>,
    path: &str,
    text: &str,
    stated: Option<Dialect>,
) -> Option<Problem> {
    project.unread(place, path, text, stated).or_else(|| {
        let folder = place.folder()?;
        let own = crate::folder::problem(folder.framework, &Source::new(folder.framework, path, text, None));
        own.or_else(|| folder.step_problems.iter().find(|it| it.path == path).cloned())
    })
}

/// Whether the folder is for an engine that is analysed. One that shows no engine is taken for PostgreSQL, and that is
/// said.
pub fn is_analysed(folder: &Folder) -> bool {
    folder.refused_engine().is_none()
}

/// A rewrite on the wire.
pub fn rewrite_report(rewrite: &rewrite::Rewrite) -> report::RewriteReport {
    let files = rewrite.files.iter().map(|file| report::RewrittenFile {
        path: file.path.clone(),
        step: file.step,
        title: file.title.clone(),
        before: file.before.clone(),
        phase: file.phase.id().to_owned(),
        content: file.content.clone(),
        replaces: file.replaces,
        held: file.held,
        kept_in: file.kept_in.clone(),
    });
    let replaced = rewrite.files.iter().filter(|file| file.replaces);
    let edits = replaced.map(|file| report::FileEdit { path: file.path.clone(), text: file.content.clone() });
    let releases = rewrite.releases.iter().map(|release| report::ReleaseReport {
        after_phase: release.after_phase.id().to_owned(),
        before_file: release.before_file.clone(),
        must: release.must.clone(),
    });
    report::RewriteReport {
        version: 1,
        strategy: rewrite.way.id().to_owned(),
        files: files.collect(),
        edits: edits.collect(),
        releases: releases.collect(),
        notes: rewrite.notes.clone(),
        written: false,
    }
}
