//! Facts and questions on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::signals::{Question, Signal};

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignalReport {
    /// Its name.
    pub id: String,
    /// Its value; `unknown` is one.
    pub value: String,
    /// The unit of a number.
    pub unit: Option<String>,
    /// `stated` by a person, `observed`, `contradicted` by another place, or `unknown`.
    pub confidence: String,
    /// Whether a person has said so.
    pub confirmed: bool,
    /// Where a person stated it.
    pub stated: Option<String>,
    /// What was observed, where a person stated something else.
    pub observed: Option<String>,
    /// Places that say something else.
    pub conflicts: Vec<ConflictReport>,
    /// Where it was seen.
    pub evidence: Vec<EvidenceReport>,
    /// What follows from it.
    pub implication: String,
}

/// A place that says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConflictReport {
    /// What it says.
    pub value: String,
    /// The file and line.
    pub source: String,
}

/// Where a signal was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceReport {
    /// The file.
    pub path: String,
    /// Its line.
    pub line: usize,
    /// The line; text of the repository, not ours.
    pub excerpt: String,
}

impl From<&Signal> for SignalReport {
    fn from(signal: &Signal) -> Self {
        let evidence = signal.evidence.iter().map(|it| EvidenceReport {
            path: it.path.clone(),
            line: it.line,
            excerpt: it.excerpt.clone(),
        });
        let conflicts = signal
            .conflicts
            .iter()
            .map(|it| ConflictReport { value: it.value.clone(), source: it.source.clone() });
        Self {
            id: signal.id.clone(),
            value: signal.value.known().unwrap_or("unknown").to_owned(),
            unit: signal.unit.map(ToOwned::to_owned),
            confidence: signal.confidence().to_owned(),
            confirmed: signal.stated.is_some(),
            stated: signal.stated.clone(),
            observed: signal.observed.clone(),
            conflicts: conflicts.collect(),
            evidence: evidence.collect(),
            implication: signal.implication.clone(),
        }
    }
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuestionReport {
    /// Its name: the key under `[answers]` in lockkeeper.toml.
    pub id: String,
    /// The question.
    pub text: String,
    /// What it decides.
    pub why: String,
    /// What can be answered: `choice`, `choices`, `count`, `duration`, `downtime`, `percentage`, `text`.
    pub kind: String,
    /// What can be chosen, beside what the kind reads.
    pub choices: Vec<ChoiceReport>,
    /// What waits for it: `strategies`, `plan` or `nothing`.
    pub blocks: String,
    /// What was seen that asks it here.
    pub because: Option<String>,
    /// What is taken until it is answered.
    pub meanwhile: Option<String>,
    /// The answer, if somebody gave it.
    pub answer: Option<String>,
    /// Who gave it.
    pub source: Option<String>,
}

/// One possible answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChoiceReport {
    /// The value.
    pub value: String,
    /// What it means.
    pub meaning: String,
}

impl From<&Question> for QuestionReport {
    fn from(question: &Question) -> Self {
        let facts = question.facts;
        let choices = facts.choices.iter();
        Self {
            id: facts.id.to_owned(),
            text: facts.text.to_owned(),
            why: facts.why.to_owned(),
            kind: facts.kind.id().to_owned(),
            choices: choices
                .map(|it| ChoiceReport { value: it.value.to_owned(), meaning: it.meaning.to_owned() })
                .collect(),
            blocks: question.blocks().id().to_owned(),
            because: question.because.clone(),
            meanwhile: Some(facts.meanwhile).filter(|it| !it.is_empty()).map(ToOwned::to_owned),
            answer: question.answer.as_ref().map(|it| it.value.clone()),
            source: question.answer.as_ref().map(|it| it.source.clone()),
        }
    }
}
