//! The tool `analyze_migration`: what it takes, what it answers, and how.

use lockkeeper_core::report::CheckReport;
use lockkeeper_project::analysis;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::world::{Told, World, place, timestamp};

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
    let (file, text) = world.check(&project, &request.file)?;
    let problem = analysis::problem_of(&project, place(&project, &file), &file.path, &text, None);
    let is_read = !problem.as_ref().is_some_and(|it| it.unread);
    let files: Vec<_> = is_read.then_some(file).into_iter().collect();
    let references = analysis::subjects_references(&project, &files);
    let policies = analysis::policies(&project, Some(timestamp()));
    let problems: Vec<_> = problem.into_iter().collect();
    Ok(analysis::check_report(&project, &files, &problems, &policies, &references))
}
