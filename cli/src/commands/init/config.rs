//! `lockkeeper.toml`, with the answers that were given.

use std::fmt::Write;

use lockkeeper_core::dialect::Target;
use lockkeeper_core::signals::{QUESTIONS, refusal};
use lockkeeper_project::config::FILE_NAME;
use lockkeeper_project::target::{target, target_alone};
use lockkeeper_project::{Project, folder::Folder};

use super::proposal::Proposal;
use crate::args::InitArgs;
use crate::commands::plan;
use crate::output;

/// The answers of the call, and at a terminal those to the other questions. An empty line leaves a question open.
pub fn answers(project: &Project, args: &InitArgs, asks: bool) -> anyhow::Result<Vec<(String, String)>> {
    let given = args.answers.iter().map(|it| plan::answer(it)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut answers: Vec<(String, String)> = given.into_iter().map(|(id, it)| (id, it.value)).collect();
    if !asks || project.root.join(FILE_NAME).exists() {
        return Ok(answers);
    }
    output::text_line("What only you can answer. Press Enter to leave a question open.");
    for question in QUESTIONS {
        if answers.iter().any(|(id, _)| id == question.id) {
            continue;
        }
        output::text_line(&format!("\n{} ({})", question.text, question.id));
        question
            .choices
            .iter()
            .for_each(|it| output::text_line(&format!("  {:<10} {}", it.value, it.meaning)));
        loop {
            let typed = super::line("> ")?;
            if typed.is_empty() {
                break;
            }
            match refusal(question.id, &typed) {
                Some(refusal) => output::text_line(&refusal),
                None => {
                    answers.push((question.id.to_owned(), typed));
                    break;
                }
            }
        }
    }
    Ok(answers)
}

pub fn proposal(project: &Project, answers: &[(String, String)]) -> Proposal {
    let folder = project.folders.first();
    let own = folder.map_or_else(|| target_alone(project, ""), |folder| target(project, folder));
    let text = text(&own, folder, answers) + &parts(project, &own);
    Proposal::new_file(project, FILE_NAME, text, "what the project's people have decided or know better")
}

/// The folders that run on another server than the first: what is said of that one at the top would be taken for them too.
fn parts(project: &Project, first: &Target) -> String {
    let mut text = String::new();
    for folder in project.folders.iter().skip(1).filter(|folder| folder.refused_engine().is_none()) {
        let own = target(project, folder);
        let (dialect, version) = (own.dialect != first.dialect, own.version.major != first.version.major);
        if !dialect && (!version || own.source == "default") {
            continue;
        }
        let path = toml::Value::String(folder.path.clone());
        writeln!(text, "\n[[paths]]\npath = {path}").expect("a string");
        if dialect {
            writeln!(text, "dialect = \"{}\"", own.dialect.id()).expect("a string");
        }
        if own.source != "default" {
            writeln!(text, "target-version = \"{}\" # {}", own.version, own.source).expect("a string");
        }
    }
    text
}

/// What nobody has stated stands in comments, so that nothing is decided by default.
fn text(target: &Target, folder: Option<&Folder>, answers: &[(String, String)]) -> String {
    let mut text =
        "# Lockkeeper: every key is optional. `lockkeeper signals` lists the questions.\n".to_owned();
    if folder.is_some() {
        writeln!(text, "dialect = \"{}\"", target.dialect.id()).expect("a string");
        let version = format!("target-version = \"{}\"", target.version.major);
        match target.source.as_str() {
            "default" => writeln!(text, "# {version} # nothing states the version of the server"),
            source => writeln!(text, "{version} # {source}"),
        }
        .expect("a string");
    }
    text.push_str("\n[answers]\n");
    for question in QUESTIONS {
        let given = answers.iter().find(|(id, _)| id == question.id);
        match given {
            Some((id, value)) => {
                let value = toml::Value::String(value.clone());
                writeln!(text, "{id} = {value}").expect("a string");
            }
            None => {
                let choices: Vec<&str> = question.choices.iter().map(|it| it.value).collect();
                let choices =
                    if choices.is_empty() { String::new() } else { format!(" ({})", choices.join(", ")) };
                writeln!(text, "# {}{choices}\n# {} = \"\"", question.text, question.id).expect("a string");
            }
        }
    }
    text
}
