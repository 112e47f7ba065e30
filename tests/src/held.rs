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

const HELD: &str = ".lockkeeper/held/db/migrations/20260114100000_rename_user_name";

/// What is kept in the project until its release is out: names, with the texts.
fn kept(desk: &Desk) -> BTreeMap<String, String> {
    let folder = desk.folder.path().join("project").join(HELD);
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let name = |path: &Path| path.file_name().expect("has one").to_string_lossy().into_owned();
    let entries = entries.map(|it| it.expect("can be read").path());
    entries.map(|path| (name(&path), std::fs::read_to_string(&path).expect("is text"))).collect()
}

#[track_caller]
fn refused(desk: &Desk, arguments: &[&str], because: &str) {
    let output = desk.run(&[&["rewrite", MIGRATION], arguments].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && told.contains(because), "{told}");
}

/// Nobody has to ask for it: what waits for a release is not in the folder that the next deploy runs. It comes portion by portion, and is the same as at once.
#[test]
fn what_is_held_back_comes_later_and_whole() {
    let whole = Desk::new();
    let at_once = texts(&rewritten(&whole, &["--write", "--all"]), false);
    assert!(kept(&whole).is_empty(), "{:?}", kept(&whole).keys());
    for first in [&["--write"][..], &["--phase", "expand", "--write"]] {
        let desk = Desk::new();
        let first = rewritten(&desk, first);
        assert_eq!([texts(&first, false), texts(&first, true)].concat(), at_once);
        assert!(!texts(&first, true).is_empty(), "{first}");
        assert!(!files(&desk).keys().any(|it| it.contains("contract")), "{:?}", files(&desk).keys());
        let mut portions = texts(&first, false);
        // What was committed meanwhile stands before what comes.
        let between = desk.folder.path().join("project/db/migrations/20990101000000_meanwhile.sql");
        std::fs::write(&between, "-- migrate:up\nSELECT 1;\n").expect("can be written");
        let mut held = true;
        while held {
            let before = kept(&desk).len();
            let next = rewritten(&desk, &["--continue", "--write"]);
            let paths = next["files"].as_array().expect("a list").iter().map(|it| it["path"].as_str());
            assert!(paths.flatten().all(|it| it > "db/migrations/20990101000000_meanwhile.sql"), "{next}");
            portions.extend(texts(&next, false));
            held = !texts(&next, true).is_empty();
            assert!(kept(&desk).len() < before, "{:?}", kept(&desk).keys());
        }
        assert_eq!(portions, at_once);
        assert!(kept(&desk).is_empty(), "{:?}", kept(&desk).keys());
        refused(&desk, &["--continue"], "is held back");
    }
}

/// It lies in the project: whoever brings it later need not be who wrote it, nor on the same machine, and what was changed there in a review counts.
#[test]
fn what_is_held_back_goes_with_the_project() {
    let desk = Desk::new();
    rewritten(&desk, &["--write"]);
    let up = kept(&desk).into_keys().find(|it| it.ends_with("contract.up.sql")).expect("the contract waits");
    let other = Desk::new();
    for folder in ["db/migrations", HELD] {
        let (from, to) = (
            desk.folder.path().join("project").join(folder),
            other.folder.path().join("project").join(folder),
        );
        std::fs::create_dir_all(&to).expect("can be made");
        for file in std::fs::read_dir(from).expect("is there").map(|it| it.expect("can be read").path()) {
            std::fs::copy(&file, to.join(file.file_name().expect("has one"))).expect("can be copied");
        }
    }
    let reviewed = other.folder.path().join("project").join(HELD).join(up);
    let text = std::fs::read_to_string(&reviewed).expect("is text") + "-- reviewed by Ana\n";
    std::fs::write(&reviewed, text).expect("can be written");
    let next = rewritten(&other, &["--continue", "--write"]);
    assert!(texts(&next, false).iter().any(|it| it.contains("-- reviewed by Ana")), "{next}");
}

/// What is there of an earlier rewrite of the same migration makes place.
#[test]
fn a_second_rewrite_replaces_what_waits_of_the_first() {
    let desk = Desk::new();
    rewritten(&desk, &["--phase", "expand", "--write"]);
    let many = kept(&desk).len();
    let original = crate::binaries::root().join("examples/shop").join(MIGRATION);
    std::fs::copy(&original, desk.folder.path().join("project").join(MIGRATION)).expect("can be written");
    rewritten(&desk, &["--write"]);
    assert!(!kept(&desk).is_empty() && kept(&desk).len() < many, "{:?}", kept(&desk).keys());
    std::fs::copy(&original, desk.folder.path().join("project").join(MIGRATION)).expect("can be written");
    rewritten(&desk, &["--write", "--all"]);
    assert!(kept(&desk).is_empty(), "{:?}", kept(&desk).keys());
    refused(&desk, &["--continue"], "is held back");
}

/// No phase reaches behind a release.
#[test]
fn a_release_is_waited_for_in_every_phase() {
    let desk = Desk::new();
    let first = rewritten(&desk, &["--phase", "contract", "--write"]);
    let release = first["releases"][0]["before_file"].as_str().expect("one waits");
    let files = first["files"].as_array().expect("a list");
    let waits: Vec<&str> =
        files.iter().filter(|it| it["held"] == true).filter_map(|it| it["path"].as_str()).collect();
    assert_eq!(waits.first(), Some(&release), "{first}");
}

#[test]
fn nothing_goes_on_without_what_came_before() {
    let desk = Desk::new();
    refused(&desk, &["--continue"], "is held back");
    rewritten(&desk, &["--phase", "expand", "--write"]);
    rewritten(&desk, &["--continue", "--phase", "backfill", "--write"]);
    let folder = desk.folder.path().join("project/db/migrations");
    let backfill = files(&desk).into_keys().find(|it| it.contains("backfill")).expect("is written");
    std::fs::remove_file(folder.join(backfill)).expect("is there");
    refused(&desk, &["--continue", "--write"], "is not there any more");
}

/// What somebody did to the kept files is told, and nothing outside their folder is read or written for it.
#[test]
fn what_is_kept_is_read_with_suspicion() {
    let desk = Desk::new();
    rewritten(&desk, &["--write"]);
    let place = |name: &str| desk.folder.path().join("project").join(HELD).join(name);
    let manifest = std::fs::read_to_string(place("steps.json")).expect("is text");
    let with = |from: &str, to: &str| {
        assert!(manifest.contains(from), "{manifest}");
        std::fs::write(place("steps.json"), manifest.replace(from, to)).expect("can be written");
    };
    with("users_full_name_contract", "../../../../../etc/passwd");
    refused(&desk, &["--continue"], "is not there");
    with("\"version\": 1", "\"version\": 2");
    refused(&desk, &["--continue"], "of another version");
    with("20260114100000", "20260114100001");
    refused(&desk, &["--continue"], "of another migration");
    with("{", "");
    refused(&desk, &["--continue"], "cannot be read");
    std::fs::write(place("steps.json"), &manifest).expect("can be written");
    let contract = kept(&desk).into_keys().find(|it| it.ends_with("contract.up.sql")).expect("it waits");
    std::fs::remove_file(place(&contract)).expect("is there");
    std::os::unix::fs::symlink("/etc/hostname", place(&contract)).expect("can be made");
    refused(&desk, &["--continue"], "link");
    std::fs::remove_file(place(&contract)).expect("is there");
    refused(&desk, &["--continue"], "bring it back");
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
