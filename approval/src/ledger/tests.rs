//! What the ledger refuses: edits, gaps, forgeries, copies, replays, late answers, other digests, clocks set back.

use super::*;
use crate::gate::Gate;
use crate::plan::PlanId;
use crate::state::State;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const NOW: u64 = 1_795_226_478;

pub(super) struct Fixture {
    pub(super) folder: TempDir,
    pub(super) ledger: Ledger,
}

/// The ledger of the project `name` in a folder whose state lies beside it.
pub(super) fn ledger(folder: &Path, name: &str) -> Ledger {
    fs::create_dir_all(folder.join(name)).unwrap();
    let root = Root::open(&folder.join(name)).unwrap();
    let state = State::at(&folder.join("state")).unwrap().of_workspace(&root).unwrap();
    Ledger::new(root, state, Vec::new(), Signers::default())
}

impl Fixture {
    pub(super) fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(folder.path(), "project");
        Fixture { folder, ledger }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("project").join(PATH)
    }

    pub(super) fn ask(&self, gate: Gate, content: &str) -> Question {
        self.ledger.ask(asking(gate, content, Channel::Terminal), at(0)).unwrap()
    }

    pub(super) fn approve(&self, gate: Gate, content: &str) -> Question {
        let question = self.ask(gate, content);
        let typed = Answer::Typed(question.request.digest.short());
        assert_eq!(self.ledger.answer(&question.nonce, &typed, at(1)).unwrap(), Event::Approved);
        question
    }

    /// Two approvals, one of them used, and a refusal.
    pub(super) fn with_a_story() -> Fixture {
        let fixture = Fixture::new();
        let used = fixture.approve(Gate::Apply, "one");
        fixture.run(&used.request, 2).unwrap();
        let declined = fixture.ask(Gate::Strategy, "two");
        fixture.ledger.answer(&declined.nonce, &Answer::Declined, at(3)).unwrap();
        fixture.approve(Gate::Apply, "three");
        fixture
    }

    pub(super) fn run(&self, request: &Request, second: u64) -> Result<(), LedgerError> {
        let run = || Ok::<(), ()>(());
        self.ledger.spend(request, Action::Run, Tier::Attended, at(second), run).map(|done| done.unwrap())
    }

    pub(super) fn status(&self, request: &Request, second: u64) -> Status {
        self.ledger.status(request, None, Tier::Client, at(second))
    }

    #[track_caller]
    pub(super) fn is_closed(&self, question: &Question, second: u64) -> Closed {
        match self.status(&question.request, second) {
            Status::Closed(closed) => closed,
            Status::Open(_) => panic!("the gate is open"),
        }
    }

    /// The contents of the story whose gates are open.
    pub(super) fn open(&self, second: u64) -> Vec<&'static str> {
        let all =
            [(Gate::Apply, "one"), (Gate::Strategy, "two"), (Gate::Apply, "three"), (Gate::Apply, "forged")];
        let is_open = |(gate, content): &(Gate, &str)| {
            matches!(self.status(&request(*gate, content), second), Status::Open(_))
        };
        all.into_iter().filter(is_open).map(|(_, content)| content).collect()
    }

    /// Nothing is open with this as the ledger, nothing can be asked, and what was there before works again.
    #[track_caller]
    pub(super) fn refuses(&self, bytes: &[u8], what: &str) {
        let original = fs::read(self.path()).unwrap();
        fs::write(self.path(), bytes).unwrap();
        assert_eq!(self.open(4), [""; 0], "{what}");
        assert!(self.ledger.entries(at(4)).is_err(), "{what}");
        assert!(self.ledger.ask(asking(Gate::Apply, "x", Channel::Terminal), at(4)).is_err(), "{what}");
        assert_eq!(fs::read(self.path()).unwrap(), bytes, "{what}: nothing is repaired in silence");
        fs::write(self.path(), original).unwrap();
    }
}

pub(super) fn at(second: u64) -> Time {
    Time::from_seconds(NOW + second)
}

pub(super) fn asking(gate: Gate, content: &str, channel: Channel) -> Asking {
    Asking {
        request: request(gate, content),
        subject: "migrations/0007.sql".into(),
        channel,
        client: Client::new("an\u{1b}[31m agent\u{202e}", "1.0"),
        shown: Digest::of_bytes(b"shown"),
        required: Tier::Client,
    }
}

pub(super) fn request(gate: Gate, content: &str) -> Request {
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

/// Keys as `ssh-keygen` makes them: one that may sign, and one that may not.
fn keys(folder: &Path) -> (Signers, [PathBuf; 2]) {
    let keys = ["allowed", "other"].map(|name| {
        let key = folder.join(name);
        let mut make = std::process::Command::new("ssh-keygen");
        make.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&key);
        assert!(make.status().unwrap().success());
        key
    });
    let public = fs::read_to_string(folder.join("allowed.pub")).unwrap();
    (Signers::parse(&format!("# people\nana@example.org {public}")).unwrap(), keys)
}

#[test]
fn a_signature_opens_what_typing_cannot() {
    let fixture = Fixture::new();
    let (signers, [allowed, other]) = keys(fixture.folder.path());
    let fixture = Fixture { ledger: Ledger { signers, ..fixture.ledger.clone() }, ..fixture };
    let ask = |content: &str| {
        let asking = asking(Gate::Destructive, content, Channel::Signature);
        fixture.ledger.ask(Asking { required: Tier::Keyed, ..asking }, at(0)).unwrap()
    };
    let answer =
        |question: &Question, answer: Answer| fixture.ledger.answer(&question.nonce, &answer, at(1)).unwrap();
    let sign = |question: &Question, key: &Path| crate::signature::sign(question, key).unwrap();

    let question = ask("one");
    let another = ask("two");
    let refused = [
        Answer::Typed(question.request.digest.short()),
        Answer::Signed(String::new()),
        Answer::Signed(sign(&question, &other)),
        Answer::Signed(sign(&another, &allowed)),
    ];
    for refused in refused {
        let question = ask("one");
        assert_eq!(answer(&question, refused.clone()), Event::Rejected, "{refused:?}");
    }
    assert_eq!(answer(&question, Answer::Signed(sign(&question, &allowed))), Event::Approved);
    let look = |ledger: &Ledger| ledger.status(&question.request, None, Tier::Keyed, at(2));
    assert_eq!(look(&fixture.ledger), Status::Open(question.clone()));

    // A signer who is taken off the list has signed nothing.
    let nobody = Ledger { signers: Signers::default(), ..fixture.ledger.clone() };
    assert!(matches!(look(&nobody), Status::Closed(Closed::NotSigned(_))));
    // Typing is not signing, also where the line says so.
    let typed = fixture.approve(Gate::Apply, "three");
    let status = fixture.ledger.status(&typed.request, None, Tier::Keyed, at(2));
    assert!(matches!(status, Status::Closed(Closed::TierTooLow { .. })));
}

/// Every byte of a signature, and of what it is of, matters.
#[test]
fn a_changed_signature_is_none() {
    let fixture = Fixture::new();
    let (signers, [allowed, _]) = keys(fixture.folder.path());
    let question = fixture.ask(Gate::Destructive, "one");
    let signature = crate::signature::sign(&question, &allowed).unwrap();
    assert_eq!(signers.who(&question, &signature).unwrap(), "ana@example.org");
    let mut other = question.clone();
    other.expires = at(99_999);
    assert!(signers.who(&other, &signature).is_err());
    for (index, byte) in signature.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_alphanumeric()) {
        let mut changed = signature.clone().into_bytes();
        changed[index] = if byte == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(signers.who(&question, &changed).is_err(), "byte {index}");
    }
}

#[test]
fn a_line_of_signers_that_is_not_understood_lets_nobody_sign() {
    for line in [
        "ana",
        "ana nonsense",
        "ana cert-authority ssh-ed25519 AAAA",
        "ana valid-before=\"2020\" ssh-ed25519 AAAA",
        "ana ssh-ed25519 AAAA",
    ] {
        assert!(Signers::parse(line).is_err(), "{line}");
    }
    assert!(Signers::parse("# nobody\n\n").is_ok());
}

/// What a command wrote without asking is told, and is no way to an approval.
#[test]
fn what_is_written_unattended_opens_nothing() {
    let fixture = Fixture::new();
    let ledger = &fixture.ledger;
    let request = asking(Gate::Strategy, "abc", Channel::Terminal).request;
    let question = ledger.write_unattended(request.clone(), "a.sql", Action::WriteMigrations, at(1)).unwrap();
    let status = |now| ledger.status(&request, Some(Action::WriteMigrations), Tier::Client, now);
    assert_eq!(status(at(2)), Status::Closed(Closed::NotApproved));
    let typed = Answer::Typed(request.digest.short());
    assert!(matches!(ledger.answer(&question.nonce, &typed, at(2)), Err(LedgerError::AlreadyAnswered(_))));
    ledger.not_written(question, Action::WriteMigrations, at(3)).unwrap();
    assert_eq!(ledger.entries(at(4)).unwrap().len(), 2);
    assert_eq!(status(at(4)), Status::Closed(Closed::NotApproved));
}
