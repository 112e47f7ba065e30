//! The tool `gather_signals`: what it takes, what it answers, and how.

use std::path::Path;

use lockkeeper_core::report::{QuestionReport, SignalReport};
use lockkeeper_core::signals;
use lockkeeper_project::planning::{Said, gather};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::world::{Told, World};

/// The part of the project.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// A migration or folder, relative to the root, for the answers that hold there; else those of the whole project.
    #[serde(default)]
    pub path: Option<String>,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

/// What the repository shows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Response {
    /// Observed facts with their evidence; `unknown` is a value.
    pub signals: Vec<SignalReport>,
    /// What only the developer can answer. Ask your human; the answers stand under `[answers]` in lockkeeper.toml.
    pub questions: Vec<QuestionReport>,
    /// The ids of the questions that are open.
    pub open: Vec<String>,
}

pub fn run(world: &World, request: &Request) -> Told<Response> {
    let project = world.project()?;
    let path = request.path.as_ref().map(|path| project.relative(Path::new(path))).unwrap_or_default();
    let (gathered, _) = gather(&project, &path, &Said::default()).of_largest();
    let open = signals::open(&gathered.questions);
    Ok(Response {
        signals: gathered.signals.iter().map(SignalReport::from).collect(),
        open: open.iter().map(|it| it.id().to_owned()).collect(),
        questions: gathered.questions.iter().map(QuestionReport::from).collect(),
    })
}
