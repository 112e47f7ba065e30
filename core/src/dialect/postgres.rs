//! What PostgreSQL says of itself before any statement is read: its names, its lexical rules, its versions.

use super::ident::boundary;
use super::{Facts, Lexicon, Naming, Unnamed, Version};

pub(super) static FACTS: Facts = Facts {
    id: "postgres",
    aliases: &["postgresql", "pg"],
    title: "PostgreSQL",
    // The oldest version that its developers still support (14 ended in November 2026).
    usual: Version::major(15),
    known: Some(11..=19),
    naming: Naming {
        folds: true,
        longest: Some(LONGEST),
        mark: '"',
        reserved: RESERVED,
        default_schema: "public",
        own_schemas: &["pg_catalog"],
        given,
    },
    lexicon: LEXICON,
};

/// `NAMEDATALEN` - 1.
const LONGEST: usize = 63;

const LEXICON: Lexicon = Lexicon {
    dollar_quotes: true,
    nested_comments: true,
    prefixed_quotes: true,
    returns_end_comments: true,
    psql_commands: true,
    ..Lexicon::NONE
};

/// `table_columns_label`: the two parts in front give way to the label, the longer one first (`makeObjectName` of the server).
fn given(table: &str, columns: &[&str], of: Unnamed, number: usize) -> String {
    let label = match (label(of), number) {
        (label, 0) => label.to_owned(),
        (label, number) => format!("{label}{number}"),
    };
    let columns = if of == Unnamed::PrimaryKey { String::new() } else { columns.join("_") };
    let overhead = label.len() + 1 + usize::from(!columns.is_empty());
    let room = LONGEST.saturating_sub(overhead);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > room {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let (table, columns) = (&table[..boundary(table, first)], &columns[..boundary(&columns, second)]);
    if columns.is_empty() { format!("{table}_{label}") } else { format!("{table}_{columns}_{label}") }
}

fn label(of: Unnamed) -> &'static str {
    match of {
        Unnamed::PrimaryKey => "pkey",
        Unnamed::Unique => "key",
        Unnamed::Exclusion => "excl",
        Unnamed::ForeignKey => "fkey",
        Unnamed::Check => "check",
        Unnamed::NotNull => "not_null",
        Unnamed::Index => "idx",
        Unnamed::Sequence => "seq",
        Unnamed::Statistics => "stat",
    }
}

/// Words that cannot be a bare column name in PostgreSQL 18 (manual, appendix C: reserved, and reserved but usable as
/// a function or type).
pub(super) const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "index",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "key",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];
