//! What an engine can do from some version on, as named facts. Who depends on one asks for it by name; versions are compared here and in
//! the folders of the engines, nowhere else.

use super::of;
use crate::dialect::{Dialect, Target, Version};

/// What not every version can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// SET NOT NULL reads no row where a validated check proves it.
    NotNullFromCheck,
    /// A NOT NULL that is a constraint with a name.
    NamedNotNull,
    /// A NOT NULL that is checked later.
    UncheckedNotNull,
    /// A foreign key of a partitioned table that is checked later.
    UncheckedKeyOnPartitioned,
    /// Partitions have the identity of their table.
    IdentityOnPartitioned,
    /// An index is rebuilt without blocking.
    ReindexConcurrently,
    /// The same for all partitions at once.
    ReindexPartitioned,
    /// An index is moved to another tablespace without blocking.
    ReindexTablespace,
    /// A partition is detached without blocking.
    DetachConcurrently,
    /// A table is rewritten without blocking.
    RepackConcurrently,
    /// A view that reads with the rights of who asks.
    InvokerViews,
    /// A label is added to an enum inside a transaction.
    EnumValueInTransaction,
    /// Rows are found by the range of their pages.
    PageRanges,
    /// An UPDATE whose sub-query locks the row that it reads finds it once, even where it was changed meanwhile.
    UpdateFromLockedRows,
}

/// A capability of an engine.
#[derive(Debug)]
pub struct Fact {
    /// Which one.
    pub capability: Capability,
    /// The first version that has it.
    pub since: Version,
    /// What it is, for people.
    pub name: &'static str,
    /// What Lockkeeper does for an older version.
    pub before: &'static str,
    /// Where that stands.
    pub source: &'static str,
    /// Statements that run to the end where it is so, and fail before. Empty where it takes two sessions to see.
    pub shows: &'static str,
}

/// Whether a target can do something.
pub fn can(target: &Target, what: Capability) -> bool {
    fact(target.dialect, what).is_some_and(|it| it.since <= target.version)
}

/// The engine and the version that brought something: `PostgreSQL 12`.
pub fn since(dialect: Dialect, what: Capability) -> String {
    match fact(dialect, what) {
        Some(fact) => format!("{} {}", dialect.title(), fact.since),
        None => format!("another engine than {}", dialect.title()),
    }
}

fn fact(dialect: Dialect, what: Capability) -> Option<&'static Fact> {
    of(dialect).capabilities().iter().find(|it| it.capability == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_what_came_before_it() {
        let can = |major| can(&Target::postgres(Version::major(major)), Capability::DetachConcurrently);
        assert_eq!([13, 14, 18].map(can), [false, true, true]);
        assert_eq!(since(Dialect::Postgres, Capability::DetachConcurrently), "PostgreSQL 14");
        let mysql = Target { dialect: Dialect::Mysql, ..Target::default() };
        assert!(!super::can(&mysql, Capability::DetachConcurrently));
    }
}
