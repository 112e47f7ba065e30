//! The ledger opened to be read or continued: locked, finished where a process was killed, and checked as a whole.

use super::entry::{Action, Channel, Entry, Event, Nonce, Question, Request, Told};
use super::register::Register;
use super::verify::{extends, verify};
use super::{Closed, Ledger, LedgerError, PATH, Status};
use crate::digest::Digest;
use crate::gate::Tier;
use crate::time::Time;

/// How many forms for one thing may be open at a time, and for how long one counts as open.
const UNANSWERED: usize = 3;
const UNANSWERED_SECONDS: u64 = 600;

/// Dropping it gives the lock back.
pub(super) struct Book<'a> {
    ledger: &'a Ledger,
    pub(super) register: Register,
    pub(super) entries: Vec<Entry>,
    /// The latest time seen: a clock that goes back a little does not make lines that come before their question.
    pub(super) now: Time,
    /// How much of the file stays as it is.
    kept: u64,
    /// What a killed process did not finish.
    unfinished: Option<String>,
    _lock: std::fs::File,
}

impl<'a> Book<'a> {
    pub(super) fn open(ledger: &'a Ledger, now: Time) -> Result<Book<'a>, LedgerError> {
        let lock = ledger.state.lock()?;
        let register = Register::load(&ledger.state, now)?;
        let now = register.highest;
        let mut bytes = ledger.bytes()?;
        let unfinished = register.unfinished(&bytes).map(|(kept, line)| (kept, line.to_owned()));
        if let Some((kept, line)) = &unfinished {
            bytes.truncate(*kept);
            bytes.extend(line.as_bytes());
        }
        let entries = verify(&bytes).map_err(LedgerError::Fault)?;
        extends(&ledger.committed, &bytes).map_err(LedgerError::Fault)?;
        let committed = ledger.committed.iter().filter(|byte| **byte == b'\n').count();
        register.check(&entries, committed, &ledger.state).map_err(LedgerError::Fault)?;
        let kept = unfinished.as_ref().map_or(bytes.len(), |(kept, _)| *kept) as u64;
        let unfinished = unfinished.map(|(_, line)| line);
        Ok(Book { ledger, register, entries, now, kept, unfinished, _lock: lock })
    }

    pub(super) fn append(&mut self, told: Told) -> Result<(), LedgerError> {
        let line = self.unfinished.take().unwrap_or_default();
        // Also where there is nothing to finish: a ledger that cannot be written fails before anything is noted.
        self.write(&line)?;
        let entry = Entry::after(self.entries.last(), self.now, told, &self.ledger.state);
        self.register.note(&entry);
        self.register.save(&self.ledger.state)?;
        self.write(&entry.line())?;
        self.register.noted();
        self.register.save(&self.ledger.state)?;
        self.entries.push(entry);
        Ok(())
    }

    fn write(&mut self, line: &str) -> Result<(), LedgerError> {
        let written = self.ledger.root.continue_at(PATH, self.kept, line.as_bytes());
        written.map_err(|source| self.ledger.failed(source))?;
        self.kept += line.len() as u64;
        Ok(())
    }

    /// The last word about a question.
    pub(super) fn last(&self, nonce: &Nonce) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.question.nonce == *nonce)
    }

    /// Whether the gate is open. From the end: the last word about each question counts.
    pub(super) fn status(&self, request: &Request, action: Option<Action>, required: Tier) -> Status {
        let mut reason = Closed::NotApproved;
        let mut seen = Vec::new();
        // Where nobody was asked, nothing was said of the gate.
        let asked = |entry: &&Entry| entry.question.channel != Channel::CommandLine;
        let entries = self.entries.iter().rev().filter(asked);
        for entry in entries.filter(|entry| entry.question.request == *request) {
            let question = &entry.question;
            if seen.contains(&&question.nonce) {
                continue;
            }
            match self.refusal(entry, action, required) {
                None => return Status::Open(question.clone()),
                Some(closed) if seen.is_empty() => reason = closed,
                Some(_) => {}
            }
            seen.push(&question.nonce);
        }
        Status::Closed(reason)
    }

    /// Until when a program must not ask for this. Forms that are left unanswered are no way around a refusal.
    pub(super) fn quiet_until(&self, digest: &Digest) -> Option<Time> {
        let recent = self.entries.iter().rev().take_while(|it| self.now < it.at.plus(UNANSWERED_SECONDS));
        let asked = |it: &&Entry| {
            let question = &it.question;
            it.event == Event::Requested && question.channel.is_client() && question.request.digest == *digest
        };
        let open =
            |it: &&Entry| self.last(&it.question.nonce).is_some_and(|last| last.event == Event::Requested);
        let unanswered: Vec<&Entry> = recent.filter(asked).filter(open).collect();
        let waiting =
            (unanswered.len() >= UNANSWERED).then(|| unanswered[UNANSWERED - 1].at.plus(UNANSWERED_SECONDS));
        self.register.quiet_until(digest, self.now).max(waiting)
    }

    /// The approvals of a request that count for anything.
    pub(super) fn open_approvals(&self, request: &Request) -> Vec<Question> {
        let approved = self.entries.iter().filter(|it| it.event == Event::Approved);
        let open = approved.filter(|it| it.question.request == *request && self.register.counts(it, None));
        open.map(|it| it.question.clone()).collect()
    }

    fn refusal(&self, last: &Entry, action: Option<Action>, required: Tier) -> Option<Closed> {
        let question = &last.question;
        let mut story = self.entries.iter().filter(|it| it.question.nonce == question.nonce);
        let Some(approved) = story.find(|it| it.event == Event::Approved) else {
            return Some(Closed::Answered(last.event));
        };
        if !approved.is_authentic(&self.ledger.state) {
            return Some(Closed::Unauthenticated);
        }
        if self.now >= question.expires {
            return Some(Closed::Expired(question.expires));
        }
        if !self.register.counts(approved, action) {
            let is_over = matches!(last.event, Event::Used | Event::Revoked);
            return Some(if is_over { Closed::Answered(last.event) } else { Closed::Ended });
        }
        if question.tier < required {
            return Some(Closed::TierTooLow { given: question.tier, required });
        }
        let signature = approved.signature.as_ref()?;
        let signed = self.ledger.signers.who(question, signature);
        signed.err().map(|error| Closed::NotSigned(error.to_string()))
    }
}
