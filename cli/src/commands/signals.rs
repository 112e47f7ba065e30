//! `lockkeeper signals`: what the repository shows, and what is asked.

use lockkeeper_core::report::{QuestionReport, SignalReport};
use lockkeeper_core::text::sanitise;
use lockkeeper_project::database::Database;
use lockkeeper_project::measured::{self, Facts};
use lockkeeper_project::planning::{Said, gather};
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::{Format, SignalsArgs};
use crate::exit::{Exit, usage};
use crate::{output, place};

#[derive(Serialize, JsonSchema)]
pub struct Answer {
    version: u32,
    signals: Vec<SignalReport>,
    questions: Vec<QuestionReport>,
}

pub fn run(args: &SignalsArgs) -> anyhow::Result<Exit> {
    let mut project = place::project(&args.path)?;
    if let Some(name) = &args.database_url {
        let database = Database::named(name).map_err(|error| usage(error.to_string()))?;
        let facts = Facts::of(&database, place::now())?;
        if args.write {
            facts.write(&project.root).map_err(|error| anyhow::anyhow!(error))?;
            eprintln!("{} written", measured::FILE_NAME);
        }
        project.measured = facts.facts();
    }
    let gathered = gather(&project, &project.relative(&place::absolute(&args.path)), &Said::default());
    let (gathered, left_out) = gathered.of_largest();
    let answer = Answer {
        version: 1,
        signals: gathered.signals.iter().map(SignalReport::from).collect(),
        questions: gathered.questions.iter().map(QuestionReport::from).collect(),
    };
    match args.format {
        Format::Json => output::json(&answer)?,
        Format::Text => show(&answer, left_out),
    }
    Ok(Exit::Fine)
}

fn show(answer: &Answer, left_out: usize) {
    for signal in &answer.signals {
        output::text_line(&format!("{}: {}", signal.id, value(signal)));
        for it in &signal.conflicts {
            let (source, value) = (sanitise(&it.source, 200), sanitise(&it.value, 100));
            output::text_line(&format!("    {source} says {value}"));
        }
        for it in &signal.evidence {
            let (path, excerpt) = (sanitise(&it.path, 200), sanitise(&it.excerpt, 100));
            output::text_line(&format!("    {path}:{}: {excerpt}", it.line));
        }
        output::text_line(&format!("    {}", signal.implication));
    }
    if left_out > 0 {
        output::text_line(&format!("facts of {left_out} smaller tables are not shown; plans use them"));
    }
    output::text_line("");
    for question in &answer.questions {
        output::text_line(&self::question(question));
    }
}

/// The value with its unit, and who said so.
fn value(signal: &SignalReport) -> String {
    let unit = signal.unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
    let stated = signal.stated.as_ref().map(|source| match &signal.observed {
        Some(seen) => format!(" (stated, {source}; {} was observed)", sanitise(seen, 80)),
        None => format!(" (stated, {source})"),
    });
    format!("{}{unit}{}", sanitise(&signal.value, 120), stated.unwrap_or_default())
}

/// A question with its answer, or with how it is answered.
pub fn question(question: &QuestionReport) -> String {
    if let (Some(answer), Some(source)) = (&question.answer, &question.source) {
        return format!("{}: {} ({source})", question.id, sanitise(answer, 120));
    }
    let mut text = format!("{} is open: {} It {}.", question.id, question.text, question.why);
    if let Some(because) = &question.because {
        text.push_str(&format!("\n    asked because {}", sanitise(because, 200)));
    }
    if let Some(meanwhile) = &question.meanwhile {
        text.push_str(&format!("\n    until then: {meanwhile}"));
    }
    for choice in &question.choices {
        text.push_str(&format!("\n    {} = \"{}\"  # {}", question.id, choice.value, choice.meaning));
    }
    if let Some(example) = example(&question.kind) {
        text.push_str(&format!("\n    {} = \"{example}\"", question.id));
    }
    text
}

/// What an answer of a kind looks like, where it is more than a choice.
fn example(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "count" => "5M",
        "duration" => "3 days",
        "downtime" => "30 min at night",
        "percentage" => "99.99 %",
        "text" => "…",
        _ => return None,
    })
}
