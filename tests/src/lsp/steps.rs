//! The step files of a rewrite: whole, and with steps that were undone or removed.

use std::path::Path;
use std::process::Command;

use super::session::{RENAME, Session, list, plain, text, vs_code};
use crate::binaries::lockkeeper;
use serde_json::{Value, json};

const GAP: &str = "incomplete-steps";

/// The shop with the rewrite of its rename written, and the files of the steps in order.
fn rewritten(folder: &Path) -> Vec<String> {
    let output = Command::new(lockkeeper())
        .args(["rewrite", RENAME, "--write", "--all", "--format", "json"])
        .current_dir(folder)
        .output()
        .expect("starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    list(&report["files"]).iter().map(|it| text(&it["path"]).to_owned()).collect()
}

fn gaps(session: &mut Session, path: &str) -> Vec<Value> {
    let found = list(&session.ask("textDocument/diagnostic", path, json!({}))["items"]);
    found.into_iter().filter(|it| it["code"] == GAP).collect()
}

fn reloaded(session: &mut Session, path: &str) {
    let changes = json!({"changes": [{"uri": session.uri(path), "type": 2}]});
    session.client.notify("workspace/didChangeWatchedFiles", changes);
    let refresh = session.client.next("workspace/diagnostic/refresh");
    session.client.send(&json!({"jsonrpc": "2.0", "id": refresh["id"], "result": null}));
}

#[test]
fn a_step_that_is_undone_is_told_on_every_other() {
    let mut session = Session::start(vs_code());
    let original = session.text(RENAME);
    let steps = rewritten(session.folder.path());
    assert_eq!(steps.len(), 7);
    for step in &steps {
        let text = session.text(step);
        session.open(step, &text);
    }
    reloaded(&mut session, RENAME);
    for step in &steps {
        assert_eq!(gaps(&mut session, step), Vec::<Value>::new(), "{step}");
    }
    // As after one undo in the first buffer: nothing of it is on disk.
    session.change(RENAME, 2, &original);
    for step in &steps[1..] {
        let gaps = gaps(&mut session, step);
        assert!(text(&gaps[0]["message"]).contains("step 1 is not here"), "{gaps:#?}");
    }
    let actions = session.actions(&steps[1], 0, 0);
    let removal =
        actions.iter().find(|it| text(&it["title"]) == "Remove the 6 files behind the missing step");
    let changes = list(&removal.expect("the way out")["edit"]["documentChanges"]);
    let removed: Vec<String> = changes.iter().map(|it| text(&it["uri"]).to_owned()).collect();
    let expected: Vec<String> = steps[1..].iter().map(|it| session.uri(it)).collect();
    assert!(changes.iter().all(|it| it["kind"] == "delete"), "{changes:#?}");
    assert_eq!(removed, expected);
    // Redone, all is well.
    let step = session.text(RENAME);
    session.change(RENAME, 3, &step);
    assert_eq!(gaps(&mut session, &steps[3]), Vec::<Value>::new());
}

#[test]
fn the_command_line_says_the_same() {
    let session = Session::start(plain());
    let steps = rewritten(session.folder.path());
    std::fs::remove_file(session.folder.path().join(&steps[2])).expect("a step");
    let check = |path: &[&str]| {
        let output = Command::new(lockkeeper())
            .args(["check", "--format", "json"])
            .args(path)
            .current_dir(session.folder.path())
            .output()
            .expect("starts");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let problems = list(&report["problems"]);
        let told = problems.iter().filter(|it| text(&it["message"]).contains("step 3 is not here"));
        told.map(|it| text(&it["path"]).to_owned()).collect::<Vec<_>>()
    };
    let others: Vec<String> = steps.iter().filter(|it| **it != steps[2]).cloned().collect();
    assert_eq!(check(&[]), others);
    assert_eq!(check(&[&steps[4]]), [steps[4].clone()]);
}

#[test]
fn the_first_line_of_a_step_says_where_it_stands() {
    let mut session = Session::start(vs_code());
    let steps = rewritten(session.folder.path());
    let path = session.text(&steps[6]);
    session.open(&steps[6], &path);
    reloaded(&mut session, &steps[6]);
    let lenses = list(&session.ask("textDocument/codeLens", &steps[6], json!({})));
    let titles: Vec<&str> = lenses.iter().map(|it| text(&it["command"]["title"])).collect();
    assert!(titles[0].starts_with("step 7 of 7 · before it: "), "{titles:?}");
    let text_of = session.text(&steps[1]);
    session.open(&steps[1], &text_of);
    let lenses = list(&session.ask("textDocument/codeLens", &steps[1], json!({})));
    let next = steps[2].rsplit('/').next().expect("a name");
    assert_eq!(text(&lenses[0]["command"]["title"]), format!("step 2 of 7 · next: {next}"), "{lenses:#?}");
}
