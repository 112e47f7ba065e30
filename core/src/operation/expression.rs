//! Expressions and queries: kept as text, read on demand.
//!
//! A replay of thousands of migrations needs few of them, so reading every one would be the larger part of its cost.

use std::collections::BTreeSet;

use crate::dialect::{Dialect, Ident, Name, quote};
use crate::statement::{Cursor, Script, TokenKind};
use crate::text::{Edit, Span, apply};

use super::sources;
use super::subparser::{self, Reading};

/// A word in an expression that may be a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnWord {
    /// The last name in front of its dot.
    pub qualifier: Option<Ident>,
    /// Its name.
    pub name: Ident,
}

impl ColumnWord {
    /// Where it stands in the expression's text, with its qualifier.
    pub fn span(&self) -> Span {
        self.qualifier.as_ref().map_or(self.name.span, |it| it.span.cover(self.name.span))
    }
}

/// An expression of SQL as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expression {
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl Expression {
    /// An expression that stands nowhere in a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), span: Span::default() }
    }

    /// The functions that it calls, folded and without schema, and special ones such as `current_user`.
    pub fn functions(&self, dialect: Dialect) -> BTreeSet<String> {
        self.read(dialect).functions
    }

    /// The columns that it names, each with what stands before its dot; `None` where not all of it is certain.
    pub fn certain_columns(&self, dialect: Dialect) -> Option<BTreeSet<(Option<String>, String)>> {
        subparser::certain_columns(&self.text, dialect)
    }

    /// The last parts of the names that may be columns.
    pub fn columns(&self, dialect: Dialect) -> BTreeSet<String> {
        self.read(dialect).columns
    }

    /// Whether one of these keywords or operators stands in it, in parentheses too. Behind a dot such a word is a name.
    pub fn has_word(&self, dialect: Dialect, words: &[&str]) -> bool {
        let script = Script::read(&self.text, dialect);
        let mut cursor = Cursor::new(&self.text, dialect, &script.tokens);
        while !cursor.at_end() {
            if cursor.is_any(words) {
                return true;
            }
            let dot = cursor.is(".");
            cursor.next_token();
            if dot {
                cursor.next_token();
            }
        }
        false
    }

    /// Whether it names this column.
    pub fn names(&self, column: &str, dialect: Dialect) -> bool {
        self.names_any(std::iter::once(column), dialect)
    }

    /// Whether it names one of these columns. Read from the tokens: a type, a function, a qualifier or the field of an
    /// `extract` of that name is something else.
    pub fn names_any<'a>(&self, columns: impl Iterator<Item = &'a str>, dialect: Dialect) -> bool {
        // Most are not even in the text, whatever its case.
        let likely = |column: &&str| contains_ignoring_case(&self.text, column);
        let likely: Vec<&str> = columns.filter(likely).collect();
        if likely.is_empty() {
            return false;
        }
        let mut found = false;
        self.each_column(dialect, |column| found |= likely.contains(&column.name.name.as_str()));
        found
    }

    /// Whether something in it is called this, a relation of a query or a column, and not only something of it is named: `a` in `FROM t a`, not in `a.b`.
    pub fn calls_something(&self, name: &str, dialect: Dialect) -> bool {
        let script = Script::read(&self.text, dialect);
        let mut cursor = Cursor::new(&self.text, dialect, &script.tokens);
        let mut after_dot = false;
        while !cursor.at_end() {
            let dot = cursor.is(".");
            match cursor.ident() {
                Some(it) if it.name == name && !after_dot && !cursor.is(".") => return true,
                Some(_) => {}
                None => {
                    cursor.next_token();
                }
            }
            after_dot = dot;
        }
        false
    }

    /// The text with other words for its columns: `word` says which, or leaves one as it is.
    pub fn with_columns(&self, dialect: Dialect, word: impl Fn(&ColumnWord) -> Option<String>) -> String {
        let mut edits = Vec::new();
        self.each_column(dialect, |column| {
            edits.extend(word(&column).map(|new| Edit::replace(column.span(), new)));
        });
        apply(&self.text, &edits).unwrap_or_else(|_| self.text.clone())
    }

    /// The text with another name for a column.
    pub fn with_column_renamed(&self, dialect: Dialect, from: &str, to: &str) -> String {
        let mut edits = Vec::new();
        self.each_column(dialect, |column| {
            let edit = || Edit::replace(column.name.span, quote(to, dialect));
            edits.extend((column.name.name == from).then(edit));
        });
        apply(&self.text, &edits).unwrap_or_else(|_| self.text.clone())
    }

    /// Calls `found` for each word that may be a column. Read from the tokens: a type, a function, a qualifier or the field of an `extract` is
    /// something else.
    pub fn each_column(&self, dialect: Dialect, mut found: impl FnMut(ColumnWord)) {
        let script = Script::read(&self.text, dialect);
        let mut cursor = Cursor::new(&self.text, dialect, &script.tokens);
        let mut after_cast = false;
        let mut in_extract = false;
        let mut qualifier: Option<Ident> = None;
        while !cursor.at_end() {
            let cast = cursor.is("::") || cursor.is("as") || cursor.is("collate");
            let Some(name) = cursor.ident() else {
                in_extract &= cursor.peek_kind() == Some(TokenKind::Open);
                qualifier = qualifier.filter(|_| cursor.is("."));
                cursor.next_token();
                after_cast = cast;
                continue;
            };
            let call = matches!(cursor.peek_kind(), Some(TokenKind::Open | TokenKind::String));
            let qualifies = cursor.is(".");
            if !after_cast && !call && !qualifies && !in_extract {
                found(ColumnWord { qualifier: qualifier.take(), name: name.clone() });
            }
            in_extract = call && name.name == "extract";
            qualifier = qualifies.then_some(name);
            after_cast = cast;
        }
    }

    /// The parts between the ANDs of its outermost level, where no OR stands; the AND of a `BETWEEN` parts nothing.
    pub fn conjuncts(&self, dialect: Dialect) -> Vec<Self> {
        let script = Script::read(&self.text, dialect);
        let mut cursor = Cursor::new(&self.text, dialect, &script.tokens);
        let mut parts = Vec::new();
        let mut first = 0;
        let mut between = false;
        loop {
            if cursor.is("or") {
                return vec![self.clone()];
            }
            between |= cursor.is("between");
            let and = cursor.is("and") && !std::mem::take(&mut between);
            if cursor.at_end() || and {
                let span = cursor.part(first, cursor.index()).span();
                parts.push(Self::new(span.of(&self.text)));
                first = cursor.index() + 1;
            }
            if cursor.at_end() {
                return parts;
            }
            cursor.skip();
        }
    }

    /// Whether it is a literal, perhaps with a sign or a cast.
    pub fn is_literal(&self, dialect: Dialect) -> bool {
        let reading = self.read(dialect);
        reading.functions.is_empty() && reading.columns.is_empty()
    }

    /// Whether it is the word NULL, perhaps with a cast.
    pub fn is_null(&self) -> bool {
        let word = self.text.split("::").next().unwrap_or("").trim();
        word.trim_matches(['(', ')', ' ']).eq_ignore_ascii_case("null")
    }

    /// Whether it is always true: `true`, `1 = 1`.
    pub fn is_tautology(&self, dialect: Dialect) -> bool {
        let bare: String =
            self.text.chars().filter(|it| !it.is_whitespace() && !matches!(it, '(' | ')')).collect();
        let sides: Vec<&str> = bare.split('=').collect();
        let same = sides.len() == 2 && sides[0] == sides[1] && Self::new(sides[0]).is_literal(dialect);
        same || bare.eq_ignore_ascii_case("true")
    }

    /// The columns that must have a value wherever the expression is true: the `c IS NOT NULL` of its AND.
    pub fn implied_not_null(&self, dialect: Dialect) -> BTreeSet<String> {
        subparser::implied_not_null(&self.text, dialect)
    }

    fn read(&self, dialect: Dialect) -> Reading {
        subparser::read_expression(&self.text, dialect)
    }
}

/// The name behind AS, or of a plain column.
fn shown_name(mut item: Cursor<'_>) -> Option<String> {
    let mut last = None;
    let mut plain = true;
    while !item.at_end() {
        if item.eat("as") {
            return item.ident().map(|it| it.name).filter(|_| item.at_end());
        }
        last = item.ident();
        plain &= last.is_some() && (item.at_end() || item.eat("."));
        if last.is_none() {
            item.skip();
        }
    }
    last.filter(|_| plain).map(|it| it.name)
}

fn contains_ignoring_case(text: &str, word: &str) -> bool {
    if !word.is_ascii() || word.contains('"') {
        return true;
    }
    text.as_bytes().windows(word.len().max(1)).any(|it| it.eq_ignore_ascii_case(word.as_bytes()))
}

/// A query as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryText {
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl QueryText {
    /// The relations that it reads; names of its own WITH are left out.
    pub fn relations(&self, dialect: Dialect) -> Vec<Name> {
        sources::relations(&self.text, dialect)
    }

    /// The only relation and the columns of it, where the query is one SELECT on it, without aliases, joins or
    /// queries inside.
    pub fn columns_of_single_relation(&self, dialect: Dialect) -> Option<(Name, BTreeSet<String>)> {
        subparser::columns_of_single_relation(&self.text, dialect)
    }

    /// Whether it calls one of these functions, told by their names without schema.
    pub fn calls(&self, dialect: Dialect, is_one: impl Fn(&str) -> bool) -> bool {
        let script = Script::read(&self.text, dialect);
        let mut cursor = Cursor::new(&self.text, dialect, &script.tokens);
        while !cursor.at_end() {
            match cursor.ident() {
                Some(name) if cursor.peek_kind() == Some(TokenKind::Open) && is_one(&name.name) => {
                    return true;
                }
                Some(_) => {}
                None => _ = cursor.next_token(),
            }
        }
        false
    }

    /// Whether it locks the rows that it reads.
    pub fn locks_rows(&self, dialect: Dialect) -> bool {
        let script = Script::read(&self.text, dialect);
        let mut cursor = Cursor::new(&self.text, dialect, &script.tokens);
        while cursor.seek(&["for"]) {
            cursor.next_token();
            if cursor.is_any(&["update", "share", "no", "key"]) {
                return true;
            }
        }
        false
    }

    /// The names of the columns that it shows, without those that the server makes; `None` where nobody can count them.
    pub fn shows(&self, dialect: Dialect) -> Option<Vec<Option<String>>> {
        let script = Script::read(&self.text, dialect);
        let mut cursor = Cursor::new(&self.text, dialect, &script.tokens);
        cursor.eat("select").then_some(())?;
        if cursor.eat("distinct") && cursor.eat("on") {
            cursor.group()?;
        }
        let first = cursor.index();
        while !cursor.at_end()
            && !cursor.is_any(&["into", "from", "where", "union", "group", "order", "limit"])
        {
            cursor.skip();
        }
        let items = cursor.part(first, cursor.index()).segments();
        let stars = |it: &Cursor<'_>| it.tokens().last().is_some_and(|token| token.span.of(it.text()) == "*");
        (!items.iter().any(stars)).then(|| items.into_iter().map(shown_name).collect())
    }

    /// The relations that it reads, each with the columns that it may be read by.
    pub fn dependences(&self, dialect: Dialect) -> Vec<(Name, BTreeSet<String>)> {
        let reading = subparser::read_query(&self.text, dialect);
        let with_columns = |name: &Name| (name.clone(), reading.columns_of(name));
        reading.relations.iter().map(with_columns).collect()
    }

    /// The last parts of the names that may be columns, and `*` where all are read.
    pub fn columns(&self, dialect: Dialect) -> BTreeSet<String> {
        subparser::read_query(&self.text, dialect).reading.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_get_other_words() {
        let expression = Expression::new("u.a || lower(\"A\") || a::a || extract(a FROM a) || s.a || a(1)");
        let changed = expression.with_columns(Dialect::Postgres, |column| {
            let own = column.qualifier.as_ref().is_none_or(|it| it.name == "u");
            (own && column.name.name == "a").then(|| "NEW.a".to_owned())
        });
        assert_eq!(changed, "NEW.a || lower(\"A\") || NEW.a::a || extract(a FROM NEW.a) || s.a || a(1)");
    }

    #[test]
    fn words_are_no_parts_of_names_or_texts() {
        let has = |text: &str| Expression::new(text).has_word(Dialect::Postgres, &["limit", "="]);
        assert!(has("id IN (SELECT id FROM orders Limit 5)"));
        assert!(has("(id)=(5)"));
        assert!(!has("credit_limit > 5 AND o.limit < 7 AND \"limit\" >= 8 AND name <> 'a = b' -- limit"));
    }

    #[test]
    fn a_query_says_what_it_shows() {
        let shows = |query: &str| {
            let shown =
                QueryText { text: query.to_owned(), span: Span::default() }.shows(Dialect::Postgres)?;
            let shown: Vec<String> =
                shown.into_iter().map(|it| it.unwrap_or_else(|| "?".to_owned())).collect();
            Some(shown.join(" "))
        };
        let shown = |query: &str| shows(query).unwrap_or_default();
        assert_eq!(shown("SELECT a, t.b, s.t.\"C\" FROM t"), "a b C");
        assert_eq!(shown("SELECT DISTINCT ON (a) a + 1 AS b, count(*) AS n"), "b n");
        assert_eq!(shown("SELECT a b, count(*), 'x', a::text FROM t"), "? ? ? ?");
        for unknown in ["SELECT * FROM t", "SELECT a, t.* FROM t", "WITH x AS (SELECT 1) SELECT a FROM x"] {
            assert_eq!(shows(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_view_says_what_it_shows() {
        let stated = "CREATE VIEW v (x) WITH (security_barrier) AS SELECT a + 1, b FROM t";
        let script = Script::read(stated, Dialect::Postgres);
        let operation = crate::engine::lower::lower(&script, &script.statements[0]).remove(0);
        let crate::operation::Kind::CreateView(view) = operation.kind else { panic!("{operation:?}") };
        let found = (view.shows(Dialect::Postgres), view.head.as_str());
        assert_eq!(found, (Some(vec!["x".to_owned(), "b".to_owned()]), "(x) WITH (security_barrier)"));
    }

    #[test]
    fn columns_are_told_from_what_looks_like_them() {
        let names = |text: &str, column: &str| Expression::new(text).names(column, Dialect::Postgres);
        for text in
            ["DATE > '2020-01-01'", "t.date IS NULL", "f(\"date\")", "x::date < date", "date BETWEEN a AND b"]
        {
            assert!(names(text, "date"), "{text}");
        }
        for text in [
            "x::date",
            "date '2020-01-01' < x",
            "date(x)",
            "date.x",
            "CAST(x AS date)",
            "extract(date FROM x)",
            "updates",
        ] {
            assert!(!names(text, "date"), "{text}");
        }
        assert!(names("(SELECT date FROM x)", "date"));
        assert!(names("\"Größe\" > 5 AND größe < 3", "größe"));
    }
}
