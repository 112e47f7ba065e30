//! A server over a copy of the shop, and the questions of the tests.

use crate::binaries::{lockkeeper, root};
use crate::language_client::LanguageClient;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The migration that the example is about: it renames `users.name`.
pub(super) const RENAME: &str = "db/migrations/20260114100000_rename_user_name.sql";

/// What a client says of itself, as captured from the real one and cut down to what matters.
pub(super) fn vs_code() -> Value {
    json!({
        "general": {"positionEncodings": ["utf-16"]},
        "workspace": {
            "workspaceEdit": {"documentChanges": true, "resourceOperations": ["create", "rename", "delete"],
                "failureHandling": "textOnlyTransactional", "changeAnnotationSupport": {"groupsOnLabel": true}},
            "diagnostics": {"refreshSupport": true}, "inlayHint": {"refreshSupport": true},
            "didChangeWatchedFiles": {"dynamicRegistration": true}},
        "textDocument": {
            "diagnostic": {"dynamicRegistration": true, "relatedDocumentSupport": false},
            "documentSymbol": {"hierarchicalDocumentSymbolSupport": true},
            "codeAction": {"disabledSupport": true, "dataSupport": true, "isPreferredSupport": true,
                "resolveSupport": {"properties": ["edit"]}}}})
}

/// Neovim 0.10: operations on files, but no word of `documentChanges`.
pub(super) fn neovim() -> Value {
    json!({
        "general": {"positionEncodings": ["utf-8", "utf-16", "utf-32"]},
        "workspace": {"workspaceEdit": {"resourceOperations": ["rename", "create", "delete"]},
            "inlayHint": {"refreshSupport": true}},
        "textDocument": {
            "codeAction": {"dataSupport": true, "isPreferredSupport": true, "resolveSupport": {"properties": ["edit"]}}}})
}

/// eglot of Emacs 30: versioned edits, no operations on files, nothing resolved.
pub(super) fn eglot() -> Value {
    json!({"general": {"positionEncodings": ["utf-32", "utf-8", "utf-16"]},
        "workspace": {"workspaceEdit": {"documentChanges": true}},
        "textDocument": {"codeAction": {"disabledSupport": false, "isPreferredSupport": true}}})
}

/// A client that pushes nothing on us.
pub(super) fn plain() -> Value {
    json!({})
}

pub(super) struct Session {
    pub client: LanguageClient,
    pub folder: tempfile::TempDir,
    /// The answer to `initialize`.
    pub server: Value,
}

impl Session {
    /// A server over a copy of the shop.
    pub fn start(capabilities: Value) -> Self {
        Self::start_with(capabilities, Value::Null)
    }

    /// The same for a client that sets something.
    pub fn start_with(capabilities: Value, settings: Value) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&root().join("examples/shop"), folder.path());
        let mut client = LanguageClient::start(Command::new(lockkeeper()).arg("lsp"));
        let server =
            client.initialize_with(&address(folder.path()), capabilities, settings)["result"].clone();
        Self { client, folder, server }
    }

    pub fn uri(&self, path: &str) -> String {
        address(&self.folder.path().join(path))
    }

    pub fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(path)).expect("a file of the shop")
    }

    /// Opens a file with a text that may not be the one on disk.
    pub fn open(&mut self, path: &str, text: &str) {
        let document = json!({"uri": self.uri(path), "languageId": "sql", "version": 1, "text": text});
        self.client.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    /// Replaces the whole text.
    pub fn change(&mut self, path: &str, version: i32, text: &str) {
        let document = json!({"uri": self.uri(path), "version": version});
        let params = json!({"textDocument": document, "contentChanges": [{"text": text}]});
        self.client.notify("textDocument/didChange", params);
    }

    /// Opens the shop's rename as it is.
    pub fn open_rename(&mut self) {
        let text = self.text(RENAME);
        self.open(RENAME, &text);
    }

    /// A migration of the shop's folder that runs last, with this text going up.
    pub fn open_last(&mut self, sql: &str) -> &'static str {
        const LAST: &str = "db/migrations/20270101000000_last.sql";
        self.open(LAST, &format!("-- migrate:up\n{sql}\n-- migrate:down\n"));
        LAST
    }

    /// The next diagnostics of a file.
    #[track_caller]
    pub fn diagnostics(&mut self, path: &str) -> Value {
        let uri = self.uri(path);
        let is_it =
            |it: &Value| it["method"] == "textDocument/publishDiagnostics" && it["params"]["uri"] == uri;
        self.client.wait_for(is_it)["params"].clone()
    }

    /// A request about a file, with more parameters; its result.
    #[track_caller]
    pub fn ask(&mut self, method: &str, path: &str, more: Value) -> Value {
        let mut params = json!({"textDocument": {"uri": self.uri(path)}});
        let fields = params.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        let answer = self.client.request(method, params);
        assert!(answer.get("error").is_none(), "{answer:#}");
        answer["result"].clone()
    }

    #[track_caller]
    pub fn hover(&mut self, path: &str, line: u32, character: u32) -> Value {
        self.ask("textDocument/hover", path, json!({"position": {"line": line, "character": character}}))
    }

    #[track_caller]
    pub fn hints(&mut self, path: &str) -> Vec<String> {
        let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}});
        let hints = self.ask("textDocument/inlayHint", path, json!({"range": range}));
        list(&hints).iter().map(|it| text(&it["label"]).to_owned()).collect()
    }

    /// The code actions at a place.
    #[track_caller]
    pub fn actions(&mut self, path: &str, line: u32, character: u32) -> Vec<Value> {
        let place = json!({"line": line, "character": character});
        let range = json!({"start": place, "end": place});
        let actions = self.ask(
            "textDocument/codeAction",
            path,
            json!({"range": range, "context": {"diagnostics": []}}),
        );
        list(&actions)
    }
}

pub(super) fn address(path: &Path) -> String {
    format!("file://{}", path.canonicalize().unwrap_or_else(|_| path.to_owned()).display())
}

pub(super) fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn codes(published: &Value) -> Vec<String> {
    let mut codes: Vec<String> =
        list(&published["diagnostics"]).iter().map(|it| text(&it["code"]).to_owned()).collect();
    codes.retain(|code| code != "no-lock-timeout");
    codes
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
