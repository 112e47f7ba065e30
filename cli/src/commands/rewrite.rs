//! `lockkeeper rewrite`: a risky migration as expand-contract files.

use std::collections::BTreeMap;

use lockkeeper_approval::books::Books;
use lockkeeper_approval::content::Content;
use lockkeeper_approval::digest::Digest;
use lockkeeper_approval::drafting;
use lockkeeper_approval::gate::Gate;
use lockkeeper_approval::ledger::entry::Action;
use lockkeeper_approval::plan::Store;
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
    let (rewrite, before) = match args.goes_on {
        true => held_back(args, &project, &file)?,
        false => (made(args, &project, &file)?, None),
    };
    let mut report = analysis::rewrite_report(&rewrite);
    if args.write {
        let attended = attended::ask(&question(&rewrite), args.yes)?;
        if attended == Attended::No {
            output::text_line("nothing was written");
            return Ok(Exit::GateClosed);
        }
        let act = || write(&project, &file, &rewrite, before.as_ref());
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
    let written = rewrite.files.iter().filter(|it| !it.held);
    Content {
        files: written.map(drafting::file_text).collect(),
        sources: BTreeMap::from([(file.path.clone(), Digest::of_bytes(text.as_bytes()))]),
        strategy: Some(rewrite.way.id().to_owned()),
        ..Content::new(Gate::Strategy, books.policy.digest.clone())
    }
}

/// Writes what does not wait, and keeps what does. What is kept is known before a file is there: a file that nothing remembers would be written again.
fn write(
    project: &Project,
    file: &CheckedFile,
    rewrite: &Rewrite,
    before: Option<&Held>,
) -> anyhow::Result<()> {
    let path = &file.path;
    let store = Store::of(project).and_then(|store| store.held(path).map(|earlier| (store, earlier)));
    let kept = match store {
        Ok((store, earlier)) if rewrite.holds_back() || earlier.is_some() => {
            store.hold(path, Some(&rewrite.held(path, before)))?;
            Some((store, earlier))
        }
        // Without files that wait nothing has to be remembered.
        Err(error) if rewrite.holds_back() => return Err(error.into()),
        _ => None,
    };
    rewrite::write(&project.root, rewrite).map_err(|error| {
        let back = kept.map(|(store, earlier)| store.hold(path, earlier.as_ref()));
        match back {
            Some(Err(lost)) => {
                usage(format!("{}; and what waits is not known any more: {lost}", error.message))
            }
            _ => usage(error.message),
        }
    })
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
    if let Some(phase) = asked_phase(args)? {
        rewrite.hold_behind(Some(phase)).map_err(|error| usage(error.message))?;
    }
    Ok(rewrite)
}

/// What waits of a migration that was rewritten before, with what is kept of it.
fn held_back(
    args: &RewriteArgs,
    project: &Project,
    file: &CheckedFile,
) -> anyhow::Result<(Rewrite, Option<Held>)> {
    let path = &file.path;
    let held = Store::of(project)?.held(path)?.ok_or_else(|| {
        usage(format!(
            "no files of {path} wait on this machine: `lockkeeper rewrite {path} --phase expand --write` writes the first ones and holds back the others"
        ))
    })?;
    if held.done == held.drafted.len() {
        return Err(usage(format!("all {} steps of {path} are written: nothing waits any more", held.done)));
    }
    let mut rewrite = held.go_on(project, file, place::now()).map_err(|error| usage(error.message))?;
    rewrite.hold_behind(asked_phase(args)?).map_err(|error| usage(error.message))?;
    Ok((rewrite, Some(held)))
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
        output::text(&diff::unified(&file.path, file.was.as_deref(), &file.content));
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
        // What waits is shown when its turn comes.
        output::text_line(&if file.held { head } else { format!("{head}\n{}", file.content) });
    }
    rewrite.notes.iter().for_each(|note| output::text_line(&format!("note: {note}")));
    hold_back(rewrite);
    let end = if written { "written" } else { "not written: add --write" };
    let held = rewrite.files.iter().filter(|it| it.held).count();
    if held > 0 {
        output::text_line(&format!(
            "{} held back: `lockkeeper rewrite {migration} --continue --write` writes the next ones, when what must be so before them is so.",
            counted(held, "file")
        ));
    }
    output::text_line(&format!(
        "\n{}, {}, {}: {end}",
        counted(rewrite.files.len() - held, "file"),
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

/// Which files may be deployed now, and which wait for a release.
fn hold_back(rewrite: &Rewrite) {
    let waits = rewrite.releases.iter().find_map(|it| it.before_file.as_deref());
    let Some(first) = waits.and_then(|path| rewrite.files.iter().find(|it| it.path == path)) else { return };
    if first.held || rewrite.files.first().is_some_and(|it| it.step == first.step) {
        return;
    }
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
