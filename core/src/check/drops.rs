//! What one statement drops together needs nothing any more.

use crate::catalog::Catalog;
use crate::check::{Part, check};
use crate::dialect::{Dialect, Target};
use crate::framework::Transaction;
use crate::text::Span;

const SCHEMA: &str = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a);
    CREATE TABLE c1 (e int); CREATE TABLE c2 () INHERITS (c1);
    CREATE VIEW v AS SELECT id FROM a; CREATE VIEW w AS SELECT id FROM v;";

fn fails(sql: &str) -> Option<String> {
    let text = format!("{SCHEMA} {sql}");
    let part = Part { text: &text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit };
    let checked = check(part, &Target::default(), &Catalog::empty(Dialect::Postgres));
    checked.statements.last().and_then(|it| it.effect.fails.clone())
}

#[test]
fn what_goes_together_needs_nothing() {
    for sql in ["DROP VIEW v, w", "DROP VIEW w, v", "DROP TABLE c1, c2", "DROP TABLE c2, c1"] {
        assert_eq!(fails(sql), None, "{sql}");
    }
    for sql in ["DROP VIEW v", "DROP TABLE c1", "DROP TABLE a, b", "DROP TABLE b, a"] {
        assert!(fails(sql).is_some(), "{sql}");
    }
    assert_eq!(fails("DROP VIEW w, v; DROP TABLE a, b"), None);
}
