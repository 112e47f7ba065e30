//! What a path inside a migrations folder says: version, name, which half, what kind; and how versions order.

use super::{Framework, Halves, Layout, Order};

/// What a file's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The migration's version.
    pub version: Version,
    /// The migration's name, as it is spelled.
    pub name: String,
    /// What of the migration the file holds.
    pub part: Part,
    /// When the migration runs.
    pub kind: Kind,
}

/// What of a migration a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// All of it.
    Whole,
    /// The way up.
    Up,
    /// The way down.
    Down,
    /// Settings of the migration.
    Sidecar,
}

/// When a migration runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Once, at its version.
    Versioned,
    /// Once on an empty database, in place of all up to its version.
    Baseline,
    /// After the versioned ones, whenever its text has changed.
    Repeatable,
}

/// A migration's version: as it is spelled, and comparable as its framework compares.
#[derive(Debug, Clone, Default)]
pub struct Version {
    /// As it is spelled in the file's name.
    pub text: String,
    key: (bool, Vec<u128>, String),
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl Version {
    /// A version as the framework reads it; `None` where it is none.
    pub fn new(framework: &Framework, text: &str) -> Option<Self> {
        let key = match framework.order {
            Order::Text => (false, Vec::new(), text.replace('-', "")),
            Order::Number => (false, vec![text.parse().ok()?], String::new()),
            Order::Dotted => (false, dotted(text)?, String::new()),
        };
        Some(Self { text: text.to_owned(), key })
    }

    /// The version of a file that has none: behind all that have one, in the order of the names.
    pub fn unnumbered(name: &str) -> Self {
        Self { text: String::new(), key: (true, Vec::new(), name.to_owned()) }
    }

    /// The version of a file whose name has a place in a plan.
    pub fn planned(name: &str, place: usize) -> Self {
        Self { text: name.to_owned(), key: (false, vec![place as u128], String::new()) }
    }

    /// Whether the file's name states a version.
    pub fn is_numbered(&self) -> bool {
        !self.key.0
    }
}

/// 1.0 is 1, so zeros at the end do not count.
fn dotted(text: &str) -> Option<Vec<u128>> {
    let parts: Result<Vec<u128>, _> = text.split(['.', '_']).map(str::parse).collect();
    let mut parts = parts.ok()?;
    while parts.len() > 1 && parts.last() == Some(&0) {
        parts.pop();
    }
    Some(parts)
}

/// Reads a path relative to the migrations folder, with `/` between its parts; `None` where the framework would not
/// look at that file.
pub fn parse(framework: &Framework, path: &str) -> Option<FileName> {
    match (framework.layout, framework.halves) {
        (Layout::Folders { up, down }, _) => in_folder(framework, path, up, down),
        (Layout::Files, Halves::Letters) => lettered(framework, path),
        (Layout::Files, Halves::Actions) => with_action(framework, path),
        (Layout::Files, Halves::Siblings) => beside(path),
        (Layout::Files, Halves::Changesets) => named(framework, path),
        (Layout::Files, Halves::Suffixes) if framework.id == "plain" => plain(framework, path),
        (Layout::Files, halves) => numbered(framework, path, halves),
    }
}

fn in_folder(framework: &Framework, path: &str, up: &str, down: &str) -> Option<FileName> {
    let (folder, file) = path.split_once('/')?;
    let part = match file {
        _ if file == up => Part::Up,
        _ if file == down => Part::Down,
        "metadata.toml" if framework.id == "diesel" => Part::Sidecar,
        _ => return None,
    };
    let (version, name) = folder.split_once('_').unwrap_or((folder, ""));
    // Prisma compares whole folder names; what distinguishes two of them is all of the name.
    let mut version = Version::new(framework, version)?;
    if framework.id == "prisma" {
        version.key.2 = folder.to_owned();
    }
    Some(FileName { version, name: name.to_owned(), part, kind: Kind::Versioned })
}

fn numbered(framework: &Framework, path: &str, halves: Halves) -> Option<FileName> {
    let stem = path.strip_suffix(".sql").filter(|stem| !stem.contains('/'))?;
    let (stem, part) = match halves {
        Halves::Suffixes => half(stem, &[(".up", Part::Up), (".down", Part::Down)]),
        _ => (stem, Part::Whole),
    };
    if framework.id == "golang-migrate" && part == Part::Whole {
        return None;
    }
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    let (version, name) = stem.split_at(digits);
    let version = Version::new(framework, version).filter(|version| !version.text.is_empty())?;
    // goose and its like want `_` behind the digits; the others take any name.
    let name = match framework.id {
        "dbmate" | "atlas" => name.trim_start_matches('_'),
        "sql-migrate" | "node-pg-migrate" | "graphile-migrate" => name.trim_start_matches(['_', '-', '.']),
        _ => name.strip_prefix('_')?,
    };
    Some(FileName { version, name: name.to_owned(), part, kind: Kind::Versioned })
}

/// `001.do.users.sql` and `001.undo.users.sql`.
fn with_action(framework: &Framework, path: &str) -> Option<FileName> {
    let stem = path.strip_suffix(".sql").filter(|stem| !stem.contains('/'))?;
    let (version, rest) = stem.split_once('.')?;
    let (action, name) = rest.split_once('.').unwrap_or((rest, ""));
    let part = match action {
        "do" => Part::Up,
        "undo" => Part::Down,
        _ => return None,
    };
    let version = Version::new(framework, version)?;
    Some(FileName { version, name: name.to_owned(), part, kind: Kind::Versioned })
}

/// `deploy/users.sql` and `revert/users.sql`; the order stands in a file of its own.
fn beside(path: &str) -> Option<FileName> {
    let (folder, name) = path.strip_suffix(".sql")?.split_once('/')?;
    let part = match folder {
        "deploy" => Part::Up,
        "revert" => Part::Down,
        _ => return None,
    };
    let version = Version::unnumbered(name);
    Some(FileName { version, name: name.to_owned(), part, kind: Kind::Versioned })
}

/// Any file of SQL, in the order of the names.
fn named(framework: &Framework, path: &str) -> Option<FileName> {
    let stem = path.strip_suffix(".sql").filter(|stem| !stem.contains('/'))?;
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    let (version, name) = if digits == 0 { (stem, "") } else { stem.split_at(digits) };
    let mut version = Version::new(framework, version)?;
    stem.clone_into(&mut version.key.2);
    let name = name.trim_start_matches(['_', '-', '.']).to_owned();
    Some(FileName { version, name, part: Part::Whole, kind: Kind::Versioned })
}

fn lettered(framework: &Framework, path: &str) -> Option<FileName> {
    let file = path.rsplit('/').next()?;
    let (stem, sidecar) = match file.strip_suffix(".sql.conf") {
        Some(stem) => (stem, true),
        None => (file.strip_suffix(".sql")?, false),
    };
    if framework.id == "flyway" && !sidecar && is_callback(stem) {
        let version = Version::unnumbered(stem);
        return Some(FileName { version, name: stem.to_owned(), part: Part::Whole, kind: Kind::Repeatable });
    }
    let (letter, rest) = stem.split_at_checked(1)?;
    let (version, name) = rest.split_once("__").unwrap_or((rest, ""));
    let (kind, half) = match letter {
        // What refinery calls unversioned has a version too, and goes up.
        "V" | "U" if framework.id == "refinery" && !sidecar => (Kind::Versioned, Part::Whole),
        _ if framework.id == "refinery" => return None,
        "V" => (Kind::Versioned, Part::Whole),
        "U" => (Kind::Versioned, Part::Down),
        "B" => (Kind::Baseline, Part::Whole),
        "R" if version.is_empty() => (Kind::Repeatable, Part::Whole),
        _ => return None,
    };
    let version = match kind {
        Kind::Repeatable => Version { text: String::new(), key: (true, Vec::new(), name.to_owned()) },
        _ => Version::new(framework, version)?,
    };
    let part = if sidecar { Part::Sidecar } else { half };
    Some(FileName { version, name: name.to_owned(), part, kind })
}

/// `afterMigrate`, `beforeEachMigrate__timeouts`: Flyway runs it around migrations.
fn is_callback(stem: &str) -> bool {
    let event = ["before", "after"].iter().find_map(|moment| stem.strip_prefix(moment));
    event.is_some_and(|event| event.starts_with(|it: char| it.is_ascii_uppercase()))
}

const PLAIN_HALVES: &[(&str, Part)] = &[
    (".up", Part::Up),
    ("_up", Part::Up),
    (".down", Part::Down),
    ("_down", Part::Down),
    ("-down", Part::Down),
    (".undo", Part::Down),
    ("_rollback", Part::Down),
    (".rollback", Part::Down),
];

/// `0001_x.sql`, `patch10.sql`, `v1.2-x.sql`, or `v1.2/x.sql` where a folder is one version.
fn plain(framework: &Framework, path: &str) -> Option<FileName> {
    let stem = path.strip_suffix(".sql")?;
    let (numbered, name) = match stem.split_once('/') {
        Some((folder, file)) if !file.contains('/') => (folder, Some(file)),
        Some(_) => return None,
        None => (stem, None),
    };
    let (numbered, part) = half(numbered, PLAIN_HALVES);
    let letters = numbered.bytes().take_while(u8::is_ascii_alphabetic).count();
    let rest = &numbered[letters..];
    let dots = name.is_some() || letters > 0;
    let length = rest.bytes().take_while(|it| it.is_ascii_digit() || dots && *it == b'.').count();
    let version = rest[..length].trim_end_matches('.');
    let version = Version::new(framework, version).filter(|_| !version.is_empty())?;
    let name = name.unwrap_or_else(|| rest[length..].trim_start_matches(['_', '-', '.', ' ']));
    Some(FileName { version, name: name.to_owned(), part, kind: Kind::Versioned })
}

fn half<'a>(stem: &'a str, halves: &[(&str, Part)]) -> (&'a str, Part) {
    let found = halves.iter().find_map(|(suffix, part)| Some((stem.strip_suffix(suffix)?, *part)));
    found.unwrap_or((stem, Part::Whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framework(id: &str) -> &'static Framework {
        Framework::by_id(id).expect("is in the table")
    }

    #[track_caller]
    fn check(id: &str, path: &str, expected: Option<(&str, &str, Part)>) {
        let found = parse(framework(id), path);
        let found = found.as_ref().map(|it| (it.version.text.as_str(), it.name.as_str(), it.part));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn names_are_read_as_the_framework_reads_them() {
        check("goose", "20240215162148_v0_10_2.sql", Some(("20240215162148", "v0_10_2", Part::Whole)));
        check("goose", "helpers.sql", None);
        check("dbmate", "20240101_x.sql", Some(("20240101", "x", Part::Whole)));
        check("golang-migrate", "0120_2.9.0_schema.up.sql", Some(("0120", "2.9.0_schema", Part::Up)));
        check("golang-migrate", "0001_x.sql", None);
        check("sqlx", "1_x.down.sql", Some(("1", "x", Part::Down)));
        check("sqlx", "1_x.sql", Some(("1", "x", Part::Whole)));
        check(
            "diesel",
            "2026-06-26-100902-0000_a b/up.sql",
            Some(("2026-06-26-100902-0000", "a b", Part::Up)),
        );
        check("diesel", "00000000000000_x/metadata.toml", Some(("00000000000000", "x", Part::Sidecar)));
        check(
            "prisma",
            "20240126184148_new_models copy/migration.sql",
            Some(("20240126184148", "new_models copy", Part::Up)),
        );
        check("prisma", "migration_lock.toml", None);
        check("flyway", "V4_99_1561658666__NOOP.sql", Some(("4_99_1561658666", "NOOP", Part::Whole)));
        check("flyway", "sub/U1.2__x.sql", Some(("1.2", "x", Part::Down)));
        check("flyway", "V1__x.sql.conf", Some(("1", "x", Part::Sidecar)));
        check("flyway", "R__view.sql", Some(("", "view", Part::Whole)));
        check("flyway", "é__view.sql", None);
        check("flyway", "afterMigrate.sql", Some(("", "afterMigrate", Part::Whole)));
        check("flyway", "aftermath.sql", None);
        check("sql-migrate", "20240101000000-x.sql", Some(("20240101000000", "x", Part::Whole)));
        check("node-pg-migrate", "1700000000000_x.sql", Some(("1700000000000", "x", Part::Whole)));
        check("supabase", "20240101000000_x.sql", Some(("20240101000000", "x", Part::Whole)));
        check("supabase", "20240101000000-x.sql", None);
        check("atlas", "20240101000000.sql", Some(("20240101000000", "", Part::Whole)));
        check("refinery", "U2__x.sql", Some(("2", "x", Part::Whole)));
        check("refinery", "R__x.sql", None);
        check("postgrator", "001.do.users.sql", Some(("001", "users", Part::Up)));
        check("postgrator", "001.undo.sql", Some(("001", "", Part::Down)));
        check("graphile-migrate", "000001-x.sql", Some(("000001", "x", Part::Whole)));
        check("liquibase", "users.sql", Some(("users", "", Part::Whole)));
        check("sqitch", "revert/shop/users.sql", Some(("", "shop/users", Part::Down)));
        check("sqitch", "verify/users.sql", None);
        check("plain", "0001-x_down.sql", Some(("0001", "x", Part::Down)));
        check("plain", "patch10.sql", Some(("10", "", Part::Whole)));
        check("plain", "v1.14/add_column.sql", Some(("1.14", "add_column", Part::Whole)));
        check("plain", "patch-2fa.sql", None);
        check("plain", "99999999999999999999999999999999999999999999999.sql", None);
    }

    #[track_caller]
    fn ordered(id: &str, paths: &[&str]) {
        let versions: Vec<Version> =
            paths.iter().map(|path| parse(framework(id), path).expect(path).version).collect();
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    }

    #[test]
    fn versions_order_as_the_framework_orders_them() {
        ordered("golang-migrate", &["2_a.up.sql", "0009_a.up.sql", "10_a.up.sql"]);
        ordered("flyway", &["V1__a.sql", "V1.9__a.sql", "V1_10__a.sql", "V2__a.sql", "R__a.sql", "R__b.sql"]);
        ordered(
            "diesel",
            &["20161115111836_a/up.sql", "2017-09-23-191545_a/up.sql", "2026-06-26-100902-0000_a/up.sql"],
        );
        ordered("plain", &["patch2.sql", "patch10.sql"]);
        ordered("plain", &["v1.9/a.sql", "v1.10/a.sql"]);
        ordered("prisma", &["20240101_a/migration.sql", "20240101_b/migration.sql"]);
    }

    #[test]
    fn zeros_at_the_end_are_the_same_version() {
        let version = |text| Version::new(framework("flyway"), text);
        assert_eq!(version("1.0"), version("1"));
        assert_ne!(version("1.0.1"), version("1"));
    }
}
