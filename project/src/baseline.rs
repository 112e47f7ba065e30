//! The baseline: findings that were there when a project began to use Lockkeeper, accepted with a reason. It only gets shorter.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lockkeeper_core::report::CheckReport;
use serde::{Deserialize, Serialize};

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The findings, by path.
    #[serde(default)]
    pub accepted: Vec<Accepted>,
}

/// A finding that is accepted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The file, relative to the root.
    pub path: String,
    /// The rule, or `unread`.
    pub rule: String,
    /// What it said when it was accepted; for people.
    pub message: String,
    /// What it is recognised by.
    pub fingerprint: String,
    /// Why it is accepted.
    pub reason: String,
}

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no baseline.
    #[error("{} is not a baseline: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

const HEAD: &str = "\
# Findings that `lockkeeper check --baseline` accepts. New ones are not added here: fix them, or accept them where they stand
# with a comment. `lockkeeper check --baseline FILE --write-baseline` removes what no longer occurs. Reasons may be edited.
";

impl Baseline {
    /// Reads a baseline; `None` where there is no such file.
    ///
    /// # Errors
    /// [`BaselineError`] when there is one that cannot be used, or an entry has no reason.
    pub fn load(path: &Path) -> Result<Option<Self>, BaselineError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BaselineError::Unreadable { path: path.to_owned(), source }),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, BaselineError> {
        let wrong = |message: String| BaselineError::Wrong { path: path.to_owned(), message };
        let baseline: Self = toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))?;
        match baseline.accepted.iter().find(|it| it.reason.trim().is_empty()) {
            Some(it) => Err(wrong(format!("{} in {} is accepted without a reason", it.rule, it.path))),
            None => Ok(baseline),
        }
    }

    /// All findings of a report, accepted for one reason.
    pub fn of(report: &CheckReport, reason: &str) -> Self {
        let hazards = report.files.iter().flat_map(|file| {
            let entry = |it: &lockkeeper_core::report::HazardReport| {
                (file.path.clone(), it.rule.clone(), it.message.clone(), it.fingerprint.clone())
            };
            file.hazards.iter().map(entry).collect::<Vec<_>>()
        });
        let unread = report.unread.iter().filter(|it| it.span.is_some());
        let unread = unread
            .map(|it| (it.path.clone(), "unread".to_owned(), it.reason.clone(), it.fingerprint.clone()));
        let entry = |(path, rule, message, fingerprint)| Accepted {
            path,
            rule,
            message,
            fingerprint,
            reason: reason.to_owned(),
        };
        let mut accepted: Vec<Accepted> = hazards.chain(unread).map(entry).collect();
        accepted.sort();
        Self { accepted }
    }

    /// The reason for each finding, by its fingerprint.
    pub fn reasons(&self) -> BTreeMap<&str, &str> {
        self.accepted.iter().map(|it| (it.fingerprint.as_str(), it.reason.as_str())).collect()
    }

    /// Without the entries at these places.
    #[must_use]
    pub fn without(&self, stale: &[&Accepted]) -> Self {
        let left = self.accepted.iter().filter(|it| !stale.contains(it));
        Self { accepted: left.cloned().collect() }
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let entries = toml::to_string(self).expect("strings in a list of tables");
        format!("{HEAD}\n{entries}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(fingerprint: &str) -> Accepted {
        Accepted {
            path: "db/1.sql".to_owned(),
            rule: "table-copy".to_owned(),
            message: "says \"this\"\n".to_owned(),
            fingerprint: fingerprint.to_owned(),
            reason: "it ran long ago".to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let baseline = Baseline { accepted: vec![accepted("a"), accepted("b")] };
        let path = Path::new("baseline.toml");
        assert_eq!(Baseline::parse(path, &baseline.text()).expect("is right"), baseline);
        let empty = Baseline::default();
        assert_eq!(Baseline::parse(path, &empty.text()).expect("is right"), empty);
        assert_eq!(baseline.without(&[&accepted("a")]).accepted, [accepted("b")]);
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let baseline = Baseline { accepted: vec![Accepted { reason: " ".to_owned(), ..accepted("a") }] };
        let error = Baseline::parse(Path::new("b.toml"), &baseline.text()).expect_err("is refused");
        assert_eq!(
            error.to_string(),
            "b.toml is not a baseline: table-copy in db/1.sql is accepted without a reason"
        );
    }
}
