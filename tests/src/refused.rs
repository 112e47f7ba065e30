//! What the server refuses while it reads a statement, run on this server: what we call a failure is one, and what is one we call so.

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Part, check, replay};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::text::Span;

use crate::cluster::cluster;
use crate::database;

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE TABLE t (id int PRIMARY KEY, a int, b text, l int[], m mood, u uuid, j jsonb, f boolean, n numeric, d date);
    CREATE TABLE u (id int PRIMARY KEY, a int);";

const STATEMENTS: &[&str] = &[
    "INSERT INTO t (id, a) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET a = 1, a = 2",
    "INSERT INTO t (id, a) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET (a, b) = (1, 'x'), a = 2",
    "INSERT INTO t (id, a) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET (a, b) = (1, 'x'), m = 'ok' WHERE t.a = 1",
    "INSERT INTO t (id, l) VALUES (1, '{}') ON CONFLICT (id) DO UPDATE SET l[1] = 1, l[2] = 2",
    "CREATE VIEW v AS SELECT a, a FROM t",
    "CREATE VIEW v AS SELECT a, a AS a2 FROM t",
    "CREATE VIEW v AS SELECT t.id, u.id FROM t JOIN u ON t.id = u.id",
    "CREATE VIEW v (x, x) AS SELECT 1, 2",
    "CREATE VIEW v (x) AS SELECT a, b FROM t",
    "CREATE VIEW v (b) AS SELECT a, b FROM t",
    "CREATE VIEW v (x, y) AS SELECT a, a FROM t",
    "CREATE TABLE n AS SELECT a, a FROM t",
    "CREATE TABLE n AS SELECT a, b FROM t",
    "CREATE MATERIALIZED VIEW v AS SELECT id, id FROM t",
    "CREATE TABLE n (a int, PRIMARY KEY (a, a))",
    "CREATE TABLE n (a int, b int, UNIQUE (a, b))",
    "CREATE TABLE n (a int PRIMARY KEY, b int PRIMARY KEY)",
    "CREATE TABLE n (a int PRIMARY KEY, b int, PRIMARY KEY (b))",
    "ALTER TABLE t ADD UNIQUE (a, a)",
    "ALTER TABLE t ALTER a SET DEFAULT 'f'",
    "ALTER TABLE t ALTER a SET DEFAULT '5'",
    "ALTER TABLE t ALTER a SET DEFAULT ' 5 '",
    "ALTER TABLE t ALTER a SET DEFAULT ''",
    "ALTER TABLE t ALTER a SET DEFAULT true",
    "ALTER TABLE t ALTER b SET DEFAULT 1",
    "ALTER TABLE t ALTER b SET DEFAULT true",
    "ALTER TABLE t ALTER m SET DEFAULT 'ok'",
    "ALTER TABLE t ALTER m SET DEFAULT 'happy'",
    "ALTER TABLE t ALTER m SET DEFAULT 1",
    "ALTER TABLE t ALTER u SET DEFAULT 'none'",
    "ALTER TABLE t ALTER u SET DEFAULT '{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}'",
    "ALTER TABLE t ALTER j SET DEFAULT ''",
    "ALTER TABLE t ALTER j SET DEFAULT 'x'",
    "ALTER TABLE t ALTER j SET DEFAULT '{}'",
    "ALTER TABLE t ALTER j SET DEFAULT ' null'",
    "ALTER TABLE t ALTER j SET DEFAULT '-1'",
    "ALTER TABLE t ALTER j SET DEFAULT 1",
    "ALTER TABLE t ALTER f SET DEFAULT 1",
    "ALTER TABLE t ALTER f SET DEFAULT 't'",
    "ALTER TABLE t ALTER f SET DEFAULT 'o'",
    "ALTER TABLE t ALTER f SET DEFAULT 'of'",
    "ALTER TABLE t ALTER f SET DEFAULT 'OFF'",
    "ALTER TABLE t ALTER f SET DEFAULT 'maybe'",
    "ALTER TABLE t ALTER n SET DEFAULT 'NaN'",
    "ALTER TABLE t ALTER n SET DEFAULT 'x'",
    "ALTER TABLE t ALTER n SET DEFAULT 5",
    "ALTER TABLE t ALTER d SET DEFAULT 5",
    "ALTER TABLE t ALTER d SET DEFAULT 'today'",
    "ALTER TABLE t ALTER l SET DEFAULT '[]'",
    "ALTER TABLE t ALTER l SET DEFAULT '{}'",
    "ALTER TABLE t ALTER l SET DEFAULT '[0:1]={1,2}'",
    "ALTER TABLE t ALTER l SET DEFAULT 1",
    "ALTER TABLE t ADD x int DEFAULT 'f'",
    "ALTER TABLE t ADD x boolean DEFAULT 1",
    "ALTER TABLE t ADD x mood DEFAULT 'sad'",
    "CREATE TABLE n (a int DEFAULT 'x')",
    "CREATE TABLE n (a int DEFAULT 1, b mood DEFAULT 'bad')",
    "CREATE TABLE n (a float8 DEFAULT '-Infinity', b text[] DEFAULT '{}', c boolean DEFAULT 'yes')",
];

/// From 15 on.
const MERGES: &[&str] = &[
    "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = 1, a = 2",
    "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = 1, b = 'x'",
    "MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED THEN INSERT (id, id) VALUES (1, 2)",
    "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED AND t.a = 1 THEN UPDATE SET a = 1 WHEN MATCHED THEN UPDATE SET a = 2",
];

fn part(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

/// Columns that triggers, policies and views hold.
const HELD: &str = "
    CREATE TABLE h (id int PRIMARY KEY, a int, b int, c int, d int, e int, f int, \"New\" int);
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER one BEFORE UPDATE ON h FOR EACH ROW WHEN (NEW.a > 3) EXECUTE FUNCTION f();
    CREATE TRIGGER two BEFORE UPDATE OF b ON h FOR EACH ROW EXECUTE FUNCTION f();
    CREATE TRIGGER three AFTER UPDATE ON h FOR EACH ROW WHEN (OLD.\"New\" IS DISTINCT FROM NEW.\"New\") EXECUTE FUNCTION f();
    CREATE TRIGGER four AFTER INSERT ON h FOR EACH ROW EXECUTE FUNCTION f('d');
    CREATE POLICY p ON h USING (c > 1);
    CREATE VIEW v AS SELECT e FROM h;";

const OF_HELD: &[&str] = &[
    "ALTER TABLE h ALTER a TYPE bigint",
    "ALTER TABLE h ALTER a TYPE int",
    "ALTER TABLE h ALTER b TYPE bigint",
    "ALTER TABLE h ALTER c TYPE bigint",
    "ALTER TABLE h ALTER d TYPE bigint",
    "ALTER TABLE h ALTER e TYPE bigint",
    "ALTER TABLE h ALTER f TYPE bigint",
    "ALTER TABLE h ALTER \"New\" TYPE bigint",
    "ALTER TABLE h DROP a",
    "ALTER TABLE h DROP a CASCADE",
    "ALTER TABLE h DROP b",
    "ALTER TABLE h DROP c",
    "ALTER TABLE h DROP d",
    "ALTER TABLE h DROP e",
    "ALTER TABLE h DROP f",
    "ALTER TABLE h DROP \"New\"",
    "ALTER TABLE h DISABLE TRIGGER one, ALTER a TYPE bigint",
    "SELECT a AS x, b AS x INTO n FROM h",
    "SELECT a AS x, b AS y INTO n FROM h",
    "SELECT a, b INTO TEMP n FROM h WHERE c = 1",
];

/// Bodies that the server reads when it makes the function, from 14 on.
const PARSED: &str = "
    CREATE TABLE g (id int PRIMARY KEY, a int, b int, c int);
    CREATE FUNCTION one() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(a) FROM g; END;
    CREATE FUNCTION two() RETURNS int LANGUAGE sql RETURN (SELECT max(b) FROM g);
    CREATE FUNCTION three() RETURNS int LANGUAGE sql AS 'SELECT max(c) FROM g';";

const OF_PARSED: &[&str] = &[
    "ALTER TABLE g ALTER a TYPE bigint",
    "ALTER TABLE g ALTER b TYPE bigint",
    "ALTER TABLE g ALTER c TYPE bigint",
    "ALTER TABLE g DROP a",
    "ALTER TABLE g DROP b",
    "ALTER TABLE g DROP c",
    "ALTER TABLE g DROP a CASCADE",
];

#[test]
fn what_is_refused_while_it_is_read_is_known() {
    let merges = if cluster().version() >= 15 { MERGES } else { &[] };
    check_all(SCHEMA, &[STATEMENTS, merges].concat());
}

#[test]
fn what_holds_a_column_is_known() {
    check_all(HELD, OF_HELD);
    if cluster().version() >= 14 {
        check_all(PARSED, OF_PARSED);
    }
}

#[track_caller]
fn check_all(schema: &str, statements: &[&str]) {
    let version = cluster().version();
    let target = Target::postgres(Version::major(u16::try_from(version).expect("is small")));
    let mut catalog = Catalog::empty(Dialect::Postgres);
    replay(part(schema), &target, &mut catalog);
    let database = cluster().database();
    database.run(schema);
    let mut wrong = Vec::new();
    for sql in statements {
        let mut client = database.connect();
        let refused =
            database::run(&mut client, "BEGIN").and_then(|()| database::run(&mut client, sql)).err();
        let told = check(part(sql), &target, &catalog).statements[0].effect.fails.clone();
        if told.is_some() != refused.is_some() {
            let refused = refused.map(|it| it.to_string());
            wrong.push(format!("{sql}\n  we say {told:?}, the server {refused:?}"));
        }
    }
    assert!(wrong.is_empty(), "on {version}:\n{}", wrong.join("\n"));
}
