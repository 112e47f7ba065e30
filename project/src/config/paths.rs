//! What holds for a part of the repository, laid over what holds for all of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use lockkeeper_core::dialect::Dialect;
use schemars::JsonSchema;
use serde::Deserialize;

use super::lines::Way;
use super::refusal::{Refused, usual};
use super::{
    Config, Limits, Scalar, Severity, answers_schema, dialect_schema, framework_schema, severity_schema,
};
use crate::files::is_inside;
use crate::folder::Folder;

/// What is different for one folder or file and everything in it.
///
/// What an entry does not say holds as it is said for the folder around it, and in the end for the whole project.
/// Gates, databases and signers are those of the project.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PathConfig {
    /// The folder or file, relative to the root: `services/billing`.
    pub path: String,
    /// The framework of the folders of migrations in it.
    #[serde(default)]
    #[schemars(schema_with = "framework_schema")]
    pub framework: Option<String>,
    /// The engine of folders in it that do not show another.
    #[serde(default)]
    #[schemars(schema_with = "dialect_schema")]
    pub dialect: Option<String>,
    /// The version of the server that it runs on.
    pub target_version: Option<Scalar>,
    /// The time zone of the sessions of its application.
    pub time_zone: Option<String>,
    /// Answers that are other ones for it.
    #[serde(default)]
    #[schemars(schema_with = "answers_schema")]
    pub answers: BTreeMap<String, Scalar>,
    /// Thresholds that are other ones for it.
    #[serde(default)]
    pub limits: LimitsOfPath,
    /// Severities that are other ones for it.
    #[serde(default)]
    #[schemars(schema_with = "severity_schema")]
    pub severity: BTreeMap<String, Severity>,
}

/// Thresholds of a part of the repository: those that are stated.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LimitsOfPath {
    /// Rows of one batch of a backfill.
    pub batch_rows: Option<u64>,
    /// Replica lag up to which a backfill goes on.
    pub replica_lag_seconds: Option<u64>,
    /// Replica lag at which it pauses.
    pub replica_lag_pause_seconds: Option<u64>,
    /// Share of failing dual writes at which they are turned off.
    pub error_percent: Option<f64>,
    /// Hours between two moves of reads.
    pub soak_hours: Option<u64>,
    /// Estimated lock time from which more than one person must look.
    pub lock_seconds: Option<u64>,
    /// Rows of a backfill from which more than one person must look.
    pub backfill_rows: Option<u64>,
}

impl LimitsOfPath {
    fn over(&self, limits: &Limits) -> Limits {
        Limits {
            batch_rows: self.batch_rows.unwrap_or(limits.batch_rows),
            replica_lag_seconds: self.replica_lag_seconds.unwrap_or(limits.replica_lag_seconds),
            replica_lag_pause_seconds: self
                .replica_lag_pause_seconds
                .unwrap_or(limits.replica_lag_pause_seconds),
            error_percent: self.error_percent.unwrap_or(limits.error_percent),
            soak_hours: self.soak_hours.unwrap_or(limits.soak_hours),
            lock_seconds: self.lock_seconds.unwrap_or(limits.lock_seconds),
            backfill_rows: self.backfill_rows.unwrap_or(limits.backfill_rows),
        }
    }
}

impl PathConfig {
    /// The path as files have it: no `./` before it and no `/` behind it.
    pub fn folder(&self) -> &str {
        plain(&self.path)
    }

    /// Whether it states something that belongs to a whole folder of migrations, and not to single files of it.
    fn is_about_folders(&self) -> bool {
        self.framework.is_some()
            || self.dialect.is_some()
            || self.target_version.is_some()
            || self.time_zone.is_some()
    }
}

/// The way to an entry in the file.
pub(super) fn way_to(index: usize) -> Way {
    vec!["paths".to_owned(), index.to_string()]
}

/// A path of the configuration without what means nothing.
pub(crate) fn plain(path: &str) -> &str {
    path.trim_start_matches("./").trim_matches('/')
}

impl Config {
    /// What holds for a file or folder, by its path relative to the root.
    pub fn at(&self, path: &str) -> Cow<'_, Self> {
        let around = self.entries_around(path);
        if around.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut config = Self { paths: Vec::new(), ..self.clone() };
        for index in around {
            lay_over(&mut config, &self.paths[index]);
            config.laid_over.push(index);
        }
        Cow::Owned(config)
    }

    /// The severities that hold for a file or folder. What is committed counts where it is stricter.
    pub fn severities_at(&self, path: &str) -> BTreeMap<String, Severity> {
        let mut severities = self.at(path).into_owned().severity;
        let Some(floor) = &self.floor else { return severities };
        let committed = floor.severities_at(path);
        let rules: BTreeSet<String> = severities.keys().chain(committed.keys()).cloned().collect();
        for rule in rules {
            let of = |severities: &BTreeMap<String, Severity>| {
                severities.get(&rule).copied().or_else(|| usual(&rule))
            };
            if let Some(strictest) = of(&severities).max(of(&committed)) {
                severities.insert(rule, strictest);
            }
        }
        severities
    }

    /// The paths for which severities may be other ones than for the folder around them.
    pub fn paths_of_severities(&self) -> BTreeSet<&str> {
        let committed = self.floor.as_deref().map(|it| &it.paths);
        let entries = self.paths.iter().chain(committed.into_iter().flatten());
        entries.filter(|it| !it.severity.is_empty()).map(PathConfig::folder).collect()
    }

    /// The same configuration, in which no severity is below the one that is committed.
    pub(crate) fn no_looser_than(self, committed: Self) -> Self {
        Self { floor: Some(Arc::new(committed)), ..self }
    }

    /// The framework that is stated for the folders of migrations around or in a path, by the innermost entry.
    pub(crate) fn framework_at(&self, path: &str) -> Option<&str> {
        let around = self.entries_around(path);
        around.into_iter().rev().find_map(|index| self.paths[index].framework.as_deref())
    }

    /// The engine that is stated for exactly this folder.
    pub(crate) fn dialect_of(&self, path: &str) -> Option<Dialect> {
        let of_migrations =
            self.migrations.iter().find(|it| it.folder() == path).and_then(|it| it.dialect.as_deref());
        let of_path = || self.paths.iter().find(|it| it.folder() == path)?.dialect.as_deref();
        of_migrations.or_else(of_path).and_then(Dialect::from_id)
    }

    /// The entries that a path lies in, the outermost first.
    fn entries_around(&self, path: &str) -> Vec<usize> {
        let mut around: Vec<usize> =
            (0..self.paths.len()).filter(|index| is_inside(path, self.paths[*index].folder())).collect();
        around.sort_by_key(|index| self.paths[*index].folder().len());
        around
    }
}

fn lay_over(config: &mut Config, entry: &PathConfig) {
    if let Some(dialect) = &entry.dialect {
        if config.dialect.as_ref().is_some_and(|it| it != dialect) {
            // The version of another engine says nothing.
            config.target_version = None;
        }
        config.dialect = Some(dialect.clone());
    }
    config.target_version = entry.target_version.clone().or(config.target_version.take());
    config.time_zone = entry.time_zone.clone().or(config.time_zone.take());
    config.answers.extend(entry.answers.clone());
    config.severity.extend(entry.severity.clone());
    config.limits = entry.limits.over(&config.limits);
}

/// The first entry whose path does not exist: a slip, by which a part would silently be checked as all others are.
pub(super) fn missing(config: &Config, root: &Path) -> Option<Refused> {
    let index = config.paths.iter().position(|it| !root.join(it.folder()).exists())?;
    let message = format!("there is no `{}` in the project", config.paths[index].path);
    Some(Refused::of(way_to(index), "path", message))
}

/// The first entry that says for some files of a folder of migrations what only holds for all of them.
pub(super) fn divides_a_folder(config: &Config, folders: &[Folder]) -> Option<Refused> {
    config.paths.iter().enumerate().filter(|(_, it)| it.is_about_folders()).find_map(|(index, entry)| {
        let around = folders.iter().find(|it| it.path != entry.folder() && is_inside(entry.folder(), &it.path))?;
        let message = format!(
            "`{}` lies in the folder of migrations `{}`, which has one framework, engine, version and time zone: state them for that folder",
            entry.path, around.path
        );
        Some(Refused::of(way_to(index), "path", message))
    })
}
