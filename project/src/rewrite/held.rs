//! Files that wait for a release: kept apart from the project until they may be deployed.

use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::plan::{PhaseKind, Way};
use serde::{Deserialize, Serialize};

use super::files::spelled;
use super::{Drafted, Release, Rewrite, RewriteError};
use crate::analysis::CheckedFile;
use crate::discover::Project;

/// A rewrite of which some files are written and the others wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The migration that was rewritten, relative to the root.
    pub subject: String,
    /// The strategy's id.
    pub strategy: String,
    /// All migrations of the plan.
    pub drafted: Vec<Drafted>,
    /// The releases, in order.
    pub releases: Vec<Awaited>,
    /// So many of the migrations are written.
    pub done: usize,
    /// Their files.
    pub written: Vec<String>,
}

/// A release between two migrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Awaited {
    /// So many migrations run before it.
    pub behind: usize,
    /// The phase of the last of them.
    pub after_phase: PhaseKind,
    /// What it must do.
    pub must: Vec<String>,
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

    /// Whether some of its files wait.
    pub fn holds_back(&self) -> bool {
        self.files.iter().any(|it| it.held)
    }

    /// What is to be remembered of it when the files that do not wait are written. `before` is what was remembered until then.
    pub fn held(&self, subject: &str, before: Option<&Held>) -> Held {
        let written = self.files.iter().filter(|it| !it.held);
        let done = written.clone().map(|it| it.step).max().unwrap_or(0);
        let mut paths = before.map(|it| it.written.clone()).unwrap_or_default();
        paths.extend(written.map(|it| it.path.clone()));
        if let Some(before) = before {
            return Held { done, written: paths, ..before.clone() };
        }
        let steps = self.drafted.len();
        let releases = self.releases.iter().map(|it| {
            let first =
                it.before_file.as_ref().and_then(|path| self.files.iter().find(|file| file.path == *path));
            Awaited {
                behind: first.map_or(steps, |file| file.step - 1),
                after_phase: it.after_phase,
                must: it.must.clone(),
            }
        });
        Held {
            subject: subject.to_owned(),
            strategy: self.way.id().to_owned(),
            releases: releases.collect(),
            drafted: self.drafted.clone(),
            done,
            written: paths,
        }
    }
}

impl Held {
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
        let files = spelled(project, file, &self.drafted, self.done, now)?;
        let releases = self.releases.iter().filter(|it| it.behind >= self.done).map(|it| Release {
            after_phase: it.after_phase,
            before_file: files.iter().find(|file| file.step == it.behind + 1).map(|file| file.path.clone()),
            must: it.must.clone(),
        });
        let releases = releases.collect();
        let drafted = self.drafted.clone();
        Ok(Rewrite { way, files, releases, phases: Vec::new(), drafted, notes: Vec::new() })
    }
}
