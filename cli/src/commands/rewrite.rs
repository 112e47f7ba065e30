//! `lockkeeper rewrite`

use anyhow::Context;
use lockkeeper_core::plan::Way;
use lockkeeper_project::analysis;
use lockkeeper_project::rewrite::{Rewrite, rewrite};

use crate::args::{Format, RewriteArgs};
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &RewriteArgs) -> anyhow::Result<Exit> {
    let text = place::read(&args.file)?;
    let project = place::project(&args.file)?;
    let way = Way::from_id(&args.strategy).ok_or_else(|| {
        let known: Vec<&str> = Way::ALL.iter().map(|way| way.id()).collect();
        usage(format!("there is no strategy {}: say one of {}", args.strategy, known.join(", ")))
    })?;
    let policy = analysis::policy(&project, Some(place::now()));
    let path = place::absolute(&args.file);
    let file = analysis::check_path(&project, &path, Some(&text), &policy)
        .ok_or_else(|| usage(format!("{} cannot be read as a migration", args.file.display())))?;
    let rewrite = rewrite(&project, &file, way, place::now()).map_err(|error| usage(error.message))?;
    let mut report = analysis::rewrite_report(&rewrite);
    if args.write {
        write(&project.root, &rewrite)?;
        report.written = true;
    }
    match args.format {
        Format::Json => output::json(&report)?,
        Format::Text => show(&rewrite, args.write),
    }
    Ok(Exit::Fine)
}

/// Writes all files or none: new ones must not be there yet, and are made before the old one is replaced.
fn write(root: &std::path::Path, rewrite: &Rewrite) -> anyhow::Result<()> {
    for file in rewrite.files.iter().filter(|file| !file.replaces) {
        if root.join(&file.path).exists() {
            return Err(usage(format!("{} is there already: nothing was written", file.path)));
        }
    }
    let (new, replaced): (Vec<_>, Vec<_>) = rewrite.files.iter().partition(|file| !file.replaces);
    let mut made = Vec::new();
    for file in new.into_iter().chain(replaced) {
        let path = root.join(&file.path);
        let result = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, &file.content));
        if let Err(error) = result {
            for path in made {
                let _ = std::fs::remove_file(path);
            }
            return Err(error).context(format!("{} cannot be written; nothing was kept", file.path));
        }
        if !file.replaces {
            made.push(path);
        }
    }
    Ok(())
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
