//! How a project spells its versions, seen from the files it has, and the next one in that spelling.

use super::{Framework, Part, Timestamp, parse};

/// The spelling of a project's versions and the last of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Style {
    form: Form,
    /// What stands before the number: `patch` in `patch10.sql`.
    pub prefix: String,
    /// What stands between version and name.
    pub separator: String,
    /// How the files of a pair are told apart, where the project has shown it.
    pub up_suffix: Option<String>,
    pub down_suffix: Option<String>,
    /// Whether the project has migrations already.
    pub has_files: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// A number of at least so many digits.
    Number {
        width: usize,
        last: u128,
    },
    /// Parts with this text before the last one: `4_` in `4_110`.
    Parts {
        before: String,
        last: u128,
    },
    Moment {
        spelling: Moment,
        next: u64,
    },
}

/// How a moment is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Moment {
    /// `YYYYMMDDhhmmss`.
    Digits,
    /// `YYYYMMDDhhmm`.
    Minutes,
    /// `YYYY-MM-DD-hhmmss`, with a tail such as `-0000`.
    Dashed(String),
    Unix,
    UnixMillis,
}

impl Style {
    /// The style of the paths that exist; without any, the framework's own habit.
    pub fn of(framework: &Framework, existing: &[&str], now: Timestamp) -> Self {
        let files = existing.iter().filter_map(|path| Some((*path, parse(framework, path)?)));
        let files: Vec<_> = files.filter(|(_, it)| it.version.is_numbered()).collect();
        let last = files.iter().max_by(|(_, a), (_, b)| a.version.cmp(&b.version));
        let form = match last {
            Some((_, file)) => Form::after(&file.version.text, now),
            None => Form::habit(framework, now),
        };
        let suffix = |part| files.iter().rev().find_map(|(path, it)| (it.part == part).then(|| suffix(path)));
        let (prefix, separator) = match last {
            Some((path, file)) => surroundings(path, &file.version.text),
            None => (String::new(), "_".to_owned()),
        };
        let (up_suffix, down_suffix) = (suffix(Part::Up), suffix(Part::Down));
        Self { form, prefix, separator, up_suffix, down_suffix, has_files: last.is_some() }
    }

    /// The next version; each call gives a later one.
    pub fn next(&mut self) -> String {
        match &mut self.form {
            Form::Number { width, last } => {
                *last = last.saturating_add(1);
                format!("{last:0width$}", width = *width)
            }
            Form::Parts { before, last } => {
                *last = last.saturating_add(1);
                format!("{before}{last}")
            }
            Form::Moment { spelling, next } => {
                let moment = *next;
                *next += spelling.step();
                spelling.spell(moment)
            }
        }
    }
}

impl Form {
    fn habit(framework: &Framework, now: Timestamp) -> Self {
        let next = now.unix();
        match framework.id {
            "plain" | "drizzle" => Self::Number { width: 4, last: 0 },
            "postgrator" => Self::Number { width: 3, last: 0 },
            "flyway" | "refinery" => Self::Number { width: 1, last: 0 },
            "node-pg-migrate" => Self::Moment { spelling: Moment::UnixMillis, next },
            "diesel" => Self::Moment { spelling: Moment::Dashed(String::new()), next },
            _ => Self::Moment { spelling: Moment::Digits, next },
        }
    }

    fn after(last: &str, now: Timestamp) -> Self {
        if let Some((spelling, last)) = Moment::read(last) {
            let next = now.unix().max(last + spelling.step());
            return Self::Moment { spelling, next };
        }
        let digits = last.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (before, digits) = last.split_at(last.len() - digits);
        let number = digits.parse().unwrap_or(0);
        match before {
            "" => Self::Number { width: digits.len(), last: number },
            _ => Self::Parts { before: before.to_owned(), last: number },
        }
    }
}

impl Moment {
    fn read(version: &str) -> Option<(Self, u64)> {
        if let Some((date, tail)) = version.split_at_checked(17).filter(|(date, _)| date.contains('-')) {
            let at = Timestamp::from_digits(&date.replace('-', ""))?;
            return Some((Self::Dashed(tail.to_owned()), at.unix()));
        }
        let number: u64 = version.parse().ok()?;
        match version.len() {
            14 => Some((Self::Digits, Timestamp::from_digits(version)?.unix())),
            12 => Some((Self::Minutes, Timestamp::from_digits(version)?.unix())),
            10 if number > 1_000_000_000 => Some((Self::Unix, number)),
            13 if number > 1_000_000_000_000 => Some((Self::UnixMillis, number / 1000)),
            _ => None,
        }
    }

    fn step(&self) -> u64 {
        if *self == Self::Minutes { 60 } else { 1 }
    }

    fn spell(&self, unix: u64) -> String {
        let digits = Timestamp::from_unix(unix).digits();
        match self {
            Self::Digits => digits,
            Self::Minutes => digits[..12].to_owned(),
            Self::Dashed(tail) => {
                format!("{}-{}-{}-{}{tail}", &digits[..4], &digits[4..6], &digits[6..8], &digits[8..])
            }
            Self::Unix => unix.to_string(),
            Self::UnixMillis => (unix * 1000).to_string(),
        }
    }
}

/// What stands before the version and between it and the name.
fn surroundings(path: &str, version: &str) -> (String, String) {
    let (prefix, rest) = path.split_once(version).unwrap_or(("", path));
    let length = rest.bytes().take_while(|it| matches!(it, b'_' | b'-' | b' ')).count();
    let separator = match length {
        0 if rest.starts_with('/') => "/",
        0 => "_",
        _ => &rest[..length],
    };
    (prefix.to_owned(), separator.to_owned())
}

/// `.up.sql` of `0001_x.up.sql`, `_down.sql` of `0001_x_down.sql`.
fn suffix(path: &str) -> String {
    let stem = path.strip_suffix(".sql").unwrap_or(path);
    let start = stem.rfind(['.', '_', '-']).unwrap_or(stem.len());
    path[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, existing: &[&str], expected: [&str; 2]) {
        let framework = Framework::by_id(id).expect("is in the table");
        let mut style = Style::of(framework, existing, Timestamp::from_unix(1_709_210_096));
        assert_eq!([style.next(), style.next()], expected);
    }

    #[test]
    fn numbers_keep_their_width() {
        check("golang-migrate", &["0009_x.up.sql", "0190_x.up.sql"], ["0191", "0192"]);
        check("goose", &["8_x.sql", "9_x.sql"], ["10", "11"]);
        check("plain", &["patch9.sql", "patch10.sql"], ["11", "12"]);
        check("flyway", &["V4_99_1561658666__x.sql", "V4_110__x.sql"], ["4_111", "4_112"]);
        check("flyway", &["V1__x.sql"], ["2", "3"]);
    }

    #[test]
    fn moments_come_after_now_and_after_the_last() {
        check("goose", &["20200101000000_x.sql"], ["20240229123456", "20240229123457"]);
        check("goose", &["20991231235959_x.sql"], ["21000101000000", "21000101000001"]);
        check("golang-migrate", &["202001010000_x.up.sql"], ["202402291234", "202402291235"]);
        check("golang-migrate", &["1500000000_x.up.sql"], ["1709210096", "1709210097"]);
        check(
            "diesel",
            &["2020-06-26-100902-0000_x/up.sql"],
            ["2024-02-29-123456-0000", "2024-02-29-123457-0000"],
        );
    }

    #[test]
    fn a_folder_per_version_stays_one() {
        let framework = Framework::by_id("plain").expect("is in the table");
        let style = Style::of(framework, &["v1.9/a.sql", "v1.14/b.sql"], Timestamp::from_unix(0));
        assert_eq!((style.prefix.as_str(), style.separator.as_str()), ("v", "/"));
    }

    #[test]
    fn an_impossible_date_is_only_a_number() {
        check("goose", &["20230230999999_x.sql"], ["20230231000000", "20230231000001"]);
    }

    #[test]
    fn the_first_version_follows_the_frameworks_habit() {
        check("plain", &[], ["0001", "0002"]);
        check("dbmate", &[], ["20240229123456", "20240229123457"]);
        check("diesel", &[], ["2024-02-29-123456", "2024-02-29-123457"]);
    }
}
