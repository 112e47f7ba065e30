//! `lockkeeper rewrite`: a risky migration as expand-contract files.

use std::collections::BTreeMap;

use lockkeeper_approval::books::Books;
use lockkeeper_approval::content::Content;
use lockkeeper_approval::digest::Digest;
use lockkeeper_approval::drafting;
use lockkeeper_approval::gate::Gate;
use lockkeeper_approval::ledger::entry::Action;
use lockkeeper_core::plan::PhaseKind;
use lockkeeper_core::text::{counted, quoted};
use lockkeeper_project::analysis::CheckedFile;
use lockkeeper_project::rewrite::{self, Held, Rewrite};
use lockkeeper_project::write::recover;
use lockkeeper_project::{Project, analysis};

use super::plan;
use crate::args::{Format, RewriteArgs};
use crate::attended::{self, Attended};
use crate::exit::{Exit, usage};
use crate::{diff, output, place};

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
    let policies = analysis::policies(&project, Some(place::now()));
    let path = place::absolute(&args.file);
    let file = analysis::check_path(&project, &path, Some(&text), &policies)
        .ok_or_else(|| usage(format!("{} cannot be read as a migration", args.file.display())))?;
    let rewrite = match args.goes_on {
        true => go_on(args, &project, &file)?,
        false => made(args, &project, &file)?,
    };
    let mut report = analysis::rewrite_report(&rewrite);
    if args.write {
        let attended = attended::ask(&question(&rewrite), args.yes)?;
        if attended == Attended::No {
            output::text_line("nothing was written");
            return Ok(Exit::GateClosed);
        }
        let act = || rewrite::write(&project.root, &rewrite).map_err(|error| usage(error.message));
        let content = |books: &Books| content(books, &file, &text, &rewrite);
        attended::write(&project, attended, Action::WriteMigrations, &file.path, content, act)?;
        report.written = true;
    }
    if args.diff {
        show_diff(&rewrite);
        return Ok(Exit::Fine);
    }
    match args.format {
        Format::Json => output::json(&report)?,
        Format::Text => show(&file.path, &rewrite, args.write),
    }
    Ok(Exit::Fine)
}

/// What a person is asked before files are written.
fn question(rewrite: &Rewrite) -> String {
    let files = rewrite.files.iter().filter(|it| !it.held);
    let lines = files.map(|it| {
        format!("  {} {}\n", if it.replaces { "replaces" } else { "new     " }, quoted(&it.path, 200))
    });
    format!("Lockkeeper would write, with nothing approved at a gate:\n{}", lines.collect::<String>())
}

/// What the ledger is told of.
fn content(books: &Books, file: &CheckedFile, text: &str, rewrite: &Rewrite) -> Content {
    Content {
        files: drafting::texts_of(rewrite),
        sources: BTreeMap::from([(file.path.clone(), Digest::of_bytes(text.as_bytes()))]),
        strategy: Some(rewrite.way.id().to_owned()),
        ..Content::new(Gate::Strategy, books.policy.digest.clone())
    }
}

/// A rewrite of the migration, of which the files behind `--phase` wait.
fn made(args: &RewriteArgs, project: &Project, file: &CheckedFile) -> anyhow::Result<Rewrite> {
    let asked = args.strategy.as_deref().map(plan::way).transpose()?;
    let answers = args.answers.iter().map(|it| plan::answer(it)).collect::<anyhow::Result<Vec<_>>>()?;
    let answers = project.config.at(&file.path).answers_with(&answers);
    let way = asked.unwrap_or_else(|| rewrite::ways(file)[0]);
    let mut rewrite =
        rewrite::rewrite(project, file, way, &answers, place::now()).map_err(|error| usage(error.message))?;
    let written = rewrite::writers_by_place(project, file, &rewrite.phases);
    rewrite.notes.extend(written);
    hold(args, project, &mut rewrite, &[])?;
    Ok(rewrite)
}

/// What waits of a migration that was rewritten before.
fn go_on(args: &RewriteArgs, project: &Project, file: &CheckedFile) -> anyhow::Result<Rewrite> {
    let path = &file.path;
    let held = Held::of(project, path).map_err(|error| usage(error.message))?.ok_or_else(|| {
        usage(format!(
            "no step of {path} is held back: `lockkeeper rewrite {path} --write` writes those that may be deployed now, and keeps the others in {}",
            rewrite::folder_of(path)
        ))
    })?;
    let mut rewrite = held.go_on(project, file, place::now()).map_err(|error| usage(error.message))?;
    hold(args, project, &mut rewrite, &held.written)?;
    Ok(rewrite)
}

/// Holds back what waits for its release, or for its phase.
fn hold(
    args: &RewriteArgs,
    project: &Project,
    rewrite: &mut Rewrite,
    written: &[String],
) -> anyhow::Result<()> {
    if !args.all {
        rewrite.hold_behind(asked_phase(args)?).map_err(|error| usage(error.message))?;
    }
    rewrite.keep(project, written).map_err(|error| usage(error.message))
}

fn asked_phase(args: &RewriteArgs) -> anyhow::Result<Option<PhaseKind>> {
    let Some(name) = &args.phase else { return Ok(None) };
    let known = || PhaseKind::ALL.map(PhaseKind::id).join(", ");
    let phase = PhaseKind::from_id(name);
    Ok(Some(phase.ok_or_else(|| usage(format!("there is no phase {name}: say one of {}", known())))?))
}

/// What would be written now, as a unified diff.
fn show_diff(rewrite: &Rewrite) {
    for file in rewrite.files.iter().filter(|it| !it.held) {
        output::text(&diff::unified(&file.path, file.was.as_deref(), Some(&file.content)));
    }
    for file in &rewrite.kept {
        output::text(&diff::unified(&file.path, file.was.as_deref(), file.content.as_deref()));
    }
    rewrite.notes.iter().for_each(|note| eprintln!("lockkeeper: note: {note}"));
}

/// The steps first, then the files, and last which of them may be handed out now.
fn show(migration: &str, rewrite: &Rewrite, written: bool) {
    output::text_line("Steps, in order:");
    steps(rewrite);
    for file in &rewrite.files {
        let what = match (file.held, file.replaces) {
            (true, _) => "held back",
            (false, true) => "replaces",
            (false, false) => "new",
        };
        let head = format!("\n── {} ({}, {what})", file.path, file.phase.id());
        // Behind the writing, what waits is shown when its turn comes.
        let shown = !(file.held && written);
        output::text_line(&if shown { format!("{head}\n{}", file.content) } else { head });
    }
    rewrite.notes.iter().for_each(|note| output::text_line(&format!("note: {note}")));
    deploy(migration, rewrite);
    let end = if written { "written" } else { "not written: add --write" };
    let held = rewrite.files.iter().filter(|it| it.held).count();
    output::text_line(&format!(
        "\n{}, {}, {}: {end}",
        match held {
            0 => counted(rewrite.files.len(), "file"),
            _ => format!("{} and {held} held back", counted(rewrite.files.len() - held, "file")),
        },
        counted(rewrite.releases.len(), "release"),
        rewrite.way.id()
    ));
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

/// Which steps may be deployed now, and what becomes of those that wait for a release.
fn deploy(migration: &str, rewrite: &Rewrite) {
    let waits = rewrite.releases.iter().find_map(|it| it.before_file.as_deref());
    let released = waits.and_then(|path| rewrite.files.iter().find(|it| it.path == path));
    let first = rewrite.files.iter().find(|it| it.held).or(released);
    let Some(first) = first.filter(|it| rewrite.files.first().is_some_and(|other| other.step < it.step))
    else {
        return;
    };
    let (now, later): (Vec<_>, Vec<_>) = rewrite.files.iter().partition(|it| it.step < first.step);
    let ends = |files: &[&rewrite::PlannedFile]| match (files.first(), files.last()) {
        (Some(one), Some(other)) if one.step == other.step => format!("step {}", one.step),
        (Some(one), Some(other)) => format!("steps {} to {}", one.step, other.step),
        _ => "no step".to_owned(),
    };
    let until = match released.is_some_and(|it| it.step == first.step) {
        true => "until the next release is out and no instance of the release before it is running",
        false => "for a later phase",
    };
    let (now, later) = (ends(&now), ends(&later));
    output::text_line(&match first.held {
        true => format!(
            "Deploy {now} now. Held back {until}: {later}, in {}. Then `lockkeeper rewrite {migration} --continue --write` brings the next ones.",
            rewrite::folder_of(migration)
        ),
        false => {
            format!("Deploy {now} now. Keep {later} (from {} on) out of the deploy {until}.", first.path)
        }
    });
}
