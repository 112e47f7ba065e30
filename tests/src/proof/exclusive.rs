//! How long relations are held against everybody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::database::{Database, rows};

/// Relations that others can see, held in the strongest mode. What a transaction has just made is seen by nobody.
const HELD: &str = "
    SELECT l.pid || ' ' || l.relation FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation'
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Runs `change`; also the longest time for which it held a relation in ACCESS EXCLUSIVE, at most: from the look before it was seen
/// to the look that no longer saw it. What is held for less than a look, about a millisecond, may be missed.
pub(super) fn watched<T>(database: &Database, change: impl FnOnce() -> T) -> (T, Duration) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(database, &done));
        let end = OnDrop(&done);
        let result = change();
        drop(end);
        (result, watcher.join().expect("the watcher does not panic"))
    })
}

fn watch(database: &Database, done: &AtomicBool) -> Duration {
    let mut client = database.connect();
    let mut since: BTreeMap<String, Instant> = BTreeMap::new();
    let (mut longest, mut before) = (Duration::ZERO, Instant::now());
    loop {
        let last = done.load(Ordering::Acquire);
        let look = Instant::now();
        let held = rows(&mut client, HELD).expect("pg_locks is readable");
        let held: Vec<String> = held.into_iter().filter_map(|mut row| row.pop().flatten()).collect();
        since.retain(|lock, start| {
            let still = held.contains(lock);
            longest = longest.max(if still { Duration::ZERO } else { start.elapsed() });
            still
        });
        for lock in held {
            since.entry(lock).or_insert(before);
        }
        if last {
            return longest;
        }
        before = look;
        std::thread::sleep(Duration::from_micros(500));
    }
}

struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn a_lock_that_is_held_is_measured() {
    let database = crate::cluster::cluster().database();
    database.run("CREATE TABLE orders (id int)");
    let (_, short) = watched(&database, || database.run("SELECT pg_sleep(0.05)"));
    let (_, long) =
        watched(&database, || database.run("BEGIN; LOCK TABLE orders; SELECT pg_sleep(0.2); COMMIT"));
    assert_eq!(short, Duration::ZERO);
    // It is seen from one look to the next: on a busy machine the first comes a little behind the lock.
    assert!(long >= Duration::from_millis(150) && long < Duration::from_secs(3), "{long:?}");
}
