//! `lockkeeper.toml`: what the project's people have decided or know better than we can find out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::{FRAMEWORKS, Framework};
use lockkeeper_core::hazards::{self, RULES};
use lockkeeper_core::mechanics::Answers;
use lockkeeper_core::signals::{self, Answer, QUESTIONS};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::files;
use crate::tier::Tier;

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
    /// The file's text, for the lines of its keys.
    #[serde(skip)]
    text: String,
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
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MigrationsConfig {
    /// The folder, relative to the root.
    pub path: String,
    /// The framework's id.
    #[schemars(schema_with = "framework_schema")]
    pub framework: Option<String>,
    /// The engine.
    #[schemars(schema_with = "dialect_schema")]
    pub dialect: Option<String>,
}

/// A value that people write with or without quotes.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
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
    let properties = QUESTIONS.iter().map(|it| (it.id.to_owned(), described::<Scalar>(generator, it.text)));
    let properties: serde_json::Map<_, _> = properties.collect();
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
        Ok(text) => parse(&path, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
        Err(source) => Err(ConfigError::Unreadable { path, source }),
    }
}

/// Reads the text of a configuration; `path` is only for messages.
///
/// # Errors
/// [`ConfigError::Wrong`] with the line and the nearest key or value that exists.
pub fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let mut config: Config = toml::from_str(text).map_err(|error| wrong(path, text, &error))?;
    text.clone_into(&mut config.text);
    let fail = |key: &str, message| {
        Err(ConfigError::Wrong { path: path.to_owned(), line: line_of(text, key).unwrap_or(1), message })
    };
    let dialects: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.id()).collect();
    let folders = &config.migrations;
    let named = config.dialect.iter().chain(folders.iter().filter_map(|folder| folder.dialect.as_ref()));
    if let Some(dialect) = named.into_iter().find(|dialect| Dialect::from_id(dialect).is_none()) {
        return fail("dialect", unknown("dialect", dialect, &dialects));
    }
    let frameworks: Vec<&str> = FRAMEWORKS.iter().map(|framework| framework.id).collect();
    let mut named = folders.iter().filter_map(|folder| folder.framework.as_ref());
    if let Some(id) = named.find(|id| Framework::by_id(id).is_none()) {
        return fail("framework", unknown("framework", id, &frameworks));
    }
    let questions: Vec<&str> = QUESTIONS.iter().map(|question| question.id).collect();
    if let Some(id) = config.answers.keys().find(|id| !questions.contains(&id.as_str())) {
        return fail(id, unknown("question", id, &questions));
    }
    let refused =
        |(id, value): (&String, &Scalar)| Some((id.clone(), signals::refusal(id, &value.to_string())?));
    if let Some((id, message)) = config.answers.iter().find_map(refused) {
        return fail(&id, message);
    }
    if let Some(message) = version_refusal(&config) {
        return fail("target-version", message);
    }
    if let Some((id, message)) = config.severity.keys().find_map(|id| Some((id, rule_refusal(id)?))) {
        return fail(id, message);
    }
    if let Some((glob, error)) = config.ignore.iter().find_map(|glob| Some((glob, files::glob_error(glob)?)))
    {
        return fail("ignore", format!("`{glob}` is not a glob: {error}"));
    }
    Ok(config)
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

/// Why there is no rule of this name, with the nearest one; `None` where there is.
pub fn rule_refusal(name: &str) -> Option<String> {
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    hazards::by_id(name).is_none().then(|| unknown("rule", name, &rules))
}

fn version_refusal(config: &Config) -> Option<String> {
    let stated = config.target_version.as_ref()?.to_string();
    let Some(version) = Version::parse(&stated) else {
        return Some(format!("`{stated}` is no version: say target-version = 15"));
    };
    let dialect = config.dialect.as_deref().and_then(Dialect::from_id).unwrap_or(Dialect::Postgres);
    Target::refusal(dialect, version)
}

impl Config {
    /// The answers with the lines they stand on.
    pub fn answers(&self) -> Vec<(String, Answer)> {
        let answer = |(id, value): (&String, &Scalar)| {
            let line = line_of(&self.text, id).map_or(String::new(), |line| format!(":{line}"));
            (id.clone(), Answer { value: value.to_string(), source: format!("{FILE_NAME}{line}") })
        };
        self.answers.iter().map(answer).collect()
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

    /// The line of a key, from 1.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        line_of(&self.text, key)
    }
}

fn line_of(text: &str, key: &str) -> Option<usize> {
    let is_key = |line: &str| {
        let rest = line.trim_start().trim_start_matches('"').strip_prefix(key);
        rest.is_some_and(|rest| rest.trim_start_matches('"').trim_start().starts_with('='))
    };
    text.lines().position(is_key).map(|index| index + 1)
}

fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.as_bytes()[..start.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
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

fn unknown(what: &str, given: &str, valid: &[&str]) -> String {
    let nearest = valid.iter().min_by_key(|candidate| distance(given, candidate));
    match nearest.filter(|nearest| distance(given, nearest) <= 1 + given.len() / 3) {
        Some(nearest) => format!("there is no {what} `{given}`; did you mean `{nearest}`?"),
        None if what == "rule" => format!("there is no rule `{given}`; `lockkeeper explain` lists them"),
        None => format!("there is no {what} `{given}`; there are {}", valid.join(", ")),
    }
}

/// Levenshtein's distance, in bytes.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = parse(Path::new("lockkeeper.toml"), text).expect_err("is refused");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_full_file_is_read() {
        let text = "dialect = \"postgres\"\ntarget-version = 15\ntime-zone = \"UTC\"\nignore = [\"vendor/**\"]\n\
                    [[migrations]]\npath = \"db\"\nframework = \"goose\"\n[answers]\ntable-rows = 1200\n\
                    every-writer-is-here = true\n[limits]\nlock-seconds = 2\n[severity]\ndropped-column = \"off\"\n";
        let config = parse(Path::new("lockkeeper.toml"), text).expect("is valid");
        assert_eq!(config.target_version, Some(Scalar::Number(15)));
        assert_eq!(config.limits, Limits { lock_seconds: 2, ..Limits::default() });
        let answers: Vec<_> =
            config.answers().into_iter().map(|(id, it)| format!("{id} {} {}", it.value, it.source)).collect();
        assert_eq!(
            answers,
            ["every-writer-is-here yes lockkeeper.toml:10", "table-rows 1200 lockkeeper.toml:9"]
        );
    }

    #[test]
    fn wrong_words_name_the_line_and_the_nearest_right_one() {
        refused(
            "\ndialct = \"postgres\"",
            "lockkeeper.toml:2: there is no key `dialct`; did you mean `dialect`?",
        );
        refused(
            "dialect = \"postgrs\"",
            "lockkeeper.toml:1: there is no dialect `postgrs`; did you mean `postgres`?",
        );
        refused(
            "[answers]\ndowntime = \"none\"",
            "lockkeeper.toml:2: there is no question `downtime`; there are downtime-allowed, releases-between-steps, \
             every-writer-is-here, table-rows, rollback-window, verified-backup, narrowing",
        );
        refused(
            "[answers]\ndowntime-allowed = \"nune\"",
            "lockkeeper.toml:2: downtime-allowed cannot be `nune`: say one of none, seconds, window",
        );
        refused(
            "[answers]\ntable-rows = \"four million\"",
            "lockkeeper.toml:2: table-rows cannot be `four million`: say a number, such as 4000000",
        );
        refused(
            "target-version = \"latest\"",
            "lockkeeper.toml:1: `latest` is no version: say target-version = 15",
        );
        refused("target-version = 9.6", "lockkeeper.toml:1: PostgreSQL 9.6 is not known: only 11 to 19 are");
        refused(
            "[severity]\nno-lock-timeot = \"note\"",
            "lockkeeper.toml:2: there is no rule `no-lock-timeot`; did you mean `no-lock-timeout`?",
        );
        refused(
            "[severity]\nx = \"warn\"",
            "lockkeeper.toml:2: there is no value `warn`; there are off, note, warning, danger",
        );
    }

    #[test]
    fn broken_toml_names_its_line() {
        let error = parse(Path::new("lockkeeper.toml"), "a = 1\nb = ").expect_err("is refused").to_string();
        assert!(error.starts_with("lockkeeper.toml:2: "), "{error}");
    }
}
