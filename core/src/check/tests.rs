//! Schemas that lead back to themselves: the server refuses some, allows others, and none may hold us up.

use crate::catalog::Catalog;
use crate::check::{Part, check, replay};
use crate::dialect::{Dialect, Target};
use crate::framework::Transaction;
use crate::text::Span;

mod ending;
mod gone;
mod path;
mod columns;
mod dropped;
mod routines;
mod rows;

/// What one rule says of a migration after its history.
fn found_in(rule: &str, history: &str, text: &str, transaction: Transaction) -> Vec<String> {
    let mut before = Catalog::empty(Dialect::Postgres);
    let target = Target::default();
    let part = |text| Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit };
    replay(part(history), &target, &mut before);
    let found = check(Part { transaction, ..part(text) }, &target, &before).hazards;
    found.into_iter().filter(|it| it.rule == rule).map(|it| it.message).collect()
}

/// Why statements of a migration fail, each sent by itself.
fn failures(history: &str, text: &str) -> Vec<String> {
    let found = found_in("failing-statement", history, text, Transaction::Autocommit);
    found.into_iter().map(|it| it.trim_start_matches("it fails: ").to_owned()).collect()
}

#[track_caller]
fn fails(history: &str, text: &str, reason: &str) {
    assert_eq!(failures(history, text), [reason], "{text}");
}

#[track_caller]
fn runs(history: &str, text: &str) {
    assert_eq!(failures(history, text), Vec::<String>::new(), "{text}");
}

#[track_caller]
fn relations_after(text: &str, expected: &[&str]) {
    let part = Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit };
    let after = check(part, &Target::default(), &Catalog::empty(Dialect::Postgres)).after;
    let mut names: Vec<&str> = after.relations().map(|(name, _)| &*name.name).collect();
    names.sort_unstable();
    assert_eq!(names, expected);
}

/// Found in PostgreSQL's own regression tests (lock.sql): allowed until somebody reads them.
#[test]
fn views_that_read_each_other_are_read_once() {
    let circle = "CREATE TABLE t (a int);
        CREATE VIEW one AS SELECT * FROM t;
        CREATE VIEW two AS SELECT * FROM one;
        CREATE OR REPLACE VIEW one AS SELECT * FROM two;";
    relations_after(&format!("{circle} LOCK TABLE one; SELECT * FROM two;"), &["one", "t", "two"]);
    relations_after(&format!("{circle} DROP VIEW one CASCADE;"), &["t"]);
}

/// Found there too (alter_table.sql): the server refuses, so nothing has changed.
#[test]
fn a_table_is_no_partition_of_itself() {
    let parent = "CREATE TABLE p (a int) PARTITION BY LIST (a);";
    relations_after(
        &format!("{parent} ALTER TABLE p ATTACH PARTITION p FOR VALUES IN (0); DROP TABLE p;"),
        &[],
    );
    let child = "CREATE TABLE c PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (a);";
    let turned = "ALTER TABLE c ATTACH PARTITION p FOR VALUES IN (2); DROP TABLE p;";
    relations_after(&format!("{parent} {child} {turned}"), &[]);
    relations_after("CREATE TABLE t (a int); ALTER TABLE t INHERIT t; DROP TABLE t CASCADE;", &[]);
}
