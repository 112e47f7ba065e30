//! What the lexer and the splitter make of texts, whole.

use super::*;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    check_in(Dialect::Postgres, text, expected);
}

#[track_caller]
fn check_in(dialect: Dialect, text: &str, expected: &[&str]) {
    let script = Script::read(text, dialect);
    let found: Vec<&str> = script.statements.iter().map(|statement| statement.span.of(text)).collect();
    assert_eq!(found, expected);
}

#[test]
fn semicolons_end_statements() {
    check("SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"]);
    check("", &[]);
    check(";;", &[]);
    check("-- nothing\n/* here */", &[]);
}

#[test]
fn semicolons_in_quotes_comments_and_parentheses_do_not() {
    check(
        "SELECT ';', \"a;b\", $$;$$, $x$ $$;$$ $x$; SELECT 2",
        &["SELECT ';', \"a;b\", $$;$$, $x$ $$;$$ $x$", "SELECT 2"],
    );
    check("SELECT E'\\';' -- ;\n; SELECT 2", &["SELECT E'\\';'", "SELECT 2"]);
    check("SELECT '\\'; SELECT 2", &["SELECT '\\'", "SELECT 2"]);
    check("/* /* ; */ ; */ SELECT 1", &["SELECT 1"]);
    check(
        "CREATE RULE r AS ON INSERT TO t DO (a; b); x",
        &["CREATE RULE r AS ON INSERT TO t DO (a; b)", "x"],
    );
}

#[test]
fn atomic_bodies_are_one_statement() {
    let body = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END";
    check(&format!("{body}; SELECT 3"), &[body, "SELECT 3"]);
}

#[test]
fn psql_commands_and_copy_data_stand_alone() {
    check("\\set ON_ERROR_STOP 1\nSELECT 1;", &["SELECT 1"]);
    check("COPY t FROM stdin;\n1\ta;b'\n\\.\nSELECT 1;", &["COPY t FROM stdin", "SELECT 1"]);
    check("COPY t FROM stdin;", &["COPY t FROM stdin"]);
    // Data that follows data, as in a dump.
    check(
        "COPY t FROM stdin;\n1\n\\.\nCOPY u FROM stdin;\n2\ta;\n\\.\nSELECT 1;",
        &["COPY t FROM stdin", "COPY u FROM stdin", "SELECT 1"],
    );
}

#[test]
fn a_byte_order_mark_and_crlf_are_no_text() {
    let text = "\u{feff}SELECT 1;\r\nSELECT 2;\r\n";
    check(text, &["SELECT 1", "SELECT 2"]);
}

#[test]
fn templates_are_one_identifier() {
    let text = "ALTER TABLE {{ .Schema }}.users ADD a int; SELECT :name, ${x}, $%y%$, a::int, b[1:2]";
    let script = Script::read(text, Dialect::Postgres);
    let templates = script.tokens.iter().filter(|token| token.kind == TokenKind::Template);
    let texts: Vec<&str> = templates.map(|token| token.span.of(text)).collect();
    assert_eq!(texts, ["{{ .Schema }}", ":name", "${x}", "$%y%$"]);
}

#[test]
fn a_forgotten_semicolon_hides_nothing() {
    check(
        "ALTER TABLE a ADD b int\nALTER TABLE c ADD d int;",
        &["ALTER TABLE a ADD b int", "ALTER TABLE c ADD d int"],
    );
    check(
        "ALTER TABLE a ADD CHECK (b > \n\nCREATE INDEX i ON t (a);",
        &["ALTER TABLE a ADD CHECK (b >", "CREATE INDEX i ON t (a)"],
    );
}

#[test]
fn schema_elements_and_subcommands_stay_together() {
    check("CREATE SCHEMA s\nCREATE TABLE t (a int);", &["CREATE SCHEMA s\nCREATE TABLE t (a int)"]);
    check(
        "ALTER TABLE t\nALTER COLUMN a TYPE int,\nDROP COLUMN b;",
        &["ALTER TABLE t\nALTER COLUMN a TYPE int,\nDROP COLUMN b"],
    );
}

#[test]
fn an_open_quote_spoils_only_its_own_statement() {
    let text = "ALTER TABLE a ALTER b SET DEFAULT 'x;\n\nALTER TABLE c ALTER d SET DEFAULT 'y';\nSELECT 1;";
    let script = Script::read(text, Dialect::Postgres);
    let found: Vec<&str> = script.statements.iter().map(|statement| statement.span.of(text)).collect();
    assert_eq!(
        found,
        ["ALTER TABLE a ALTER b SET DEFAULT 'x;", "ALTER TABLE c ALTER d SET DEFAULT 'y'", "SELECT 1"]
    );
}

#[test]
fn spans_are_right_to_the_byte_in_other_alphabets() {
    check("SELECT 'é🦀'; DROP TABLE \"tëst\"", &["SELECT 'é🦀'", "DROP TABLE \"tëst\""]);
}

/// PostgreSQL ends a comment at a carriage return: what stands behind it runs. MySQL and SQLite read on to the line feed.
#[test]
fn a_carriage_return_ends_a_comment_where_it_does_on_the_server() {
    let text = "-- note\rDROP TABLE users;\n";
    check(text, &["DROP TABLE users"]);
    check_in(Dialect::Mysql, text, &[]);
    check_in(Dialect::Sqlite, text, &[]);
    let text = "SELECT 1 -- note\r\n; SELECT 2 -- ;\r; SELECT 3";
    check(text, &["SELECT 1", "SELECT 2", "SELECT 3"]);
    // No other character does.
    for other in ["\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\0"] {
        check(&format!("-- note{other}DROP TABLE users;\nSELECT 1"), &["SELECT 1"]);
    }
}

#[test]
fn escapes_go_on_with_the_string_in_the_next_line() {
    check("E'it\\'s; done'; SELECT 2", &["E'it\\'s; done'", "SELECT 2"]);
    check("SELECT E'a'\n'it\\'s; x'; SELECT 2", &["SELECT E'a'\n'it\\'s; x'", "SELECT 2"]);
    check(
        "SELECT e'a' -- c\r\n -- d\n 'it\\'s; x'; SELECT 2",
        &["SELECT e'a' -- c\r\n -- d\n 'it\\'s; x'", "SELECT 2"],
    );
    // On the same line, behind a block comment and behind another token a string begins anew.
    check("SELECT E'a' '\\'; SELECT 2", &["SELECT E'a' '\\'", "SELECT 2"]);
    check("SELECT E'a' /*\n*/ '\\'; SELECT 2", &["SELECT E'a' /*\n*/ '\\'", "SELECT 2"]);
    check("SELECT E'a',\n'\\'; SELECT 2", &["SELECT E'a',\n'\\'", "SELECT 2"]);
    // In SQLite a letter before a quote is a word.
    check_in(Dialect::Sqlite, "SELECT e'\\'; SELECT 2", &["SELECT e'\\'", "SELECT 2"]);
}

#[test]
fn comments_start_inside_operators() {
    check("SELECT 1 +-- ;\n 2; SELECT 3", &["SELECT 1 +-- ;\n 2", "SELECT 3"]);
    check("SELECT 1 +/* ; */ 2 */* ; */ 3; SELECT 4", &["SELECT 1 +/* ; */ 2 */* ; */ 3", "SELECT 4"]);
    check_in(Dialect::Mysql, "SELECT 1 +# ;\n 2; SELECT 3", &["SELECT 1 +# ;\n 2", "SELECT 3"]);
    // For MySQL two dashes are a comment only before a blank.
    check_in(
        Dialect::Mysql,
        "SELECT 5--1; SELECT 2 -- ;\n; SELECT 3 --",
        &["SELECT 5--1", "SELECT 2", "SELECT 3"],
    );
}

#[test]
fn dollars_are_part_of_words_and_tags_of_any_letters() {
    check("SELECT a$b$; SELECT $b$", &["SELECT a$b$", "SELECT $b$"]);
    check("SELECT $→$ ; $→$; SELECT 2", &["SELECT $→$ ; $→$", "SELECT 2"]);
    check("SELECT $a$ $b$ ; $a$; SELECT 2", &["SELECT $a$ $b$ ; $a$", "SELECT 2"]);
}

#[test]
fn names_with_escapes_are_the_names_that_they_stand_for() {
    let text = "U&\"\\0075s\\+000065rs\" U&\"a\\\\b\\\" u&\"d;\"";
    let script = Script::read(text, Dialect::Postgres);
    let mut cursor = script.cursor(&script.statements[0]);
    let names: Vec<String> = std::iter::from_fn(|| Some(cursor.ident()?.name)).collect();
    assert_eq!(names, ["users", "a\\b\\", "d;"]);
}

#[test]
fn sql_of_no_known_engine_has_the_quotes_of_all() {
    let text = "a.[b c] = ARRAY[1] `d` $$e$$ -- x\rE'\\';' #{f} :g";
    let found = tokens(text, Span::new(0, text.len()), Lexicon::ANY);
    let found: Vec<&str> = found.iter().map(|token| token.span.of(text)).collect();
    let expected =
        ["a", ".", "[b c]", "=", "ARRAY", "[1]", "`d`", "$", "$", "e", "$", "$", "E'\\';'", "#{f}", ":g"];
    assert_eq!(found, expected);
}

#[test]
fn other_engines_have_their_own_quotes() {
    check_in(
        Dialect::Mysql,
        "SELECT `a;b`, \"x;\\\"\" # ;\n; SELECT 2",
        &["SELECT `a;b`, \"x;\\\"\"", "SELECT 2"],
    );
    check_in(Dialect::Sqlite, "SELECT [a;b]; SELECT 2", &["SELECT [a;b]", "SELECT 2"]);
}

#[test]
fn no_prefix_of_a_text_panics_and_every_token_lies_in_order() {
    let text = "\u{feff}CREATE TABLE é (a text DEFAULT E'\\'', $f$ x $f$); -- c\n/* a /* b */ */ \\d\nCOPY t FROM stdin;\n1\n\\.\n$a$ {{x}} :y U&\"d\" 1e+5 ::int 'open";
    for (end, _) in text.char_indices() {
        for &dialect in Dialect::ALL {
            let script = Script::read(&text[..end], dialect);
            let sorted = script.tokens.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start);
            assert!(sorted, "tokens out of order in {:?}", &text[..end]);
        }
    }
}

#[test]
fn many_open_tags_cost_no_more_than_few() {
    let text: String = (0..100_000).map(|number| format!("$t{number}$ ")).collect();
    let script = Script::read(&text, Dialect::Postgres);
    assert!(!script.tokens.is_empty());
}
