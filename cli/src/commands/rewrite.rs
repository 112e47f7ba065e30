//! `lockkeeper rewrite`: a risky migration as expand-contract files.

use lockkeeper_project::analysis;
use lockkeeper_project::rewrite::{self, Rewrite};
use lockkeeper_project::write::recover;

use super::plan;
use crate::args::{Format, RewriteArgs};
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &RewriteArgs) -> anyhow::Result<Exit> {
    let mut project = place::project(&args.file)?;
    if recover(&project.root)? {
        eprintln!(
            "lockkeeper: an earlier rewrite was interrupted while it wrote: its files were put back as they were"
        );
        project = place::project(&args.file)?;
    }
    let text = place::read(&args.file)?;
    place::analysed(&project, &args.file, &text)?;
    let asked = args.strategy.as_deref().map(plan::way).transpose()?;
    let answers = args.answers.iter().map(|it| plan::answer(it)).collect::<anyhow::Result<Vec<_>>>()?;
    let answers = project.config.answers_with(&answers);
    let policy = analysis::policy(&project, Some(place::now()));
    let path = place::absolute(&args.file);
    let file = analysis::check_path(&project, &path, Some(&text), &policy)
        .ok_or_else(|| usage(format!("{} cannot be read as a migration", args.file.display())))?;
    let way = asked.unwrap_or_else(|| rewrite::ways(&file)[0]);
    let rewrite = rewrite::rewrite(&project, &file, way, &answers, place::now())
        .map_err(|error| usage(error.message))?;
    let mut report = analysis::rewrite_report(&rewrite);
    if args.write {
        rewrite::write(&project.root, &rewrite).map_err(|error| usage(error.message))?;
        report.written = true;
    }
    match args.format {
        Format::Json => output::json(&report)?,
        Format::Text => show(&rewrite, args.write),
    }
    Ok(Exit::Fine)
}

/// The steps first, then the files, and last which of them may be handed out now.
fn show(rewrite: &Rewrite, written: bool) {
    output::text_line("Steps, in order:");
    steps(rewrite);
    for file in &rewrite.files {
        let what = if file.replaces { "replaces" } else { "new" };
        output::text_line(&format!("\n── {} ({}, {what})\n{}", file.path, file.phase.id(), file.content));
    }
    rewrite.notes.iter().for_each(|note| output::text_line(&format!("note: {note}")));
    hold_back(rewrite);
    let end = if written { "written" } else { "not written: add --write" };
    output::text_line(&format!(
        "\n{}, {}, {}: {end}",
        counted(rewrite.files.len(), "file"),
        counted(rewrite.releases.len(), "release"),
        rewrite.way.id()
    ));
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn steps(rewrite: &Rewrite) {
    let mut last = 0;
    for file in &rewrite.files {
        if file.step == last {
            continue;
        }
        last = file.step;
        let due = |it: &rewrite::Release| it.before_file.as_ref() == Some(&file.path);
        releases(rewrite, due);
        output::text_line(&format!("  {:>2}  {:<12}  {}", file.step, file.phase.id(), file.path));
        output::text_line(&format!("                    {}", file.title));
        for before in &file.before {
            output::text_line(&format!("                    before it: {before}"));
        }
    }
    releases(rewrite, |it| it.before_file.is_none());
}

/// The releases that are due at a place.
fn releases(rewrite: &Rewrite, due: impl Fn(&rewrite::Release) -> bool) {
    for (number, release) in rewrite.releases.iter().enumerate().filter(|(_, it)| due(it)) {
        output::text_line(&format!("      release {} of the application:", number + 1));
        release.must.iter().for_each(|must| output::text_line(&format!("        - {must}")));
    }
}

/// Which files may be deployed now, and which wait for a release.
fn hold_back(rewrite: &Rewrite) {
    let waits = rewrite.releases.iter().find_map(|it| it.before_file.as_deref());
    let Some(first) = waits.and_then(|path| rewrite.files.iter().find(|it| it.path == path)) else { return };
    let (now, later): (Vec<_>, Vec<_>) = rewrite.files.iter().partition(|it| it.step < first.step);
    let ends = |files: &[&rewrite::PlannedFile]| match (files.first(), files.last()) {
        (Some(one), Some(other)) if one.step == other.step => format!("step {}", one.step),
        (Some(one), Some(other)) => format!("steps {} to {}", one.step, other.step),
        _ => "no step".to_owned(),
    };
    output::text_line(&format!(
        "Deploy {} now. Hold back {} (from {} on) until release 1 is out and no instance of the release before it is running.",
        ends(&now),
        ends(&later),
        first.path
    ));
}
