//! The tool `gate_status`: what it takes, what it answers, and how.

use lockkeeper_approval::answer::Asker;
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
    status_of(&world.stored(&request.plan)?, None, asker)
}
