//! Rewrites as people write them: some files now and the others later, and interrupted at any moment.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::Desk;

const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

/// The migrations folder: every file with its text.
fn files(desk: &Desk) -> BTreeMap<String, String> {
    let folder = desk.folder.path().join("project/db/migrations");
    let entries = std::fs::read_dir(folder).expect("is there").map(|it| it.expect("can be read").path());
    let name = |path: &Path| path.file_name().expect("has one").to_string_lossy().into_owned();
    entries.map(|path| (name(&path), std::fs::read_to_string(&path).expect("is text"))).collect()
}

#[track_caller]
fn rewritten(desk: &Desk, arguments: &[&str]) -> Value {
    let mut all = vec!["rewrite", MIGRATION, "--format", "json"];
    all.extend(arguments);
    let output = desk.run(&all);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("is JSON")
}

fn texts(report: &Value, held: bool) -> Vec<String> {
    let files = report["files"].as_array().expect("a list").iter();
    let chosen = files.filter(|it| it["held"] == held);
    chosen.map(|it| it["content"].as_str().expect("text").to_owned()).collect()
}

/// Portion by portion the same migrations come as at once.
#[test]
fn what_is_held_back_comes_later_and_whole() {
    let whole = Desk::new();
    let at_once = texts(&rewritten(&whole, &["--write"]), false);
    let desk = Desk::new();
    let first = rewritten(&desk, &["--phase", "expand", "--write"]);
    assert_eq!([texts(&first, false), texts(&first, true)].concat(), at_once);
    assert!(!texts(&first, true).is_empty(), "{first}");
    let mut portions = texts(&first, false);
    assert!(files(&desk).len() < files(&whole).len());
    // What was committed meanwhile stands before what comes.
    let between = desk.folder.path().join("project/db/migrations/20990101000000_meanwhile.sql");
    std::fs::write(&between, "-- migrate:up\nSELECT 1;\n").expect("can be written");
    let mut held = true;
    while held {
        let next = rewritten(&desk, &["--continue", "--write"]);
        let paths = next["files"].as_array().expect("a list").iter().map(|it| it["path"].as_str());
        assert!(paths.flatten().all(|it| it > "db/migrations/20990101000000_meanwhile.sql"), "{next}");
        portions.extend(texts(&next, false));
        held = !texts(&next, true).is_empty();
    }
    assert_eq!(portions, at_once);
    let output = desk.run(&["rewrite", MIGRATION, "--continue"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains("nothing waits any more"), "{told}");
}

/// No phase reaches behind a release; and what is written at once waits no more.
#[test]
fn a_release_is_waited_for_in_every_phase() {
    let desk = Desk::new();
    let first = rewritten(&desk, &["--phase", "contract", "--write"]);
    let release = first["releases"][0]["before_file"].as_str().expect("one waits");
    let files = first["files"].as_array().expect("a list");
    let waits: Vec<&str> =
        files.iter().filter(|it| it["held"] == true).filter_map(|it| it["path"].as_str()).collect();
    assert_eq!(waits.first(), Some(&release), "{first}");
    let again = Desk::new();
    rewritten(&again, &["--phase", "expand", "--write"]);
    let migration = again.folder.path().join("project").join(MIGRATION);
    let original = crate::binaries::root().join("examples/shop").join(MIGRATION);
    std::fs::copy(original, migration).expect("can be written");
    rewritten(&again, &["--write"]);
    let output = again.run(&["rewrite", MIGRATION, "--continue"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains("nothing waits any more"), "{told}");
}

#[test]
fn nothing_goes_on_without_what_came_before() {
    let desk = Desk::new();
    let output = desk.run(&["rewrite", MIGRATION, "--continue"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains("wait on this machine"), "{told}");
    rewritten(&desk, &["--phase", "expand", "--write"]);
    rewritten(&desk, &["--continue", "--phase", "backfill", "--write"]);
    let folder = desk.folder.path().join("project/db/migrations");
    let backfill = files(&desk).into_keys().find(|it| it.contains("backfill")).expect("is written");
    std::fs::remove_file(folder.join(backfill)).expect("is there");
    let output = desk.run(&["rewrite", MIGRATION, "--continue", "--write"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains("is not there any more"), "{told}");
}

/// Ctrl-C leaves all files or none, without another command having to clean up.
#[test]
fn an_interrupted_rewrite_leaves_all_files_or_none() {
    let (mut none, mut all) = (0, 0);
    const TURNS: u32 = 80;
    let (whole, takes) = {
        let other = Desk::new();
        let start = Instant::now();
        rewritten(&other, &["--write"]);
        (files(&other).len(), start.elapsed())
    };
    // Whether an interrupt after that time left all files; else it left none.
    let interrupted = |after: Duration| {
        let desk = Desk::new();
        let before = files(&desk);
        let mut child = desk.command(&["rewrite", MIGRATION, "--write"]).spawn().expect("it can be started");
        std::thread::sleep(after);
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(kill.is_ok());
        child.wait().expect("it is ours");
        let journal = desk.folder.path().join("project/.lockkeeper-writing.json");
        assert!(!journal.exists(), "after {after:?}");
        let now = files(&desk);
        let is_whole = now != before;
        assert!(!is_whole || now.len() == whole, "after {after:?}: {:?}", now.keys());
        is_whole
    };
    // From the first moment to well behind the end; on a busy machine the end is later than it was.
    let mut moments: Vec<Duration> = (0..TURNS).map(|turn| takes * turn * 2 / TURNS).collect();
    moments.extend([4, 8, 16, 32].map(|times| takes * times));
    for (turn, after) in moments.into_iter().enumerate() {
        if turn >= TURNS as usize && all > 0 {
            break;
        }
        match interrupted(after) {
            true => all += 1,
            false => none += 1,
        }
    }
    assert!(none > 0 && all > 0, "{none} left nothing and {all} everything");
}
