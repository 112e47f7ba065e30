//! Engines, versions and targets; how an engine spells and folds names.

mod ident;
mod lock;
mod target;

pub(crate) use ident::cut;
pub use ident::{Ident, Name, fold, quote, quote_literal};
pub use lock::LockMode;
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
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }

    /// The engine by any name that people use for it.
    pub fn from_id(id: &str) -> Option<Self> {
        match id.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" | "pg" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::Mysql),
            "sqlite" | "sqlite3" => Some(Self::Sqlite),
            _ => None,
        }
    }

    /// The name in prose.
    pub fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Sqlite => "SQLite",
        }
    }

    /// The schema of a name that states none.
    pub fn default_schema(self) -> &'static str {
        match self {
            Self::Postgres => "public",
            Self::Mysql => "",
            Self::Sqlite => "main",
        }
    }
}
