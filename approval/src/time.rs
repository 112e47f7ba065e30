//! Points in time as the ledger writes them: UTC, whole seconds, `2026-11-21T02:01:18Z`.
//!
//! The crate has no clock: callers pass the time in, so that expiry is tested without waiting.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(u64);

const DAY: u64 = 86_400;
/// The last second of the year 9999, after which four digits are not enough.
const LAST: u64 = 253_402_300_799;

impl Time {
    /// This many seconds after 1970 began; at most the end of the year 9999.
    pub fn from_seconds(seconds: u64) -> Time {
        Time(seconds.min(LAST))
    }

    /// Some seconds later.
    pub fn plus(self, seconds: u64) -> Time {
        Time::from_seconds(self.0.saturating_add(seconds))
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Time {
        Time::from_seconds(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0 / DAY);
        let second = self.0 % DAY;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.to_string()
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    /// Accepts what `Display` writes and nothing else.
    fn try_from(text: String) -> Result<Time, String> {
        let time = parse(&text).unwrap_or(Time(0));
        if time.to_string() != text {
            return Err("a time is written like 2026-11-21T02:01:18Z".to_owned());
        }
        Ok(time)
    }
}

fn parse(text: &str) -> Option<Time> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let days = days(number(0..4)?, number(5..7)?, number(8..10)?)?;
    let seconds = number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
    Some(Time(days * DAY + seconds))
}

/// Year, month and day of a day counted from 1970. In a year that begins in March the leap day is the last one.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + u64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// The inverse of [`civil`]; nothing for a date before 1970 or an impossible month.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    let of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year;
    (year / 400 * 146_097 + of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_agree() {
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_226_478, "2026-11-21T02:01:18Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ];
        for (seconds, text) in known {
            assert_eq!(Time::from_seconds(seconds).to_string(), text);
            assert_eq!(Time::try_from(text.to_owned()), Ok(Time::from_seconds(seconds)));
        }
    }

    #[test]
    fn every_day_survives_the_round_trip() {
        for day in (0..2_932_897).step_by(97) {
            let time = Time::from_seconds(day * DAY + day % DAY);
            assert_eq!(Time::try_from(time.to_string()), Ok(time));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in
            ["", "2026-11-21", "2026-11-21 02:01:18Z", "2026-02-30T00:00:00Z", "2026-11-21T25:00:00Z", "é"]
        {
            assert!(Time::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
