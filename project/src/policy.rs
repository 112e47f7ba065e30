//! The policy in force: the committed `lockkeeper.toml`, and what the working copy changes of it.
//!
//! An agent can edit the working copy, so that is not what decides how strong an approval must be. What it tightens counts;
//! what it loosens does not, is shown, and raises the tier until a person has committed it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lockkeeper_root::Root;
use toml::{Table, Value};

use crate::config::{self, Config, Database, FILE_NAME, Gates, Severity, usual};
use crate::discover::Project;
use crate::git::{Committed, committed};
use crate::tier::Tier;

/// Larger files list no signers.
const LARGEST: u64 = 1_000_000;

/// What decides about gates.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The configuration as the working copy has it, with the severities of the committed one where they are stricter.
    pub config: Config,
    /// The tiers that are stated, by gate; both where the committed file and the working copy state one.
    pub tiers: Vec<(&'static str, Tier)>,
    /// The same for single databases.
    pub databases: BTreeMap<String, Vec<(&'static str, Tier)>>,
    /// The databases that may be lost at any time, where the committed file and the working copy agree on it.
    pub disposable: BTreeMap<String, Database>,
    /// The databases that the tools of agents may look at, with the variables that hold their URLs, where both agree on it.
    pub readable: BTreeMap<String, String>,
    /// What the working copy changes.
    pub changes: Vec<Change>,
    /// The text of the file of allowed signers.
    pub signers: Option<String>,
}

/// A key that the working copy has otherwise than the last commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file and the key.
    pub key: String,
    /// The committed value.
    pub before: Option<String>,
    /// The value now.
    pub after: Option<String>,
    /// Whether less is asked or reported than before, or it cannot be told.
    pub loosens: bool,
}

/// Why the policy is not known: then every gate is closed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Git cannot say what is committed.
    #[error(transparent)]
    Git(#[from] crate::git::GitError),
    /// What is committed cannot be used.
    #[error("the committed {FILE_NAME} cannot be used: {0}")]
    Committed(String),
    /// The file of allowed signers cannot be read.
    #[error("the allowed signers in {path} cannot be read: {reason}")]
    Signers {
        /// As the policy names it.
        path: String,
        /// Why.
        reason: String,
    },
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        write!(f, "{}: {} → {}", self.key, shown(&self.before), shown(&self.after))
    }
}

/// The policy in force in a project.
///
/// # Errors
/// [`PolicyError`], also when the committed file is broken.
pub fn in_force(project: &Project) -> Result<Policy, PolicyError> {
    let now = project.config.text();
    let before = match committed(&project.root, FILE_NAME)? {
        Committed::Nowhere => now.to_owned(),
        other => {
            String::from_utf8(other.bytes()).map_err(|error| PolicyError::Committed(error.to_string()))?
        }
    };
    let parsed = config::parse(Path::new(FILE_NAME), &before);
    let old = parsed.map_err(|error| PolicyError::Committed(error.to_string()))?;
    let mut changes = changes(&before, now);
    let config = project.config.clone().no_looser_than(old.clone());
    let agreed = |(name, it): &(&String, &Database)| {
        it.disposable && !it.production && old.databases.get(*name) == Some(*it)
    };
    let disposable = config.databases.iter().filter(agreed).map(|(name, it)| (name.clone(), it.clone()));
    let disposable = disposable.collect();
    let variable = |(name, it): (&String, &Database)| {
        let agreed = old.databases.get(name).is_some_and(|old| old.url_env == it.url_env);
        Some((name.clone(), it.url_env.clone().filter(|_| agreed)?))
    };
    let readable = config.databases.iter().filter_map(variable);
    let readable = readable.collect();
    let databases: BTreeSet<&String> = old.databases.keys().chain(config.databases.keys()).collect();
    let named = |name: &String| {
        let both = [old.databases.get(name), config.databases.get(name)];
        let tiers = both.into_iter().flatten().flat_map(|it| it.gates.named()).collect();
        (name.clone(), tiers)
    };
    let databases = databases.into_iter().map(named).collect();
    let both = |of: fn(&Config) -> &Gates| [of(&old).named(), of(&config).named()].concat();
    let tiers = both(|config| &config.gates);
    let signers = match &old.approval.allowed_signers {
        Some(path) => Some(signers(project, path, &mut changes)?),
        None => None,
    };
    Ok(Policy { config, tiers, databases, disposable, readable, changes, signers })
}

/// Keys that differ. Answers are what a plan is made of: they are shown with it.
fn changes(before: &str, now: &str) -> Vec<Change> {
    let (before, now) = (keys(before), keys(now));
    let all: BTreeSet<&Vec<String>> = before.keys().chain(now.keys()).collect();
    let differing = all.into_iter().filter(|key| before.get(*key) != now.get(*key));
    differing
        .map(|key| {
            let (before, after) = (before.get(key).cloned(), now.get(key).cloned());
            let loosens = loosens(key, before.as_deref(), after.as_deref());
            Change { key: format!("{FILE_NAME}: {}", key.join(".")), before, after, loosens }
        })
        .collect()
}

/// All values by the way to them. Entries of `paths` go by their paths, so that a new one before another changes nothing of that.
fn keys(text: &str) -> BTreeMap<Vec<String>, String> {
    let mut found = BTreeMap::new();
    // Both texts were read before: one that is no TOML does not come here.
    flatten(&[], &text.parse::<Table>().unwrap_or_default(), &mut found);
    found
}

fn flatten(above: &[String], table: &Table, found: &mut BTreeMap<Vec<String>, String>) {
    for (key, value) in table {
        let way = [above, std::slice::from_ref(key)].concat();
        match value {
            Value::Table(inner) => flatten(&way, inner, found),
            Value::Array(entries) if above.is_empty() && key == "paths" => {
                for entry in entries.iter().filter_map(Value::as_table) {
                    let path = entry.get("path").and_then(Value::as_str).unwrap_or_default();
                    flatten(&[&way[..], &[path.to_owned()]].concat(), entry, found);
                }
            }
            Value::String(text) => drop(found.insert(way, text.clone())),
            other => drop(found.insert(way, other.to_string())),
        }
    }
}

fn loosens(way: &[String], before: Option<&str>, after: Option<&str>) -> bool {
    let parts: Vec<&str> = way.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["answers", ..] | ["paths", _, "answers", ..] | ["paths", _, "path"] => false,
        ["severity", rule] => {
            let of = |text: Option<&str>| text.and_then(severity).or_else(|| usual(rule));
            of(after) < of(before)
        }
        // What a part does not say is as it is around it, which is not looked at here: only what is surely no looser is let pass.
        ["paths", _, "severity", _] => {
            let (before, after) = (before.and_then(severity), after.and_then(severity));
            after != Some(Severity::Danger) && (before.is_none() || after < before)
        }
        ["gates", _] | ["databases", _, "gates", _] => {
            let of = |text: Option<&str>| text.and_then(Tier::named);
            of(after) < of(before)
        }
        ["databases", _, "production"] => after != Some("true"),
        ["databases", _, "disposable"] => after == Some("true"),
        _ => true,
    }
}

fn severity(text: &str) -> Option<Severity> {
    match text {
        "off" => Some(Severity::Off),
        "note" => Some(Severity::Note),
        "warning" => Some(Severity::Warning),
        "danger" => Some(Severity::Danger),
        _ => None,
    }
}

/// The file of allowed signers: of the project as it is committed, of the machine as it is.
fn signers(project: &Project, path: &str, changes: &mut Vec<Change>) -> Result<String, PolicyError> {
    let failed = |reason: String| PolicyError::Signers { path: path.to_owned(), reason };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()));
    if Path::new(path).is_absolute() {
        let place = Path::new(path).canonicalize().map_err(|error| failed(error.to_string()))?;
        if place.starts_with(&project.root) {
            return Err(failed("it lies in the project: name it relative to the root".to_owned()));
        }
        return text(std::fs::read(place).map_err(|error| failed(error.to_string()))?);
    }
    let root = Root::open(&project.root).map_err(|error| failed(error.to_string()))?;
    let now = root.read(path, LARGEST).map_err(|error| failed(error.to_string()))?;
    let before = match committed(&project.root, path)? {
        Committed::Nowhere => now.clone().ok_or_else(|| failed("there is no such file".to_owned()))?,
        other => other.bytes(),
    };
    if now.as_ref() != Some(&before) {
        let lines = |bytes: &[u8]| Some(format!("{} lines", String::from_utf8_lossy(bytes).lines().count()));
        let after = now.and_then(|now| lines(&now));
        changes.push(Change { key: path.to_owned(), before: lines(&before), after, loosens: true });
    }
    text(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, now: &str, expected: &[(&str, bool)]) {
        let found = changes(before, now);
        let found: Vec<(&str, bool)> =
            found.iter().map(|it| (it.key.trim_start_matches("lockkeeper.toml: "), it.loosens)).collect();
        assert_eq!(found, expected);
    }

    fn part(path: &str, more: &str) -> String {
        format!("[[paths]]\npath = \"{path}\"\n{more}\n")
    }

    #[test]
    fn answers_of_a_part_loosen_nothing() {
        let now = part("a", "answers = { table-rows = 5 }");
        check("", &now, &[("paths.a.answers.table-rows", false), ("paths.a.path", false)]);
    }

    #[test]
    fn severities_of_a_part_loosen_unless_they_are_surely_stricter() {
        let of = |severity: &str| part("a", &format!("severity = {{ no-lock-timeout = \"{severity}\" }}"));
        let key = "paths.a.severity.no-lock-timeout";
        check(&of("note"), &of("danger"), &[(key, false)]);
        check(&of("note"), &of("warning"), &[(key, false)]);
        check(&of("warning"), &of("note"), &[(key, true)]);
        check(&of("danger"), &part("a", ""), &[(key, true)]);
        check(&part("a", ""), &of("warning"), &[(key, true)]);
        check(&part("a", ""), &of("danger"), &[(key, false)]);
    }

    #[test]
    fn an_entry_before_another_changes_only_itself() {
        let (one, two) = (part("a", "target-version = 13"), part("b", ""));
        check(&one, &format!("{two}{one}"), &[("paths.b.path", false)]);
        check(&one, &part("a", "target-version = 14"), &[("paths.a.target-version", true)]);
    }
}
