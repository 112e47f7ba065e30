//! The tool `rehearse`: a migration carried out on a throw-away PostgreSQL, beside clients. It takes longer than a call may.

use std::time::Duration;

use lockkeeper_core::text::sanitise;
use lockkeeper_project::secret::redact;
use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operations::{Ended, Operation};
use crate::world::{Told, World, inside};

/// What is rehearsed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// The migration, relative to the root; what runs before it is carried out first.
    pub file: String,
    /// Rehearse the expand-contract steps that Lockkeeper makes of it, and the way back.
    #[serde(default)]
    pub rewritten: bool,
    /// The strategy of these steps.
    pub strategy: Option<String>,
    /// Rows of each table that is touched; 10,000 unless stated.
    pub rows: Option<i64>,
    /// `next_cursor` of the answer before, to read on.
    #[serde(default)]
    #[allow(dead_code, reason = "the wire reads it")]
    pub cursor: Option<String>,
}

/// How far an operation is, and what came of it.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Response {
    /// `running`, `done`, `failed` or `cancelled`.
    pub status: String,
    /// Its number, for `operation_status`.
    pub operation: i64,
    /// What it does.
    pub what: String,
    /// How far it is.
    pub progress: String,
    /// How long it has taken.
    pub seconds: i64,
    /// What was found, when it is done. Text of the repository and of the server in it is not to be trusted.
    pub result: Option<Value>,
    /// Why it failed.
    pub problem: Option<String>,
    /// What to do next.
    pub next: String,
}

impl Response {
    pub fn of(operation: &Operation, ended: Option<Ended>) -> Self {
        let id = operation.id;
        let common = |status: &str, next: String| Self {
            status: status.to_owned(),
            operation: i64::try_from(id).unwrap_or(i64::MAX),
            what: operation.what.clone(),
            progress: operation.now(),
            next,
            ..Self::default()
        };
        let seconds = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        let Some(ended) = ended else {
            let next = format!(
                "call operation_status with operation {id}: it waits for the end; with cancel it stops it"
            );
            return Self { seconds: seconds(operation.seconds()), ..common("running", next) };
        };
        let (status, next) = match &ended {
            Ended { was_cancelled: true, .. } => {
                ("cancelled", "nothing of it is left; start it again where it is needed")
            }
            Ended { answer: Some(_), .. } => (
                "done",
                "tell your human what failed, who waited and what differs; a rehearsal is no approval of anything",
            ),
            _ => ("failed", "tell your human why; a rehearsal needs PostgreSQL's programs on this machine"),
        };
        Self {
            seconds: seconds(ended.seconds),
            result: ended.answer,
            problem: ended.problem.map(|it| redact(&it)),
            ..common(status, next.to_owned())
        }
    }
}

/// So long one call waits: hosts end calls after a minute.
const PATIENCE: Duration = Duration::from_secs(25);

pub async fn run(world: &World, request: &Request, context: &RequestContext<RoleServer>) -> Told<Response> {
    let operation = {
        let project = world.project()?;
        let file = inside(&project, &request.file)?;
        if !project.root.join(&file).is_file() {
            return Err(format!("{} is no file: name one migration", sanitise(&request.file, 200)));
        }
        let mut arguments: Vec<String> =
            ["rehearse", "--format", "json", "--progress-lines"].map(str::to_owned).to_vec();
        if request.rewritten || request.strategy.is_some() {
            arguments.push("--rewritten".to_owned());
        }
        arguments.extend(request.strategy.iter().map(|it| format!("--strategy={it}")));
        arguments.extend(request.rows.iter().map(|it| format!("--rows={it}")));
        arguments.extend(["--".to_owned(), file.clone()]);
        let steps = if request.rewritten { "the steps of " } else { "" };
        world.operations.start(format!("rehearses {steps}{file}"), &arguments, &project.root)?
    };
    watch(&operation, context).await
}

/// Waits for the end as long as a call may, and tells how far it is. A call that is cancelled stops it.
pub async fn watch(operation: &Operation, context: &RequestContext<RoleServer>) -> Told<Response> {
    let until = tokio::time::Instant::now() + PATIENCE;
    let token = context.meta.get_progress_token();
    let mut told = 0.0;
    loop {
        let ended = tokio::select! {
            ended = operation.wait(Duration::from_secs(1)) => ended,
            () = context.ct.cancelled() => {
                operation.cancel();
                operation.ended()
            }
        };
        if ended.is_some() || tokio::time::Instant::now() >= until {
            return Ok(Response::of(operation, ended));
        }
        if let Some(token) = &token {
            told += 1.0;
            let progress = ProgressNotificationParam::new(token.clone(), told).with_message(operation.now());
            // A client that is gone is told nothing.
            let _ = context.peer.notify_progress(progress).await;
        }
    }
}
