//! What the `strategy` gate is bound to: the plan as it was shown, the file it was made from, what decided.

use crate::content::Content;
use crate::digest::Digest;
use crate::gate::Gate;
use crate::plan::StoredPlan;
use lockkeeper_core::report::PlanReport;
use std::collections::BTreeMap;

/// What a plan for drafting files is made of, beside the plan itself.
#[derive(Clone, Copy, Debug)]
pub struct Drafting<'a> {
    /// The plan.
    pub report: &'a PlanReport,
    /// The bytes of the migration that it was made from.
    pub source: &'a [u8],
    /// The project's configuration as it is on disk; empty where there is none.
    pub configuration: &'a [u8],
}

/// The plan as it is stored and approved: one content, at the gate that opens the writing of files.
pub fn stored(drafting: &Drafting<'_>) -> StoredPlan {
    let report = drafting.report;
    let mut content = Content::new(Gate::Strategy, Digest::of_bytes(drafting.configuration));
    if let Some(plan) = &report.plan {
        content.strategy = Some(plan.strategy.clone());
        for step in plan.phases.iter().flat_map(|phase| &phase.steps) {
            content.statements.extend(step.sql.clone());
            content.statements.extend(step.must.iter().map(|must| format!("release: {must}")));
        }
    }
    content.sources = BTreeMap::from([(report.file.clone(), Digest::of_bytes(drafting.source))]);
    let answers = report.questions.iter().filter_map(|it| Some((it.id.clone(), it.answer.clone()?)));
    let seen = report.signals.iter().map(|it| (it.id.clone(), it.value.clone()));
    content.signals = answers.chain(seen).collect();
    StoredPlan { subject: report.file.clone(), contents: vec![content] }
}
