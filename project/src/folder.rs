//! Folders of migrations as values: what is in them, in order, and what is wrong with them.

use std::collections::HashMap;
use std::sync::Arc;

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::framework::{
    self, Direction, FileName, Framework, Kind, Part, Section, Settings, Version,
};

use crate::steps::{self, Step, StepSet};

/// A folder of migrations of one framework for one engine.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The framework.
    pub framework: &'static Framework,
    /// The engine; `None` where nothing shows it, or it is not ours.
    pub dialect: Option<Dialect>,
    /// An engine that is recognised and left alone: `ClickHouse`.
    pub foreign: Option<&'static str>,
    /// What shows the engine, in words.
    pub dialect_source: String,
    /// The folder relative to the root.
    pub path: String,
    /// What the project has set for the runner.
    pub settings: Settings,
    /// The migrations in the order in which the framework runs them.
    pub migrations: Vec<Migration>,
    /// What is wrong with the folder itself, or with files that belong to no migration.
    pub problems: Vec<Problem>,
    /// What is wrong with sets of steps, as they are on disk.
    pub step_problems: Vec<Problem>,
    pub(crate) places: Places,
}

/// Where each file stands, by its path: the place of its migration, and its own among the files of that one. Asked for
/// every file of a history, so that a search would make a check quadratic.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(HashMap<String, (usize, usize)>);

impl Places {
    pub fn of(migrations: &[Migration]) -> Self {
        let mut places = HashMap::with_capacity(migrations.len());
        for (index, migration) in migrations.iter().enumerate() {
            for (number, file) in migration.files.iter().enumerate() {
                places.entry(file.path.clone()).or_insert((index, number));
            }
        }
        Self(places)
    }
}

/// How many migrations before one show how it is done.
const RECENT: usize = 10;

/// One migration.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// When it runs.
    pub kind: Kind,
    /// Its files: up before down.
    pub files: Vec<Source>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// A file of a migration.
#[derive(Debug, Clone)]
pub struct Source {
    /// Relative to the root.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
    /// Its parts.
    pub sections: Vec<Section>,
}

impl Source {
    /// A file with this text, divided as the framework divides it.
    pub fn new(framework: &Framework, path: &str, text: &str, sidecar: Option<&str>) -> Self {
        let sections = framework::sections(framework, path, text, sidecar);
        Self { path: path.to_owned(), text: text.into(), sections }
    }
}

impl Source {
    /// Whether a part of it goes back, with a statement or a reason why there is none.
    pub fn goes_back(&self) -> bool {
        let sections = self.sections.iter().filter(|section| section.direction == Direction::Down);
        let mut lines = sections.flat_map(|section| section.span.of(&self.text).lines());
        lines.any(|line| {
            let line = line.trim().to_lowercase();
            // What goose writes into a new file.
            !line.is_empty() && !line.starts_with("-- +goose") && !line.contains("'down sql query'")
        })
    }
}

impl Migration {
    /// Whether it can be taken back, or says why not.
    pub fn goes_back(&self) -> bool {
        self.files.iter().any(Source::goes_back)
    }
}

/// Something wrong with a file, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder, relative to the root.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// Whether it means that something could not be read.
    pub unread: bool,
}

impl Problem {
    /// A problem of the file or folder at `path`.
    pub fn new(path: &str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { path: path.to_owned(), message: message.into(), advice: advice.into(), unread: false }
    }

    /// Something at `path` that could not be read, and the way out.
    pub fn unread(path: &str, message: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { unread: true, ..Self::new(path, message, way_out) }
    }
}

impl Folder {
    /// Whether its files can be analysed: the engine is known and ours.
    pub fn is_analysed(&self) -> bool {
        self.dialect.is_some()
    }

    /// The engine that its files are for, where that one is not analysed. A folder that shows none is taken for
    /// PostgreSQL, and that is said.
    pub fn refused_engine(&self) -> Option<&'static str> {
        let refused = self.dialect.filter(|dialect| !Dialect::ANALYSED.contains(dialect));
        self.foreign.or(refused.map(Dialect::title))
    }

    /// The migration that holds the file, and the file.
    pub fn find(&self, path: &str) -> Option<(&Migration, &Source)> {
        let (index, number) = *self.places.0.get(path)?;
        let migration = &self.migrations[index];
        Some((migration, &migration.files[number]))
    }

    /// The migrations that run before the one that the file belongs to. A file that is not there yet counts as what
    /// its name says; one whose name says nothing comes last.
    pub fn before(&self, path: &str) -> &[Migration] {
        if let Some((index, _)) = self.places.0.get(path) {
            return &self.migrations[..*index];
        }
        let Some(file) = self.parse(path) else {
            return &self.migrations;
        };
        let count = self.migrations.partition_point(|migration| migration.version < file.version);
        &self.migrations[..count]
    }

    /// The other files of the migration that the file belongs to.
    pub fn siblings(&self, path: &str) -> impl Iterator<Item = &Source> {
        let index = self.before(path).len();
        let own = self.migrations.get(index).filter(|migration| {
            let same = |file: &Source| {
                self.parse(&file.path).map(|it| it.version) == self.parse(path).map(|it| it.version)
            };
            migration.files.iter().any(|file| file.path == path || same(file))
        });
        own.into_iter().flat_map(|migration| &migration.files).filter(move |file| file.path != path)
    }

    /// Whether a migration at the file's place is expected to have a way back: most of those just before it have one.
    pub fn expects_down(&self, path: &str) -> bool {
        let before = self.before(path);
        let recent = &before[before.len().saturating_sub(RECENT)..];
        let backwards = recent.iter().filter(|migration| migration.goes_back()).count();
        backwards > 1 && 2 * backwards > recent.len()
    }

    /// What the file's name says, if it lies in this folder.
    pub fn parse(&self, path: &str) -> Option<FileName> {
        framework::parse(self.framework, self.inside(path)?)
    }

    /// The path relative to this folder, if it lies in it.
    pub fn inside<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.path.is_empty() {
            return Some(path);
        }
        path.strip_prefix(&self.path)?.strip_prefix('/')
    }

    /// The paths of all its files relative to it: what `framework::spell` wants to know.
    pub fn existing(&self) -> Vec<&str> {
        let files = self.migrations.iter().flat_map(|migration| &migration.files);
        files.filter_map(|file| self.inside(&file.path)).collect()
    }

    /// All problems of the folder, its migrations and its sets of steps.
    pub fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        self.own_problems().chain(&self.step_problems)
    }

    /// All problems of the folder and of single migrations.
    pub fn own_problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().chain(self.migrations.iter().flat_map(|migration| &migration.problems))
    }

    /// The sets of steps in it. `now` gives the text of a file that is another than on disk, with files that are not there yet.
    pub fn step_sets<'a>(&'a self, now: &'a [(&'a str, &'a str)]) -> Vec<StepSet> {
        let mut texts: Vec<(usize, &str, &str)> = Vec::new();
        for (at, migration) in self.migrations.iter().enumerate() {
            texts.extend(migration.files.iter().map(|it| (at, it.path.as_str(), &*it.text)));
        }
        for (path, text) in now {
            match texts.iter_mut().find(|(_, own, _)| own == path) {
                Some(known) => known.2 = text,
                None => texts.push((self.before(path).len(), path, text)),
            }
        }
        texts.sort_by_key(|(at, path, _)| (*at, *path));
        steps::sets(texts.into_iter().filter_map(|(_, path, text)| Some((path, Step::of(text)?))))
    }
}

/// A file of a migration, before files are put together.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub file: FileName,
    pub path: String,
    /// Its text, or why there is none.
    pub text: Result<Arc<str>, Unreadable>,
}

/// Why a file has no text, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Why.
    pub reason: String,
    /// What to do.
    pub way_out: &'static str,
}

impl Unreadable {
    /// It as a problem of the file.
    pub fn problem(&self, path: &str) -> Problem {
        Problem::unread(path, format!("cannot be read: {}", self.reason), self.way_out)
    }
}

/// Puts the files of a folder together to migrations, in order. `order` gives the place of a file among those of one
/// version.
pub(crate) fn migrations(
    framework: &'static Framework,
    mut files: Vec<Named>,
    order: impl Fn(&str) -> usize,
) -> Vec<Migration> {
    let key = |it: &Named| (it.file.version.clone(), it.file.kind);
    files.sort_by_cached_key(|it| (key(it), it.file.part, order(&it.path), it.path.clone()));
    let groups = files.chunk_by(|a, b| key(a) == key(b));
    groups.flat_map(|group| of_one_version(framework, group)).collect()
}

fn of_one_version(framework: &'static Framework, group: &[Named]) -> Vec<Migration> {
    let is_head = |it: &&Named| matches!(it.file.part, Part::Whole | Part::Up);
    let heads: Vec<&Named> = group.iter().filter(is_head).collect();
    let folder_is_version = framework.id == "plain"
        && group.iter().all(|it| it.path.contains(&format!("{}/", it.file.version.text)));
    if heads.len() <= 1 || folder_is_version {
        return vec![migration(framework, group.iter().collect())];
    }
    let names: Vec<&str> = heads.iter().map(|head| head.path.as_str()).collect();
    let of_head = |head: &&Named| {
        let first = names[0] == head.path;
        let belongs = |it: &&Named| {
            it.path == head.path
                || !is_head(it)
                    && (it.file.name == head.file.name
                        || first && !heads.iter().any(|other| other.file.name == it.file.name))
        };
        let mut migration = migration(framework, group.iter().filter(belongs).collect());
        let others: Vec<&str> = names.iter().copied().filter(|name| *name != head.path).collect();
        let message = format!("has the same version {} as {}", head.file.version.text, others.join(", "));
        migration.problems.push(Problem::new(&head.path, message, "give one of them a later version"));
        migration
    };
    heads.iter().map(of_head).collect()
}

fn migration(framework: &'static Framework, group: Vec<&Named>) -> Migration {
    let head = group[0];
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for it in group.iter().filter(|it| it.file.part != Part::Sidecar) {
        match &it.text {
            Ok(text) => {
                let source = Source::new(framework, &it.path, text, sidecar(&group, it));
                problems.extend(problem(framework, &source));
                files.push(source);
            }
            Err(unreadable) => problems.push(unreadable.problem(&it.path)),
        }
    }
    if head.file.part == Part::Down {
        problems.push(Problem::new(
            &head.path,
            "goes down but nothing goes up",
            "add the file that goes up, or remove this one",
        ));
    }
    if !head.file.version.is_numbered() && head.file.kind == Kind::Versioned {
        problems.push(Problem::new(
            &head.path,
            "has no number, so its place in the order is not known",
            "name it with a number, or list it in lockkeeper.toml under ignore",
        ));
    }
    Migration {
        version: head.file.version.clone(),
        name: head.file.name.clone(),
        kind: head.file.kind,
        files,
        problems,
    }
}

fn sidecar<'a>(group: &[&'a Named], of: &Named) -> Option<&'a str> {
    let belongs = |it: &&&Named| {
        it.file.part == Part::Sidecar
            && (it.path.starts_with(&of.path) || it.path.ends_with("/metadata.toml"))
    };
    group.iter().find(belongs).and_then(|it| it.text.as_deref().ok())
}

/// What is wrong with a file's text as a migration of its framework.
pub fn problem(framework: &Framework, source: &Source) -> Option<Problem> {
    if source.text.trim().is_empty() {
        return Some(Problem::new(&source.path, "is empty", "write the migration, or remove the file"));
    }
    if source.sections.is_empty() {
        let message = format!("has no marker that {} needs, so nothing of it runs", framework.title);
        let advice = format!("add the marker; see {}", framework.manual);
        return Some(Problem::unread(&source.path, message, advice));
    }
    None
}
