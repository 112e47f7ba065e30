//! The tool `gate_status`: what it takes, what it answers, and how.

use lockkeeper_approval::answer::Asker;
use lockkeeper_approval::plan::PlanId;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::gate::{GateAnswer, status_of};
use crate::world::{Told, World};

/// The plan.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// The plan's id.
    pub plan: String,
}

pub fn run(world: &World, request: &Request, asker: Asker) -> Told<GateAnswer> {
    let id = PlanId::parse(&request.plan).map_err(|error| error.to_string())?;
    let project = world.project()?;
    let plan = world.store(&project).load(&id).map_err(|error| error.to_string())?;
    status_of(world, &project, &plan, asker)
}
