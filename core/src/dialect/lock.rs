//! The table locks of PostgreSQL, and who waits for whom.

/// A table-level lock mode, weakest first (PostgreSQL manual, 13.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    /// Taken by SELECT.
    AccessShare,
    /// Taken by SELECT FOR UPDATE and by foreign key checks.
    RowShare,
    /// Taken by INSERT, UPDATE and DELETE.
    RowExclusive,
    /// Keeps other schema changes and VACUUM out.
    ShareUpdateExclusive,
    /// Keeps writes out.
    Share,
    /// Keeps writes and itself out.
    ShareRowExclusive,
    /// Keeps writes and SELECT FOR UPDATE out.
    Exclusive,
    /// Keeps everybody out.
    AccessExclusive,
}

impl LockMode {
    /// All modes, weakest first.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// The name in the manual.
    pub fn title(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The mode with this name.
    pub fn from_title(title: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.title().eq_ignore_ascii_case(title))
    }

    /// Whether plain reads wait for a holder of this lock.
    pub fn blocks_reads(self) -> bool {
        self == Self::AccessExclusive
    }

    /// Whether writes wait for a holder of this lock.
    pub fn blocks_writes(self) -> bool {
        self >= Self::Share
    }
}
