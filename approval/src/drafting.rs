//! What the gates of a plan are bound to: the plan as it was shown, the file it was made from, what decided.

use crate::content::Content;
use crate::digest::Digest;
use crate::gate::Gate;
use crate::plan::StoredPlan;
use crate::policy::Policy;
use lockkeeper_core::plan::{PhaseKind, Way};
use lockkeeper_core::report::{PlanReport, StepReport};
use std::collections::BTreeMap;

/// What a plan for drafting files is made of, beside the plan itself.
#[derive(Clone, Copy, Debug)]
pub struct Drafting<'a> {
    /// The plan.
    pub report: &'a PlanReport,
    /// The bytes of the migration that it was made from.
    pub source: &'a [u8],
    /// The policy in force, with the configuration that the plan was made with.
    pub policy: &'a Policy,
}

/// The plan as it is stored and approved: the content that opens the writing of files, and one for each gate that carrying
/// it out will need. One never implies the next.
pub fn stored(drafting: &Drafting<'_>) -> StoredPlan {
    let report = drafting.report;
    let strategy = content(drafting, Gate::Strategy);
    let Some(plan) = &report.plan else {
        return StoredPlan { subject: report.file.clone(), contents: vec![strategy] };
    };
    let steps = || plan.phases.iter().flat_map(|phase| phase.steps.iter().map(move |step| (phase, step)));
    let sql =
        || steps().filter(|(_, step)| step.kind == "migration").filter_map(|(_, step)| step.sql.clone());
    let mut contents =
        vec![Content { statements: steps().flat_map(|(_, step)| texts(step)).collect(), ..strategy }];
    if plan.strategy == Way::Window.id() {
        contents.push(Content { statements: sql().collect(), ..content(drafting, Gate::Window) });
    }
    contents.push(Content { statements: sql().collect(), ..content(drafting, Gate::Apply) });
    let of_step = |gate, step: &StepReport| Content {
        step: Some(step.title.clone()),
        statements: step.sql.iter().cloned().collect(),
        ..content(drafting, gate)
    };
    for (phase, step) in steps().filter(|(_, step)| step.sql.is_some() && step.kind == "migration") {
        if step.job.is_some() {
            contents.push(of_step(Gate::Backfill, step));
        }
        if phase.phase == PhaseKind::Contract.id() {
            contents.push(of_step(Gate::Destructive, step));
        }
    }
    StoredPlan { subject: report.file.clone(), contents }
}

fn texts(step: &StepReport) -> impl Iterator<Item = String> {
    step.sql.iter().cloned().chain(step.must.iter().map(|must| format!("release: {must}")))
}

/// What all contents of a plan are bound to.
fn content(drafting: &Drafting<'_>, gate: Gate) -> Content {
    let report = drafting.report;
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
