//! Which engine version a folder's migrations will meet, as far as the repository shows it.

use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::signals::Measured;

use crate::config::Config;
use crate::discover::Project;
use crate::files::{File, is_inside, parent};
use crate::folder::Folder;
use crate::measured;

/// A version that was seen, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The engine.
    pub dialect: Dialect,
    /// The version.
    pub version: Version,
    /// The file relative to the root.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
}

/// The target of a folder of migrations.
pub fn target(project: &Project, folder: &Folder) -> Target {
    of_path(project, &folder.path, folder.dialect)
}

/// The target of what stands in no folder of migrations, by its path: where nothing is stated, PostgreSQL.
pub fn target_alone(project: &Project, path: &str) -> Target {
    of_path(project, path, None)
}

fn of_path(project: &Project, path: &str, shown: Option<Dialect>) -> Target {
    let config = project.config.at(path);
    let configured = config.dialect.as_deref().and_then(Dialect::from_id);
    let dialect = shown.or(configured).unwrap_or(Dialect::Postgres);
    let (version, source) = match stated(&config).filter(|_| configured.is_none_or(|it| it == dialect)) {
        Some(stated) => stated,
        None => seen_version(project, path, dialect),
    };
    Target { dialect, version, source, time_zone: config.time_zone.clone() }
}

/// The version that the repository shows, with the place that shows it.
fn seen_version(project: &Project, path: &str, dialect: Dialect) -> (Version, String) {
    let seen = sightings(project).into_iter().filter(|it| it.dialect == dialect);
    let Some(seen) = seen.min_by_key(|it| (rank(&it.path), distance(&it.path, path))) else {
        return (dialect.usual_version(), "default".to_owned());
    };
    let place = format!("{}:{}", seen.path, seen.line);
    let version = Target::nearest(dialect, seen.version);
    match Target::refusal(dialect, seen.version) {
        None => (version, place),
        Some(why) => (version, format!("{place}; {why}, so that {version} is taken")),
    }
}

/// The version that the configuration states for the whole project, and where.
pub fn stated_version(project: &Project) -> Option<(Version, String)> {
    stated(&project.config)
}

/// Whether a file says something of production, or of what its code is tested on: not what clients, examples and tools run on.
pub(crate) fn tells(path: &str) -> bool {
    rank(path).is_some_and(|it| it <= 2) && !is_aside(path)
}

/// The version that a configuration states, and where.
fn stated(config: &Config) -> Option<(Version, String)> {
    let version = |text: &str| Version::parse(text.trim_start_matches(|it: char| !it.is_ascii_digit()));
    let target = config.target_version.as_ref().and_then(|it| version(&it.to_string()));
    let answer = || config.answers.get(ANSWER).and_then(|it| version(&it.to_string()));
    target
        .map(|it| (it, config.place_of_version()))
        .or_else(|| Some((answer()?, config.place_of(&["answers", ANSWER]))))
}

/// The question that a version answers.
const ANSWER: &str = "engine-version";

/// All versions that are known, the most telling first: what a server told of itself, what is deployed, then what tests run on.
pub fn sightings(project: &Project) -> Vec<Sighting> {
    let files = project.files.iter().filter(|file| file.path != measured::FILE_NAME);
    let mut ranked: Vec<(usize, &File)> = files.filter_map(|file| Some((rank(&file.path)?, file))).collect();
    ranked.sort_by_key(|(rank, file)| (*rank, file.path.matches('/').count(), &file.path));
    let told = project.measured.iter().filter_map(told);
    told.chain(ranked.into_iter().flat_map(|(_, file)| in_file(project, file))).collect()
}

/// The version that a server told.
fn told(fact: &Measured) -> Option<Sighting> {
    let version = fact.value.strip_prefix(Dialect::Postgres.title()).filter(|_| fact.id == ENGINE)?;
    Some(Sighting {
        dialect: Dialect::Postgres,
        version: Version::parse(version.trim())?,
        path: fact.evidence.path.clone(),
        line: fact.evidence.line,
        text: fact.evidence.excerpt.clone(),
    })
}

/// The fact that is a version.
const ENGINE: &str = "engine";

/// How far a file is from a folder of migrations: what lies around the folder says more than what lies beside it, the nearest most.
fn distance(path: &str, folder: &str) -> (bool, usize) {
    let around = parent(path);
    let depth = folder.matches('/').count().saturating_sub(around.matches('/').count());
    (!is_inside(folder, around), depth)
}

/// Whether a file says what tests, clients or examples run on.
fn is_aside(path: &str) -> bool {
    const ASIDE: &[&str] =
        &["test", "tests", "testing", "e2e", "integration", "client", "clients", "example", "examples"];
    path.split(['/', '.', '-', '_']).any(|word| ASIDE.contains(&word))
}

fn rank(path: &str) -> Option<usize> {
    let name = crate::files::name(path);
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    match name {
        _ if path == measured::FILE_NAME => Some(0),
        _ if is_yaml && (name.starts_with("docker-compose") || name.starts_with("compose")) => {
            Some(if is_aside(path) { 5 } else { 0 })
        }
        _ if name.ends_with(".tf") => Some(1),
        _ if is_yaml && path.starts_with(".github/workflows/") => Some(2),
        ".gitlab-ci.yml" | ".drone.yml" => Some(2),
        _ if is_yaml && path.starts_with(".circleci/") => Some(2),
        ".tool-versions" => Some(3),
        "Dockerfile" => Some(4),
        _ => None,
    }
}

fn in_file(project: &Project, file: &File) -> Vec<Sighting> {
    let text = project.read(&file.path).unwrap_or_default();
    let sighting = |(index, line): (usize, &str)| {
        let (dialect, version) = of_line(file.name(), line)?;
        Some(Sighting {
            dialect,
            version,
            path: file.path.clone(),
            line: index + 1,
            text: line.trim().to_owned(),
        })
    };
    text.lines().enumerate().filter_map(sighting).collect()
}

/// Images by name: the engine, and whether the tag is its version (not that of what stands around it).
const IMAGES: &[(&str, Dialect)] = &[
    ("postgres", Dialect::Postgres),
    ("postgresql", Dialect::Postgres),
    ("postgis", Dialect::Postgres),
    ("pgvector", Dialect::Postgres),
    ("timescaledb", Dialect::Postgres),
    ("timescaledb-ha", Dialect::Postgres),
    ("spilo", Dialect::Postgres),
    ("mysql", Dialect::Mysql),
    ("mariadb", Dialect::Mysql),
];

fn of_line(file: &str, line: &str) -> Option<(Dialect, Version)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    if file == ".tool-versions" {
        let (tool, version) = line.split_once(char::is_whitespace)?;
        return Some((Dialect::from_id(tool)?, Version::parse(version)?));
    }
    if file.ends_with(".tf") {
        return terraform(line);
    }
    let image = line.strip_prefix("- ").unwrap_or(line);
    let image = image
        .strip_prefix("image:")
        .or_else(|| image.strip_prefix("FROM "))
        .or_else(|| image.strip_prefix("name:"))?;
    of_image(image.trim().trim_matches(['"', '\'']))
}

/// `postgres:15-alpine`, `pgvector/pgvector:pg16`, `supabase/postgres:15.1.0.117`, `timescale/timescaledb:2.1-pg14`.
fn of_image(image: &str) -> Option<(Dialect, Version)> {
    // An image pinned by its digest often states the tag in a comment behind it.
    let (image, comment) = image.split_once('#').unwrap_or((image, ""));
    let image = image.split('@').next()?.trim().trim_matches(['"', '\'']);
    let name = image.rsplit('/').next()?;
    let (name, tag) = name.split_once(':').unwrap_or((name, comment.trim()));
    let (_, dialect) = IMAGES.iter().find(|(id, _)| *id == name)?;
    let of_postgres = tag.split('-').find_map(|part| part.strip_prefix("pg").and_then(Version::parse));
    // TimescaleDB's own version says nothing; `${POSTGRES_VERSION:-15}` states its default behind a dash.
    let plain = || tag.split('-').find_map(Version::parse).filter(|_| !name.starts_with("timescale"));
    let version = of_postgres.or_else(plain)?;
    Some((*dialect, version))
}

/// `engine_version = "15.4"` says no engine; RDS's versions tell them apart.
fn terraform(line: &str) -> Option<(Dialect, Version)> {
    let value = line.strip_prefix("engine_version")?.split('"').nth(1)?;
    let version = Version::parse(value)?;
    Some((Dialect::of_version(version), version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, line: &str, expected: Option<(Dialect, u16, u16)>) {
        let found = of_line(file, line).map(|(dialect, version)| (dialect, version.major, version.minor));
        assert_eq!(found, expected);
    }

    #[test]
    fn images_state_versions() {
        check("compose.yaml", "    image: postgres:15-alpine", Some((Dialect::Postgres, 15, 0)));
        check("compose.yaml", "  image: \"pgvector/pgvector:pg16\"", Some((Dialect::Postgres, 16, 0)));
        check("compose.yaml", "image: timescale/timescaledb:2.11.0-pg14", Some((Dialect::Postgres, 14, 0)));
        check("compose.yaml", "image: postgis/postgis:16-3.4", Some((Dialect::Postgres, 16, 0)));
        check("compose.yaml", "image: supabase/postgres:15.1.0.117", Some((Dialect::Postgres, 15, 1)));
        check("compose.yaml", "image: ${REGISTRY}/mysql:8.0.36", Some((Dialect::Mysql, 8, 0)));
        check(
            "compose.yaml",
            "image: docker.io/postgres:${POSTGRES_VERSION:-17}",
            Some((Dialect::Postgres, 17, 0)),
        );
        check("compose.yaml", "image: a/postgres@sha256:f104f501 # 14.15", Some((Dialect::Postgres, 14, 15)));
        check("compose.yaml", "image: postgres:16.1@sha256:f104f501", Some((Dialect::Postgres, 16, 1)));
        check("compose.yaml", "image: postgres@sha256:f104f501", None);
        check("compose.yaml", "image: postgres:latest", None);
        check("compose.yaml", "# image: postgres:12", None);
        check("compose.yaml", "image: prom/postgres-exporter:v0.15", None);
    }

    #[test]
    fn tools_and_terraform_state_versions() {
        check(".tool-versions", "postgres 16.2", Some((Dialect::Postgres, 16, 2)));
        check("db.tf", "engine = \"postgres\"", None);
        check("db.tf", "engine_version = \"15.4\"", Some((Dialect::Postgres, 15, 4)));
    }
}
