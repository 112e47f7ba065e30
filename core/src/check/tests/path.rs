//! The search path, by whatever it is set (each ran, or failed with the same words, on 11, 15 and 18).

use super::{fails, found_in, runs};
use crate::framework::Transaction;

const SHOP: &str =
    "CREATE SCHEMA shop; CREATE TABLE shop.items (id int PRIMARY KEY, a int); CREATE TABLE crates (id int);";

#[test]
fn set_config_and_set_schema_set_the_path() {
    runs(
        SHOP,
        "BEGIN; SELECT set_config('search_path', 'shop', false); ALTER TABLE items ADD b int; COMMIT;",
    );
    runs(
        SHOP,
        "SELECT pg_catalog.set_config('search_path', 'shop, public', false); ALTER TABLE items ADD b int; ALTER TABLE crates ADD b int;",
    );
    runs(SHOP, "SET SCHEMA 'shop'; ALTER TABLE items ADD b int;");
    runs(SHOP, "SET search_path TO public, shop; ALTER TABLE items ADD b int; CREATE TABLE items (id int);");
    runs(SHOP, "SET search_path TO \"$user\", public; ALTER TABLE crates ADD b int;");
    runs(
        SHOP,
        "DO $$ BEGIN PERFORM set_config('search_path', 'shop', false); END $$; ALTER TABLE items ADD b int;",
    );
    fails(
        SHOP,
        "SELECT set_config('search_path', 'shop', false); ALTER TABLE crates ADD b int;",
        "relation shop.crates does not exist, but public.crates does",
    );
    fails(
        SHOP,
        "SET SCHEMA 'shop'; RESET search_path; ALTER TABLE items ADD b int;",
        "relation items does not exist, but shop.items does",
    );
    fails(
        SHOP,
        "BEGIN; SET LOCAL search_path = shop; ALTER TABLE items ADD b int; COMMIT; ALTER TABLE items ADD c int;",
        "relation items does not exist, but shop.items does",
    );
}

#[test]
fn an_empty_path_finds_and_makes_nothing() {
    let empty = "SELECT pg_catalog.set_config('search_path', '', false);";
    fails(
        SHOP,
        &format!("{empty} ALTER TABLE crates ADD b int;"),
        "relation crates does not exist, but public.crates does",
    );
    fails(
        SHOP,
        &format!("{empty} CREATE TABLE t (a int);"),
        "the search path is empty: there is no schema to make t in",
    );
    fails(
        SHOP,
        "SET search_path = ''; CREATE VIEW v AS SELECT 1;",
        "the search path is empty: there is no schema to make v in",
    );
    runs(SHOP, &format!("{empty} ALTER TABLE public.crates ADD b int; CREATE TEMPORARY TABLE t (a int);"));
}

#[test]
fn a_path_that_stays_empty_is_told() {
    let told = |text: &str, transaction| found_in("emptied-search-path", SHOP, text, transaction).len();
    assert_eq!(told("SELECT set_config('search_path', '', false);", Transaction::Wrapped), 1);
    assert_eq!(told("SET search_path = '';", Transaction::Implicit), 1);
    assert_eq!(told("SET search_path TO pg_catalog;", Transaction::Autocommit), 1);
    assert_eq!(told("SELECT set_config('search_path', '', true);", Transaction::Wrapped), 0);
    assert_eq!(told("SET search_path = ''; SET search_path = public;", Transaction::Autocommit), 0);
    assert_eq!(told("SET search_path = ''; RESET ALL;", Transaction::Autocommit), 0);
}

/// Outside a transaction it only warns.
#[test]
fn a_local_path_needs_a_transaction() {
    runs(SHOP, "SET LOCAL search_path = shop; ALTER TABLE crates ADD b int;");
}

/// What is put together when it runs is not known, and nothing is missing for certain.
#[test]
fn a_path_that_nobody_knows_refuses_nothing() {
    runs(
        SHOP,
        "SELECT set_config('search_path', current_setting('search_path') || ', shop', false); ALTER TABLE items ADD b int;",
    );
}
