//! Objects that are no tables: their names, and what views show.

use super::*;

const OBJECTS: &str = "CREATE TYPE pair AS (a int, b int); CREATE TYPE state AS ENUM ('a'); CREATE DOMAIN mail AS text;
    CREATE TABLE t (id serial PRIMARY KEY, p pair); CREATE VIEW v AS SELECT id FROM t; CREATE MATERIALIZED VIEW m AS SELECT 1 AS one;
    CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT 1';
    CREATE FUNCTION several(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION several(a text) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION o(a int, OUT b int) LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE p(a int) LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE SCHEMA shop; CREATE TABLE shop.orders (id serial PRIMARY KEY); CREATE VIEW shop.few AS SELECT id FROM shop.orders;
    CREATE SCHEMA full_of; CREATE SEQUENCE full_of.numbers; CREATE SCHEMA typed; CREATE TYPE typed.k AS ENUM ('a'); CREATE SEQUENCE numbers;";

fn objects() -> Catalog {
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(OBJECTS), &Target::default(), &mut before);
    before
}

#[test]
fn objects_get_new_names_in_clean_files() {
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        for change in [
            "ALTER VIEW v RENAME TO w",
            "ALTER MATERIALIZED VIEW m SET SCHEMA shop",
            "ALTER TYPE pair RENAME TO couple",
            "ALTER DOMAIN mail SET SCHEMA shop",
            "ALTER FUNCTION f(int, text) RENAME TO g",
            "ALTER SCHEMA shop RENAME TO store",
        ] {
            prove(change, &target, &objects(), Way::Triggers);
        }
    }
}

const NAMED: &str = "CREATE SCHEMA shop; CREATE TABLE makers (id int PRIMARY KEY);
    CREATE TABLE goods (id serial, code text NOT NULL, maker int CONSTRAINT made REFERENCES makers, price int CHECK (price > 0),
        both int GENERATED ALWAYS AS (price * 2) STORED, CONSTRAINT goods_key PRIMARY KEY (id), CONSTRAINT \"one code\" UNIQUE (code));
    CREATE INDEX ON goods (maker); CREATE INDEX by_price ON goods (price) WHERE price > 7;
    CREATE TABLE sold (id int PRIMARY KEY, good int NOT NULL REFERENCES goods ON DELETE CASCADE); CREATE INDEX ON sold (good);";

#[test]
fn a_table_gets_another_name_by_a_second_table() {
    for major in [12, 15, 18] {
        let target = Target::postgres(Version::major(major));
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(NAMED), &target, &mut before);
        for change in ["ALTER TABLE goods RENAME TO wares", "ALTER TABLE goods SET SCHEMA shop"] {
            prove(change, &target, &before, Way::Triggers);
            let phases = written(change, &target, &before, Way::Triggers).expect("is possible");
            assert!(super::super::keep_in_step(&phases), "{change}");
        }
    }
}

#[test]
fn a_second_table_is_refused_where_each_would_do_what_one_does() {
    for more in [
        "CREATE TABLE g (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
        "CREATE TABLE g (id int PRIMARY KEY, up int REFERENCES g)",
        "CREATE TABLE g (id int)",
        "CREATE TABLE g (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM g",
        "CREATE TABLE g (id int PRIMARY KEY); CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER t BEFORE UPDATE ON g FOR EACH ROW EXECUTE FUNCTION t()",
    ] {
        let mut before = Catalog::empty(Dialect::Postgres);
        replay(part(more), &Target::default(), &mut before);
        let change = "ALTER TABLE g RENAME TO h";
        let refusal = written(change, &Target::default(), &before, Way::Triggers).expect_err(more);
        assert!(refusal.reason.contains("--strategy compatibility-view"), "{refusal:?}");
        prove(change, &Target::default(), &before, Way::View);
    }
}

#[test]
fn a_view_is_made_anew_beside_the_old_one() {
    let change = "DROP VIEW v; CREATE VIEW v (number) WITH (security_barrier) AS SELECT id FROM t WITH LOCAL CHECK OPTION";
    prove(change, &Target::default(), &objects(), Way::Triggers);
    let phases = written(change, &Target::default(), &objects(), Way::Triggers).expect("is possible");
    let steps: Vec<_> = phases.iter().flat_map(Phase::migrations).collect();
    assert!(steps[1].up().contains(
        "CREATE VIEW v (number) WITH (security_barrier) AS\nSELECT id FROM t WITH LOCAL CHECK OPTION;"
    ));
    assert!(steps[1].down().as_deref().is_some_and(|it| it.contains("CREATE VIEW v AS\nSELECT id FROM t;")));
    let mut read = objects();
    replay(part("CREATE VIEW reader AS SELECT id FROM v;"), &Target::default(), &mut read);
    for rename in ["ALTER VIEW v RENAME COLUMN id TO other;", "ALTER TABLE t RENAME COLUMN id TO other;"] {
        let mut renamed = objects();
        replay(part(rename), &Target::default(), &mut renamed);
        let refusal =
            written(change, &Target::default(), &renamed, Way::Triggers).expect_err("is not certain");
        assert!(refusal.reason.contains("what it shows now is not certain"), "{}", refusal.reason);
    }
    let refusal = written(change, &Target::default(), &read, Way::Triggers).expect_err("is read");
    assert!(refusal.reason.contains("the view reader reads v"), "{}", refusal.reason);
}

#[test]
fn a_function_under_the_old_name_calls_the_new_one() {
    let phases =
        written("ALTER FUNCTION f(int, text) RENAME TO g", &Target::default(), &objects(), Way::Triggers);
    let phases = phases.expect("is possible");
    let step = phases.iter().flat_map(Phase::migrations).next().expect("there is one");
    expect_test::expect![[r#"
        SET LOCAL lock_timeout = '2s';
        -- lockkeeper: allow renamed-object because something takes the old name in the same transaction
        ALTER FUNCTION f(a int, b text) RENAME TO g;
        CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT * FROM public.g($1, $2)';
    "#]]
    .assert_eq(&step.up());
    assert!(step.down().as_deref().is_some_and(|it| it.contains("DROP FUNCTION f(a int, b text);")));
}

#[test]
fn names_that_nothing_can_stand_for_are_refused_in_words() {
    for (change, reason) in [
        ("ALTER TYPE state RENAME TO condition", "takes casts and values, but no comparison"),
        ("ALTER TYPE unknown RENAME TO known", "nothing is known of the type unknown"),
        ("ALTER SEQUENCE numbers RENAME TO more", "nothing can stand in for the sequence numbers"),
        ("ALTER EXTENSION citext SET SCHEMA shop", "add the new schema to the search_path"),
        ("ALTER FUNCTION several(int) RENAME TO many", "there are several of the name"),
        ("ALTER FUNCTION o(int) RENAME TO many", "an argument is more than a value"),
        ("ALTER FUNCTION touch() RENAME TO touched", "is called by triggers only"),
        ("ALTER FUNCTION unknown() RENAME TO known", "nothing is known of the function"),
        ("ALTER PROCEDURE p(int) RENAME TO q", "nothing stands in for a renamed procedure"),
        ("ALTER SCHEMA full_of RENAME TO other", "full_of holds the sequence numbers"),
        ("ALTER SCHEMA typed RENAME TO other", "typed holds the type k"),
    ] {
        let refusal = written(change, &Target::default(), &objects(), Way::Triggers).expect_err(change);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}

#[test]
fn a_view_is_refreshed_beside_readers_where_its_rows_can_be_told_apart() {
    let target = Target::postgres(Version::major(15));
    let schema = "CREATE TABLE s (a int, b int); CREATE MATERIALIZED VIEW v AS SELECT a, sum(b) AS b FROM s GROUP BY a;
        CREATE MATERIALIZED VIEW plain AS SELECT a FROM s; CREATE INDEX ON plain (a); CREATE UNIQUE INDEX ON plain (a) WHERE a > 0;
        CREATE MATERIALIZED VIEW late AS SELECT a FROM s WITH NO DATA; CREATE UNIQUE INDEX ON v (a);";
    let mut before = Catalog::empty(Dialect::Postgres);
    replay(part(schema), &target, &mut before);
    prove("REFRESH MATERIALIZED VIEW v", &target, &before, Way::Triggers);
    for (change, reason) in [
        ("REFRESH MATERIALIZED VIEW plain", "has no unique index on plain columns"),
        ("REFRESH MATERIALIZED VIEW late", "was never filled"),
        ("REFRESH MATERIALIZED VIEW unknown", "nothing is known"),
    ] {
        let refusal = written(change, &target, &before, Way::Triggers).expect_err(change);
        assert!(refusal.reason.contains(reason), "{change}: {}", refusal.reason);
    }
}
