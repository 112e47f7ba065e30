//! How long work takes: work times rate, always as a range with what it assumed.
//!
//! Rates are seconds per million rows and per gigabyte, measured on PostgreSQL 15 with warm caches. Without a
//! calibration of the user's own server a factor of five either way is honest: storage differs tenfold, load two to
//! four times, caches up to five.

use crate::effect::{Effect, Work};

/// How many rows a table has, and how that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The rows.
    pub count: u64,
    /// `live`, `declared`.
    pub source: String,
}

/// A range of seconds with what it assumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The longest kind of work.
    pub work: Work,
    /// The least and the most, in seconds, without the wait for the lock; unknown without the number of rows.
    pub seconds: Option<(f64, f64)>,
    /// What it assumed, in words.
    pub assumed: String,
}

/// Bytes of a row where nothing is known.
const ROW_BYTES: f64 = 200.0;
/// How far reality may lie from an uncalibrated estimate, either way.
const SPREAD: f64 = 5.0;

/// How long the work of an effect takes, apart from waiting for its locks; `None` where it only writes the catalog.
pub fn estimate(effect: &Effect, rows: Option<&Rows>) -> Option<Estimate> {
    let work = effect.heaviest_work()?;
    let Some(rows) = rows else {
        let assumed = "the number of rows is not known".to_owned();
        return Some(Estimate { work, seconds: None, assumed });
    };
    let millions = rows.count as f64 / 1e6;
    let gigabytes = rows.count as f64 * ROW_BYTES / 1e9;
    let works = effect.work.iter().map(|(_, work)| seconds(*work, millions, gigabytes));
    let middle: f64 = works.sum();
    let assumed = format!("{} rows ({}) of {ROW_BYTES} bytes, no calibration", rows.count, rows.source);
    Some(Estimate { work, seconds: Some((middle / SPREAD, middle * SPREAD)), assumed })
}

fn seconds(work: Work, millions: f64, gigabytes: f64) -> f64 {
    let (per_million, per_gigabyte) = match work {
        Work::Scan => (0.06, 0.19),
        Work::IndexBuild => (0.71, 0.31),
        Work::Rewrite => (0.79, 4.47),
        Work::FileCopy => (0.0, 4.0),
    };
    per_million * millions + per_gigabyte * gigabytes
}

/// A range of seconds in words.
pub fn in_words((least, most): (f64, f64)) -> String {
    format!("{} to {}", duration(least), duration(most))
}

fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 0.1 => "under 0.1 s".to_owned(),
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        _ if seconds < 120.0 => format!("{seconds:.0} s"),
        _ if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}
