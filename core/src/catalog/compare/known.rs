//! What recipes are known to leave otherwise than the change as it was written, each with its reason. To be emptied.

use super::{Aspect, Difference};

/// A difference that some recipe is known to make.
#[derive(Debug)]
pub struct KnownLoss {
    /// The kind of object.
    pub kind: &'static str,
    /// What of it differs.
    pub is_it: fn(&Difference) -> bool,
    /// The change, the recipe, and why.
    pub reason: &'static str,
}

/// All of them.
pub const KNOWN_LOSSES: &[KnownLoss] = &[KnownLoss {
    kind: "sequence",
    is_it: |it| it.aspect == Aspect::Type && it.ours.as_deref() == Some("bigint"),
    reason: "ALTER COLUMN id TYPE bigint of a serial column: the statement leaves its sequence as narrow as it was, and the recipe widens it",
}];

/// The differences that no recipe is known to make.
pub fn unknown_losses(differences: Vec<Difference>) -> Vec<Difference> {
    let known =
        |it: &Difference| KNOWN_LOSSES.iter().any(|loss| loss.kind == it.object.kind && (loss.is_it)(it));
    differences.into_iter().filter(|it| !known(it)).collect()
}
