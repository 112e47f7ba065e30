//! Locks as other sessions see them: which relation, in which mode, for how long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::session::Session;

/// How often the locks are looked at.
pub(crate) const SAMPLE: Duration = Duration::from_millis(10);

/// A lock on a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub oid: u32,
    pub relation: String,
    pub mode: &'static str,
    pub time: Duration,
}

/// The modes of tables that somebody may wait for, weakest first: as the catalog and as the manual writes them.
const MODES: [(&str, &str); 8] = [
    ("AccessShareLock", "ACCESS SHARE"),
    ("RowShareLock", "ROW SHARE"),
    ("RowExclusiveLock", "ROW EXCLUSIVE"),
    ("ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
    ("ShareLock", "SHARE"),
    ("ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"),
    ("ExclusiveLock", "EXCLUSIVE"),
    ("AccessExclusiveLock", "ACCESS EXCLUSIVE"),
];

/// How strong a mode is.
pub(crate) fn strength(mode: &str) -> usize {
    MODES.iter().position(|(_, manual)| *manual == mode).unwrap_or_default()
}

/// From this mode on a lock stops somebody who writes.
pub(crate) fn stops_writers(mode: &str) -> bool {
    strength(mode) >= 4
}

/// Relations that others see, outside of the system's schemas.
const LOCKS: &str = "SELECT c.oid, n.nspname || '.' || c.relname, l.mode
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE l.locktype = 'relation' AND l.granted AND c.relkind IN ('r', 'p', 'm', 'v', 'f')
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_temp'";

fn held(rows: Vec<crate::session::Answer>) -> Vec<Held> {
    let lock = |row: crate::session::Answer| {
        let [Some(oid), Some(relation), Some(mode)] = <[_; 3]>::try_from(row).ok()? else { return None };
        let (_, mode) = MODES.iter().find(|(catalog, _)| *catalog == mode)?;
        Some(Held { oid: oid.parse().ok()?, relation, mode, time: Duration::ZERO })
    };
    rows.into_iter().filter_map(lock).collect()
}

/// What this session holds now; nothing where it cannot be asked.
pub(crate) async fn in_this_session(session: &mut Session) -> Vec<Held> {
    let own = format!("{LOCKS} AND l.pid = pg_catalog.pg_backend_pid()");
    session.rows(&own).await.map(held).unwrap_or_default()
}

/// Looks at the locks of one backend until it is told to stop, and says how long each was held at a stretch.
pub(crate) async fn watch(
    mut session: Session,
    backend: String,
    done: Arc<AtomicBool>,
) -> (Session, Vec<Held>) {
    let query = format!("{LOCKS} AND l.pid = {backend}");
    let mut open: BTreeMap<(u32, String, &'static str), Instant> = BTreeMap::new();
    let mut longest: BTreeMap<(u32, String, &'static str), Duration> = BTreeMap::new();
    loop {
        let last = done.load(Ordering::Acquire);
        let now = Instant::now();
        let seen = session.rows(&query).await.map(held).unwrap_or_default();
        for lock in &seen {
            let key = (lock.oid, lock.relation.clone(), lock.mode);
            let since = *open.entry(key.clone()).or_insert(now);
            let time = longest.entry(key).or_default();
            *time = (*time).max(now - since);
        }
        open.retain(|(oid, _, mode), _| seen.iter().any(|it| it.oid == *oid && it.mode == *mode));
        if last {
            break;
        }
        tokio::time::sleep(SAMPLE).await;
    }
    let held = longest.into_iter().map(|((oid, relation, mode), time)| Held { oid, relation, mode, time });
    (session, held.collect())
}
