//! Mechanics: what recipes are made of, each of use to more than one change.
//!
//! A mechanic makes statements, steps or phases from values: triggers that keep old and new in step, batches that fill, what hangs on a
//! column or table carried over to what takes its place. It knows no recipe: the room stands above theirs in `lib.rs`.

pub(crate) mod rebuilt;
pub(crate) mod assigned;
pub(crate) mod backfill;
pub(crate) mod carried;
pub(crate) mod change_key;
pub(crate) mod change_type;
pub(crate) mod check;
pub(crate) mod copied;
pub(crate) mod derivation;
pub(crate) mod details;
pub(crate) mod enum_type;
pub(crate) mod fill;
pub(crate) mod handover;
pub(crate) mod index;
pub(crate) mod inverse;
pub(crate) mod join;
pub(crate) mod link;
pub(crate) mod make;
pub(crate) mod mirror;
pub(crate) mod narrowing;
pub(crate) mod not_null;
pub(crate) mod partition;
pub(crate) mod referencing;
pub(crate) mod relocation;
pub(crate) mod scene;
pub(crate) mod stand_in;
pub(crate) mod succession;
pub(crate) mod succession_checks;
pub(crate) mod sync;
pub(crate) mod table_again;
pub(crate) mod twin;
pub(crate) mod twin_checks;
pub(crate) mod view;
pub(crate) mod window;

use crate::plan::Phase;

/// What a column with another type, be it only longer, does to statements that were prepared before.
pub const STALE_STATEMENTS: &str =
    "statements that were prepared before it fail with `cached plan must not change result type`";

pub use inverse::inverse;
pub use narrowing::Narrow;
pub use scene::{Answers, Scene, with_timeout};
pub use window::{Standing, as_written, in_window, written};

/// Why a recipe is not possible here, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In the user's words.
    pub reason: String,
}

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// What a recipe makes of a change.
pub type Phases = Result<Vec<Phase>, Refusal>;
