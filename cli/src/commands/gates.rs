//! `lockkeeper gates`: which gates of a plan are open, and how a closed one is opened.

use lockkeeper_approval::answer::{ApprovalRequired, Asker, approval_required};
use lockkeeper_approval::ledger::Status;
use lockkeeper_approval::status;
use serde::Serialize;

use super::approve::{load, now};
use crate::args::{Format, GatesArgs};
use crate::exit::Exit;
use crate::output;
use crate::place::{self, Books};

#[derive(Serialize)]
struct Answer {
    version: u32,
    plan: String,
    subject: String,
    gates: Vec<GateAnswer>,
}

#[derive(Serialize)]
struct GateAnswer {
    gate: &'static str,
    tier: &'static str,
    status: &'static str,
    expires: Option<String>,
    closed: Option<ApprovalRequired>,
}

pub fn run(args: &GatesArgs) -> anyhow::Result<Exit> {
    let project = place::project(&args.project)?;
    let Books { ledger, store } = place::books(&project)?;
    let plan = load(&store, &args.plan)?;
    let gates = plan.contents.iter().map(|content| {
        let required = content.gate.required(None);
        let (gate, tier) = (content.gate.name(), required.name());
        match status::status(&ledger, &store, &plan, content, None, required, now()) {
            Status::Open(question) => GateAnswer {
                gate,
                tier,
                status: "open",
                expires: Some(question.expires.to_string()),
                closed: None,
            },
            Status::Closed(why) => {
                let request = status::request(plan.id(), content);
                let closed = approval_required(&request, required, &why, Asker::Nobody, now());
                GateAnswer { gate, tier, status: "closed", expires: None, closed: Some(closed) }
            }
        }
    });
    let answer = Answer {
        version: 1,
        plan: plan.id().to_string(),
        subject: plan.subject.clone(),
        gates: gates.collect(),
    };
    match args.format {
        Format::Json => output::json(&answer)?,
        Format::Text => show(&answer),
    }
    let closed = answer.gates.iter().any(|gate| gate.closed.is_some());
    Ok(if closed { Exit::GateClosed } else { Exit::Fine })
}

fn show(answer: &Answer) {
    for gate in &answer.gates {
        match &gate.closed {
            None => output::text_line(&format!(
                "{}: open until {}",
                gate.gate,
                gate.expires.as_deref().unwrap_or_default()
            )),
            Some(closed) => {
                output::text_line(&format!(
                    "{}: closed ({} at least): {}",
                    gate.gate, gate.tier, closed.reason
                ));
                closed.how.iter().for_each(|how| output::text_line(&format!("    {how}")));
            }
        }
    }
}
