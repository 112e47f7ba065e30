//! The cursor put where the author has something to write: a command behind an edit, for clients that show a place when they are asked.

use lockkeeper_core::text::LineIndex;
use serde_json::{Value, json};
use tower_lsp::Client;
use tower_lsp::lsp_types::{Command, Range, ShowDocumentParams, Url};

use crate::convert::position;
use crate::world::View;

/// The command's name.
pub(crate) const SELECT: &str = "lockkeeper.select";

/// Puts the cursor behind `inserted`, which an edit puts at `at`.
pub(crate) fn command(view: &View, at: usize, inserted: &str) -> Option<Command> {
    if !view.abilities.shows_documents {
        return None;
    }
    let text = format!("{}{inserted}", &view.document.text[..at]);
    let place = position(LineIndex::new(&text).position(&text, text.len(), view.abilities.encoding));
    let arguments = vec![json!(view.document.uri), json!(place)];
    Some(Command::new("Write the reason".to_owned(), SELECT.to_owned(), Some(arguments)))
}

/// Carries the command out.
pub(crate) async fn select(client: &Client, arguments: &[Value]) {
    let uri = arguments.first().and_then(|it| Url::parse(it.as_str()?).ok());
    let place = arguments.get(1).and_then(|it| serde_json::from_value(it.clone()).ok());
    let (Some(uri), Some(place)) = (uri, place) else { return };
    let selection = Some(Range::new(place, place));
    let params = ShowDocumentParams { uri, external: None, take_focus: Some(true), selection };
    if let Err(error) = client.show_document(params).await {
        tracing::warn!(%error, "the client does not show the place");
    }
}
