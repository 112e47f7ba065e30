//! Gates that only a human's approval opens, and the ledger that remembers what was approved.
//!
//! The flow: a caller composes what it wants to do as [`content::Content`], stores it as a [`plan::StoredPlan`], and asks
//! [`status::status`]. A closed gate answers with [`answer::ApprovalRequired`]. A human is asked over some
//! [`ledger::Channel`]; what they *typed* goes into [`ledger::Ledger::answer`], which alone decides. Doing the thing
//! goes through [`ledger::Ledger::spend`], once.
//!
//! There is no function that takes "approved" from a caller: no flag, no environment variable, no file. What makes an approval
//! count lies outside of the project, in the user's own state folder ([`state`]): a hash chain alone shows edits, but
//! whoever writes a whole new chain has one that is whole.

pub mod canonical;
pub mod digest;
pub mod time;
pub mod gate;
pub mod content;
pub mod state;
pub mod signature;
pub mod policy;
pub mod plan;
pub mod shown;
pub mod ledger;
pub mod status;
pub mod answer;
pub mod terminal;
pub mod setup;
pub mod drafting;
pub mod books;
