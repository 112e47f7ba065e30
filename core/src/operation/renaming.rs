//! Queries of views whose tables or columns get other names: the server keeps what they read, and so do we.

use crate::dialect::{Dialect, Name, quote};
use crate::statement::{Cursor, Script};
use crate::text::{Edit, Span, apply};

use super::{Expression, QueryText, sources};

impl QueryText {
    /// The query with another name for a relation that it reads; `is_it` says which of its words mean that one.
    pub fn with_relation_renamed(
        &self,
        dialect: Dialect,
        to: &Name,
        is_it: impl Fn(&Name) -> bool,
    ) -> String {
        let script = Script::read(&self.text, dialect);
        let places = sources::places(Cursor::new(&self.text, dialect, &script.tokens));
        let own: Vec<&Name> = places.iter().filter(|it| is_it(it)).collect();
        let mut edits: Vec<Edit> = own.iter().map(|it| Edit::replace(it.span, to.sql(dialect))).collect();
        let mut cursor = Cursor::new(&self.text, dialect, &script.tokens);
        let mut behind_dot = false;
        while !cursor.at_end() {
            let dot = cursor.is(".");
            match cursor.ident() {
                Some(word) if cursor.is(".") && !behind_dot && own.iter().any(|it| it.name == word.name) => {
                    let is_source = own.iter().any(|it| it.span.contains(word.span));
                    edits.extend((!is_source).then(|| Edit::replace(word.span, quote(&to.name, dialect))));
                }
                Some(_) => {}
                None => _ = cursor.next_token(),
            }
            behind_dot = dot;
        }
        edits.sort_by_key(|it| it.span);
        apply(&self.text, &edits).unwrap_or_else(|_| self.text.clone())
    }

    /// The query with another name for a column of the one relation that it reads, which is still shown under the old
    /// one; `None` where that cannot be told from the words.
    pub fn with_column_renamed(&self, dialect: Dialect, from: &str, to: &str) -> Option<String> {
        let script = Script::read(&self.text, dialect);
        let cursor = Cursor::new(&self.text, dialect, &script.tokens);
        let words = |word: &str| {
            script.tokens.iter().filter(|it| it.span.of(&self.text).eq_ignore_ascii_case(word)).count()
        };
        if !cursor.is("select") || words("select") != 1 || words("*") != 0 {
            return None;
        }
        if sources::places(cursor).len() != 1 {
            return None;
        }
        let shown = plain_items(cursor);
        let mut edits = Vec::new();
        Expression::new(self.text.clone()).each_column(dialect, |column| {
            // A word that a name must have quotes for is a keyword without them.
            let keyword = quote(from, dialect) != from && !column.name.span.of(&self.text).starts_with('"');
            if column.name.name != from || keyword {
                return;
            }
            let new = quote(to, dialect);
            let new = match shown.contains(&column.span()) {
                true => format!("{new} AS {}", quote(from, dialect)),
                false => new,
            };
            edits.push(Edit::replace(column.name.span, new));
        });
        apply(&self.text, &edits).ok()
    }
}

/// The items of a SELECT that are a column and nothing else.
fn plain_items(mut cursor: Cursor<'_>) -> Vec<Span> {
    cursor.eat("select");
    cursor.eat("distinct");
    let first = cursor.index();
    cursor.seek(&["from"]);
    let items = cursor.part(first, cursor.index()).segments();
    let plain = |mut item: Cursor<'_>| item.name().map(|it| it.span).filter(|_| item.at_end());
    items.into_iter().filter_map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> QueryText {
        QueryText { text: text.to_owned(), span: Span::default() }
    }

    #[test]
    fn relations_get_other_names() {
        let renamed = |text: &str| {
            query(text).with_relation_renamed(Dialect::Postgres, &Name::new("b"), |it| it.name == "a")
        };
        assert_eq!(renamed("SELECT a.id, a FROM a WHERE a.x > 0"), "SELECT b.id, a FROM b WHERE b.x > 0");
        assert_eq!(renamed("SELECT o.id FROM a o JOIN c USING (a)"), "SELECT o.id FROM b o JOIN c USING (a)");
    }

    #[test]
    fn columns_are_shown_under_their_old_names() {
        let renamed = |text: &str| query(text).with_column_renamed(Dialect::Postgres, "a", "b");
        let shown = |text: &str| renamed(text).unwrap_or_default();
        assert_eq!(shown("SELECT id, a FROM t WHERE a > 0"), "SELECT id, b AS a FROM t WHERE b > 0");
        assert_eq!(shown("SELECT t.a, lower(t.a) AS x FROM t"), "SELECT t.b AS a, lower(t.b) AS x FROM t");
        assert_eq!(shown("SELECT a AS c FROM t"), "SELECT b AS c FROM t");
        let keyword = query("SELECT \"select\" FROM t").with_column_renamed(Dialect::Postgres, "select", "b");
        assert_eq!(keyword.as_deref(), Some("SELECT b AS \"select\" FROM t"));
        assert_eq!(renamed("SELECT * FROM t"), None);
        assert_eq!(renamed("SELECT a FROM t JOIN u USING (id)"), None);
    }
}
