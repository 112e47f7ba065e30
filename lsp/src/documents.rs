//! The open documents as immutable values: a change makes a new one, and whoever holds the old one keeps it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use lockkeeper_core::text::{Encoding, LineColumn, LineIndex};
use serde_json::Value;
use tower_lsp::lsp_types::Url;

use crate::world::{Analysis, Stamp};

/// All open documents at one place of the stream.
pub(crate) type Documents = Arc<BTreeMap<Url, Arc<Document>>>;

/// So many bytes show whether something is a text.
const LOOKED_AT: usize = 8192;

/// One text, never changed.
#[derive(Debug)]
pub struct Document {
    /// Its address.
    pub uri: Url,
    /// Its version, as the client counts.
    pub version: i32,
    /// Whether the client says that it is SQL, or its name does.
    pub is_sql: bool,
    /// Its text.
    pub text: Arc<str>,
    /// Where its lines start.
    pub lines: LineIndex,
    /// What was found in it, and on what ground.
    pub(crate) analysis: Mutex<Option<(Stamp, Arc<Analysis>)>>,
}

impl Document {
    /// A document with this text.
    pub fn new(uri: Url, version: i32, is_sql: bool, text: &str) -> Self {
        let lines = LineIndex::new(text);
        Self { uri, version, is_sql, text: text.into(), lines, analysis: Mutex::default() }
    }

    /// Whether its lines end as Windows ends them: what is put in does too.
    pub(crate) fn has_crlf(&self) -> bool {
        self.text.find('\n').is_some_and(|at| self.text[..at].ends_with('\r'))
    }

    /// Whether it is no text, whatever its name says.
    pub(crate) fn is_binary(&self) -> bool {
        self.text.as_bytes().iter().take(LOOKED_AT).any(|it| *it == 0)
    }

    /// What `didOpen` opens. Read leniently: eglot sends `languageId: null`.
    pub fn opened(params: &Value) -> Option<Self> {
        let document = &params["textDocument"];
        let uri = uri(params)?;
        let language = document["languageId"].as_str().unwrap_or("");
        let is_sql = language.to_ascii_lowercase().contains("sql") || uri.path().ends_with(".sql");
        Some(Self::new(uri, version(document).unwrap_or(0), is_sql, document["text"].as_str()?))
    }

    /// The document after `didChange`; `None` where its parameters make no sense.
    pub fn changed(&self, params: &Value, encoding: Encoding) -> Option<Self> {
        let mut text = self.text.to_string();
        let mut lines = self.lines.clone();
        for change in params["contentChanges"].as_array()? {
            let new = change["text"].as_str()?;
            match &change["range"] {
                Value::Null => new.clone_into(&mut text),
                range => {
                    let offset = |place: &Value| Some(lines.offset(&text, place_of(place)?, encoding));
                    let (start, end) = (offset(&range["start"])?, offset(&range["end"])?);
                    text.replace_range(start..end.max(start), new);
                }
            }
            lines = LineIndex::new(&text);
        }
        let version = version(&params["textDocument"]).unwrap_or(self.version.wrapping_add(1));
        let (uri, is_sql, text) = (self.uri.clone(), self.is_sql, text.into());
        Some(Self { uri, version, is_sql, text, lines, analysis: Mutex::default() })
    }
}

/// The document that a notification is about.
pub(crate) fn uri(params: &Value) -> Option<Url> {
    Url::parse(params["textDocument"]["uri"].as_str()?).ok()
}

fn version(document: &Value) -> Option<i32> {
    document["version"].as_i64().and_then(|version| i32::try_from(version).ok())
}

fn place_of(place: &Value) -> Option<LineColumn> {
    let number = |key: &str| place[key].as_u64().and_then(|it| usize::try_from(it).ok());
    Some(LineColumn { line: number("line")?, column: number("character")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn open(text: &str) -> Document {
        let params =
            json!({"textDocument": {"uri": "file:///a.sql", "languageId": null, "version": 1, "text": text}});
        Document::opened(&params).expect("a null language is none")
    }

    #[test]
    fn changes_apply_one_after_the_other_in_the_clients_columns() {
        let change = |line, start, end, text: &str| {
            json!({"range": {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}},
                "text": text})
        };
        let changes = json!({"textDocument": {"uri": "file:///a.sql", "version": 2},
            "contentChanges": [change(0, 2, 3, "b"), change(0, 3, 3, "\n"), change(1, 0, 0, "c")]});
        let document = open("🦀a").changed(&changes, Encoding::Utf16).expect("a good change");
        assert_eq!((&*document.text, document.version), ("🦀b\nc", 2));
    }

    #[test]
    fn nonsense_changes_nothing() {
        for changes in [
            json!({}),
            json!({"contentChanges": [{}]}),
            json!({"contentChanges": [{"range": 3, "text": ""}]}),
        ] {
            assert!(open("a").changed(&changes, Encoding::Utf16).is_none(), "{changes}");
        }
        let backwards = json!({"contentChanges": [{"text": "x", "range":
            {"start": {"line": 9, "character": 9}, "end": {"line": 0, "character": 0}}}]});
        let document = open("a").changed(&backwards, Encoding::Utf8).expect("clamped");
        assert_eq!(&*document.text, "ax");
    }
}
