//! `lockkeeper rehearse`: a migration carried out on a throw-away server, beside clients.

mod carried;
mod shown;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::report::RehearsalReport;
use lockkeeper_database::{Options, RehearseError, Request, rehearse};
use lockkeeper_project::analysis::CheckedFile;
use lockkeeper_project::secret::redact;
use lockkeeper_project::{Project, analysis, rewrite};

use super::plan;
use crate::args::{Format, RehearseArgs};
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &RehearseArgs) -> anyhow::Result<Exit> {
    let text = place::read(&args.file)?;
    let project = place::project(&args.file)?;
    place::analysed(&project, &args.file, &text)?;
    let policies = analysis::policies(&project, Some(place::now()));
    let path = place::absolute(&args.file);
    let file =
        analysis::check_path(&project, &path, Some(&text), &policies).filter(CheckedFile::is_up).ok_or_else(
            || usage(format!("{} cannot be read as a migration that goes up", args.file.display())),
        )?;
    if file.target.dialect != Dialect::Postgres {
        return Err(usage(format!("{} is rehearsed on PostgreSQL only", file.path)));
    }
    let request = request(args, &project, &file)?;
    let people = std::io::stderr().is_terminal();
    let progress = |what: &str| {
        let line = lockkeeper_core::text::sanitise(what, 100);
        if args.progress_lines {
            eprintln!("progress: {line}");
        } else if people {
            // A terminal that went away stops no rehearsal.
            let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
        }
    };
    let result = rehearse(&request, &progress);
    if people {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    let report = without_secrets(result.map_err(told)?);
    match args.format {
        Format::Json => output::json(&report)?,
        Format::Text => output::text_line(&shown::text(&report)),
    }
    Ok(if is_fine(&report) { Exit::Fine } else { Exit::Hazards })
}

/// What was written by others, without the secrets in it.
fn without_secrets(mut report: RehearsalReport) -> RehearsalReport {
    let waits = report.steps.iter_mut().filter_map(|it| it.longest_wait.as_mut()).map(|it| &mut it.statement);
    let errors = report.errors.iter_mut().flat_map(|it| [&mut it.statement, &mut it.message]);
    let differences = report.differences.iter_mut().map(|it| &mut it.what);
    let lists = report.unfilled.iter_mut().chain(&mut report.notes);
    waits.chain(errors).chain(differences).chain(lists).for_each(|it| *it = redact(it));
    report
}

fn is_fine(report: &RehearsalReport) -> bool {
    report.verdict == "pass"
}

/// What cannot be rehearsed is a matter of the call; a server that fails is one of the environment.
fn told(error: RehearseError) -> anyhow::Error {
    if error.is_environment() { error.into() } else { usage(redact(&error.to_string())) }
}

fn request(args: &RehearseArgs, project: &Project, file: &CheckedFile) -> anyhow::Result<Request> {
    let rewritten = args.rewritten.then(|| rewritten(args, project, file)).transpose()?;
    let version = Some(u32::from(file.target.version.major));
    Ok(Request {
        history: carried::history(project, file),
        written: carried::written(project, file),
        rewritten,
        options: Options {
            bin_dir: args.bin_dir.clone(),
            version,
            rows: args.rows,
            seed: args.seed,
            max_time: Duration::from_secs(args.max_time),
            max_wait: Duration::from_millis(args.max_wait),
            max_disk: args.max_disk << 20,
        },
    })
}

fn rewritten(
    args: &RehearseArgs,
    project: &Project,
    file: &CheckedFile,
) -> anyhow::Result<lockkeeper_database::Rewritten> {
    let asked = args.strategy.as_deref().map(plan::way).transpose()?;
    let answers = args.answers.iter().map(|it| plan::answer(it)).collect::<anyhow::Result<Vec<_>>>()?;
    let answers = project.config.at(&file.path).answers_with(&answers);
    let way = asked.unwrap_or_else(|| rewrite::ways(file)[0]);
    let rewrite =
        rewrite::rewrite(project, file, way, &answers, place::now()).map_err(|error| usage(error.message))?;
    Ok(carried::rewritten(file, &rewrite))
}
