//! The gate before everything that writes: asked in the client's era, answered by what was typed, nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use lockkeeper_approval::answer::{Asker, approval_required};
use lockkeeper_approval::content::Content;
use lockkeeper_approval::gate::{Gate, Tier};
use lockkeeper_approval::ledger::entry::{Action, Channel, Client, Event, Nonce, Question};
use lockkeeper_approval::ledger::{Answer, Asking, Closed, LedgerError, Status};
use lockkeeper_approval::plan::StoredPlan;
use lockkeeper_approval::shown::{self, Room};
use lockkeeper_approval::status;
use lockkeeper_project::secret::redact;
use rmcp::RoleServer;
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitationSchema, InputRequest, InputRequiredResult, InputResponses,
    ProtocolVersion, RequestStateCodec, SealOptions,
};
use rmcp::service::{ElicitationError, RequestContext};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::world::{Stored, Told, World, now};

/// The answer of a gate.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GateAnswer {
    /// `approved`, `approval_required` or `open`.
    pub status: String,
    /// What to do next.
    pub next: String,
    /// The plan's id: what an agent carries. It never carries an approval.
    pub plan: String,
    /// The whole digest of what is approved.
    pub digest: String,
    /// The gate.
    pub gate: String,
    /// How an approval must at least be given.
    pub tier: String,
    /// Why the gate is closed.
    pub reason: Option<String>,
    /// What a human can do to open it.
    pub how: Vec<String>,
    /// When the approval ends, or one given now would.
    pub expires: String,
    /// Your human said no: do not ask again before this time.
    pub retry_after: Option<String>,
    /// What the working copy of lockkeeper.toml changes and nobody has committed. What loosens it raises the tier.
    pub policy_changes: Vec<String>,
}

/// What the human types.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Typed {
    /// The digest that the message ends with, as `a1b2-c3d4-e5f6`.
    pub digest: String,
}
rmcp::elicit_safe!(Typed);

/// The name of the one question in an input-required result.
const QUESTION: &str = "approval";

/// What `request_approval` comes to in one call.
pub enum Asked {
    Answered(GateAnswer),
    InputRequired(InputRequiredResult),
}

/// Whether the client can ask its human.
pub fn asker(context: &RequestContext<RoleServer>) -> Asker {
    let can = context.client_capabilities().and_then(|it| it.elicitation);
    match can {
        // A client that names no mode has forms.
        Some(it) if it.form.is_some() || it.url.is_none() => Asker::Client,
        _ => Asker::Nobody,
    }
}

/// The content of a plan at the strategy gate.
pub fn content(plan: &StoredPlan) -> Told<&Content> {
    plan.at(Gate::Strategy)
        .next()
        .ok_or_else(|| "the plan has nothing at the strategy gate: make it again".to_owned())
}

/// Whether the gate is open for this plan, for an action or for any.
pub fn status_of(stored: &Stored, action: Option<Action>, asker: Asker) -> Told<GateAnswer> {
    let Stored { books, plan, .. } = stored;
    let content = content(plan)?;
    let required = books.policy.required(content);
    let status = status::status(&books.ledger, &books.store, plan, content, action, required, now());
    Ok(match status {
        Status::Open(question) => open(stored, content, &question),
        Status::Closed(why) => closed(stored, content, &why, asker),
    })
}

fn open(stored: &Stored, content: &Content, question: &Question) -> GateAnswer {
    GateAnswer {
        status: "open".to_owned(),
        next: "call write_migrations and write_report with this plan: each works once".to_owned(),
        plan: stored.plan.id().to_string(),
        digest: content.digest().to_string(),
        gate: content.gate.name().to_owned(),
        tier: stored.books.policy.required(content).name().to_owned(),
        reason: None,
        how: Vec::new(),
        expires: question.expires.to_string(),
        retry_after: None,
        policy_changes: content.changes.clone(),
    }
}

/// The answer of a closed gate. While a refusal is fresh it does not say that the human can be asked.
pub fn closed(stored: &Stored, content: &Content, why: &Closed, asker: Asker) -> GateAnswer {
    let request = status::request(stored.plan.id(), content);
    let quiet = stored.books.ledger.quiet_until(&request.digest, now());
    let asker = if quiet.is_some() { Asker::Nobody } else { asker };
    let answer = approval_required(&request, stored.books.policy.required(content), why, asker, now());
    let next = match (asker, quiet) {
        (_, Some(until)) => format!("your human said no: tell them what you wanted and stop; do not ask again before {until}"),
        (Asker::Client, None) if stored.books.policy.required(content) == Tier::Client => {
            "call request_approval with this plan: your human decides. Do not write the files yourself".to_owned()
        }
        _ => "tell your human what `how` says and stop: nobody else opens the gate. Do not write the files yourself".to_owned(),
    };
    GateAnswer {
        next,
        status: answer.status.to_owned(),
        plan: answer.plan,
        digest: answer.digest,
        gate: answer.gate.to_owned(),
        tier: answer.tier.to_owned(),
        reason: Some(answer.reason),
        how: answer.how,
        expires: answer.expires,
        retry_after: quiet.map(|until| until.to_string()),
        policy_changes: content.changes.clone(),
    }
}

/// Does what the plan's approval is for and spends it for this action; or says how the gate is opened. What fails has kept
/// nothing, and the approval counts again.
pub fn spend<T>(
    stored: &Stored,
    action: Action,
    asker: Asker,
    act: impl FnOnce() -> Told<T>,
) -> Told<Result<T, GateAnswer>> {
    let content = content(&stored.plan)?;
    let answer = status_of(stored, Some(action), asker)?;
    if answer.status != "open" {
        return Ok(Err(answer));
    }
    let request = status::request(stored.plan.id(), content);
    match stored.books.ledger.spend(&request, action, stored.books.policy.required(content), now(), act) {
        Ok(done) => done.map(Ok),
        Err(LedgerError::Closed(why)) => Ok(Err(closed(stored, content, &why, asker))),
        Err(error) => Err(format!("nothing was written: {error}")),
    }
}

/// Asks the human for a stored plan, in the era of the connection.
pub async fn request(
    world: &World,
    plan: &str,
    reason: Option<&str>,
    responses: Option<InputResponses>,
    state: Option<String>,
    context: &RequestContext<RoleServer>,
) -> Told<Asked> {
    let stored = world.stored(plan)?;
    let request = Request { world, stored: &stored, context };
    if let (Some(responses), Some(state)) = (responses, state) {
        return request.answered(&responses, &state).map(Asked::Answered);
    }
    let asker = asker(context);
    let current = status_of(&stored, None, asker)?;
    let plan = &stored.plan;
    let content = content(plan)?;
    let too_weak = stored.books.policy.required(content) > Tier::Client;
    if asker == Asker::Nobody || too_weak || current.status == "open" || current.retry_after.is_some() {
        return Ok(Asked::Answered(current));
    }
    // The files keep what stands in them; a form in an agent's program does not show passwords.
    let text = redact(&shown::text(plan, content, reason, Room::Form));
    match context.protocol_version().is_none_or(|version: ProtocolVersion| version.has_initialize()) {
        true => request.ask_now(content, &text).await.map(Asked::Answered),
        false => request.ask_by_result(content, &text).map(Asked::InputRequired),
    }
}

struct Request<'a> {
    world: &'a World,
    stored: &'a Stored,
    context: &'a RequestContext<RoleServer>,
}

impl Request<'_> {
    /// Writes the question down; its nonce belongs to it alone.
    fn write_down(&self, content: &Content, text: &str, channel: Channel) -> Told<Question> {
        let (name, version) =
            self.context.client_info().map_or_else(Default::default, |it| (it.name, it.version));
        let asking = Asking {
            request: status::request(self.stored.plan.id(), content),
            subject: self.stored.plan.subject.clone(),
            channel,
            client: Client::new(&name, &version),
            shown: shown::digest(text),
            required: self.stored.books.policy.required(content),
        };
        self.stored.books.ledger.ask(asking, now()).map_err(|error| error.to_string())
    }

    /// With `initialize`: a request to the client.
    async fn ask_now(&self, content: &Content, text: &str) -> Told<GateAnswer> {
        let question = self.write_down(content, text, Channel::ElicitationLegacy)?;
        let timeout = Some(Duration::from_secs(600));
        let answer = match self.context.peer.elicit_with_timeout::<Typed>(text, timeout).await {
            Ok(Some(typed)) => Answer::Typed(typed.digest),
            Ok(None) | Err(ElicitationError::ParseError { .. } | ElicitationError::NoContent) => {
                Answer::Typed(String::new())
            }
            Err(ElicitationError::UserDeclined) => Answer::Declined,
            Err(ElicitationError::UserCancelled) => Answer::Cancelled,
            Err(_) => Answer::TimedOut,
        };
        self.decide(&question.nonce, &answer)
    }

    /// 2026-07-28: the result says that input is required.
    fn ask_by_result(&self, content: &Content, text: &str) -> Told<InputRequiredResult> {
        let question = self.write_down(content, text, Channel::ElicitationModern)?;
        let schema = ElicitationSchema::from_type::<Typed>().map_err(|error| error.to_string())?;
        let parameters = ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: text.to_owned(),
            requested_schema: schema,
        };
        let requests = BTreeMap::from([(
            QUESTION.to_owned(),
            InputRequest::Elicitation(ElicitRequest::new(parameters)),
        )]);
        let plan = self.stored.plan.id().to_string();
        let options = SealOptions::new().associated_data(plan.as_bytes()).ttl(Duration::from_secs(3600));
        let state =
            self.codec()?.seal_json_with(&question.nonce, &options).map_err(|error| error.to_string())?;
        Ok(InputRequiredResult::new(Some(requests), Some(state)))
    }

    fn codec(&self) -> Told<RequestStateCodec> {
        RequestStateCodec::try_new(self.world.key.to_vec()).map_err(|error| error.to_string())
    }

    /// The second call of 2026-07-28: the state names the question, the response answers it.
    fn answered(&self, responses: &InputResponses, state: &str) -> Told<GateAnswer> {
        let plan = self.stored.plan.id().to_string();
        let nonce: Nonce = self
            .codec()?
            .open_json_with(state, plan.as_bytes())
            .map_err(|error| format!("this answer belongs to no question of ours ({error}): ask again"))?;
        self.decide(&nonce, &answer_of(responses.get(QUESTION)))
    }

    /// What was typed decides; the ledger refuses a question that was answered before.
    fn decide(&self, nonce: &Nonce, answer: &Answer) -> Told<GateAnswer> {
        let ledger = &self.stored.books.ledger;
        let event = ledger.answer(nonce, answer, now()).map_err(|error| error.to_string())?;
        let mut answer = status_of(self.stored, None, Asker::Client)?;
        if event == Event::Approved && answer.status == "open" {
            "approved".clone_into(&mut answer.status);
        }
        Ok(answer)
    }
}

/// Whatever is not an accepted form with a digest in it is no approval.
fn answer_of(response: Option<&serde_json::Value>) -> Answer {
    let Some(response) = response else { return Answer::Cancelled };
    match response.get("action").and_then(serde_json::Value::as_str) {
        Some("accept") => {
            let typed =
                response.get("content").and_then(|it| it.get("digest")).and_then(serde_json::Value::as_str);
            Answer::Typed(typed.unwrap_or_default().to_owned())
        }
        Some("decline") => Answer::Declined,
        _ => Answer::Cancelled,
    }
}
