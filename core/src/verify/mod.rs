//! A plan proved in the model before anybody sees it.
//!
//! Every step is replayed on the schema that the steps before leave. At each moment the releases that may be live must find
//! what they use, nothing that both ends have may be missing in between, the end is that of the change as it was written,
//! and the way back ends where it began. What a plan leaves to the rows themselves, values and races, is proved on a server
//! (`tests/src/proof`); here is what can be told from the schema, the steps' words and those of the releases.

mod absence;
mod compatibility;
mod ends;
mod hazards;
mod moments;
mod needs;
mod releases;
mod review;
mod stale;

use std::collections::BTreeSet;
use std::fmt;

pub use compatibility::{Beside, Compatibility, State, compatibility};
pub use review::{Releases, Review, Reviewed, is_told_by_states, loses, review};

use crate::catalog::Catalog;
use crate::dialect::Target;
use crate::plan::Phase;

/// A change of a schema that a plan carries out.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The schema before it.
    pub before: &'a Catalog,
    /// The schema that the migration as it was written leaves.
    pub after: &'a Catalog,
    /// The rules that the migration as it was written breaks: what nothing cures a plan may keep.
    pub broken: &'a BTreeSet<&'static str>,
    /// What it runs on.
    pub target: &'a Target,
    /// Who uses the database meanwhile.
    pub traffic: Traffic,
}

/// Who uses the database while a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// The releases of the application, one after the other.
    Releases,
    /// Nobody: it is a window.
    Nobody,
}

/// What stands against a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objection {
    /// The migration of the plan, by its number and name; `None` where it is about the whole.
    pub step: Option<(usize, String)>,
    /// Of what kind it is.
    pub kind: Kind,
    /// What it is about: `table users`, `column users.name`.
    pub subject: String,
    /// What breaks, for whom, and what to do.
    pub words: String,
}

/// Of what kind an objection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A step fails.
    Fails,
    /// A release that is live misses something.
    Missing,
    /// A release that is live is refused.
    Refused,
    /// Something that both ends have is not there in between.
    Absent,
    /// Rows may be left without a value, or with an old one.
    Stale,
    /// The end is not that of the change.
    End,
    /// The way back does not end where it began.
    Back,
    /// A rule is broken.
    Rule,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some((number, name)) => write!(f, "step {number} ({name}): {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

/// What stands against a plan, in the order of its steps; nothing where it is proved.
pub fn verify(change: &Change<'_>, phases: &[Phase]) -> Vec<Objection> {
    let course = moments::course(change, phases);
    let mut objections = hazards::failures(change, &course);
    // What cannot be run ends nowhere.
    let runs = objections.is_empty();
    if runs {
        objections.extend(ends::end(change, &course));
    }
    // In a window the change and its way back run as they were written, and nobody waits.
    if change.traffic == Traffic::Releases {
        if runs {
            objections.extend(ends::way_back(change, phases, &course));
        }
        objections.extend(hazards::rules(change, &course));
        objections.extend(needs::of_releases(change, &course));
        objections.extend(absence::between(change, &course));
        objections.extend(stale::backfills(change, &course));
    }
    once(objections)
}

/// Each subject once for each kind, where it first comes up.
fn once(objections: Vec<Objection>) -> Vec<Objection> {
    let mut seen = BTreeSet::new();
    let mut kept: Vec<Objection> =
        objections.into_iter().filter(|it| seen.insert((it.kind, it.subject.clone()))).collect();
    kept.sort();
    kept
}

#[cfg(test)]
mod tests;
