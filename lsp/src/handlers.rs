//! One file per request: a view of the document in, the answer out.

pub(crate) mod code_action;
pub(crate) mod code_lens;
pub(crate) mod completion;
pub(crate) mod definition;
pub(crate) mod document_symbol;
pub(crate) mod folding_range;
pub(crate) mod hover;
pub(crate) mod inlay_hint;
pub(crate) mod references;
pub(crate) mod rename;
pub(crate) mod resolve;
pub(crate) mod selection_range;
pub(crate) mod semantic_tokens;
pub(crate) mod workspace_diagnostic;
pub(crate) mod workspace_symbol;

mod hover_name;
