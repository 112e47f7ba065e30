//! `lockkeeper plan`: ways compared, one recommended and written out.

use lockkeeper_approval::books::Books;
use lockkeeper_approval::drafting::Drafting;
use lockkeeper_core::plan::Way;
use lockkeeper_core::report::{PlanReport, strategist};
use lockkeeper_core::signals::{Answer, refusal as signals_refusal};
use lockkeeper_project::analysis;
use lockkeeper_project::planning::{gather, plan, report_files, write_report};

use super::signals;
use crate::args::{Format, PlanArgs};
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &PlanArgs) -> anyhow::Result<Exit> {
    let text = place::read(&args.file)?;
    let project = place::project(&args.file)?;
    place::analysed(&project, &args.file, &text)?;
    let chosen = args.strategy.as_deref().map(way).transpose()?;
    let answers = args.answers.iter().map(|it| answer(it)).collect::<anyhow::Result<Vec<_>>>()?;
    let policies = analysis::policies(&project, Some(place::now()));
    let path = place::absolute(&args.file);
    let file = analysis::check_path(&project, &path, Some(&text), &policies)
        .ok_or_else(|| usage(format!("{} cannot be read as a migration", args.file.display())))?;
    let gathered = gather(&project, &file.path, &answers);
    let planned = plan(&project, &file, &gathered, chosen);
    let report = &planned.report;
    match args.format {
        Format::Json => output::json(report)?,
        Format::Text => output::text_line(&strategist::markdown(report)),
    }
    if !report.blocked_by.is_empty() {
        return Err(usage(open_questions(report)));
    }
    if args.write {
        let books = Books::of(&project)?;
        let source = text.as_bytes();
        let drafting =
            Drafting { project: &project, file: &file, source, planned: &planned, policy: &books.policy };
        write(&drafting, &books)?;
    }
    Ok(Exit::Fine)
}

pub fn way(name: &str) -> anyhow::Result<Way> {
    Way::from_id(name).ok_or_else(|| {
        let known: Vec<&str> = Way::ALL.iter().map(|way| way.id()).collect();
        usage(format!("there is no strategy {name}: say one of {}", known.join(", ")))
    })
}

pub fn answer(text: &str) -> anyhow::Result<(String, Answer)> {
    let (id, value) =
        text.split_once('=').ok_or_else(|| usage(format!("--answer {text} is not ID=VALUE")))?;
    if let Some(refusal) = signals_refusal(id.trim(), value.trim()) {
        return Err(usage(refusal));
    }
    Ok((id.trim().to_owned(), Answer { value: value.trim().to_owned(), source: "command line".to_owned() }))
}

fn open_questions(report: &PlanReport) -> String {
    let open = report.questions.iter().filter(|it| report.blocked_by.contains(&it.id));
    let open: Vec<String> = open.map(signals::question).collect();
    format!(
        "these questions must be answered before strategies are compared, in lockkeeper.toml under [answers] or with \
         --answer ID=VALUE:\n{}",
        open.join("\n")
    )
}

fn write(drafting: &Drafting<'_>, books: &Books) -> anyhow::Result<()> {
    let files = report_files(&drafting.planned.report);
    let written = write_report(drafting.project, &files).map_err(|error| anyhow::anyhow!(error))?;
    let drafted = drafting.draft(&books.store, place::now());
    let id = books.store.store(&drafted.stored, &files)?;
    eprintln!("{} written", written.join(" and "));
    eprintln!("stored as plan {id}: `lockkeeper gates {id}`");
    Ok(())
}
