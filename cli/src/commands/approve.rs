//! `lockkeeper approve`, `reject`, `revoke`: a person opens a gate, refuses it, or takes an approval back.

use std::time::SystemTime;

use lockkeeper_approval::books::Books;
use lockkeeper_approval::content::Content;
use lockkeeper_approval::gate::{Gate, Tier};
use lockkeeper_approval::ledger::entry::{Channel, Client, Event};
use lockkeeper_approval::ledger::{Answer, Asking};
use lockkeeper_approval::plan::{PlanId, Store, StoredPlan};
use lockkeeper_approval::shown::{self, Room};
use lockkeeper_approval::time::Time;
use lockkeeper_approval::{signature, status, terminal};

use crate::args::{ApproveArgs, GateArgs};
use crate::exit::{Exit, usage};
use crate::output;
use crate::place;

pub fn run(args: &ApproveArgs) -> anyhow::Result<Exit> {
    let asked = Asked::of(&args.at)?;
    let mut exit = Exit::Fine;
    for content in asked.contents() {
        let text = shown::text(&asked.plan, content, None, Room::Terminal);
        if asked.books.policy.required(content) >= Tier::Keyed && args.key.is_none() {
            return Err(usage(format!("the gate {} needs a signature here: add --key FILE", asked.gate)));
        }
        let channel = if args.key.is_some() { Channel::Signature } else { Channel::Terminal };
        let question = asked.books.ledger.ask(asked.asking(content, &text, channel), now())?;
        let answer = match &args.key {
            Some(key) => {
                eprintln!("{text}");
                let signed = signature::sign(&question, key).map_err(|error| usage(error.to_string()))?;
                // The ledger only says yes or no; a person wants to know why not.
                let signer = asked.books.policy.signers.who(&question, &signed);
                eprintln!("signed by {}", signer.map_err(|error| usage(error.to_string()))?);
                Answer::Signed(signed)
            }
            None => terminal::ask(&text, &content.digest()).map_err(|error| usage(error.to_string()))?,
        };
        match asked.books.ledger.answer(&question.nonce, &answer, now())? {
            Event::Approved => output::text_line(&format!("approved until {}; once", question.expires)),
            event => {
                output::text_line(&format!("not approved: it was {}", event.words()));
                exit = Exit::GateClosed;
            }
        }
    }
    Ok(exit)
}

/// `lockkeeper reject`: a no that agents are held to. It needs no terminal: it only closes.
pub fn reject(args: &GateArgs) -> anyhow::Result<Exit> {
    let asked = Asked::of(args)?;
    for content in asked.contents() {
        let text = shown::text(&asked.plan, content, None, Room::Terminal);
        asked.books.ledger.reject(asked.asking(content, &text, Channel::Terminal), now())?;
    }
    output::text_line(
        "rejected: agents cannot ask for this again for a while; you can still approve it yourself",
    );
    Ok(Exit::Fine)
}

/// `lockkeeper revoke`: takes back what was approved and is not used yet.
pub fn revoke(args: &GateArgs) -> anyhow::Result<Exit> {
    let asked = Asked::of(args)?;
    let mut ended = 0;
    for content in asked.contents() {
        ended += asked.books.ledger.revoke(&status::request(asked.plan.id(), content), now())?;
    }
    output::text_line(&match ended {
        0 => "nothing was open, so nothing was taken back".to_owned(),
        1 => "1 approval taken back".to_owned(),
        _ => format!("{ended} approvals taken back"),
    });
    Ok(Exit::Fine)
}

/// A plan at a gate, and where its approvals are kept.
struct Asked {
    books: Books,
    plan: StoredPlan,
    gate: Gate,
}

impl Asked {
    fn of(args: &GateArgs) -> anyhow::Result<Asked> {
        let project = place::project(&args.project)?;
        let gate = gate(&args.gate)?;
        let books = Books::of(&project)?;
        let plan = load(&books.store, &args.plan)?;
        let asked = Asked { books, plan, gate };
        if asked.contents().next().is_none() {
            return Err(usage(format!(
                "plan {} has nothing that needs the gate {gate}: `lockkeeper gates {}`",
                args.plan, args.plan
            )));
        }
        Ok(asked)
    }

    fn contents(&self) -> impl Iterator<Item = &Content> {
        self.plan.at(self.gate)
    }

    fn asking(&self, content: &Content, text: &str, channel: Channel) -> Asking {
        Asking {
            request: status::request(self.plan.id(), content),
            subject: self.plan.subject.clone(),
            channel,
            client: Client::new("lockkeeper", env!("CARGO_PKG_VERSION")),
            shown: shown::digest(text),
            required: self.books.policy.required(content),
        }
    }
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
