//! What is refused of generated columns, run on this server: whatever we call a failure must be one.

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Part, check, replay};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::text::Span;

use crate::cluster::cluster;
use crate::database;

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('a', 'b');
    CREATE DOMAIN whole AS int;
    CREATE FUNCTION own(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
    CREATE FUNCTION lower(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
    CREATE TABLE k (id int PRIMARY KEY);
    CREATE TABLE s (id int PRIMARY KEY, a int, note text, m mood, g int GENERATED ALWAYS AS (a + 1) STORED);
    CREATE TABLE c (id int PRIMARY KEY, a int, m mood, g int GENERATED ALWAYS AS (a + 1) STORED, CHECK (a > 0));";

/// From 18 on.
const VIRTUAL: &str = "
    CREATE TABLE v (id int PRIMARY KEY, a int, note text, m mood, g int GENERATED ALWAYS AS (a + 1) VIRTUAL);
    CREATE TABLE w (id int PRIMARY KEY, a int, m mood, g int GENERATED ALWAYS AS (a + 1) VIRTUAL, CHECK (a > 0));";

/// `T` stands for each of the tables, and `KIND` for each kind of column.
const STATEMENTS: &[&str] = &[
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (a + 2) KIND",
    "ALTER TABLE T ADD n bigint GENERATED ALWAYS AS (a + id) KIND NOT NULL",
    "ALTER TABLE T ADD n mood GENERATED ALWAYS AS ('a'::mood) KIND",
    "ALTER TABLE T ADD n whole GENERATED ALWAYS AS (a) KIND",
    "ALTER TABLE T ADD n mood[] GENERATED ALWAYS AS (ARRAY['a'::mood]) KIND",
    "ALTER TABLE T ADD n int4range GENERATED ALWAYS AS (int4range(a, a + 1)) KIND",
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (own(a)) KIND",
    "ALTER TABLE T ADD n text GENERATED ALWAYS AS (lower(a::text)) KIND",
    "ALTER TABLE T ADD n boolean GENERATED ALWAYS AS (m IS NULL) KIND",
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (g + 1) KIND",
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (n + 1) KIND",
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (a) KIND UNIQUE",
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (a) KIND REFERENCES k",
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (a) KIND REFERENCES k ON DELETE CASCADE",
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (a) KIND REFERENCES k ON DELETE SET NULL",
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (a) KIND REFERENCES k ON UPDATE CASCADE",
    "ALTER TABLE T ADD n int GENERATED ALWAYS AS (a) KIND CHECK (n > 0)",
    "ALTER TABLE T ADD n int DEFAULT 1 GENERATED ALWAYS AS (a) KIND",
    "ALTER TABLE T ADD n serial GENERATED ALWAYS AS (a) KIND",
    "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a) KIND PRIMARY KEY)",
    "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a) KIND, UNIQUE (b))",
    "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a) KIND, UNIQUE (a))",
    "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a) KIND, FOREIGN KEY (b) REFERENCES k)",
    "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a) KIND, c int GENERATED ALWAYS AS (b) KIND)",
    "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a) KIND NOT NULL CHECK (b > 0))",
    "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a) KIND) PARTITION BY RANGE (b)",
    "CREATE TABLE n (a int, b int GENERATED ALWAYS AS (a) KIND) PARTITION BY RANGE (a)",
    "CREATE INDEX ON T (g)",
    "CREATE INDEX ON T ((g + 1))",
    "CREATE INDEX ON T (a) WHERE g > 0",
    "CREATE INDEX ON T (a) INCLUDE (g)",
    "CREATE INDEX ON T (a)",
    "CREATE STATISTICS n ON a, g FROM T",
    "ALTER TABLE T ADD UNIQUE (g)",
    "ALTER TABLE T ADD FOREIGN KEY (g) REFERENCES k",
    "ALTER TABLE T ADD FOREIGN KEY (g) REFERENCES k ON DELETE SET NULL",
    "ALTER TABLE T ADD FOREIGN KEY (g) REFERENCES k ON UPDATE RESTRICT ON DELETE SET DEFAULT",
    "ALTER TABLE T ADD CHECK (g > 0)",
    "ALTER TABLE T ADD CHECK (g > 0) NOT VALID",
    "ALTER TABLE T ADD CONSTRAINT n NOT NULL g NOT VALID",
    "ALTER TABLE T ALTER g SET NOT NULL",
    "ALTER TABLE T ALTER g SET EXPRESSION AS (a + 3)",
    "ALTER TABLE T ALTER a SET EXPRESSION AS (1)",
    "ALTER TABLE T ALTER g DROP EXPRESSION",
    "ALTER TABLE T ALTER a DROP EXPRESSION",
    "ALTER TABLE T ALTER a DROP EXPRESSION IF EXISTS",
    "ALTER TABLE T ALTER g SET DEFAULT 1",
    "ALTER TABLE T ALTER g DROP DEFAULT",
    "ALTER TABLE T ALTER a DROP DEFAULT",
    "ALTER TABLE T ALTER g SET STATISTICS 10",
    "ALTER TABLE T ALTER g TYPE bigint",
    "INSERT INTO T (id, g) VALUES (1, 1)",
    "INSERT INTO T (id, g) VALUES (1, DEFAULT)",
    "INSERT INTO T (id, g) SELECT 1, 1",
    "INSERT INTO T (id) VALUES (1)",
    "UPDATE T SET g = 1",
    "UPDATE T SET g = DEFAULT",
    "UPDATE T SET a = g",
    "CREATE TRIGGER n BEFORE UPDATE ON T FOR EACH ROW WHEN (NEW.g > 0) EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TRIGGER n BEFORE UPDATE ON T FOR EACH ROW WHEN (OLD.g > 0) EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TRIGGER n BEFORE UPDATE OF g ON T FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
];

fn part(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

fn statements(newer: bool) -> Vec<String> {
    let tables: &[&str] = if newer { &["s", "c", "v", "w"] } else { &["s", "c"] };
    let kinds: &[&str] = if newer { &["STORED", "VIRTUAL"] } else { &["STORED"] };
    let mut all = Vec::new();
    for statement in STATEMENTS {
        for (table, kind) in tables.iter().flat_map(|table| kinds.iter().map(move |kind| (table, kind))) {
            let one = statement.replace(" T ", &format!(" {table} ")).replace(" KIND", &format!(" {kind}"));
            let one = match one.strip_suffix(" T") {
                Some(start) => format!("{start} {table}"),
                None => one,
            };
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all
}

#[test]
fn what_is_refused_of_generated_columns_is_known() {
    let version = cluster().version();
    if version < 12 {
        return;
    }
    let target = Target::postgres(Version::major(u16::try_from(version).expect("is small")));
    let schema = if version >= 18 { format!("{SCHEMA}{VIRTUAL}") } else { SCHEMA.to_owned() };
    let mut catalog = Catalog::empty(Dialect::Postgres);
    replay(part(&schema), &target, &mut catalog);
    let database = cluster().database();
    database.run(&schema);
    let (mut wrong, mut missed, mut both) = (Vec::new(), Vec::new(), 0);
    for sql in statements(version >= 18) {
        let mut client = database.connect();
        let refused =
            database::run(&mut client, "BEGIN").and_then(|()| database::run(&mut client, &sql)).err();
        let told = check(part(&sql), &target, &catalog).statements[0].effect.fails.clone();
        match (told, refused) {
            (Some(told), None) => wrong.push(format!("{sql}: {told}")),
            (None, Some(refused)) => missed.push(format!("{sql}: {refused}")),
            (Some(_), Some(_)) => both += 1,
            (None, None) => {}
        }
    }
    assert!(wrong.is_empty(), "{version} takes:\n{}", wrong.join("\n"));
    assert!(both > 20, "{both}");
    assert!(missed.is_empty(), "{version} refuses:\n{}", missed.join("\n"));
}
