//! Pairs of schemas that differ in one thing, or in none. The same pairs are compared on a server by `tests/src/compared.rs`.

use super::{Order, compare};
use crate::catalog::Catalog;
use crate::dialect::Dialect;
use crate::text::Span;

/// The schema of each of a pair, as SQL.
struct Pair<'a> {
    title: &'a str,
    differs: bool,
    one: String,
    other: String,
}

/// `then` goes on from what stands above it, `instead` stands beside it.
fn pairs() -> Vec<Pair<'static>> {
    let text = include_str!("pairs.sql");
    let mut blocks = text.split("\n-- ").map(|it| it.trim_start_matches("-- ")).peekable();
    let base = blocks.next().and_then(|it| it.split_once('\n')).map_or("", |(_, sql)| sql);
    let mut pairs = Vec::new();
    while let Some(block) = blocks.next() {
        let (head, sql) = block.split_once('\n').unwrap_or((block, ""));
        let (kind, title) = head.split_once(": ").expect("a block says what it is");
        let more = blocks.next_if(|it| it.starts_with("then") || it.starts_with("instead"));
        let (one, other) = match more.and_then(|it| it.split_once('\n')) {
            Some(("then", more)) => (sql.to_owned(), format!("{sql}\n{more}")),
            Some((_, more)) => (sql.to_owned(), more.to_owned()),
            None => (String::new(), sql.to_owned()),
        };
        let (one, other) = (format!("{base}\n{one}"), format!("{base}\n{other}"));
        pairs.push(Pair { title, differs: kind == "differs", one, other });
    }
    pairs
}

fn catalog(sql: &str) -> Catalog {
    let mut catalog = Catalog::empty(Dialect::Postgres);
    let script = crate::statement::Script::read_part(sql, Span::new(0, sql.len()), Dialect::Postgres);
    for statement in &script.statements {
        let operations = crate::engine::lower::lower(&script, statement);
        for operation in &operations {
            let unread = matches!(operation.kind, crate::operation::Kind::Unknown(_));
            assert!(!unread, "{}", operation.span.of(sql));
            catalog.apply(operation);
        }
    }
    catalog
}

#[test]
fn each_aspect_alone_is_seen() {
    let mut wrong = Vec::new();
    let pairs = pairs();
    for pair in &pairs {
        let found = compare(&catalog(&pair.other), &catalog(&pair.one), Order::Compared);
        if found.is_empty() == pair.differs {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            wrong.push(format!("{}: {found:?}", pair.title));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), pairs.len(), wrong.join("\n"));
    assert!(pairs.len() > 160, "{}", pairs.len());
}

#[test]
fn differences_are_told_in_words() {
    let one = catalog("CREATE TABLE a (x int NOT NULL); CREATE INDEX i ON a (x); GRANT SELECT ON a TO app");
    let other = catalog("CREATE TABLE a (x bigint); CREATE TABLE b (id int)");
    let found: Vec<String> = compare(&one, &other, Order::Ignored).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "column a.x: its type is integer, and should be bigint",
            "column a.x: what it does with NULL is NOT NULL, and should be NULL",
            "column b.id is missing",
            "index i is there and should not be",
            "table a: what app may do is select, and should be nothing",
            "table b is missing",
        ]
    );
}
