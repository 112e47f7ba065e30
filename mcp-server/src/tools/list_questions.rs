//! The tool `list_questions`: what it takes, what it answers, and how.

use std::path::Path;

use lockkeeper_core::report::QuestionReport;
use lockkeeper_core::signals::{self, Question};
use lockkeeper_project::planning::{Said, gather};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::world::{Told, World};

/// Which questions.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// A migration or folder, relative to the root, for the answers that hold there.
    #[serde(default)]
    pub path: Option<String>,
    /// Also those that are answered.
    #[serde(default)]
    pub all: bool,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

/// Questions.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Response {
    /// What only the developer can answer: what it decides, what can be answered, what waits for it.
    pub questions: Vec<QuestionReport>,
    /// What to do next.
    pub next: String,
}

pub fn run(world: &World, request: &Request) -> Told<Response> {
    let questions = gathered(world, request.path.as_deref())?;
    let open: Vec<&str> = signals::open(&questions).iter().map(|it| it.id()).collect();
    let wanted = questions.iter().filter(|it| request.all || open.contains(&it.id()));
    let next = match open.is_empty() {
        true => "nothing is open: draft_plan or propose_strategies makes a plan".to_owned(),
        false => "call answer_questions: it asks your human. Answers are not to be guessed, also where they seem to stand in the repository".to_owned(),
    };
    Ok(Response { questions: wanted.map(QuestionReport::from).collect(), next })
}

/// The questions of a part of the project.
pub fn gathered(world: &World, path: Option<&str>) -> Told<Vec<Question>> {
    let project = world.project()?;
    let path = path.map(|path| project.relative(Path::new(path))).unwrap_or_default();
    Ok(gather(&project, &path, &Said::default()).questions)
}
