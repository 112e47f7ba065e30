//! Order, ends and nonsense: what the wire may bring.

use super::session::{RENAME, Session, address, codes, list, plain, text};
use crate::binaries::lockkeeper;
use serde_json::{Value, json};
use std::io::Read;
use std::process::{Command, Stdio};

/// Each answer is about the text of its place in the stream, however fast the edits come.
#[test]
fn answers_match_their_place_in_the_stream() {
    let mut session = Session::start(plain());
    session.open_rename();
    let mut asked = Vec::new();
    for version in 2..302 {
        let column = format!("c{version}");
        session.change(RENAME, version, &format!("-- migrate:up\nALTER TABLE users DROP COLUMN {column};\n"));
        if version % 3 == 0 {
            let params = json!({"textDocument": {"uri": session.uri(RENAME)}, "position": {"line": 1, "character": 32}});
            asked.push((session.client.send_request("textDocument/hover", params), column));
        }
    }
    assert_eq!(asked.len(), 100);
    for (id, column) in asked {
        let answer = session.client.answer_of(id);
        let words = text(&answer["result"]["contents"]["value"]);
        assert!(words.contains(&column), "{column} is not in {answer:#}");
    }
    loop {
        let published = session.diagnostics(RENAME);
        if published["version"] == 301 {
            break;
        }
    }
}

#[test]
fn exit_ends_the_process_at_once() {
    assert_eq!(Session::start(plain()).client.shut_down().code(), Some(0));
    let mut session = Session::start(plain());
    session.client.notify("exit", Value::Null);
    assert_eq!(session.client.ended().code(), Some(1));
}

#[test]
fn nonsense_is_refused_and_forgotten() {
    let mut session = Session::start(plain());
    session.open_rename();
    session.diagnostics(RENAME);
    let uri = session.uri(RENAME);
    for (method, params) in [
        ("textDocument/didOpen", json!({"textDocument": {"uri": 3}})),
        ("textDocument/didChange", json!({"textDocument": {"uri": uri, "version": 2}})),
        (
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"range": {}, "text": "x"}]}),
        ),
        ("textDocument/didClose", Value::Null),
        ("workspace/didChangeWatchedFiles", json!({"changes": "all"})),
        ("textDocument/didNothing", json!([])),
        ("$/unheardOf", json!({})),
    ] {
        session.client.notify(method, params);
    }
    for (method, params, code) in [
        ("textDocument/hover", json!({"position": {}}), -32602),
        ("textDocument/inlayHint", Value::Null, -32602),
        ("nobody/knows", json!({}), -32601),
        ("$/nobodyKnows", json!({}), -32601),
    ] {
        let answer = session.client.request(method, params);
        assert_eq!(answer["error"]["code"], code, "{method}: {answer:#}");
    }
    assert!(session.hover(RENAME, 1, 35).is_object(), "it goes on");
}

#[test]
fn a_document_without_a_language_is_opened() {
    let mut session = Session::start(plain());
    let document =
        json!({"uri": session.uri(RENAME), "languageId": null, "version": 1, "text": session.text(RENAME)});
    session.client.notify("textDocument/didOpen", json!({"textDocument": document}));
    assert_eq!(codes(&session.diagnostics(RENAME)), ["renamed-column"]);
}

#[test]
fn edits_in_pieces_add_up() {
    let mut session = Session::start(plain());
    let last = session.open_last("DROP TABLE orders;");
    let uri = session.uri(last);
    // Takes the whole second line away, then types another in its place.
    let place = |line: u32, character: u32| json!({"line": line, "character": character});
    let changes = json!([
        {"range": {"start": place(1, 0), "end": place(2, 0)}, "text": ""},
        {"range": {"start": place(1, 0), "end": place(1, 0)}, "text": "ALTER TABLE users DROP COLUMN email;\n"}]);
    session.client.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes}),
    );
    loop {
        let published = session.diagnostics(last);
        if published["version"] == 2 {
            assert!(codes(&published).contains(&"dropped-column".to_owned()), "{published:#}");
            assert!(!codes(&published).contains(&"dropped-table".to_owned()), "{published:#}");
            break;
        }
    }
}

#[test]
fn a_cancelled_request_is_answered_once() {
    let mut session = Session::start(plain());
    session.open_rename();
    let params =
        json!({"textDocument": {"uri": session.uri(RENAME)}, "position": {"line": 1, "character": 35}});
    let id = session.client.send_request("textDocument/hover", params);
    session.client.notify("$/cancelRequest", json!({"id": id}));
    let answer = session.client.answer_of(id);
    assert!(answer["error"]["code"] == -32800 || answer["result"].is_object(), "{answer:#}");
    session.hover(RENAME, 1, 35);
    assert!(list(&json!(session.client.unread)).iter().all(|it| it["id"] != id));
}

/// Each is answered, and the server goes on.
#[test]
fn bodies_that_are_no_messages_are_answered() {
    let mut session = Session::start(plain());
    session.open_rename();
    for (body, code) in [
        (&b"{\"jsonrpc\": \"2.0\", nonsense"[..], -32700),
        (b"\xff\xfe\x00", -32700),
        (b"", -32700),
        (b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"shutdown\"}]", -32600),
        (b"3", -32600),
        (b"{}", -32600),
    ] {
        session.client.send_body(body);
        let answer = session.client.wait_for(|it| it.get("error").is_some());
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(code)), "{answer:#}");
    }
    session.client.send(&json!({"jsonrpc": "2.0", "id": "x", "method": 3}));
    let answer = session.client.wait_for(|it| it["id"] == "x");
    assert_eq!(answer["error"]["code"], -32600, "{answer:#}");
    assert!(session.hover(RENAME, 1, 35).is_object(), "it goes on");
}

/// A client that is killed answers nothing any more, and its requests are open.
#[test]
fn the_end_of_the_input_ends_the_process() {
    let mut session =
        Session::start(json!({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": true}}}));
    session.client.next("client/registerCapability");
    session.open_rename();
    session.client.close_input();
    assert_eq!(session.client.ended().code(), Some(1));
}

/// Something else may hold our input open when the client is gone.
#[test]
#[cfg(unix)]
fn the_end_of_the_client_ends_the_process() {
    let mut client = Command::new("sleep").arg("60").spawn().expect("starts");
    let mut server = Command::new(lockkeeper())
        .arg("lsp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"processId": client.id(), "capabilities": {}}}).to_string();
    let mut input = server.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
        .expect("it reads");
    let mut first = [0];
    server.stdout.as_mut().expect("a pipe").read_exact(&mut first).expect("it answers");
    assert!(server.try_wait().expect("our own child").is_none(), "it runs while its client does");
    client.kill().expect("our own child");
    client.wait().expect("our own child");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while server.try_wait().expect("our own child").is_none() {
        assert!(std::time::Instant::now() < deadline, "the server stays");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    drop(input);
}

/// The project of a folder that is added is known at once; one that is removed is let go.
#[test]
fn folders_of_the_workspace_come_and_go() {
    let mut session = Session::start(plain());
    let other = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(other.path().join("db/migrations")).expect("a folder");
    std::fs::write(other.path().join("db/migrations/001_crates.sql"), "CREATE TABLE crates (id bigint);")
        .expect("written");
    let symbols = |session: &mut Session| {
        let answer = session.client.request("workspace/symbol", json!({"query": "crates"}));
        list(&answer["result"]).len()
    };
    let change = |session: &mut Session, which: &str| {
        let folder = json!([{"uri": address(other.path()), "name": "other"}]);
        let mut event = json!({"added": [], "removed": []});
        event[which] = folder;
        session.client.notify("workspace/didChangeWorkspaceFolders", json!({"event": event}));
    };
    assert_eq!(symbols(&mut session), 0);
    change(&mut session, "added");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while symbols(&mut session) == 0 {
        assert!(std::time::Instant::now() < deadline, "the folder is not read");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    change(&mut session, "removed");
    assert_eq!(symbols(&mut session), 0);
}

/// Whatever is asked wherever the cursor stands while a migration is typed, letter by letter, is answered.
#[test]
fn half_a_statement_is_no_reason_to_fail() {
    const TYPED: &str = "CREATE TYPE mood AS ENUM ('ä');\nALTER TABLE users ADD COLUMN m mood, RENAME TO \"größe\";\n\
        UPDATE orders o SET status = u.email FROM users AS u WHERE o.user_id = u.id;\n-- lockkeeper: allow dropped-column because x\n\
        CREATE INDEX ON order_items (sku) WHERE (quantity > 0);\nSELECT a.b.c.* FROM (((x;";
    let mut session = Session::start(plain());
    let last = session.open_last("");
    let asked = [
        "hover",
        "definition",
        "declaration",
        "references",
        "documentHighlight",
        "completion",
        "prepareRename",
        "rename",
        "codeAction",
        "codeLens",
        "inlayHint",
        "semanticTokens/full",
        "selectionRange",
        "documentSymbol",
        "foldingRange",
    ];
    let mut open = Vec::new();
    for (version, (end, _)) in (2..).zip(TYPED.char_indices().step_by(2)) {
        let text = format!("-- migrate:up\n{}", &TYPED[..end]);
        session.change(last, version, &text);
        let line = text.matches('\n').count();
        let character = text.rsplit('\n').next().map_or(0, |it| it.encode_utf16().count());
        let at = json!({"line": line, "character": character});
        let params = json!({"textDocument": {"uri": session.uri(last)}, "position": at, "positions": [at], "newName": "n",
            "range": {"start": at, "end": at}, "context": {"includeDeclaration": true, "diagnostics": [], "triggerKind": 1}});
        // A few at a time: some search all sources.
        let some = asked.iter().skip(usize::try_from(version).unwrap_or(0) % 3).step_by(3);
        open.extend(
            some.map(|it| (session.client.send_request(&format!("textDocument/{it}"), params.clone()), *it)),
        );
    }
    for (id, method) in open {
        let answer = session.client.answer_of(id);
        let refused = answer["error"]["code"] == -32602 && method == "rename";
        assert!(answer.get("error").is_none() || refused, "{method}: {answer:#}");
    }
}
