//! What differs between the engines' lexical rules, as data.

use super::Dialect;

/// The lexical rules of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lexicon {
    /// `$tag$ … $tag$` is a string (PostgreSQL manual, 4.1.2.4).
    pub dollar_quotes: bool,
    /// A dollar may stand in a word, behind its first letter.
    pub dollars_in_words: bool,
    /// Block comments nest (PostgreSQL manual, 4.1.5).
    pub nested_comments: bool,
    /// `#` starts a comment (MySQL manual, 11.7).
    pub hash_comments: bool,
    /// A backslash escapes in every string (MySQL manual, 11.1.1); elsewhere only in `E'…'`.
    pub backslash_escapes: bool,
    /// `E'…'` is a string with escapes, `U&'…'` a string and `U&"…"` a name (PostgreSQL manual, 4.1.2.2 and 4.1.2.3).
    pub prefixed_quotes: bool,
    /// A carriage return ends a `--` comment too (PostgreSQL's scan.l: `non_newline` is `[^\n\r]`); elsewhere only a line feed
    /// does (MySQL's sql_lex.cc, SQLite's tokenize.c).
    pub returns_end_comments: bool,
    /// `--` starts a comment only before a blank, a control character or the end (MySQL manual, 1.7.2.4).
    pub blank_after_dashes: bool,
    /// `"…"` is a string, not an identifier (MySQL without `ANSI_QUOTES`).
    pub double_quoted_strings: bool,
    /// `` `…` `` is an identifier (MySQL, SQLite).
    pub backticks: bool,
    /// What stands in `[…]`.
    pub brackets: Brackets,
    /// `/*! … */` is code (MySQL manual, 11.7).
    pub executable_comments: bool,
    /// Lines that start with a backslash belong to psql.
    pub psql_commands: bool,
}

/// What square brackets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brackets {
    /// Operators: arrays and their places.
    Operators,
    /// Identifiers, whatever stands in them (SQLite).
    Names,
    /// Identifiers where words stand in them, else operators: SQL of an engine that is not known.
    NamesOfWords,
}

impl Lexicon {
    /// SQL of an engine that is not known, perhaps half of it: what programs hold in their literals. What stands between dollar
    /// quotes is read like the text around it: a body uses tables too.
    pub const ANY: Self = Self {
        dollars_in_words: false,
        prefixed_quotes: true,
        returns_end_comments: true,
        backticks: true,
        brackets: Brackets::NamesOfWords,
        ..Self::NONE
    };

    /// What every engine has.
    pub(super) const NONE: Self = Self {
        dollar_quotes: false,
        dollars_in_words: true,
        nested_comments: false,
        hash_comments: false,
        backslash_escapes: false,
        prefixed_quotes: false,
        returns_end_comments: false,
        blank_after_dashes: false,
        double_quoted_strings: false,
        backticks: false,
        brackets: Brackets::Operators,
        executable_comments: false,
        psql_commands: false,
    };

    /// The rules of an engine.
    pub fn of(dialect: Dialect) -> Self {
        dialect.facts().lexicon
    }
}
