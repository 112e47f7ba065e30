//! A form for the human, in the era of the connection. What it says is ours; what comes back is only what they typed.

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitationAction, ElicitationSchema, InputRequest,
    InputRequiredResult, InputResponses, ProtocolVersion, RequestStateCodec, SealOptions,
};
use rmcp::service::RequestContext;
use serde_json::Value;

use crate::world::{Told, World};

/// A form.
pub struct Form {
    /// What the human reads.
    pub message: String,
    pub schema: ElicitationSchema,
    /// What belongs to this form and no other: the state that a client hands back is bound to it.
    pub subject: String,
}

/// What came of it.
pub enum Filled {
    /// The form came back accepted, with this in it.
    Accepted(Value),
    /// It was declined, closed, or not answered in time.
    Not,
    /// 2026-07-28: the tool is called again with the answer.
    InputRequired(InputRequiredResult),
}

const QUESTION: &str = "form";
const LIFETIME: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(600);

/// Shows the form, or reads what came of it where this is the second call.
pub async fn fill(
    world: &World,
    form: Form,
    responses: Option<InputResponses>,
    state: Option<String>,
    context: &RequestContext<RoleServer>,
) -> Told<Filled> {
    let codec = RequestStateCodec::try_new(world.key.to_vec()).map_err(|error| error.to_string())?;
    if let (Some(responses), Some(state)) = (responses, state) {
        let opened: Result<String, _> = codec.open_json_with(&state, form.subject.as_bytes());
        opened.map_err(|error| format!("this answer belongs to no form of ours ({error}): call again"))?;
        return Ok(answer_of(responses.get(QUESTION)));
    }
    let parameters = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: form.message,
        requested_schema: form.schema,
    };
    if context.protocol_version().is_none_or(|version: ProtocolVersion| version.has_initialize()) {
        let answer = context.peer.create_elicitation_with_timeout(parameters, Some(PATIENCE)).await;
        return Ok(match answer {
            Ok(it) if it.action == ElicitationAction::Accept => {
                Filled::Accepted(it.content.unwrap_or_default())
            }
            _ => Filled::Not,
        });
    }
    let request = InputRequest::Elicitation(ElicitRequest::new(parameters));
    let options = SealOptions::new().associated_data(form.subject.as_bytes()).ttl(LIFETIME);
    let state = codec.seal_json_with(&form.subject, &options).map_err(|error| error.to_string())?;
    Ok(Filled::InputRequired(InputRequiredResult::new(
        Some(BTreeMap::from([(QUESTION.to_owned(), request)])),
        Some(state),
    )))
}

/// Whatever is not an accepted form is no answer.
fn answer_of(response: Option<&Value>) -> Filled {
    match response.and_then(|it| it.get("action")).and_then(Value::as_str) {
        Some("accept") => {
            Filled::Accepted(response.and_then(|it| it.get("content")).cloned().unwrap_or_default())
        }
        _ => Filled::Not,
    }
}
