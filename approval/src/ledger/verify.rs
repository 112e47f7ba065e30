//! Whether a ledger is what was written: every line, its place in the chain, and the story that the lines tell.

use super::entry::{Action, Channel, Entry, Event, Nonce, Question};
use crate::digest::Digest;
use crate::gate::Tier;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// The first line that is wrong, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No line break at its end.
    Truncated,
    /// Not an entry, or not written as we write it.
    Unreadable,
    /// The sequence number does not follow: lines are missing, repeated or in another order.
    Gap,
    /// Its `previous` is not the hash of the line before.
    Unlinked,
    /// Its hash is not that of what it says.
    Edited,
    /// It answers or uses what was not asked or approved, or does it twice or too late.
    Impossible,
    /// The committed ledger has another line here, or this one is missing.
    NotCommitted,
    /// This line was written here, and is missing or another one.
    Lost,
    /// Nobody wrote this line here, and it is not committed.
    Unauthenticated,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.problem {
            Problem::Truncated => "has no end: the write was cut off",
            Problem::Unreadable => "is not a line that lockkeeper wrote",
            Problem::Gap => {
                "does not follow the line before: lines are missing, repeated or in another order"
            }
            Problem::Unlinked => "is not chained to the line before: one of the two was changed",
            Problem::Edited => "was changed after it was written",
            Problem::Impossible => "answers or uses something that was not asked or approved then",
            Problem::NotCommitted => "differs from the committed ledger",
            Problem::Lost => "was written on this machine, and is missing or changed",
            Problem::Unauthenticated => {
                "was not written by lockkeeper on this machine, and is not in the last commit either"
            }
        };
        write!(
            f,
            "ledger line {} {what}. Every gate is closed until the file is whole: look at what changed with \
             `git diff -- .lockkeeper/ledger.jsonl`, and restore the file. If you changed it yourself, for example by \
             switching branches, run `lockkeeper ledger accept` in a terminal; approvals that are open then end",
            self.line
        )
    }
}

/// The entries of a whole ledger file, or its first fault.
pub fn verify(bytes: &[u8]) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut stories = HashMap::new();
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let entry = read(line, entries.last())
            .and_then(|entry| if follow(&mut stories, &entry) { Ok(entry) } else { Err(Problem::Impossible) })
            .map_err(|problem| Fault { line: index + 1, problem })?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Whether the ledger begins with the committed one. The chain alone cannot show that its last lines are gone or that
/// all of it was rewritten; the committed copy can.
pub fn extends(committed: &[u8], now: &[u8]) -> Result<(), Fault> {
    if now.starts_with(committed) {
        return Ok(());
    }
    let mut lines = now.split_inclusive(|byte| *byte == b'\n');
    let same = committed
        .split_inclusive(|byte| *byte == b'\n')
        .take_while(|line| lines.next() == Some(line))
        .count();
    Err(Fault { line: same + 1, problem: Problem::NotCommitted })
}

fn read(line: &[u8], before: Option<&Entry>) -> Result<Entry, Problem> {
    let Some(text) = line.strip_suffix(b"\n") else {
        return Err(Problem::Truncated);
    };
    let entry: Entry = serde_json::from_slice(text).map_err(|_| Problem::Unreadable)?;
    if entry.hash != entry.computed_hash() {
        return Err(Problem::Edited);
    }
    // Equal meaning is not enough: one spelling only, so that no byte of the file is free.
    if entry.line().as_bytes() != line {
        return Err(Problem::Unreadable);
    }
    if entry.sequence != before.map_or(1, |before| before.sequence + 1) {
        return Err(Problem::Gap);
    }
    if entry.previous != before.map_or_else(Digest::zero, |before| before.hash.clone()) {
        return Err(Problem::Unlinked);
    }
    Ok(entry)
}

/// How far one question has come.
struct Story {
    question: Question,
    approved: bool,
    ended: bool,
    used: BTreeSet<Action>,
}

/// Whether the entry continues its question's story, which then goes on. A question is asked once, answered once, in time,
/// with all else unchanged; an approval is used once for each action.
fn follow(stories: &mut HashMap<Nonce, Story>, entry: &Entry) -> bool {
    let question = &entry.question;
    let Some(story) = stories.get_mut(&question.nonce) else {
        // What is written unattended was never asked: it can only be taken for not done after all.
        let is_unattended = entry.event == Event::Unattended
            && question.channel == Channel::CommandLine
            && entry.action.is_some();
        let is_asked = entry.event == Event::Requested && question.channel != Channel::CommandLine;
        let used = entry.action.into_iter().collect();
        let story = Story { question: question.clone(), approved: false, ended: false, used };
        stories.insert(question.nonce.clone(), story);
        return (is_asked || is_unattended)
            && entry.at == question.issued
            && question.tier == question.channel.tier()
            && question.expires == question.issued.plus(question.request.gate.lifetime());
    };
    if story.ended || story.question != *question {
        return false;
    }
    let in_time = question.issued <= entry.at && entry.at < question.expires;
    match (entry.event, entry.action) {
        (Event::Requested | Event::Unattended, _) => false,
        _ if question.channel == Channel::CommandLine && entry.event != Event::Returned => false,
        (Event::Approved, None) => {
            let is_signed = entry.signature.is_some() == (question.tier == Tier::Keyed);
            !std::mem::replace(&mut story.approved, true) && in_time && is_signed
        }
        (Event::Used, Some(action)) => story.approved && in_time && story.used.insert(action),
        // Written before there were actions: it was for all of them.
        (Event::Used, None) => story.approved && in_time && !std::mem::replace(&mut story.ended, true),
        (Event::Returned, Some(action)) => story.used.remove(&action),
        (Event::Revoked, None) => story.approved && !std::mem::replace(&mut story.ended, true),
        (event, None) => event.is_answer() && !story.approved && !std::mem::replace(&mut story.ended, true),
        _ => false,
    }
}
