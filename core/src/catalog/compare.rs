//! Two schemas compared: every object, every aspect of it.
//!
//! A schema becomes facts, one for each aspect of each object, in one spelling; what differs is a difference. So an
//! aspect that is added to the facts is compared, and nothing else has to know it.

mod facts;
mod known;
mod spelling;

use std::collections::BTreeMap;
use std::fmt;

use super::Catalog;
pub use facts::Aspect;
pub use known::{End, KNOWN_LOSSES, KnownLoss, unknown_losses};

/// What a difference is about: `table users`, `column users.name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// What kind of object it is.
    pub kind: &'static str,
    /// Its name, with that of its table in front.
    pub name: String,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// One thing that two schemas do not have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The object.
    pub object: Object,
    /// What of it differs.
    pub aspect: Aspect,
    /// What the one has; `None` where it has nothing.
    pub ours: Option<String>,
    /// What the other has.
    pub theirs: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, aspect, ours, theirs } = self;
        if *aspect == Aspect::Existence {
            let way = if ours.is_some() { "is there and should not be" } else { "is missing" };
            return write!(f, "{object} {way}");
        }
        let said = |it: &Option<String>| it.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{object}: {aspect} is {}, and should be {}", said(ours), said(theirs))
    }
}

/// What nobody can tell: it differs from nothing.
const UNKNOWN: &str = "?";

/// Whether the order of columns counts: one that is made again stands last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It counts.
    Compared,
    /// It does not.
    Ignored,
}

/// What differs between two schemas, in order of the objects. Of an object that only one has, nothing more is said.
pub fn compare(ours: &Catalog, theirs: &Catalog, order: Order) -> Vec<Difference> {
    let (ours, theirs) = (facts::of(ours, theirs, order), facts::of(theirs, ours, order));
    let mut differences = Vec::new();
    let nothing = BTreeMap::new();
    let mut objects: Vec<&Object> = ours.keys().chain(theirs.keys()).collect();
    objects.sort();
    objects.dedup();
    for object in objects {
        let (own, other) = (ours.get(object).unwrap_or(&nothing), theirs.get(object).unwrap_or(&nothing));
        differences.extend(compare_object(object, own, other));
    }
    differences
}

fn compare_object(
    object: &Object,
    ours: &BTreeMap<Aspect, String>,
    theirs: &BTreeMap<Aspect, String>,
) -> Vec<Difference> {
    let mut aspects: Vec<&Aspect> = ours.keys().chain(theirs.keys()).collect();
    aspects.sort();
    aspects.dedup();
    if ours.is_empty() || theirs.is_empty() {
        aspects = vec![&Aspect::Existence];
    }
    let unknown =
        |aspect: &Aspect| [ours, theirs].iter().any(|it| it.get(aspect).is_some_and(|it| it == UNKNOWN));
    let differs = |aspect: &&&Aspect| ours.get(**aspect) != theirs.get(**aspect) && !unknown(aspect);
    let difference = |aspect: &Aspect| Difference {
        object: object.clone(),
        aspect: aspect.clone(),
        ours: ours.get(aspect).cloned(),
        theirs: theirs.get(aspect).cloned(),
    };
    aspects.iter().filter(differs).map(|aspect| difference(aspect)).collect()
}

#[cfg(test)]
mod tests;
