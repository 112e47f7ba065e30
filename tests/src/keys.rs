//! The names that a server gives to indexes over expressions: ours are the same, also where a table is made like another.

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Part, replay};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::text::Span;

use crate::cluster::cluster;

const TABLE: &str =
    "CREATE TABLE t (a int, b int, c text, j jsonb, l int[], d timestamp, \"Odd Name\" text);";

const EXPRESSIONS: &[&str] = &[
    "(COALESCE(b, 1))",
    "COALESCE(b, 1)",
    "(a + b)",
    "(- a)",
    "lower(c)",
    "(lower(c) || 'x')",
    "(lower(c))",
    "pg_catalog.upper(c)",
    "(j->>'x')",
    "(j->'x'->>'y')",
    "((j->>'x')::int)",
    "((j->'x')::text)",
    "(a::text)",
    "(a::bigint)",
    "((a + b)::bigint)",
    "((a + b)::double precision)",
    "(c::character varying(10))",
    "((c || 'x')::character varying(10))",
    "(CAST(a AS bigint))",
    "(CAST(a + b AS numeric(10, 2)))",
    "(CASE WHEN a = 1 THEN b ELSE a END)",
    "(CASE WHEN a = 1 THEN b END)",
    "(CASE WHEN a = 1 THEN b ELSE 5 END)",
    "(CASE WHEN a = 1 THEN b ELSE CASE WHEN b = 2 THEN 1 ELSE b END END)",
    "GREATEST(a, b)",
    "(LEAST(a, b))",
    "NULLIF(a, b)",
    "(c COLLATE \"C\")",
    "(lower(c) COLLATE \"C\")",
    "(ARRAY[a, b])",
    "(a IS NULL)",
    "(a = 1)",
    "(l[1])",
    "((l[1])::text)",
    "substring(c from 1 for 2)",
    "trim(c)",
    "trim(leading from c)",
    "trim(trailing 'x' from c)",
    "md5(c)",
    "(md5(\"Odd Name\"))",
    "((\"Odd Name\"))",
    "((a))",
    "(5)",
    "('x'::text)",
    "(NOT (a = 1))",
    "(NOT (a = 1)::boolean)",
    "(NOT lower(c) = 'x')",
    "(CASE WHEN NOT a = 1 THEN b ELSE a END)",
    "(CASE WHEN NOT (a = 1) THEN b ELSE lower(c)::int END)",
    "(CASE a WHEN 1 THEN b ELSE 5 END)",
    "length(c), length(c || 'x')",
    "(a + b), (a - b)",
    "lower(c), a, (a + 1)",
    "(COALESCE(b, 1)) DESC, (a + b) ASC NULLS FIRST, lower(c) text_pattern_ops DESC",
    "(c || 'x') COLLATE \"C\" text_pattern_ops, a int4_ops",
];

fn part(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

#[test]
fn indexes_over_expressions_have_the_names_of_the_server() {
    let version = cluster().version();
    let target = Target::postgres(Version::major(u16::try_from(version).expect("is small")));
    let database = cluster().database();
    let mut client = database.connect();
    let mut wrong = Vec::new();
    for expression in EXPRESSIONS {
        let sql = format!("{TABLE} CREATE INDEX ON t ({expression}); CREATE TABLE u (LIKE t INCLUDING ALL);");
        client
            .batch_execute(&format!("BEGIN; {sql}"))
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        let mut catalog = Catalog::empty(Dialect::Postgres);
        replay(part(&sql), &target, &mut catalog);
        let mut ours: Vec<String> = catalog
            .tables()
            .flat_map(|(name, _)| catalog.indexes(name).iter().map(|it| it.name.name.to_string()))
            .collect();
        ours.sort();
        let rows = client
            .query("SELECT relname::text FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace ORDER BY relname COLLATE \"C\"", &[])
            .expect("the names");
        let theirs: Vec<String> = rows.iter().map(|it| it.get(0)).collect();
        client.batch_execute("ROLLBACK").expect("it ends");
        if ours != theirs {
            wrong.push(format!("{expression}: ours {ours:?}, the server's {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "on {version}:\n{}", wrong.join("\n"));
}
