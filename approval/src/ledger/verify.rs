//! Whether a ledger is what was written: every line, its place in the chain, and the story that the lines tell.

use super::entry::{Entry, Event};
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
        };
        write!(
            f,
            "ledger line {} {what}. Every gate is closed until the file is whole: look at what changed with \
             `git diff -- .lockkeeper/ledger.jsonl` and restore it with `git restore .lockkeeper/ledger.jsonl`",
            self.line
        )
    }
}

/// The entries of a whole ledger file, or its first fault.
pub fn verify(bytes: &[u8]) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let entry = read(line, &entries).map_err(|problem| Fault { line: index + 1, problem })?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Whether the ledger begins with the committed one. The chain alone cannot show that its last lines are gone or that
/// all of it was written anew; the committed copy can.
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

fn read(line: &[u8], before: &[Entry]) -> Result<Entry, Problem> {
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
    let expected = Entry::after(before.last(), entry.at, entry.event, entry.question.clone());
    if entry.sequence != expected.sequence {
        return Err(Problem::Gap);
    }
    if entry.previous != expected.previous {
        return Err(Problem::Unlinked);
    }
    if !can_follow(&entry, before) {
        return Err(Problem::Impossible);
    }
    Ok(entry)
}

/// A question is asked once, answered once, in time, with all else unchanged; and an approval is used once.
fn can_follow(entry: &Entry, before: &[Entry]) -> bool {
    let question = &entry.question;
    let told: Vec<_> = before.iter().filter(|it| it.question.nonce == question.nonce).collect();
    let in_time = question.issued <= entry.at && entry.at < question.expires;
    let same = told.iter().all(|it| it.question == *question);
    let events: Vec<_> = told.iter().map(|it| it.event).collect();
    match (entry.event, events.as_slice()) {
        (Event::Requested, []) => entry.at == question.issued && question.tier == question.channel.tier(),
        (Event::Approved, [Event::Requested]) | (Event::Used, [Event::Requested, Event::Approved]) => {
            same && in_time
        }
        (event, [Event::Requested]) => same && event.is_answer(),
        _ => false,
    }
}
