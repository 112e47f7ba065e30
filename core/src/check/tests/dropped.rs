//! What depends on a dropped object, and makes the server refuse (2BP01 on 11, 15 and 18 for each, unless it says that it runs).

use super::{fails, found_in, runs};
use crate::framework::Transaction;

#[test]
fn what_calls_a_function_keeps_it() {
    let triggered = "CREATE TABLE members (id int, mail text);
        CREATE FUNCTION log_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER log_on_members BEFORE UPDATE ON members FOR EACH ROW EXECUTE FUNCTION log_change();";
    let reason = "the trigger log_on_members on members needs log_change(): CASCADE drops it too";
    fails(triggered, "DROP FUNCTION IF EXISTS log_change();", reason);
    fails(triggered, "DROP FUNCTION log_change;", reason);
    runs(triggered, "DROP FUNCTION log_change() CASCADE;");
    runs(triggered, "DROP TRIGGER log_on_members ON members; DROP FUNCTION log_change();");
    runs(triggered, "DROP TABLE members; DROP FUNCTION log_change();");
    let pure = "CREATE FUNCTION bump(j text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'a' $$;";
    let kept = |history: &str, what: &str| {
        fails(
            &format!("{pure}{history}"),
            "DROP FUNCTION bump(text);",
            &format!("{what} needs bump(text): CASCADE drops it too"),
        );
    };
    kept("CREATE TABLE t (v text DEFAULT bump('{}'));", "the default of t.v");
    kept("CREATE TABLE t (v text, w text); CREATE INDEX i ON t ((bump(v)));", "the index i");
    kept("CREATE TABLE t (v text, w text); CREATE INDEX i ON t (w) WHERE bump(v) = 'a';", "the index i");
    kept("CREATE TABLE t (v text CONSTRAINT c CHECK (public.bump(v) = 'a'));", "the constraint c of t");
    kept("CREATE TABLE t (v text); CREATE POLICY p ON t USING (bump(v) = 'a');", "the policy p on t");
    kept("CREATE TABLE t (v text); CREATE VIEW shown AS SELECT bump(v) FROM t;", "the view shown");
    kept("CREATE TABLE t (v text, w text GENERATED ALWAYS AS (bump(v)) STORED);", "the column t.w");
    kept("CREATE DOMAIN d AS text CHECK (bump(VALUE) = 'a');", "the type d");
}

/// The body of a function is a text: nothing in it depends.
#[test]
fn what_is_gone_or_was_never_there_keeps_nothing() {
    let pure = "CREATE FUNCTION bump(j text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'a' $$;
        CREATE TABLE t (v text DEFAULT bump('{}'), w text DEFAULT 'bump(1)');";
    runs(pure, "ALTER TABLE t ALTER v DROP DEFAULT; DROP FUNCTION bump(text);");
    runs(pure, "ALTER TABLE t DROP COLUMN v; DROP FUNCTION bump(text);");
    runs(
        pure,
        "DROP FUNCTION bump(text) CASCADE; CREATE FUNCTION bump(j text) RETURNS text LANGUAGE sql AS 'SELECT j'; DROP FUNCTION bump;",
    );
    let called = "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION two() RETURNS int LANGUAGE sql AS $$ SELECT one() $$;";
    runs(called, "DROP FUNCTION one();");
}

#[test]
fn a_default_keeps_the_type_that_its_column_had() {
    let roles = "CREATE TYPE roles AS ENUM ('buyer', 'maker');
        CREATE TABLE users (id int, role roles DEFAULT 'buyer');";
    let reason = "the default of users.role needs roles: CASCADE drops it too";
    fails(roles, "ALTER TABLE users ALTER COLUMN role TYPE text; DROP TYPE roles;", reason);
    fails(roles, "ALTER TABLE users ALTER COLUMN role TYPE text USING role::text; DROP TYPE roles;", reason);
    runs(
        roles,
        "ALTER TABLE users ALTER COLUMN role TYPE text; ALTER TABLE users ALTER COLUMN role SET DEFAULT 'buyer'; DROP TYPE roles;",
    );
    runs(roles, "ALTER TABLE users ALTER role DROP DEFAULT, ALTER role TYPE text; DROP TYPE roles;");
    let domain = "CREATE DOMAIN mail AS text; CREATE TABLE users (m mail DEFAULT 'x');";
    runs(domain, "ALTER TABLE users ALTER m TYPE text; DROP DOMAIN mail;");
    let domain = domain.replace("'x'", "'x'::mail");
    let domain = domain.as_str();
    fails(
        domain,
        "ALTER TABLE users ALTER m TYPE text; DROP DOMAIN mail;",
        "the default of users.m needs mail: CASCADE drops it too",
    );
}

#[test]
fn what_is_made_of_a_type_keeps_it() {
    let kept = |history: &str, what: &str| {
        fails(
            &format!("CREATE TYPE mood AS ENUM ('a', 'b'); {history}"),
            "DROP TYPE mood;",
            &format!("{what} needs mood: CASCADE drops it too"),
        );
    };
    kept("CREATE TABLE t (v text DEFAULT 'a'::mood);", "the default of t.v");
    kept("CREATE TYPE pair AS (one mood, two int);", "the type pair");
    kept("CREATE DOMAIN good AS mood;", "the type good");
    kept("CREATE FUNCTION f(m mood) RETURNS int LANGUAGE sql AS 'SELECT 1';", "the function f(mood)");
    kept(
        "CREATE FUNCTION f() RETURNS SETOF mood LANGUAGE sql AS $$ SELECT 'a'::mood $$;",
        "the function f()",
    );
    kept("CREATE TABLE t (v text); CREATE VIEW w AS SELECT v::mood FROM t;", "the view w");
    runs("CREATE TYPE mood AS ENUM ('a'); CREATE TYPE pair AS (one mood);", "DROP TYPE pair, mood;");
    runs("CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (mood text DEFAULT 'mood');", "DROP TYPE mood;");
}

#[test]
fn functions_over_the_rows_of_a_table_keep_it() {
    let table = "CREATE TABLE jobs (id int);";
    let takes = format!("{table} CREATE FUNCTION done(j jobs) RETURNS int LANGUAGE sql AS 'SELECT 1';");
    fails(
        &takes,
        "DROP TABLE jobs;",
        "the function done(jobs) needs the row type jobs: CASCADE drops it too",
    );
    runs(&takes, "DROP FUNCTION done(jobs); DROP TABLE jobs;");
    runs(&takes, "DROP TABLE jobs CASCADE; CREATE TABLE jobs (id int); DROP TABLE jobs;");
    let gives = format!(
        "{table} CREATE FUNCTION all_jobs() RETURNS SETOF jobs LANGUAGE sql AS 'SELECT * FROM jobs';"
    );
    fails(
        &gives,
        "DROP TABLE jobs;",
        "the function all_jobs() needs the row type jobs: CASCADE drops it too",
    );
}

#[test]
fn a_sequence_is_kept_by_what_counts_by_it() {
    let stock = "CREATE TABLE stock (id bigserial PRIMARY KEY, a int);";
    let text = "ALTER TABLE stock RENAME TO stock_old;
        CREATE TABLE stock (id bigint NOT NULL DEFAULT nextval('stock_id_seq'), a int, PRIMARY KEY (id));
        DROP TABLE stock_old;";
    let reason = "the default of stock.id needs its sequence stock_id_seq: CASCADE drops it too";
    fails(stock, text, reason);
    let two = format!("{stock} CREATE TABLE other (LIKE stock INCLUDING DEFAULTS);");
    fails(
        &two,
        "DROP TABLE stock;",
        "the default of other.id needs its sequence stock_id_seq: CASCADE drops it too",
    );
    fails(
        &two,
        "ALTER TABLE stock DROP COLUMN id;",
        "the default of other.id needs its sequence stock_id_seq: CASCADE drops it too",
    );
    runs(&two, "DROP TABLE stock, other;");
    runs(&two, "ALTER SEQUENCE stock_id_seq OWNED BY other.id; DROP TABLE stock;");
    let free = "CREATE SEQUENCE numbers; CREATE TABLE t (a int DEFAULT nextval('public.numbers'::regclass));";
    fails(free, "DROP SEQUENCE numbers;", "the default of t.a needs numbers: CASCADE drops it too");
    runs(
        "CREATE SEQUENCE numbers; CREATE TABLE t (a int DEFAULT nextval('numbers'::text));",
        "DROP SEQUENCE numbers;",
    );
    runs("CREATE TABLE t (a int); CREATE SEQUENCE numbers OWNED BY t.a;", "DROP SEQUENCE numbers;");
}

#[test]
fn what_is_of_an_extension_keeps_it() {
    let kept = |extension: &str, history: &str, what: &str| {
        fails(
            &format!("CREATE EXTENSION \"{extension}\"; {history}"),
            &format!("DROP EXTENSION \"{extension}\";"),
            &format!("{what} needs {extension}: CASCADE drops it too"),
        );
    };
    kept("citext", "CREATE TABLE mails (m citext);", "the column mails.m");
    kept("hstore", "CREATE TABLE t (h hstore);", "the column t.h");
    kept("uuid-ossp", "CREATE TABLE t (id uuid DEFAULT uuid_generate_v4());", "the default of t.id");
    kept(
        "pg_trgm",
        "CREATE TABLE t (a text); CREATE INDEX i ON t USING gin (a gin_trgm_ops);",
        "the index i",
    );
    kept("citext", "CREATE TABLE t (a text); CREATE INDEX i ON t ((a::citext));", "the index i");
    runs("CREATE EXTENSION citext; CREATE TABLE mails (m citext);", "DROP EXTENSION citext CASCADE;");
    runs("CREATE EXTENSION unaccent; CREATE TABLE t (a text);", "DROP EXTENSION unaccent;");
    runs(
        "CREATE EXTENSION pgcrypto; CREATE TABLE t (a uuid DEFAULT gen_random_uuid());",
        "DROP EXTENSION pgcrypto;",
    );
}

/// Both ran on 15.
#[test]
fn tables_dropped_together_do_not_keep_each_other() {
    let history = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a);";
    runs(history, "DROP TABLE a, b;");
    runs(history, "DROP TABLE b, a;");
}

/// Nobody knows what ran before: nothing of it is certain.
#[test]
fn after_a_gap_nothing_old_keeps_anything() {
    let history = "CREATE TABLE t (a int);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER w BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
        DO $$ BEGIN EXECUTE 'DROP TRIGGER ' || 'w ON t'; END $$;";
    let found = found_in("failing-statement", history, "DROP FUNCTION f();", Transaction::Autocommit);
    assert_eq!(found, Vec::<String>::new());
}
