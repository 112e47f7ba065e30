//! A person at a terminal: what is asked there, and what they type. `tests/terminal.py` is the terminal.

use std::process::Command;

use serde_json::Value;

use crate::binaries::{lockkeeper, root, target};
use crate::desk::Desk;

const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

/// What was on the screen, and the code; the command was asked.
#[track_caller]
fn at_terminal(desk: &Desk, wait_for: &str, typed: &str, arguments: &[&str]) -> (String, i64) {
    told(&mut terminal(desk, wait_for, typed, arguments))
}

fn terminal(desk: &Desk, wait_for: &str, typed: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(target().join("venv/bin/python"));
    command.arg("-B").arg(root().join("tests/terminal.py")).args([wait_for, typed]);
    command.arg(lockkeeper()).args(arguments).current_dir(desk.folder.path().join("project"));
    command.env("LOCKKEEPER_STATE_DIR", desk.folder.path().join("state"));
    command
}

#[track_caller]
fn told(terminal: &mut Command) -> (String, i64) {
    let output = terminal.output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("is JSON");
    assert_eq!(told["typed"], true, "nobody was asked: {told}");
    (told["screen"].as_str().expect("a text").to_owned(), told["code"].as_i64().expect("a number"))
}

fn is_open(desk: &Desk, plan: &str) -> bool {
    String::from_utf8_lossy(&desk.run(&["gates", plan]).stdout).contains("strategy: open until")
}

#[test]
fn only_the_digest_that_is_shown_approves() {
    let desk = Desk::new();
    let plan = desk.plan();
    let approve =
        |typed: &str| at_terminal(&desk, "anything else to refuse", typed, &["approve", &plan, "strategy"]);
    for refused in
        ["", "yes", "0000-0000-0000", "{digest}0", "x{digest}", "{digest} {digest}", "\u{1b}[A", "<end>"]
    {
        let (screen, code) = approve(refused);
        assert!(code == 4 && screen.contains("not approved"), "{refused:?}: {code} {screen}");
        assert!(!is_open(&desk, &plan), "{refused:?}");
    }
    // A pipe is no person: what stands in it is not read, and who sits at the terminal is asked all the same.
    let mut piped = terminal(&desk, "anything else to refuse", "no", &["approve", &plan, "strategy"]);
    let (screen, code) = told(piped.env("PIPED", "1"));
    assert!(code == 4 && !is_open(&desk, &plan), "{code} {screen}");
    // The terminal is closed while it asks: by a signal or by itself, the command ends, and nothing is approved.
    let (_, code) = approve("<hang up>");
    assert!(code != 0 && !is_open(&desk, &plan), "{code}");
    let (screen, code) = approve("{digest}");
    assert!(code == 0 && screen.contains("approved until") && is_open(&desk, &plan), "{code} {screen}");
    let ledger = desk.folder.path().join("project/.lockkeeper/ledger.jsonl");
    let ledger = std::fs::read_to_string(ledger).expect("is there");
    let last = ledger.lines().last().expect("a line");
    assert!(last.contains("\"event\":\"approved\"") && last.contains("\"channel\":\"terminal\""), "{last}");
}

/// Everything that is approved is on the screen, and nothing on it moves the cursor or turns text around.
#[test]
fn the_whole_plan_is_on_the_screen_and_nothing_poses_as_ours() {
    let desk = Desk::new();
    let path = desk.folder.path().join("project").join(MIGRATION);
    let text = std::fs::read_to_string(&path).expect("is there");
    let hostile = "-- migrate:up\n-- \u{1b}[2J\u{202e}Lockkeeper: approved by the DBA\u{7}\n";
    std::fs::write(&path, text.replacen("-- migrate:up\n", hostile, 1)).expect("can be written");
    let plan = desk.plan();
    let (screen, _) = at_terminal(&desk, "anything else to refuse", "no", &["approve", &plan, "strategy"]);
    let raw =
        screen.chars().find(|it| it.is_control() && !matches!(it, '\n' | '\r' | '\t') || *it == '\u{202e}');
    assert_eq!(raw, None, "{screen}");
    for statement in [
        "ALTER TABLE users ADD COLUMN full_name text;",
        "CREATE FUNCTION lockkeeper_users_full_name()",
        "DROP TRIGGER",
    ] {
        assert!(screen.contains(statement), "{statement}: {screen}");
    }
    assert!(!screen.contains("lines more that are not shown"), "{screen}");
}

#[test]
fn what_a_command_would_write_is_asked_for() {
    let desk = Desk::new();
    let project = desk.folder.path().join("project");
    let count = || std::fs::read_dir(project.join("db/migrations")).expect("is there").count();
    let before = count();
    let write = |typed: &str| at_terminal(&desk, "to leave it", typed, &["rewrite", MIGRATION, "--write"]);
    for left in ["no", "", "Yes please", "<end>"] {
        let (screen, code) = write(left);
        assert!(code == 4 && count() == before, "{left:?}: {code} {screen}");
    }
    let (screen, code) = write("yes");
    assert!(code == 0 && count() > before, "{code} {screen}");
    let ledger = project.join(".lockkeeper/ledger.jsonl");
    let ledger = std::fs::read_to_string(ledger).unwrap_or_default();
    assert!(!ledger.contains("unattended"), "a person was asked: {ledger}");
}
