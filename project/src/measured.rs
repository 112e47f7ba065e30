//! What a database told of itself, kept in a file that is committed: so everybody's editor, agent and plan know how large production is,
//! and none of them needs a way to it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use lockkeeper_core::dialect::{Dialect, Version};
use lockkeeper_core::engine::{self, Watch};
use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::signals::{Evidence, Measured, Stated, fact_refusal};
use lockkeeper_root::Root;
use serde::{Deserialize, Serialize};

use crate::config::lines::Lines;
use crate::config::{self, ConfigError, Fact, Scalar};
use crate::database::{Database, DatabaseError};
use crate::write::{FileChange, write_all};

/// Where it is kept, below the root.
pub const FILE_NAME: &str = ".lockkeeper/facts.toml";

/// Larger files are not ours.
const MOST: u64 = 10_000_000;

const HEAD: &str = "\
# What a database told of itself: `lockkeeper signals --database-url VARIABLE --write` wrote this, and replaces it.
# It is made to be committed. What is not right here is stated under [facts] in lockkeeper.toml, which wins.

";

/// The facts of one database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The database's name.
    database: String,
    /// The day.
    measured: String,
    facts: BTreeMap<String, Fact>,
    /// The file's text.
    #[serde(skip)]
    text: String,
}

impl Facts {
    /// Asks a database.
    ///
    /// # Errors
    /// [`DatabaseError`], in words.
    pub fn of(database: &Database, now: Timestamp) -> Result<Self, DatabaseError> {
        let engine = engine::of(Dialect::Postgres);
        let ask = |watch: &Watch<'_>, version: Version| match engine.watch(watch, version) {
            Some(query) => database.rows(&query),
            None => Ok(Vec::new()),
        };
        let server = ask(&Watch::Server, Version { major: 0, minor: 0 })?.pop().unwrap_or_default();
        let [major, name, counters] = &server[..] else {
            return Err(DatabaseError::Refused("it does not say which version it is".to_owned()));
        };
        let version = Version { major: major.parse().unwrap_or_default(), minor: 0 };
        let mut rows = ask(&Watch::Facts, version)?;
        if !counters.is_empty() {
            // The extension can be there and not be loaded: then it counts nothing, and says so with an error.
            rows.extend(ask(&Watch::Statements { schema: counters }, version).unwrap_or_default());
        }
        let measured = format!("{:04}-{:02}-{:02}", now.year, now.month, now.day);
        let mut facts = Self { database: name.clone(), measured, ..Self::default() };
        rows.iter().for_each(|row| facts.add(row));
        facts.text = facts.spelled();
        Ok(facts)
    }

    /// Takes one in; of two that say the same of a span of time the longer one counts.
    fn add(&mut self, row: &[String]) {
        let [id, table, value] = row else { return };
        let value = value.parse().map_or_else(|_| Scalar::Text(value.clone()), Scalar::Number);
        match table.is_empty() {
            true => {
                let longer = |seen: &Fact| seconds(seen) >= seconds(&Fact::Whole(value.clone()));
                if !self.facts.get(id).is_some_and(longer) {
                    self.facts.insert(id.clone(), Fact::Whole(value));
                }
            }
            false => {
                let of_tables = self.facts.entry(id.clone());
                if let Fact::OfTables(tables) = of_tables.or_insert_with(|| Fact::OfTables(BTreeMap::new())) {
                    tables.insert(table.clone(), value);
                }
            }
        }
    }

    fn spelled(&self) -> String {
        format!("{HEAD}{}", toml::to_string(self).expect("texts and numbers by names are TOML"))
    }

    /// The facts with the lines on which they stand in the file.
    pub fn facts(&self) -> Vec<Measured> {
        let lines = Lines::of(&self.text);
        let line = |way: &[&str]| {
            let way: Vec<String> = ["facts"].iter().chain(way).map(|it| (*it).to_owned()).collect();
            lines.of_key(&way).unwrap_or(1).to_string()
        };
        let excerpt = format!("database {}, {}", self.database, self.measured);
        let measured = |it: Stated| Measured {
            id: it.id,
            value: it.value,
            evidence: Evidence {
                path: FILE_NAME.to_owned(),
                line: it.source.parse().unwrap_or(1),
                excerpt: excerpt.clone(),
            },
        };
        config::stated(&self.facts, line).into_iter().map(measured).collect()
    }

    /// Keeps it, in place of what was kept before.
    ///
    /// # Errors
    /// In words; then what was there is as it was.
    pub fn write(&self, root: &Path) -> Result<(), String> {
        write_all(
            root,
            &[FileChange { path: FILE_NAME, content: Some(&self.text), replaces: true, was: None }],
        )
    }
}

/// How long a fact says that something takes.
fn seconds(fact: &Fact) -> Option<u64> {
    match fact {
        Fact::Whole(Scalar::Text(text)) => text.strip_suffix(" s")?.parse().ok(),
        _ => None,
    }
}

/// What is kept of the project at this root; without a file, nothing.
///
/// # Errors
/// [`ConfigError`] when there is a file that cannot be used.
pub fn load(root: &Path) -> Result<Facts, ConfigError> {
    let path = root.join(FILE_NAME);
    let read = Root::open(root).and_then(|root| root.read(FILE_NAME, MOST));
    let text = match read.and_then(|bytes| bytes.map(String::from_utf8).transpose().map_err(io::Error::other))
    {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(Facts::default()),
        Err(source) => return Err(ConfigError::Unreadable { path, source }),
    };
    let mut facts: Facts = toml::from_str(&text).map_err(|error| config::wrong(&path, &text, &error))?;
    facts.text = text;
    let refused = facts
        .facts()
        .into_iter()
        .filter(|it| it.id != "engine")
        .find_map(|it| Some((it.evidence.line, fact_refusal(&it.id, &it.value)?)));
    match refused {
        Some((line, message)) => {
            let message = format!("{message}; remove the file and measure again");
            Err(ConfigError::Wrong { path, line, message })
        }
        None => Ok(facts),
    }
}
