//! Amounts as people write them: `5M`, `1.5 million`, `30 min at night`. What cannot be read for certain is refused, and never taken for
//! something else.

use std::fmt::{self, Display};

/// A span of time in seconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Seconds(pub f64);

impl Seconds {
    /// So many minutes.
    pub const fn minutes(minutes: f64) -> Self {
        Self(minutes * 60.0)
    }

    /// So many hours.
    pub const fn hours(hours: f64) -> Self {
        Self(hours * 3600.0)
    }
}

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0;
        match seconds {
            _ if seconds < 0.1 => f.write_str("under 0.1 s"),
            _ if seconds < 10.0 => write!(f, "{} s", trimmed(seconds)),
            _ if seconds < 120.0 => write!(f, "{seconds:.0} s"),
            _ if seconds < 7200.0 => write!(f, "{:.0} min", seconds / 60.0),
            _ if seconds < 172_800.0 => write!(f, "{} h", trimmed(seconds / 3600.0)),
            _ => write!(f, "{} days", trimmed(seconds / 86_400.0)),
        }
    }
}

/// With one digit behind the point, where that says something.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), ToOwned::to_owned)
}

/// A count in words: `5 million`, `12,000`.
pub fn counted(count: u64) -> String {
    match count {
        1_000_000_000.. => format!("{} billion", trimmed(count as f64 / 1e9)),
        1_000_000.. => format!("{} million", trimmed(count as f64 / 1e6)),
        _ => grouped(count),
    }
}

/// A whole number with a comma before each three digits.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in words.
pub fn bytes(bytes: f64) -> String {
    match bytes {
        _ if bytes >= 1e12 => format!("{} TB", trimmed(bytes / 1e12)),
        _ if bytes >= 1e9 => format!("{} GB", trimmed(bytes / 1e9)),
        _ if bytes >= 1e6 => format!("{:.0} MB", bytes / 1e6),
        _ => "under 1 MB".to_owned(),
    }
}

/// A count of things: `4000000`, `4,000,000`, `4_000_000`, `5M`, `1.5 million`, `20k rows`, `2 bn`.
///
/// # Errors
/// In words, with what would be read.
pub fn count(text: &str) -> Result<u64, String> {
    let refused =
        || format!("`{text}` is not a number that can be read: say 4000000, 4,000,000, 5M or 1.5 million");
    let text = text.trim();
    let text = ["rows", "row"].iter().find_map(|it| text.strip_suffix(it)).unwrap_or(text).trim();
    let end = text
        .find(|it: char| !(it.is_ascii_digit() || matches!(it, '.' | ',' | '_' | ' ')))
        .unwrap_or(text.len());
    let (number, unit) = (text[..end].trim(), text[end..].trim());
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" => 1.0,
        "k" | "thousand" => 1e3,
        "m" | "mio" | "million" | "millions" => 1e6,
        "b" | "bn" | "g" | "billion" | "billions" => 1e9,
        _ => return Err(refused()),
    };
    let whole = ungrouped(number).ok_or_else(refused)?;
    let value: f64 = whole.parse().map_err(|_| refused())?;
    let value = value * factor;
    // A part of a row is a slip of the pen, or a point that parts thousands.
    if value.fract() != 0.0 || value > 1e15 {
        return Err(refused());
    }
    Ok(value as u64)
}

/// A number without what parts its thousands: three digits behind each comma, or it is something else.
fn ungrouped(number: &str) -> Option<String> {
    let separators: Vec<char> = number.chars().filter(|it| matches!(it, ',' | '_' | ' ')).collect();
    let Some(separator) = separators.first() else {
        return (!number.is_empty() && number.matches('.').count() <= 1).then(|| number.to_owned());
    };
    let mut groups = number.split(*separator);
    let first = groups.next()?;
    let well = separators.iter().all(|it| it == separator)
        && (1..=3).contains(&first.len())
        && !number.contains('.')
        && groups.all(|it| it.len() == 3);
    (well || *separator == '_').then(|| number.replace(*separator, ""))
}

/// A span of time: `30 min`, `1h`, `2 days`, `90s`, `1.5 hours`, `0`.
///
/// # Errors
/// In words, with what would be read.
pub fn duration(text: &str) -> Result<Seconds, String> {
    let refused =
        || format!("`{text}` is not a span of time that can be read: say 30 s, 10 min, 1 h or 2 days");
    let text = text.trim();
    let end = text.find(|it: char| !(it.is_ascii_digit() || it == '.')).unwrap_or(text.len());
    let value: f64 = text[..end].parse().map_err(|_| refused())?;
    let factor = match text[end..].trim().to_ascii_lowercase().as_str() {
        "" if value == 0.0 => 0.0,
        "ms" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        _ => return Err(refused()),
    };
    Ok(Seconds(value * factor))
}

/// A share as a percentage: `99.99 %`, `99.9`.
///
/// # Errors
/// In words, with what would be read.
pub fn percentage(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim();
    let value = number.parse().ok().filter(|it| (0.0..=100.0).contains(it));
    value.ok_or_else(|| format!("`{text}` is not a share that can be read: say 99.9 % or 99.99 %"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_are_meant_or_refused() {
        let read = [
            ("5M", 5_000_000),
            ("1.5 million", 1_500_000),
            ("20k rows", 20_000),
            ("2 bn", 2_000_000_000),
            ("4,000,000", 4_000_000),
            ("4_000_000", 4_000_000),
            ("4 000 000", 4_000_000),
            ("12", 12),
            ("0", 0),
        ];
        for (text, expected) in read {
            assert_eq!(count(text), Ok(expected), "{text}");
        }
        for text in [
            "about fifty",
            "5 apples",
            "1,5",
            "1.5",
            "4.000.000",
            "",
            "-3",
            "5 M 3",
            "1,000.5",
            "99999999999999999",
        ] {
            assert!(count(text).is_err(), "{text} was read as {:?}", count(text));
        }
    }

    #[test]
    fn spans_of_time_have_a_unit() {
        let read = [
            ("30 min", 1800.0),
            ("1h", 3600.0),
            ("2 days", 172_800.0),
            ("90s", 90.0),
            ("0", 0.0),
            ("1.5 hours", 5400.0),
        ];
        for (text, expected) in read {
            assert_eq!(duration(text), Ok(Seconds(expected)), "{text}");
        }
        for text in ["30", "soon", "1 h 30", "-1 h", ""] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_are_written_as_people_read_them() {
        assert_eq!((counted(5_000_000).as_str(), counted(12_345).as_str()), ("5 million", "12,345"));
        let spans =
            [0.01, 1.5, 45.0, 600.0, 5400.0, 7200.0, 86_400.0 * 4.0].map(|it| Seconds(it).to_string());
        assert_eq!(spans, ["under 0.1 s", "1.5 s", "45 s", "10 min", "90 min", "2 h", "4 days"]);
        assert_eq!((bytes(3.2e9).as_str(), bytes(5e5).as_str()), ("3.2 GB", "under 1 MB"));
    }
}
