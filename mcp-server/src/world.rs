//! The project that the tools look at. It is opened anew for every call: an agent changes files between calls.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use lockkeeper_approval::books::{Books, in_force};
use lockkeeper_approval::drafting::{Drafted, Drafting};
use lockkeeper_approval::plan::{Naming, PlanId, Store, StoredPlan};
use lockkeeper_approval::time::Time;
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::report::PlanReport;
use lockkeeper_core::strategies::Course;
use lockkeeper_project::analysis::{self, CheckedFile};
use lockkeeper_project::discover::Place;
use lockkeeper_project::planning::{Said, gather, plan};
use lockkeeper_project::rewrite::{Rewrite, RewriteError};
use lockkeeper_project::{Project, discover, policy};
use lockkeeper_root::Root;
use tokio::sync::watch;

use crate::operations::Operations;

/// The project and what belongs to this process.
#[derive(Debug)]
pub struct World {
    root: PathBuf,
    /// Seals the state that a client hands back; gone with the process, so that no state outlives it.
    pub key: [u8; 32],
    /// What runs longer than a call.
    pub operations: Operations,
    /// When the human last left questions unanswered.
    pub unanswered: Mutex<Option<Instant>>,
    /// How many plans were stored: clients listen for more.
    pub plans: watch::Sender<u64>,
}

/// A plan that was stored before, and what belongs to it.
pub struct Stored {
    pub project: Project,
    pub books: Books,
    pub plan: StoredPlan,
}

/// A migration planned: the file as it was read, once, and what follows from those bytes.
pub struct Planned {
    pub project: Project,
    pub report: PlanReport,
    /// Why the chosen strategy may be read and not approved.
    pub refusal: Option<String>,
    pub stored: StoredPlan,
    /// The files that it stands for.
    pub rewrite: Result<Option<Rewrite>, RewriteError>,
    /// Held until the plan is stored, where its files were named now.
    pub naming: Option<Naming>,
}

/// Larger files are no migrations.
const LARGEST: u64 = 20_000_000;

/// What a tool tells the agent when it cannot answer.
pub type Told<T> = Result<T, String>;

impl World {
    pub fn new(root: PathBuf) -> anyhow::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
        let plans = watch::Sender::default();
        Ok(Self { root, key, operations: Operations::default(), unanswered: Mutex::default(), plans })
    }

    pub fn project(&self) -> Told<Project> {
        let mut project = discover(&self.root).map_err(|error| error.to_string())?;
        // Rules that the working copy switched off are on: an agent may have done it. Where git fails, gates are closed.
        if let Ok(policy) = policy::in_force(&project) {
            project.config = policy.config;
        }
        Ok(project)
    }

    /// The project, and the stored plan with this id.
    pub fn stored(&self, plan: &str) -> Told<Stored> {
        let id = PlanId::parse(plan).map_err(|error| error.to_string())?;
        let project = self.project()?;
        let books = Books::of(&project).map_err(|error| error.to_string())?;
        let plan = books.store.load(&id).map_err(|error| error.to_string())?;
        Ok(Stored { project, books, plan })
    }

    /// Reads a file of the project and checks it. Files outside are refused.
    pub fn check(&self, project: &Project, path: &str) -> Told<(CheckedFile, String)> {
        let relative = inside(project, path)?;
        let text = read(project, &relative)?;
        let policies = analysis::policies(project, Some(timestamp()));
        let file = analysis::check_path(project, Path::new(&relative), Some(&text), &policies)
            .ok_or_else(|| format!("{relative} cannot be read as a migration"))?;
        Ok((file, text))
    }

    /// Plans a migration, with the bytes that were read bound into the stored plan. Its files get their names now, or at the time that is said.
    pub fn plan(&self, path: &str, strategy: Option<&str>, named: Option<Timestamp>) -> Told<Planned> {
        let project = self.project()?;
        let (file, text) = self.check(&project, path)?;
        Self::plan_text(project, (file, text), strategy, named, false)
    }

    /// Plans a migration that is no file yet, at the path that it would have.
    pub fn plan_draft(
        project: Project,
        path: &str,
        text: String,
        strategy: Option<&str>,
        named: Timestamp,
    ) -> Told<Planned> {
        let policies = analysis::policies(&project, Some(named));
        let file = analysis::check_path(&project, Path::new(path), Some(&text), &policies)
            .ok_or_else(|| format!("{path} cannot be read as a migration"))?;
        Self::plan_text(project, (file, text), strategy, Some(named), true)
    }

    fn plan_text(
        project: Project,
        (file, text): (CheckedFile, String),
        strategy: Option<&str>,
        named: Option<Timestamp>,
        is_new: bool,
    ) -> Told<Planned> {
        let course = strategy.map(course).transpose()?;
        if let Some(problem) = analysis::problem_of(&project, place(&project, &file), &file.path, &text, None)
            .filter(|it| it.unread)
        {
            return Err(format!("{} {}: {}", problem.path, problem.message, problem.advice));
        }
        let planned = plan(&project, &file, &gather(&project, &file.path, &Said::default()), course);
        let policy = in_force(&project).map_err(|error| error.to_string())?;
        let source = text.as_bytes();
        let drafting =
            Drafting { project: &project, file: &file, source, planned: &planned, policy: &policy, is_new };
        let (drafted, naming) = match named {
            Some(named) => (drafting.named(named), None),
            None => {
                let store = Store::of(&project).map_err(|error| error.to_string())?;
                let naming = store.naming().map_err(|error| error.to_string())?;
                (drafting.draft(&store, timestamp()), Some(naming))
            }
        };
        let Drafted { stored, rewrite } = drafted;
        Ok(Planned { refusal: planned.refusal(), report: planned.report, project, stored, rewrite, naming })
    }
}

/// The file's text, read once and from where it lies: a link that is put there meanwhile is not followed.
fn read(project: &Project, path: &str) -> Told<String> {
    let root = Root::open(&project.root).map_err(|error| error.to_string())?;
    let bytes = root.read(path, LARGEST).map_err(|error| format!("{path}: {error}"))?;
    let bytes = bytes.ok_or_else(|| format!("{path} does not exist in the project"))?;
    String::from_utf8(bytes).map_err(|_| format!("{path} is not UTF-8 text, so it is no migration"))
}

/// Where a checked file stands.
pub fn place<'a>(project: &'a Project, file: &CheckedFile) -> Place<'a> {
    project.classify_file(Path::new(&file.path))
}

/// The path relative to the root.
pub fn inside(project: &Project, path: &str) -> Told<String> {
    let given = Path::new(path);
    let absolute = if given.is_absolute() { given.to_owned() } else { project.root.join(given) };
    let resolved = absolute.canonicalize().map_err(|_| format!("{path} does not exist in the project"))?;
    if !resolved.starts_with(&project.root) {
        return Err(format!("{path} lies outside the project"));
    }
    Ok(project.relative(&resolved))
}

fn course(name: &str) -> Told<Course> {
    Course::from_id(name)
        .ok_or_else(|| format!("there is no strategy {name}: say one of {}", Course::names()))
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
