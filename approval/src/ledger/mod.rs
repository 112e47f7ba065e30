//! The ledger: an append-only file of what was asked, answered and used, each line chained to the one before.
//!
//! `.lockkeeper/ledger.jsonl` is made to be committed. Appending takes the operating system's lock on the file, checks the
//! whole chain, writes one whole line and flushes it to the disk. When the chain is broken every gate is closed.

pub mod entry;
pub mod verify;

use crate::digest::Digest;
use crate::gate::Tier;
use crate::time::Time;
use entry::{Channel, Client, Entry, Event, Nonce, Question, Request};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use verify::{Fault, verify};

/// The ledger of a project.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
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
    Declined,
    Cancelled,
    TimedOut,
}

/// Why the ledger could not be used, or refused to be.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("cannot use {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Fault(Fault),
    #[error("the system gives no random numbers, so nothing can be asked: {0}")]
    NoRandomness(getrandom::Error),
    #[error("this gate needs an approval of tier {required}, and this way of asking is only worth {tier}")]
    TierTooLow { tier: Tier, required: Tier },
    #[error("nobody asked this question here; ask again")]
    NeverAsked,
    #[error("this question was answered before ({}); ask again", .0.words())]
    AlreadyAnswered(Event),
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
    #[error("the approval was given at {0}, which is in the future: check the clock")]
    NotYet(Time),
    #[error("it was approved at tier {given}, and this needs {required}")]
    TierTooLow { given: Tier, required: Tier },
    #[error("the ledger cannot be trusted: {0}")]
    LedgerFaulty(String),
    #[error("what was approved has changed: {}", .0.join("; "))]
    Stale(Vec<String>),
}

impl Ledger {
    /// The ledger of the project at `root`. Makes nothing yet.
    pub fn in_project(root: &Path) -> Ledger {
        Ledger { path: root.join(".lockkeeper").join("ledger.jsonl") }
    }

    /// Writes down that a human is asked; the nonce in it belongs to this question alone.
    pub fn ask(&self, asking: Asking, now: Time) -> Result<Question, LedgerError> {
        let tier = asking.channel.tier();
        if tier < asking.required {
            return Err(LedgerError::TierTooLow { tier, required: asking.required });
        }
        let question = Question {
            expires: now.plus(asking.request.gate.lifetime()),
            request: asking.request,
            subject: asking.subject,
            channel: asking.channel,
            tier,
            client: asking.client,
            shown: asking.shown,
            nonce: Nonce::new().map_err(LedgerError::NoRandomness)?,
            issued: now,
        };
        let mut book = self.open_to_write()?;
        book.append(now, Event::Requested, question.clone())?;
        Ok(question)
    }

    /// Decides what an answer means and writes it down. Only the short digest, typed in time, approves.
    pub fn answer(&self, nonce: &Nonce, answer: &Answer, now: Time) -> Result<Event, LedgerError> {
        let mut book = self.open_to_write()?;
        let Some(last) = book.entries.iter().rfind(|entry| entry.question.nonce == *nonce) else {
            return Err(LedgerError::NeverAsked);
        };
        if last.event != Event::Requested {
            return Err(LedgerError::AlreadyAnswered(last.event));
        }
        let question = last.question.clone();
        let event = decide(&question, answer, now);
        book.append(now, event, question)?;
        Ok(event)
    }

    /// Whether the gate is open for this request at this time, by an approval of at least this tier.
    pub fn status(&self, request: &Request, required: Tier, now: Time) -> Status {
        match self.entries() {
            Ok(entries) => status(&entries, request, required, now),
            Err(error) => Status::Closed(Closed::LedgerFaulty(error.to_string())),
        }
    }

    /// Spends the approval: from here on the gate is closed again. To be called before the approved thing is done.
    pub fn consume(&self, request: &Request, required: Tier, now: Time) -> Result<Question, LedgerError> {
        let mut book = self.open_to_write()?;
        match status(&book.entries, request, required, now) {
            Status::Closed(closed) => Err(LedgerError::Closed(closed)),
            Status::Open(question) => {
                book.append(now, Event::Used, question.clone())?;
                Ok(question)
            }
        }
    }

    /// All entries, after checking every line. A project without a ledger has none.
    pub fn entries(&self) -> Result<Vec<Entry>, LedgerError> {
        verify(&self.bytes()?).map_err(LedgerError::Fault)
    }

    /// The file as it is, for [`verify::extends`].
    pub fn bytes(&self) -> Result<Vec<u8>, LedgerError> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.lock_shared()?;
            file.read_to_end(&mut bytes)
        });
        match read {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(bytes),
        }
    }

    fn open_to_write(&self) -> Result<Book, LedgerError> {
        let mut bytes = Vec::new();
        let folder = self.path.parent().expect("the ledger lies in .lockkeeper");
        let opened = std::fs::create_dir_all(folder).and_then(|()| {
            let mut file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
            file.lock()?;
            file.read_to_end(&mut bytes)?;
            Ok(file)
        });
        let file = opened.map_err(|error| self.failed(error))?;
        let entries = verify(&bytes).map_err(LedgerError::Fault)?;
        Ok(Book { file, path: self.path.clone(), entries })
    }

    fn failed(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { path: self.path.clone(), source }
    }
}

/// The opened, locked and verified ledger. Dropping it closes the file, which gives the lock back.
struct Book {
    file: File,
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Book {
    fn append(&mut self, at: Time, event: Event, question: Question) -> Result<(), LedgerError> {
        let entry = Entry::after(self.entries.last(), at, event, question);
        let written = self.file.write_all(entry.line().as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|source| LedgerError::Io { path: self.path.clone(), source })?;
        self.entries.push(entry);
        Ok(())
    }
}

fn decide(question: &Question, answer: &Answer, now: Time) -> Event {
    match answer {
        Answer::Declined => Event::Declined,
        Answer::Cancelled => Event::Cancelled,
        Answer::Typed(_) if now < question.issued || now >= question.expires => Event::TimedOut,
        Answer::TimedOut => Event::TimedOut,
        Answer::Typed(text) if question.request.digest.is_typed(text) => Event::Approved,
        Answer::Typed(_) => Event::Rejected,
    }
}

fn status(entries: &[Entry], request: &Request, required: Tier, now: Time) -> Status {
    let mut reason = Closed::NotApproved;
    let mut seen = Vec::new();
    // From the end: the last word about each question counts.
    for entry in entries.iter().rev().filter(|entry| entry.question.request == *request) {
        let question = &entry.question;
        if seen.contains(&&question.nonce) {
            continue;
        }
        match refusal(entry, required, now) {
            None => return Status::Open(question.clone()),
            Some(closed) if seen.is_empty() => reason = closed,
            Some(_) => {}
        }
        seen.push(&question.nonce);
    }
    Status::Closed(reason)
}

fn refusal(last: &Entry, required: Tier, now: Time) -> Option<Closed> {
    let question = &last.question;
    if last.event != Event::Approved {
        return Some(Closed::Answered(last.event));
    }
    if now < question.issued {
        return Some(Closed::NotYet(question.issued));
    }
    if now >= question.expires {
        return Some(Closed::Expired(question.expires));
    }
    (question.tier < required).then_some(Closed::TierTooLow { given: question.tier, required })
}

#[cfg(test)]
mod tests;
