//! What a server counts in its own catalog before or after a step: 0 where all is as it should be.

use crate::catalog::RelationName;

/// What is counted. Names are SQL.
#[derive(Debug, Clone)]
pub enum Count<'a> {
    /// An index that is not built to its end.
    IncompleteIndex {
        /// The index.
        index: &'a str,
    },
    /// The same of all indexes of a table.
    IncompleteIndexes {
        /// The table.
        table: &'a str,
    },
    /// A partition that a concurrent detach left half detached.
    PendingDetach {
        /// The partition.
        partition: &'a str,
    },
    /// A sequence that counts otherwise than from 1 by 1.
    UnusualSequence {
        /// The sequence.
        sequence: &'a str,
    },
    /// What was made with a type.
    UsesOfType {
        /// The type.
        ty: &'a str,
    },
    /// What was made with a type, but for these columns.
    OtherUsesOfType {
        /// The type.
        ty: &'a str,
        /// Tables as SQL, columns as they are.
        known: &'a [(String, String)],
    },
    /// Functions that say the name of another one in their text.
    Callers {
        /// The function that is called.
        old: &'a RelationName,
        /// What it is called now.
        new: &'a RelationName,
    },
    /// Owner and rights that one relation has and another one has not.
    OtherRights {
        /// The one.
        of: &'a str,
        /// The other.
        on: &'a str,
    },
    /// Rights to read and write that somebody has on one relation and not on another.
    MissingGrants {
        /// The one.
        of: &'a RelationName,
        /// The other.
        on: &'a RelationName,
    },
    /// What hangs on a table beside what is known.
    Unshown {
        /// The table.
        table: &'a str,
        /// Triggers that are known.
        triggers: &'a [&'a str],
        /// Constraints of this table, and foreign keys that point at it, that are known.
        constraints: &'a [&'a str],
    },
    /// Settings of a table that another one has not.
    OtherSettings {
        /// The one.
        of: &'a str,
        /// The other.
        on: &'a str,
        /// Whether they lie at the same place.
        place: bool,
    },
    /// Indexes that are not like their pair.
    UnlikeIndexes {
        /// The pairs.
        pairs: &'a [(String, String)],
    },
    /// What lies in a schema and is not known.
    UnknownInSchema {
        /// The schema, as it is.
        schema: &'a str,
        /// Relations that are known, as they are.
        known: &'a [&'a str],
    },
    /// A log with too little in it for logical decoding.
    ThinLog,
}
