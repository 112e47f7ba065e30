//! What recipes are known to leave otherwise than the change as it was written, each with its reason. To be emptied.

use super::{Aspect, Difference};
use crate::catalog::Setting;

/// A difference that some recipe is known to make.
#[derive(Debug)]
pub struct KnownLoss {
    /// The kind of object.
    pub kind: &'static str,
    /// What of it differs.
    pub is_it: fn(&Difference) -> bool,
    /// At which end of a plan.
    pub at: End,
    /// The change, the recipe, and why.
    pub reason: &'static str,
}

/// An end of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Where all its steps lead.
    Last,
    /// Where its way back leads.
    First,
}

/// All of them.
pub const KNOWN_LOSSES: &[KnownLoss] = &[
    KnownLoss {
        kind: "sequence",
        is_it: |it| it.aspect == Aspect::Type && it.ours.as_deref() == Some("bigint"),
        at: End::Last,
        reason: "ALTER COLUMN id TYPE bigint of a serial column: the statement leaves its sequence as narrow as it was, and the recipe widens it",
    },
    KnownLoss {
        kind: "column",
        is_it: |it| it.aspect == Aspect::Setting(Setting::Comment) && it.ours.is_none(),
        at: End::First,
        reason: "DROP COLUMN and DROP TABLE: the way back makes the column again without its comment",
    },
    KnownLoss {
        kind: "table",
        is_it: |it| it.aspect == Aspect::Setting(Setting::Comment) && it.ours.is_none(),
        at: End::First,
        reason: "DROP TABLE: the way back makes the table again without its comment",
    },
];

/// The differences at an end that no recipe is known to make.
pub fn unknown_losses(differences: Vec<Difference>, at: End) -> Vec<Difference> {
    let is_it =
        |loss: &KnownLoss, it: &Difference| loss.at == at && loss.kind == it.object.kind && (loss.is_it)(it);
    let known = |it: &Difference| KNOWN_LOSSES.iter().any(|loss| is_it(loss, it));
    differences.into_iter().filter(|it| !known(it)).collect()
}
