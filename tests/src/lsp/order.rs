//! Order, ends and nonsense: what the wire may bring.

use super::session::{RENAME, Session, codes, list, plain, text};
use serde_json::{Value, json};

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
