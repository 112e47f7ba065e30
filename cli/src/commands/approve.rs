//! `lockkeeper approve`: a person at a terminal opens a gate.

use std::time::SystemTime;

use lockkeeper_approval::gate::Gate;
use lockkeeper_approval::ledger::entry::{Channel, Client, Event};
use lockkeeper_approval::ledger::{Asking, Ledger};
use lockkeeper_approval::plan::{PlanId, Store, StoredPlan};
use lockkeeper_approval::shown::{self, Room};
use lockkeeper_approval::time::Time;
use lockkeeper_approval::{status, terminal};

use crate::args::ApproveArgs;
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &ApproveArgs) -> anyhow::Result<Exit> {
    let project = place::project(&args.project)?;
    let gate = gate(&args.gate)?;
    let plan = load(&Store::in_project(&project.root), &args.plan)?;
    let contents: Vec<_> = plan.at(gate).collect();
    if contents.is_empty() {
        return Err(usage(format!(
            "plan {} has nothing that needs the gate {gate}: `lockkeeper gates {}`",
            args.plan, args.plan
        )));
    }
    let ledger = Ledger::in_project(&project.root);
    let mut exit = Exit::Fine;
    for content in contents {
        let text = shown::text(&plan, content, None, Room::Terminal);
        let asking = Asking {
            request: status::request(plan.id(), content),
            subject: plan.subject.clone(),
            channel: Channel::Terminal,
            client: Client::new("lockkeeper", env!("CARGO_PKG_VERSION")),
            shown: shown::digest(&text),
            required: gate.required(None),
        };
        let question = ledger.ask(asking, now())?;
        let answer = terminal::ask(&text, &content.digest()).map_err(|error| usage(error.to_string()))?;
        match ledger.answer(&question.nonce, &answer, now())? {
            Event::Approved => output::text_line(&format!("approved until {}; once", question.expires)),
            event => {
                output::text_line(&format!("not approved: it was {}", event.words()));
                exit = Exit::GateClosed;
            }
        }
    }
    Ok(exit)
}

pub fn now() -> Time {
    Time::from(SystemTime::now())
}

fn gate(name: &str) -> anyhow::Result<Gate> {
    Gate::named(name).ok_or_else(|| {
        let known: Vec<&str> = Gate::ALL.iter().map(|gate| gate.name()).collect();
        usage(format!("there is no gate {name}: say one of {}", known.join(", ")))
    })
}

/// The stored plan with this id.
pub fn load(store: &Store, id: &str) -> anyhow::Result<StoredPlan> {
    let id = PlanId::parse(id).map_err(|error| usage(error.to_string()))?;
    store.load(&id).map_err(|error| usage(error.to_string()))
}
