//! Expressions on a column whose type changes, run on this server: whatever we call a failure must be one.

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::{Part, check, replay};
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::Transaction;
use lockkeeper_core::text::Span;

use crate::cluster::cluster;
use crate::database;

const TYPES: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "numeric(10,2)",
    "double precision",
    "text",
    "varchar(40)",
    "char(8)",
    "boolean",
    "date",
    "timestamp",
    "timestamptz",
    "time",
    "interval",
    "uuid",
    "jsonb",
    "json",
    "bytea",
    "inet",
    "mood",
    "whole",
    "text[]",
];

/// `c` is the column, `o` another one of the old type.
const EXPRESSIONS: &[&str] = &[
    "c > 0",
    "0 < c",
    "(c >= 0 AND c < 100)",
    "c BETWEEN 1 AND 5",
    "c IN (1, 2, 3)",
    "c <> 1.5",
    "c = 'a'",
    "c IN ('a', 'b')",
    "c = '2020-01-01'",
    "c > '2020-01-01 10:00'",
    "c = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
    "c = '{}'",
    "c LIKE 'a%'",
    "c ~ '^a'",
    "c",
    "NOT c",
    "c = true",
    "c IS NULL OR c = 'a'",
    "c IS NOT NULL",
    "c::text = 'a'",
    "(c)::integer > 0",
    "lower(c) = 'a'",
    "length(c) > 0",
    "coalesce(c, 0) > 0",
    "c + 1 > 0",
    "-c < 0",
    "c * 2 > 0",
    "c = o",
    "o = 'a' OR c IS NULL",
    "c IS DISTINCT FROM 0",
    "c > -1",
    "c = ANY (ARRAY[1, 2])",
    "CASE WHEN c = 'a' THEN true ELSE false END",
    "date_part('year', c) > 2000",
    "c > '1 day'",
    "c = '1 day'::interval",
    "c = 5::bigint",
    "t.c = 'a'",
    "\"c\" > 0 AND o IS NOT NULL",
];

/// Where such an expression stands.
const PLACES: &[&str] = &["ALTER TABLE t ADD CONSTRAINT n CHECK (E)", "CREATE INDEX n ON t (o) WHERE E"];

fn part(text: &str) -> Part<'_> {
    Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit }
}

fn using(ty: &str) -> String {
    format!("ALTER TABLE t ALTER c TYPE {ty} USING NULL")
}

#[test]
fn what_no_longer_types_is_refused_by_the_server() {
    let version = cluster().version();
    let target = Target::postgres(Version::major(u16::try_from(version).expect("is small")));
    let database = cluster().database();
    let (mut wrong, mut both, mut missed, mut tried) = (Vec::new(), 0, 0, 0);
    for old in TYPES {
        let schema = format!(
            "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE DOMAIN whole AS int; CREATE TABLE t (c {old}, o {old})"
        );
        let mut client = database.connect();
        database::run(&mut client, "BEGIN").expect("can be opened");
        database::run(&mut client, &schema).expect("is possible");
        for (place, expression) in PLACES.iter().flat_map(|it| EXPRESSIONS.iter().map(move |e| (it, e))) {
            let made = place
                .replace("(E)", &format!("({expression})"))
                .replace("WHERE E", &format!("WHERE {expression}"));
            database::run(&mut client, "SAVEPOINT one").expect("can be set");
            if database::run(&mut client, &made).is_ok() {
                let mut catalog = Catalog::empty(Dialect::Postgres);
                replay(part(&format!("{schema}; {made}")), &target, &mut catalog);
                for new in TYPES.iter().filter(|it| *it != old) {
                    let sql = using(new);
                    tried += 1;
                    database::run(&mut client, "SAVEPOINT two").expect("can be set");
                    let refused = database::run(&mut client, &sql).err();
                    database::run(&mut client, "ROLLBACK TO two").expect("can be undone");
                    let told = check(part(&sql), &target, &catalog).statements[0].effect.fails.clone();
                    match (told, refused) {
                        (Some(told), None) => wrong.push(format!("{made}; {old} to {new}: {told}")),
                        (None, Some(_)) => missed += 1,
                        (Some(_), Some(_)) => both += 1,
                        (None, None) => {}
                    }
                }
            }
            database::run(&mut client, "ROLLBACK TO one").expect("can be undone");
        }
    }
    println!("on {version}: {tried} changes, {both} refused by both, {missed} by the server alone");
    assert!(wrong.is_empty(), "{version} takes {}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(both > 1_500, "{both} of {tried}");
}
