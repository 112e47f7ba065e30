//! The tool `operation_status`: what it takes, what it answers, and how.

use rmcp::RoleServer;
use rmcp::service::RequestContext;
use schemars::JsonSchema;
use serde::Deserialize;

use super::rehearse::{Response, watch};
use crate::world::{Told, World};

/// The operation.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// Its number.
    #[schemars(schema_with = "number")]
    pub operation: u64,
    /// Stop it.
    #[serde(default)]
    pub cancel: bool,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

/// Without the format that validators of JSON Schema do not know.
fn number(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "integer", "minimum": 1})
}

pub async fn run(world: &World, request: &Request, context: &RequestContext<RoleServer>) -> Told<Response> {
    let operation = world.operations.find(request.operation)?;
    if request.cancel {
        operation.cancel();
    }
    watch(&operation, context).await
}
