//! The tool `propose_strategies`: what it takes, what it answers, and how.

use lockkeeper_approval::books::Books;
use lockkeeper_core::report::PlanReport;
use lockkeeper_project::planning::report_files;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::write_migrations::why_no_plan;
use crate::world::{Planned, Told, World};

/// The migration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// The file, relative to the project's root.
    pub file: String,
    /// Write out this strategy instead of the recommended one.
    pub strategy: Option<String>,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

/// The strategies, compared.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Response {
    /// The id under which the plan is stored; carry it to `request_approval`.
    pub plan_id: Option<String>,
    /// Signals, questions, strategies, recommendation and plan.
    pub report: PlanReport,
    /// What to do next.
    pub next: String,
}

pub fn run(world: &World, request: &Request) -> Told<Response> {
    answer(world.plan(&request.file, request.strategy.as_deref(), None)?, None)
}

/// The comparison, with the plan stored where it can be carried out. `draft` is the text of a migration that is no file.
pub fn answer(planned: Planned, draft: Option<&str>) -> Told<Response> {
    if let Some(next) = why_not_stored(&planned) {
        return Ok(Response { plan_id: None, report: planned.report, next });
    }
    let documents = report_files(&planned.report);
    let store = Books::of(&planned.project).map_err(|error| error.to_string())?.store;
    let id = store.store(&planned.stored, &documents).map_err(|error| error.to_string())?;
    if let Some(text) = draft {
        store.store_draft(&id, text).map_err(|error| error.to_string())?;
    }
    // Whoever plans the same now finds this plan.
    drop(planned.naming);
    let next = match &planned.rewrite {
        Err(why) => format!(
            "show the comparison to your human: plan {id} can be read and reported, but its files cannot be written: {}",
            why.message
        ),
        Ok(_) => format!(
            "show the comparison to your human, then call request_approval with plan {id}: it asks them. write_migrations and write_report take \
             the plan when they have approved it; get_plan shows its files"
        ),
    };
    Ok(Response { plan_id: Some(id.to_string()), report: planned.report, next })
}

/// What the human is to do before there is a plan that can be approved.
fn why_not_stored(planned: &Planned) -> Option<String> {
    let report = &planned.report;
    if !report.blocked_by.is_empty() {
        let open = report.blocked_by.join(", ");
        let waits = if report.strategies.is_empty() { "Strategies wait" } else { "The plan waits" };
        return Some(format!(
            "call answer_questions: it asks your human for {open}; or they write the answers under [answers] in lockkeeper.toml. {waits} \
             for that, and answers are not to be guessed"
        ));
    }
    if report.plan.is_none() {
        return Some(why_no_plan(planned));
    }
    let refusal = planned.refusal.as_ref()?;
    Some(format!(
        "show the comparison to your human: {refusal}; what would make it possible stands beside it"
    ))
}
