//! Dropped objects that a release may say (calls, nextval and casts failed on 15 after each).

use super::found_in;
use crate::framework::Transaction;

#[track_caller]
fn says(history: &str, text: &str, expected: &[&str]) {
    assert_eq!(found_in("dropped-object", history, text, Transaction::Autocommit), expected, "{text}");
}

#[test]
fn what_a_release_calls_counts_by_or_casts_to_is_missed() {
    let history = "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE SEQUENCE free_seq;
        CREATE TYPE free_t AS ENUM ('a');";
    let text = "SET lock_timeout = '2s'; DROP FUNCTION f(int); DROP SEQUENCE free_seq; DROP TYPE free_t;";
    let fails = |what: &str| format!("a release that says the {what} fails");
    let expected = [fails("function f"), fails("sequence free_seq"), fails("type free_t")];
    says(history, text, &expected.each_ref().map(String::as_str));
}

#[test]
fn procedures_domains_overloads_and_extensions_are_missed_too() {
    says(
        "CREATE PROCEDURE p() LANGUAGE sql AS '';",
        "DROP ROUTINE p();",
        &["a release that says the routine p fails"],
    );
    says("CREATE DOMAIN mail AS text;", "DROP DOMAIN mail;", &["a release that says the domain mail fails"]);
    let two = "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';";
    says(two, "DROP FUNCTION f(text);", &["a release that says the function f fails"]);
    says(two, "DROP FUNCTION IF EXISTS f(bigint);", &[]);
    says(
        "CREATE EXTENSION unaccent;",
        "DROP EXTENSION unaccent;",
        &["a release that says the extension unaccent fails"],
    );
    says("", "CREATE TYPE t AS ENUM ('a'); DROP TYPE t;", &[]);
}
