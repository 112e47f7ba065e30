//! What the ledger refuses: edits, gaps, replays, late answers, other digests.

use super::*;
use crate::gate::Gate;
use crate::plan::PlanId;
use std::fs;
use tempfile::TempDir;
use verify::{Problem, extends};

const NOW: u64 = 1_795_226_478;

struct Fixture {
    folder: TempDir,
    ledger: Ledger,
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::in_project(folder.path());
        Fixture { folder, ledger }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(".lockkeeper/ledger.jsonl")
    }

    fn ask(&self, gate: Gate, content: &str) -> Question {
        self.ledger.ask(asking(gate, content, Channel::Terminal), at(0)).unwrap()
    }

    fn approve(&self, gate: Gate, content: &str) -> Question {
        let question = self.ask(gate, content);
        let typed = Answer::Typed(question.request.digest.short());
        assert_eq!(self.ledger.answer(&question.nonce, &typed, at(1)).unwrap(), Event::Approved);
        question
    }

    /// Two approvals, one of them used, and a refusal.
    fn with_a_story() -> Fixture {
        let fixture = Fixture::new();
        let used = fixture.approve(Gate::Apply, "one");
        fixture.ledger.consume(&used.request, Tier::Attended, at(2)).unwrap();
        let declined = fixture.ask(Gate::Strategy, "two");
        fixture.ledger.answer(&declined.nonce, &Answer::Declined, at(3)).unwrap();
        fixture.approve(Gate::Apply, "three");
        fixture
    }

    #[track_caller]
    fn is_closed(&self, question: &Question, second: u64) -> Closed {
        match self.ledger.status(&question.request, Tier::Client, at(second)) {
            Status::Closed(closed) => closed,
            Status::Open(_) => panic!("the gate is open"),
        }
    }
}

fn at(second: u64) -> Time {
    Time::from_seconds(NOW + second)
}

fn asking(gate: Gate, content: &str, channel: Channel) -> Asking {
    Asking {
        request: request(gate, content),
        subject: "migrations/0007.sql".into(),
        channel,
        client: Client::new("an\u{1b}[31m agent\u{202e}", "1.0"),
        shown: Digest::of_bytes(b"shown"),
        required: Tier::Client,
    }
}

fn request(gate: Gate, content: &str) -> Request {
    let plan = PlanId::parse("0123456789abcdef").unwrap();
    Request { plan, gate, digest: Digest::of_bytes(content.as_bytes()) }
}

#[test]
fn an_approval_opens_its_gate_once() {
    let fixture = Fixture::new();
    let question = fixture.approve(Gate::Apply, "one");
    let request = &question.request;
    assert_eq!(fixture.ledger.status(request, Tier::Attended, at(2)), Status::Open(question.clone()));
    assert_eq!(fixture.ledger.consume(request, Tier::Attended, at(2)).unwrap(), question);
    assert_eq!(fixture.is_closed(&question, 3), Closed::Answered(Event::Used));
    let again = fixture.ledger.consume(request, Tier::Attended, at(3));
    assert!(matches!(again, Err(LedgerError::Closed(Closed::Answered(Event::Used)))));
}

#[test]
fn an_approval_is_for_its_own_digest_gate_and_plan() {
    let fixture = Fixture::new();
    let approved = fixture.approve(Gate::Apply, "one").request;
    let other_plan = PlanId::parse("fedcba9876543210").unwrap();
    let others = [
        request(Gate::Apply, "two"),
        request(Gate::Backfill, "one"),
        Request { plan: other_plan, ..approved },
    ];
    for other in others {
        let status = fixture.ledger.status(&other, Tier::Client, at(2));
        assert_eq!(status, Status::Closed(Closed::NotApproved));
        assert!(fixture.ledger.consume(&other, Tier::Client, at(2)).is_err());
    }
}

#[test]
fn an_approval_expires() {
    let fixture = Fixture::new();
    let question = fixture.approve(Gate::Apply, "one");
    let lifetime = Gate::Apply.lifetime();
    assert!(matches!(
        fixture.ledger.status(&question.request, Tier::Attended, at(lifetime - 1)),
        Status::Open(_)
    ));
    assert_eq!(fixture.is_closed(&question, lifetime), Closed::Expired(at(lifetime)));
    assert!(fixture.ledger.consume(&question.request, Tier::Attended, at(lifetime)).is_err());
    let early = fixture.ledger.status(&question.request, Tier::Attended, Time::from_seconds(NOW - 1));
    assert_eq!(early, Status::Closed(Closed::NotYet(at(0))));
}

#[test]
fn only_the_typed_short_digest_approves() {
    let digest = request(Gate::Apply, "one").digest;
    let other = request(Gate::Apply, "two").digest;
    let late = Gate::Apply.lifetime();
    let cases = [
        (Answer::Typed("yes".into()), 1, Event::Rejected),
        (Answer::Typed("approved".into()), 1, Event::Rejected),
        (Answer::Typed("true".into()), 1, Event::Rejected),
        (Answer::Typed(String::new()), 1, Event::Rejected),
        (Answer::Typed(other.short()), 1, Event::Rejected),
        (Answer::Typed(digest.as_str()[..11].into()), 1, Event::Rejected),
        (Answer::Typed(digest.short()), late, Event::TimedOut),
        (Answer::Declined, 1, Event::Declined),
        (Answer::Cancelled, 1, Event::Cancelled),
        (Answer::TimedOut, 1, Event::TimedOut),
    ];
    for (answer, second, expected) in cases {
        let fixture = Fixture::new();
        let question = fixture.ask(Gate::Apply, "one");
        assert_eq!(fixture.is_closed(&question, 0), Closed::Answered(Event::Requested));
        assert_eq!(
            fixture.ledger.answer(&question.nonce, &answer, at(second)).unwrap(),
            expected,
            "{answer:?}"
        );
        assert_eq!(fixture.is_closed(&question, 2), Closed::Answered(expected));
        // The first answer stands, also when the right one follows.
        let right = Answer::Typed(digest.short());
        let second_try = fixture.ledger.answer(&question.nonce, &right, at(2));
        assert!(matches!(second_try, Err(LedgerError::AlreadyAnswered(it)) if it == expected));
    }
}

#[test]
fn a_replayed_answer_is_refused() {
    let fixture = Fixture::new();
    let question = fixture.approve(Gate::Apply, "one");
    let typed = Answer::Typed(question.request.digest.short());
    let replay = fixture.ledger.answer(&question.nonce, &typed, at(2));
    assert!(matches!(replay, Err(LedgerError::AlreadyAnswered(Event::Approved))));
    fixture.ledger.consume(&question.request, Tier::Attended, at(3)).unwrap();
    let replay = fixture.ledger.answer(&question.nonce, &typed, at(4));
    assert!(matches!(replay, Err(LedgerError::AlreadyAnswered(Event::Used))));
    let unknown = fixture.ledger.answer(&Nonce::new().unwrap(), &typed, at(4));
    assert!(matches!(unknown, Err(LedgerError::NeverAsked)));
}

#[test]
fn a_weak_channel_cannot_open_a_strong_gate() {
    let fixture = Fixture::new();
    let weak = Asking { required: Tier::Attended, ..asking(Gate::Apply, "one", Channel::ElicitationLegacy) };
    assert!(matches!(fixture.ledger.ask(weak, at(0)), Err(LedgerError::TierTooLow { .. })));
    // Approved under a weaker policy than the one that holds now.
    let question = fixture.approve(Gate::Apply, "one");
    let status = fixture.ledger.status(&question.request, Tier::Keyed, at(2));
    let given = Tier::Attended;
    assert_eq!(status, Status::Closed(Closed::TierTooLow { given, required: Tier::Keyed }));
}

#[test]
fn every_changed_byte_is_found_and_closes_every_gate() {
    let fixture = Fixture::with_a_story();
    let open = fixture.ledger.entries().unwrap().pop().unwrap().question;
    assert!(matches!(fixture.ledger.status(&open.request, Tier::Attended, at(2)), Status::Open(_)));
    let original = fs::read(fixture.path()).unwrap();
    for offset in 0..original.len() {
        let mut bytes = original.clone();
        bytes[offset] ^= 1 << (offset % 8);
        assert!(verify(&bytes).is_err(), "byte {offset}");
    }
    let mut bytes = original.clone();
    bytes[100] ^= 1;
    fs::write(fixture.path(), &bytes).unwrap();
    assert!(matches!(fixture.is_closed(&open, 2), Closed::LedgerFaulty(_)));
    assert!(fixture.ledger.consume(&open.request, Tier::Attended, at(2)).is_err());
    assert!(fixture.ledger.ask(asking(Gate::Apply, "x", Channel::Terminal), at(2)).is_err());
}

#[test]
fn every_truncation_inside_a_line_is_found() {
    let fixture = Fixture::with_a_story();
    let bytes = fs::read(fixture.path()).unwrap();
    for length in 1..bytes.len() {
        let found = verify(&bytes[..length]);
        assert_eq!(found.is_ok(), bytes[length - 1] == b'\n', "{length} bytes");
    }
    let cut = verify(&bytes[..bytes.len() - 1]).unwrap_err();
    assert_eq!(cut, Fault { line: 7, problem: Problem::Truncated });
}

#[test]
fn removed_repeated_and_reordered_lines_are_found() {
    let fixture = Fixture::with_a_story();
    let bytes = fs::read(fixture.path()).unwrap();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for first in 0..lines.len() {
        let mut repeated = lines.clone();
        repeated.insert(first, lines[first]);
        assert!(verify(&repeated.concat()).is_err(), "line {first} twice");
        let mut removed = lines.clone();
        removed.remove(first);
        // The chain has no successor to show that the last line is gone; the committed ledger has.
        assert_eq!(verify(&removed.concat()).is_ok(), first + 1 == lines.len(), "without line {first}");
        assert!(extends(&bytes, &removed.concat()).is_err());
        for second in first + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(first, second);
            assert!(verify(&swapped.concat()).is_err(), "lines {first} and {second} swapped");
        }
    }
    assert_eq!(extends(&lines[..3].concat(), &bytes), Ok(()));
    assert_eq!(extends(&bytes, &lines[..3].concat()).unwrap_err().line, 4);
}

/// Somebody who knows the format can make a chain that links; it still has to tell a possible story.
#[test]
fn a_well_linked_impossible_story_is_found() {
    let fixture = Fixture::new();
    let question = fixture.ask(Gate::Apply, "one");
    let asked = fixture.ledger.entries().unwrap().pop().unwrap();
    let mut other = question.clone();
    other.request = request(Gate::Apply, "two");
    let mut promoted = question.clone();
    promoted.tier = Tier::Keyed;
    let impossible = [
        (at(1), Event::Used, question.clone()),
        (at(1), Event::Requested, question.clone()),
        (at(1), Event::Approved, other),
        (at(1), Event::Approved, promoted),
        (at(Gate::Apply.lifetime()), Event::Approved, question.clone()),
    ];
    for (time, event, question) in impossible {
        let line = Entry::after(Some(&asked), time, event, question).line();
        let problem = verify((asked.line() + &line).as_bytes()).unwrap_err().problem;
        assert_eq!(problem, Problem::Impossible, "{event:?}");
        let alone = Entry::after(None, time, event, asked.question.clone()).line();
        assert_eq!(verify(alone.as_bytes()).unwrap_err().problem, Problem::Impossible);
    }
}

#[test]
fn a_client_cannot_write_control_characters_into_the_ledger() {
    let fixture = Fixture::new();
    fixture.ask(Gate::Strategy, "one");
    let text = fs::read_to_string(fixture.path()).unwrap();
    assert!(text.contains(r#""client":{"name":"an[31m agent","version":"1.0"}"#), "{text}");
}

#[test]
fn writers_at_the_same_time_keep_one_chain() {
    let fixture = Fixture::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let ledger = &fixture.ledger;
            scope.spawn(move || {
                for turn in 0..5 {
                    let content = format!("{writer} {turn}");
                    ledger.ask(asking(Gate::Strategy, &content, Channel::Terminal), at(0)).unwrap();
                }
            });
        }
    });
    assert_eq!(fixture.ledger.entries().unwrap().len(), 20);
}

#[test]
fn one_approval_is_consumed_by_one_of_many() {
    let fixture = Fixture::new();
    let question = fixture.approve(Gate::Apply, "one");
    let wins = std::thread::scope(|scope| {
        let consume = || fixture.ledger.consume(&question.request, Tier::Attended, at(2)).is_ok();
        let racers: Vec<_> = (0..8).map(|_| scope.spawn(consume)).collect();
        racers.into_iter().map(|it| it.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(wins, 1);
}
