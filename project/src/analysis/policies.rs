//! What a project accepts, path by path.

use lockkeeper_core::framework::Timestamp;
use lockkeeper_core::hazards;
use lockkeeper_core::policy::{Policy, Unread};

use crate::config::Severity;
use crate::discover::Project;
use crate::files::is_inside;

/// What the whole project accepts, and what single parts of it accept.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    whole: Policy,
    /// The innermost path first.
    parts: Vec<(String, Policy)>,
}

impl Policies {
    /// What holds for a file or folder, by its path relative to the root.
    pub fn of(&self, path: &str) -> &Policy {
        self.parts
            .iter()
            .find(|(around, _)| is_inside(path, around))
            .map_or(&self.whole, |(_, policy)| policy)
    }

    /// What holds for the project, and so for the verdict.
    pub fn whole(&self) -> &Policy {
        &self.whole
    }

    /// The same with another threshold, and with what is said of things that could not be read.
    pub fn failing(mut self, fail_on: hazards::Severity, unread: Unread) -> Self {
        for policy in self.all() {
            policy.fail_on = fail_on;
            policy.unread = unread;
        }
        self
    }

    /// The same without some rules.
    pub fn without(mut self, rules: &[&str]) -> Self {
        for policy in self.all() {
            policy.severities.extend(rules.iter().map(|rule| ((*rule).to_owned(), None)));
        }
        self
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Policy> {
        std::iter::once(&mut self.whole).chain(self.parts.iter_mut().map(|(_, policy)| policy))
    }
}

/// What a project accepts, from its configuration. `today` is the day that allowances are compared with.
pub fn policies(project: &Project, today: Option<Timestamp>) -> Policies {
    let mut paths: Vec<&str> = project.config.paths_of_severities().into_iter().collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
    let parts = paths.into_iter().map(|path| (path.to_owned(), policy_at(project, path, today)));
    Policies { whole: policy_at(project, "", today), parts: parts.collect() }
}

fn policy_at(project: &Project, path: &str, today: Option<Timestamp>) -> Policy {
    let severities = project.config.severities_at(path).into_iter().map(|(rule, it)| (rule, severity(it)));
    Policy { severities: severities.collect(), today, ..Policy::default() }
}

fn severity(severity: Severity) -> Option<hazards::Severity> {
    match severity {
        Severity::Off => None,
        Severity::Note => Some(hazards::Severity::Note),
        Severity::Warning => Some(hazards::Severity::Warning),
        Severity::Danger => Some(hazards::Severity::Danger),
    }
}
