//! Clients that go on working while a migration is applied, and what it did to them.
//!
//! The proof of "nobody noticed": every statement of the old and the new release, in a loop, in several sessions, beside the
//! steps. Each statement's slowest run and every error are kept.

use crate::database::{Database, Failure, run};
use crate::observe::Running;
use postgres::Client;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What the clients do.
#[derive(Clone, Debug)]
pub(crate) struct Workload<'a> {
    pub(crate) statements: &'a [&'a str],
    pub(crate) clients: usize,
    /// After this a waiting statement gives up with an error.
    pub(crate) lock_timeout: Duration,
}

/// What happened to one statement of a workload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Experience {
    pub(crate) runs: usize,
    pub(crate) slowest: Duration,
    /// Each different error once.
    pub(crate) errors: BTreeSet<String>,
}

/// Runs `change` while the clients work, from after each client's first round until after one more whole round of each.
/// The experiences have the order of the statements.
pub(crate) fn beside<T>(
    database: &Database,
    workload: &Workload<'_>,
    change: impl FnOnce() -> T,
) -> (T, Vec<Experience>) {
    let experiences = Mutex::new(vec![Experience::default(); workload.statements.len()]);
    let (warm, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let result = std::thread::scope(|scope| {
        for _ in 0..workload.clients {
            scope.spawn(|| {
                let mut client = database.connect();
                let timeout = workload.lock_timeout.as_millis();
                run(&mut client, &format!("SET lock_timeout = {timeout}")).expect("a time-out can be set");
                let mut last = false;
                while !last {
                    last = done.load(Ordering::Acquire);
                    round(&mut client, workload.statements, &experiences);
                    warm.fetch_add(1, Ordering::Release);
                }
            });
        }
        // Ends the clients also when the change panics.
        let _end = OnDrop(&done);
        while warm.load(Ordering::Acquire) < workload.clients {
            std::thread::sleep(Duration::from_millis(1));
        }
        change()
    });
    (result, experiences.into_inner().expect("no client panicked"))
}

/// Applies the steps in order, each a text of statements; the first failure ends it.
pub(crate) fn apply(database: &Database, steps: &[&str], running: Running) -> Result<(), Failure> {
    let mut client = database.connect();
    match running {
        Running::InTransaction => {
            run(&mut client, "BEGIN")?;
            steps.iter().try_for_each(|step| run(&mut client, step))?;
            run(&mut client, "COMMIT")
        }
        Running::Autocommit => steps.iter().try_for_each(|step| run(&mut client, step)),
    }
}

fn round(client: &mut Client, statements: &[&str], experiences: &Mutex<Vec<Experience>>) {
    for (index, statement) in statements.iter().enumerate() {
        let start = Instant::now();
        let result = run(client, statement);
        let time = start.elapsed();
        let experience = &mut experiences.lock().expect("no client panicked")[index];
        experience.runs += 1;
        experience.slowest = experience.slowest.max(time);
        experience.errors.extend(result.err().map(|failure| failure.to_string()));
    }
}

struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::cluster;

    fn shop() -> Database {
        let database = cluster().database();
        database
            .run("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'Ada')");
        database
    }

    fn workload<'a>(statements: &'a [&'a str]) -> Workload<'a> {
        Workload { statements, clients: 2, lock_timeout: Duration::from_millis(100) }
    }

    #[test]
    fn a_harmless_change_is_not_noticed() {
        let database = shop();
        let workload =
            workload(&["SELECT name FROM users", "UPDATE users SET name = name || '!' WHERE id = 2"]);
        let change = || apply(&database, &["ALTER TABLE users ADD email text"], Running::Autocommit);
        let (result, experiences) = beside(&database, &workload, change);
        assert_eq!(result, Ok(()));
        for experience in experiences {
            assert!(experience.errors.is_empty() && experience.runs >= 4, "{experience:?}");
        }
    }

    #[test]
    fn a_renamed_column_breaks_its_readers() {
        let database = shop();
        let workload = workload(&["SELECT name FROM users", "SELECT id FROM users"]);
        let change =
            || apply(&database, &["ALTER TABLE users RENAME name TO full_name"], Running::InTransaction);
        let (result, experiences) = beside(&database, &workload, change);
        assert_eq!(result, Ok(()));
        let errors = BTreeSet::from(["42703 column \"name\" does not exist".to_owned()]);
        assert_eq!(experiences[0].errors, errors);
        assert!(experiences[1].errors.is_empty());
    }

    #[test]
    fn a_held_lock_shows_as_time_and_time_outs() {
        let database = shop();
        let workload = workload(&["SELECT name FROM users"]);
        let steps = ["LOCK TABLE users", "SELECT pg_sleep(0.4)"];
        let (_, experiences) =
            beside(&database, &workload, || apply(&database, &steps, Running::InTransaction));
        assert!(experiences[0].slowest >= Duration::from_millis(100), "{experiences:?}");
        let timeout = "55P03 canceling statement due to lock timeout".to_owned();
        assert_eq!(experiences[0].errors, BTreeSet::from([timeout]));
    }

    #[test]
    fn a_failed_step_undoes_a_transaction_and_not_what_was_committed() {
        let steps = ["CREATE TABLE a ()", "SELECT 1 / 0"];
        for (running, left) in [(Running::InTransaction, "0"), (Running::Autocommit, "1")] {
            let database = shop();
            let failure = apply(&database, &steps, running).expect_err("a division by zero");
            assert_eq!(failure.sqlstate, "22012");
            assert_eq!(database.value("SELECT count(*) FROM pg_class WHERE relname = 'a'"), left);
        }
    }
}
