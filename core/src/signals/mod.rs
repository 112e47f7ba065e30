//! Facts as values, and the questions that only the developer can answer; collecting them is not core's work.
//!
//! A fact has a value, where it comes from, and what contradicts it. One that a person stated wins over one that was seen, and both are
//! shown. What was not found is unknown, which never means no.

pub mod answer;
mod nature;
mod questions;
mod situation;
mod stated;

pub use nature::Nature;
pub use questions::{
    Answer, Asked, Blocks, Choice, QUESTIONS, Question, QuestionFacts, asked, of_tables, open, questions,
    refusal,
};
pub use situation::{Loss, Maturity, Situation};
pub use stated::{Measured, STATED, Stated, StatedFact, fact_refusal, with_measured, with_stated};

/// A fact about the repository, the database or an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Its stable name: `engine`, `feature-flags`, `rows.users`.
    pub id: String,
    /// What was found, or stated.
    pub value: SignalValue,
    /// The unit of a number.
    pub unit: Option<&'static str>,
    /// Where it was seen; empty when unknown.
    pub evidence: Vec<Evidence>,
    /// Places that say something else.
    pub conflicts: Vec<Conflict>,
    /// Who stated it: the place of the statement.
    pub stated: Option<String>,
    /// What was seen where a person stated something else.
    pub observed: Option<String>,
    /// What it means for the migration.
    pub implication: String,
}

/// A place that says something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What it says.
    pub value: String,
    /// The file and line.
    pub source: String,
}

impl Signal {
    /// A fact that was looked for and not found: it is said, and never taken for a no.
    pub fn unknown(id: &str, implication: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            value: SignalValue::Unknown,
            unit: None,
            evidence: Vec::new(),
            conflicts: Vec::new(),
            stated: None,
            observed: None,
            implication: implication.into(),
        }
    }

    /// A fact that was seen.
    pub fn observed(
        id: &str,
        value: impl Into<String>,
        evidence: Vec<Evidence>,
        implication: impl Into<String>,
    ) -> Self {
        Self { value: SignalValue::Known(value.into()), evidence, ..Self::unknown(id, implication) }
    }

    /// The same fact as a person states it. What was seen before stays beside it.
    #[must_use]
    pub fn stated(self, value: impl Into<String>, source: impl Into<String>) -> Self {
        let value = value.into();
        let observed = self.value.known().filter(|it| *it != value).map(ToOwned::to_owned);
        Self {
            observed,
            value: SignalValue::Known(value),
            conflicts: Vec::new(),
            stated: Some(source.into()),
            ..self
        }
    }

    /// How far it can be relied on, in a word.
    pub fn confidence(&self) -> &'static str {
        match (&self.value, &self.stated) {
            (SignalValue::Unknown, _) => "unknown",
            (_, Some(_)) => "stated",
            _ if !self.conflicts.is_empty() => "contradicted",
            _ => "observed",
        }
    }

    /// Whether it is there: a value, and not one that says no.
    pub fn is_there(&self) -> bool {
        self.value.known().is_some_and(|it| !is_no(it))
    }

    /// Where it comes from, in a line.
    pub fn source(&self) -> String {
        let seen = self.evidence.first().map(|it| format!("{}:{}", it.path, it.line));
        self.stated.clone().or(seen).unwrap_or_else(|| "nothing was found".to_owned())
    }

    pub(crate) fn value_or_unknown(&self) -> &str {
        self.value.known().unwrap_or("unknown")
    }
}

/// Whether a person says that something is not there.
pub fn is_no(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "none" | "no" | "false" | "0" | "never")
}

/// What was found for a signal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalValue {
    /// This was observed, or stated.
    Known(String),
    /// Nothing was observed; that does not mean that it is not there.
    Unknown,
}

impl SignalValue {
    /// The value.
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }
}

/// Where a signal was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The file relative to the project's root, or a name for the database.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The line's text: sanitised, capped, without secrets.
    pub excerpt: String,
}
