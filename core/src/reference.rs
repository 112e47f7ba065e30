//! Places in a repository that read or write a table or a column, as values; finding them is not core's work.

use crate::text::Span;

/// A place that names a table or column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The file, relative to the project's root, with `/` between its parts.
    pub path: String,
    /// Where the name stands, in bytes of that file.
    pub span: Span,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// What the place does.
    pub kind: ReferenceKind,
    /// How sure that is.
    pub certainty: Certainty,
    /// It names no columns: what it means goes by their order.
    pub by_place: bool,
    /// The line, sanitised and capped: text that we did not write.
    pub excerpt: String,
}

/// What a place does with a table or column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReferenceKind {
    /// Reads it: it fails when the name is gone.
    Read,
    /// Writes it: it fails too, and new rows depend on it.
    Write,
    /// Declares it: a model, a schema file, a view, a migration.
    Schema,
    /// Names it, in words whose use we cannot tell.
    Text,
}

impl ReferenceKind {
    /// The word for it on the wire and in prose.
    pub fn id(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Schema => "schema",
            Self::Text => "text",
        }
    }
}

/// How sure it is that a place means this table or column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Only the word was found, near the table's name.
    Possible,
    /// A model's or row's attribute in a file that knows the table.
    Likely,
    /// SQL that names the table and the column.
    Certain,
}

impl Certainty {
    /// The word for it on the wire and in prose.
    pub fn id(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}
