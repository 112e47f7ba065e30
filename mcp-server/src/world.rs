//! The project that the tools look at. It is opened anew for every call: an agent changes files between calls.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use lockkeeper_approval::drafting::{Drafting, stored};
use lockkeeper_approval::ledger::Ledger;
use lockkeeper_approval::plan::{Store, StoredPlan};
use lockkeeper_approval::time::Time;
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::plan::Way;
use lockkeeper_core::report::PlanReport;
use lockkeeper_project::analysis::{self, CheckedFile};
use lockkeeper_project::discover::Place;
use lockkeeper_project::planning::{gather, plan};
use lockkeeper_project::{Project, config, discover};

/// The project and what belongs to this process.
#[derive(Debug)]
pub struct World {
    root: PathBuf,
    /// Seals the state that a client hands back; gone with the process, so that no state outlives it.
    pub key: [u8; 32],
}

/// A migration planned: the file as it was read, once, and what follows from those bytes.
pub struct Planned {
    pub project: Project,
    pub file: CheckedFile,
    pub report: PlanReport,
    pub stored: StoredPlan,
}

/// What a tool tells the agent when it cannot answer.
pub type Told<T> = Result<T, String>;

impl World {
    pub fn new(root: PathBuf) -> anyhow::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
        Ok(Self { root, key })
    }

    pub fn project(&self) -> Told<Project> {
        discover(&self.root).map_err(|error| error.to_string())
    }

    pub fn ledger(&self, project: &Project) -> Ledger {
        Ledger::in_project(&project.root)
    }

    pub fn store(&self, project: &Project) -> Store {
        Store::in_project(&project.root)
    }

    /// Reads a file of the project and checks it. Files outside are refused.
    pub fn check(&self, project: &Project, path: &str) -> Told<(CheckedFile, String)> {
        let relative = inside(project, path)?;
        let text = project.read(&relative).ok_or_else(|| {
            format!(
                "{relative} does not exist in the project, is not text, or is too large to be a migration"
            )
        })?;
        let policy = analysis::policy(project, Some(timestamp()));
        let file = analysis::check_path(project, Path::new(&relative), Some(&text), &policy)
            .ok_or_else(|| format!("{relative} cannot be read as a migration"))?;
        Ok((file, text))
    }

    /// Plans a migration, with the bytes that were read bound into the stored plan.
    pub fn plan(&self, path: &str, strategy: Option<&str>) -> Told<Planned> {
        let project = self.project()?;
        let way = strategy.map(way).transpose()?;
        let (file, text) = self.check(&project, path)?;
        if let Some(problem) = analysis::problem_of(&project, place(&project, &file), &file.path, &text, None)
            .filter(|it| it.unread)
        {
            return Err(format!("{} {}: {}", problem.path, problem.message, problem.advice));
        }
        let report = plan(&project, &file, &gather(&project, &[]), way);
        let configuration = std::fs::read(project.root.join(config::FILE_NAME)).unwrap_or_default();
        let drafting = Drafting { report: &report, source: text.as_bytes(), configuration: &configuration };
        let stored = stored(&drafting);
        Ok(Planned { project, file, report, stored })
    }
}

/// Where a checked file stands.
pub fn place<'a>(project: &'a Project, file: &CheckedFile) -> Place<'a> {
    project.classify_file(Path::new(&file.path))
}

/// The path relative to the root.
fn inside(project: &Project, path: &str) -> Told<String> {
    let given = Path::new(path);
    let absolute = if given.is_absolute() { given.to_owned() } else { project.root.join(given) };
    let resolved = absolute.canonicalize().map_err(|_| format!("{path} does not exist in the project"))?;
    if !resolved.starts_with(&project.root) {
        return Err(format!("{path} lies outside the project"));
    }
    Ok(project.relative(&resolved))
}

fn way(name: &str) -> Told<Way> {
    Way::from_id(name).ok_or_else(|| {
        let known: Vec<&str> = Way::ALL.iter().map(|way| way.id()).collect();
        format!("there is no strategy {name}: say one of {}", known.join(", "))
    })
}

/// Now, for names of files and for allowances.
pub fn timestamp() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::from_unix(since.map_or(0, |it| it.as_secs()))
}

/// Now, for the ledger.
pub fn now() -> Time {
    Time::from(SystemTime::now())
}
