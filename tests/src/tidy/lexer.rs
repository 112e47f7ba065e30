//! One lexer: who reads SQL reads the tokens of `core/src/statement`. Two others once counted statements their own way.

use super::{assert_none, with_extension};

/// The lexer, and what cuts the SQL of our own pages for tests.
const EXEMPT: &[&str] = &["core/src/statement", "core/src/check/mutants.rs"];

/// What looks for the ends of statements, strings and comments by hand. Comments of programs are another matter: their
/// lexer is `project/src/references/literals.rs`.
const BY_HAND: &[&str] = &[
    "split(';')",
    "split_terminator(';')",
    "find(';')",
    "split('\\'')",
    "find(\"$$\")",
    "split(\"$$\")",
    "find(\"*/\")",
    "find(\"--\")",
    "starts_with(\"/*\")",
    "starts_with(b\"/*\")",
    "starts_with(b\"--\")",
    "b'/', b'*'",
    "b'-', b'-'",
];

/// Rooms whose code meets SQL that somebody else wrote.
const ROOMS: &[&str] = &["core/src", "project/src", "approval/src", "cli/src", "lsp/src", "mcp-server/src"];

#[test]
fn nobody_reads_sql_by_hand() {
    let files = with_extension(&["rs"]).into_iter();
    let read = files.filter(|(path, _)| {
        ROOMS.iter().any(|room| path.starts_with(room)) && !EXEMPT.iter().any(|it| path.starts_with(it))
    });
    let found = read.flat_map(|(path, text)| {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let by_hand = |line: &str| BY_HAND.iter().find(|it| line.contains(**it));
        let hits = code.lines().enumerate().filter_map(|(number, line)| Some((number + 1, by_hand(line)?)));
        hits.map(|(number, it)| format!("{}:{number}: {it}", path.display())).collect::<Vec<_>>()
    });
    assert_none("SQL read by hand; ask `lockkeeper_core::statement`", found.collect());
}
