//! One file per request: a view of the document in, the answer out.

pub(crate) mod code_action;
pub(crate) mod document_symbol;
pub(crate) mod folding_range;
pub(crate) mod hover;
pub(crate) mod inlay_hint;
pub(crate) mod resolve;
