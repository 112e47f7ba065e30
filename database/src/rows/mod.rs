//! Rows for a schema: made from the server's catalog, the same for the same seed.

pub(crate) mod values;
pub(crate) mod words;
pub(crate) mod solve;
pub(crate) mod plan;
pub(crate) mod fill;
