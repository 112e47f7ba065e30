//! Names of objects: folding, quoting, qualification.

use std::fmt;

use super::Dialect;
use crate::text::Span;

/// One identifier as a statement spells it, folded as the engine folds it: a column, a constraint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ident {
    /// The name, folded.
    pub name: String,
    /// Where it stands in the text.
    pub span: Span,
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The name of an object as a statement spells it, folded as the engine folds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Name {
    /// The schema where the statement states one, folded.
    pub schema: Option<String>,
    /// The name itself, folded.
    pub name: String,
    /// Where the whole name stands in the text.
    pub span: Span,
}

impl Name {
    /// An unqualified name that stands nowhere in a text.
    pub fn new(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into(), span: Span::default() }
    }

    /// A qualified name that stands nowhere in a text.
    pub fn qualified(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: Some(schema.into()), name: name.into(), span: Span::default() }
    }

    /// A sibling in the same schema.
    #[must_use]
    pub fn sibling(&self, name: impl Into<String>) -> Self {
        Self { schema: self.schema.clone(), name: name.into(), span: self.span }
    }

    /// The name as SQL, quoted where the engine needs it.
    pub fn sql(&self, dialect: Dialect) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quote(schema, dialect), quote(&self.name, dialect)),
            None => quote(&self.name, dialect),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// An unquoted identifier as the engine stores it: PostgreSQL folds to lower case and cuts at 63 bytes.
pub fn fold(identifier: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres => cut(identifier.to_lowercase(), 63),
        Dialect::Mysql => identifier.to_owned(),
        Dialect::Sqlite => identifier.to_lowercase(),
    }
}

/// The name as far as the server keeps it.
pub(crate) fn cut(mut identifier: String, limit: usize) -> String {
    if identifier.len() > limit {
        let mut end = limit;
        while !identifier.is_char_boundary(end) {
            end -= 1;
        }
        identifier.truncate(end);
    }
    identifier
}

/// An identifier as SQL: quoted where folding or a reserved word would change it.
pub fn quote(identifier: &str, dialect: Dialect) -> String {
    let plain = identifier.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && identifier.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
    if plain && !RESERVED.contains(&identifier) {
        return identifier.to_owned();
    }
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => format!("\"{}\"", identifier.replace('"', "\"\"")),
        Dialect::Mysql => format!("`{}`", identifier.replace('`', "``")),
    }
}

/// A text as a string literal of SQL. PostgreSQL needs no `E` as `standard_conforming_strings` is on since 9.1.
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Words that cannot be a bare column name in PostgreSQL 18 (manual, appendix C: reserved, and reserved but usable as
/// a function or type), with the few that MySQL and SQLite add.
const RESERVED: &[&str] = &[
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_only_where_they_must_be() {
        assert_eq!(quote("orders", Dialect::Postgres), "orders");
        assert_eq!(quote("user", Dialect::Postgres), "\"user\"");
        assert_eq!(quote("Order\"s", Dialect::Postgres), "\"Order\"\"s\"");
        assert_eq!(quote("a b", Dialect::Mysql), "`a b`");
        assert_eq!(quote("", Dialect::Postgres), "\"\"");
    }

    #[test]
    fn long_names_are_cut_as_the_server_cuts_them() {
        assert_eq!(fold(&"É".repeat(40), Dialect::Postgres).len(), 62);
    }
}
