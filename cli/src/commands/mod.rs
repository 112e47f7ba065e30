//! One file per command.

pub mod approve;
pub mod check;
pub mod effect;
pub mod explain;
pub mod gates;
pub mod generate;
pub mod hook;
pub mod init;
pub mod ledger;
pub mod plan;
pub mod references;
pub mod rehearse;
pub mod review;
pub mod rewrite;
pub mod schema;
pub mod serve;
pub mod signals;
pub mod snippet;
