//! The queries of a runbook on a running server: each runs, and answers what it says.

use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::engine::{self, Watch};

use crate::cluster::cluster;

const SCHEMA: &str = "
    CREATE SCHEMA sales;
    CREATE TABLE users (id int PRIMARY KEY, name text, \"odd.name\" text);
    CREATE TABLE sales.\"Order Lines\" (id int PRIMARY KEY, user_id int REFERENCES users);
    INSERT INTO users SELECT n, 'n' || n FROM generate_series(1, 5000) n;
    INSERT INTO sales.\"Order Lines\" SELECT n, n FROM generate_series(1, 5000) n;
    ANALYZE;";

fn query(watch: &Watch<'_>) -> String {
    let major = u16::try_from(cluster().version()).expect("a version");
    let version = Target::nearest(Dialect::Postgres, Version { major, minor: 0 });
    engine::of(Dialect::Postgres).watch(watch, version).expect("PostgreSQL is watched")
}

#[test]
fn a_runbooks_queries_answer_on_a_server() {
    let database = cluster().database_from("watch", |it| it.run(SCHEMA));
    let mut client = database.connect();
    let tables = ["users".to_owned(), "sales.\"Order Lines\"".to_owned()];
    let mut value = |watch: Watch<'_>| {
        let row = client.simple_query(&query(&watch)).unwrap_or_else(|error| panic!("{watch:?}: {error}"));
        row.iter()
            .filter_map(|it| match it {
                postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
                _ => None,
            })
            .collect::<Vec<String>>()
    };
    assert_eq!(value(Watch::Sizes { tables: &tables }).len(), 2);
    assert_eq!(value(Watch::Lag), ["0"]);
    assert_eq!(value(Watch::Unfinished { tables: &tables }), ["0"]);
    assert_eq!(value(Watch::Scans { tables: &tables }).len(), 2);
    let sampled = value(Watch::Sample { table: "sales.\"Order Lines\"", rows: Some(5000) });
    assert!(sampled.len() == 1000, "{} rows of 5,000", sampled.len());
    let rare = value(Watch::Sample { table: "users", rows: Some(1_000_000_000) });
    assert!(rare.len() < 50, "{} rows where a share of a billion was asked for", rare.len());

    let mut holder = database.connect();
    holder
        .batch_execute("BEGIN; LOCK TABLE users IN ACCESS SHARE MODE; SELECT pg_sleep(0.2);")
        .expect("a lock");
    let held: f64 = value(Watch::LongestTransaction { tables: &tables })[0].parse().expect("seconds");
    assert!(held >= 0.2, "{held}");
    holder.batch_execute("ROLLBACK").expect("it ends");
    assert_eq!(value(Watch::LongestTransaction { tables: &tables }), ["0"]);

    holder
        .batch_execute("ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0) NOT VALID")
        .expect("a constraint");
    assert_eq!(value(Watch::Unfinished { tables: &tables }), ["1"]);
}

/// What counts statements needs an extension that servers load at their start; its query is held to the extension's own columns.
#[test]
fn what_counts_statements_names_the_columns_of_its_version() {
    let names = ["name".to_owned(), "users".to_owned()];
    let tables = ["public.users".to_owned()];
    let of = |major: u16, watch: &Watch<'_>| {
        let version = Version { major, minor: 0 };
        engine::of(Dialect::Postgres).watch(watch, version).expect("PostgreSQL is watched")
    };
    assert!(of(12, &Watch::Baseline { tables: &tables }).contains("mean_time"));
    assert!(of(13, &Watch::Baseline { tables: &tables }).contains("mean_exec_time"));
    // Both run on a relation of that name with those columns.
    let database = cluster().database_from("watch_statements", |it| {
        it.run("CREATE TABLE pg_stat_statements (dbid oid, calls bigint, query text, mean_time float8, stddev_time float8, max_time float8, total_time float8, \
                mean_exec_time float8, stddev_exec_time float8, max_exec_time float8, total_exec_time float8);
                INSERT INTO pg_stat_statements VALUES
                    (0, 3, 'SELECT name FROM users WHERE id = $1', 1, 1, 7000, 1, 1, 1, 9000, 1), (0, 1, 'SELECT username FROM users', 1, 1, 1, 1, 1, 1, 1, 1)");
    });
    let mut client = database.connect();
    let mut rows = |query: &str| {
        let rows = client.simple_query(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        rows.into_iter().filter(|it| matches!(it, postgres::SimpleQueryMessage::Row(_))).count()
    };
    for major in [12, 16] {
        assert_eq!(rows(&of(major, &Watch::Baseline { tables: &tables })), 2);
    }
    database.run("UPDATE pg_stat_statements SET dbid = (SELECT oid FROM pg_database WHERE datname = current_database())");
    let longest =
        |major: u16| database.rows(&of(major, &Watch::Statements { schema: "public" }))[0][2].clone();
    assert_eq!((longest(12).as_deref(), longest(13).as_deref()), (Some("7 s"), Some("9 s")));
    let mut client = database.connect();
    let counted: i64 =
        client.query_one(&of(15, &Watch::Uses { names: &names }), &[]).expect("a count").get(0);
    // `username` is another word.
    assert_eq!(counted, 1);
}
