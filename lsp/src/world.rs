//! The projects of the open documents, each read once and again when its files change, and what is found in a document.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use lockkeeper_core::check::{Checked, CheckedStatement};
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::plan::Way;
use lockkeeper_core::policy::Judged;
use lockkeeper_core::signals::Signal;
use lockkeeper_core::strategies::{Costs, Course, Strategy};
use lockkeeper_core::text::Encoding;
use lockkeeper_project::analysis::CheckedFile;
use lockkeeper_project::analysis::editing::{Opened, Standing, Unsaved};
use lockkeeper_project::config::ConfigError;
use lockkeeper_project::discover::{self, Project};
use lockkeeper_project::fixes::fixed_by;
use lockkeeper_project::git;
use lockkeeper_project::planning::{self, Said};
use lockkeeper_project::rewrite::{Rewrite, RewriteError, of_phases, rewrite};
use lockkeeper_project::signals::signals;
use lockkeeper_project::steps::{Step, StepSet};
use serde_json::Value;
use tower_lsp::lsp_types::Url;

use crate::abilities::Abilities;
use crate::documents::{Document, Documents, uri};
use crate::references::References;
use crate::settings::Settings;

/// Everything that the server knows.
#[derive(Debug, Default)]
pub struct World {
    abilities: OnceLock<Abilities>,
    settings: Mutex<Settings>,
    shut_down: AtomicBool,
    folders: Mutex<Vec<PathBuf>>,
    client_process: OnceLock<i32>,
    documents: Mutex<Documents>,
    projects: Mutex<BTreeMap<PathBuf, Arc<Slot>>>,
    homes: Mutex<HashMap<Url, Arc<Slot>>>,
    /// Who uses what.
    pub(crate) references: References,
}

/// A project's place: the project is read by the first who asks, and all others wait for it.
#[derive(Debug)]
struct Slot {
    root: PathBuf,
    loaded: RwLock<Option<Arc<Loaded>>>,
    loading: Mutex<()>,
}

/// A project, read.
#[derive(Debug)]
pub(crate) struct Loaded {
    number: u64,
    /// The project.
    pub opened: Opened,
    /// Why it could not be read, in the user's words.
    pub problem: Option<String>,
    /// What its configuration says and cannot mean; the rest of it counts.
    pub config_errors: Vec<ConfigError>,
    signals: OnceLock<Vec<Signal>>,
    pending: OnceLock<Vec<Url>>,
    /// Files that were asked for without being open, as they were when the project was read.
    closed: Mutex<HashMap<Url, Arc<Document>>>,
}

/// On what ground a document was analysed: the reading of its project, and the versions of other open documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    project: u64,
    unsaved: Vec<(String, i32)>,
}

/// A document, analysed.
#[derive(Debug)]
pub(crate) struct Analysis {
    /// Its project.
    pub loaded: Arc<Loaded>,
    /// Its place there.
    pub standing: Arc<Standing>,
    /// What was found.
    pub file: CheckedFile,
    unsaved: Vec<Unsaved>,
    rewrites: OnceLock<Vec<Rewriting>>,
}

/// A way to rewrite a document, tried.
#[derive(Debug)]
pub(crate) struct Rewriting {
    pub way: Way,
    /// The files, or why there are none.
    pub result: Result<Rewrite, String>,
    /// What it costs.
    pub costs: Costs,
    /// A plan recommends it.
    pub recommended: bool,
    /// Nothing that was answered rules it out.
    pub possible: bool,
}

/// A document with what a handler needs to answer.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) document: Arc<Document>,
    pub(crate) analysis: Arc<Analysis>,
    pub(crate) abilities: Abilities,
    pub(crate) settings: Settings,
    /// The steps that it is one of.
    pub(crate) steps: Option<StepSet>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The moment, in UTC.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::from_unix(since.map_or(0, |since| since.as_secs()))
}

impl World {
    /// Learns what the client can do and where its folders are.
    pub(crate) fn initialize(&self, params: &Value) {
        self.abilities.get_or_init(|| Abilities::of(params));
        let folders = params["workspaceFolders"].as_array().into_iter().flatten().map(|it| &it["uri"]);
        let mut paths: Vec<PathBuf> = folders.filter_map(path_of).collect();
        if paths.is_empty() {
            paths.extend(path_of(&params["rootUri"]));
        }
        *lock(&self.folders) = paths;
        self.configure(&params["initializationOptions"]);
        if let Some(process) = params["processId"].as_i64().and_then(|it| i32::try_from(it).ok()) {
            self.client_process.get_or_init(|| process);
        }
    }

    /// Whether the user lets the workspace be searched.
    pub(crate) fn is_trusted(&self) -> bool {
        !lock(&self.settings).untrusted
    }

    /// The process of the client, where it named one.
    pub(crate) fn client_process(&self) -> Option<i32> {
        self.client_process.get().copied()
    }

    /// Takes over which folders the client added and removed.
    pub(crate) fn change_folders(&self, event: &Value) {
        let of = |which: &str| -> Vec<PathBuf> {
            let folders = event[which].as_array().into_iter().flatten();
            folders.filter_map(|it| path_of(&it["uri"])).collect()
        };
        let (added, removed) = (of("added"), of("removed"));
        let mut folders = lock(&self.folders);
        folders.retain(|it| !removed.contains(it));
        folders.extend(added);
        lock(&self.homes).clear();
        // A project that no folder and no document needs any more is let go.
        let roots: Vec<PathBuf> = folders.iter().filter_map(|it| discover::root(it).ok()).collect();
        drop(folders);
        let documents = self.documents();
        let used: Vec<PathBuf> = documents.keys().map(|it| self.home(it).root.clone()).chain(roots).collect();
        lock(&self.projects).retain(|root, _| used.contains(root));
    }

    /// Takes over what the client sets.
    pub(crate) fn configure(&self, said: &Value) {
        let mut settings = lock(&self.settings);
        *settings = settings.with(said);
    }

    /// The client goes: nothing is said unasked any more.
    pub(crate) fn shut_down(&self) {
        self.shut_down.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Relaxed)
    }

    pub(crate) fn abilities(&self) -> Abilities {
        self.abilities.get().copied().unwrap_or_default()
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.abilities().encoding
    }

    /// Reads the projects of the client's folders.
    pub(crate) fn warm(&self) {
        let folders = lock(&self.folders).clone();
        for folder in folders {
            if let Ok(root) = discover::root(&folder) {
                self.slot(root).get();
            }
        }
    }

    /// The projects that were read.
    pub(crate) fn loaded(&self) -> Vec<Arc<Loaded>> {
        let slots: Vec<Arc<Slot>> = lock(&self.projects).values().cloned().collect();
        slots.iter().filter_map(|it| it.known()).collect()
    }

    /// The open documents of now.
    pub(crate) fn documents(&self) -> Documents {
        lock(&self.documents).clone()
    }

    /// Opens or replaces a document.
    pub fn open(&self, document: Document) {
        let mut documents = lock(&self.documents);
        Arc::make_mut(&mut documents).insert(document.uri.clone(), Arc::new(document));
    }

    /// Changes a document as `didChange` says.
    pub fn change(&self, params: &Value) -> Option<Url> {
        let uri = uri(params)?;
        let document = self.documents().get(&uri)?.changed(params, self.encoding())?;
        self.open(document);
        Some(uri)
    }

    pub(crate) fn close(&self, uri: &Url) {
        Arc::make_mut(&mut lock(&self.documents)).remove(uri);
        lock(&self.homes).remove(uri);
    }

    /// Analyses a document among the others that are open. The same question again costs a look-up.
    pub(crate) fn view(&self, document: &Arc<Document>, documents: &Documents) -> View {
        let loaded = self.home(&document.uri).get();
        let standing = loaded.opened.standing(&file_path(&document.uri));
        let unsaved = self.unsaved(&loaded, &standing, documents);
        let versions = unsaved.iter().map(|(version, it)| (it.standing.path.clone(), *version));
        let stamp = Stamp { project: loaded.number, unsaved: versions.collect() };
        let known = lock(&document.analysis).clone().filter(|(ground, _)| *ground == stamp);
        let analysis = match known {
            Some((_, analysis)) => analysis,
            None => {
                let texts: Vec<Unsaved> = unsaved.into_iter().map(|(_, it)| it).collect();
                let text = if document.is_sql && !document.is_binary() { &*document.text } else { "" };
                let file = loaded.opened.check(&standing, text, &texts);
                Arc::new(Analysis { loaded, standing, file, unsaved: texts, rewrites: OnceLock::new() })
            }
        };
        *lock(&document.analysis) = Some((stamp, analysis.clone()));
        let steps = self.steps(document, &analysis, documents);
        View {
            document: document.clone(),
            analysis,
            abilities: self.abilities(),
            settings: *lock(&self.settings),
            steps,
        }
    }

    /// The set of steps that a document is one of, as the open documents are now.
    fn steps(&self, document: &Document, analysis: &Analysis, documents: &Documents) -> Option<StepSet> {
        // Most documents are none, and cost a look at their first lines.
        Step::of(&document.text)?;
        let (opened, standing) = (&analysis.loaded.opened, &analysis.standing);
        let of_project =
            documents.values().filter(|it| it.is_sql && self.home(&it.uri).root == opened.project.root);
        let open = of_project
            .map(|it| Unsaved { standing: opened.standing(&file_path(&it.uri)), text: it.text.clone() });
        opened.step_set(standing, &document.text, &open.collect::<Vec<_>>())
    }

    /// A file of a project that is not open, as it is on disk.
    pub(crate) fn closed(&self, uri: &Url) -> Option<Arc<Document>> {
        let path = uri.to_file_path().ok()?.canonicalize().ok()?;
        // What lies outside the client's folders nobody asked us to read.
        let folders = lock(&self.folders).clone();
        let mut folders = folders.iter().filter_map(|it| it.canonicalize().ok());
        if !folders.any(|it| path.starts_with(it)) {
            return None;
        }
        let loaded = self.home(uri).get();
        if let Some(known) = lock(&loaded.closed).get(uri) {
            return Some(known.clone());
        }
        let project = &loaded.opened.project;
        let relative = project.relative(&path);
        let document =
            Arc::new(Document::new(uri.clone(), 0, relative.ends_with(".sql"), &project.read(&relative)?));
        lock(&loaded.closed).insert(uri.clone(), document.clone());
        Some(document)
    }

    /// The other open documents whose text of now changes the schema that this one meets.
    fn unsaved(&self, loaded: &Loaded, standing: &Standing, documents: &Documents) -> Vec<(i32, Unsaved)> {
        let others = documents.values().filter(|it| it.is_sql);
        let of_project = others.filter(|it| self.home(&it.uri).root == loaded.opened.project.root);
        let unsaved = of_project.map(|it| {
            let standing = loaded.opened.standing(&file_path(&it.uri));
            (it.version, Unsaved { standing, text: it.text.clone() })
        });
        unsaved.filter(|(_, it)| it.matters_to(standing)).collect()
    }

    /// The project that a document belongs to: the nearest marked folder around it, else the client's folder, else its
    /// own folder.
    fn home(&self, uri: &Url) -> Arc<Slot> {
        if let Some(slot) = lock(&self.homes).get(uri) {
            return slot.clone();
        }
        let path = file_path(uri);
        let there = path.ancestors().skip(1).find(|it| it.is_dir()).unwrap_or(Path::new(""));
        let folders = lock(&self.folders).clone();
        let client = || folders.iter().find(|folder| uri.scheme() != "file" || path.starts_with(folder));
        let root = discover::marked_root(there)
            .or_else(|| discover::root(client()?).ok())
            .or_else(|| discover::root(there).ok().filter(|_| !discover::is_everything(there)));
        let slot = self.slot(root.unwrap_or_default());
        lock(&self.homes).insert(uri.clone(), slot.clone());
        slot
    }

    fn slot(&self, root: PathBuf) -> Arc<Slot> {
        let mut projects = lock(&self.projects);
        let slot = projects.entry(root).or_insert_with_key(|root| Arc::new(Slot::new(root.clone())));
        slot.clone()
    }

    /// Reads again the projects that hold one of these files.
    pub(crate) fn reload(&self, changed: &[PathBuf]) {
        lock(&self.homes).clear();
        let slots: Vec<Arc<Slot>> = lock(&self.projects).values().cloned().collect();
        let changed: Vec<PathBuf> = changed.iter().map(|path| without_links(path)).collect();
        for slot in slots.iter().filter(|slot| changed.iter().any(|path| path.starts_with(&slot.root))) {
            slot.reload();
        }
    }
}

impl Loaded {
    /// The migrations that have not run yet, as far as files show: those that the last commit does not have, and without git the last of each folder.
    pub(crate) fn pending(&self, world: &World) -> &[Url] {
        self.pending.get_or_init(|| {
            let project = &self.opened.project;
            let new = world.is_trusted().then(|| git::new_since(&project.root, "HEAD").ok()).flatten();
            let files = project.folders.iter().flat_map(|folder| {
                let all = || folder.migrations.iter().flat_map(|it| &it.files);
                let last = folder.migrations.last().into_iter().flat_map(|it| &it.files);
                match &new {
                    Some(new) => all().filter(|it| new.contains(&it.path)).collect::<Vec<_>>(),
                    None => last.collect(),
                }
            });
            files.filter_map(|it| Url::from_file_path(project.root.join(&it.path)).ok()).collect()
        })
    }
}

impl Slot {
    fn new(root: PathBuf) -> Self {
        Self { root, loaded: RwLock::default(), loading: Mutex::default() }
    }

    fn known(&self) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn get(&self) -> Arc<Loaded> {
        self.known().unwrap_or_else(|| {
            let _only_one = lock(&self.loading);
            self.known().unwrap_or_else(|| self.load())
        })
    }

    /// A project that nobody asked for is not read.
    fn reload(&self) {
        let _only_one = lock(&self.loading);
        if self.known().is_some() {
            self.load();
        }
    }

    fn load(&self) -> Arc<Loaded> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (project, config_errors, problem) = match discover::open_leniently(&self.root) {
            Ok((project, errors)) => (project, errors, None),
            Err(error) => (empty(&self.root), Vec::new(), Some(error.to_string())),
        };
        tracing::info!(root = %self.root.display(), folders = project.folders.len(), "project read");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let loaded = Arc::new(Loaded {
            number,
            opened: Opened::new(project, Some(now())),
            problem,
            config_errors,
            signals: OnceLock::new(),
            pending: OnceLock::new(),
            closed: Mutex::default(),
        });
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded.clone());
        loaded
    }
}

/// Roots have no links in them; a file that is gone still has its folder.
fn without_links(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// A project of which nothing could be read.
fn empty(root: &Path) -> Project {
    Project {
        root: root.to_owned(),
        measured: Vec::new(),
        config: Default::default(),
        files: Vec::new(),
        folders: Vec::new(),
        dumps: Vec::new(),
        not_analysed: Vec::new(),
        problems: Vec::new(),
    }
}

fn path_of(uri: &Value) -> Option<PathBuf> {
    Url::parse(uri.as_str()?).ok()?.to_file_path().ok()
}

/// The path of a document; of one that is no file, its name.
pub(crate) fn file_path(uri: &Url) -> PathBuf {
    uri.to_file_path().unwrap_or_else(|()| PathBuf::from(uri.path().trim_start_matches('/')))
}

impl Analysis {
    /// The parts with their statements, numbered as hazards number them.
    pub(crate) fn statements(&self) -> impl Iterator<Item = (&Checked, &Judged, usize, &CheckedStatement)> {
        self.file.all_parts().flat_map(|(checked, judged)| {
            let numbered = checked.statements.iter().enumerate();
            numbered.map(move |(number, statement)| (checked, judged, number, statement))
        })
    }

    /// Every way to rewrite it, tried and weighed once: the recommended one first, then those that nothing rules out. A way that ends in the same
    /// steps as one before it is not among them.
    pub(crate) fn rewrites(&self) -> &[Rewriting] {
        self.rewrites.get_or_init(|| {
            let (project, file) = (&self.loaded.opened.project, &self.file);
            let signals = self.loaded.signals.get_or_init(|| signals(project));
            let gathered = planning::gather_from(signals.clone(), project, &file.path, &Said::default());
            let (strategies, recommended) = planning::weighed(project, file, &gathered);
            let recommended = recommended.and_then(Course::way);
            let made = |it| self.rewriting(it, recommended);
            let mut tried: Vec<Rewriting> = strategies.into_iter().filter_map(made).collect();
            tried.sort_by_key(|it| (!it.recommended, !it.possible, it.result.is_err()));
            tried
        })
    }

    fn rewriting(&self, strategy: Strategy, recommended: Option<Way>) -> Option<Rewriting> {
        let way = match strategy.course {
            Course::Steps(way) => way,
            Course::Window => Way::Window,
            Course::AsWritten | Course::Gradual | Course::Prepared => return None,
        };
        let refused = strategy.excluded.as_ref().filter(|_| strategy.phases.is_empty());
        let result = match refused {
            Some(excluded) => Err(excluded.reason.clone()),
            None => {
                let (project, file) = (&self.loaded.opened.project, &self.file);
                let made = of_phases(project, file, way, strategy.phases, now());
                made.and_then(|it| it.held_back(project)).map_err(|it| it.message)
            }
        };
        Some(Rewriting {
            way,
            recommended: recommended == Some(way) && result.is_ok(),
            possible: strategy.excluded.is_none(),
            result,
            costs: strategy.costs,
        })
    }

    /// The text with all fixes that keep its meaning; nothing where there are none.
    pub(crate) fn fixed(&self, text: &str) -> Option<String> {
        Some(fixed_by(|text| Some(self.check(text)), &self.standing.path, text)?.after)
    }

    /// What another text in its place would be.
    pub(crate) fn check(&self, text: &str) -> CheckedFile {
        self.loaded.opened.check(&self.standing, text, &self.unsaved)
    }

    /// Rewrites it, with new names of now.
    pub(crate) fn rewrite(&self, way: Way) -> Result<Rewrite, RewriteError> {
        let project = &self.loaded.opened.project;
        let answers = project.config.at(&self.file.path).answers_with(&[]);
        rewrite(project, &self.file, way, &answers, now())?.held_back(project)
    }
}
