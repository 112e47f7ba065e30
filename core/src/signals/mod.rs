//! Observed facts as values, and the questions that only the developer can answer; collecting them is not core's work.

mod questions;

pub use questions::{Answer, Blocks, Choice, QUESTIONS, Question, QuestionFacts, open, questions, refusal};

/// A fact about the repository, the database or an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Its stable name: `engine`, `feature-flags`.
    pub id: &'static str,
    /// What was found.
    pub value: SignalValue,
    /// Where it was seen; empty when unknown.
    pub evidence: Vec<Evidence>,
    /// What it means for the migration.
    pub implication: String,
}

impl Signal {
    /// A fact that was looked for and not found: it is said, and never taken for a no.
    pub fn unknown(id: &'static str, implication: impl Into<String>) -> Self {
        Self { id, value: SignalValue::Unknown, evidence: Vec::new(), implication: implication.into() }
    }
}

/// What was found for a signal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalValue {
    /// This was observed.
    Known(String),
    /// Nothing was observed; that does not mean that it is not there.
    Unknown,
}

impl SignalValue {
    /// The observed value.
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
