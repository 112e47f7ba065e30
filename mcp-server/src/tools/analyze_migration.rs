//! The tool `analyze_migration`: what it takes, what it answers, and how.

use lockkeeper_core::report::CheckReport;
use lockkeeper_project::analysis;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::world::{Told, World, timestamp};

/// The migration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// The file, relative to the project's root.
    pub file: String,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

pub fn run(world: &World, request: &Request) -> Told<CheckReport> {
    let project = world.project()?;
    let (file, _) = world.check(&project, &request.file)?;
    let files = [file];
    let references = analysis::subjects_references(&project, &files);
    let policy = analysis::policy(&project, Some(timestamp()));
    Ok(analysis::check_report(Some(&project), &files, &policy, &references))
}
