//! What the user's state folder knows of a workspace's ledger: its head, what is open, who refused, how late it was.
//!
//! The ledger tells the story; the register decides. An approval counts while its nonce is in the register, which the
//! workspace cannot write: a line that is put back, copied or invented is not in it.
//!
//! Each line is written down here before it is appended there, so that a process that is killed in between loses nothing:
//! the next one finishes the line.

use super::LedgerError;
use super::entry::{Action, Entry, Event, Nonce};
use super::verify::{Fault, Problem};
use crate::digest::Digest;
use crate::state::{Workspace, WorkspaceState};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The file beside the workspace's other state.
const FILE: &str = "register.json";
const MOST: u64 = 16_000_000;
/// Clocks are set back by a little all the time.
const SLACK: u64 = 60;
const DAY: u64 = 86_400;

/// What is known of a ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Register {
    version: u32,
    /// For people who look at the file.
    workspace: Workspace,
    /// The latest time seen.
    pub(super) highest: Time,
    /// How many lines the ledger has at least.
    lines: u64,
    /// The hash of the last of them.
    head: Digest,
    /// A line that is being appended.
    pending: Option<String>,
    /// The approvals that count.
    open: BTreeMap<Nonce, Open>,
    refusals: Vec<Refusal>,
}

/// An approval that counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    expires: Time,
    used: BTreeSet<Action>,
}

/// Somebody did not approve.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Refusal {
    digest: Digest,
    at: Time,
    declined: bool,
}

impl Register {
    /// What is known, at this time. The time is remembered, and what has expired is forgotten: it does not come back when
    /// the clock does.
    pub(super) fn load(state: &WorkspaceState, now: Time) -> Result<Register, LedgerError> {
        let mut register = match state.read(FILE, MOST)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| LedgerError::RegisterUnreadable)?,
            None => Register::new(state, now),
        };
        if now.plus(SLACK) < register.highest {
            return Err(LedgerError::ClockSetBack { seen: register.highest, now });
        }
        let ended = register.open.values().any(|open| open.expires <= now);
        let later = register.highest < now;
        register.highest = register.highest.max(now);
        register.open.retain(|_, open| open.expires > now);
        register.refusals.retain(|it| now < it.at.plus(DAY));
        if ended || (later && !register.open.is_empty()) {
            register.save(state)?;
        }
        Ok(register)
    }

    fn new(state: &WorkspaceState, now: Time) -> Register {
        Register {
            version: 1,
            workspace: state.workspace().clone(),
            highest: now,
            lines: 0,
            head: Digest::zero(),
            pending: None,
            open: BTreeMap::new(),
            refusals: Vec::new(),
        }
    }

    /// A register that begins with a ledger as it is: nothing in it is open.
    pub(super) fn begin(state: &WorkspaceState, entries: &[Entry], now: Time) -> Result<(), LedgerError> {
        let mut register = Register::new(state, now);
        register.advance(entries.last());
        register.save(state)
    }

    pub(super) fn save(&self, state: &WorkspaceState) -> Result<(), LedgerError> {
        let bytes = serde_json::to_vec(self).expect("a register serialises to JSON");
        Ok(state.write(FILE, &bytes)?)
    }

    /// Where the line that was being appended ends in the file, and what is missing of it. `bytes` is the ledger.
    pub(super) fn unfinished<'a>(&'a self, bytes: &[u8]) -> Option<(usize, &'a str)> {
        let pending = self.pending.as_deref()?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let begun = pending.as_bytes().starts_with(&bytes[whole..]);
        (lines + 1 == self.lines && begun).then_some((whole, pending))
    }

    /// Whether the ledger still begins with what was written here. Lines behind it must be authenticated or committed.
    pub(super) fn check(
        &self,
        entries: &[Entry],
        committed: usize,
        state: &WorkspaceState,
    ) -> Result<(), Fault> {
        let known = usize::try_from(self.lines).unwrap_or(usize::MAX);
        let fault = |line: usize, problem| Err(Fault { line, problem });
        match known.checked_sub(1).map(|last| entries.get(last)) {
            Some(None) => return fault(entries.len() + 1, Problem::Lost),
            Some(Some(entry)) if entry.hash != self.head => return fault(known, Problem::Lost),
            _ => {}
        }
        let new = entries.iter().enumerate().skip(known.max(committed));
        match new.into_iter().find(|(_, entry)| !entry.is_authentic(state)) {
            Some((index, _)) => fault(index + 1, Problem::Unauthenticated),
            None => Ok(()),
        }
    }

    /// Notes a line, before it is appended.
    pub(super) fn note(&mut self, entry: &Entry) {
        self.advance(Some(entry));
        self.pending = Some(entry.line());
        let (nonce, digest) = (&entry.question.nonce, &entry.question.request.digest);
        match (entry.event, entry.action) {
            (Event::Approved, _) => {
                let open = Open { expires: entry.question.expires, used: BTreeSet::new() };
                self.open.insert(nonce.clone(), open);
                self.refusals.retain(|it| it.digest != *digest);
            }
            (Event::Used | Event::Returned, Some(action)) => {
                let Some(open) = self.open.get_mut(nonce) else { return };
                if entry.event == Event::Used {
                    open.used.insert(action);
                } else {
                    open.used.remove(&action);
                }
            }
            (Event::Requested | Event::Unattended, _) => {}
            (event, _) => {
                drop(self.open.remove(nonce));
                if event.is_answer() {
                    let declined = event == Event::Declined;
                    self.refusals.push(Refusal { digest: digest.clone(), at: entry.at, declined });
                }
            }
        }
    }

    /// Notes that the line is in the file.
    pub(super) fn noted(&mut self) {
        self.pending = None;
    }

    fn advance(&mut self, last: Option<&Entry>) {
        let Some(last) = last else { return };
        self.lines = last.sequence;
        self.head = last.hash.clone();
    }

    /// Whether an approval counts, for this action or, without one, for any that the gate has.
    pub(super) fn counts(&self, entry: &Entry, action: Option<Action>) -> bool {
        let Some(open) = self.open.get(&entry.question.nonce) else { return false };
        let mut actions = Action::at(entry.question.request.gate).iter();
        actions.any(|it| action.is_none_or(|action| action == *it) && !open.used.contains(it))
    }

    /// Until when a program must not ask again: longer with every refusal of the same, and with every refusal of anything.
    pub(super) fn quiet_until(&self, digest: &Digest, now: Time) -> Option<Time> {
        let same: Vec<&Refusal> = self.refusals.iter().filter(|it| it.digest == *digest).collect();
        let any: Vec<&Refusal> = self.refusals.iter().filter(|it| now < it.at.plus(3_600)).collect();
        let until = [pause(&same, 600, 28_800), pause(&any, 15, 1_800)];
        until.into_iter().flatten().max().filter(|until| now < *until)
    }
}

/// A no is a no at once; a slip of the fingers or a closed window only the third time.
fn pause(refusals: &[&Refusal], first: u64, longest: u64) -> Option<Time> {
    let declined = refusals.iter().filter(|it| it.declined).count();
    let times = declined + (refusals.len() - declined) / 3;
    let doublings = u32::try_from(times.checked_sub(1)?).unwrap_or(u32::MAX).min(16);
    Some(refusals.last()?.at.plus((first << doublings).min(longest)))
}
