//! What the gates of a plan are bound to: the plan as it was shown, the file it was made from, what decided.

use crate::content::{Content, FileText};
use crate::digest::Digest;
use crate::gate::Gate;
use crate::plan::{Store, StoredPlan};
use crate::policy::Policy;
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::plan::PhaseKind;
use lockkeeper_core::report::StepReport;
use lockkeeper_project::Project;
use lockkeeper_project::analysis::CheckedFile;
use lockkeeper_project::planning::Planned;
use lockkeeper_project::rewrite::{self, Rewrite, RewriteError};
use std::collections::BTreeMap;

/// What a plan for drafting files is made of.
#[derive(Clone, Copy, Debug)]
pub struct Drafting<'a> {
    /// The project.
    pub project: &'a Project,
    /// The migration, as it was read.
    pub file: &'a CheckedFile,
    /// The bytes of it.
    pub source: &'a [u8],
    /// The plan itself.
    pub planned: &'a Planned,
    /// The policy in force, with the configuration that the plan was made with.
    pub policy: &'a Policy,
    /// Whether the migration is no file yet.
    pub is_new: bool,
}

/// A plan with its files.
#[derive(Debug)]
pub struct Drafted {
    /// As it is stored and approved.
    pub stored: StoredPlan,
    /// The files that it stands for; or why they cannot be written, which does not keep anybody from reading the plan.
    pub rewrite: Result<Option<Rewrite>, RewriteError>,
}

impl Drafting<'_> {
    /// The plan with files that got their names at that time.
    pub fn named(&self, at: Timestamp) -> Drafted {
        let rewrite = self.planned.files(self.project, self.file, at);
        let rewrite = if self.is_new { rewrite.map(|it| self.in_no_place(it)) } else { rewrite };
        let held_back = |it: Rewrite| it.held_back(self.project);
        let rewrite = rewrite.and_then(|it| it.map(held_back).transpose());
        let files = match &rewrite {
            Ok(Some(rewrite)) => texts_of(rewrite),
            _ => Vec::new(),
        };
        Drafted { stored: self.stored(files, at), rewrite }
    }

    /// The files of a migration that is none yet: nothing is replaced, and where it stays as it is, it is itself the file.
    fn in_no_place(&self, rewrite: Option<Rewrite>) -> Option<Rewrite> {
        let is_written_out = self.planned.report.plan.is_some();
        let mut rewrite = rewrite.or_else(|| is_written_out.then(|| rewrite::of_draft(self.file)))?;
        for file in rewrite.files.iter_mut().filter(|it| it.path == self.file.path) {
            file.replaces = false;
            file.was = None;
        }
        Some(rewrite)
    }

    /// The plan with files named now. Where the same plan is stored already it is that one: what did not change asks nobody again.
    pub fn draft(&self, store: &Store, now: Timestamp) -> Drafted {
        let latest = store.latest(&self.planned.report.file, self.planned.strategy());
        let same = latest.and_then(|latest| {
            let drafted = self.named(Timestamp::from_unix(latest.named?));
            (drafted.stored == latest).then_some(drafted)
        });
        same.unwrap_or_else(|| self.named(now))
    }

    /// The plan as it is stored and approved: the content that opens the writing of files, and one for each gate that carrying
    /// it out will need. One never implies the next.
    fn stored(&self, files: Vec<FileText>, named: Timestamp) -> StoredPlan {
        let report = &self.planned.report;
        let named = (!files.is_empty()).then(|| named.unix());
        let strategy = Content { files, ..content(self, Gate::Strategy) };
        let Some(plan) = &report.plan else {
            return StoredPlan { subject: report.file.clone(), named, contents: vec![strategy] };
        };
        let steps = || plan.phases.iter().flat_map(|phase| phase.steps.iter().map(move |step| (phase, step)));
        let sql =
            || steps().filter(|(_, step)| step.kind == "migration").filter_map(|(_, step)| step.sql.clone());
        let statements = steps().filter(|(_, step)| step.kind != "check").flat_map(|(_, step)| texts(step));
        let mut contents = vec![Content { statements: statements.collect(), ..strategy }];
        let stopped = steps().filter(|(_, step)| step.stopped && step.kind == "migration");
        let stopped: Vec<String> = stopped.filter_map(|(_, step)| step.sql.clone()).collect();
        if !stopped.is_empty() {
            contents.push(Content { statements: stopped, ..content(self, Gate::Window) });
        }
        contents.push(Content { statements: sql().collect(), ..content(self, Gate::Apply) });
        let of_step = |gate, step: &StepReport| Content {
            step: Some(step.title.clone()),
            statements: step.sql.iter().cloned().collect(),
            caps: caps(step),
            ..content(self, gate)
        };
        for (phase, step) in steps().filter(|(_, step)| step.sql.is_some() && step.kind == "migration") {
            if step.job.is_some() {
                contents.push(of_step(Gate::Backfill, step));
            }
            if phase.phase == PhaseKind::Contract.id() {
                contents.push(of_step(Gate::Destructive, step));
            }
        }
        StoredPlan { subject: report.file.clone(), named, contents }
    }
}

/// The files that are written, those included in which others wait, as an approval is bound to them.
pub fn texts_of(rewrite: &Rewrite) -> Vec<FileText> {
    let digest = |was: &Option<String>| was.as_ref().map(|it| Digest::of_bytes(it.as_bytes()));
    let written = rewrite.files.iter().filter(|it| !it.held).map(|it| FileText {
        path: it.path.clone(),
        text: it.content.clone(),
        replaces: digest(&it.was),
    });
    let kept = rewrite.kept.iter().map(|it| FileText {
        path: it.path.clone(),
        text: it.content.clone().unwrap_or_default(),
        replaces: digest(&it.was),
    });
    written.chain(kept).collect()
}

/// What a backfill must not exceed.
fn caps(step: &StepReport) -> BTreeMap<String, String> {
    let Some(job) = &step.job else { return BTreeMap::new() };
    BTreeMap::from([
        ("rows of a batch".to_owned(), job.batch_rows.to_string()),
        ("wait for a lock".to_owned(), job.lock_timeout.clone()),
        ("seconds that a replica lags".to_owned(), job.pause_lag_seconds.to_string()),
    ])
}

fn texts(step: &StepReport) -> impl Iterator<Item = String> {
    step.sql.iter().cloned().chain(step.must.iter().map(|must| format!("release: {must}")))
}

/// What all contents of a plan are bound to.
fn content(drafting: &Drafting<'_>, gate: Gate) -> Content {
    let report = &drafting.planned.report;
    let answers = report.questions.iter().filter_map(|it| Some((it.id.clone(), it.answer.clone()?)));
    let seen = report.signals.iter().map(|it| (it.id.clone(), it.value.clone()));
    Content {
        strategy: report.plan.as_ref().map(|plan| plan.strategy.clone()),
        sources: BTreeMap::from([(report.file.clone(), Digest::of_bytes(drafting.source))]),
        signals: answers.chain(seen).collect(),
        changes: drafting.policy.changes.clone(),
        ..Content::new(gate, drafting.policy.digest.clone())
    }
}
