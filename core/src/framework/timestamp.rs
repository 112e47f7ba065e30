//! A moment as frameworks write it into versions; passed in, as core has no clock.

/// A moment in UTC, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// The year.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl Timestamp {
    /// The moment that lies so many seconds after the start of 1970.
    pub fn from_unix(seconds: u64) -> Self {
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = date(days);
        let [hour, minute, second] = [rest / 3600, rest / 60 % 60, rest % 60].map(|it| it as u8);
        Self { year, month, day, hour, minute, second }
    }

    /// Seconds since the start of 1970; earlier moments are 0.
    pub fn unix(self) -> u64 {
        let days = days_since_1970(self.year, self.month, self.day);
        let time = u64::from(self.hour) * 3600 + u64::from(self.minute) * 60 + u64::from(self.second);
        days * 86_400 + time
    }

    /// The moment so many seconds later.
    #[must_use]
    pub fn plus_seconds(self, seconds: u64) -> Self {
        Self::from_unix(self.unix() + seconds)
    }

    /// Reads `YYYYMMDDhhmmss`, or `YYYYMMDDhhmm` at second 0, where it is a date that exists.
    pub(super) fn from_digits(digits: &str) -> Option<Self> {
        if !matches!(digits.len(), 12 | 14) || !digits.bytes().all(|it| it.is_ascii_digit()) {
            return None;
        }
        let pair = |at: usize| digits.get(at..at + 2).and_then(|it| it.parse::<u8>().ok());
        let timestamp = Self {
            year: digits[..4].parse().ok()?,
            month: pair(4)?,
            day: pair(6)?,
            hour: pair(8)?,
            minute: pair(10)?,
            second: pair(12).unwrap_or(0),
        };
        let in_our_time = (1970..=2200).contains(&timestamp.year);
        (in_our_time && Self::from_unix(timestamp.unix()) == timestamp).then_some(timestamp)
    }

    /// `YYYYMMDDhhmmss`.
    pub(super) fn digits(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }
}

/// Howard Hinnant's `civil_from_days`, for days since 1970.
fn date(days: u64) -> (u16, u8, u8) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (u16::try_from(year).unwrap_or(u16::MAX), month as u8, day as u8)
}

/// Howard Hinnant's `days_from_civil`; 0 for dates before 1970.
fn days_since_1970(year: u16, month: u8, day: u8) -> u64 {
    let (month, day) = (u64::from(month.clamp(1, 12)), u64::from(day.max(1)));
    let year = u64::from(year) - u64::from(month <= 2 && year > 0);
    let (era, year_of_era) = (year / 400, year % 400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive_the_way_to_seconds_and_back() {
        for seconds in [0, 951_782_399, 951_782_400, 1_709_210_096, 4_107_542_399] {
            assert_eq!(Timestamp::from_unix(seconds).unix(), seconds);
        }
        assert_eq!(Timestamp::from_unix(1_709_210_096).digits(), "20240229123456");
    }

    #[test]
    fn dates_that_do_not_exist_are_not_read() {
        assert_eq!(Timestamp::from_digits("20230230120000"), None);
        assert_eq!(Timestamp::from_digits("20240229123456"), Some(Timestamp::from_unix(1_709_210_096)));
    }
}
