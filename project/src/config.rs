//! `lockkeeper.toml`: what the project's people have decided or know better than we can find out.

mod answered;
pub(crate) mod lines;
mod paths;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::framework::FRAMEWORKS;
use lockkeeper_core::hazards::{self, RULES};
use lockkeeper_core::mechanics::Answers;
use lockkeeper_core::signals::{Answer, QUESTIONS, QuestionFacts, STATED, Stated, StatedFact};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::folder::Folder;
use crate::tier::Tier;
pub use answered::answered;
use lines::Lines;
pub use paths::{LimitsOfPath, PathConfig};
pub use refusal::rule_refusal;
pub(crate) use refusal::usual;
use refusal::{Refused, unknown};

/// The file's name at a project's root.
pub const FILE_NAME: &str = "lockkeeper.toml";

/// What the file says. Every key is optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The engine of folders that do not show another.
    #[schemars(schema_with = "dialect_schema")]
    pub dialect: Option<String>,
    /// The server's version: `15`, `8.0`.
    pub target_version: Option<Scalar>,
    /// The time zone of the application's sessions.
    pub time_zone: Option<String>,
    /// Folders that are not recognised by themselves, or wrongly.
    pub migrations: Vec<MigrationsConfig>,
    /// Answers to questions, by the question's id; `lockkeeper signals` lists the questions.
    #[schemars(schema_with = "answers_schema")]
    pub answers: BTreeMap<String, Scalar>,
    /// Facts that people state, by the fact's id; `lockkeeper signals` lists them. They win over what is observed.
    #[schemars(schema_with = "facts_schema")]
    pub facts: BTreeMap<String, Fact>,
    /// Thresholds.
    pub limits: Limits,
    /// Globs of files that nothing looks at.
    pub ignore: Vec<String>,
    /// Severities of rules, by the rule's id; `lockkeeper explain` lists the rules.
    #[schemars(schema_with = "severity_schema")]
    pub severity: BTreeMap<String, Severity>,
    /// Tiers of gates, above those that they have anyway.
    pub gates: Gates,
    /// What is said of single databases, by their names.
    pub databases: BTreeMap<String, Database>,
    /// Who signs approvals.
    pub approval: Approval,
    /// What is different for a part of the repository: a service, a package, a folder.
    pub paths: Vec<PathConfig>,
    /// The file's text.
    #[serde(skip)]
    text: Arc<str>,
    #[serde(skip)]
    lines: Arc<Lines>,
    /// The entries of `paths` that have been laid over, the outermost first.
    #[serde(skip)]
    laid_over: Vec<usize>,
    /// The committed configuration, whose severities count where they are stricter.
    #[serde(skip)]
    floor: Option<Arc<Config>>,
}

/// The tier of each gate that is raised.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gates {
    pub signals: Option<Tier>,
    pub scope: Option<Tier>,
    pub strategy: Option<Tier>,
    pub window: Option<Tier>,
    pub backfill: Option<Tier>,
    pub apply: Option<Tier>,
    pub destructive: Option<Tier>,
    pub production: Option<Tier>,
}

/// One database.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// Whether it is production: then every run needs the gate of that name.
    pub production: bool,
    /// Whether it may be changed and lost at any time, as one for tests: then the hook of agents lets commands on it through. It counts
    /// on this machine, and on the hosts that are listed.
    pub disposable: bool,
    /// The other hosts on which a database of this name is disposable: `db`, in a network of containers.
    pub hosts: Vec<String>,
    /// The environment of the application that means this database: `test`, as in `RAILS_ENV=test`.
    pub environment: Option<String>,
    /// The environment variable that holds its URL, for the tools of agents that look at it: they only read. A role that can do no more is
    /// best. It counts once it is committed.
    #[serde(rename = "url-env", alias = "url_env")]
    pub url_env: Option<String>,
    /// Tiers that hold for it alone.
    pub gates: Gates,
}

/// Who signs approvals.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Approval {
    /// The file of allowed signers: absolute, or relative to the root and then as it is committed.
    pub allowed_signers: Option<String>,
}

/// One folder of migrations.
///
/// Folders are recognised by their names and by what lies in and around them; an entry is only needed where that fails.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MigrationsConfig {
    /// The folder, relative to the root.
    pub path: String,
    /// The framework's id.
    #[serde(default)]
    #[schemars(schema_with = "framework_schema")]
    pub framework: Option<String>,
    /// The engine.
    #[serde(default)]
    #[schemars(schema_with = "dialect_schema")]
    pub dialect: Option<String>,
}

/// A value that people write with or without quotes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// In quotes.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A number with a point: `8.0`.
    Decimal(f64),
    /// `true` or `false`.
    Truth(bool),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Decimal(number) => write!(f, "{number:?}"),
            Self::Truth(true) => f.write_str("yes"),
            Self::Truth(false) => f.write_str("no"),
        }
    }
}

/// A stated fact, or one of each of some tables: `[facts.rows]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Fact {
    /// Of the whole.
    Whole(Scalar),
    /// By table.
    OfTables(BTreeMap<String, Scalar>),
}

/// Thresholds of plans. The defaults are the ones that the domain has settled.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// Rows of one batch of a backfill.
    pub batch_rows: u64,
    /// Replica lag up to which a backfill goes on.
    pub replica_lag_seconds: u64,
    /// Replica lag at which it pauses.
    pub replica_lag_pause_seconds: u64,
    /// Share of failing dual writes at which they are turned off.
    pub error_percent: f64,
    /// Hours between two moves of reads.
    pub soak_hours: u64,
    /// Estimated lock time from which more than one person must look.
    pub lock_seconds: u64,
    /// Rows of a backfill from which more than one person must look.
    pub backfill_rows: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_rows: 10_000,
            replica_lag_seconds: 5,
            replica_lag_pause_seconds: 30,
            error_percent: 0.1,
            soak_hours: 24,
            lock_seconds: 30,
            backfill_rows: 10_000_000,
        }
    }
}

/// How a rule's hazards are treated, the least strict first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not reported.
    Off,
    /// Reported.
    Note,
    /// Reported as a warning.
    Warning,
    /// Fails the check.
    Danger,
}

fn dialect_schema(_: &mut SchemaGenerator) -> Schema {
    let ids: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.id()).collect();
    json_schema!({"type": "string", "enum": ids})
}

fn framework_schema(_: &mut SchemaGenerator) -> Schema {
    let ids: Vec<&str> = FRAMEWORKS.iter().map(|framework| framework.id).collect();
    json_schema!({"type": "string", "enum": ids})
}

/// Names that the file may use stand in the schema, so that editors complete them.
fn answers_schema(generator: &mut SchemaGenerator) -> Schema {
    let properties =
        QUESTIONS.iter().map(|it| (it.id.to_owned(), described::<Scalar>(generator, &asked(it))));
    let properties: serde_json::Map<_, _> = properties.collect();
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// The question with the answers that it takes.
fn asked(question: &QuestionFacts) -> String {
    let choices: Vec<String> =
        question.choices.iter().map(|it| format!("`{}`: {}", it.value, it.meaning)).collect();
    [question.text.to_owned(), choices.join("; ")].join(" ").trim_end().to_owned()
}

fn facts_schema(generator: &mut SchemaGenerator) -> Schema {
    let property = |it: &StatedFact| {
        let value = described::<Scalar>(generator, it.meaning);
        let of_tables =
            serde_json::json!({"type": "object", "description": it.meaning, "additionalProperties": value});
        (it.id.to_owned(), if it.of_table { of_tables } else { value })
    };
    let properties: serde_json::Map<_, _> = STATED.iter().map(property).collect();
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn severity_schema(generator: &mut SchemaGenerator) -> Schema {
    let summary = |rule: &hazards::Rule| hazards::page::summary(rule.page);
    let properties = RULES.iter().map(|it| (it.id.to_owned(), described::<Severity>(generator, summary(it))));
    let properties: serde_json::Map<_, _> = properties.collect();
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn described<T: JsonSchema>(generator: &mut SchemaGenerator, description: &str) -> serde_json::Value {
    let mut schema = generator.subschema_for::<T>();
    schema.insert("description".to_owned(), description.into());
    schema.to_value()
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}:{line}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
}

/// The configuration of the project at this root; without a file, the defaults.
///
/// # Errors
/// [`ConfigError`] when there is a file that cannot be used.
pub fn load(root: &Path) -> Result<Config, ConfigError> {
    let path = root.join(FILE_NAME);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let config = parse(&path, &text)?;
            match paths::missing(&config, root) {
                Some(refused) => Err(config.refuse(&path, refused)),
                None => Ok(config),
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// The configuration without what it says and cannot mean, and that, in order.
pub fn load_leniently(root: &Path) -> (Config, Vec<ConfigError>) {
    let path = root.join(FILE_NAME);
    let mut errors = Vec::new();
    let mut text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (Config::default(), errors),
        Err(source) => return (Config::default(), vec![ConfigError::Unreadable { path, source }]),
    };
    let mut last = None;
    // Each round takes a line away at least.
    for _ in 0..=text.lines().count() {
        let error = match parse(&path, &text) {
            Ok(config) => match paths::missing(&config, root) {
                Some(refused) => config.refuse(&path, refused),
                None => return (config, errors),
            },
            Err(error) => error,
        };
        let ConfigError::Wrong { line, .. } = &error else { break };
        let taken = *line;
        text = lines::without(&text, taken);
        // What is left of a value of several lines is no mistake of its own.
        if last.is_none_or(|last| taken != last + 1) {
            errors.push(error);
        }
        last = Some(taken);
    }
    (Config::default(), errors)
}

/// Refuses a configuration that says for some files of a folder of migrations what only holds for all of them.
pub(crate) fn refuse_divided(config: &Config, root: &Path, folders: &[Folder]) -> Result<(), ConfigError> {
    match paths::divides_a_folder(config, folders) {
        Some(refused) => Err(config.refuse(&root.join(FILE_NAME), refused)),
        None => Ok(()),
    }
}

/// Reads the text of a configuration; `path` is only for messages.
///
/// # Errors
/// [`ConfigError::Wrong`] with the line and the nearest key or value that exists.
pub fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let mut config: Config = toml::from_str(text).map_err(|error| wrong(path, text, &error))?;
    config.text = text.into();
    config.lines = Arc::new(Lines::of(text));
    match refusal::refused(&config) {
        Some(refused) => Err(config.refuse(path, refused)),
        None => Ok(config),
    }
}

pub(crate) fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let line = lines::line_at(text, error.span().map_or(0, |span| span.start));
    let mut words = error.message().split('`').skip(1).step_by(2);
    let message = match (error.message().split(' ').next(), words.next()) {
        (Some("unknown"), Some(given)) => {
            let what = if error.message().starts_with("unknown variant") { "value" } else { "key" };
            unknown(what, given, &words.collect::<Vec<_>>())
        }
        _ => error.message().to_owned(),
    };
    ConfigError::Wrong { path: path.to_owned(), line, message }
}

/// Facts by their names, those of a table as `rows.users`; `place` says where a key stands.
pub(crate) fn stated(facts: &BTreeMap<String, Fact>, place: impl Fn(&[&str]) -> String) -> Vec<Stated> {
    let stated = |id: String, way: &[&str], value: &Scalar| Stated {
        id,
        value: value.to_string(),
        source: place(way),
    };
    let of_fact = |(id, fact): (&String, &Fact)| -> Vec<Stated> {
        match fact {
            Fact::Whole(value) => vec![stated(id.clone(), &[id], value)],
            Fact::OfTables(tables) => {
                let of_table =
                    |(table, value): (&String, &Scalar)| stated(format!("{id}.{table}"), &[id, table], value);
                tables.iter().map(of_table).collect()
            }
        }
    };
    facts.iter().flat_map(of_fact).collect()
}

impl Gates {
    /// Each gate's name with its tier's, where one is stated.
    pub fn named(&self) -> Vec<(&'static str, Tier)> {
        let all = [
            ("signals", self.signals),
            ("scope", self.scope),
            ("strategy", self.strategy),
            ("window", self.window),
            ("backfill", self.backfill),
            ("apply", self.apply),
            ("destructive", self.destructive),
            ("production", self.production),
        ];
        all.into_iter().filter_map(|(gate, tier)| Some((gate, tier?))).collect()
    }
}

impl Config {
    /// The answers with the lines they stand on.
    pub fn answers(&self) -> Vec<(String, Answer)> {
        let answer = |(id, value): (&String, &Scalar)| {
            let source = self.place_of(&["answers", id]);
            (id.clone(), Answer { value: value.to_string(), source })
        };
        self.answers.iter().map(answer).collect()
    }

    /// The stated facts with the lines they stand on; those of a table are called `rows.users`.
    pub fn facts(&self) -> Vec<Stated> {
        stated(&self.facts, |way| self.place_of(&[&["facts"], way].concat()))
    }

    /// The answers as rewrites take them; `given` win.
    pub fn answers_with(&self, given: &[(String, Answer)]) -> Answers {
        let all = self.answers().into_iter().chain(given.iter().cloned());
        all.map(|(id, answer)| (id, answer.value)).collect()
    }

    /// The file as it was read, once: what was hashed is what was used. Empty where there is none.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the version of the server is stated: the file and the line.
    pub fn place_of_version(&self) -> String {
        self.place_of(&["target-version"])
    }

    pub(crate) fn place_of(&self, way: &[&str]) -> String {
        self.line_of(way).map_or_else(|| FILE_NAME.to_owned(), |line| format!("{FILE_NAME}:{line}"))
    }

    /// The line of a key, from 1: in the innermost entry that says it, else in the file's own tables.
    fn line_of(&self, way: &[&str]) -> Option<usize> {
        let way: Vec<String> = way.iter().map(ToString::to_string).collect();
        let in_entry = |index: &usize| self.lines.of_key(&[paths::way_to(*index), way.clone()].concat());
        self.laid_over.iter().rev().find_map(in_entry).or_else(|| self.lines.of_key(&way))
    }

    fn refuse(&self, path: &Path, refused: Refused) -> ConfigError {
        let line = self.lines.of_key(&refused.way).unwrap_or(1);
        ConfigError::Wrong { path: path.to_owned(), line, message: refused.message }
    }
}

impl MigrationsConfig {
    /// The path as files have it.
    pub fn folder(&self) -> &str {
        paths::plain(&self.path)
    }
}
