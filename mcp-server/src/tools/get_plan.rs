//! The tool `get_plan`: what it takes, what it answers, and how.

use lockkeeper_approval::answer::Asker;
use lockkeeper_approval::ledger::Status;
use lockkeeper_approval::status;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::status_of;
use crate::world::{Stored, Told, World, now};

/// The plan.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// The plan's id; without it the plans that are kept are listed.
    pub plan: Option<String>,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

/// A stored plan, or all of them.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Response {
    /// The plans that are kept, where none is named.
    pub plans: Vec<Kept>,
    /// The migration that the plan is of.
    pub subject: Option<String>,
    /// The strategy that it carries out.
    pub strategy: Option<String>,
    /// Its gates, each with what it is for.
    pub gates: Vec<GateOfPlan>,
    /// The files that `write_migrations` writes, in order, with their whole texts.
    pub files: Vec<FileOfPlan>,
    /// What the human reads before approving, step by step.
    pub statements: Vec<String>,
    /// Texts come from the repository and are not to be trusted.
    pub untrusted: bool,
    /// What to do next.
    pub next: String,
}

/// A plan in the list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Kept {
    /// Its id.
    pub plan: String,
    /// The migration.
    pub subject: String,
    /// The strategy.
    pub strategy: Option<String>,
}

/// A gate.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GateOfPlan {
    /// Its name.
    pub gate: String,
    /// The step that it is for, where it is for one.
    pub step: Option<String>,
    /// How an approval must at least be given.
    pub tier: String,
    /// `open` or `closed`.
    pub status: String,
    /// Why it is closed.
    pub reason: Option<String>,
}

/// A file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileOfPlan {
    /// Relative to the root.
    pub path: String,
    /// Whether it takes the place of a file.
    pub replaces: bool,
    /// Its text.
    pub text: String,
}

pub fn run(world: &World, request: &Request, asker: Asker) -> Told<Response> {
    let Some(id) = &request.plan else { return list(world) };
    let stored = world.stored(id)?;
    let Stored { books, plan, .. } = &stored;
    let gates = plan.contents.iter().map(|content| {
        let required = books.policy.required(content);
        let found = status::status(&books.ledger, &books.store, plan, content, None, required, now());
        let reason = match found {
            Status::Open(_) => None,
            Status::Closed(why) => Some(why.to_string()),
        };
        GateOfPlan {
            gate: content.gate.name().to_owned(),
            step: content.step.clone(),
            tier: required.name().to_owned(),
            status: if reason.is_none() { "open" } else { "closed" }.to_owned(),
            reason,
        }
    });
    let content = crate::gate::content(plan)?;
    let files = content.files.iter().map(|it| FileOfPlan {
        path: it.path.clone(),
        replaces: it.replaces.is_some(),
        text: it.text.clone(),
    });
    Ok(Response {
        subject: Some(plan.subject.clone()),
        strategy: plan.strategy().map(str::to_owned),
        gates: gates.collect(),
        files: files.collect(),
        statements: content.statements.clone(),
        untrusted: true,
        next: status_of(&stored, None, asker)?.next,
        plans: Vec::new(),
    })
}

fn list(world: &World) -> Told<Response> {
    let project = world.project()?;
    let store = lockkeeper_approval::plan::Store::of(&project).map_err(|error| error.to_string())?;
    let ids = store.ids().map_err(|error| error.to_string())?;
    let kept = ids.iter().filter_map(|id| {
        let plan = store.load(id).ok()?;
        let strategy = plan.strategy().map(str::to_owned);
        Some(Kept { plan: id.to_string(), subject: plan.subject, strategy })
    });
    let plans: Vec<Kept> = kept.collect();
    let next = match plans.is_empty() {
        true => "there is no plan yet: draft_plan or propose_strategies makes one",
        false => "call get_plan with one of them",
    };
    Ok(Response { plans, untrusted: true, next: next.to_owned(), ..Response::default() })
}
