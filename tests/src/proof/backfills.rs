//! Backfills by themselves: what they cost, what they wait for, and what they do not wait for.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lockkeeper_core::plan::{Act, BackfillJob, SqlStep};
use postgres::{Client, NoTls};

use super::{Fixture, files};
use crate::cluster::{Cluster, cluster, own_cluster};
use crate::database::{Database, rows as asked, run};

/// A narrow table with three indexes besides the key's, and none on the column.
const ACCOUNTS: &str = "
CREATE TABLE accounts (id int PRIMARY KEY, a int, b int, c text, name text, filler text);
CREATE INDEX accounts_a ON accounts (a);
CREATE INDEX accounts_b ON accounts (b);
CREATE INDEX accounts_c ON accounts (c);
CREATE INDEX accounts_ab ON accounts (a, b);
INSERT INTO accounts
    SELECT g, g % 1000, g % 777, md5(g::text), 'n' || g % 100, 'some more' FROM generate_series(1, 20000) g;
";

/// How many rows are measured; `docs/measurements.md` has more than a test needs.
fn rows() -> u64 {
    std::env::var("LOCKKEEPER_BACKFILL_ROWS").map_or(20_000, |it| it.parse().expect("a number of rows"))
}

/// The backfill of a renamed column, on a table whose column and trigger are there.
fn prepared(schema: &'static str, windows_of: u64) -> (Database, SqlStep) {
    prepared_on(cluster(), schema, windows_of)
}

fn prepared_on(cluster: &'static Cluster, schema: &'static str, windows_of: u64) -> (Database, SqlStep) {
    let migration = "ALTER TABLE accounts RENAME COLUMN name TO full_name;";
    let fixture = Fixture { name: "accounts", schema, migration, ..Fixture::PLAIN };
    let phases = files::phases(&fixture).expect("is possible");
    let database = cluster.database();
    database.run(schema);
    let mut steps = phases.iter().flat_map(|phase| phase.migrations());
    loop {
        let mut step = steps.next().expect("has a backfill").clone();
        if step.job().is_some() {
            // The project of a fixture has small windows.
            of_job(&mut step, |job| job.batch_rows = windows_of);
            return (database, step);
        }
        files::up(&database, &step).expect("the new column is added");
    }
}

fn job(step: &SqlStep) -> &BackfillJob {
    step.job().expect("it is a backfill")
}

/// The same step with another job.
fn of_job(step: &mut SqlStep, change: impl Fn(&mut BackfillJob)) {
    for statement in &mut step.up {
        if let Act::Batches(job) = &mut statement.act {
            change(job);
        }
    }
}

fn remaining(database: &Database, step: &SqlStep) -> u64 {
    database.value(&job(step).remaining).parse().expect("a count")
}

#[derive(Debug)]
struct Cost {
    time: Duration,
    /// In percent of all updates.
    hot: f64,
    /// The table and its indexes, in times of what they were.
    growth: f64,
    wal_mb: f64,
}

fn cost(cluster: &'static Cluster, schema: &'static str, change: impl Fn(&str) -> String) -> Cost {
    let (database, step) = prepared_on(cluster, schema, 10_000);
    let up = change(&step.up());
    database.run("VACUUM (FREEZE, ANALYZE) accounts");
    database.run("CHECKPOINT");
    let size =
        || -> f64 { database.value("SELECT pg_total_relation_size('accounts')").parse().expect("bytes") };
    let wal = || -> f64 {
        database.value("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')").parse().expect("bytes")
    };
    let (size_before, wal_before, start) = (size(), wal(), Instant::now());
    let mut client = database.connect();
    run(&mut client, &up).unwrap_or_else(|failure| panic!("{failure}\n{up}"));
    let time = start.elapsed();
    assert_eq!(remaining(&database, &step), 0);
    // A session hands its counts over when it leaves.
    drop(client);
    let (growth, wal_mb) = (size() / size_before, (wal() - wal_before) / 1e6);
    Cost { time, hot: hot_share(&database), growth, wal_mb }
}

fn hot_share(database: &Database) -> f64 {
    let query = "SELECT 100.0 * n_tup_hot_upd / n_tup_upd FROM pg_stat_user_tables WHERE relname = 'accounts' AND n_tup_upd > 0";
    loop {
        let share = database.value(query);
        if !share.is_empty() {
            return share.parse().expect("a number");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Every tenth row of a page at a time: new versions stay on their page, and no index is written. On a server of its own: a transaction that
/// is open in another database keeps rows from being pruned, too.
#[test]
fn passes_spare_the_indexes() {
    let schema: &'static str = ACCOUNTS.replace("20000", &rows().to_string()).leak();
    let one_pass = |sql: &str| {
        let changed =
            sql.replace("_passes int := 10", "_passes int := 1").replace("_passes := 10", "_passes := 1");
        assert_ne!(changed, sql);
        changed
    };
    let cluster = own_cluster();
    let contiguous = cost(cluster, schema, one_pass);
    let interleaved = cost(cluster, schema, str::to_owned);
    for (passes, it) in [(1, &contiguous), (10, &interleaved)] {
        println!(
            "{} rows, passes {passes}: {:.1} s, {:.0} % HOT, table and indexes {:.2} times, WAL {:.0} MB",
            rows(),
            it.time.as_secs_f64(),
            it.hot,
            it.growth,
            it.wal_mb
        );
    }
    assert!(contiguous.hot < 20.0, "{contiguous:?}");
    assert!(interleaved.hot > 70.0, "{interleaved:?}");
    assert!(interleaved.growth < contiguous.growth && interleaved.wal_mb < contiguous.wal_mb);
}

/// A session that keeps what the server says to it.
fn listening(database: &Database) -> (Client, Arc<Mutex<Vec<String>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let mut config = cluster().config(database.name());
    let heard = Arc::clone(&said);
    config.notice_callback(move |notice| {
        heard.lock().expect("nobody panicked").push(notice.message().to_owned());
    });
    (config.connect(NoTls).expect("the server answers"), said)
}

#[test]
fn an_old_snapshot_turns_passes_off_and_progress_is_told() {
    let (database, step) = prepared(ACCOUNTS, 1_000);
    let sql = step.up().replace("_windows % 100 = 0", "_windows % 8 = 0");
    let mut old = database.connect();
    run(&mut old, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM accounts").expect("reads");
    let (mut client, said) = listening(&database);
    run(&mut client, &sql).unwrap_or_else(|failure| panic!("{failure}"));
    let said = said.lock().expect("nobody panicked").clone();
    let off = "accounts.full_name: one pass a window, while few rows stay on their page";
    let expected = [
        off,
        "accounts.full_name: 8000 rows filled",
        off,
        "accounts.full_name: 16000 rows filled",
        off,
        "accounts.full_name: 20000 rows filled, all done",
    ];
    assert_eq!(said, expected);
}

#[test]
fn rows_that_are_done_are_not_written_again() {
    let (database, step) = prepared(ACCOUNTS, 1_000);
    files::up(&database, &step).expect("fills");
    database.run("SET lockkeeper.backfill = on; UPDATE accounts SET full_name = NULL WHERE id IN (1, 20000)");
    let (mut client, said) = listening(&database);
    run(&mut client, &step.up()).unwrap_or_else(|failure| panic!("{failure}"));
    let said = said.lock().expect("nobody panicked").clone();
    assert_eq!(said.last().map(String::as_str), Some("accounts.full_name: 2 rows filled, all done"));
    assert_eq!(remaining(&database, &step), 0);
}

/// A batch that meets a locked row lets go of the rows that it has, so that others wait no longer than its lock timeout.
#[test]
fn a_batch_that_meets_a_lock_lets_go_of_its_rows() {
    let (database, mut step) = prepared(ACCOUNTS, 20_000);
    of_job(&mut step, |job| job.lock_timeout = "100ms".to_owned());
    let mut holder = database.connect();
    run(&mut holder, "BEGIN; UPDATE accounts SET a = 0 WHERE id = 15000").expect("locks a row");
    let (result, slowest) = std::thread::scope(|scope| {
        let work = scope.spawn(|| run(&mut database.connect(), &step.up()));
        let start = Instant::now();
        let mut slowest = Duration::ZERO;
        while start.elapsed() < Duration::from_millis(600) {
            let one = Instant::now();
            database.run("UPDATE accounts SET b = 0 WHERE id BETWEEN 1 AND 20");
            slowest = slowest.max(one.elapsed());
        }
        run(&mut holder, "COMMIT").expect("lets go");
        (work.join().expect("does not panic"), slowest)
    });
    assert_eq!(result, Ok(()));
    assert_eq!(remaining(&database, &step), 0);
    assert!(slowest < Duration::from_millis(450), "a client waited for {slowest:?}");
}

/// The view of replicas is put before the server's own, since there is no replica here.
#[test]
fn it_waits_for_a_replica_that_lags() {
    let (database, step) = prepared(ACCOUNTS, 1_000);
    database.run(
        "CREATE SCHEMA fake; CREATE TABLE fake.pg_stat_replication AS SELECT interval '31 s' AS replay_lag",
    );
    let (mut client, said) = listening(&database);
    run(&mut client, "SET search_path = fake, pg_catalog, public").expect("a search path can be set");
    let lag = |lag: &str| database.run(&format!("UPDATE fake.pg_stat_replication SET replay_lag = '{lag}'"));
    // Nothing is asserted inside: a failure would leave the backfill waiting.
    let (result, left) = std::thread::scope(|scope| {
        let work = scope.spawn(|| run(&mut client, &step.up()));
        let left_after = |milliseconds| {
            std::thread::sleep(Duration::from_millis(milliseconds));
            remaining(&database, &step)
        };
        let first = left_after(700);
        // It goes on when the replica has caught up, not when it is just below the limit.
        lag("20 s");
        let second = left_after(1_200);
        lag("4 s");
        (work.join().expect("does not panic"), [first, second])
    });
    assert_eq!(left, [19_000, 19_000]);
    assert_eq!(result, Ok(()));
    assert_eq!(remaining(&database, &step), 0);
    let said = said.lock().expect("nobody panicked").clone();
    let waited = said.iter().filter(|it| it.contains("a replica lags")).count();
    assert_eq!(waited, 1, "{said:?}");
}

/// The column that is filled has a value that no expression of it can round-trip: nothing of the old column changes.
#[test]
fn the_old_column_is_never_written() {
    let schema = "CREATE TABLE accounts (id int PRIMARY KEY, name text);
                  INSERT INTO accounts SELECT g, ' ' || g || ' ' FROM generate_series(1, 500) g;";
    let migration = "ALTER TABLE accounts ALTER COLUMN name TYPE int USING trim(name)::int;
                     -- lockkeeper: back UPDATE accounts SET name = name::text";
    let fixture = Fixture { name: "accounts", schema, migration, ..Fixture::PLAIN };
    let phases = files::phases(&fixture).expect("is possible");
    let database = cluster().database();
    database.run(schema);
    for step in phases.iter().flat_map(|phase| phase.migrations()).take(2) {
        files::up(&database, step).expect("expand and backfill");
    }
    assert_eq!(
        database.value("SELECT count(*) FROM accounts WHERE name = ' ' || id || ' ' AND name_new = id"),
        "500"
    );
}

/// The jobs of a plan, as its JSON has them.
fn jobs(phases: &[lockkeeper_core::plan::Phase]) -> Vec<serde_json::Value> {
    let migrations = phases.iter().flat_map(lockkeeper_core::plan::Phase::migrations);
    let jobs = migrations.filter_map(|it| it.job()).map(lockkeeper_core::report::JobReport::from);
    jobs.map(|it| serde_json::to_value(it).expect("is plain data")).collect()
}

/// A runner that knows the plan's JSON and no SQL of ours: windows, passes, guard, nothing else.
#[test]
fn the_job_in_the_plan_is_all_that_a_runner_needs() {
    let migration = "ALTER TABLE accounts RENAME COLUMN name TO full_name;";
    let fixture = Fixture { name: "accounts", schema: ACCOUNTS, migration, ..Fixture::PLAIN };
    let phases = files::phases(&fixture).expect("is possible");
    let (database, _) = prepared(ACCOUNTS, 1_000);
    let jobs = jobs(&phases);
    let [job] = jobs.as_slice() else { panic!("one backfill: {jobs:?}") };
    carry_out(&database, job);
    assert_eq!(database.value(job["remaining"].as_str().expect("a query")), "0");
    assert_eq!(database.value("SELECT count(*) FROM accounts WHERE full_name IS DISTINCT FROM name"), "0");
}

/// The same of rows that are deleted, and of several columns at once.
#[test]
fn changes_and_deletions_are_jobs_too() {
    for migration in [
        "DELETE FROM accounts AS x WHERE x.name LIKE 'n1%' OR a < 10;",
        "UPDATE accounts SET filler = upper(c), name = 'it''s ' || c WHERE b > 7 AND filler = 'some more';",
    ] {
        let fixture = Fixture { name: "accounts", schema: ACCOUNTS, migration, ..Fixture::PLAIN };
        let phases = files::phases(&fixture).expect("is possible");
        let [direct, database] = [cluster().database(), cluster().database()];
        direct.run(ACCOUNTS);
        direct.run(migration);
        database.run(ACCOUNTS);
        carry_out(&database, &jobs(&phases)[0]);
        let differing =
            files::differing_rows(&files::contents(&direct, &[]), &files::contents(&database, &[]));
        assert_eq!(differing, "", "{migration}");
    }
}

/// Where an index serves both bounds of a window, PostgreSQL 17 also returns rows that do not meet a condition on its first column: without a precaution,
/// batches delete them.
#[test]
fn a_condition_on_the_key_touches_no_other_row() {
    const PAGES: &str = "CREATE TABLE pages (shop text, page text, title text, PRIMARY KEY (shop, page));
        INSERT INTO pages SELECT 'm', 'p' || g, 't' FROM generate_series(500, 1500) g;";
    for migration in [
        // An equality to the server, and to the rule no key that bounds the rows.
        "DELETE FROM pages WHERE NOT shop <> 'b';",
        "UPDATE pages SET title = 'gone' WHERE NOT shop <> 'b' AND title <> 'gone';",
    ] {
        let fixture = Fixture { name: "pages", schema: PAGES, migration, ..Fixture::PLAIN };
        let phases = files::phases(&fixture).expect("is possible");
        let database = files::start(&fixture);
        let rows = files::contents(&database, &[]);
        for step in phases.iter().flat_map(|it| it.migrations()) {
            files::up(&database, step).unwrap_or_else(|failure| panic!("{failure}\n{}", step.up()));
        }
        let differing = files::differing_rows(&rows, &files::contents(&database, &[]));
        assert_eq!(differing, "", "{migration}");
    }
}

fn carry_out(database: &Database, job: &serde_json::Value) {
    let text = |name: &str| job[name].as_str().unwrap_or_else(|| panic!("{name}: {job}"));
    let (table, key, pending) = (text("table"), job["key"][0].as_str().expect("one column"), text("pending"));
    let assigned = job["set"].as_array().expect("columns").iter();
    let assigned =
        assigned.map(|it| format!("{} = {}", it["column"].as_str().unwrap(), it["value"].as_str().unwrap()));
    let (change, behind) = match (job["delete"].as_bool().expect("yes or no"), &job["copy"]) {
        (true, _) => (format!("DELETE FROM {table}"), String::new()),
        (false, serde_json::Value::Null) => {
            (format!("UPDATE {table} SET {}", assigned.collect::<Vec<_>>().join(", ")), String::new())
        }
        (false, copy) => copied(job, copy),
    };
    let (rows, passes) = (&job["batch_rows"], job["passes"].as_u64().expect("a number"));
    let mut client = database.connect();
    let mut ask = |query: &str| {
        let answer = asked(&mut client, query).unwrap_or_else(|failure| panic!("{failure}\n{query}"));
        answer.into_iter().flatten().next().flatten().unwrap_or_default()
    };
    let mut low = ask(&format!("SELECT min({key}) FROM {table}"));
    while !low.is_empty() {
        let window = format!("SELECT {key} FROM {table} WHERE {key} >= {low} ORDER BY {key} LIMIT {rows}");
        let high = ask(&format!("SELECT max({key}) FROM ({window}) w"));
        for pass in 0..passes {
            let share = match passes {
                1 => "true".to_owned(),
                _ => format!("({} & 2147483647) % {passes} = {pass}", text("spread")),
            };
            let batch = format!(
                "BEGIN; SET LOCAL {} = 'on'; SET LOCAL lock_timeout = '{}';
                 {change}
                 WHERE {key} BETWEEN {low} AND {high} AND {share} AND ({pending}) {behind}; COMMIT",
                text("guard"),
                text("lock_timeout")
            );
            ask(&batch);
        }
        low = ask(&format!("SELECT min({key}) FROM {table} WHERE {key} > {high}"));
    }
}

/// The statement of a copy up to its condition, and what stands behind that.
fn copied(job: &serde_json::Value, copy: &serde_json::Value) -> (String, String) {
    let set = job["set"].as_array().expect("columns");
    let list =
        |name: &str| set.iter().map(|it| it[name].as_str().expect("SQL")).collect::<Vec<_>>().join(", ");
    let key: Vec<&str> =
        copy["key"].as_array().expect("columns").iter().filter_map(|it| it.as_str()).collect();
    (
        format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}",
            copy["into"].as_str().expect("a table"),
            list("column"),
            list("value"),
            job["table"].as_str().expect("a table")
        ),
        format!("FOR SHARE ON CONFLICT ({}) DO NOTHING", key.join(", ")),
    )
}

/// And of rows that are copied to another table.
#[test]
fn copies_are_jobs_too() {
    let migration = "ALTER TABLE accounts SET UNLOGGED;";
    let fixture = Fixture { name: "accounts", schema: ACCOUNTS, migration, ..Fixture::PLAIN };
    let phases = files::phases(&fixture).expect("is possible");
    let database = cluster().database();
    database.run(ACCOUNTS);
    files::up(&database, phases[0].migrations().next().expect("a twin")).expect("expands");
    let job = &jobs(&phases)[0];
    carry_out(&database, job);
    assert_eq!(database.value(job["remaining"].as_str().expect("a query")), "0");
    assert_eq!(database.value(phases[1].exit[0].query.as_deref().expect("a query")), "0");
    assert_eq!(database.value("SELECT count(*) FROM accounts_twin"), "20000");
}
