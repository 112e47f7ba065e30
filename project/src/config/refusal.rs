//! What a configuration may not say, with the nearest that it may.

use std::collections::BTreeMap;

use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::{FRAMEWORKS, Framework};
use lockkeeper_core::hazards::{self, RULES};
use lockkeeper_core::signals::{self, QUESTIONS, Stated};

use super::lines::Way;
use super::paths::way_to;
use super::{Config, PathConfig, Scalar, Severity};
use crate::files;

/// A key that is refused, and why.
pub(super) struct Refused {
    pub way: Way,
    pub message: String,
}

impl Refused {
    pub fn of(mut above: Way, key: &str, message: String) -> Self {
        above.push(key.to_owned());
        Self { way: above, message }
    }
}

/// The first thing that cannot be meant.
pub(super) fn refused(config: &Config) -> Option<Refused> {
    let whole = Said {
        above: Way::new(),
        dialect: config.dialect.as_deref(),
        framework: None,
        version: config.target_version.as_ref(),
        for_dialect: config.dialect.as_deref(),
        answers: &config.answers,
        severity: &config.severity,
    };
    whole
        .refused()
        .or_else(|| (0..config.migrations.len()).find_map(|index| of_migrations(config, index)))
        .or_else(|| (0..config.paths.len()).find_map(|index| of_path(config, index)))
        .or_else(|| facts(config))
        .or_else(|| globs(config))
        .or_else(|| variables(config))
}

/// The file is committed: it names where a URL is, and never holds one.
fn variables(config: &Config) -> Option<Refused> {
    let is_name =
        |text: &str| text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_') && !text.is_empty();
    let (name, _) =
        config.databases.iter().find(|(_, it)| it.url_env.as_deref().is_some_and(|it| !is_name(it)))?;
    let message = "this is no name of an environment variable: write the name of the one that holds the URL, not the URL".to_owned();
    Some(Refused::of(vec!["databases".to_owned(), name.clone()], "url-env", message))
}

/// What is said for all of a project, or for a part of it.
struct Said<'a> {
    above: Way,
    dialect: Option<&'a str>,
    framework: Option<&'a str>,
    version: Option<&'a Scalar>,
    /// The engine that the version is one of.
    for_dialect: Option<&'a str>,
    answers: &'a BTreeMap<String, Scalar>,
    severity: &'a BTreeMap<String, Severity>,
}

impl Said<'_> {
    fn refused(&self) -> Option<Refused> {
        engine(&self.above, self.dialect)
            .or_else(|| framework(&self.above, self.framework))
            .or_else(|| self.answer())
            .or_else(|| {
                let message = version(self.version?, self.for_dialect)?;
                Some(Refused::of(self.above.clone(), "target-version", message))
            })
            .or_else(|| {
                let (id, message) = self.severity.keys().find_map(|id| Some((id, rule_refusal(id)?)))?;
                Some(Refused::of([&self.above[..], &["severity".to_owned()]].concat(), id, message))
            })
    }

    fn answer(&self) -> Option<Refused> {
        let questions: Vec<&str> = QUESTIONS.iter().map(|question| question.id).collect();
        let refusal = |id: &str, value: &Scalar| match questions.contains(&id) {
            true => signals::refusal(id, &value.to_string()),
            false => Some(unknown("question", id, &questions)),
        };
        let (id, message) = self.answers.iter().find_map(|(id, value)| Some((id, refusal(id, value)?)))?;
        Some(Refused::of([&self.above[..], &["answers".to_owned()]].concat(), id, message))
    }
}

fn facts(config: &Config) -> Option<Refused> {
    let refusal = |it: &Stated| Some((it.id.clone(), signals::fact_refusal(&it.id, &it.value)?));
    let (id, message) = config.facts().iter().find_map(refusal)?;
    let mut way: Way = std::iter::once("facts").chain(id.splitn(2, '.')).map(ToOwned::to_owned).collect();
    let key = way.pop()?;
    Some(Refused::of(way, &key, message))
}

fn of_migrations(config: &Config, index: usize) -> Option<Refused> {
    let folder = &config.migrations[index];
    let above = vec!["migrations".to_owned(), index.to_string()];
    engine(&above, folder.dialect.as_deref()).or_else(|| framework(&above, folder.framework.as_deref()))
}

fn of_path(config: &Config, index: usize) -> Option<Refused> {
    let entry = &config.paths[index];
    if let Some(message) = path(entry, &config.paths[..index]) {
        return Some(Refused::of(way_to(index), "path", message));
    }
    let laid_over = config.at(entry.folder());
    let said = Said {
        above: way_to(index),
        dialect: entry.dialect.as_deref(),
        framework: entry.framework.as_deref(),
        version: entry.target_version.as_ref(),
        for_dialect: laid_over.dialect.as_deref(),
        answers: &entry.answers,
        severity: &entry.severity,
    };
    said.refused()
}

fn path(entry: &PathConfig, before: &[PathConfig]) -> Option<String> {
    let folder = entry.folder();
    if matches!(folder, "" | ".") {
        return Some("`path` is the whole project: state this outside of `[[paths]]`".to_owned());
    }
    if entry.path.starts_with('/') || folder.split('/').any(|part| part == "..") {
        return Some(format!("`{}` is not relative to the root of the project", entry.path));
    }
    let again = before.iter().any(|it| it.folder() == folder);
    again.then(|| format!("`{}` has an entry already", entry.path))
}

fn engine(above: &Way, id: Option<&str>) -> Option<Refused> {
    let id = id.filter(|id| Dialect::from_id(id).is_none())?;
    let dialects: Vec<&str> = Dialect::ALL.iter().map(|dialect| dialect.id()).collect();
    Some(Refused::of(above.clone(), "dialect", unknown("dialect", id, &dialects)))
}

fn framework(above: &Way, id: Option<&str>) -> Option<Refused> {
    let id = id.filter(|id| Framework::by_id(id).is_none())?;
    let frameworks: Vec<&str> = FRAMEWORKS.iter().map(|framework| framework.id).collect();
    Some(Refused::of(above.clone(), "framework", unknown("framework", id, &frameworks)))
}

fn version(stated: &Scalar, dialect: Option<&str>) -> Option<String> {
    let stated = stated.to_string();
    let Some(version) = Version::parse(&stated) else {
        return Some(format!("`{stated}` is no version: say target-version = 15"));
    };
    Target::refusal(dialect.and_then(Dialect::from_id).unwrap_or(Dialect::Postgres), version)
}

fn globs(config: &Config) -> Option<Refused> {
    let (glob, error) = config.ignore.iter().find_map(|glob| Some((glob, files::glob_error(glob)?)))?;
    Some(Refused::of(Way::new(), "ignore", format!("`{glob}` is not a glob: {error}")))
}

/// Why there is no rule of this name, with the nearest one; `None` where there is.
pub fn rule_refusal(name: &str) -> Option<String> {
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    hazards::by_id(name).is_none().then(|| unknown("rule", name, &rules))
}

/// The severity that a rule has where nobody states one.
pub(crate) fn usual(rule: &str) -> Option<Severity> {
    Some(match hazards::by_id(rule)?.severity {
        hazards::Severity::Note => Severity::Note,
        hazards::Severity::Warning => Severity::Warning,
        hazards::Severity::Danger => Severity::Danger,
    })
}

pub(super) fn unknown(what: &str, given: &str, valid: &[&str]) -> String {
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
