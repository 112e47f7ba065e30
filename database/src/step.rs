//! One step carried out and measured.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::error::{RehearseError, While};
use crate::locks::{Held, strength, watch};
use crate::script::{Broken, Carried, Script, carry_out};
use crate::session::Session;

/// How often a step that gave up for its lock begins again.
const RETRIES: usize = 10;

/// What a step did.
#[derive(Debug)]
pub(crate) struct Measured {
    pub result: Result<(), Broken>,
    pub time: Duration,
    pub held: Vec<Held>,
    pub rewritten: Vec<String>,
    pub retries: usize,
    pub notes: Vec<String>,
}

/// Carries the scripts of a step out in a session of its own, as a runner does.
pub(crate) async fn carry(
    cluster: &Cluster,
    database: &str,
    scripts: &[Script],
) -> Result<Measured, RehearseError> {
    let mut session = Session::open(&cluster.owner(database)).await.while_("connecting")?;
    let mut admin = cluster.admin(database).await?;
    let backend = session.value("SELECT pg_catalog.pg_backend_pid()").await.while_("connecting")?;
    let before = files(&mut admin).await?;
    let done = Arc::new(AtomicBool::new(false));
    let watched = tokio::spawn(watch(cluster.admin(database).await?, backend, Arc::clone(&done)));
    let (mut carried, mut retries, start) = (Carried::default(), 0, Instant::now());
    let mut result;
    loop {
        result = carry_out(&mut session, &mut admin, scripts, &mut carried).await;
        let waited =
            result.as_ref().is_err_and(|it| matches!(it.failure.sqlstate.as_str(), "55P03" | "40P01"));
        if !waited || retries == RETRIES {
            break;
        }
        retries += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let time = start.elapsed();
    done.store(true, Ordering::Release);
    let seen = watched.await.map(|(_, held)| held).unwrap_or_default();
    let after = files(&mut admin).await?;
    let held = longest(seen.into_iter().chain(carried.held).filter(|it| before.contains_key(&it.oid)));
    let anew = |(oid, old): (&u32, &Stored)| {
        after.get(oid).is_some_and(|new| new.file != old.file && old.file != "0").then(|| old.name.clone())
    };
    let rewritten = before.iter().filter_map(anew).collect();
    Ok(Measured { result, time, held, rewritten, retries, notes: carried.notes })
}

/// The longest time of each mode of a relation, the strongest modes first.
fn longest(held: impl Iterator<Item = Held>) -> Vec<Held> {
    let mut longest: BTreeMap<(u32, String, &'static str), Duration> = BTreeMap::new();
    for it in held {
        let time = longest.entry((it.oid, it.relation, it.mode)).or_default();
        *time = (*time).max(it.time);
    }
    let mut held: Vec<Held> =
        longest.into_iter().map(|((oid, relation, mode), time)| Held { oid, relation, mode, time }).collect();
    held.sort_by_key(|it| (std::cmp::Reverse(strength(it.mode)), std::cmp::Reverse(it.time)));
    held
}

struct Stored {
    name: String,
    file: String,
}

/// The file of each table, view with rows, and index.
async fn files(admin: &mut Session) -> Result<BTreeMap<u32, Stored>, RehearseError> {
    const FILES: &str = "SELECT c.oid, n.nspname || '.' || c.relname, coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm', 'i', 'p', 'v', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";
    let rows = admin.rows(FILES).await.while_("reading its catalog")?;
    let stored = |row: crate::session::Answer| {
        let [Some(oid), Some(name), Some(file)] = <[_; 3]>::try_from(row).ok()? else { return None };
        Some((oid.parse().ok()?, Stored { name, file }))
    };
    Ok(rows.into_iter().filter_map(stored).collect())
}
