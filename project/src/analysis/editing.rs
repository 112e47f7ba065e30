//! A project that is open in an editor: folders are replayed once, places are found once, and a keystroke checks one text.
//!
//! The price is memory: the schema before each migration stays (catalogs share what they have in common).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::dialect::Target;
use lockkeeper_core::estimate::Sizes;
use lockkeeper_core::framework::{Framework, OptOut, Timestamp};

use super::origins::Origins;
use super::{CheckedFile, History, Policies, check_alone, check_source, declared_sizes, policies};
use crate::discover::{Place, Project};
use crate::files::{name, parent};
use crate::folder::{Folder, Problem, Source, problem};
use crate::steps::{Step, StepSet};
use crate::target::{target, target_alone};

/// A project with everything that outlives a keystroke.
#[derive(Debug)]
pub struct Opened {
    /// The project as it was read.
    pub project: Project,
    /// What it accepts.
    pub policies: Policies,
    histories: Vec<OnceLock<History>>,
    origins: Vec<OnceLock<Origins>>,
    alone: OnceLock<Target>,
    standings: Mutex<HashMap<PathBuf, Arc<Standing>>>,
}

/// Where a file stands, and all that checking it needs besides its text.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Relative to the root.
    pub path: String,
    /// What it is checked for.
    pub target: Target,
    /// How many rows its tables have, as somebody declared.
    pub rows: Option<Sizes>,
    /// Why it is not analysed, where it is not.
    pub refused: Option<String>,
    /// What is wrong with its place, whatever its text.
    pub problems: Vec<Problem>,
    framework: Option<&'static Framework>,
    sidecar: Option<String>,
    before: Catalog,
    rank: Option<Rank>,
    on_disk: Option<Arc<str>>,
}

/// The place of a file in the order of its folder: a file that was not read comes before the one whose place it takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    folder: usize,
    index: usize,
    is_read: bool,
    path: String,
}

/// An open file with its text of now.
#[derive(Debug, Clone)]
pub struct Unsaved {
    /// Where it stands.
    pub standing: Arc<Standing>,
    /// Its text.
    pub text: Arc<str>,
}

impl Unsaved {
    /// Whether its text changes the schema that `other` meets.
    pub fn matters_to(&self, other: &Standing) -> bool {
        self.standing.precedes(other) && self.standing.on_disk.as_deref() != Some(&*self.text)
    }
}

impl Standing {
    /// Whether it runs before the other one, in the same folder.
    pub fn precedes(&self, other: &Self) -> bool {
        match (&self.rank, &other.rank) {
            (Some(rank), Some(other)) => rank.folder == other.folder && rank < other,
            _ => false,
        }
    }

    /// The folder that it is in, and its place among the migrations there, as numbers.
    pub fn place(&self) -> Option<(usize, usize)> {
        self.rank.as_ref().map(|it| (it.folder, it.index))
    }

    fn source(&self, framework: &Framework, text: &str) -> Source {
        Source::new(framework, &self.path, text, self.sidecar.as_deref())
    }

    /// What is wrong with the text as a file of its framework: no marker, nothing in it.
    pub fn problem_of(&self, text: &str) -> Option<Problem> {
        let framework = self.framework?;
        problem(framework, &self.source(framework, text))
    }
}

impl Opened {
    /// A project whose folders are replayed when somebody asks. `today` is the day that allowances are compared with.
    pub fn new(project: Project, today: Option<Timestamp>) -> Self {
        let policies = policies(&project, today);
        let histories = project.folders.iter().map(|_| OnceLock::new()).collect();
        let origins = project.folders.iter().map(|_| OnceLock::new()).collect();
        Self { project, policies, histories, origins, alone: OnceLock::new(), standings: Mutex::default() }
    }

    /// Where the file stands. The first question about a folder replays it; asked again it costs a look-up.
    pub fn standing(&self, path: &Path) -> Arc<Standing> {
        let known = |opened: &Self| opened.known_standings().get(path).cloned();
        if let Some(standing) = known(self) {
            return standing;
        }
        let standing = Arc::new(self.find(path));
        self.known_standings().insert(path.to_owned(), standing.clone());
        standing
    }

    fn known_standings(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Arc<Standing>>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks the text of a file where it stands. `unsaved` are the open files that matter to it.
    pub fn check(&self, standing: &Standing, text: &str, unsaved: &[Unsaved]) -> CheckedFile {
        let policy = self.policies.of(&standing.path);
        let Some(framework) = standing.framework else {
            return check_alone(&standing.path, text, &standing.target, policy);
        };
        let source = standing.source(framework, text);
        let sections = if standing.refused.is_some() { Vec::new() } else { source.sections };
        let source = Source { sections, ..source };
        let before = self.before(standing, unsaved);
        let folder = standing.rank.as_ref().map(|rank| &self.project.folders[rank.folder]);
        check_source(framework, &source, &standing.target, &before, folder, policy)
    }

    /// The schema before a file, with the texts of now of earlier files.
    fn before(&self, standing: &Standing, unsaved: &[Unsaved]) -> Catalog {
        let first = unsaved.iter().filter_map(|it| it.standing.rank.as_ref()).map(|it| it.index).min();
        let (Some(first), Some(rank)) = (first, &standing.rank) else { return standing.before.clone() };
        let edited: Vec<(usize, Source)> = unsaved.iter().filter_map(edited).collect();
        self.history(rank.folder).before_edited(
            &self.project.folders[rank.folder],
            first..rank.index,
            &edited,
        )
    }

    /// The set of steps that a file belongs to, with the texts of now of the open files.
    pub fn step_set(&self, standing: &Standing, text: &str, open: &[Unsaved]) -> Option<StepSet> {
        Step::of(text)?;
        let rank = standing.rank.as_ref()?;
        let same = |it: &&Unsaved| it.standing.rank.as_ref().is_some_and(|it| it.folder == rank.folder);
        let now: Vec<(&str, &str)> =
            open.iter().filter(same).map(|it| (it.standing.path.as_str(), &*it.text)).collect();
        let sets = self.project.folders[rank.folder].step_sets(&now);
        sets.into_iter().find(|it| it.files.iter().any(|(_, path)| *path == standing.path))
    }

    /// The places of the history of a folder, and that history. The first question about a folder reads it.
    pub fn origins(&self, folder: usize) -> &Origins {
        let read = || Origins::read(&self.project.folders[folder], self.history(folder));
        self.origins[folder].get_or_init(read)
    }

    /// The schemas of a folder.
    pub fn history(&self, folder: usize) -> &History {
        self.histories[folder].get_or_init(|| History::replay(&self.project, &self.project.folders[folder]))
    }

    fn find(&self, path: &Path) -> Standing {
        let path = resolved(path);
        let relative = self.project.relative(&path);
        match self.project.classify_file(&path) {
            Place::Migration(folder, _, source) => {
                self.in_folder(folder, relative, Some(source.text.clone()))
            }
            Place::Folder(folder) if relative.ends_with(".sql") => self.in_folder(folder, relative, None),
            Place::Folder(_) | Place::Alone => self.alone(relative),
        }
    }

    fn alone(&self, path: String) -> Standing {
        let target = self.target_alone(&path);
        let around = self.project.not_analysed.iter().find(|it| it.path == parent(&path));
        let refused = around.map(|it| format!("{} migrations are not analysed: {}", it.what, it.way_out));
        Standing {
            before: Catalog::unknown(target.dialect),
            rows: declared_sizes(&self.project, &path),
            path,
            target,
            refused,
            problems: Vec::new(),
            framework: None,
            sidecar: None,
            rank: None,
            on_disk: None,
        }
    }

    /// What a file in no folder of migrations is checked for. To see which versions a repository states, much of it is read: once,
    /// where nothing is stated for single paths.
    fn target_alone(&self, path: &str) -> Target {
        match self.project.config.paths.is_empty() {
            true => self.alone.get_or_init(|| target_alone(&self.project, path)).clone(),
            false => target_alone(&self.project, path),
        }
    }

    fn in_folder(&self, folder: &Folder, path: String, on_disk: Option<Arc<str>>) -> Standing {
        let number = self.project.folders.iter().position(|it| it.path == folder.path).unwrap_or_default();
        let index = folder.before(&path).len();
        let disk = on_disk
            .as_deref()
            .and_then(|text| problem(folder.framework, &Source::new(folder.framework, &path, text, None)));
        let problems = folder.own_problems().filter(|it| it.path == path && Some(*it) != disk.as_ref());
        let refused = folder.refused_engine().map(|it| format!("migrations for {it} are not analysed yet"));
        let target = target(&self.project, folder);
        let before = match refused {
            Some(_) => Catalog::unknown(target.dialect),
            None => self.history(number).at(index).clone(),
        };
        Standing {
            rows: declared_sizes(&self.project, &path),
            target,
            refused,
            problems: problems.cloned().collect(),
            framework: Some(folder.framework),
            sidecar: self.sidecar(folder.framework, &path),
            before,
            rank: Some(Rank { folder: number, index, is_read: on_disk.is_some(), path: path.clone() }),
            on_disk,
            path,
        }
    }

    /// The text of the settings file beside a migration.
    fn sidecar(&self, framework: &Framework, path: &str) -> Option<String> {
        let OptOut::Sidecar { file, .. } = framework.opt_out else { return None };
        let beside = format!("{}/{file}", parent(path));
        self.project.read(&beside).or_else(|| self.project.read(&format!("{path}{file}")))
    }
}

fn edited(unsaved: &Unsaved) -> Option<(usize, Source)> {
    let standing = &unsaved.standing;
    let source = standing.source(standing.framework?, &unsaved.text);
    Some((standing.rank.as_ref()?.index, source))
}

/// The path without links, also where the file is not there yet.
fn resolved(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|it| Some((it, it.canonicalize().ok()?)));
    match there {
        Some((ancestor, real)) => match path.strip_prefix(ancestor) {
            Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
            _ => real,
        },
        None => PathBuf::from(name(&path.to_string_lossy())),
    }
}
