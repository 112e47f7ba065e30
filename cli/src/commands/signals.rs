//! `lockkeeper signals`: what the repository shows, and what is asked.

use lockkeeper_core::report::{QuestionReport, SignalReport};
use lockkeeper_core::text::sanitise;
use lockkeeper_project::planning::gather;
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::{Format, SignalsArgs};
use crate::exit::Exit;
use crate::{output, place};

#[derive(Serialize, JsonSchema)]
pub struct Answer {
    version: u32,
    signals: Vec<SignalReport>,
    questions: Vec<QuestionReport>,
}

pub fn run(args: &SignalsArgs) -> anyhow::Result<Exit> {
    let project = place::project(&args.path)?;
    let gathered = gather(&project, &project.relative(&place::absolute(&args.path)), &[]);
    let answer = Answer {
        version: 1,
        signals: gathered.signals.iter().map(SignalReport::from).collect(),
        questions: gathered.questions.iter().map(QuestionReport::from).collect(),
    };
    match args.format {
        Format::Json => output::json(&answer)?,
        Format::Text => show(&answer),
    }
    Ok(Exit::Fine)
}

fn show(answer: &Answer) {
    for signal in &answer.signals {
        output::text_line(&format!("{}: {}", signal.id, sanitise(&signal.value, 120)));
        for it in &signal.evidence {
            let (path, excerpt) = (sanitise(&it.path, 200), sanitise(&it.excerpt, 100));
            output::text_line(&format!("    {path}:{}: {excerpt}", it.line));
        }
        output::text_line(&format!("    {}", signal.implication));
    }
    output::text_line("");
    for question in &answer.questions {
        output::text_line(&self::question(question));
    }
}

/// A question with its answer, or with how it is answered.
pub fn question(question: &QuestionReport) -> String {
    if let (Some(answer), Some(source)) = (&question.answer, &question.source) {
        return format!("{}: {} ({source})", question.id, sanitise(answer, 120));
    }
    let mut text = format!("{} is open: {} It {}.", question.id, question.text, question.why);
    for choice in &question.choices {
        text.push_str(&format!("\n    {} = \"{}\"  # {}", question.id, choice.value, choice.meaning));
    }
    if question.choices.is_empty() {
        text.push_str(&format!("\n    {} = \"…\"", question.id));
    }
    text
}
