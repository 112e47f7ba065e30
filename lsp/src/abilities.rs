//! What the client can do, read leniently from its raw capabilities: the typed ones miss some and mistype others.

use lockkeeper_core::text::Encoding;
use serde_json::Value;

/// What the client can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Abilities {
    /// How it counts columns.
    pub encoding: Encoding,
    /// It asks for diagnostics, and again when it is told to.
    pub pulls_diagnostics: bool,
    /// It asks for hints again when it is told to.
    pub refreshes_hints: bool,
    /// It watches files for us.
    pub watches_files: bool,
    /// It can create files.
    pub creates_files: bool,
    /// It can delete files.
    pub deletes_files: bool,
    /// It shows a place in a document when it is asked to.
    pub shows_documents: bool,
    /// It takes edits with the versions of documents.
    pub versioned_edits: bool,
    /// It shows labels of changes.
    pub labels_changes: bool,
    /// It asks for the edit of an action when the action is chosen.
    pub resolves_actions: bool,
    /// It shows why an action cannot be done.
    pub shows_disabled: bool,
    /// It shows symbols as a tree.
    pub symbol_trees: bool,
}

impl Abilities {
    /// Reads the parameters of `initialize`.
    pub fn of(params: &Value) -> Self {
        let client = &params["capabilities"];
        let (workspace, document) = (&client["workspace"], &client["textDocument"]);
        let edit = &workspace["workspaceEdit"];
        let operations = edit["resourceOperations"].as_array().map_or(&[][..], Vec::as_slice);
        let resolved = document["codeAction"]["resolveSupport"]["properties"].as_array();
        Self {
            encoding: encoding(client),
            pulls_diagnostics: document["diagnostic"].is_object()
                && workspace["diagnostics"]["refreshSupport"] == true,
            refreshes_hints: workspace["inlayHint"]["refreshSupport"] == true,
            watches_files: workspace["didChangeWatchedFiles"]["dynamicRegistration"] == true,
            creates_files: operations.iter().any(|it| it == "create"),
            deletes_files: operations.iter().any(|it| it == "delete"),
            shows_documents: client["window"]["showDocument"]["support"] == true,
            versioned_edits: edit["documentChanges"] == true || !operations.is_empty(),
            labels_changes: edit["changeAnnotationSupport"].is_object(),
            resolves_actions: resolved.is_some_and(|it| it.iter().any(|it| it == "edit")),
            shows_disabled: document["codeAction"]["disabledSupport"] == true,
            symbol_trees: document["documentSymbol"]["hierarchicalDocumentSymbolSupport"] == true,
        }
    }
}

/// The first that we both know: clients list them by preference, and all know UTF-16.
fn encoding(client: &Value) -> Encoding {
    let offered = client["general"]["positionEncodings"].as_array().into_iter().flatten();
    let known = offered.filter_map(|it| match it.as_str()? {
        "utf-8" => Some(Encoding::Utf8),
        "utf-16" => Some(Encoding::Utf16),
        "utf-32" => Some(Encoding::Utf32),
        _ => None,
    });
    known.into_iter().next().unwrap_or(Encoding::Utf16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_utf_16_unless_both_know_better() {
        let encoding = |offered: Value| {
            Abilities::of(&json!({"capabilities": {"general": {"positionEncodings": offered}}})).encoding
        };
        assert_eq!(encoding(Value::Null), Encoding::Utf16);
        assert_eq!(encoding(json!(["utf-7", "utf-8", "utf-16"])), Encoding::Utf8);
        assert_eq!(encoding(json!(["utf-32", "utf-16"])), Encoding::Utf32);
        assert_eq!(encoding(json!("utf-8")), Encoding::Utf16);
    }

    #[test]
    fn mistyped_capabilities_are_none() {
        let nonsense =
            json!({"capabilities": {"workspace": 3, "textDocument": {"codeAction": [], "diagnostic": null}}});
        assert_eq!(Abilities::of(&nonsense), Abilities { encoding: Encoding::Utf16, ..Abilities::default() });
    }
}
