//! Names of objects: folding, quoting, qualification.

use std::fmt;

use super::Dialect;
use crate::text::{Span, is_treacherous};

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

/// An unquoted identifier as the engine stores it.
pub fn fold(identifier: &str, dialect: Dialect) -> String {
    let naming = dialect.naming();
    let folded = if naming.folds { identifier.to_lowercase() } else { identifier.to_owned() };
    cut(folded, dialect)
}

/// The name as far as the server keeps it; in quotes it is cut too.
pub(crate) fn cut(mut identifier: String, dialect: Dialect) -> String {
    identifier.truncate(kept(&identifier, dialect));
    identifier
}

/// How many bytes of a name the server keeps.
pub fn kept(identifier: &str, dialect: Dialect) -> usize {
    boundary(identifier, dialect.naming().longest.unwrap_or(identifier.len()))
}

/// The place at or before `length` where no character is divided.
pub(super) fn boundary(text: &str, length: usize) -> usize {
    let mut length = length.min(text.len());
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    length
}

/// An identifier as SQL: quoted where folding or a reserved word would change it.
pub fn quote(identifier: &str, dialect: Dialect) -> String {
    let naming = dialect.naming();
    let plain = identifier.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && identifier.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
    if plain && !naming.reserved.contains(&identifier) {
        return identifier.to_owned();
    }
    let mark = naming.mark;
    format!("{mark}{}{mark}", identifier.replace(mark, &format!("{mark}{mark}")))
}

/// A text as a string literal of SQL, for engines that read no escapes in a plain one.
pub fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if text.chars().any(is_treacherous) {
        return format!("E'{}'", doubled.chars().map(escaped).collect::<String>());
    }
    format!("'{doubled}'")
}

fn escaped(it: char) -> String {
    match it {
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        it if is_treacherous(it) => format!("\\U{:08x}", u32::from(it)),
        it => it.to_string(),
    }
}

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
    fn what_ends_a_line_or_hides_in_a_text_is_written_as_its_code() {
        assert_eq!(
            quote_literal("it's\n-- +goose Down\r\u{202e}\\"),
            r"E'it''s\n-- +goose Down\U0000000d\U0000202e\\'"
        );
        assert_eq!(quote_literal(r"C:\n"), r"'C:\n'");
    }

    #[test]
    fn long_names_are_cut_as_the_server_cuts_them() {
        assert_eq!(fold(&"É".repeat(40), Dialect::Postgres).len(), 62);
    }
}
