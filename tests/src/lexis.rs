//! Our lexer against the server's own: what it takes for one text, and what for several.

use crate::cluster::cluster;
use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::statement::Script;
use postgres::{Client, SimpleQueryMessage};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Pieces of which texts are made: whatever opens, closes, hides or divides. Strings come first: most texts should run.
const PIECES: &[&str] = &[
    ", 'a'",
    ", E'it\\'s; done'",
    ", ';'",
    ", $$;$$",
    ", 1",
    "\n",
    "\r",
    " ",
    "; SELECT 1",
    ";",
    "\r\n",
    "\t",
    "\u{c}",
    "-- ;\n",
    "-- ;\r",
    "-- '\r\n",
    "--",
    "/* ; */",
    "/* /* ; */ ' */",
    "/*",
    "*/",
    "'\\'",
    "E'\\''",
    "e'\\\\'",
    "'b;'",
    "''",
    "\n'\\'",
    "\n'c;'",
    "\r'\\';'",
    "U&'\\0027;'",
    " AS U&\"d\\0061;\"",
    " AS \"e;\"",
    "\"",
    "'",
    "$$",
    "$a$",
    ", $a$;$b$;$a$",
    ", $é$;$é$",
    ", $→$;$→$",
    " AS a$b$",
    "$",
    " +",
    " -",
    "-",
    ", 1 +-- ;\n 1",
    ", 1 +/* ; */ 1",
    ", 2 */* ; */ 1",
    "\\;",
    "\\",
    ", B'1'",
    ", x'1F'",
    ", N'a;'",
    "\u{2028}",
    "\u{a0}",
    "\u{b}",
    "#",
    ", (1)",
    "(",
    ")",
    "[",
    "]",
];

/// How many texts are tried: enough for each pair of pieces to meet a few times.
const CASES: u32 = 6_000;

#[test]
fn the_server_finds_as_many_statements_as_we_do() {
    let database = cluster().database();
    let mut client = database.connect();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(
        Config { cases: CASES, failure_persistence: None, ..Config::default() },
        rng,
    );
    let texts = prop::collection::vec(prop::sample::select(PIECES), 1..7)
        .prop_map(|it| format!("SELECT 0{}", it.concat()));
    let mut ran = 0;
    for _ in 0..CASES {
        let text = texts.new_tree(&mut runner).expect("pieces make texts").current();
        ran += usize::from(agree(&mut client, &text));
    }
    assert!(ran > 600, "only {ran} texts ran");
}

/// Those that were wrong once, and their relatives, each by itself.
#[test]
fn texts_that_hide_a_statement_or_seem_to() {
    let database = cluster().database();
    let mut client = database.connect();
    for text in [
        "SELECT E'it\\'s; done'",
        "-- note\rSELECT 1; SELECT 2",
        "SELECT 1 -- note\r\n; SELECT 2",
        "SELECT E'a'\n'it\\'s; x'; SELECT 2",
        "SELECT E'a' -- c\n'it\\'s; x'; SELECT 2",
        "SELECT 1 +-- ;\n 2; SELECT 3",
        "SELECT 1 AS a$b$; SELECT 2 AS c$b$",
        "SELECT $→$ ; $→$; SELECT 2",
        "SELECT U&'\\0027; ' ; SELECT 1 AS U&\"a\\0022; \"",
        "/* /* ; */ ; */ SELECT 1;;; SELECT 2",
    ] {
        assert!(agree(&mut client, text), "does not run: {text:?}");
    }
}

/// Whether the server runs the text; then it must find as many statements as we do. Where it refuses the text, it must refuse
/// one of our statements too: else we have cut what it takes for one.
fn agree(client: &mut Client, text: &str) -> bool {
    let script = Script::read(text, Dialect::Postgres);
    // psql's commands are the client's, and what it sends without them.
    if text.contains('\\') && script.tokens.iter().any(|token| token.span.of(text).starts_with('\\')) {
        return false;
    }
    match count(client, text) {
        Some(found) => {
            assert_eq!(script.statements.len(), found, "statements in {text:?}");
            true
        }
        None => {
            // Each with what stands behind it: an open comment is a fault of its own.
            let starts = script.statements.iter().map(|it| it.span.start).skip(1).chain([text.len()]);
            let each = script.statements.iter().zip(starts);
            let mut alone = each.map(|(it, next)| count(client, &text[it.span.start..next]));
            assert!(
                alone.any(|it| it != Some(1)),
                "the server refuses {text:?}, and each of our statements runs"
            );
            false
        }
    }
}

/// How many statements the server ran; `None` where it failed.
fn count(client: &mut Client, text: &str) -> Option<usize> {
    let answer = client.simple_query(text).ok()?;
    Some(answer.iter().filter(|it| matches!(it, SimpleQueryMessage::CommandComplete(_))).count())
}

/// What literals are made of.
const IN_LITERALS: &[&str] = &[
    "a",
    "é",
    "''",
    "\\'",
    "\\\\",
    "\\n",
    "\\b\\f\\r\\t",
    "\\101",
    "\\7",
    "\\x41",
    "\\x4",
    "\\u00e9",
    "\\U0001F600",
    "\\uD83D\\uDE00",
    "\\q",
    "\\0061",
    "\\+000061",
    "\n",
    "--",
    "'\n'",
    "' -- b\n  '",
    "$",
    "\\303\\251",
];

#[test]
fn a_literal_stands_for_what_the_server_reads() {
    let database = cluster().database();
    let mut client = database.connect();
    let pieces = proptest::collection::vec(proptest::sample::select(IN_LITERALS), 0..6);
    let literals = (proptest::sample::select(vec!["'", "E'", "e'", "U&'", "$a$"]), pieces);
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut read = 0;
    for _ in 0..3000 {
        let (open, pieces) = literals.new_tree(&mut runner).expect("it is made").current();
        let close = open.trim_start_matches(['E', 'e', 'U', '&']);
        let sql = format!("{open}{}{close}", pieces.concat());
        // What the server refuses stands for nothing.
        let Ok(rows) = client.simple_query(&format!("SELECT {sql}")) else { continue };
        let SimpleQueryMessage::Row(row) = &rows[1] else { continue };
        let script = Script::read(&sql, Dialect::Postgres);
        let ours = script.cursor(&script.statements[0]).text_of_string();
        assert_eq!(ours.as_deref(), row.get(0), "{sql}");
        read += 1;
    }
    assert!(read > 1000, "the server read {read}");
}
