//! Code actions: fixes, allowances, and rewrites in the shape that each client takes.

use super::session::{RENAME, Session, eglot, list, neovim, text, vs_code};
use serde_json::{Value, json};

const REWRITE: &str = "Rewrite as expand-contract (creates ";

#[track_caller]
fn titled(actions: &[Value], start: &str) -> Value {
    let titles: Vec<&str> = actions.iter().map(|it| text(&it["title"])).collect();
    let found = actions.iter().find(|it| text(&it["title"]).starts_with(start));
    found.unwrap_or_else(|| panic!("{start} is not among {titles:?}")).clone()
}

fn resolved(session: &mut Session, action: Value) -> Value {
    let answer = session.client.request("codeAction/resolve", action);
    assert!(answer.get("error").is_none(), "{answer:#}");
    answer["result"]["edit"].clone()
}

/// How many files the title promises.
fn promised(action: &Value) -> usize {
    let rest = text(&action["title"]).strip_prefix(REWRITE).unwrap_or_default();
    rest.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or_default()
}

#[test]
fn vs_code_gets_labelled_operations() {
    let mut session = Session::start(vs_code());
    session.open_rename();
    let action = titled(&session.actions(RENAME, 1, 40), REWRITE);
    assert_eq!((&action["kind"], &action["edit"]), (&json!("quickfix"), &Value::Null), "the recommended way");
    let promised = promised(&action);
    let edit = resolved(&mut session, action);
    let changes = list(&edit["documentChanges"]);
    let created: Vec<&Value> = changes.iter().filter(|it| it["kind"] == "create").collect();
    // What waits for the release is kept where nothing is deployed from.
    let held = session.uri(".lockkeeper/held/db/migrations");
    let (kept, now): (Vec<&Value>, Vec<_>) =
        created.iter().partition(|it| text(&it["uri"]).starts_with(&held));
    assert!(promised >= 2 && now.len() == promised, "{promised}: {changes:#?}");
    assert!(kept.iter().any(|it| text(&it["uri"]).ends_with("_contract.up.sql")), "{kept:#?}");
    for creation in created {
        assert_eq!(creation["options"], json!({"overwrite": false, "ignoreIfExists": false}));
    }
    let label = edit["changeAnnotations"].as_object().expect("labels").iter().next().expect("one");
    assert_eq!(label.1["needsConfirmation"], false);
    let edits = changes.iter().filter(|it| it.get("kind").is_none());
    assert!(edits.flat_map(|it| list(&it["edits"])).all(|it| it["annotationId"] == *label.0));
    let own = session.uri(RENAME);
    let replaced = changes.iter().find(|it| it["textDocument"]["uri"] == own);
    assert!(replaced.is_none_or(|it| it["textDocument"]["version"] == 1), "{replaced:#?}");
}

/// What VS Code undoes at once is what it did in a row: a file that is made behind an edit stays.
#[test]
fn all_files_are_made_before_any_is_edited() {
    let mut session = Session::start(vs_code());
    session.open_rename();
    let action = titled(&session.actions(RENAME, 1, 40), REWRITE);
    let edit = resolved(&mut session, action);
    let kinds: Vec<bool> = list(&edit["documentChanges"]).iter().map(|it| it["kind"] == "create").collect();
    let creates = kinds.iter().filter(|it| **it).count();
    assert!(creates > 1 && kinds[..creates].iter().all(|it| *it), "{kinds:?}");
}

#[test]
fn the_recommended_way_comes_first_and_belongs_to_its_hazard() {
    let mut session = Session::start(vs_code());
    session.open_rename();
    let found = list(&session.ask("textDocument/diagnostic", RENAME, json!({}))["items"]);
    assert_eq!(text(&found[0]["code"]), "renamed-column", "the worst first: {found:#?}");
    let place = json!({"line": 1, "character": 35});
    let params = json!({"range": {"start": place, "end": place}, "context": {"diagnostics": found, "only": ["quickfix"]}});
    let actions = list(&session.ask("textDocument/codeAction", RENAME, params));
    let titles: Vec<&str> = actions.iter().map(|it| text(&it["title"])).collect();
    let best = &actions[0];
    assert!(
        titles[0].starts_with(REWRITE) && titles[0].ends_with("1 release, locks for moments, recommended)"),
        "{titles:?}"
    );
    assert_eq!(list(&best["diagnostics"])[0]["code"], "renamed-column", "{best:#}");
    let preferred = actions.iter().filter(|it| it["isPreferred"] == true).count();
    assert_eq!(preferred, 1, "{titles:?}");
    let allows = titles.iter().position(|it| it.starts_with("Allow")).expect("an allowance");
    assert!(titles[allows..].iter().all(|it| it.starts_with("Allow")), "{titles:?}");
    // Where nothing is rewritten the fix is preferred.
    let last = session.open_last(
        "CREATE INDEX orders_status ON orders (status);\nALTER TABLE orders ADD COLUMN note text;",
    );
    let actions = session.actions(last, 2, 5);
    let preferred: Vec<&Value> = actions.iter().filter(|it| it["isPreferred"] == true).collect();
    assert!(preferred.iter().all(|it| !text(&it["title"]).starts_with("Rewrite")), "{actions:#?}");
}

/// Else the warning only moves to the way back.
#[test]
fn a_timeout_is_set_on_both_ways() {
    let mut session = Session::start(vs_code());
    session.open_rename();
    let timeout = titled(&session.actions(RENAME, 1, 5), "Give up after two seconds");
    let edits = list(&list(&timeout["edit"]["documentChanges"])[0]["edits"]);
    let lines: Vec<u64> = edits.iter().filter_map(|it| it["range"]["start"]["line"].as_u64()).collect();
    assert_eq!(lines, [1, 4], "{timeout:#}");
}

#[test]
fn neovim_gets_operations_without_labels() {
    let mut session = Session::start(neovim());
    session.open_rename();
    let action = titled(&session.actions(RENAME, 1, 40), REWRITE);
    let edit = resolved(&mut session, action);
    assert!(list(&edit["documentChanges"]).iter().any(|it| it["kind"] == "create"), "{edit:#}");
    assert_eq!(edit.get("changeAnnotations"), None);
}

#[test]
fn eglot_gets_plain_edits_at_once() {
    let mut session = Session::start(eglot());
    session.open_rename();
    let action = titled(&session.actions(RENAME, 1, 40), REWRITE);
    let changes = list(&action["edit"]["documentChanges"]);
    assert!(
        changes.len() >= promised(&action) && changes.iter().all(|it| it.get("kind").is_none()),
        "{changes:#?}"
    );
    let folders = [session.uri("db/migrations"), session.uri(".lockkeeper/held/db/migrations")];
    let inside = |uri: &str| folders.iter().any(|it| uri.starts_with(it));
    assert!(changes.iter().all(|it| inside(text(&it["textDocument"]["uri"]))), "{changes:#?}");
    assert_eq!(session.server["capabilities"]["codeActionProvider"]["resolveProvider"], false);
}

#[test]
fn an_action_of_an_old_text_is_refused() {
    let mut session = Session::start(vs_code());
    session.open_rename();
    let action = titled(&session.actions(RENAME, 1, 40), REWRITE);
    let text = session.text(RENAME) + "-- more\n";
    session.change(RENAME, 2, &text);
    let answer = session.client.request("codeAction/resolve", action);
    assert_eq!(answer["error"]["code"], -32801, "{answer:#}");
    assert_eq!(answer["error"]["message"], "the document changed: ask again");
}

#[test]
fn fixes_and_allowances_edit_the_version_at_hand() {
    let mut session = Session::start(vs_code());
    let last = session.open_last("  CREATE INDEX orders_status ON orders (status);");
    let actions = session.actions(last, 1, 10);
    let fix = actions
        .iter()
        .find(|it| it["isPreferred"] == Value::Null && text(&it["title"]).starts_with("Build the index"));
    let change = list(&fix.expect("a fix")["edit"]["documentChanges"])[0].clone();
    assert_eq!(change["textDocument"], json!({"uri": session.uri(last), "version": 1}));
    let allow = titled(&actions, "Allow blocking-index-build here…");
    let edit = list(&allow["edit"]["documentChanges"])[0]["edits"][0].clone();
    assert_eq!(edit["newText"], "-- lockkeeper: allow blocking-index-build because \n  ");
    assert_eq!(edit["range"]["start"], json!({"line": 1, "character": 2}));
}

#[test]
fn what_cannot_be_rewritten_says_why() {
    let mut session = Session::start(vs_code());
    // Without a primary key nothing can be moved in batches, and the words behind it cannot be read.
    let last = session.open_last("ALTER TABLE users RENAME COLUMN email TO mail;\nALTR TABEL users;");
    let actions = session.actions(last, 1, 10);
    let disabled = actions.iter().filter(|it| it["disabled"].is_object());
    for action in disabled {
        assert!(!text(&action["disabled"]["reason"]).is_empty(), "{action:#}");
        assert_eq!(action.get("edit"), None);
    }
    assert!(actions.iter().any(|it| it["kind"] == "refactor.rewrite"), "{actions:#?}");
}

#[test]
fn what_is_asked_for_is_offered_and_nothing_else() {
    let mut session = Session::start(vs_code());
    session.open_rename();
    let place = json!({"line": 1, "character": 35});
    let params = json!({"range": {"start": place, "end": place}, "context": {"diagnostics": [], "only": ["refactor"]}});
    let actions = list(&session.ask("textDocument/codeAction", RENAME, params));
    assert!(!actions.is_empty() && actions.iter().all(|it| it["kind"] == "refactor.rewrite"), "{actions:#?}");
    assert!(session.actions(RENAME, 0, 3).is_empty());
}

/// What `editor.codeActionsOnSave` runs.
#[test]
fn all_safe_fixes_are_one_action() {
    let mut session = Session::start(vs_code());
    session.open_rename();
    let place = json!({"line": 0, "character": 0});
    let params = json!({"range": {"start": place, "end": place}, "context": {"diagnostics": [], "only": ["source.fixAll"]}});
    let actions = list(&session.ask("textDocument/codeAction", RENAME, params));
    assert_eq!(actions.len(), 1, "{actions:#?}");
    assert_eq!(actions[0]["kind"], "source.fixAll.lockkeeper");
    let edits = list(&list(&actions[0]["edit"]["documentChanges"])[0]["edits"]);
    let inserted: String = edits.iter().map(|it| text(&it["newText"]).to_owned()).collect();
    assert_eq!(inserted.matches("lock_timeout").count(), 2, "{edits:#?}");
    // An editor that asks for anything is not made to wait for it.
    assert!(session.actions(RENAME, 1, 5).iter().all(|it| it["kind"] != "source.fixAll.lockkeeper"));
}

#[test]
fn the_cursor_goes_where_the_reason_is_written() {
    let mut client = vs_code();
    client["window"] = json!({"showDocument": {"support": true}});
    let mut session = Session::start(client);
    let last = session.open_last("  CREATE INDEX orders_status ON orders (status);");
    let allow = titled(&session.actions(last, 1, 10), "Allow blocking-index-build here…");
    let answer = session.client.request("workspace/executeCommand", allow["command"].clone());
    assert_eq!(answer["result"], Value::Null, "{answer:#}");
    let shown = session.client.next("window/showDocument")["params"].clone();
    let behind = "  -- lockkeeper: allow blocking-index-build because ".len();
    assert_eq!(shown["selection"]["start"], json!({"line": 1, "character": behind}), "{shown:#}");
    assert_eq!(shown["uri"], session.uri(last));
}

#[test]
fn edits_end_lines_as_the_document_does() {
    let mut session = Session::start(vs_code());
    let text_now = session.text(RENAME).replace('\n', "\r\n");
    session.open(RENAME, &text_now);
    let actions = session.actions(RENAME, 1, 5);
    let rewrite = titled(&actions, REWRITE);
    let edit = resolved(&mut session, rewrite);
    let texts: Vec<Value> = list(&edit["documentChanges"]).iter().flat_map(|it| list(&it["edits"])).collect();
    assert!(texts.len() > 2);
    for edit in
        texts.iter().chain(&list(&list(&titled(&actions, "Give up")["edit"]["documentChanges"])[0]["edits"]))
    {
        let text = text(&edit["newText"]);
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
    }
}
