//! Backfills that are killed at random moments.

use std::time::{Duration, Instant};

use lockkeeper_core::plan::SqlStep;

use super::files;
use crate::cluster::cluster;
use crate::database::{Database, Failure, rows, run};

/// Numbers that look random and are the same each time (splitmix64).
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: Duration) -> Duration {
        let micros = u64::try_from(limit.as_micros()).expect("a short time").max(1);
        Duration::from_micros(self.next() % micros)
    }
}

/// How many kills are tried for each backfill: `cargo xtask proof` tries more.
pub(super) fn tries() -> usize {
    std::env::var("LOCKKEEPER_PROOF_KILLS").map_or(3, |it| it.parse().expect("a number of kills"))
}

/// How long a backfill takes that nobody kills.
pub(super) fn timed(database: &Database, step: &SqlStep) -> Result<Duration, Failure> {
    let start = Instant::now();
    files::up(database, step)?;
    Ok(start.elapsed())
}

/// Starts a backfill and kills it, `tries` times, then lets it end; how many kills came before its end.
pub(super) fn killed(
    database: &Database,
    step: &SqlStep,
    tries: usize,
    takes: Duration,
    random: &mut Random,
) -> Result<usize, Failure> {
    let mut landed = 0;
    for _ in 0..tries {
        // Together the runs that are killed take about as long as one that is not.
        let moment = random.below(takes * 2 / u32::try_from(tries).expect("not many"));
        landed += usize::from(killed_at(database, step, moment)?);
    }
    files::up(database, step)?;
    Ok(landed)
}

/// Whether it was killed before it ended.
fn killed_at(database: &Database, step: &SqlStep, moment: Duration) -> Result<bool, Failure> {
    let mut client = database.connect();
    let pid = rows(&mut client, "SELECT pg_backend_pid()")?[0][0].clone().expect("a session has a backend");
    let result = std::thread::scope(|scope| {
        let work = scope.spawn(|| run(&mut client, &step.up()));
        std::thread::sleep(moment);
        cluster().administrate(&format!("SELECT pg_terminate_backend({pid})"));
        work.join().expect("the worker does not panic")
    });
    match result {
        Ok(()) => Ok(false),
        Err(failure) if ["57P01", "08000"].contains(&failure.sqlstate.as_str()) => Ok(true),
        Err(failure) => Err(failure),
    }
}
