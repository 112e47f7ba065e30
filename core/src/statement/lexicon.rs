//! What differs between the engines' lexical rules, as data.

use crate::dialect::Dialect;

/// The lexical rules of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lexicon {
    /// `$tag$ … $tag$` is a string (PostgreSQL manual, 4.1.2.4).
    pub dollar_quotes: bool,
    /// Block comments nest (PostgreSQL manual, 4.1.5).
    pub nested_comments: bool,
    /// `#` starts a comment (MySQL manual, 11.7).
    pub hash_comments: bool,
    /// A backslash escapes in every string (MySQL manual, 11.1.1); elsewhere only in `E'…'`.
    pub backslash_escapes: bool,
    /// `"…"` is a string, not an identifier (MySQL without `ANSI_QUOTES`).
    pub double_quoted_strings: bool,
    /// `` `…` `` is an identifier (MySQL, SQLite).
    pub backticks: bool,
    /// `[…]` is an identifier (SQLite).
    pub brackets: bool,
    /// `/*! … */` is code (MySQL manual, 11.7).
    pub executable_comments: bool,
    /// Lines that start with a backslash belong to psql.
    pub psql_commands: bool,
}

impl Lexicon {
    /// The rules of an engine.
    pub const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => POSTGRES,
            Dialect::Mysql => MYSQL,
            Dialect::Sqlite => SQLITE,
        }
    }
}

const NONE: Lexicon = Lexicon {
    dollar_quotes: false,
    nested_comments: false,
    hash_comments: false,
    backslash_escapes: false,
    double_quoted_strings: false,
    backticks: false,
    brackets: false,
    executable_comments: false,
    psql_commands: false,
};
const POSTGRES: Lexicon = Lexicon { dollar_quotes: true, nested_comments: true, psql_commands: true, ..NONE };
const MYSQL: Lexicon = Lexicon {
    hash_comments: true,
    backslash_escapes: true,
    double_quoted_strings: true,
    backticks: true,
    executable_comments: true,
    ..NONE
};
const SQLITE: Lexicon = Lexicon { backticks: true, brackets: true, ..NONE };
