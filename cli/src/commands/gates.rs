//! `lockkeeper gates`: which gates there are; which of a plan's are open, and how a closed one is opened.

use lockkeeper_approval::answer::{ApprovalRequired, Asker, approval_required};
use lockkeeper_approval::books::{Books, in_force};
use lockkeeper_approval::gate::{Gate, Tier};
use lockkeeper_approval::ledger::Status;
use lockkeeper_approval::policy::Policy;
use lockkeeper_approval::status;
use schemars::JsonSchema;
use serde::Serialize;

use super::approve::{load, now};
use crate::args::{Format, GatesArgs};
use crate::exit::Exit;
use crate::output;
use crate::place;

#[derive(Serialize, JsonSchema)]
pub struct Answer {
    version: u32,
    plan: String,
    subject: String,
    gates: Vec<GateAnswer>,
}

#[derive(Serialize, JsonSchema)]
struct GateAnswer {
    gate: &'static str,
    tier: &'static str,
    status: &'static str,
    expires: Option<String>,
    closed: Option<ApprovalRequired>,
}

pub fn run(args: &GatesArgs) -> anyhow::Result<Exit> {
    let project = place::project(&args.project)?;
    let Some(plan) = &args.plan else {
        return list(&in_force(&project)?, args.format);
    };
    let Books { ledger, store, policy } = Books::of(&project)?;
    let plan = load(&store, plan)?;
    let gates = plan.contents.iter().map(|content| {
        let required = policy.required(content);
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

/// All gates, what they open, and the tier that each needs here.
#[derive(Serialize, JsonSchema)]
pub struct List {
    version: u32,
    gates: Vec<Described>,
    tiers: Vec<Worth>,
    /// What the working copy changes and nobody has committed.
    policy_changes: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Described {
    gate: &'static str,
    opens: &'static str,
    least: &'static str,
    tier: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Worth {
    tier: &'static str,
    means: &'static str,
}

fn list(policy: &Policy, format: Format) -> anyhow::Result<Exit> {
    let gates = Gate::ALL.iter().map(|gate| Described {
        gate: gate.name(),
        opens: gate.allows(),
        least: gate.least().name(),
        tier: policy.at(*gate).name(),
    });
    let tiers = Tier::ALL.iter().map(|tier| Worth { tier: tier.name(), means: tier.worth() });
    let policy_changes = policy.changes.clone();
    let list = List { version: 1, gates: gates.collect(), tiers: tiers.collect(), policy_changes };
    if format == Format::Json {
        output::json(&list)?;
        return Ok(Exit::Fine);
    }
    for it in &list.gates {
        output::text_line(&format!("{:<12} {:<16} {}", it.gate, it.tier, it.opens));
    }
    output::text_line("\nHow an approval must at least be given:");
    for it in &list.tiers {
        output::text_line(&format!("{:<16} {}", it.tier, it.means));
    }
    for change in &list.policy_changes {
        output::text_line(&format!("Changed and not committed: {change}"));
    }
    Ok(Exit::Fine)
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
