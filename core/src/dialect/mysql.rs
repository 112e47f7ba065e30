//! What MySQL says of itself before any statement is read. It is recognised and not analysed yet.

use super::{Facts, Lexicon, Naming, Version, postgres};

pub(super) static FACTS: Facts = Facts {
    id: "mysql",
    aliases: &["mariadb"],
    title: "MySQL",
    usual: Version { major: 8, minor: 0 },
    known: None,
    naming: Naming {
        folds: false,
        longest: None,
        mark: '`',
        // A name too many in quotes does no harm.
        reserved: postgres::RESERVED,
        default_schema: "",
        own_schemas: &[],
        // Nothing is written for it yet, so nobody asks.
        given: |_, _, _, _| String::new(),
    },
    lexicon: LEXICON,
};

const LEXICON: Lexicon = Lexicon {
    hash_comments: true,
    backslash_escapes: true,
    blank_after_dashes: true,
    double_quoted_strings: true,
    backticks: true,
    executable_comments: true,
    ..Lexicon::NONE
};
