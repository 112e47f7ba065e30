//! The engine, version and settings that a migration will meet.

use super::Dialect;

/// A server's version: PostgreSQL 15.4 is `15, 4`, MySQL 8.0.29 is `8, 0` with the patch left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

impl Version {
    /// The version `major.0`.
    pub const fn major(major: u16) -> Self {
        Self { major, minor: 0 }
    }

    /// Reads the first numbers of texts such as `15`, `15.4`, `v16-alpine` or `PostgreSQL 15.4 (Debian)`.
    pub fn parse(text: &str) -> Option<Self> {
        let start = text.find(|character: char| character.is_ascii_digit())?;
        let mut numbers = text[start..].split('.').map(leading_number);
        let major = numbers.next().flatten()?;
        let minor = numbers.next().flatten().unwrap_or(0);
        Some(Self { major, minor })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.minor {
            0 => write!(f, "{}", self.major),
            minor => write!(f, "{}.{minor}", self.major),
        }
    }
}

fn leading_number(text: &str) -> Option<u16> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// What a migration will run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The engine.
    pub dialect: Dialect,
    /// The version; facts differ by it.
    pub version: Version,
    /// Where engine and version were found, in words: `docker-compose.yml`, `lockkeeper.toml`, `default`.
    pub source: String,
    /// The sessions' time zone where it is known: `timestamp` to `timestamptz` is free only under UTC.
    pub time_zone: Option<String>,
}

impl Target {
    /// Why nothing is known of a version of an engine: nobody measured what it does.
    pub fn refusal(dialect: Dialect, version: Version) -> Option<String> {
        let known = dialect.known_versions().filter(|it| !it.contains(&version.major))?;
        let (title, first, last) = (dialect.title(), known.start(), known.end());
        Some(format!("{title} {version} is not known: only {first} to {last} are"))
    }

    /// The known version that is nearest to one.
    pub fn nearest(dialect: Dialect, version: Version) -> Version {
        match dialect.known_versions().filter(|it| !it.contains(&version.major)) {
            Some(known) if version.major < *known.start() => Version::major(*known.start()),
            Some(known) => Version::major(*known.end()),
            None => version,
        }
    }

    /// PostgreSQL in a version.
    pub fn postgres(version: Version) -> Self {
        Self { dialect: Dialect::Postgres, version, source: "default".to_owned(), time_zone: None }
    }

    /// The same target with the place it was found at.
    #[must_use]
    pub fn found_in(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }
}

impl Default for Target {
    fn default() -> Self {
        Self::postgres(Dialect::Postgres.usual_version())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_people_write() {
        let parse = |text| Version::parse(text).map(|version| (version.major, version.minor));
        assert_eq!(parse("15"), Some((15, 0)));
        assert_eq!(parse("postgres:16.3-alpine"), Some((16, 3)));
        assert_eq!(parse("PostgreSQL 11.22 (Debian)"), Some((11, 22)));
        assert_eq!(parse("latest"), None);
        assert_eq!(parse("99999999"), None);
    }
}
