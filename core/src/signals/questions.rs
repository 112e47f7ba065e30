//! The questions that nobody but the developer can answer: few, each for a decision that differs by its answer.

use super::answer::Kind;
use super::{Nature, Signal, SignalValue};
use crate::catalog::RelationName;
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
    /// What can be answered.
    pub kind: Kind,
    /// Answers to choose from, beside what `kind` reads.
    pub choices: &'static [Choice],
    /// What waits for the answer.
    pub blocks: Blocks,
    /// Which changes it is asked for.
    pub asked: Asked,
    /// What is taken until it is answered; empty where everything waits.
    pub meanwhile: &'static str,
    /// The signal that answers it where it is known.
    pub answered_by: Option<&'static str>,
}

/// Which changes a question is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// All of them.
    Always,
    /// Those that take a name or a value from who uses it.
    OfUsers,
    /// Those that lose or change values.
    OfValues,
    /// Those after which a column holds less than before.
    OfNarrowing,
    /// Those that read or write all rows, or wait for locks of others.
    OfWork,
}

impl Asked {
    /// Whether it is asked for a change of this nature.
    pub fn of(self, nature: &Nature) -> bool {
        match self {
            Self::Always => true,
            Self::OfUsers => nature.breaks_users,
            Self::OfValues => nature.loses_values,
            Self::OfNarrowing => nature.narrows,
            Self::OfWork => nature.works || nature.waits,
        }
    }
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
    /// As the table states it.
    pub facts: &'static QuestionFacts,
    /// Why it is asked here, where something was seen that asks it.
    pub because: Option<String>,
    /// The answer. There is never a default: an answer that nobody gave decides nothing.
    pub answer: Option<Answer>,
}

impl Question {
    /// Its stable name.
    pub fn id(&self) -> &'static str {
        self.facts.id
    }

    /// What was answered.
    pub fn value(&self) -> Option<&str> {
        self.answer.as_ref().map(|it| it.value.as_str())
    }

    /// What waits for it.
    pub fn blocks(&self) -> Blocks {
        // Two places that say different things are decided by nobody but a person.
        if self.facts.id == ENGINE && self.because.is_none() { Blocks::Nothing } else { self.facts.blocks }
    }
}

/// An answer and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was answered.
    pub value: String,
    /// Where: `lockkeeper.toml:12`, `signal table-rows`, a person.
    pub source: String,
}

/// The question that a number of rows answers.
const ROWS: &str = "table-rows";
/// The question that only two places with different versions ask.
const ENGINE: &str = "engine-version";

/// All questions, in the order in which they are asked.
pub static QUESTIONS: &[QuestionFacts] = &[
    QuestionFacts {
        id: "downtime-allowed",
        text: "May the application be unavailable while this change is made, for how long at most, and when?",
        why: "decides whether a step in a maintenance window is offered beside the steps without one, and whether the work fits into it",
        kind: Kind::Downtime,
        choices: &[
            Choice { value: "none", meaning: "no request may fail or wait noticeably" },
            Choice { value: "seconds", meaning: "waits of up to ten seconds are fine, a window is not" },
            Choice {
                value: "window",
                meaning: "a maintenance window can be announced; better with its length: `30 min at night`",
            },
        ],
        blocks: Blocks::Strategies,
        asked: Asked::Always,
        meanwhile: "",
        answered_by: None,
    },
    QuestionFacts {
        id: "releases-between-steps",
        text: "How many times can the application be released between the steps of this change?",
        why: "decides how far old and new can be kept side by side: a rename without downtime takes two releases",
        kind: Kind::Count,
        choices: &[
            Choice { value: "0", meaning: "all steps run with the application as it is or in one window" },
            Choice { value: "1", meaning: "one release, with triggers in the database doing the rest" },
            Choice {
                value: "2",
                meaning: "one release that uses the new, one that does not name the old any more",
            },
            Choice { value: "any", meaning: "reads may move over in as many releases as wanted" },
        ],
        blocks: Blocks::Strategies,
        asked: Asked::Always,
        meanwhile: "",
        answered_by: None,
    },
    QuestionFacts {
        id: "every-writer-is-here",
        text: "Is every program that writes or reads these tables in this repository?",
        why: "decides whether the application may keep old and new in step, or the database must, and when the old may go",
        kind: Kind::Choice,
        choices: &[
            Choice { value: "yes", meaning: "the references in this repository are all that must change" },
            Choice {
                value: "no",
                meaning: "other services or people use them too: old names stay until each of them says it is done",
            },
        ],
        blocks: Blocks::Strategies,
        asked: Asked::Always,
        meanwhile: "",
        answered_by: None,
    },
    QuestionFacts {
        id: ROWS,
        text: "About how many rows do the tables have in production?",
        why: "decides whether a scan or an index build is noticed, how long a backfill takes, and which strategy waits least",
        kind: Kind::Count,
        choices: &[],
        blocks: Blocks::Plan,
        asked: Asked::Always,
        meanwhile: "",
        answered_by: Some(ROWS),
    },
    QuestionFacts {
        id: "rollback-window",
        text: "For how long after each step must you be able to go back without losing data?",
        why: "decides how long old columns are kept and kept up to date, and what comes before the point of no return",
        kind: Kind::Duration,
        choices: &[
            Choice { value: "none", meaning: "forward fixes are fine" },
            Choice { value: "hours", meaning: "until the release has proved itself, for eight hours" },
            Choice { value: "release", meaning: "until the next release is out" },
            Choice { value: "weeks", meaning: "over several releases, for two weeks" },
        ],
        blocks: Blocks::Plan,
        asked: Asked::Always,
        meanwhile: "",
        answered_by: None,
    },
    QuestionFacts {
        id: "verified-backup",
        text: "When was a backup of this database last restored and checked?",
        why: "decides whether steps that lose data may be planned before a restore is tried, and how much reversibility weighs",
        kind: Kind::Text,
        choices: &[],
        blocks: Blocks::Plan,
        asked: Asked::Always,
        meanwhile: "",
        answered_by: None,
    },
    QuestionFacts {
        id: ENGINE,
        text: "Which version of the engine runs in production?",
        why: "decides what each statement locks and which online forms there are",
        kind: Kind::Text,
        choices: &[],
        blocks: Blocks::Strategies,
        asked: Asked::Always,
        meanwhile: "the version that the repository states, or the oldest that is supported",
        answered_by: Some("engine"),
    },
    QuestionFacts {
        id: "acceptable-loss",
        text: "If the change has to be taken back, may what was written since be lost?",
        why: "decides whether a strategy is offered whose way back loses what was written after it",
        kind: Kind::Choice,
        choices: &[
            Choice { value: "none", meaning: "nothing that a user was told is stored may be lost" },
            Choice { value: "minutes", meaning: "what was written during the change may be lost" },
            Choice { value: "any", meaning: "the data can be made again from elsewhere" },
        ],
        blocks: Blocks::Nothing,
        asked: Asked::OfUsers,
        meanwhile: "losing it counts against a strategy, and does not rule it out",
        answered_by: None,
    },
    QuestionFacts {
        id: "critical-data",
        text: "Which of the data that this change touches must not be lost or wrong under any circumstances?",
        why: "decides what is copied aside before it is changed or dropped, and who signs for it",
        kind: Kind::Text,
        choices: &[Choice { value: "none", meaning: "all of it can be made again" }],
        blocks: Blocks::Nothing,
        asked: Asked::OfValues,
        meanwhile: "all of it",
        answered_by: None,
    },
    QuestionFacts {
        id: "compliance",
        text: "Do rules bind these data: retention, personal data, audits?",
        why: "decides whether what goes is archived or must be erased, and what is recorded about it",
        kind: Kind::Choices,
        choices: &[
            Choice { value: "none", meaning: "no rule is known" },
            Choice {
                value: "retention",
                meaning: "it must be kept for a time: it is archived before it goes",
            },
            Choice {
                value: "erasure",
                meaning: "it must really go: also from copies and archives, by a date",
            },
            Choice { value: "audit", meaning: "who changed what, when and why is recorded" },
        ],
        blocks: Blocks::Nothing,
        asked: Asked::OfValues,
        meanwhile: "none is known",
        answered_by: None,
    },
    QuestionFacts {
        id: "other-consumers",
        text: "What else carries these names or values, beside the code in this repository?",
        why: "decides which consumers the plan names, and what must be moved before the old goes",
        kind: Kind::Choices,
        choices: &[
            Choice { value: "none", meaning: "nothing else" },
            Choice { value: "cache", meaning: "cached rows or serialised objects with the old shape" },
            Choice { value: "events", meaning: "messages, change data capture, webhooks" },
            Choice { value: "api", meaning: "fields of a public interface, schemas of clients" },
            Choice { value: "search", meaning: "an index of a search engine" },
            Choice { value: "etl", meaning: "a warehouse, dbt models, extracts" },
            Choice { value: "bi", meaning: "dashboards and saved queries" },
            Choice { value: "jobs", meaning: "scheduled scripts outside this repository" },
        ],
        blocks: Blocks::Nothing,
        asked: Asked::OfUsers,
        meanwhile: "what was found in this repository, and nothing else",
        answered_by: None,
    },
    QuestionFacts {
        id: "write-rate",
        text: "About how many writes a second do these tables take at their busiest?",
        why: "decides what a lock of a second and a trigger on every write cost",
        kind: Kind::Count,
        choices: &[],
        blocks: Blocks::Nothing,
        asked: Asked::OfWork,
        meanwhile: "10 writes a second",
        answered_by: Some("write-rate"),
    },
    QuestionFacts {
        id: "availability",
        text: "What availability is promised to users?",
        why: "decides how much waiting the change may use up, and what a second of waiting weighs",
        kind: Kind::Percentage,
        choices: &[Choice { value: "none", meaning: "nothing is promised" }],
        blocks: Blocks::Nothing,
        asked: Asked::OfWork,
        meanwhile: "99.9 %",
        answered_by: None,
    },
    QuestionFacts {
        id: "quiet-hours",
        text: "When is the traffic low, and who can be there then?",
        why: "decides when steps that lock or copy are run",
        kind: Kind::Text,
        choices: &[Choice { value: "never", meaning: "the traffic is the same at all hours" }],
        blocks: Blocks::Nothing,
        asked: Asked::OfWork,
        meanwhile: "any hour may be a busy one",
        answered_by: None,
    },
    QuestionFacts {
        id: Narrow::QUESTION,
        text: "What shall become of values that the narrower type of a column cannot hold?",
        why: "decides whether the change waits until there are none, or changes them",
        kind: Kind::Choice,
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
        asked: Asked::OfNarrowing,
        meanwhile: "there must be none: they are counted first",
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
    if choices.contains(&value.trim()) {
        return None;
    }
    let reason = facts.kind.refusal(value, &choices)?;
    Some(format!("{id} cannot be `{value}`: {reason}"))
}

/// All questions with the answers that were given or observed; given ones win.
pub fn questions(answers: &[(String, Answer)], signals: &[Signal]) -> Vec<Question> {
    QUESTIONS.iter().map(|facts| question(facts, answers, signals)).collect()
}

/// The questions that a change of this nature asks, and those that were answered all the same.
pub fn asked<'a>(questions: &'a [Question], nature: &Nature) -> Vec<&'a Question> {
    let is_asked = |it: &&Question| it.answer.is_some() || (it.facts.asked.of(nature) && !idle(it));
    questions.iter().filter(is_asked).collect()
}

/// The signals and questions of a change of these tables. Where the rows of each are known, nobody has to say how many they have.
pub fn of_tables(
    signals: &[Signal],
    questions: &[Question],
    tables: &[RelationName],
) -> (Vec<Signal>, Vec<Question>) {
    let is_of = |it: &&Signal| it.table().is_none_or(|name| tables.iter().any(|table| table.is_called(name)));
    let signals: Vec<Signal> = signals.iter().filter(is_of).cloned().collect();
    let rows_of = |table: &RelationName| {
        signals.iter().find(|it| it.id.strip_prefix("rows.").is_some_and(|name| table.is_called(name)))
    };
    let rows: Option<Vec<&Signal>> = tables.iter().map(rows_of).collect();
    let mut questions = questions.to_vec();
    if let (Some(rows), Some(question)) = (
        rows.filter(|it| !it.is_empty()),
        questions.iter_mut().find(|it| it.id() == ROWS && it.answer.is_none()),
    ) {
        let of_each = rows.iter().filter_map(|it| Some(format!("{} of {}", it.value.known()?, it.table()?)));
        let (value, source) = (of_each.collect::<Vec<_>>().join(", "), rows[0].source());
        question.answer = Some(Answer { value, source });
    }
    (signals, questions)
}

/// The version is asked about only where two places differ.
fn idle(question: &Question) -> bool {
    question.id() == ENGINE && question.because.is_none()
}

/// The questions that nobody has answered.
pub fn open(questions: &[Question]) -> Vec<&Question> {
    questions.iter().filter(|question| question.answer.is_none() && !idle(question)).collect()
}

fn question(facts: &'static QuestionFacts, answers: &[(String, Answer)], signals: &[Signal]) -> Question {
    let given = answers.iter().find(|(id, _)| id == facts.id).map(|(_, answer)| answer.clone());
    let signal = facts.answered_by.and_then(|id| signals.iter().find(|signal| signal.id == id));
    let conflict = signal.filter(|it| !it.conflicts.is_empty());
    let because = conflict.map(|signal| {
        let others: Vec<&str> = signal.conflicts.iter().map(|it| it.value.as_str()).collect();
        format!(
            "{} says {}, other places say {}",
            signal.source(),
            signal.value_or_unknown(),
            others.join(", ")
        )
    });
    let observed = || signal.filter(|it| it.conflicts.is_empty()).and_then(observed);
    Question { facts, because, answer: given.or_else(observed) }
}

fn observed(signal: &Signal) -> Option<Answer> {
    let SignalValue::Known(value) = &signal.value else { return None };
    Some(Answer { value: value.clone(), source: format!("signal {}", signal.id) })
}

#[cfg(test)]
mod tests {
    use super::super::Conflict;
    use super::*;

    fn answer(value: &str) -> Answer {
        Answer { value: value.to_owned(), source: "lockkeeper.toml:3".to_owned() }
    }

    #[test]
    fn a_change_asks_what_its_nature_makes_matter() {
        let answers = [("downtime-allowed".to_owned(), answer("none"))];
        let questions = questions(&answers, &[]);
        let ids = |nature: &Nature| -> Vec<&str> {
            asked(&questions, nature).iter().filter(|it| it.answer.is_none()).map(|it| it.id()).collect()
        };
        let always = [
            "releases-between-steps",
            "every-writer-is-here",
            "table-rows",
            "rollback-window",
            "verified-backup",
        ];
        assert_eq!(ids(&Nature::default()), always);
        let rename = ids(&Nature { breaks_users: true, ..Nature::default() });
        assert_eq!(rename[5..], ["acceptable-loss", "other-consumers"]);
        let narrower = ids(&Nature { narrows: true, loses_values: true, works: true, ..Nature::default() });
        assert_eq!(
            narrower[5..],
            ["critical-data", "compliance", "write-rate", "availability", "quiet-hours", "narrowing"]
        );
    }

    #[test]
    fn who_knows_the_rows_of_each_table_is_not_asked_for_them() {
        let rows = |table: &str| Signal::observed(&format!("rows.{table}"), "7", Vec::new(), "");
        let known = [rows("users"), rows("sales.lines"), Signal::observed("hosting", "Neon", Vec::new(), "")];
        let table = |schema: &str, name: &str| RelationName { schema: schema.into(), name: name.into() };
        let answered = |tables: &[RelationName]| {
            let (signals, questions) = of_tables(&known, &questions(&[], &known), tables);
            let answer = questions.into_iter().find(|it| it.id() == "table-rows").and_then(|it| it.answer);
            (signals.len(), answer.map(|it| it.value))
        };
        assert_eq!(answered(&[table("public", "users")]), (2, Some("7 of users".to_owned())));
        let both = [table("public", "users"), table("sales", "lines")];
        assert_eq!(answered(&both), (3, Some("7 of users, 7 of sales.lines".to_owned())));
        assert_eq!(answered(&[table("public", "users"), table("public", "lines")]), (2, None));
        assert_eq!(answered(&[]), (1, None));
    }

    #[test]
    fn a_signal_answers_but_a_person_wins() {
        let rows = Signal::observed("table-rows", "1200", Vec::new(), "");
        let value = |answers: &[(String, Answer)], signal: &Signal| {
            let all = questions(answers, std::slice::from_ref(signal));
            all.into_iter().find(|it| it.id() == "table-rows").and_then(|it| it.answer).map(|it| it.value)
        };
        assert_eq!(value(&[], &rows).as_deref(), Some("1200"));
        assert_eq!(value(&[("table-rows".to_owned(), answer("9"))], &rows).as_deref(), Some("9"));
        assert_eq!(value(&[], &Signal::unknown("table-rows", "")), None);
    }

    #[test]
    fn places_that_differ_ask_a_person() {
        let mut engine = Signal::observed("engine", "PostgreSQL 12", Vec::new(), "");
        let ask = |engine: &Signal| {
            let all = questions(&[], std::slice::from_ref(engine));
            all.into_iter().find(|it| it.id() == "engine-version").expect("it is in the table")
        };
        assert_eq!((ask(&engine).value(), ask(&engine).blocks()), (Some("PostgreSQL 12"), Blocks::Nothing));
        engine.conflicts.push(Conflict { value: "PostgreSQL 15".to_owned(), source: "ci.yml:3".to_owned() });
        assert_eq!((ask(&engine).value(), ask(&engine).blocks()), (None, Blocks::Strategies));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_what_can() {
        for (id, value) in [
            ("table-rows", "5M"),
            ("downtime-allowed", "1h"),
            ("downtime-allowed", "30 min at night"),
            ("releases-between-steps", "3"),
            ("rollback-window", "10 minutes"),
            ("compliance", "retention, audit"),
            ("availability", "99.99 %"),
        ] {
            assert_eq!(refusal(id, value), None, "{id} = {value}");
        }
        for (id, value) in [
            ("table-rows", "about fifty"),
            ("downtime-allowed", "a bit"),
            ("releases-between-steps", "some"),
            ("rollback-window", "long"),
            ("compliance", "retention, gdpr"),
            ("verified-backup", " "),
            ("nonsense", "1"),
        ] {
            assert!(refusal(id, value).is_some(), "{id} = {value}");
        }
    }

    #[test]
    fn every_question_says_what_it_decides() {
        for question in QUESTIONS {
            assert!(question.text.ends_with('?') && question.why.starts_with("decides"), "{}", question.id);
            let waits = question.blocks != Blocks::Nothing;
            assert!(
                waits || !question.meanwhile.is_empty(),
                "{} says nothing of the time until then",
                question.id
            );
        }
    }
}
