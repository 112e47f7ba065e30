//! Finding a project: its root, its migration folders, its schema dumps, and what is not analysed.

mod aside;
mod engine;
mod form;
mod read;
mod recognise;
mod runner;

use std::path::{Path, PathBuf};

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::signals::Measured;

use crate::config::{self, Config, ConfigError};
use crate::files::{self, File};
use crate::folder::{Folder, Migration, Problem, Source};
use crate::measured::{self, Facts};

/// A repository as we see it: one walk, everything read.
#[derive(Debug, Clone)]
pub struct Project {
    /// The root.
    pub root: PathBuf,
    /// What `lockkeeper.toml` says.
    pub config: Config,
    /// What a database told of itself.
    pub measured: Vec<Measured>,
    /// All files that count, by path.
    pub files: Vec<File>,
    /// The folders of migrations, by path.
    pub folders: Vec<Folder>,
    /// Dumps of whole schemas.
    pub dumps: Vec<Dump>,
    /// Migrations in forms that we do not read: each is said, none is silently passed by.
    pub not_analysed: Vec<NotAnalysed>,
    /// Problems that belong to no folder.
    pub problems: Vec<Problem>,
}

/// A file that holds a whole schema: a baseline where the history has gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    /// Relative to the root.
    pub path: String,
    /// The engine, where the file shows it.
    pub dialect: Option<Dialect>,
}

/// Migrations that we recognise and cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnalysed {
    /// The folder, relative to the root.
    pub path: String,
    /// What they are: `Liquibase XML`, `Rails`.
    pub what: String,
    /// How many files.
    pub files: usize,
    /// How they can be checked all the same.
    pub way_out: String,
}

/// Where a file stands in a project.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In a migration.
    Migration(&'a Folder, &'a Migration, &'a Source),
    /// In a folder of migrations, but in none of those that were read: new, or of another form.
    Folder(&'a Folder),
    /// In no folder of migrations.
    Alone,
}

impl<'a> Place<'a> {
    /// The folder of migrations around it.
    pub fn folder(self) -> Option<&'a Folder> {
        match self {
            Self::Migration(folder, ..) | Self::Folder(folder) => Some(folder),
            Self::Alone => None,
        }
    }
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The path does not exist.
    #[error("{} does not exist or cannot be read", path.display())]
    NoSuchPath {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// The project that a file or folder belongs to: the nearest `lockkeeper.toml` or `.git` upwards is its root, or else
/// what holds the folder of migrations, or else the folder itself.
///
/// # Errors
/// [`DiscoverError`] when the path does not exist or the configuration cannot be used.
pub fn discover(start: &Path) -> Result<Project, DiscoverError> {
    open(&root(start)?)
}

/// The root of the project that a file or folder belongs to.
///
/// # Errors
/// [`DiscoverError::NoSuchPath`] when there is no such path.
pub fn root(start: &Path) -> Result<PathBuf, DiscoverError> {
    let missing = |source| DiscoverError::NoSuchPath { path: start.to_owned(), source };
    let start = start.canonicalize().map_err(missing)?;
    let folder = if start.is_dir() { start.as_path() } else { start.parent().unwrap_or(&start) };
    Ok(marked_root(folder).unwrap_or_else(|| unmarked_root(folder)))
}

/// Where nothing marks a root: what holds the folder of migrations that this one is or lies in, since only there the others of
/// its history are found; else the folder itself.
fn unmarked_root(folder: &Path) -> PathBuf {
    let is_migrations = |it: &&Path| {
        it.file_name().is_some_and(|name| recognise::looks_like_migrations(&name.to_string_lossy()))
    };
    let above = folder.ancestors().find(is_migrations).and_then(Path::parent);
    above.filter(|above| !is_everything(above)).unwrap_or(folder).to_owned()
}

/// A folder that holds more than one project: the root, somebody's home, the folder for what is temporary.
pub fn is_everything(folder: &Path) -> bool {
    let home = std::env::home_dir();
    folder.parent().is_none() || folder == std::env::temp_dir() || home.is_some_and(|home| home == folder)
}

/// The nearest folder upwards with a `lockkeeper.toml` or `.git`.
pub fn marked_root(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let is_root = |folder: &&Path| folder.join(config::FILE_NAME).is_file() || folder.join(".git").exists();
    folder.ancestors().find(is_root).map(Path::to_owned)
}

/// The nearest folder upwards, the folder itself included, that holds a file or folder of this name.
pub fn above(folder: &Path, name: &str) -> Option<PathBuf> {
    folder.ancestors().find(|it| it.join(name).exists()).map(Path::to_owned)
}

/// The project with exactly this root.
///
/// # Errors
/// [`DiscoverError`] when the path does not exist or the configuration cannot be used.
pub fn open(root: &Path) -> Result<Project, DiscoverError> {
    let missing = |source| DiscoverError::NoSuchPath { path: root.to_owned(), source };
    let root = root.canonicalize().map_err(missing)?;
    let project = read_project(root.clone(), config::load(&root)?, measured::load(&root)?.facts());
    config::refuse_divided(&project.config, &root, &project.folders)?;
    Ok(project)
}

/// The same without what its configuration says and cannot mean, and that: an editor goes on while the file is being written.
///
/// # Errors
/// [`DiscoverError::NoSuchPath`] when there is no such root.
pub fn open_leniently(root: &Path) -> Result<(Project, Vec<ConfigError>), DiscoverError> {
    let missing = |source| DiscoverError::NoSuchPath { path: root.to_owned(), source };
    let root = root.canonicalize().map_err(missing)?;
    let (config, mut errors) = config::load_leniently(&root);
    let measured = measured::load(&root).unwrap_or_else(|error| {
        errors.push(error);
        Facts::default()
    });
    let project = read_project(root.clone(), config, measured.facts());
    errors.extend(config::refuse_divided(&project.config, &root, &project.folders).err());
    Ok((project, errors))
}

fn read_project(root: PathBuf, config: Config, measured: Vec<Measured>) -> Project {
    let files::Files { files, odd } = files::walk(&root, &config.ignore);
    let found = recognise::folders(&root, &config, &files);
    let mut folders: Vec<Folder> = found.iter().map(|it| read::folder(&root, &config, &files, it)).collect();
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    let mut problems = Vec::new();
    place_odd(odd, &mut folders, &mut problems);
    let dumps = aside::dumps(&root, &files, &folders);
    let not_analysed = aside::not_analysed(&root, &files, &folders);
    Project { root, config, measured, files, folders, dumps, not_analysed, problems }
}

fn place_odd(odd: Vec<(String, String)>, folders: &mut [Folder], problems: &mut Vec<Problem>) {
    let is_migration = |path: &str, folders: &[Folder]| {
        let inside = format!("{path}/");
        let mut files = folders.iter().flat_map(|it| &it.migrations).flat_map(|it| &it.files);
        files.any(|file| file.path.starts_with(&inside))
    };
    for (path, message) in odd {
        // Prisma's and Diesel's folders may be called anything.
        if is_migration(&path, folders) {
            continue;
        }
        let problem = Problem::new(&path, message, "rename, replace or remove it");
        match folders.iter_mut().find(|folder| folder.inside(&path).is_some()) {
            Some(folder) => folder.problems.push(problem),
            None => problems.push(problem),
        }
    }
}

impl Project {
    /// Where a file stands. The path is absolute, or relative to the root.
    pub fn classify_file(&self, path: &Path) -> Place<'_> {
        let path = self.relative(path);
        if let Some((folder, (migration, source))) =
            self.folders.iter().find_map(|it| Some((it, it.find(&path)?)))
        {
            return Place::Migration(folder, migration, source);
        }
        let around = self.folders.iter().filter(|folder| folder.inside(&path).is_some());
        around.max_by_key(|folder| folder.path.len()).map_or(Place::Alone, Place::Folder)
    }

    /// A path relative to the root, with `/` between its parts.
    pub fn relative(&self, path: &Path) -> String {
        let resolved = if path.is_absolute() { path.canonicalize().ok() } else { None };
        files::relative(&self.root, resolved.as_deref().unwrap_or(path))
    }

    /// Reads a file of the project; `None` where it is too large, not text, or gone.
    pub fn read(&self, path: &str) -> Option<String> {
        read::text(&self.root, path).ok()
    }

    /// Why a file or text is not analysed, and the way out: its name is one of code, or it is for another engine than those
    /// that are. `stated` is the engine that the call states.
    pub fn unread(
        &self,
        place: Place<'_>,
        path: &str,
        text: &str,
        stated: Option<Dialect>,
    ) -> Option<Problem> {
        if !form::may_be_sql(path) {
            return Some(match form::form(&self.root, path) {
                Some(form) => {
                    Problem::unread(path, format!("is {}, which is not analysed", form.title), form.way_out)
                }
                None => Problem::unread(
                    path,
                    "is no file of SQL",
                    "print the SQL that it runs and pipe it into `lockkeeper check -`",
                ),
            });
        }
        let configured = || self.config.at(path).dialect.as_deref().and_then(Dialect::from_id);
        let found = |dialect: Dialect| (!Dialect::ANALYSED.contains(&dialect)).then(|| dialect.title());
        let engine = match (stated, place.folder()) {
            (Some(stated), _) => found(stated),
            (None, Some(folder)) => folder.refused_engine(),
            (None, None) => configured().or_else(|| engine::by_look(text)).and_then(found),
        }?;
        let way_out = "say --dialect postgres if it is for PostgreSQL";
        Some(Problem::unread(path, format!("is for {engine}, which is not analysed yet"), way_out))
    }

    /// The migrations that are analysed.
    pub fn analysed(&self) -> impl Iterator<Item = (&Folder, &Migration)> {
        let folders = self.folders.iter().filter(|folder| folder.is_analysed());
        folders.flat_map(|folder| folder.migrations.iter().map(move |migration| (folder, migration)))
    }
}

/// The engine that a text of SQL looks like, where that one is not analysed.
pub fn looks_refused(text: &str) -> Option<Dialect> {
    engine::by_look(text).filter(|dialect| !Dialect::ANALYSED.contains(dialect))
}

/// A file outside any folder of migrations, or a text from standard input: divided by the markers that it holds, else
/// as a plain file.
pub fn alone(path: &str, text: &str) -> (&'static lockkeeper_core::framework::Framework, Source) {
    let framework = recognise::by_markers(text).unwrap_or_else(recognise::plain);
    (framework, Source::new(framework, path, text, None))
}
