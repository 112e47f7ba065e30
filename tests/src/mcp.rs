//! `lockkeeper mcp` driven by the official SDK in both eras, with clients that can ask their human and clients that cannot.
//!
//! `tests/mcp/drive.py` plays the scenarios and prints what happened; what is right stands here.

use crate::binaries::{lockkeeper, root, target};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROJECT: &str = "examples/shop";
const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

const READ_ONLY: &[&str] = &[
    "analyze_migration",
    "check_usage",
    "describe_schema",
    "draft_plan",
    "explain",
    "find_references",
    "gate_status",
    "gather_signals",
    "get_plan",
    "list_questions",
    "propose_strategies",
    "verify_integrity",
];
const OTHERS: &[&str] = &[
    "answer_questions",
    "operation_status",
    "rehearse",
    "request_approval",
    "write_migrations",
    "write_report",
];

/// What happened in one scenario.
struct Played {
    outcome: Value,
    questions: Vec<Value>,
    created: Vec<String>,
}

type Scenarios = BTreeMap<String, Played>;

#[test]
fn a_legacy_client_asks_its_human() {
    let played = play("legacy");
    check_tools(&played);
    check_closed_gate(&played);
    check_answers(&played);
    check_changes_close(&played);
    check_drafted(&played["drafted"]);
    check_questions(&played["questions"]);
    check_offered(&played["offered"].outcome);
    check_rehearsed(&played["rehearsed"].outcome);
}

#[test]
fn a_modern_client_asks_its_human() {
    let played = play("modern");
    check_tools(&played);
    check_closed_gate(&played);
    check_answers(&played);
    check_changes_close(&played);
    check_replay(&played["replay"]);
    check_drafted(&played["drafted"]);
    check_questions(&played["questions"]);
    check_offered(&played["offered"].outcome);
}

/// The same over HTTP, in both eras: sessions, and none.
#[test]
fn clients_on_http_ask_their_human() {
    std::thread::scope(|scope| {
        for mode in ["legacy-http", "modern-http"] {
            scope.spawn(move || {
                let played = play(mode);
                check_tools(&played);
                check_closed_gate(&played);
                check_answers(&played);
                check_changes_close(&played);
                check_drafted(&played["drafted"]);
                check_questions(&played["questions"]);
                check_offered(&played["offered"].outcome);
            });
        }
    });
}

#[test]
fn a_client_that_cannot_ask_gets_the_way_to_a_human() {
    for mode in ["legacy-silent", "modern-silent"] {
        let played = play(mode);
        check_tools(&played);
        check_closed_gate(&played);
        for scenario in ["accepted", "wrong_digest", "declined"] {
            let Played { outcome, questions, created } = &played[scenario];
            assert!(questions.is_empty() && created.is_empty(), "{mode} {scenario}: {outcome}");
            assert_eq!(outcome["approval"]["status"], "approval_required", "{mode} {scenario}: {outcome}");
            assert!(how(&outcome["approval"]).contains("lockkeeper approve"), "{outcome}");
            assert_eq!(outcome["second"], "approval_required", "{mode} {scenario}: {outcome}");
        }
    }
}

/// Whatever is done to the ledger, to `.lockkeeper` and to the project from inside opens no gate, in either era.
#[test]
fn attacks_from_the_workspace_open_nothing() {
    let tried: u64 = std::thread::scope(|scope| {
        let eras: Vec<_> = ["legacy-attacks", "modern-attacks"]
            .into_iter()
            .map(|mode| scope.spawn(move || check_attacks(mode, &play(mode))))
            .collect();
        eras.into_iter().map(|it| it.join().expect("no attack comes through")).sum()
    });
    assert!(tried >= 120, "{tried}");
}

/// How many attacks were tried.
fn check_attacks(mode: &str, played: &Scenarios) -> u64 {
    let outcome = |name: &str| &played[name].outcome;
    let closed = "approval_required";
    assert_eq!(outcome("in_any_order"), &json!(["written", "written", closed, closed]), "{mode}");
    assert_eq!(outcome("report_first"), &json!(["written", "written", closed]), "{mode}");
    let plan_only = json!({"refused": [true, true, true, true, true], "created": []});
    assert_eq!(outcome("plan_only"), &plan_only, "{mode}");
    let failed = json!({
        "failed": [true, true], "outside": [], "created_by_failures": [], "after": ["written", "written"],
    });
    assert_eq!(outcome("failed_write"), &failed, "{mode}");
    assert_eq!(outcome("nagging"), &json!({"statuses": [closed], "retry_after": true}), "{mode}");
    let forms = played["nagging"].questions.len();
    assert!(forms <= 5, "{mode}: {forms} forms for 120 requests");
    let copied = json!({"elsewhere": "error", "written": closed, "replaced": "error", "back": "open"});
    assert_eq!(outcome("copied"), &copied, "{mode}");
    let raised = json!({
        "written": closed, "tier": "attended", "forms": 0, "shown": true, "rules": true,
    });
    for change in ["severity", "limits", "ignore", "tightened"] {
        assert_eq!(outcome("loosened")[change], raised, "{mode} {change}: {}", outcome("loosened"));
    }
    assert_eq!(outcome("loosened")["back"], "written", "{mode}");
    let secrets = outcome("secrets");
    assert_eq!((&secrets["leaks"], &secrets["long"]), (&json!([]), &json!([])), "{mode}: {secrets}");
    assert_eq!(secrets["planned"], true, "{mode}: {secrets}");
    let bounded =
        json!({"pages": 3, "all": true, "long_errors": [], "long_plans": [], "raw": false, "plan": true});
    assert_eq!(outcome("bounded"), &bounded, "{mode}");
    assert_eq!(outcome("many_servers"), &json!({"reports": 1, "migrations": 1}), "{mode}");
    let attacked = ["approved_attacked", "declined_attacked", "used_attacked", "linked"];
    let tried = attacked.iter().map(|name| {
        let outcome = outcome(name);
        assert_eq!(outcome["through"], json!([]), "{mode} {name}: {outcome}");
        outcome["tried"].as_u64().expect("a number")
    });
    tried.sum()
}

fn play(mode: &str) -> Scenarios {
    let mut driver = Command::new(python());
    driver
        .args(["-B", "tests/mcp/drive.py"])
        .arg(lockkeeper())
        .args([PROJECT, MIGRATION, mode])
        .current_dir(root());
    let output = driver.output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines().map(|line| scenario(serde_json::from_str(line).expect("each line is JSON"))).collect()
}

fn scenario(line: Value) -> (String, Played) {
    let name = line["scenario"].as_str().expect("a name").to_owned();
    let outcome = line["outcome"].clone();
    assert_eq!(outcome.get("broken"), None, "{line:#}");
    let questions = line["questions"].as_array().expect("a list").clone();
    let created = serde_json::from_value(line["created"].clone()).expect("a list of paths");
    (name, Played { outcome, questions, created })
}

/// The Python with the MCP SDK.
fn python() -> PathBuf {
    let path: &Path = &target().join("venv/bin/python");
    assert!(path.is_file(), "{} is not there: `cargo xtask test` makes it", path.display());
    path.to_owned()
}

fn how(answer: &Value) -> String {
    let lines = answer["how"].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.collect::<Vec<_>>().join("\n")
}

/// Clients decide by annotations: what reads says so, and nothing that asks or writes does.
fn check_tools(played: &Scenarios) {
    let outcome = &played["tools"].outcome;
    let names: Vec<&str> =
        outcome["names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let read_only: Vec<&str> =
        outcome["read_only"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for tool in READ_ONLY {
        assert!(names.contains(tool) && read_only.contains(tool), "{tool}: {outcome}");
    }
    for tool in OTHERS {
        assert!(names.contains(tool) && !read_only.contains(tool), "{tool}: {outcome}");
    }
    assert_eq!(outcome["without_output_schema"], json!([]));
    let bytes = outcome["bytes"].as_u64().expect("a number");
    assert!(bytes < 14_000, "the list of tools costs {bytes} bytes before anything is done");
    let read = json!({"signals": true, "analysis": true, "unknown": true, "written": true, "next": true});
    assert_eq!(played["reading"].outcome, read);
    for (bad, answer) in played["other_plan"].outcome.as_object().expect("two answers") {
        assert_ne!(answer["status"], "approved", "{bad}");
    }
    assert!(played["other_plan"].questions.is_empty());
}

fn check_closed_gate(played: &Scenarios) {
    let Played { outcome, questions, created } = &played["closed"];
    let answer = &outcome["answer"];
    assert_eq!(answer["status"], "approval_required", "{answer}");
    assert_eq!(answer["gate"], "strategy", "{answer}");
    for key in ["plan", "digest", "tier", "expires"] {
        assert!(answer[key].is_string(), "{key}: {answer}");
    }
    assert!(!how(answer).is_empty(), "{answer}");
    assert!(questions.is_empty() && created.is_empty(), "{created:?}");
}

/// Only the typed short digest opens, and only once; everything else is as if nobody had been asked.
fn check_answers(played: &Scenarios) {
    let Played { outcome, questions, created } = &played["accepted"];
    let typed = outcome["typed"].as_str().expect("a short digest");
    assert_eq!(outcome["approval"]["status"], "approved", "{outcome}");
    assert!(!created.is_empty() && outcome["created_by_second"] == json!(created), "{outcome}");
    assert_ne!(outcome["third"], "written", "an approval is used once: {outcome}");
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0]["fields"], json!(["digest"]));
    assert!(questions[0]["message"].as_str().is_some_and(|text| text.contains(typed)), "{questions:?}");

    for refused in ["wrong_digest", "yes", "declined", "cancelled"] {
        let Played { outcome, questions, created } = &played[refused];
        assert_eq!(questions.len(), 1, "{refused}");
        assert_ne!(outcome["approval"]["status"], "approved", "{refused}: {outcome}");
        assert_eq!(outcome["second"], "approval_required", "{refused}: {outcome}");
        assert!(created.is_empty(), "{refused}: {created:?}");
    }
}

fn check_changes_close(played: &Scenarios) {
    let stale = &played["stale"];
    assert_eq!(stale.outcome["approval"]["status"], "approved");
    assert_eq!(stale.outcome["second"]["status"], "approval_required");
    let reason = stale.outcome["second"]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains(&format!("stale: file {MIGRATION}")), "{reason}");
    assert!(stale.created.is_empty());

    let tampered = &played["tampered"];
    let reason = tampered.outcome["second"]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("ledger line 2"), "{reason}");
    assert!(tampered.created.is_empty());
}

/// An agent with nothing but the tools gets from a sentence of SQL to files and report, through the gate.
fn check_drafted(played: &Played) {
    let Played { outcome, questions, created } = played;
    let said = |key: &str| outcome[key].as_str().unwrap_or_default();
    assert_eq!(outcome["before"], json!([]), "a draft writes nothing: {outcome}");
    assert_eq!((said("first"), said("approval")), ("approval_required", "approved"), "{outcome}");
    assert_eq!((said("written"), said("report")), ("written", "written"), "{outcome}");
    assert_ne!(said("again"), "written", "{outcome}");
    assert_eq!(
        (&outcome["as_shown"], &outcome["listed"], &outcome["next"]),
        (&json!(true), &json!(true), &json!(true))
    );
    assert!(outcome["count"].as_u64() > Some(3) && outcome["held"].as_u64() >= Some(2), "{outcome}");
    assert!(outcome["releases"].to_string().contains("orders.state"), "{outcome}");
    assert_eq!(created.len() as u64, outcome["count"].as_u64().expect("a number") + 3, "{created:?}");
    assert_eq!(questions.len(), 1);
}

fn check_questions(played: &Played) {
    let Played { outcome, questions, .. } = played;
    for key in ["by_agent", "unknown", "untouched", "kept", "listed"] {
        assert_eq!(outcome[key], true, "{key}: {outcome}");
    }
    assert_eq!(outcome["not_asked"], false, "{outcome}");
    assert_eq!(outcome["answered"]["answered"], json!(["acceptable-loss"]), "{outcome}");
    assert_eq!(outcome["answered"]["refused"].as_array().map(Vec::len), Some(1), "{outcome}");
    assert_eq!((&outcome["declined"], &outcome["quiet"]), (&json!("not_answered"), &json!("not_answered")));
    assert_eq!(questions.len(), 2, "a closed form is not brought up again: {questions:?}");
    assert_eq!(questions[0]["fields"], json!(["acceptable-loss", "write-rate"]));
}

fn check_offered(outcome: &Value) {
    assert_eq!(outcome["new"], json!(["lockkeeper://plan/PLAN", "lockkeeper://report/PLAN"]), "{outcome}");
    assert_eq!(outcome["templates"].as_array().map(Vec::len), Some(5), "{outcome}");
    for (uri, length) in outcome["read"].as_object().expect("an object") {
        let length = length.as_u64().unwrap_or_else(|| panic!("{uri}: {length}"));
        // Nothing was asked yet, so the ledger is empty.
        assert!(length <= 25_000 && (length > 100 || uri == "lockkeeper://ledger"), "{uri}: {length}");
    }
    assert!(outcome["hostile"].as_array().into_iter().flatten().all(|it| it == false), "{outcome}");
    assert_eq!(outcome["prompts"], json!(["next_step", "plan_change", "review_migration", "write_report"]));
    assert_eq!((&outcome["filled"], &outcome["missing"]), (&json!(true), &json!(true)), "{outcome}");
    assert_eq!(outcome["completed"], json!(["renamed-column"]), "{outcome}");
}

fn check_rehearsed(outcome: &Value) {
    assert_eq!(outcome["status"], "done", "{outcome}");
    assert!(outcome["steps"].as_u64() > Some(0), "{outcome}");
    assert_eq!(outcome["wrong"], "failed", "{outcome}");
    assert_eq!((&outcome["outside"], &outcome["unknown"]), (&json!(true), &json!(true)));
    assert_eq!(
        (&outcome["stopped"], &outcome["started"]),
        (&json!("cancelled"), &json!("cancelled")),
        "{outcome}"
    );
}

fn check_replay(played: &Played) {
    let outcome = &played.outcome;
    assert_ne!(outcome["changed_state"]["status"], "approved", "{outcome}");
    assert_eq!(outcome["first"]["status"], "approved", "{outcome}");
    assert_ne!(outcome["used"], "approval_required", "{outcome}");
    assert_ne!(outcome["replayed"]["status"], "approved", "{outcome}");
    assert_ne!(outcome["after_replay"], "written", "{outcome}");
}
