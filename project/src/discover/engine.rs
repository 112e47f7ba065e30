//! Which engine a folder of migrations is for: by what says so, and only then by what the SQL looks like.

use std::path::Path;

use aho_corasick::AhoCorasick;
use lockkeeper_core::dialect::Dialect;

use super::read;
use super::recognise::there;
use crate::config::Config;
use crate::files::{File, parent};

/// An engine and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Engine {
    pub dialect: Option<Dialect>,
    pub foreign: Option<&'static str>,
    pub source: String,
}

/// Engines that are recognised and left alone.
const FOREIGN: &[(&str, &str)] = &[
    ("clickhouse", "ClickHouse"),
    ("hsqldb", "HSQLDB"),
    ("h2", "H2"),
    ("derby", "Derby"),
    ("oracle", "Oracle"),
    ("sqlserver", "SQL Server"),
    ("mssql", "SQL Server"),
    ("db2", "Db2"),
    ("cassandra", "Cassandra"),
    ("cockroach", "CockroachDB"),
    ("cockroachdb", "CockroachDB"),
    ("snowflake", "Snowflake"),
    ("duckdb", "DuckDB"),
    ("spanner", "Spanner"),
];

/// The engine of the folder at `path`.
pub(super) fn engine(root: &Path, config: &Config, files: &[File], path: &str, texts: &[&str]) -> Engine {
    if let Some(dialect) = config.dialect_of(path) {
        return known(dialect, "lockkeeper.toml");
    }
    by_path(path)
        .or_else(|| by_provider(root, files, path))
        .or_else(|| Some(known(Dialect::from_id(config.at(path).dialect.as_deref()?)?, "lockkeeper.toml")))
        .or_else(|| by_environment(root, files, path))
        .or_else(|| by_content(texts))
        .unwrap_or_else(|| Engine {
            dialect: None,
            foreign: None,
            source: "nothing shows the engine".to_owned(),
        })
}

/// Whether a part of the path is the name of an engine.
pub(super) fn names_an_engine(path: &str) -> bool {
    by_path(path).is_some()
}

/// The engine that a text of SQL looks like.
pub(super) fn by_look(text: &str) -> Option<Dialect> {
    by_content(&[text]).and_then(|engine| engine.dialect)
}

fn known(dialect: Dialect, source: impl Into<String>) -> Engine {
    Engine { dialect: Some(dialect), foreign: None, source: source.into() }
}

fn by_path(path: &str) -> Option<Engine> {
    path.rsplit('/').find_map(|part| {
        let lower = part.to_ascii_lowercase();
        if let Some(dialect) = Dialect::from_id(&lower) {
            return Some(known(dialect, format!("the folder's name {part}")));
        }
        let (_, title) = FOREIGN.iter().find(|(id, _)| *id == lower)?;
        Some(Engine { dialect: None, foreign: Some(title), source: format!("the folder's name {part}") })
    })
}

/// Prisma and Drizzle write the engine down beside the migrations.
fn by_provider(root: &Path, files: &[File], path: &str) -> Option<Engine> {
    let above = parent(path);
    let folders = [path, above, parent(above)].into_iter();
    let names = ["migration_lock.toml", "schema.prisma", "meta/_journal.json"];
    let mut candidates: Vec<&File> =
        folders.flat_map(|it| names.map(|name| there(files, it, name))).flatten().collect();
    candidates.sort();
    candidates.into_iter().find_map(|file| {
        let text = read::text(root, &file.path).ok()?;
        let line = text.lines().find(|line| {
            let line = line.trim_start().trim_start_matches('"');
            (line.starts_with("provider") || line.starts_with("dialect")) && !line.contains("prisma-client")
        })?;
        let word = line.split('"').map(str::to_ascii_lowercase).find_map(|it| Dialect::from_id(&it));
        Some(known(word?, file.path.clone()))
    })
}

/// The scheme of a connection URL in an example of the environment, or of the drivers in a manifest: the nearest upwards.
fn by_environment(root: &Path, files: &[File], path: &str) -> Option<Engine> {
    let names = [
        ".env.dist",
        ".env.example",
        ".env.sample",
        ".env.template",
        "Cargo.toml",
        "dbmate.env",
        "diesel.toml",
    ];
    let upwards = std::iter::successors(Some(path), |it| (!it.is_empty()).then(|| parent(it)));
    let mut candidates = upwards.flat_map(|it| names.map(|name| there(files, it, name))).flatten();
    candidates.find_map(|file| {
        let text = read::text(root, &file.path).ok()?;
        let dialect = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .find_map(|line| dialect_of_line(file.name(), line))?;
        Some(known(dialect, file.path.clone()))
    })
}

fn dialect_of_line(file: &str, line: &str) -> Option<Dialect> {
    if file == "Cargo.toml" {
        let line = line.trim_start();
        let driver =
            line.starts_with("sqlx") || line.starts_with("diesel") || line.starts_with("tokio-postgres");
        return driver.then(|| line.split(['"', '-', '_']).find_map(Dialect::from_id)).flatten();
    }
    if line.starts_with("GOOSE_DRIVER") {
        return Dialect::from_id(line.split('=').nth(1)?.trim().trim_matches('"'));
    }
    let (before, _) = line.split_once("://").or_else(|| line.split_once(':'))?;
    let scheme = before.rsplit(|it: char| !it.is_ascii_alphanumeric()).next()?;
    Dialect::from_id(scheme)
}

/// Words that one engine has and the others do not, with their weight.
const HINTS: &[(&str, Dialect, usize)] = &[
    ("serial", Dialect::Postgres, 2),
    ("timestamptz", Dialect::Postgres, 3),
    ("with time zone", Dialect::Postgres, 2),
    ("without time zone", Dialect::Postgres, 2),
    ("jsonb", Dialect::Postgres, 2),
    ("plpgsql", Dialect::Postgres, 3),
    ("concurrently", Dialect::Postgres, 3),
    ("bytea", Dialect::Postgres, 2),
    ("create extension", Dialect::Postgres, 3),
    ("do $$", Dialect::Postgres, 3),
    ("gen_random_uuid", Dialect::Postgres, 2),
    ("bigint generated", Dialect::Postgres, 2),
    ("alter column", Dialect::Postgres, 1),
    ("owner to", Dialect::Postgres, 1),
    ("auto_increment", Dialect::Mysql, 3),
    ("engine=innodb", Dialect::Mysql, 4),
    ("engine = innodb", Dialect::Mysql, 4),
    ("unsigned", Dialect::Mysql, 2),
    ("tinyint(", Dialect::Mysql, 1),
    ("mediumtext", Dialect::Mysql, 2),
    ("longblob", Dialect::Mysql, 2),
    ("charset", Dialect::Mysql, 2),
    ("on update current_timestamp", Dialect::Mysql, 3),
    ("modify column", Dialect::Mysql, 2),
    ("autoincrement", Dialect::Sqlite, 3),
    ("pragma ", Dialect::Sqlite, 4),
    ("without rowid", Dialect::Sqlite, 4),
    ("datetime('now')", Dialect::Sqlite, 3),
];

/// After so many bytes the engine has shown itself, or never will.
const ENOUGH: usize = 200_000;

fn by_content(texts: &[&str]) -> Option<Engine> {
    let foreign = texts.iter().any(|text| text.contains("MergeTree"));
    if foreign {
        return Some(Engine {
            dialect: None,
            foreign: Some("ClickHouse"),
            source: "the SQL: MergeTree".to_owned(),
        });
    }
    let words = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(HINTS.iter().map(|(word, ..)| word))
        .ok()?;
    let mut scores = [0; 3];
    let mut strongest = [(0, ""); 3];
    let mut read = 0;
    let enough = texts.iter().take_while(|text| {
        let before = read;
        read += text.len();
        before < ENOUGH
    });
    for found in enough.flat_map(|text| words.find_iter(*text)) {
        let (word, dialect, weight) = HINTS[found.pattern().as_usize()];
        scores[dialect as usize] += weight;
        strongest[dialect as usize] = strongest[dialect as usize].max((weight, word));
    }
    let best = Dialect::ALL.iter().copied().max_by_key(|dialect| scores[*dialect as usize])?;
    let clear = Dialect::ALL.iter().all(|it| *it == best || scores[*it as usize] * 2 < scores[best as usize]);
    let word = strongest[best as usize].1.trim();
    clear.then(|| known(best, format!("the SQL: {}", word.to_uppercase())))
}

/// A file's engine by its name's folder, or by its look.
pub(super) fn of_file(path: &str, text: &str) -> Option<Dialect> {
    by_path(path).map_or_else(|| by_look(text), |engine| engine.dialect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_look_of_sql_decides_only_when_it_is_clear() {
        assert_eq!(by_look("CREATE TABLE a (id BIGSERIAL, b JSONB)"), Some(Dialect::Postgres));
        assert_eq!(by_look("CREATE TABLE a (id int AUTO_INCREMENT) ENGINE=InnoDB"), Some(Dialect::Mysql));
        assert_eq!(by_look("PRAGMA foreign_keys=off; CREATE TABLE a (id integer)"), Some(Dialect::Sqlite));
        assert_eq!(by_look("CREATE TABLE a (id integer)"), None);
    }

    #[test]
    fn only_the_scheme_of_a_url_is_read() {
        assert_eq!(
            dialect_of_line(".env.example", "DATABASE_URL=\"postgresql://u:p@h/d\""),
            Some(Dialect::Postgres)
        );
        assert_eq!(
            dialect_of_line(".env.example", "DATABASE_URL=sqlite:db/x.sqlite3"),
            Some(Dialect::Sqlite)
        );
        assert_eq!(dialect_of_line(".env.example", "REDIS_URL=redis://h"), None);
        assert_eq!(dialect_of_line("Cargo.toml", "sqlx = { features = [\"mysql\"] }"), Some(Dialect::Mysql));
    }
}
