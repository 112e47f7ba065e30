//! How migration frameworks name, order, divide and run their SQL files: one table of facts, and the functions that
//! read and write files by it.
//!
//! A framework is data, not a trait: what differs between them are facts, and a new one is a new row of
//! [`FRAMEWORKS`]. The price is that a framework with a truly new idea needs a new variant in one of the enums here.

mod commands;
mod name;
mod runner;
mod sections;
mod spell;
mod style;
mod table;
mod timestamp;

pub use commands::{Does, RUNNER_COMMANDS, RunnerCommand, is_runner, runner_command};
pub use name::{FileName, Kind, Part, Version, parse};
pub use runner::{Piece, Settings, pieces};
pub use sections::{Section, is_marked, sections};
pub use spell::{NewFile, NewMigration, SpellError, spell};
pub use table::FRAMEWORKS;
pub use timestamp::Timestamp;

/// What is known of one framework for migrations in SQL files. The sources of the facts stand in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framework {
    /// The name in configuration and on the wire.
    pub id: &'static str,
    /// The name in prose.
    pub title: &'static str,
    /// Where the framework documents itself.
    pub manual: &'static str,
    /// What gives it away in a repository, in words.
    pub recognised_by: &'static str,
    /// One file or one folder per migration.
    pub layout: Layout,
    /// How versions compare.
    pub order: Order,
    /// Where up and down are.
    pub halves: Halves,
    /// How it runs a section unless told otherwise.
    pub transaction: Transaction,
    /// How a migration leaves its transaction.
    pub opt_out: OptOut,
    /// How a section runs that has left it.
    pub outside: Transaction,
    /// First words of statements for which the runner leaves the transaction by itself.
    pub leaves_for: &'static [&'static str],
    /// What it does with the text of a section before the server sees it.
    pub reader: Reader,
    /// What makes the lock of the runner itself one that no transaction holds; nothing where it holds none beside a migration.
    pub lock_setting: Option<&'static str>,
    /// Whether all migrations of a deploy run in one transaction.
    pub together: bool,
    /// What it does with a migration that sorts before one that has run.
    pub late: Late,
    /// Where it remembers what has run.
    pub memory: Memory,
    /// What it cannot do, each a sentence for its users.
    pub cannot: &'static [&'static str],
}

impl Framework {
    /// The framework with this id.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        FRAMEWORKS.iter().find(|framework| framework.id == id)
    }
}

/// Where a runner remembers what it has run, as a query that gives versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// A row for each migration that has run.
    Each {
        /// The table, as `to_regclass` finds it.
        table: &'static str,
        /// One text column: the versions.
        query: &'static str,
    },
    /// The latest one only: all up to it have run.
    Latest {
        /// The table, as `to_regclass` finds it.
        table: &'static str,
        /// One text column: the version.
        query: &'static str,
    },
    /// Nowhere, or in a form that names no version.
    Elsewhere,
}

/// How the statements of a section reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transaction {
    /// The runner wraps the section in one transaction.
    Wrapped,
    /// The section is sent as one string: several statements are one implicit transaction, a single one runs alone.
    Implicit,
    /// Each statement is sent and committed on its own.
    Autocommit,
}

impl Transaction {
    /// Whether so many statements are one transaction: what is sent alone is one by itself, and may end it.
    pub fn is_one(self, statements: usize) -> bool {
        match self {
            Self::Wrapped => true,
            Self::Implicit => statements > 1,
            Self::Autocommit => false,
        }
    }
}

/// What a runner does with the text of a section before the server sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// psql reads it, with its own commands and the rows behind COPY.
    Psql,
    /// It finds the statements as the server would, and reads the rows behind COPY.
    Statements,
    /// It sends the text as it stands.
    Sends,
    /// A statement ends at a line that ends with a semicolon, except between comments with this prefix and `StatementBegin`, `StatementEnd`.
    Lines {
        /// What stands between `--` and the words.
        prefix: &'static str,
    },
    /// A statement ends at every semicolon, also in the body of a routine.
    Semicolons,
}

/// What a runner does with a migration that sorts before one that has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// It runs it.
    Runs,
    /// It never runs it, and says nothing.
    Skips,
    /// It refuses to go on, unless told so.
    Refuses {
        /// What lets it run all the same, in words.
        unless: Option<&'static str>,
    },
    /// Nothing is known.
    Unknown,
}

/// Which way a section goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Forwards.
    Up,
    /// Back.
    Down,
}

impl Direction {
    /// The word in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// One file or one folder per migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Files beside each other in the migrations folder.
    Files,
    /// A folder per migration that holds files of these names.
    Folders {
        /// The file that goes up.
        up: &'static str,
        /// The file that goes down.
        down: &'static str,
    },
}

/// How versions compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As numbers: 9 before 10.
    Number,
    /// As texts, byte by byte.
    Text,
    /// Part by part as numbers: 1.9 before 1.10.
    Dotted,
}

/// Where up and down are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halves {
    /// In one file, each behind a comment that starts with this word.
    Markers {
        /// What stands between `--` and the marker's own words.
        prefix: &'static str,
    },
    /// In files told apart by the end of their names: `.up.sql`, `.down.sql`.
    Suffixes,
    /// In files told apart by the first letter of their names: `V`, `U`, `R`, `B`.
    Letters,
    /// In files told apart by a word between the version and the name: `1.do.name.sql`, `1.undo.name.sql`.
    Actions,
    /// One way up behind each `--changeset`; the ways back stand in comments.
    Changesets,
    /// In sibling files of the migration's folder.
    Siblings,
    /// There is no down.
    UpOnly,
}

/// How a migration leaves the runner's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// It cannot, or there is none to leave.
    Never,
    /// A marker anywhere in the file, for the whole file.
    Marker(&'static str),
    /// An option behind the marker of the section.
    Option(&'static str),
    /// A comment that the file must start with.
    FirstLine(&'static str),
    /// A comment among those that the file starts with.
    Header {
        /// The comment.
        comment: &'static str,
        /// Whether an empty line must divide it from the first statement.
        apart: bool,
    },
    /// A setting in a file beside the migration.
    Sidecar {
        /// The file's name (in a migration's folder) or what is appended to the migration file's name.
        file: &'static str,
        /// The setting that is `false`.
        setting: &'static str,
    },
}
