//! What one statement does on a real server: the locks it holds, whether it rewrites, rebuilds or reads a whole relation.
//!
//! The method is that of the facts (`tests/fixtures/facts/README.md`): the locks are seen by a second session before the
//! commit, so nothing of the measuring is in them; a rewrite is a new, non-empty file of a relation; a full scan is at least
//! 80 % of the pages of a relation of more than 20 pages. Statements that run outside a transaction are polled while they
//! run: a lock held for less than a poll may be missed.

use crate::cluster::cluster;
use crate::database::{Database, Failure, rows, run};
use postgres::Client;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a statement is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Running {
    InTransaction,
    Autocommit,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observation {
    /// Why the statement failed; then nothing else is known.
    pub(crate) error: Option<Failure>,
    /// The strongest mode on each relation that existed before, indexes included; qualified unless in `public`.
    pub(crate) locks: BTreeMap<String, Mode>,
    pub(crate) heap_rewrite: bool,
    pub(crate) index_rebuild: bool,
    pub(crate) full_scan: bool,
}

/// The lock modes of tables, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

const MODES: [(Mode, &str, &str); 8] = [
    (Mode::AccessShare, "AccessShareLock", "ACCESS SHARE"),
    (Mode::RowShare, "RowShareLock", "ROW SHARE"),
    (Mode::RowExclusive, "RowExclusiveLock", "ROW EXCLUSIVE"),
    (Mode::ShareUpdateExclusive, "ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
    (Mode::Share, "ShareLock", "SHARE"),
    (Mode::ShareRowExclusive, "ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"),
    (Mode::Exclusive, "ExclusiveLock", "EXCLUSIVE"),
    (Mode::AccessExclusive, "AccessExclusiveLock", "ACCESS EXCLUSIVE"),
];

/// A relation at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Relation {
    oid: String,
    name: String,
    kind: String,
    file: String,
    bytes: u64,
}

const RELATIONS: &str = "
    SELECT c.oid, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, c.relkind,
           coalesce(pg_relation_filenode(c.oid), 0), coalesce(pg_relation_size(c.oid), 0)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_temp'
      AND c.relkind <> 'c'
    ORDER BY 2";

const PAGE: u64 = 8192;

/// Runs one statement and sees what it does. `session` are SETs of its session. The database is changed as the statement
/// changes it.
pub(crate) fn observe(database: &Database, session: &[&str], sql: &str, running: Running) -> Observation {
    let mut worker = database.connect();
    let mut watcher = database.connect();
    for set in session {
        run(&mut worker, set).unwrap_or_else(|failure| panic!("{failure}\n{set}"));
    }
    match running {
        Running::InTransaction => in_transaction(&mut worker, &mut watcher, sql),
        Running::Autocommit => autocommit(database, worker, &mut watcher, sql),
    }
}

impl Mode {
    /// As the manual writes it.
    pub(crate) fn named(name: &str) -> Option<Mode> {
        MODES.iter().find(|(_, _, manual)| *manual == name).map(|(mode, _, _)| *mode)
    }

    /// The manual's words for it.
    pub(crate) fn title(self) -> &'static str {
        MODES.iter().find(|(mode, ..)| *mode == self).map_or("", |(.., manual)| manual)
    }

    fn catalogued(name: &str) -> Option<Mode> {
        MODES.iter().find(|(_, catalog, _)| *catalog == name).map(|(mode, _, _)| *mode)
    }
}

fn in_transaction(worker: &mut Client, watcher: &mut Client, sql: &str) -> Observation {
    let before = relations(watcher);
    let pid = backend(worker);
    if let Err(failure) = run(worker, "BEGIN").and_then(|()| run(worker, sql)) {
        return Observation { error: Some(failure), ..Observation::default() };
    }
    let mut observation = Observation::default();
    add_locks(watcher, &pid, &before, &mut observation);
    let fetched = blocks(worker, "pg_stat_get_xact_blocks_fetched");
    let after = relations(worker);
    run(worker, "COMMIT").unwrap_or_else(|failure| panic!("{failure}\n{sql}"));
    compare(&before, &after, &BTreeMap::new(), &fetched, &mut observation);
    observation
}

fn autocommit(database: &Database, mut worker: Client, watcher: &mut Client, sql: &str) -> Observation {
    let before = relations(watcher);
    let pid = backend(&mut worker);
    let fetched_before = settled_blocks(watcher);
    let mut observation = Observation::default();
    let running = AtomicBool::new(true);
    let result = std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            let result = run(&mut worker, sql);
            running.store(false, Ordering::Release);
            result
        });
        while running.load(Ordering::Acquire) {
            add_locks(watcher, &pid, &before, &mut observation);
        }
        work.join().expect("the worker does not panic")
    });
    if let Err(failure) = result {
        return Observation { error: Some(failure), ..Observation::default() };
    }
    // A backend hands its counts over when it leaves.
    drop(worker);
    wait_until_gone(watcher, &pid);
    let mut reader = database.connect();
    let (after, fetched) = (relations(&mut reader), settled_blocks(&mut reader));
    compare(&before, &after, &fetched_before, &fetched, &mut observation);
    observation
}

/// The strongest mode that a statement asks for on a relation while a reader holds that: what it would hold for a moment only is waited for, and seen.
pub(crate) fn requested(database: &Database, sql: &str, relation: &str) -> Option<Mode> {
    let (mut worker, mut watcher, mut reader) = (database.connect(), database.connect(), database.connect());
    let pid = backend(&mut worker);
    run(&mut reader, &format!("BEGIN; LOCK TABLE {relation} IN ACCESS SHARE MODE")).ok()?;
    let asked = format!(
        "SELECT mode FROM pg_locks WHERE locktype = 'relation' AND relation = '{relation}'::regclass AND pid = {pid}"
    );
    std::thread::scope(|scope| {
        scope.spawn(|| run(&mut worker, sql).err());
        let mut strongest = None;
        for _ in 0..100 {
            for row in rows(&mut watcher, &asked).expect("pg_locks is readable") {
                let mode = row.first().and_then(|it| Mode::catalogued(it.as_deref()?));
                strongest = strongest.max(mode);
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        drop(reader);
        strongest
    })
}

fn relations(client: &mut Client) -> Vec<Relation> {
    let rows = rows(client, RELATIONS).expect("the catalog is readable");
    let texts = rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default));
    texts.map(|mut row| relation(&mut row)).collect()
}

fn relation(row: &mut impl Iterator<Item = String>) -> Relation {
    let mut next = || row.next().expect("five columns");
    Relation {
        oid: next(),
        name: next(),
        kind: next(),
        file: next(),
        bytes: next().parse().expect("a number of bytes"),
    }
}

fn backend(client: &mut Client) -> String {
    let rows = rows(client, "SELECT pg_backend_pid()").expect("a session has a backend");
    rows[0][0].clone().expect("which has a number")
}

fn add_locks(watcher: &mut Client, pid: &str, before: &[Relation], observation: &mut Observation) {
    let held = format!(
        "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND granted AND pid = {pid}
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    );
    for row in rows(watcher, &held).expect("pg_locks is readable") {
        let [Some(oid), Some(mode)] = row.as_slice() else { continue };
        let relation = before.iter().find(|it| it.oid == *oid);
        let (Some(relation), Some(mode)) = (relation, Mode::catalogued(mode)) else { continue };
        let strongest = observation.locks.entry(relation.name.clone()).or_insert(mode);
        *strongest = mode.max(*strongest);
    }
}

fn blocks(client: &mut Client, function: &str) -> BTreeMap<String, u64> {
    let sql = format!(
        "SELECT oid, {function}(oid) FROM pg_class WHERE relkind IN ('r', 'm', 'i', 't') AND oid >= 16384"
    );
    let rows = rows(client, &sql).expect("statistics are readable");
    let pairs = rows.into_iter().filter_map(|row| match row.as_slice() {
        [Some(oid), Some(count)] => Some((oid.clone(), count.parse().expect("a count"))),
        _ => None,
    });
    pairs.collect()
}

/// The counts of all sessions, once they stop growing: before version 15 they travel through a collector.
fn settled_blocks(client: &mut Client) -> BTreeMap<String, u64> {
    let collector = cluster().version() < 15;
    // It writes its file twice a second at most.
    let pause = std::time::Duration::from_millis(if collector { 600 } else { 30 });
    let mut last = BTreeMap::new();
    loop {
        let now = blocks(client, "pg_stat_get_blocks_fetched");
        if now == last {
            return now;
        }
        last = now;
        std::thread::sleep(pause);
    }
}

fn wait_until_gone(client: &mut Client, pid: &str) {
    let sql = format!("SELECT 1 FROM pg_stat_activity WHERE pid = {pid}");
    while !rows(client, &sql).expect("activity is readable").is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn compare(
    before: &[Relation],
    after: &[Relation],
    fetched_before: &BTreeMap<String, u64>,
    fetched: &BTreeMap<String, u64>,
    observation: &mut Observation,
) {
    let new_file = |old: &Relation, least: u64| {
        let new = after.iter().find(|it| it.name == old.name && it.kind == old.kind);
        new.is_some_and(|new| new.file != old.file && new.bytes > least)
    };
    let heaps = before.iter().filter(|it| matches!(it.kind.as_str(), "r" | "m"));
    let indexes = before.iter().filter(|it| it.kind == "i");
    observation.heap_rewrite = heaps.clone().any(|it| new_file(it, 0));
    // An empty B-tree has its first page already.
    observation.index_rebuild = indexes.clone().any(|it| new_file(it, PAGE));
    observation.full_scan = heaps.chain(indexes).any(|relation| {
        let pages = relation.bytes / PAGE;
        let count = |counts: &BTreeMap<String, u64>| counts.get(&relation.oid).copied().unwrap_or(0);
        pages > 20 && (count(fetched) - count(fetched_before).min(count(fetched))) * 5 >= pages * 4
    });
}
