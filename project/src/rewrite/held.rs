//! Files that wait for a release: kept in the project, beside the folder that the next deploy runs, until they may be deployed.

use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::plan::{PhaseKind, Way};
use lockkeeper_root::Root;
use serde::{Deserialize, Serialize};

use super::files::spelled;
use super::{Drafted, Release, Rewrite, RewriteError};
use crate::analysis::CheckedFile;
use crate::discover::Project;

/// Where migrations wait, each rewrite in a folder named as its migration. No runner looks there.
pub const FOLDER: &str = ".lockkeeper/held";

/// What says which steps wait in a folder.
const MANIFEST: &str = "steps.json";

/// Larger files are not ours.
const MOST: u64 = 100_000_000;

/// A rewrite of which some migrations are written and the others wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The migration that was rewritten, relative to the root.
    pub subject: String,
    /// The strategy's id.
    pub strategy: String,
    /// The migrations that wait, as they stand in their files.
    pub drafted: Vec<Drafted>,
    /// The releases that are still to come, in order.
    pub releases: Vec<Awaited>,
    /// The files of the migrations that are written.
    pub written: Vec<String>,
}

/// A release between two migrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Awaited {
    /// The number of the step that waits for it; one more than there are where none does.
    pub before_step: usize,
    /// The phase of the last step before it.
    pub after_phase: PhaseKind,
    /// What it must do.
    pub must: Vec<String>,
}

/// A file of what waits, or one that is no longer needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Relative to the root.
    pub path: String,
    /// Its whole text; `None` where it goes.
    pub content: Option<String>,
    /// What it holds now, where it is there.
    pub was: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    subject: String,
    strategy: String,
    written: Vec<String>,
    releases: Vec<Awaited>,
    steps: Vec<HeldStep>,
}

/// A migration that waits, without its SQL, which stands in files of its own.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldStep {
    step: usize,
    name: String,
    title: String,
    before: Vec<String>,
    phase: PhaseKind,
    transactional: bool,
    goes_back: bool,
}

impl Rewrite {
    /// Holds back what may not be deployed yet: the files behind the release that comes next, and behind a phase those from the first on that belongs to
    /// a later one.
    ///
    /// # Errors
    /// [`RewriteError`] where the first file already does.
    pub fn hold_behind(&mut self, phase: Option<PhaseKind>) -> Result<(), RewriteError> {
        let first = self.files.first().map_or(0, |it| it.step);
        let later = self.files.iter().find(|it| phase.is_some_and(|phase| it.phase > phase));
        if let Some(later) = later.filter(|it| it.step == first) {
            let kind = later.phase.id();
            return Err(RewriteError::new(format!(
                "the next step belongs to {kind}, so nothing would be written: say --phase {kind}"
            )));
        }
        let of = |path: &String| self.files.iter().find(|it| it.path == *path).map(|it| it.step);
        let released = self.releases.iter().filter_map(|it| of(it.before_file.as_ref()?));
        let released = released.filter(|it| *it > first).min();
        if let Some(step) = later.map(|it| it.step).into_iter().chain(released).min() {
            self.files.iter_mut().for_each(|it| it.held = it.step >= step);
        }
        Ok(())
    }

    /// The same rewrite, with what waits for the next release held back.
    ///
    /// # Errors
    /// [`RewriteError`] where what is held back already cannot be read.
    pub fn held_back(mut self, project: &Project) -> Result<Self, RewriteError> {
        self.hold_behind(None)?;
        self.keep(project, &[])?;
        Ok(self)
    }

    /// Whether some of its files wait.
    pub fn holds_back(&self) -> bool {
        self.files.iter().any(|it| it.held)
    }

    /// Finds out which files what waits is kept in, and which of those that are kept now go. `written` are files of earlier steps.
    ///
    /// # Errors
    /// [`RewriteError`] where what is kept now cannot be read.
    pub fn keep(&mut self, project: &Project, written: &[String]) -> Result<(), RewriteError> {
        let root = opened(project)?;
        let new = if self.holds_back() { self.held(written).files() } else { Vec::new() };
        let mut old = match read_manifest(&root, &self.subject) {
            Ok(manifest) => manifest.iter().flat_map(|it| it.paths(&self.subject)).collect(),
            // What nobody can read is written over.
            Err(_) => vec![manifest_of(&self.subject)],
        };
        old.retain(|path| new.iter().all(|(own, _)| own != path));
        let new = new.into_iter().map(|(path, content)| (path, Some(content)));
        let all = new.chain(old.into_iter().map(|path| (path, None)));
        let change = |(path, content): (String, Option<String>)| {
            let was = text(&root, &path)?;
            Ok((content.is_some() || was.is_some()).then_some(KeptFile { path, content, was }))
        };
        self.kept = all.filter_map(|it| change(it).transpose()).collect::<Result<_, RewriteError>>()?;
        for file in self.files.iter_mut().filter(|it| it.held) {
            let drafted = self.drafted.iter().find(|it| it.number == file.step);
            file.kept_in = drafted.map(|it| place_of(&self.subject, it.number, &it.name, "up"));
        }
        Ok(())
    }

    /// What is to be remembered of it when the files that do not wait are written.
    fn held(&self, written: &[String]) -> Held {
        let done = self.files.iter().filter(|it| !it.held).map(|it| it.step).max().unwrap_or(0);
        let paths = self.files.iter().filter(|it| !it.held).map(|it| it.path.clone());
        let last = self.drafted.last().map_or(0, |it| it.number);
        let releases = self.releases.iter().map(|it| {
            let first =
                it.before_file.as_ref().and_then(|path| self.files.iter().find(|file| file.path == *path));
            Awaited {
                before_step: first.map_or(last + 1, |file| file.step),
                after_phase: it.after_phase,
                must: it.must.clone(),
            }
        });
        Held {
            subject: self.subject.clone(),
            strategy: self.way.id().to_owned(),
            releases: releases.filter(|it| it.before_step > done).collect(),
            drafted: self.drafted.iter().filter(|it| it.number > done).cloned().collect(),
            written: written.iter().cloned().chain(paths).collect(),
        }
    }
}

impl Held {
    /// What waits of a migration; `None` where nothing does.
    ///
    /// # Errors
    /// [`RewriteError`] where it cannot be read.
    pub fn of(project: &Project, subject: &str) -> Result<Option<Self>, RewriteError> {
        let root = opened(project)?;
        let Some(manifest) = read_manifest(&root, subject)? else { return Ok(None) };
        let mut drafted = Vec::with_capacity(manifest.steps.len());
        for step in manifest.steps {
            let half = |half: &str| {
                let path = place_of(subject, step.step, &step.name, half);
                text(&root, &path)?.ok_or_else(|| {
                    RewriteError::new(format!(
                        "{path} is not there, and {} says that it waits: bring it back, or rewrite the migration again without --continue",
                        manifest_of(subject)
                    ))
                })
            };
            drafted.push(Drafted {
                up: half("up")?,
                down: step.goes_back.then(|| half("down")).transpose()?,
                number: step.step,
                name: step.name,
                title: step.title,
                before: step.before,
                phase: step.phase,
                transactional: step.transactional,
            });
        }
        Ok(Some(Self {
            subject: subject.to_owned(),
            strategy: manifest.strategy,
            drafted,
            releases: manifest.releases,
            written: manifest.written,
        }))
    }

    /// The files that are still to be written, with names behind those that are there now. `file` is the migration that was rewritten, as its first
    /// step stands there.
    ///
    /// # Errors
    /// [`RewriteError`] where a file of an earlier step is not there any more, or the framework cannot run a migration as it is meant.
    pub fn go_on(
        &self,
        project: &Project,
        file: &CheckedFile,
        now: Timestamp,
    ) -> Result<Rewrite, RewriteError> {
        let gone = self.written.iter().find(|it| !project.root.join(it).is_file());
        if let Some(path) = gone {
            return Err(RewriteError::new(format!(
                "{path} was written for this migration before and is not there any more: the steps that are held back would not fit what runs. Put it \
                 back, or rewrite the migration again without --continue"
            )));
        }
        let way = Way::from_id(&self.strategy)
            .ok_or_else(|| RewriteError::new("its strategy is not known: rewrite the migration again"))?;
        let files = spelled(project, file, &self.drafted, now)?;
        let releases = self.releases.iter().map(|it| Release {
            after_phase: it.after_phase,
            before_file: files.iter().find(|file| file.step == it.before_step).map(|file| file.path.clone()),
            must: it.must.clone(),
        });
        Ok(Rewrite {
            subject: self.subject.clone(),
            way,
            releases: releases.collect(),
            files,
            phases: Vec::new(),
            drafted: self.drafted.clone(),
            kept: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// The files that it is kept in.
    fn files(&self) -> Vec<(String, String)> {
        let step = |it: &Drafted| HeldStep {
            step: it.number,
            name: it.name.clone(),
            title: it.title.clone(),
            before: it.before.clone(),
            phase: it.phase,
            transactional: it.transactional,
            goes_back: it.down.is_some(),
        };
        let manifest = Manifest {
            version: 1,
            subject: self.subject.clone(),
            strategy: self.strategy.clone(),
            written: self.written.clone(),
            releases: self.releases.clone(),
            steps: self.drafted.iter().map(step).collect(),
        };
        let json = serde_json::to_string_pretty(&manifest).expect("names and numbers are JSON") + "\n";
        let mut files = vec![(manifest_of(&self.subject), json)];
        for it in &self.drafted {
            let place = |half: &str| place_of(&self.subject, it.number, &it.name, half);
            files.push((place("up"), it.up.clone()));
            files.extend(it.down.clone().map(|down| (place("down"), down)));
        }
        files
    }
}

impl Manifest {
    /// Its file and those that it tells of.
    fn paths(&self, subject: &str) -> Vec<String> {
        let halves = |it: &HeldStep| {
            let place = |half: &str| place_of(subject, it.step, &it.name, half);
            std::iter::once(place("up")).chain(it.goes_back.then(|| place("down"))).collect::<Vec<_>>()
        };
        std::iter::once(manifest_of(subject)).chain(self.steps.iter().flat_map(halves)).collect()
    }
}

/// The folder in which steps of a migration wait.
pub fn folder_of(subject: &str) -> String {
    format!("{FOLDER}/{}", subject.strip_suffix(".sql").unwrap_or(subject))
}

fn manifest_of(subject: &str) -> String {
    format!("{}/{MANIFEST}", folder_of(subject))
}

/// The place of one half of a step. Its name may come from a file that somebody else wrote: it is no path.
fn place_of(subject: &str, number: usize, name: &str, half: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-');
    let name: String = name.chars().map(|it| if is_plain(it) { it } else { '_' }).collect();
    format!("{}/{number:02}_{name}.{half}.sql", folder_of(subject))
}

fn read_manifest(root: &Root, subject: &str) -> Result<Option<Manifest>, RewriteError> {
    let path = manifest_of(subject);
    let Some(text) = text(root, &path)? else { return Ok(None) };
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
        RewriteError::new(format!(
            "{path} cannot be read ({error}): bring back what it was, or rewrite the migration again without --continue"
        ))
    })?;
    if manifest.subject != subject || manifest.version != 1 {
        return Err(RewriteError::new(format!(
            "{path} is of another migration or of another version of lockkeeper: rewrite the migration again without --continue"
        )));
    }
    Ok(Some(manifest))
}

fn opened(project: &Project) -> Result<Root, RewriteError> {
    Root::open(&project.root)
        .map_err(|error| RewriteError::new(format!("the project cannot be opened ({error})")))
}

fn text(root: &Root, path: &str) -> Result<Option<String>, RewriteError> {
    let failed = |error: std::io::Error| RewriteError::new(format!("{path} cannot be read ({error})"));
    let bytes = root.read(path, MOST).map_err(failed)?;
    bytes.map(|it| String::from_utf8(it).map_err(|error| failed(std::io::Error::other(error)))).transpose()
}
