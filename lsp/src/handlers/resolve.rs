//! `codeAction/resolve`: the edit of a rewrite, for the text that the action was offered for.

use lockkeeper_core::plan::Way;
use serde_json::Value;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{CodeAction, Url};

use crate::convert::rewrite_edit;
use crate::documents::Documents;
use crate::world::View;

/// What an action was offered for.
#[derive(Debug)]
pub(crate) struct Offer {
    pub uri: Url,
    version: i64,
    way: Way,
}

impl Offer {
    /// Reads an action's data; actions without need no resolving.
    pub fn of(action: &CodeAction) -> Option<Self> {
        let data: &Value = action.data.as_ref()?;
        let way = Way::from_id(data["way"].as_str()?)?;
        Some(Self { uri: Url::parse(data["uri"].as_str()?).ok()?, version: data["version"].as_i64()?, way })
    }

    /// Whether the document is as it was.
    pub fn is_of(&self, version: i32) -> bool {
        self.version == i64::from(version)
    }
}

pub(crate) fn resolve(
    view: &View,
    documents: &Documents,
    offer: &Offer,
    action: CodeAction,
) -> Result<CodeAction> {
    let rewrite = view.analysis.rewrite(offer.way).map_err(|error| Error::invalid_params(error.message))?;
    let edit = rewrite_edit(view, documents, &rewrite);
    let edit = edit
        .ok_or_else(|| Error::invalid_params("a file of the rewrite cannot be read: reload the project"))?;
    Ok(CodeAction { edit: Some(edit), ..action })
}

/// The answer to an action of a text that is no more.
pub(crate) fn changed() -> Error {
    let message = "the document changed: ask again".into();
    Error { message, ..Error::content_modified() }
}
