//! `lockkeeper rewrite`: a risky migration as expand-contract files.

use lockkeeper_project::analysis;
use lockkeeper_project::rewrite::{self, Rewrite};

use super::plan;
use crate::args::{Format, RewriteArgs};
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &RewriteArgs) -> anyhow::Result<Exit> {
    let text = place::read(&args.file)?;
    let project = place::project(&args.file)?;
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

fn show(rewrite: &Rewrite, written: bool) {
    let mut last_release = 0;
    for file in &rewrite.files {
        let what = if file.replaces { "replaces" } else { "new" };
        output::text_line(&format!("── {} ({}, {what})\n{}", file.path, file.phase.id(), file.content));
    }
    for release in &rewrite.releases {
        last_release += 1;
        output::text_line(&format!("Release {last_release}, in the phase {}:", release.after_phase.id()));
        for must in &release.must {
            output::text_line(&format!("  - {must}"));
        }
    }
    let end = if written { "written" } else { "not written: add --write" };
    output::text_line(&format!(
        "\n{} files, {} releases, {}: {end}",
        rewrite.files.len(),
        rewrite.releases.len(),
        rewrite.way.id()
    ));
}
