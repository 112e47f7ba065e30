//! The ledger attacked from the workspace: every byte, every line, forged chains, copies, old versions, killed writes.

use super::register::Register;
use super::tests::{Fixture, asking, at, ledger, request};
use super::verify::Problem;
use super::*;
use crate::gate::Gate;
use std::fs;

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
    let approved = Told::of(fixture.ledger.decide(&question, &typed, at(1)), question.clone());
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
