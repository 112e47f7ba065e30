//! The target on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dialect::Target;

/// What a migration was checked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetReport {
    /// `postgres`, `mysql`, `sqlite`.
    pub dialect: String,
    /// The version, as `15.0`.
    pub version: String,
    /// Where engine and version were found; `default` where nothing states them.
    pub source: String,
    /// The sessions' time zone, where it is known.
    pub time_zone: Option<String>,
}

impl From<&Target> for TargetReport {
    fn from(target: &Target) -> Self {
        Self {
            dialect: target.dialect.id().to_owned(),
            version: target.version.to_string(),
            source: target.source.clone(),
            time_zone: target.time_zone.clone(),
        }
    }
}
