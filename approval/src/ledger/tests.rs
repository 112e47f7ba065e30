//! What the ledger refuses: edits, gaps, forgeries, copies, replays, late answers, other digests, clocks set back.

use super::*;
use crate::gate::Gate;
use crate::plan::PlanId;
use crate::state::State;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use verify::Problem;

const NOW: u64 = 1_795_226_478;

struct Fixture {
    folder: TempDir,
    ledger: Ledger,
}

/// The ledger of the project `name` in a folder whose state lies beside it.
fn ledger(folder: &Path, name: &str) -> Ledger {
    fs::create_dir_all(folder.join(name)).unwrap();
    let root = Root::open(&folder.join(name)).unwrap();
    let state = State::at(&folder.join("state")).unwrap().of_workspace(&root).unwrap();
    Ledger::new(root, state, Vec::new())
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path(), "project");
        Fixture { folder, ledger }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("project").join(PATH)
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
        fixture.run(&used.request, 2).unwrap();
        let declined = fixture.ask(Gate::Strategy, "two");
        fixture.ledger.answer(&declined.nonce, &Answer::Declined, at(3)).unwrap();
        fixture.approve(Gate::Apply, "three");
        fixture
    }

    fn run(&self, request: &Request, second: u64) -> Result<(), LedgerError> {
        let run = || Ok::<(), ()>(());
        self.ledger.spend(request, Action::Run, Tier::Attended, at(second), run).map(|done| done.unwrap())
    }

    fn status(&self, request: &Request, second: u64) -> Status {
        self.ledger.status(request, None, Tier::Client, at(second))
    }

    #[track_caller]
    fn is_closed(&self, question: &Question, second: u64) -> Closed {
        match self.status(&question.request, second) {
            Status::Closed(closed) => closed,
            Status::Open(_) => panic!("the gate is open"),
        }
    }

    /// The contents of the story whose gates are open.
    fn open(&self, second: u64) -> Vec<&'static str> {
        let all =
            [(Gate::Apply, "one"), (Gate::Strategy, "two"), (Gate::Apply, "three"), (Gate::Apply, "forged")];
        let is_open = |(gate, content): &(Gate, &str)| {
            matches!(self.status(&request(*gate, content), second), Status::Open(_))
        };
        all.into_iter().filter(is_open).map(|(_, content)| content).collect()
    }

    /// Nothing is open with this as the ledger, nothing can be asked, and what was there before works again.
    #[track_caller]
    fn refuses(&self, bytes: &[u8], what: &str) {
        let original = fs::read(self.path()).unwrap();
        fs::write(self.path(), bytes).unwrap();
        assert_eq!(self.open(4), [""; 0], "{what}");
        assert!(self.ledger.entries(at(4)).is_err(), "{what}");
        assert!(self.ledger.ask(asking(Gate::Apply, "x", Channel::Terminal), at(4)).is_err(), "{what}");
        assert_eq!(fs::read(self.path()).unwrap(), bytes, "{what}: nothing is repaired in silence");
        fs::write(self.path(), original).unwrap();
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
    assert_eq!(fixture.status(&question.request, 2), Status::Open(question.clone()));
    fixture.run(&question.request, 2).unwrap();
    assert_eq!(fixture.is_closed(&question, 3), Closed::Answered(Event::Used));
    let again = fixture.run(&question.request, 3);
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
        assert_eq!(fixture.status(&other, 2), Status::Closed(Closed::NotApproved));
        assert!(fixture.run(&other, 2).is_err());
    }
}

#[test]
fn an_approval_expires_and_a_clock_set_back_revives_nothing() {
    let fixture = Fixture::new();
    let question = fixture.approve(Gate::Apply, "one");
    let lifetime = Gate::Apply.lifetime();
    assert!(matches!(fixture.status(&question.request, lifetime - 1), Status::Open(_)));
    assert_eq!(fixture.is_closed(&question, lifetime), Closed::Expired(at(lifetime)));
    assert!(fixture.run(&question.request, lifetime).is_err());
    for second in [lifetime - 1, lifetime - 30, lifetime - 61, 2, 0] {
        fixture.is_closed(&question, second);
        assert!(fixture.run(&question.request, second).is_err(), "{second}");
    }
    // A person sets it right: that ends what was open, and asking works again.
    let other = fixture.ledger.ask(asking(Gate::Apply, "two", Channel::Terminal), at(0));
    assert!(matches!(other, Err(LedgerError::ClockSetBack { .. })));
    fixture.ledger.accept(at(0)).unwrap();
    fixture.is_closed(&question, 2);
    fixture.approve(Gate::Apply, "two");
}

/// What fails keeps nothing, and the approval counts again; what succeeds spends it for this action alone.
#[test]
fn an_approval_is_not_used_up_by_a_failure() {
    let fixture = Fixture::new();
    let request = fixture.approve(Gate::Strategy, "one").request;
    let spend =
        |action, done: Result<(), ()>| fixture.ledger.spend(&request, action, Tier::Client, at(2), || done);
    for _ in 0..3 {
        assert_eq!(spend(Action::WriteMigrations, Err(())).unwrap(), Err(()));
    }
    assert_eq!(spend(Action::WriteReport, Ok(())).unwrap(), Ok(()));
    assert!(spend(Action::WriteReport, Ok(())).is_err());
    assert_eq!(spend(Action::WriteMigrations, Ok(())).unwrap(), Ok(()));
    assert!(spend(Action::WriteMigrations, Ok(())).is_err());
    assert!(spend(Action::Run, Ok(())).is_err(), "one gate never implies another");
    assert!(fixture.ledger.entries(at(3)).is_ok());
}

/// How often a program that asks for ever gets through in this many seconds.
fn forms(answer: &Answer, seconds: u64, content: impl Fn(u64) -> String) -> u64 {
    let fixture = Fixture::new();
    let mut forms = 0;
    for second in 0..seconds {
        let asking = asking(Gate::Strategy, &content(second), Channel::ElicitationModern);
        match fixture.ledger.ask(asking, at(second)) {
            Ok(question) => {
                forms += 1;
                fixture.ledger.answer(&question.nonce, answer, at(second)).unwrap();
            }
            Err(error) => assert!(matches!(error, LedgerError::CoolingDown(_)), "{error}"),
        }
    }
    forms
}

#[test]
fn a_no_cools_down_for_this_digest_and_for_all() {
    let (same, other) = (|_| "same".to_owned(), |second: u64| second.to_string());
    assert_eq!(forms(&Answer::Declined, 599, same), 1);
    assert_eq!(forms(&Answer::Declined, 601, same), 2);
    assert!(forms(&Answer::Cancelled, 599, same) <= 3);
    assert!(forms(&Answer::Typed("yes".into()), 599, same) <= 3);
    // A changed comment makes another digest: that does not help for long.
    assert!(forms(&Answer::Declined, 600, other) <= 6);
    assert!(forms(&Answer::Cancelled, 600, other) <= 18);
    // A person at a terminal waits for nothing, and a yes ends the pause.
    let fixture = Fixture::new();
    let declined = fixture.ask(Gate::Strategy, "one");
    fixture.ledger.answer(&declined.nonce, &Answer::Declined, at(0)).unwrap();
    assert!(fixture.ledger.quiet_until(&declined.request.digest, at(1)).is_some());
    fixture.approve(Gate::Strategy, "one");
}

#[test]
fn what_is_taken_back_or_refused_is_closed() {
    let fixture = Fixture::new();
    let question = fixture.approve(Gate::Apply, "one");
    assert_eq!(fixture.ledger.revoke(&question.request, at(2)).unwrap(), 1);
    assert_eq!(fixture.is_closed(&question, 2), Closed::Answered(Event::Revoked));
    assert_eq!(fixture.ledger.revoke(&question.request, at(2)).unwrap(), 0);
    let question = fixture.approve(Gate::Strategy, "two");
    fixture.ledger.reject(asking(Gate::Strategy, "two", Channel::Terminal), at(2)).unwrap();
    fixture.is_closed(&question, 2);
    let again = fixture.ledger.ask(asking(Gate::Strategy, "two", Channel::ElicitationLegacy), at(3));
    assert!(matches!(again, Err(LedgerError::CoolingDown(_))));
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
        let later = second + 1;
        assert_eq!(fixture.is_closed(&question, later), Closed::Answered(expected));
        // The first answer stands, also when the right one follows.
        let right = Answer::Typed(digest.short());
        let second_try = fixture.ledger.answer(&question.nonce, &right, at(later));
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
    fixture.run(&question.request, 3).unwrap();
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
    let status = fixture.ledger.status(&question.request, None, Tier::Keyed, at(2));
    let given = Tier::Attended;
    assert_eq!(status, Status::Closed(Closed::TierTooLow { given, required: Tier::Keyed }));
}

#[test]
fn every_changed_byte_closes_every_gate() {
    let fixture = Fixture::with_a_story();
    assert_eq!(fixture.open(4), ["three"]);
    let original = fs::read(fixture.path()).unwrap();
    for offset in 0..original.len() {
        let mut bytes = original.clone();
        bytes[offset] ^= 1 << (offset % 8);
        assert!(verify(&bytes).is_err(), "byte {offset}");
        if offset % 16 == 0 {
            fixture.refuses(&bytes, &format!("byte {offset}"));
        }
    }
    assert_eq!(fixture.open(4), ["three"]);
}

#[test]
fn every_cut_closes_every_gate() {
    let fixture = Fixture::with_a_story();
    let bytes = fs::read(fixture.path()).unwrap();
    for length in (0..bytes.len()).step_by(16).chain([bytes.len() - 1]) {
        fixture.refuses(&bytes[..length], &format!("{length} bytes"));
    }
    let cut = verify(&bytes[..bytes.len() - 1]).unwrap_err();
    assert_eq!(cut, Fault { line: 7, problem: Problem::Truncated });
    fs::remove_file(fixture.path()).unwrap();
    assert_eq!(fixture.open(4), [""; 0]);
    let lost = fixture.ledger.entries(at(4)).unwrap_err();
    assert!(matches!(lost, LedgerError::Fault(Fault { line: 1, problem: Problem::Lost })), "{lost}");
}

#[test]
fn removed_repeated_and_reordered_lines_close_every_gate() {
    let fixture = Fixture::with_a_story();
    let bytes = fs::read(fixture.path()).unwrap();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for first in 0..lines.len() {
        let mut repeated = lines.clone();
        repeated.insert(first, lines[first]);
        fixture.refuses(&repeated.concat(), &format!("line {first} twice"));
        let mut removed = lines.clone();
        removed.remove(first);
        fixture.refuses(&removed.concat(), &format!("without line {first}"));
        fixture.refuses(&lines[..first].concat(), &format!("only {first} lines"));
        for second in first + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(first, second);
            fixture.refuses(&swapped.concat(), &format!("lines {first} and {second} swapped"));
        }
    }
    assert_eq!(extends(&lines[..3].concat(), &bytes), Ok(()));
    assert_eq!(extends(&bytes, &lines[..3].concat()).unwrap_err().line, 4);
}

/// What somebody writes who knows the format and has another secret: whole chains that tell possible stories.
#[test]
fn forged_lines_open_nothing() {
    let fixture = Fixture::with_a_story();
    let genuine = fixture.ledger.entries(at(4)).unwrap();
    let forger = tempfile::tempdir().unwrap();
    let state = ledger(forger.path(), "project").state;
    let forged = |last: Option<&Entry>, events: &[Event], content: &str| {
        let question = question(asking(Gate::Apply, content, Channel::Terminal), at(3)).unwrap();
        let mut entries: Vec<Entry> = Vec::new();
        for event in events {
            let last = entries.last().or(last);
            entries.push(Entry::after(last, at(3), Told::of(*event, question.clone()), &state));
        }
        entries.iter().map(Entry::line).collect::<String>()
    };
    let whole: String = genuine.iter().map(Entry::line).collect();
    let approval = [Event::Requested, Event::Approved];
    for length in 0..=genuine.len() {
        let kept: String = genuine[..length].iter().map(Entry::line).collect();
        let last = length.checked_sub(1).map(|last| &genuine[last]);
        fixture.refuses(
            (kept + &forged(last, &approval, "forged")).as_bytes(),
            &format!("behind {length} lines"),
        );
    }
    // The declined line made an approval, with all hashes right.
    let mut entries = genuine.clone();
    for index in 4..entries.len() {
        let mut told = Told::of(entries[index].event, entries[index].question.clone());
        if told.event == Event::Declined {
            told.event = Event::Approved;
        }
        entries[index] = Entry::after(Some(&entries[index - 1]), entries[index].at, told, &state);
    }
    let rechained: String = entries.iter().map(Entry::line).collect();
    assert!(verify(rechained.as_bytes()).is_ok(), "a chain alone does not show it");
    fixture.refuses(rechained.as_bytes(), "the declined line rechained");
    // Without the authentication, or with that of another line.
    for index in 0..genuine.len() {
        let mut entries = genuine.clone();
        let other = genuine[(index + 1) % genuine.len()].authentication.clone();
        for authentication in [None, other] {
            entries[index].authentication = authentication;
            entries[index].hash = entries[index].computed_hash();
            for after in index + 1..entries.len() {
                entries[after].previous = entries[after - 1].hash.clone();
                entries[after].hash = entries[after].computed_hash();
            }
            fixture.refuses(entries.iter().map(Entry::line).collect::<String>().as_bytes(), "authentication");
        }
    }
    assert_eq!(fixture.open(4), ["three"]);
    assert_eq!(fs::read_to_string(fixture.path()).unwrap(), whole);
}

/// Lines of other people come with a commit: they are shown, and open nothing here.
#[test]
fn committed_lines_of_others_are_read_and_open_nothing() {
    let theirs = Fixture::with_a_story();
    let ours = Fixture::new();
    let bytes = fs::read(theirs.path()).unwrap();
    fs::create_dir(ours.path().parent().unwrap()).unwrap();
    fs::write(ours.path(), &bytes).unwrap();
    assert!(ours.ledger.entries(at(4)).is_err());
    let ours = Fixture { ledger: Ledger { committed: bytes, ..ours.ledger.clone() }, ..ours };
    let entries = ours.ledger.entries(at(4)).unwrap();
    assert!(entries.iter().all(|entry| !ours.ledger.is_authentic(entry)));
    assert_eq!(ours.status(&request(Gate::Apply, "three"), 4), Status::Closed(Closed::Unauthenticated));
    assert_eq!(ours.open(4), [""; 0]);
    ours.approve(Gate::Apply, "three");
    assert_eq!(ours.open(4), ["three"]);
}

#[test]
fn a_longer_committed_ledger_closes_every_gate() {
    let fixture = Fixture::with_a_story();
    let committed = [fs::read(fixture.path()).unwrap(), b"one more line\n".to_vec()].concat();
    let fixture = Fixture { ledger: Ledger { committed, ..fixture.ledger.clone() }, ..fixture };
    assert_eq!(fixture.open(4), [""; 0]);
    assert!(fixture.ledger.accept(at(4)).is_err());
}

#[test]
fn a_copy_opens_nothing_elsewhere() {
    let fixture = Fixture::with_a_story();
    let bytes = fs::read(fixture.path()).unwrap();
    let copied = ledger(fixture.folder.path(), "copy");
    fs::create_dir(fixture.folder.path().join("copy/.lockkeeper")).unwrap();
    fs::write(fixture.folder.path().join("copy").join(PATH), &bytes).unwrap();
    for committed in [Vec::new(), bytes] {
        let ledger = Ledger { committed, ..copied.clone() };
        for content in ["one", "three"] {
            let status = ledger.status(&request(Gate::Apply, content), None, Tier::Client, at(4));
            assert!(matches!(status, Status::Closed(_)), "{status:?}");
        }
    }
}

/// Approvals that ended stay ended when an old ledger is put back, also after a person accepted another.
#[test]
fn an_old_ledger_revives_nothing() {
    let fixture = Fixture::new();
    let question = fixture.approve(Gate::Apply, "one");
    let approved = fs::read(fixture.path()).unwrap();
    fixture.run(&question.request, 2).unwrap();
    let used = fs::read(fixture.path()).unwrap();
    fixture.refuses(&approved, "without the use");
    for accepted in [&approved[..], &used[..], b""] {
        fs::write(fixture.path(), accepted).unwrap();
        fixture.ledger.accept(at(3)).unwrap();
        for put_back in [&approved[..], &used[..]] {
            fs::write(fixture.path(), put_back).unwrap();
            fixture.is_closed(&question, 4);
            assert!(fixture.run(&question.request, 4).is_err());
        }
    }
}

/// The file as it is after each byte of an append that was killed: the next process finishes the line, once.
#[test]
fn a_killed_append_is_finished() {
    let fixture = Fixture::new();
    let question = fixture.ask(Gate::Apply, "one");
    let before = fs::read(fixture.path()).unwrap();
    let typed = Answer::Typed(question.request.digest.short());
    let mut register = Register::load(&fixture.ledger.state, at(1)).unwrap();
    let last = fixture.ledger.entries(at(1)).unwrap().pop().unwrap();
    let approved = Told::of(decide(&question, &typed, at(1)), question.clone());
    let entry = Entry::after(Some(&last), at(1), approved, &fixture.ledger.state);
    register.note(&entry);
    for written in (0..=entry.line().len()).step_by(8) {
        register.save(&fixture.ledger.state).unwrap();
        fs::write(fixture.path(), [&before, &entry.line().as_bytes()[..written]].concat()).unwrap();
        assert!(matches!(fixture.status(&question.request, 2), Status::Open(_)), "{written}");
        let other = fixture.ask(Gate::Apply, "two");
        assert_eq!(fixture.ledger.entries(at(2)).unwrap().len(), 3, "{written}");
        fixture.is_closed(&other, 2);
    }
    // What is behind the cut is somebody else's.
    register.save(&fixture.ledger.state).unwrap();
    fs::write(fixture.path(), [&before[..], b"{"].concat()).unwrap();
    assert!(matches!(fixture.status(&question.request, 2), Status::Open(_)));
    fs::write(fixture.path(), [&before[..], b"{}"].concat()).unwrap();
    fixture.is_closed(&question, 2);
}

/// Somebody who knows the format can make a chain that links; it still has to tell a possible story.
#[test]
fn a_well_linked_impossible_story_is_found() {
    let fixture = Fixture::new();
    let question = fixture.ask(Gate::Apply, "one");
    let asked = fixture.ledger.entries(at(1)).unwrap().pop().unwrap();
    let mut other = question.clone();
    other.request = request(Gate::Apply, "two");
    let mut promoted = question.clone();
    promoted.tier = Tier::Keyed;
    let mut long = question.clone();
    long.expires = at(315_360_000);
    let impossible = [
        (at(1), Event::Used, question.clone()),
        (at(1), Event::Returned, question.clone()),
        (at(1), Event::Revoked, question.clone()),
        (at(1), Event::Requested, question.clone()),
        (at(1), Event::Approved, other),
        (at(1), Event::Approved, promoted),
        (at(1), Event::Approved, long.clone()),
        (at(Gate::Apply.lifetime()), Event::Approved, question.clone()),
    ];
    let state = &fixture.ledger.state;
    for (time, event, question) in impossible {
        let line = Entry::after(Some(&asked), time, Told::of(event, question), state).line();
        let problem = verify((asked.line() + &line).as_bytes()).unwrap_err().problem;
        assert_eq!(problem, Problem::Impossible, "{event:?}");
        let alone = Entry::after(None, time, Told::of(event, asked.question.clone()), state).line();
        assert_eq!(verify(alone.as_bytes()).unwrap_err().problem, Problem::Impossible);
    }
    let long = Entry::after(None, long.issued, Told::of(Event::Requested, long), state);
    assert_eq!(verify(long.line().as_bytes()).unwrap_err().problem, Problem::Impossible);
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
    let entries = fixture.ledger.entries(at(1)).unwrap();
    assert_eq!(entries.len(), 20);
    assert_eq!(entries.iter().map(|it| &it.question.nonce).collect::<BTreeSet<_>>().len(), 20);
}

#[test]
fn one_approval_is_consumed_by_one_of_many() {
    let fixture = Fixture::new();
    let question = fixture.approve(Gate::Apply, "one");
    let wins = std::thread::scope(|scope| {
        let consume = || fixture.run(&question.request, 2).is_ok();
        let racers: Vec<_> = (0..8).map(|_| scope.spawn(consume)).collect();
        racers.into_iter().map(|it| it.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(wins, 1);
}
