//! Answers with a type: what was said is read once, where it is given, or refused there.

use crate::quantity::{self, Seconds, count, duration, percentage};

/// The kind of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of the choices.
    Choice,
    /// Several of the choices, with commas between.
    Choices,
    /// One of the choices, or a number of things.
    Count,
    /// One of the choices, or a span of time.
    Duration,
    /// How long the application may be away: a choice, or a span of time with words on when.
    Downtime,
    /// A share in percent.
    Percentage,
    /// Words.
    Text,
}

impl Kind {
    /// The word in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Choices => "choices",
            Self::Count => "count",
            Self::Duration => "duration",
            Self::Downtime => "downtime",
            Self::Percentage => "percentage",
            Self::Text => "text",
        }
    }

    /// What is wrong with a value that is none of the choices.
    pub(super) fn refusal(self, value: &str, choices: &[&str]) -> Option<String> {
        let one_of = || Some(format!("`{value}` is none of {}", choices.join(", ")));
        let either = |error: String| match choices {
            [] => error,
            _ => format!("{error}, or one of {}", choices.join(", ")),
        };
        match self {
            Self::Choice => one_of(),
            Self::Choices => {
                let unknown = value.split(',').map(str::trim).any(|it| !choices.contains(&it));
                unknown.then(one_of).flatten()
            }
            Self::Count => count(value).err().map(either),
            Self::Duration => duration(value).err().map(either),
            Self::Downtime => downtime(value).err().map(either),
            Self::Percentage => percentage(value).err().map(either),
            Self::Text => value.trim().is_empty().then(|| "an empty answer says nothing".to_owned()),
        }
    }
}

/// How long the application may be away.
#[derive(Debug, Clone, PartialEq)]
pub enum Downtime {
    /// Not at all: nothing waits noticeably.
    None,
    /// Requests may wait for so long; nobody announces anything.
    Wait(Seconds),
    /// It can be announced.
    Window {
        /// For how long at most, where that was said.
        longest: Option<Seconds>,
        /// When, in the words of who answered.
        when: Option<String>,
    },
}

/// Waits of up to this are not announced.
const UNANNOUNCED: Seconds = Seconds::minutes(1.0);
/// What `seconds` means.
const SECONDS: Seconds = Seconds(10.0);

/// Reads `none`, `seconds`, `window`, `5 s`, `1h`, `window of 1 h`, `30 min at night`.
///
/// # Errors
/// In words, with what would be read.
pub fn downtime(text: &str) -> Result<Downtime, String> {
    let text = text.trim();
    match text {
        "none" | "no" => return Ok(Downtime::None),
        "seconds" => return Ok(Downtime::Wait(SECONDS)),
        "window" => return Ok(Downtime::Window { longest: None, when: None }),
        _ => {}
    }
    let (amount, window) = match text.strip_prefix("window") {
        Some(rest) => (rest.trim_start().strip_prefix("of").unwrap_or(rest).trim(), true),
        None => (text, false),
    };
    let (span, when) =
        leading_duration(amount).ok_or_else(|| quantity::duration(text).err().unwrap_or_default())?;
    Ok(match span {
        _ if span.0 == 0.0 && !window => Downtime::None,
        _ if span <= UNANNOUNCED && !window && when.is_none() => Downtime::Wait(span),
        _ => Downtime::Window { longest: Some(span), when },
    })
}

/// A span of time at the beginning, and the words behind it.
fn leading_duration(text: &str) -> Option<(Seconds, Option<String>)> {
    let ends = text.char_indices().map(|(at, _)| at).filter(|at| *at > 0).chain([text.len()]);
    let parted = |at: &usize| text[*at..].chars().next().is_none_or(|it| it.is_whitespace() || it == ',');
    let read = |at: usize| Some((at, duration(&text[..at]).ok()?));
    let (at, span) = ends.filter(parted).filter_map(read).next_back()?;
    let when = text[at..].trim_matches([' ', ',']).trim();
    // A number or another span behind it is something that we do not understand.
    let is_amount = when.starts_with(|it: char| it.is_ascii_digit());
    (!is_amount).then(|| (span, Some(when.to_owned()).filter(|it| !it.is_empty())))
}

/// For how long it must be possible to go back without loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WayBack {
    /// Fixes forward are fine.
    NotNeeded,
    /// For so long after each step.
    For(Seconds),
    /// Until the next release is out.
    Release,
}

/// Reads `none`, `hours`, `release`, `weeks`, or a span of time.
pub fn way_back(text: &str) -> Option<WayBack> {
    Some(match text.trim() {
        "none" => WayBack::NotNeeded,
        "hours" => WayBack::For(Seconds::hours(8.0)),
        "release" => WayBack::Release,
        "weeks" => WayBack::For(Seconds::hours(24.0 * 14.0)),
        other => WayBack::For(duration(other).ok()?),
    })
}

/// When a backup was last restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// Never, or nobody knows.
    Never,
    /// It was, in the words of who answered.
    Yes(String),
}

/// Reads what was said of the last restore: a no in any form is a no.
pub fn restored(text: &str) -> Restored {
    let word = text.trim().trim_end_matches(['.', '!']).to_ascii_lowercase();
    let denies = [
        "no",
        "never",
        "none",
        "not",
        "unknown",
        "n/a",
        "don't know",
        "do not know",
        "no idea",
        "not yet",
        "?",
    ];
    let begins = ["never ", "not ", "no ", "none ", "unknown "];
    match denies.contains(&word.as_str()) || begins.iter().any(|it| word.starts_with(it)) {
        true => Restored::Never,
        false => Restored::Yes(text.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_downtime_is_a_window_of_an_hour() {
        let window = |seconds: f64, when: Option<&str>| Downtime::Window {
            longest: Some(Seconds(seconds)),
            when: when.map(ToOwned::to_owned),
        };
        assert_eq!(downtime("1h"), Ok(window(3600.0, None)));
        assert_eq!(downtime("window 1h"), Ok(window(3600.0, None)));
        assert_eq!(downtime("window of 40 min"), Ok(window(2400.0, None)));
        assert_eq!(downtime("30 min at night"), Ok(window(1800.0, Some("at night"))));
        assert_eq!(downtime("20 minutes, Sundays"), Ok(window(1200.0, Some("Sundays"))));
        assert_eq!(downtime("5 s"), Ok(Downtime::Wait(Seconds(5.0))));
        assert_eq!(downtime("0"), Ok(Downtime::None));
        for text in ["a bit", "30", "1h 30", "at night", "window soon"] {
            assert!(downtime(text).is_err(), "{text} was read as {:?}", downtime(text));
        }
    }

    #[test]
    fn a_no_is_no_restored_backup() {
        for text in ["never", "no", "No.", "not yet", "unknown", "never done"] {
            assert_eq!(restored(text), Restored::Never, "{text}");
        }
        for text in ["2026-01-05: restored to staging", "yesterday", "yes", "November"] {
            assert!(matches!(restored(text), Restored::Yes(_)), "{text}");
        }
    }
}
