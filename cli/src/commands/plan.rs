//! `lockkeeper plan`: ways compared, one recommended and written out.

use lockkeeper_approval::books::Books;
use lockkeeper_approval::drafting::{Drafted, Drafting};
use lockkeeper_approval::ledger::entry::Action;
use lockkeeper_core::plan::Way;
use lockkeeper_core::report::{PlanReport, strategist};
use lockkeeper_core::signals::{Answer, Stated, fact_refusal, refusal as signals_refusal};
use lockkeeper_core::strategies::Course;
use lockkeeper_project::analysis;
use lockkeeper_project::planning::{Said, gather, plan, report_files, write_report};

use super::signals;
use crate::args::{PlanArgs, PlanFormat};
use crate::attended::{self, Attended};
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &PlanArgs) -> anyhow::Result<Exit> {
    let text = place::read(&args.file)?;
    let project = place::project(&args.file)?;
    place::analysed(&project, &args.file, &text)?;
    let chosen = args.strategy.as_deref().map(course).transpose()?;
    let said = said(&args.answers, &args.facts)?;
    let policies = analysis::policies(&project, Some(place::now()));
    let path = place::absolute(&args.file);
    let file = analysis::check_path(&project, &path, Some(&text), &policies)
        .ok_or_else(|| usage(format!("{} cannot be read as a migration", args.file.display())))?;
    let gathered = gather(&project, &file.path, &said);
    let planned = plan(&project, &file, &gathered, chosen);
    let report = &planned.report;
    match args.format {
        PlanFormat::Json => output::json(report)?,
        PlanFormat::Text => output::text_line(&strategist::markdown(report)),
        PlanFormat::Html => output::text_line(&strategist::html(report)),
    }
    if !report.blocked_by.is_empty() {
        return Err(usage(open_questions(report)));
    }
    if args.write {
        if let Some(refusal) = planned.refusal() {
            return Err(usage(refusal));
        }
        let books = Books::of(&project)?;
        let source = text.as_bytes();
        let drafting = Drafting {
            project: &project,
            file: &file,
            source,
            planned: &planned,
            policy: &books.policy,
            is_new: false,
        };
        let attended = attended::ask(
            "Lockkeeper would write the report of this plan, with nothing approved at a gate.",
            args.yes,
        )?;
        if attended == Attended::No {
            eprintln!("nothing was written");
            return Ok(Exit::GateClosed);
        }
        let drafted = drafting.draft(&books.store, place::now());
        let content = |_: &Books| drafted.stored.contents[0].clone();
        let act = || write(&drafting, &books, &drafted);
        attended::write(&project, attended, Action::WriteReport, &file.path, content, act)?;
    }
    Ok(Exit::Fine)
}

/// The strategy of that name.
fn course(name: &str) -> anyhow::Result<Course> {
    let unknown = || usage(format!("there is no strategy {name}: say one of {}", Course::names()));
    Course::from_id(name).ok_or_else(unknown)
}

/// How the migrations of the strategy of that name are carried out.
pub fn way(name: &str) -> anyhow::Result<Way> {
    course(name)?
        .way()
        .ok_or_else(|| usage(format!("{name} leaves the migration as it is: there is nothing to rewrite")))
}

/// What was said on the command line.
pub fn said(answers: &[String], facts: &[String]) -> anyhow::Result<Said> {
    Ok(Said {
        answers: answers.iter().map(|it| answer(it)).collect::<anyhow::Result<_>>()?,
        facts: facts.iter().map(|it| fact(it)).collect::<anyhow::Result<_>>()?,
    })
}

pub fn answer(text: &str) -> anyhow::Result<(String, Answer)> {
    let (id, value) = pair("answer", text)?;
    if let Some(refusal) = signals_refusal(id, value) {
        return Err(usage(refusal));
    }
    Ok((id.to_owned(), Answer { value: value.to_owned(), source: SOURCE.to_owned() }))
}

fn fact(text: &str) -> anyhow::Result<Stated> {
    let (id, value) = pair("fact", text)?;
    if let Some(refusal) = fact_refusal(id, value) {
        return Err(usage(refusal));
    }
    Ok(Stated { id: id.to_owned(), value: value.to_owned(), source: SOURCE.to_owned() })
}

const SOURCE: &str = "command line";

fn pair<'a>(option: &str, text: &'a str) -> anyhow::Result<(&'a str, &'a str)> {
    let (id, value) =
        text.split_once('=').ok_or_else(|| usage(format!("--{option} {text} is not ID=VALUE")))?;
    Ok((id.trim(), value.trim()))
}

fn open_questions(report: &PlanReport) -> String {
    let open = report.questions.iter().filter(|it| report.blocked_by.contains(&it.id));
    let open: Vec<String> = open.map(signals::question).collect();
    let before = if report.strategies.is_empty() { "strategies are compared" } else { "a plan is made" };
    format!(
        "these questions must be answered before {before}, in lockkeeper.toml under [answers] or with --answer ID=VALUE:\n{}",
        open.join("\n")
    )
}

fn write(drafting: &Drafting<'_>, books: &Books, drafted: &Drafted) -> anyhow::Result<()> {
    let files = report_files(&drafting.planned.report);
    let written = write_report(drafting.project, &files).map_err(|error| anyhow::anyhow!(error))?;
    let id = books.store.store(&drafted.stored, &files)?;
    eprintln!("{} written", written.join(" and "));
    eprintln!("stored as plan {id}: `lockkeeper gates {id}`");
    Ok(())
}
