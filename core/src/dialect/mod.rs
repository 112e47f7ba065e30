//! Engines, versions and targets; how an engine spells and folds names, and its lexical rules. One file per engine holds
//! what it says of all that, as data.

mod ident;
mod lexicon;
mod lock;
mod mysql;
mod naming;
mod postgres;
mod sqlite;
mod target;

pub(crate) use ident::cut;
pub use ident::{Ident, Name, fold, kept, quote, quote_literal};
pub use lexicon::{Brackets, Lexicon};
pub use lock::LockMode;
pub use naming::{Naming, Unnamed};
pub use target::{Target, Version};

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    /// All engines that exist for us.
    pub const ALL: &[Self] = &[Self::Postgres, Self::Mysql, Self::Sqlite];
    /// The engines whose operations and effects are known today.
    pub const ANALYSED: &[Self] = &[Self::Postgres];

    /// The name on the command line and in configuration.
    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// The engine by any name that people use for it.
    pub fn from_id(id: &str) -> Option<Self> {
        let id = id.to_ascii_lowercase();
        let has = |it: &&Self| it.id() == id || it.facts().aliases.contains(&id.as_str());
        Self::ALL.iter().find(has).copied()
    }

    /// The engine that a version of a managed server belongs to where nothing names it: MySQL is at 8, and PostgreSQL before 9 is long gone.
    pub fn of_version(version: Version) -> Self {
        if version.major >= 9 { Self::Postgres } else { Self::Mysql }
    }

    /// The name in prose.
    pub fn title(self) -> &'static str {
        self.facts().title
    }

    /// The schema of a name that states none.
    pub fn default_schema(self) -> &'static str {
        self.naming().default_schema
    }

    /// The version where nothing states one.
    pub fn usual_version(self) -> Version {
        self.facts().usual
    }

    /// The major versions whose facts are known, where any are.
    pub fn known_versions(self) -> Option<std::ops::RangeInclusive<u16>> {
        self.facts().known.clone()
    }

    /// What it says of names.
    pub fn naming(self) -> &'static Naming {
        &self.facts().naming
    }

    fn facts(self) -> &'static Facts {
        match self {
            Self::Postgres => &postgres::FACTS,
            Self::Mysql => &mysql::FACTS,
            Self::Sqlite => &sqlite::FACTS,
        }
    }
}

/// What an engine says of itself.
#[derive(Debug)]
struct Facts {
    id: &'static str,
    aliases: &'static [&'static str],
    title: &'static str,
    /// The version where nothing states one.
    usual: Version,
    known: Option<std::ops::RangeInclusive<u16>>,
    naming: Naming,
    lexicon: Lexicon,
}
