//! The tool `answer_questions`: the human answers, in a form; the agent cannot.

use std::time::{Duration, Instant};

use lockkeeper_core::signals::answer::Kind;
use lockkeeper_core::signals::{self, Question, refusal};
use lockkeeper_core::text::sanitise;
use lockkeeper_project::config::{self, FILE_NAME};
use lockkeeper_root::{Readers, Root};
use rmcp::RoleServer;
use rmcp::handler::server::tool::{InputResponses, RequestState};
use rmcp::model::{ElicitationSchema, InputRequiredResult};
use rmcp::service::RequestContext;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::list_questions::gathered;
use crate::gate::asker;
use crate::human::{Filled, Form, fill};
use crate::world::{Told, World};

/// Which questions the human is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Ids of `list_questions`; all that are open where none is named.
    #[serde(default)]
    pub ids: Vec<String>,
}

/// What was answered.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Response {
    /// `answered`, `not_answered`, or `human_required` where this client cannot ask.
    pub status: String,
    /// The ids that have an answer now, in lockkeeper.toml.
    pub answered: Vec<String>,
    /// What was typed and is no answer, with the reason.
    pub refused: Vec<String>,
    /// The ids that are still open.
    pub open: Vec<String>,
    /// What to do next.
    pub next: String,
}

/// What the tool comes to in one call.
pub enum Asked {
    Answered(Response),
    InputRequired(InputRequiredResult),
}

/// After a form that was closed the human is left alone for so long.
const QUIET: Duration = Duration::from_secs(600);
const LARGEST: u64 = 1_000_000;
/// A form that people answer.
const MOST: usize = 12;

pub async fn run(
    world: &World,
    request: &Request,
    InputResponses(responses): InputResponses,
    RequestState(state): RequestState,
    context: &RequestContext<RoleServer>,
) -> Told<Asked> {
    let questions = gathered(world, None)?;
    let asked = asked(&questions, &request.ids)?;
    let open = || signals::open(&questions).iter().map(|it| it.id().to_owned()).collect();
    let no = |status: &str, next: &str| {
        Asked::Answered(Response {
            status: status.to_owned(),
            open: open(),
            next: next.to_owned(),
            ..Response::default()
        })
    };
    if asked.is_empty() {
        return Ok(no("answered", "nothing is open: draft_plan or propose_strategies makes a plan"));
    }
    if asker(context) == lockkeeper_approval::answer::Asker::Nobody {
        return Ok(no(
            "human_required",
            "this client cannot ask: show your human the questions of list_questions; they write the answers under [answers] in lockkeeper.toml",
        ));
    }
    let is_quiet = world.unanswered.lock().is_ok_and(|it| it.is_some_and(|at| at.elapsed() < QUIET));
    if is_quiet && responses.is_none() {
        return Ok(no(
            "not_answered",
            "your human closed the form a short while ago: go on without the answers, or stop",
        ));
    }
    match fill(world, form(&asked)?, responses, state, context).await? {
        Filled::InputRequired(result) => Ok(Asked::InputRequired(result)),
        Filled::Not => {
            if let Ok(mut unanswered) = world.unanswered.lock() {
                *unanswered = Some(Instant::now());
            }
            Ok(no("not_answered", "your human did not answer: do not ask again now, and do not guess"))
        }
        Filled::Accepted(content) => keep(world, &asked, &content).map(Asked::Answered),
    }
}

fn asked<'a>(questions: &'a [Question], ids: &[String]) -> Told<Vec<&'a Question>> {
    if let Some(unknown) = ids.iter().find(|id| !questions.iter().any(|it| it.id() == id.as_str())) {
        let known: Vec<&str> = questions.iter().map(Question::id).collect();
        return Err(format!(
            "there is no question {}; there are {}",
            sanitise(unknown, 60),
            known.join(", ")
        ));
    }
    let mut found: Vec<&Question> = match ids.is_empty() {
        true => signals::open(questions),
        false => questions.iter().filter(|it| ids.iter().any(|id| id == it.id())).collect(),
    };
    // What stops a plan comes first.
    found.sort_by_key(|it| it.blocks());
    found.truncate(MOST);
    Ok(found)
}

fn form(questions: &[&Question]) -> Told<Form> {
    let mut fields = Map::new();
    for question in questions {
        let facts = question.facts;
        let meanings: Vec<String> =
            facts.choices.iter().map(|it| format!("{}: {}", it.value, it.meaning)).collect();
        let why = [facts.why.to_owned(), meanings.join("; ")].join(". ");
        let mut field = json!({"type": "string", "title": facts.text, "description": sanitise(&why, 600)});
        if facts.kind == Kind::Choice {
            field["enum"] = facts.choices.iter().map(|it| Value::from(it.value)).collect();
        }
        fields.insert(facts.id.to_owned(), field);
    }
    let schema = json!({"type": "object", "properties": fields, "required": []});
    let schema: ElicitationSchema = serde_json::from_value(schema).map_err(|error| error.to_string())?;
    let ids: Vec<&str> = questions.iter().map(|it| it.id()).collect();
    Ok(Form {
        message: "Lockkeeper asks what only you can know. Leave open what you do not know; the answers are written under [answers] in \
                  lockkeeper.toml, where you can change them."
            .to_owned(),
        schema,
        subject: format!("questions {}", ids.join(" ")),
    })
}

/// Writes what is an answer into the configuration.
fn keep(world: &World, asked: &[&Question], content: &Value) -> Told<Response> {
    let (mut answers, mut refused) = (Vec::new(), Vec::new());
    for question in asked {
        let value = match content.get(question.id()) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            _ => continue,
        };
        if value.is_empty() {
            continue;
        }
        match refusal(question.id(), &value) {
            Some(why) => refused.push(why),
            None => answers.push((question.id().to_owned(), value)),
        }
    }
    if !answers.is_empty() {
        write(world, &answers)?;
    }
    let questions = gathered(world, None)?;
    let open: Vec<String> = signals::open(&questions).iter().map(|it| it.id().to_owned()).collect();
    let next = "call draft_plan or propose_strategies again: the answers are part of the plan, and a plan that was made before is another one";
    Ok(Response {
        status: if answers.is_empty() { "not_answered" } else { "answered" }.to_owned(),
        answered: answers.into_iter().map(|(id, _)| id).collect(),
        refused,
        open,
        next: next.to_owned(),
    })
}

fn write(world: &World, answers: &[(String, String)]) -> Told<()> {
    let project = world.project()?;
    let root = Root::open(&project.root).map_err(|error| error.to_string())?;
    let before =
        root.read(FILE_NAME, LARGEST).map_err(|error| format!("{FILE_NAME}: {error}"))?.unwrap_or_default();
    let before = String::from_utf8(before).map_err(|_| format!("{FILE_NAME} is not UTF-8"))?;
    let after = config::answered(&before, answers)?;
    root.write(FILE_NAME, after.as_bytes(), Readers::Usual).map_err(|error| format!("{FILE_NAME}: {error}"))
}
