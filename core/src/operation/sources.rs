//! The relations that a query reads, found from its tokens.
//!
//! Every query of a history is asked for them, so nothing is parsed: a relation stands behind FROM, JOIN, USING or a
//! comma of their lists. `FROM` inside the parentheses of a function (`extract(epoch FROM at)`) is another word.

use crate::dialect::{Dialect, Name};
use crate::statement::{Cursor, Script, TokenKind};
use crate::text::Span;

/// Deeper parentheses are not looked into.
const DEEPEST: usize = 60;

/// What begins a query, at its start or in parentheses.
const QUERIES: &[&str] = &["select", "with", "values", "table", "insert", "update", "delete", "merge"];

/// What ends a FROM list.
const CLAUSES: &[&str] = &[
    "where",
    "group",
    "having",
    "window",
    "union",
    "intersect",
    "except",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "returning",
    "conflict",
    "select",
];

/// The relations that a query names, without those of its own WITH, in order of name.
pub(super) fn relations(text: &str, dialect: Dialect) -> Vec<Name> {
    let script = Script::read(text, dialect);
    of_query(Cursor::new(text, dialect, &script.tokens))
}

/// The relations that the query at a cursor names.
pub(crate) fn of_query(cursor: Cursor<'_>) -> Vec<Name> {
    let mut sources = Sources::default();
    sources.query(cursor);
    sources.finish()
}

/// The relations of a FROM list.
pub(crate) fn of_list(mut cursor: Cursor<'_>) -> Vec<Name> {
    let mut sources = Sources::default();
    sources.list(&mut cursor);
    sources.finish()
}

/// The relations of the queries inside an expression, or of any other words.
pub(crate) fn of_expression(cursor: Cursor<'_>) -> Vec<Name> {
    let mut sources = Sources::default();
    sources.expression(cursor);
    sources.finish()
}

/// The relations that a query names, each where it stands, as often as it stands there.
pub(super) fn places(cursor: Cursor<'_>) -> Vec<Name> {
    let mut sources = Sources::default();
    sources.query(cursor);
    let Sources { mut found, own, .. } = sources;
    found.retain(|name| name.schema.is_some() || !own.contains(&name.name));
    found
}

#[derive(Default)]
struct Sources {
    found: Vec<Name>,
    /// The names that the query gives to parts of itself: `WITH name AS (…)`.
    own: Vec<String>,
    depth: usize,
}

impl Sources {
    fn finish(self) -> Vec<Name> {
        let Self { mut found, own, .. } = self;
        found.retain(|name| name.schema.is_some() || !own.contains(&name.name));
        // The spans are places in the query's own text.
        found.iter_mut().for_each(|name| name.span = Span::default());
        found.sort();
        found.dedup();
        found
    }

    fn query(&mut self, mut cursor: Cursor<'_>) {
        if cursor.eat("with") {
            self.parts(&mut cursor);
        }
        let inserts = cursor.is("insert");
        if cursor.eat_any(&["update", "merge", "table"]).is_some() {
            self.target(&mut cursor);
        }
        while !cursor.at_end() {
            if let Some(group) = cursor.group() {
                self.group(group);
            } else if cursor.eat_all("distinct from") {
                // A comparison.
            } else if cursor.eat("from") || eat_using(&mut cursor) {
                self.list(&mut cursor);
            } else if cursor.eat("into") {
                // What a SELECT is INTO is a new table, or a variable of PL/pgSQL.
                let target = name_of_target(&mut cursor);
                self.found.extend(target.filter(|_| inserts));
            } else {
                cursor.next_token();
            }
        }
    }

    /// Reads `name [(columns)] AS [NOT] [MATERIALIZED] (…), …`.
    fn parts(&mut self, cursor: &mut Cursor<'_>) {
        cursor.eat("recursive");
        while let Some(name) = cursor.ident() {
            self.own.push(name.name);
            cursor.group();
            cursor.eat("as");
            cursor.eat("not");
            cursor.eat("materialized");
            if let Some(part) = cursor.group() {
                self.group(part);
            }
            if cursor.eat_kind(TokenKind::Comma).is_none() {
                break;
            }
        }
    }

    fn target(&mut self, cursor: &mut Cursor<'_>) {
        self.found.extend(name_of_target(cursor));
    }

    /// What stands in parentheses: a query, or an expression with queries in it.
    fn group(&mut self, cursor: Cursor<'_>) {
        self.deeper(
            |sources| if cursor.is_any(QUERIES) { sources.query(cursor) } else { sources.expression(cursor) },
        );
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self)) {
        if self.depth < DEEPEST {
            self.depth += 1;
            read(self);
            self.depth -= 1;
        }
    }

    fn expression(&mut self, mut cursor: Cursor<'_>) {
        while !cursor.at_end() {
            if let Some(group) = cursor.group() {
                self.group(group);
            } else if cursor.is("select") {
                return self.query(cursor.rest());
            } else {
                cursor.next_token();
            }
        }
    }

    /// Reads the items of a FROM list, up to the next clause.
    fn list(&mut self, cursor: &mut Cursor<'_>) {
        loop {
            self.item(cursor);
            loop {
                if cursor.at_end() || cursor.is_any(CLAUSES) {
                    return;
                }
                let next =
                    cursor.eat_kind(TokenKind::Comma).is_some() || cursor.eat("join") || eat_using(cursor);
                if next {
                    break;
                }
                match cursor.group() {
                    Some(group) => self.group(group),
                    None => _ = cursor.next_token(),
                }
            }
        }
    }

    fn item(&mut self, cursor: &mut Cursor<'_>) {
        cursor.eat("lateral");
        let functions = cursor.eat_all("rows from");
        cursor.eat("only");
        if let Some(mut group) = cursor.group() {
            let query = functions || group.is_any(QUERIES);
            if query {
                return self.group(group);
            }
            return self.deeper(|sources| {
                sources.list(&mut group);
                sources.query(group);
            });
        }
        let Some(name) = cursor.name() else { return };
        // A function's arguments are read by the list.
        if cursor.peek_kind() != Some(TokenKind::Open) {
            self.found.push(name);
        }
    }
}

fn name_of_target(cursor: &mut Cursor<'_>) -> Option<Name> {
    while cursor.eat_any(&["into", "only", "temporary", "temp", "unlogged", "table"]).is_some() {}
    cursor.name()
}

/// Reads `USING` where relations follow, and not the columns of a join or an operator.
fn eat_using(cursor: &mut Cursor<'_>) -> bool {
    let mut ahead = *cursor;
    let found =
        ahead.eat("using") && (ahead.ident().is_some() || ahead.group().is_some_and(|it| it.is_any(QUERIES)));
    found && cursor.eat("using")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &str) {
        let found: Vec<String> = relations(query, Dialect::Postgres).iter().map(Name::to_string).collect();
        assert_eq!(found.join(" "), expected, "{query}");
    }

    #[test]
    fn relations_stand_behind_from_join_and_commas() {
        check("SELECT * FROM a, s.b AS x LEFT JOIN ONLY c ON c.id = x.id WHERE d = e", "a c s.b");
        check("SELECT 1 FROM (a CROSS JOIN b) JOIN (SELECT * FROM c) AS q USING (id)", "a b c");
        check("SELECT 1 FROM ((SELECT 1 FROM a) UNION SELECT 2 FROM b) q", "a b");
        check("SELECT (SELECT max(x) FROM a) + 1 FROM b WHERE id IN (SELECT id FROM c ORDER BY 1)", "a b c");
        check("(SELECT 1 FROM a) EXCEPT (TABLE b) ORDER BY 1", "a b");
        check("TABLE a", "a");
        check("SELECT 1 FROM a TABLESAMPLE system (1), LATERAL (SELECT 1 FROM b WHERE b.x = a.x) l", "a b");
        check("SELECT 1 FROM \"A b\".\"C\" FOR UPDATE OF d", "A b.C");
    }

    #[test]
    fn other_froms_name_nothing() {
        check("SELECT extract(epoch FROM at), trim(both 'x' from y) FROM a WHERE b IS DISTINCT FROM c", "a");
        check("SELECT 1 FROM generate_series(1, (SELECT max(id) FROM a)) g, unnest(x) WITH ORDINALITY", "a");
        check("SELECT 1 FROM ROWS FROM (f(1), g(2)) r, a", "a");
    }

    #[test]
    fn names_of_its_own_are_left_out() {
        check(
            "WITH recent AS (SELECT id FROM s.orders) SELECT * FROM users u JOIN recent USING (id)",
            "users s.orders",
        );
        check("WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n FROM t, a) SELECT n FROM t", "a");
        check(
            "WITH gone AS (DELETE FROM a USING b WHERE a.id = b.id RETURNING *) INSERT INTO c SELECT * FROM gone",
            "a b c",
        );
        check("MERGE INTO a USING (SELECT * FROM b) b ON a.id = b.id WHEN MATCHED THEN DELETE", "a b");
        check("INSERT INTO a SELECT x FROM b WHERE true ON CONFLICT (x) DO UPDATE SET y = 1, z = 2", "a b");
        check("WITH m AS (UPDATE a SET x = 1 FROM b RETURNING 1) SELECT * INTO new FROM m", "a b");
        check("SELECT count(*) INTO STRICT total FROM a", "a");
    }

    #[test]
    fn half_a_query_is_read_as_far_as_it_goes() {
        check("SELECT 1 FROM", "");
        check("SELECT 1 FROM a JOIN", "a");
        check("SELECT 1 FROM (SELECT 2 FROM b", "b");
        check("", "");
    }
}
