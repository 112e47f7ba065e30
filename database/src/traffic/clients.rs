//! The sessions that carry a release's statements out, at a modest rate, and what each of them saw.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinHandle;

use super::statements::{CLIENTS, Call, FIRST, Release};
use crate::session::{Answer, Failure, Session};

/// Between two statements of a client.
const PAUSE: Duration = Duration::from_millis(2);
/// Between steps the clients do all that they do, or as much as they can in this time.
const SETTLE: Duration = Duration::from_secs(4);

/// What failed: the step, the release, the statement and what the server said.
pub(crate) type Failed = (usize, String, String, Failure);

/// How often, and the number of the first call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub count: u64,
    pub first: i64,
}

/// A column of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub table: u32,
    pub column: i16,
    /// The columns of the row's key, and their values.
    pub key: Vec<i16>,
    pub values: Vec<String>,
}

/// What the clients saw.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    pub failed: BTreeMap<Failed, Times>,
    /// The last value of each row and column that clients wrote: the release, and the value as SQL.
    pub written: BTreeMap<Cell, (String, String)>,
    /// The longest statement of each step, with its release.
    pub longest: BTreeMap<usize, (Duration, String, String)>,
}

#[derive(Debug, Default)]
struct Shared {
    live: Mutex<Arc<Vec<Release>>>,
    seen: Mutex<Seen>,
    step: AtomicUsize,
    rounds: [AtomicUsize; CLIENTS],
    done: AtomicBool,
}

/// Clients at work.
#[derive(Debug)]
pub(crate) struct Traffic {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

impl Traffic {
    pub fn start(options: &PgConnectOptions) -> Self {
        let shared = Arc::new(Shared::default());
        let client = |number| tokio::spawn(client(options.clone(), Arc::clone(&shared), number));
        Self { clients: (0..CLIENTS).map(client).collect(), shared }
    }

    /// From now on these releases are live.
    pub fn deploy(&self, releases: Vec<Release>) {
        *self.shared.live.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(releases);
    }

    /// From now on what happens belongs to this step.
    pub fn at_step(&self, step: usize) {
        self.shared.step.store(step, Ordering::SeqCst);
    }

    /// Waits until every client did all that the live releases do.
    pub async fn settle(&self) {
        let rounds = || self.shared.rounds.iter().map(|it| it.load(Ordering::SeqCst)).collect::<Vec<_>>();
        let (before, start) = (rounds(), Instant::now());
        // The round at hand may have begun before.
        while start.elapsed() < SETTLE && rounds().iter().zip(&before).any(|(now, then)| *now < then + 2) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends the clients and says what they saw.
    pub async fn end(self) -> Seen {
        self.shared.done.store(true, Ordering::SeqCst);
        for client in self.clients {
            // A client that panicked has seen what it saw.
            let _ = client.await;
        }
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn client(options: PgConnectOptions, shared: Arc<Shared>, number: usize) {
    // Another release runs in other processes: what they have prepared is their own.
    let mut sessions: BTreeMap<String, Option<Session>> = BTreeMap::new();
    let mut count = 0_i64;
    while !shared.done.load(Ordering::SeqCst) {
        let begun = count;
        let live = Arc::clone(&shared.live.lock().unwrap_or_else(PoisonError::into_inner));
        sessions.retain(|name, _| live.iter().any(|it| it.name == *name));
        for release in live.iter() {
            let session = sessions.entry(release.name.clone()).or_default();
            for call in &release.calls {
                if shared.done.load(Ordering::SeqCst) {
                    return;
                }
                count += 1;
                let turn = FIRST + count * CLIENTS as i64 + number as i64;
                once(&options, session, &shared, release, call, Turn { number, turn }).await;
                tokio::time::sleep(PAUSE).await;
            }
        }
        // In the next round each statement meets another row, until all have had their turn.
        while [2, 3, 5].iter().any(|it| (count - begun) % it == 0) {
            count += 1;
        }
        shared.rounds[number].fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(PAUSE).await;
    }
}

#[derive(Clone, Copy)]
struct Turn {
    number: usize,
    turn: i64,
}

/// One statement, and the delete of the row that it made.
async fn once(
    options: &PgConnectOptions,
    session: &mut Option<Session>,
    shared: &Shared,
    release: &Release,
    call: &Call,
    turn: Turn,
) {
    if session.is_none() {
        *session = Session::open(options).await.ok();
    }
    let Some(open) = session else { return };
    let start = Instant::now();
    // Half of them prepare their statements, half send them as text.
    let result = match turn.number % 2 {
        0 => open.prepared(&call.sql, turn.turn).await,
        _ => open.rows(&call.written_out(turn.turn)).await,
    };
    note(shared, release, &call.shown, start.elapsed(), result.as_ref().err().map(|it| (it, turn.turn)));
    if let (Ok(_), Some(writes)) = (&result, &call.writes)
        && let Some((key, value)) = writes.at(turn.turn)
    {
        let cell = Cell { table: writes.table, column: writes.column, key: writes.key.clone(), values: key };
        let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.written.insert(cell, (release.name.clone(), value));
    }
    let failure = match result {
        Ok(rows) => delete(open, shared, release, call, rows, turn.turn).await,
        Err(failure) => Some(failure),
    };
    let Some(failure) = failure else { return };
    // Drivers prepare anew what the server says has another result now.
    let is_stale = failure.sqlstate == "0A000";
    if failure.ends_session() || is_stale && open.forget_prepared().await.is_err() {
        *session = None;
    }
}

async fn delete(
    session: &mut Session,
    shared: &Shared,
    release: &Release,
    call: &Call,
    rows: Vec<Answer>,
    turn: i64,
) -> Option<Failure> {
    let deletes = call.deletes.as_ref()?;
    let sql = deletes.sql(rows.first()?)?;
    let start = Instant::now();
    let failure = session.run(&sql).await.err();
    note(shared, release, &deletes.shown(), start.elapsed(), failure.as_ref().map(|it| (it, turn)));
    failure
}

fn note(shared: &Shared, release: &Release, sql: &str, time: Duration, failure: Option<(&Failure, i64)>) {
    // What waited since before a step waited for that step.
    let step = shared.step.load(Ordering::SeqCst);
    let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((failure, turn)) = failure {
        let key = (step, release.name.clone(), sql.to_owned(), failure.clone());
        seen.failed.entry(key).or_insert(Times { count: 0, first: turn }).count += 1;
    }
    let longest = seen.longest.entry(step).or_insert_with(|| (Duration::ZERO, String::new(), String::new()));
    if time > longest.0 {
        *longest = (time, release.name.clone(), sql.to_owned());
    }
}
