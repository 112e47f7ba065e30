//! The tool `propose_strategies`: what it takes, what it answers, and how.

use lockkeeper_approval::books::Books;
use lockkeeper_core::report::PlanReport;
use lockkeeper_project::planning::report_files;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::write_migrations::why_no_plan;
use crate::world::{Told, World};

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
    let planned = world.plan(&request.file, request.strategy.as_deref(), None)?;
    if !planned.report.blocked_by.is_empty() {
        let open = planned.report.blocked_by.join(", ");
        let waits = if planned.report.strategies.is_empty() { "strategies wait" } else { "the plan waits" };
        let next = format!(
            "ask your human to answer {open} under [answers] in lockkeeper.toml; {waits} for that, and the answers are not \
             to be guessed"
        );
        return Ok(Response { plan_id: None, report: planned.report, next });
    }
    if planned.report.plan.is_none() {
        let next = why_no_plan(&planned);
        return Ok(Response { plan_id: None, report: planned.report, next });
    }
    if let Some(refusal) = &planned.refusal {
        let next = format!(
            "show the comparison to your human: {refusal}; what would make it possible stands beside it"
        );
        return Ok(Response { plan_id: None, report: planned.report, next });
    }
    let documents = report_files(&planned.report);
    let store = Books::of(&planned.project).map_err(|error| error.to_string())?.store;
    let id = store.store(&planned.stored, &documents).map_err(|error| error.to_string())?;
    if let Err(why) = &planned.rewrite {
        let next = format!(
            "show the comparison to your human: plan {id} can be read and reported, but its files cannot be written: {}",
            why.message
        );
        return Ok(Response { plan_id: Some(id.to_string()), report: planned.report, next });
    }
    let next = format!(
        "show the comparison to your human; request_approval asks them for plan {id}, and write_migrations and write_report then take it"
    );
    Ok(Response { plan_id: Some(id.to_string()), report: planned.report, next })
}
