//! What the server says unasked: diagnostics when a document or its project changed, and that old answers are outdated.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lockkeeper_core::hazards::{Hazard, Subject};
use tower_lsp::Client;
use tower_lsp::lsp_types::{Diagnostic, Url};

use crate::convert::{configuration, diagnostics};
use crate::world::{Loaded, World, file_path};

/// Keys that come together are one change. A check costs less than this, so that nobody is made to wait for more.
const TYPING: Duration = Duration::from_millis(4);
/// Later migrations, the disk and references may lag behind.
const SETTLING: Duration = Duration::from_millis(150);

/// Publishes.
#[derive(Debug)]
pub(crate) struct Publisher {
    client: Client,
    world: Arc<World>,
    due: Mutex<HashMap<Url, Instant>>,
    changed_files: Mutex<Vec<PathBuf>>,
    /// What the client was told, and the lock that makes one publisher of many.
    told: tokio::sync::Mutex<HashMap<Url, (i32, Vec<Diagnostic>)>>,
    reading: tokio::sync::Mutex<()>,
    searching: tokio::sync::Mutex<()>,
    /// What the client was told of configurations.
    configurations: tokio::sync::Mutex<HashMap<Url, Vec<Diagnostic>>>,
}

/// A subject of a project that nobody searched for yet.
type Open = (Arc<Loaded>, Subject);

impl Publisher {
    pub fn new(client: Client, world: Arc<World>) -> Self {
        Self {
            client,
            world,
            due: Mutex::default(),
            changed_files: Mutex::default(),
            told: Default::default(),
            reading: Default::default(),
            searching: Default::default(),
            configurations: Default::default(),
        }
    }

    /// A document was opened or changed: it soon, the others later, for their schema may have changed with it.
    pub fn document_changed(self: &Arc<Self>, uri: &Url) {
        self.schedule(uri.clone(), TYPING);
        self.all_later(Some(uri));
    }

    /// A document was closed: it has no diagnostics any more.
    pub fn document_closed(self: &Arc<Self>, uri: Url) {
        self.all_later(Some(&uri));
        let publisher = self.clone();
        tokio::spawn(async move {
            let mut told = publisher.told.lock().await;
            let reopened = publisher.world.documents().contains_key(&uri);
            if !reopened && told.remove(&uri).is_some() {
                publisher.client.publish_diagnostics(uri, Vec::new(), None).await;
            }
        });
    }

    fn all_later(self: &Arc<Self>, except: Option<&Url>) {
        for uri in self.world.documents().keys().filter(|it| Some(*it) != except) {
            self.schedule(uri.clone(), SETTLING);
        }
    }

    /// Publishes after a while, with the text of then. Who asks again meanwhile has asked already.
    fn schedule(self: &Arc<Self>, uri: Url, after: Duration) {
        let due = Instant::now() + after;
        {
            let mut known = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            if known.get(&uri).is_some_and(|known| *known <= due) {
                return;
            }
            known.insert(uri.clone(), due);
        }
        let publisher = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            if publisher.is_due(&uri, due) {
                publisher.publish(uri).await;
            }
        });
    }

    fn is_due(&self, uri: &Url, due: Instant) -> bool {
        let mut known = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = known.get(uri) == Some(&due);
        if ours {
            known.remove(uri);
        }
        ours
    }

    async fn publish(self: &Arc<Self>, uri: Url) {
        if self.world.is_shut_down() {
            return;
        }
        let documents = self.world.documents();
        let Some(document) = documents.get(&uri).cloned() else { return };
        let (world, of) = (self.world.clone(), document.clone());
        let found = blocking(move || diagnostics(&world.view(&of, &documents), &world.references)).await;
        let Some(found) = found else { return };
        self.search_later();
        self.tell_configurations().await;
        if self.world.abilities().pulls_diagnostics {
            return;
        }
        let mut told = self.told.lock().await;
        let is_of_now = self.world.documents().get(&uri).is_some_and(|now| Arc::ptr_eq(now, &document));
        let news = (document.version, found);
        if is_of_now && told.get(&uri) != Some(&news) {
            told.insert(uri.clone(), news.clone());
            self.client.publish_diagnostics(uri, news.1, Some(news.0)).await;
        }
    }

    /// What is wrong with configurations stands in their files, which are seldom open.
    async fn tell_configurations(&self) {
        let mut told = self.configurations.lock().await;
        for loaded in self.world.loaded() {
            let Some((uri, found)) = configuration(&loaded) else { continue };
            if *told.entry(uri.clone()).or_default() != found {
                told.insert(uri.clone(), found.clone());
                self.client.publish_diagnostics(uri, found, None).await;
            }
        }
    }

    /// Searches what the open documents lack, when it is still lacking after a while.
    pub fn search_later(self: &Arc<Self>) {
        if !self.world.is_trusted() {
            return;
        }
        let publisher = self.clone();
        tokio::spawn(async move {
            let Some(open) = publisher.lacking().await.filter(|open| !open.is_empty()) else { return };
            drop(open);
            tokio::time::sleep(SETTLING).await;
            let _only_one = publisher.searching.lock().await;
            let open = publisher.lacking().await.unwrap_or_default();
            if open.is_empty() {
                return;
            }
            let world = publisher.world.clone();
            blocking(move || {
                for (loaded, subject) in open {
                    world.references.search(&loaded.opened.project, &subject, world.encoding());
                }
            })
            .await;
            publisher.outdated().await;
        });
    }

    async fn lacking(&self) -> Option<Vec<Open>> {
        let world = self.world.clone();
        blocking(move || lacking(&world)).await
    }

    /// All documents anew: at once where we push, by a word to the client where it pulls.
    async fn outdated(self: &Arc<Self>) {
        if self.world.is_shut_down() {
            return;
        }
        for uri in self.world.documents().keys() {
            self.schedule(uri.clone(), Duration::ZERO);
        }
        let abilities = self.world.abilities();
        if abilities.pulls_diagnostics {
            self.client.workspace_diagnostic_refresh().await.ok();
        }
        if abilities.refreshes_hints {
            self.client.inlay_hint_refresh().await.ok();
        }
    }

    /// The client has other folders: a document may belong to another project.
    pub fn folders_changed(self: &Arc<Self>) {
        let publisher = self.clone();
        tokio::spawn(async move {
            let world = publisher.world.clone();
            blocking(move || world.warm()).await;
            publisher.outdated().await;
        });
    }

    /// The client has other settings: hints may be shown or hidden.
    pub fn configured(self: &Arc<Self>) {
        let publisher = self.clone();
        if self.world.abilities().refreshes_hints {
            tokio::spawn(async move { publisher.client.inlay_hint_refresh().await.ok() });
        }
    }

    /// Files changed on disk. Migrations and configuration are read again; other files may use what migrations take away.
    pub fn disk_changed(self: &Arc<Self>, uris: Vec<Url>) {
        let paths = uris.iter().map(file_path);
        self.changed_files.lock().unwrap_or_else(PoisonError::into_inner).extend(paths);
        let publisher = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SETTLING).await;
            let _only_one = publisher.reading.lock().await;
            let changed: Vec<PathBuf> =
                std::mem::take(&mut *publisher.changed_files.lock().unwrap_or_else(PoisonError::into_inner));
            if changed.is_empty() {
                return;
            }
            let world = publisher.world.clone();
            blocking(move || world.reload(&changed)).await;
            publisher.world.references.outdate();
            publisher.outdated().await;
        });
    }
}

fn lacking(world: &World) -> Vec<Open> {
    let documents = world.documents();
    let mut found: Vec<Open> = Vec::new();
    for document in documents.values() {
        let analysis = world.view(document, &documents).analysis;
        let project = &analysis.loaded.opened.project;
        let subjects = analysis.file.hazards().filter_map(|hazard: &Hazard| hazard.subject.as_ref());
        for subject in subjects.filter(|subject| !world.references.is_fresh(project, subject)) {
            if !found.iter().any(|(_, known)| known == subject) {
                found.push((analysis.loaded.clone(), subject.clone()));
            }
        }
    }
    found
}

/// Work away from the task that reads and writes; a panic in it is logged, and that answer is missing.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let result = tokio::task::spawn_blocking(work).await;
    result.inspect_err(|error| tracing::error!(%error, "background work failed")).ok()
}
