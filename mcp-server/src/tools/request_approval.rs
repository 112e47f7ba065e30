//! The tool `request_approval`: what it takes, what it answers, and how.

use schemars::JsonSchema;
use serde::Deserialize;

/// What is to be approved.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// The plan's id, from `propose_strategies` or from a closed gate.
    pub plan: String,
    /// Why, in your own words; shown to the human as such, below the facts.
    pub reason: Option<String>,
}
