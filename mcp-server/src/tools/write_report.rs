//! `write_report`, behind the strategy gate.

use lockkeeper_approval::answer::Asker;
use lockkeeper_project::planning;
use schemars::JsonSchema;
use serde::Deserialize;

use super::write_migrations::{Response, why_no_plan};
use crate::gate::consume;
use crate::world::{Told, World};

/// The migration that the report is about.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// The file, relative to the project's root.
    pub file: String,
    /// The strategy; the recommended one where it is left out.
    pub strategy: Option<String>,
}

pub fn run(world: &World, request: &Request, asker: Asker) -> Told<Response> {
    let planned = world.plan(&request.file, request.strategy.as_deref())?;
    if planned.report.plan.is_none() {
        return Err(why_no_plan(&planned));
    }
    world.store(&planned.project).store(&planned.stored).map_err(|error| error.to_string())?;
    if let Some(closed) = consume(world, &planned.project, &planned.stored, asker)? {
        return Ok(closed.into());
    }
    let files = planning::write_report(&planned.project, &planned.report)
        .map_err(|error| format!("the report cannot be written: {error}"))?;
    let plan = Some(planned.stored.id().to_string());
    Ok(Response { status: "written".to_owned(), files, plan, ..Response::default() })
}
