//! What SQLite says of itself before any statement is read. It is recognised and not analysed yet.

use super::{Brackets, Facts, Lexicon, Naming, Version, postgres};

pub(super) static FACTS: Facts = Facts {
    id: "sqlite",
    aliases: &["sqlite3"],
    title: "SQLite",
    usual: Version { major: 3, minor: 40 },
    known: None,
    naming: Naming {
        folds: true,
        longest: None,
        mark: '"',
        // A name too many in quotes does no harm.
        reserved: postgres::RESERVED,
        default_schema: "main",
        own_schemas: &[],
        // Nothing is written for it yet, so nobody asks.
        given: |_, _, _, _| String::new(),
    },
    lexicon: LEXICON,
};

const LEXICON: Lexicon = Lexicon { backticks: true, brackets: Brackets::Names, ..Lexicon::NONE };
