//! What is shown: diagnostics, hints, hover, symbols.

use super::session::{RENAME, Session, address, codes, list, neovim, plain, text, vs_code};
use serde_json::{Value, json};

/// The diagnostics of the rename, once its readers are found.
fn with_readers(session: &mut Session) -> Value {
    loop {
        let published = session.diagnostics(RENAME);
        let found = list(&published["diagnostics"]).into_iter();
        let rename = found.into_iter().find(|it| it["code"] == "renamed-column").expect("the hazard");
        if !list(&rename["relatedInformation"]).is_empty() {
            return rename;
        }
    }
}

#[test]
fn the_rename_is_an_error_with_its_readers() {
    let mut session = Session::start(plain());
    session.open_rename();
    let rename = with_readers(&mut session);
    assert_eq!((&rename["severity"], &rename["source"]), (&json!(1), &json!("lockkeeper")));
    assert_eq!(rename["range"]["start"], json!({"line": 1, "character": 32}));
    let readers = list(&rename["relatedInformation"]);
    let places: Vec<(String, u64)> = readers
        .iter()
        .map(|it| {
            let uri = text(&it["location"]["uri"]);
            (
                uri.rsplit('/').next().unwrap_or("").to_owned(),
                it["location"]["range"]["start"]["line"].as_u64().unwrap_or(0),
            )
        })
        .collect();
    assert_eq!(readers.len(), 15, "{places:?}");
    assert!(places.contains(&("users.ts".to_owned(), 11)), "{places:?}");
    assert!(places.contains(&("monthly_customers.sql".to_owned(), 1)), "{places:?}");
}

#[test]
fn a_client_that_asks_is_told_when_to_ask_again() {
    let mut session = Session::start(vs_code());
    assert!(session.server["capabilities"]["diagnosticProvider"].is_object());
    session.open_rename();
    let pull =
        |session: &mut Session| session.ask("textDocument/diagnostic", RENAME, json!({}))["items"].clone();
    assert_eq!(codes(&json!({"diagnostics": pull(&mut session)})), ["renamed-column"]);
    let refresh = session.client.next("workspace/diagnostic/refresh");
    session.client.send(&json!({"jsonrpc": "2.0", "id": refresh["id"], "result": null}));
    let items = list(&pull(&mut session));
    let rename = items.iter().find(|it| it["code"] == "renamed-column").expect("the hazard");
    assert_eq!(list(&rename["relatedInformation"]).len(), 15);
    let pushed = session.client.unread.iter().any(|it| it["method"] == "textDocument/publishDiagnostics");
    assert!(!pushed, "it would be shown twice");
}

#[test]
fn hints_say_who_waits_for_what_in_forty_characters() {
    let mut session = Session::start(plain());
    session.open_rename();
    assert_eq!(session.hints(RENAME), ["reads+writes wait · catalog only · users"]);
    let last = session
        .open_last("CREATE TABLE t (a int);\nALTER TABLE t ADD b int;\nCREATE INDEX ON orders (status);\nDROP TABLE customer_addresses;");
    let hints = session.hints(last);
    assert!(hints[0].starts_with("writes wait · index build "), "{hints:?}");
    assert!(hints.iter().all(|it| it.chars().count() <= 40), "{hints:?}");
}

#[test]
fn hints_are_shown_as_the_client_sets() {
    let mut session = Session::start(plain());
    session.open_rename();
    let mut with = |hints: &str| {
        let settings = json!({"settings": {"lockkeeper": {"hints": hints}}});
        session.client.notify("workspace/didChangeConfiguration", settings);
        session.hints(RENAME).len()
    };
    // One for each way.
    assert_eq!([with("all"), with("off"), with("up")], [2, 0, 1]);
}

/// A table that others point at locks them too, and none of them is the one that is meant.
#[test]
fn every_lock_stands_in_the_tooltip() {
    let mut session = Session::start(plain());
    let last = session.open_last("DROP TABLE orders CASCADE;");
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}});
    let hints = list(&session.ask("textDocument/inlayHint", last, json!({"range": range})));
    let tooltip = text(&hints[0]["tooltip"]["value"]);
    for table in ["`orders`", "`order_items`"] {
        assert!(tooltip.contains(table), "{table} is not in:\n{tooltip}");
    }
}

#[test]
fn hover_explains_the_statement() {
    let mut session = Session::start(plain());
    session.open_rename();
    let hover = session.hover(RENAME, 1, 35);
    let words = text(&hover["contents"]["value"]);
    for part in
        ["| `users` | ACCESS EXCLUSIVE | reads and writes wait |", "`renamed-column`: the running release"]
    {
        assert!(words.contains(part), "{part} is not in:\n{words}");
    }
    let [danger, timeout] = ["`renamed-column`", "`no-lock-timeout`"].map(|it| words.find(it).expect("both"));
    assert!(danger < timeout, "the worst first:\n{words}");
    assert_eq!(words.matches("**Why.**").count(), 1, "{words}");
    assert_eq!(session.hover(RENAME, 0, 3), Value::Null);
    assert_eq!(session.hover("db/migrations/20990101000000_closed.sql", 0, 0), Value::Null);
}

/// What stands before the hazard is 10 bytes wide, 5 code units, or 3 characters.
#[test]
fn columns_count_as_the_client_does() {
    let sql = "SELECT '🦀🦀é'; ALTER TABLE users DROP COLUMN email;";
    let start = |encodings: Value| {
        let mut session = Session::start(json!({"general": {"positionEncodings": encodings}}));
        assert_eq!(session.server["capabilities"]["positionEncoding"], encodings[0]);
        let last = session.open_last(sql);
        let published = session.diagnostics(last);
        let dropped = list(&published["diagnostics"]).into_iter().find(|it| it["code"] == "dropped-column");
        let column = dropped.expect("the hazard")["range"]["start"]["character"].as_u64().expect("a column");
        let hover = session.hover(last, 1, u32::try_from(column).expect("small"));
        assert!(text(&hover["contents"]["value"]).contains("dropped-column"), "{encodings}");
        column
    };
    let in_bytes = start(json!(["utf-8", "utf-16"]));
    assert_eq!(start(json!(["utf-16"])), in_bytes - 5);
    assert_eq!(start(json!(["utf-32", "utf-16"])), in_bytes - 7);
}

#[test]
fn closing_clears() {
    let mut session = Session::start(plain());
    session.open_rename();
    assert_eq!(session.diagnostics(RENAME)["version"], 1);
    let uri = session.uri(RENAME);
    session.client.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    loop {
        let published = session.diagnostics(RENAME);
        if list(&published["diagnostics"]).is_empty() {
            break;
        }
    }
}

#[test]
fn a_broken_statement_hides_no_other() {
    let mut session = Session::start(plain());
    let last = session.open_last(
        "ALTER TABLE users DROP COLUMN email;\nALTR TABEL users;\nALTER TABLE orders DROP COLUMN status;",
    );
    let mut codes = codes(&session.diagnostics(last));
    codes.retain(|code| code.starts_with("dropped") || code == "not-analysed");
    assert_eq!(codes, ["dropped-column", "dropped-column", "not-analysed"], "the worst first");
}

#[test]
fn a_file_of_no_project_is_checked_alone() {
    let mut session = Session::start(plain());
    let elsewhere = tempfile::tempdir().expect("a folder");
    let uri = address(elsewhere.path()) + "/x.sql";
    let document =
        json!({"uri": uri, "languageId": "sql", "version": 7, "text": "ALTER TABLE users DROP COLUMN name;"});
    session.client.notify("textDocument/didOpen", json!({"textDocument": document}));
    let published = session.client.wait_for(|it| it["params"]["uri"] == uri);
    assert_eq!(published["params"]["version"], 7);
    assert!(codes(&published["params"]).contains(&"dropped-column".to_owned()), "{published:#}");
}

#[test]
fn unsaved_earlier_migrations_count_for_later_ones() {
    let mut session = Session::start(neovim());
    let last = session.open_last("ALTER TABLE fresh ADD COLUMN a int;");
    assert!(codes(&session.diagnostics(last)).contains(&"failing-statement".to_owned()));
    session.open(
        "db/migrations/20260601000000_fresh.sql",
        "-- migrate:up\nCREATE TABLE fresh (id bigint);\n-- migrate:down\n",
    );
    assert_eq!(codes(&session.diagnostics(last)), ["missing-down"]);
}

#[test]
fn files_that_appear_on_disk_count() {
    let mut session = Session::start(plain());
    let last = session.open_last("ALTER TABLE fresh ADD COLUMN a int;");
    assert!(codes(&session.diagnostics(last)).contains(&"failing-statement".to_owned()));
    let path = session.folder.path().join("db/migrations/20260601000000_fresh.sql");
    std::fs::write(&path, "-- migrate:up\nCREATE TABLE fresh (id bigint);\n-- migrate:down\n")
        .expect("written");
    let changes = json!({"changes": [{"uri": address(&path), "type": 1}]});
    session.client.notify("workspace/didChangeWatchedFiles", changes);
    assert_eq!(codes(&session.diagnostics(last)), ["missing-down"]);
}

#[test]
fn statements_are_symbols_and_folds() {
    let mut session = Session::start(vs_code());
    let last = session.open_last("CREATE TABLE t (\n  a int\n);\nDROP TABLE orders;");
    let symbols = list(&session.ask("textDocument/documentSymbol", last, json!({})));
    let names: Vec<&str> = symbols.iter().map(|it| text(&it["name"])).collect();
    assert_eq!(names, ["CREATE TABLE t", "DROP TABLE orders"]);
    let folds = list(&session.ask("textDocument/foldingRange", last, json!({})));
    assert_eq!(folds, [json!({"startLine": 1, "endLine": 3})]);
}

#[test]
fn a_file_that_is_not_open_is_told_as_it_is_on_disk() {
    let mut session = Session::start(vs_code());
    let first = session.ask("textDocument/diagnostic", RENAME, json!({}));
    assert_eq!(codes(&json!({"diagnostics": first["items"]})), ["renamed-column"]);
    let again =
        session.ask("textDocument/diagnostic", RENAME, json!({"previousResultId": first["resultId"]}));
    assert!(again["kind"] == "unchanged" || list(&again["items"]).len() > 1, "{again:#}");
    // Outside of the project nothing is read for it.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let path = elsewhere.path().join("x.sql");
    std::fs::write(&path, "DROP TABLE users;").expect("written");
    std::fs::create_dir(elsewhere.path().join(".git")).expect("a project of its own");
    let params = json!({"textDocument": {"uri": address(&session.folder.path().join("../../etc/passwd"))}});
    let answer = session.client.request("textDocument/diagnostic", params);
    assert_eq!(answer["result"]["items"], json!([]), "{answer:#}");
}

/// A new migration is told without being opened, and what is known is not told again.
#[test]
fn pending_migrations_are_told_for_the_whole_workspace() {
    let mut session = Session::start(vs_code());
    session.open_rename();
    session.ask("textDocument/diagnostic", RENAME, json!({}));
    let refresh = session.client.next("workspace/diagnostic/refresh");
    session.client.send(&json!({"jsonrpc": "2.0", "id": refresh["id"], "result": null}));
    let pull = |session: &mut Session, known: Value| {
        let answer = session.client.request("workspace/diagnostic", json!({"previousResultIds": known}));
        list(&answer["result"]["items"])
    };
    let told = pull(&mut session, json!([]));
    assert_eq!(told.len(), 1, "the last, for there is no git: {told:#?}");
    assert_eq!(told[0]["uri"], session.uri(RENAME));
    let known = json!([{"uri": told[0]["uri"], "value": told[0]["resultId"]}]);
    let again = pull(&mut session, known.clone());
    assert_eq!((&again[0]["kind"], &again[0]["resultId"]), (&json!("unchanged"), &told[0]["resultId"]));
    session.change(RENAME, 2, "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n");
    let changed = pull(&mut session, known);
    assert_eq!((&changed[0]["kind"], &changed[0]["version"]), (&json!("full"), &json!(2)));
}

#[test]
fn what_is_no_text_is_said_once() {
    let mut session = Session::start(plain());
    session.open("db/migrations/20270101000000_last.sql", "PGDMP\u{0}\u{1};;;DROP TABLE users;\u{0};x;y;z");
    let published = session.diagnostics("db/migrations/20270101000000_last.sql");
    let messages: Vec<String> =
        list(&published["diagnostics"]).iter().map(|it| text(&it["message"]).to_owned()).collect();
    assert!(messages.contains(&"this is no text, and nothing of it is analysed".to_owned()), "{messages:?}");
    assert!(!messages.iter().any(|it| it.contains("users")), "{messages:?}");
}

/// The rest of the file counts: the version and the answers are still known.
#[test]
fn mistakes_of_the_configuration_stand_in_its_file() {
    let mut session = Session::start(plain());
    let path = session.folder.path().join("lockkeeper.toml");
    let good = session.text("lockkeeper.toml");
    let broken = format!("severty = 3\n{good}\n[severity]\nno-lock-timeout = \"off\"\nnonsense = \"off\"\n");
    std::fs::write(&path, broken).expect("written");
    let changes = json!({"changes": [{"uri": address(&path), "type": 2}]});
    session.client.notify("workspace/didChangeWatchedFiles", changes.clone());
    session.open_rename();
    let uri = session.uri("lockkeeper.toml");
    let told = |session: &mut Session| loop {
        let told = session.client.next("textDocument/publishDiagnostics")["params"].clone();
        if told["uri"] == uri {
            return list(&told["diagnostics"]);
        }
    };
    let lines: Vec<u64> =
        told(&mut session).iter().filter_map(|it| it["range"]["start"]["line"].as_u64()).collect();
    let nonsense = good.lines().count() as u64 + 4;
    assert_eq!(lines, [0, nonsense]);
    let found = session.ask("textDocument/diagnostic", RENAME, json!({}));
    let raw: Vec<&str> =
        found["items"].as_array().expect("a list").iter().map(|it| text(&it["code"])).collect();
    assert_eq!(raw, ["renamed-column", "not-analysed"], "the severities count, and the mistake is said");
    std::fs::write(&path, good).expect("written");
    session.client.notify("workspace/didChangeWatchedFiles", changes);
    assert_eq!(told(&mut session), Vec::<Value>::new());
}
