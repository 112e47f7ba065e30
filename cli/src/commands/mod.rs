//! One file per command.

pub mod check;
pub mod effect;
pub mod explain;
pub mod references;
pub mod rewrite;
pub mod schema;
pub mod snippet;
