//! Who uses what a migration takes away: searched once for each state of the disk, in the background, and kept.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lockkeeper_core::hazards::Subject;
use lockkeeper_core::reference::{Reference, ReferenceKind};
use lockkeeper_core::text::{Encoding, LineColumn, LineIndex};
use lockkeeper_project::analysis::subject_references;
use lockkeeper_project::discover::Project;

/// How many subjects are kept; whoever types a name passes many.
const KEPT: usize = 1000;

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct References {
    disk: AtomicU64,
    found: Mutex<HashMap<(PathBuf, Subject), Found>>,
}

#[derive(Debug, Clone)]
struct Found {
    disk: u64,
    places: Arc<Vec<Located>>,
}

/// A place that uses a table or column, in the client's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    pub path: PathBuf,
    pub start: LineColumn,
    pub end: LineColumn,
    pub kind: ReferenceKind,
    pub excerpt: String,
}

impl References {
    /// Says that files changed: what is known is shown until it is found anew.
    pub fn outdate(&self) {
        self.disk.fetch_add(1, Ordering::Relaxed);
    }

    /// What is known, perhaps of an earlier state of the disk.
    pub fn known(&self, project: &Project, subject: &Subject) -> Option<Arc<Vec<Located>>> {
        self.found(project, subject).map(|found| found.places)
    }

    /// Whether a search would tell nothing new.
    pub fn is_fresh(&self, project: &Project, subject: &Subject) -> bool {
        self.found(project, subject).is_some_and(|found| found.disk == self.disk.load(Ordering::Relaxed))
    }

    fn found(&self, project: &Project, subject: &Subject) -> Option<Found> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(&(project.root.clone(), subject.clone())).cloned()
    }

    /// Searches the project.
    pub fn search(&self, project: &Project, subject: &Subject, encoding: Encoding) {
        let disk = self.disk.load(Ordering::Relaxed);
        let places = Arc::new(located(project, subject_references(project, subject), encoding));
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= KEPT {
            found.clear();
        }
        found.insert((project.root.clone(), subject.clone()), Found { disk, places });
    }
}

/// References come file by file: each file is read once.
fn located(project: &Project, references: Vec<Reference>, encoding: Encoding) -> Vec<Located> {
    let mut all = Vec::new();
    for of_file in references.chunk_by(|a, b| a.path == b.path) {
        let text = project.read(&of_file[0].path).unwrap_or_default();
        let lines = LineIndex::new(&text);
        all.extend(of_file.iter().map(|it| Located {
            path: project.root.join(&it.path),
            start: lines.position(&text, it.span.start, encoding),
            end: lines.position(&text, it.span.end, encoding),
            kind: it.kind,
            excerpt: it.excerpt.clone(),
        }));
    }
    all
}
