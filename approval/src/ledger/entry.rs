//! One line of the ledger.

use crate::canonical;
use crate::digest::{Digest, hexadecimal, is_lower_hexadecimal};
use crate::gate::{Gate, Tier};
use crate::plan::PlanId;
use crate::state::WorkspaceState;
use crate::time::Time;
use lockkeeper_core::text::sanitise;
use serde::{Deserialize, Serialize};

/// A line: what happened, in its place in the chain. Every entry says all of it, so that one line can be read alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3 ...
    pub sequence: u64,
    /// The hash of the line before; zeros for the first.
    pub previous: Digest,
    pub at: Time,
    pub event: Event,
    pub question: Question,
    /// What the approval was used for, or not after all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// The signature of a keyed approval, as OpenSSH writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Who wrote the line had the secret of this user, for this workspace. Lines of other people have another one here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Digest>,
    /// SHA-256 over the canonical JSON of everything else in the entry.
    pub hash: Digest,
}

/// What is written down in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub event: Event,
    pub question: Question,
    pub action: Option<Action>,
    pub signature: Option<String>,
}

/// What an approval is used for. One approval of drafting covers the files and the report, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Writing the migration files of the plan.
    WriteMigrations,
    /// Writing the report of the plan.
    WriteReport,
    /// Carrying out what the gate is for.
    Run,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A human is asked.
    Requested,
    /// The short digest was typed.
    Approved,
    /// Something else was typed.
    Rejected,
    /// The form was declined.
    Declined,
    /// The form was closed.
    Cancelled,
    /// Nobody answered in time.
    TimedOut,
    /// What was approved is being done: the approval is spent for this action.
    Used,
    /// It was not done after all, and nothing of it was kept: the approval counts again.
    Returned,
    /// A person took the approval back.
    Revoked,
    /// A command writes files, and nobody was asked.
    Unattended,
}

/// One question to one human, from asking until its approval is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub request: Request,
    /// The subject of the plan.
    pub subject: String,
    pub channel: Channel,
    /// What the channel is worth.
    pub tier: Tier,
    pub client: Client,
    /// The digest of the text that was shown.
    pub shown: Digest,
    pub nonce: Nonce,
    pub issued: Time,
    pub expires: Time,
}

/// What an approval is for: this content, at this gate, of this plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub plan: PlanId,
    pub gate: Gate,
    pub digest: Digest,
}

/// How a human is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// MCP with `initialize`: a request to the client.
    ElicitationLegacy,
    /// MCP 2026-07-28: an input-required result.
    ElicitationModern,
    /// The editor's own question.
    Editor,
    /// The controlling terminal of `lockkeeper approve`.
    Terminal,
    /// A signature that `lockkeeper approve --key` asks for.
    Signature,
    /// Nobody is asked: a command was started without a terminal, or with `--yes`.
    CommandLine,
}

/// The program on the other side, as it calls itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    name: String,
    version: String,
}

/// What makes a question unique, and its approval usable once: 32 hexadecimal digits that nobody can guess.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nonce(String);

impl Entry {
    /// The entry after `last`, authenticated for the workspace.
    pub(super) fn after(last: Option<&Entry>, at: Time, told: Told, state: &WorkspaceState) -> Entry {
        let (sequence, previous) =
            last.map_or((1, Digest::zero()), |last| (last.sequence + 1, last.hash.clone()));
        let Told { event, question, action, signature } = told;
        let (authentication, hash) = (None, Digest::zero());
        let mut entry =
            Entry { sequence, previous, at, event, question, action, signature, authentication, hash };
        entry.authentication = Some(entry.computed_authentication(state));
        entry.hash = entry.computed_hash();
        entry
    }

    /// Whether the line was written by this user for this workspace.
    pub fn is_authentic(&self, state: &WorkspaceState) -> bool {
        self.authentication.as_ref() == Some(&self.computed_authentication(state))
    }

    fn computed_authentication(&self, state: &WorkspaceState) -> Digest {
        state.authentication(&self.without(&["authentication", "hash"]))
    }

    /// The hash that the entry should have.
    pub(super) fn computed_hash(&self) -> Digest {
        Digest::of(&self.without(&["hash"]))
    }

    fn without(&self, fields: &[&str]) -> serde_json::Value {
        let mut value = serde_json::to_value(self).expect("an entry serialises to JSON");
        let object = value.as_object_mut().expect("an entry is an object");
        object.retain(|key, _| !fields.contains(&key.as_str()));
        value
    }

    /// The line in the file, with its end.
    pub fn line(&self) -> String {
        canonical::to_string(self) + "\n"
    }
}

impl Event {
    /// How it reads: "the request was ...".
    pub fn words(self) -> &'static str {
        match self {
            Event::Requested => "requested and not answered yet",
            Event::Approved => "approved",
            Event::Rejected => "answered with something else than the short digest",
            Event::Declined => "declined",
            Event::Cancelled => "cancelled",
            Event::TimedOut => "not answered in time",
            Event::Used => "approved and used",
            Event::Returned => "approved; what it was used for failed, and it counts again",
            Event::Revoked => "approved and taken back",
            Event::Unattended => "written without asking anybody",
        }
    }

    /// Whether it ends the asking.
    pub(super) fn is_answer(self) -> bool {
        !matches!(self, Event::Requested | Event::Used | Event::Returned | Event::Revoked | Event::Unattended)
    }
}

impl Channel {
    /// The tier of an approval that comes this way.
    pub fn tier(self) -> Tier {
        match self {
            Channel::ElicitationLegacy | Channel::ElicitationModern | Channel::CommandLine => Tier::Client,
            Channel::Editor | Channel::Terminal => Tier::Attended,
            Channel::Signature => Tier::Keyed,
        }
    }

    /// Whether a program asks here, as often as it likes.
    pub(super) fn is_client(self) -> bool {
        self.tier() == Tier::Client
    }
}

impl Action {
    /// What an approval at this gate can be used for.
    pub fn at(gate: Gate) -> &'static [Action] {
        match gate {
            Gate::Strategy => &[Action::WriteMigrations, Action::WriteReport],
            _ => &[Action::Run],
        }
    }
}

impl Told {
    /// An event without more.
    pub(super) fn of(event: Event, question: Question) -> Told {
        Told { event, question, action: None, signature: None }
    }
}

impl Client {
    /// A client's name and version, freed of what could pose as something else: they come from outside.
    pub fn new(name: &str, version: &str) -> Client {
        Client { name: sanitise(name, 60), version: sanitise(version, 30) }
    }
}

impl Nonce {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no randomness: then nothing can be asked.
    pub fn new() -> Result<Nonce, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Nonce(hexadecimal(&bytes)))
    }
}

impl TryFrom<String> for Nonce {
    type Error = String;

    fn try_from(text: String) -> Result<Nonce, String> {
        if !is_lower_hexadecimal(&text, 32) {
            return Err("a nonce is 32 lower-case hexadecimal digits".to_owned());
        }
        Ok(Nonce(text))
    }
}

impl From<Nonce> for String {
    fn from(nonce: Nonce) -> String {
        nonce.0
    }
}
