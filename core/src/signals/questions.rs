//! The questions that nobody but the developer can answer: few, each for a decision that differs by its answer.

use super::{Signal, SignalValue};
use crate::mechanics::Narrow;

/// A question as the table states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuestionFacts {
    /// Its stable name, and its key under `[answers]`.
    pub id: &'static str,
    /// The question.
    pub text: &'static str,
    /// What the answer decides.
    pub why: &'static str,
    /// Answers to choose from; empty where the answer is free text or a number.
    pub choices: &'static [Choice],
    /// What waits for the answer.
    pub blocks: Blocks,
    /// The signal that answers it where it is known.
    pub answered_by: Option<&'static str>,
}

/// One answer to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The value to give.
    pub value: &'static str,
    /// What choosing it means.
    pub meaning: &'static str,
}

/// What waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blocks {
    /// Strategies are proposed only when it is answered.
    Strategies,
    /// Strategies are proposed, but no plan is written out before it is answered.
    Plan,
    /// Nothing waits: until it is answered, estimates stay wide and no value changes.
    Nothing,
}

impl Blocks {
    /// The word for it on the wire.
    pub fn id(self) -> &'static str {
        match self {
            Self::Strategies => "strategies",
            Self::Plan => "plan",
            Self::Nothing => "nothing",
        }
    }
}

/// A question together with its answer, where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its stable name.
    pub id: &'static str,
    /// The question.
    pub text: &'static str,
    /// What the answer decides.
    pub why: &'static str,
    /// Answers to choose from.
    pub choices: Vec<Choice>,
    /// There is never a default: an answer that nobody gave decides nothing.
    pub default: Option<String>,
    /// What waits for the answer.
    pub blocks: Blocks,
    /// The answer.
    pub answer: Option<Answer>,
}

/// An answer and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was answered.
    pub value: String,
    /// Where: `lockkeeper.toml:12`, `signal table-rows`, a person.
    pub source: String,
}

const YES_NO_WRITERS: &[Choice] = &[
    Choice { value: "yes", meaning: "the references in this repository are all that must change" },
    Choice {
        value: "no",
        meaning: "other services or people write too: old names stay until each of them says it is done",
    },
];

/// All questions, in the order in which they are asked.
pub static QUESTIONS: &[QuestionFacts] = &[
    QuestionFacts {
        id: "downtime-allowed",
        text: "May the application be unavailable while this change is made, and for how long at most?",
        why: "decides whether a single step in a maintenance window is offered beside the steps without one",
        choices: &[
            Choice { value: "none", meaning: "no request may fail or wait noticeably" },
            Choice { value: "seconds", meaning: "short waits are fine, a window is not" },
            Choice { value: "window", meaning: "a maintenance window can be announced" },
        ],
        blocks: Blocks::Strategies,
        answered_by: None,
    },
    QuestionFacts {
        id: "releases-between-steps",
        text: "How many times can the application be released between the steps of this change?",
        why: "decides how far old and new can be kept side by side: a rename without downtime takes two releases",
        choices: &[
            Choice { value: "0", meaning: "all steps run with the application as it is or in one window" },
            Choice { value: "1", meaning: "one release, with triggers in the database doing the rest" },
            Choice { value: "2", meaning: "one release that writes both, one that reads only the new" },
            Choice { value: "any", meaning: "reads may move over in as many releases as wanted" },
        ],
        blocks: Blocks::Strategies,
        answered_by: None,
    },
    QuestionFacts {
        id: "every-writer-is-here",
        text: "Is every program that writes or reads these tables in this repository?",
        why: "decides whether the application may keep old and new in step, or the database must, and when the old may go",
        choices: YES_NO_WRITERS,
        blocks: Blocks::Strategies,
        answered_by: None,
    },
    QuestionFacts {
        id: ROWS,
        text: "About how many rows do the tables have in production?",
        why: "decides whether a scan or an index build is noticed, and how long a backfill takes",
        choices: &[],
        blocks: Blocks::Plan,
        answered_by: Some("table-rows"),
    },
    QuestionFacts {
        id: "rollback-window",
        text: "For how long after each step must you be able to go back without losing data?",
        why: "decides how long old columns are kept and kept up to date, and what comes before the point of no return",
        choices: &[
            Choice { value: "none", meaning: "forward fixes are fine" },
            Choice { value: "hours", meaning: "until the release has proved itself" },
            Choice { value: "release", meaning: "until the next release is out" },
            Choice { value: "weeks", meaning: "over several releases" },
        ],
        blocks: Blocks::Plan,
        answered_by: None,
    },
    QuestionFacts {
        id: "verified-backup",
        text: "When was a backup of this database last restored and checked?",
        why: "decides whether steps that lose data may be planned at all, and how much reversibility weighs",
        choices: &[],
        blocks: Blocks::Plan,
        answered_by: None,
    },
    QuestionFacts {
        id: Narrow::QUESTION,
        text: "What shall become of values that the narrower type of a column cannot hold?",
        why: "decides whether the change waits until there are none, or changes them",
        choices: &[
            Choice {
                value: Narrow::Reject.id(),
                meaning: "there must be none, and a check keeps them out: what is done without an answer",
            },
            Choice {
                value: Narrow::Clamp.id(),
                meaning: "a number becomes the limit of the type, a text is cut at its end",
            },
            Choice { value: Narrow::Null.id(), meaning: "they become NULL" },
        ],
        blocks: Blocks::Nothing,
        answered_by: None,
    },
];

/// What is wrong with an answer, and what would be right.
pub fn refusal(id: &str, value: &str) -> Option<String> {
    let Some(facts) = QUESTIONS.iter().find(|facts| facts.id == id) else {
        let known: Vec<&str> = QUESTIONS.iter().map(|facts| facts.id).collect();
        return Some(format!("there is no question `{id}`; there are {}", known.join(", ")));
    };
    let choices: Vec<&str> = facts.choices.iter().map(|choice| choice.value).collect();
    if !choices.is_empty() && !choices.contains(&value) {
        return Some(format!("{id} cannot be `{value}`: say one of {}", choices.join(", ")));
    }
    let is_number = value.starts_with(|it: char| it.is_ascii_digit())
        && value.chars().all(|it| it.is_ascii_digit() || matches!(it, '_' | ',' | '.' | ' '));
    (id == ROWS && !is_number).then(|| format!("{id} cannot be `{value}`: say a number, such as 4000000"))
}

/// The question that a number answers.
const ROWS: &str = "table-rows";

/// All questions with the answers that were given or observed; given ones win.
pub fn questions(answers: &[(String, Answer)], signals: &[Signal]) -> Vec<Question> {
    QUESTIONS.iter().map(|facts| question(facts, answers, signals)).collect()
}

/// The questions that nobody has answered.
pub fn open(questions: &[Question]) -> Vec<&Question> {
    questions.iter().filter(|question| question.answer.is_none()).collect()
}

fn question(facts: &QuestionFacts, answers: &[(String, Answer)], signals: &[Signal]) -> Question {
    let given = answers.iter().find(|(id, _)| id == facts.id).map(|(_, answer)| answer.clone());
    Question {
        id: facts.id,
        text: facts.text,
        why: facts.why,
        choices: facts.choices.to_vec(),
        default: None,
        blocks: facts.blocks,
        answer: given.or_else(|| observed(facts, signals)),
    }
}

fn observed(facts: &QuestionFacts, signals: &[Signal]) -> Option<Answer> {
    let id = facts.answered_by?;
    let signal = signals.iter().find(|signal| signal.id == id)?;
    let SignalValue::Known(value) = &signal.value else {
        return None;
    };
    Some(Answer { value: value.clone(), source: format!("signal {id}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(value: &str) -> Answer {
        Answer { value: value.to_owned(), source: "lockkeeper.toml:3".to_owned() }
    }

    #[test]
    fn unanswered_questions_are_open() {
        let answers = [("downtime-allowed".to_owned(), answer("none"))];
        let questions = questions(&answers, &[]);
        let open: Vec<_> = open(&questions).iter().map(|question| question.id).collect();
        let expected = [
            "releases-between-steps",
            "every-writer-is-here",
            "table-rows",
            "rollback-window",
            "verified-backup",
            "narrowing",
        ];
        assert_eq!(open, expected);
    }

    #[test]
    fn a_signal_answers_but_a_person_wins() {
        let rows = Signal {
            id: "table-rows",
            value: SignalValue::Known("1200".to_owned()),
            evidence: Vec::new(),
            implication: String::new(),
        };
        let value = |answers: &[(String, Answer)], signal: &Signal| {
            let all = questions(answers, std::slice::from_ref(signal));
            all.into_iter().find(|it| it.id == "table-rows").and_then(|it| it.answer).map(|it| it.value)
        };
        assert_eq!(value(&[], &rows).as_deref(), Some("1200"));
        assert_eq!(value(&[("table-rows".to_owned(), answer("9"))], &rows).as_deref(), Some("9"));
        assert_eq!(value(&[], &Signal::unknown("table-rows", "")), None);
    }

    #[test]
    fn every_question_says_what_it_decides() {
        for question in QUESTIONS {
            assert!(question.text.ends_with('?') && question.why.starts_with("decides"), "{}", question.id);
            assert_ne!(question.choices.len(), 1, "{}", question.id);
        }
    }
}
