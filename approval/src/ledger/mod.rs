//! The ledger: an append-only file of what was asked, answered and used, each line chained to the one before.
//!
//! `.lockkeeper/ledger.jsonl` is made to be committed, and can be read and written by everything that works in the project.
//! So it is no authority: each line that is written here is authenticated with the user's secret, and the register beside
//! that secret ([`crate::state`]) knows the ledger's head and which approvals count. Every decision reads and checks all of
//! it. When anything is wrong every gate is closed.

pub mod entry;
pub mod verify;
mod book;
mod register;

use crate::digest::Digest;
use crate::gate::Tier;
use crate::signature::Signers;
use crate::state::{StateError, WorkspaceState};
use crate::time::Time;
use book::Book;
use entry::{Action, Channel, Client, Entry, Event, Nonce, Question, Request, Told};
use lockkeeper_root::Root;
use register::Register;
use std::io;
use std::path::PathBuf;
use verify::{Fault, extends, verify};

/// Where the ledger lies in a project.
pub const PATH: &str = ".lockkeeper/ledger.jsonl";
/// A ledger of a hundred thousand lines.
const MOST: u64 = 100_000_000;

/// The ledger of a project.
#[derive(Clone, Debug)]
pub struct Ledger {
    root: Root,
    state: WorkspaceState,
    /// The ledger as the last commit has it; empty where it has none.
    committed: Vec<u8>,
    /// Whose signature makes an approval keyed.
    signers: Signers,
}

/// What a human is going to be asked.
#[derive(Clone, Debug)]
pub struct Asking {
    pub request: Request,
    pub subject: String,
    pub channel: Channel,
    pub client: Client,
    /// The digest of the text that will be shown.
    pub shown: Digest,
    /// The tier that the gate needs here; see [`crate::gate::Gate::required`].
    pub required: Tier,
}

/// What came back. There is no "approved" among them: that is decided by what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Typed(String),
    /// A signature as OpenSSH writes it.
    Signed(String),
    Declined,
    Cancelled,
    TimedOut,
}

/// Why the ledger could not be used, or refused to be.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("cannot use {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    State(#[from] StateError),
    #[error("{0}")]
    Fault(Fault),
    #[error(
        "what this machine remembers of the ledger cannot be read: run `lockkeeper ledger accept` in a terminal to begin anew; \
         approvals that are open then end"
    )]
    RegisterUnreadable,
    #[error(
        "the clock says {now}, and has said {seen} before: set it right. If it was wrong before, run `lockkeeper ledger accept` \
         in a terminal; approvals that are open then end"
    )]
    ClockSetBack { seen: Time, now: Time },
    #[error("the system gives no random numbers, so nothing can be asked: {0}")]
    NoRandomness(getrandom::Error),
    #[error("this gate needs an approval of tier {required}, and this way of asking is only worth {tier}")]
    TierTooLow { tier: Tier, required: Tier },
    #[error("nobody asked this question here; ask again")]
    NeverAsked,
    #[error("this question was answered before ({}); ask again", .0.words())]
    AlreadyAnswered(Event),
    #[error(
        "your human did not approve this. Do not ask again before {0}; they can still approve it themselves, in a terminal"
    )]
    CoolingDown(Time),
    #[error("the gate is closed: {0}")]
    Closed(Closed),
}

/// Whether a gate is open for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Open(Question),
    Closed(Closed),
}

/// Why a gate is closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    #[error("nobody has approved this yet")]
    NotApproved,
    #[error("the last request was {}", .0.words())]
    Answered(Event),
    #[error("the approval expired at {0}")]
    Expired(Time),
    #[error("it was approved at tier {given}, and this needs {required}")]
    TierTooLow { given: Tier, required: Tier },
    #[error(
        "the approval was not given on this machine, by this user, in this folder: approvals are not carried from one to another"
    )]
    Unauthenticated,
    #[error("the approval's signature does not count: {0}")]
    NotSigned(String),
    #[error("it was approved once, and the approval does not count any more")]
    Ended,
    #[error("the ledger cannot be trusted: {0}")]
    LedgerFaulty(String),
    #[error("what was approved has changed: {}", .0.join("; "))]
    Stale(Vec<String>),
}

impl Ledger {
    /// The ledger of the project at `root`, with what the last commit has of it. Makes nothing yet.
    pub fn new(root: Root, state: WorkspaceState, committed: Vec<u8>, signers: Signers) -> Ledger {
        Ledger { root, state, committed, signers }
    }

    /// Writes down that a human is asked; the nonce in it belongs to this question alone.
    pub fn ask(&self, asking: Asking, now: Time) -> Result<Question, LedgerError> {
        debug_assert_ne!(asking.channel, Channel::CommandLine, "nobody is asked there");
        let tier = asking.channel.tier();
        if tier < asking.required {
            return Err(LedgerError::TierTooLow { tier, required: asking.required });
        }
        let mut book = Book::open(self, now)?;
        if asking.channel.is_client()
            && let Some(until) = book.quiet_until(&asking.request.digest)
        {
            return Err(LedgerError::CoolingDown(until));
        }
        let question = question(asking, book.now)?;
        book.append(Told::of(Event::Requested, question.clone()))?;
        Ok(question)
    }

    /// Decides what an answer means and writes it down. Only the short digest, typed in time, approves.
    pub fn answer(&self, nonce: &Nonce, answer: &Answer, now: Time) -> Result<Event, LedgerError> {
        let mut book = Book::open(self, now)?;
        let asked = book.last(nonce).filter(|it| it.is_authentic(&self.state));
        let asked = asked.ok_or(LedgerError::NeverAsked)?;
        if asked.event != Event::Requested {
            return Err(LedgerError::AlreadyAnswered(asked.event));
        }
        let question = asked.question.clone();
        let event = self.decide(&question, answer, book.now);
        let signature = match (event, answer) {
            (Event::Approved, Answer::Signed(signature)) => Some(signature.clone()),
            _ => None,
        };
        book.append(Told { signature, ..Told::of(event, question) })?;
        Ok(event)
    }

    /// Whether the gate is open for this request at this time, by an approval of at least this tier; for this action or,
    /// without one, for anything that the gate opens.
    pub fn status(&self, request: &Request, action: Option<Action>, required: Tier, now: Time) -> Status {
        match Book::open(self, now) {
            Ok(book) => book.status(request, action, required),
            Err(error) => Status::Closed(Closed::LedgerFaulty(error.to_string())),
        }
    }

    /// Until when a program must not ask for this; nothing where it may.
    pub fn quiet_until(&self, digest: &Digest, now: Time) -> Option<Time> {
        Book::open(self, now).ok()?.quiet_until(digest)
    }

    /// Does what was approved, and spends the approval for this action. Nobody else uses it meanwhile. What fails must have
    /// kept nothing: the approval then counts again. `act` must not use the ledger.
    ///
    /// # Errors
    /// When the gate is closed or the ledger cannot be used; then nothing was done. The inner result is that of `act`.
    pub fn spend<T, E>(
        &self,
        request: &Request,
        action: Action,
        required: Tier,
        now: Time,
        act: impl FnOnce() -> Result<T, E>,
    ) -> Result<Result<T, E>, LedgerError> {
        let mut book = Book::open(self, now)?;
        let question = match book.status(request, Some(action), required) {
            Status::Closed(closed) => return Err(LedgerError::Closed(closed)),
            Status::Open(question) => question,
        };
        let told = |event| Told { action: Some(action), ..Told::of(event, question.clone()) };
        book.append(told(Event::Used))?;
        let done = act();
        if done.is_err() {
            book.append(told(Event::Returned))?;
        }
        Ok(done)
    }

    /// Writes down that a command is writing what this request is for, and that nobody was asked.
    pub fn write_unattended(
        &self,
        request: Request,
        subject: &str,
        action: Action,
        now: Time,
    ) -> Result<Question, LedgerError> {
        let mut book = Book::open(self, now)?;
        let asking = Asking {
            request,
            subject: subject.to_owned(),
            channel: Channel::CommandLine,
            client: Client::new("lockkeeper", env!("CARGO_PKG_VERSION")),
            shown: Digest::of_bytes(b""),
            required: Tier::Client,
        };
        let question = question(asking, book.now)?;
        book.append(Told { action: Some(action), ..Told::of(Event::Unattended, question.clone()) })?;
        Ok(question)
    }

    /// What was being written unattended was not, after all, and nothing of it was kept.
    pub fn not_written(&self, question: Question, action: Action, now: Time) -> Result<(), LedgerError> {
        let mut book = Book::open(self, now)?;
        book.append(Told { action: Some(action), ..Told::of(Event::Returned, question) })
    }

    /// Takes back what was approved of this request; says how many approvals ended.
    pub fn revoke(&self, request: &Request, now: Time) -> Result<usize, LedgerError> {
        let mut book = Book::open(self, now)?;
        let open = book.open_approvals(request);
        for question in &open {
            book.append(Told::of(Event::Revoked, question.clone()))?;
        }
        Ok(open.len())
    }

    /// A person says no before or without being asked: what was approved ends, and programs do not ask again for a while.
    pub fn reject(&self, asking: Asking, now: Time) -> Result<(), LedgerError> {
        self.revoke(&asking.request, now)?;
        let mut book = Book::open(self, now)?;
        let question = question(asking, book.now)?;
        book.append(Told::of(Event::Requested, question.clone()))?;
        book.append(Told::of(Event::Declined, question))
    }

    /// Begins anew with the ledger as it is: a person has looked at it. Every approval that was open ends.
    pub fn accept(&self, now: Time) -> Result<usize, LedgerError> {
        let _lock = self.state.lock()?;
        let bytes = self.bytes()?;
        let entries = verify(&bytes).map_err(LedgerError::Fault)?;
        extends(&self.committed, &bytes).map_err(LedgerError::Fault)?;
        Register::begin(&self.state, &entries, now)?;
        Ok(entries.len())
    }

    /// All entries, after checking every line as a gate does. A project without a ledger has none.
    pub fn entries(&self, now: Time) -> Result<Vec<Entry>, LedgerError> {
        Ok(Book::open(self, now)?.entries)
    }

    /// Whether this user wrote the entry, for this workspace.
    pub fn is_authentic(&self, entry: &Entry) -> bool {
        entry.is_authentic(&self.state)
    }

    fn decide(&self, question: &Question, answer: &Answer, now: Time) -> Event {
        let is_keyed = question.tier == Tier::Keyed;
        match answer {
            Answer::Declined => Event::Declined,
            Answer::Cancelled => Event::Cancelled,
            _ if now < question.issued || now >= question.expires => Event::TimedOut,
            Answer::TimedOut => Event::TimedOut,
            Answer::Typed(text) if !is_keyed && question.request.digest.is_typed(text) => Event::Approved,
            Answer::Signed(signature) if is_keyed && self.signers.who(question, signature).is_ok() => {
                Event::Approved
            }
            Answer::Typed(_) | Answer::Signed(_) => Event::Rejected,
        }
    }

    fn bytes(&self) -> Result<Vec<u8>, LedgerError> {
        let bytes = self.root.read(PATH, MOST).map_err(|source| self.failed(source))?;
        Ok(bytes.unwrap_or_default())
    }

    fn failed(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { path: PATH.into(), source }
    }
}

fn question(asking: Asking, now: Time) -> Result<Question, LedgerError> {
    Ok(Question {
        expires: now.plus(asking.request.gate.lifetime()),
        request: asking.request,
        subject: asking.subject,
        channel: asking.channel,
        tier: asking.channel.tier(),
        client: asking.client,
        shown: asking.shown,
        nonce: Nonce::new().map_err(LedgerError::NoRandomness)?,
        issued: now,
    })
}

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod tests;
