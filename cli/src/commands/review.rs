//! `lockkeeper review`: steps that somebody else wrote, as files or in a plan.

use std::path::{Path, PathBuf};

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::dialect::Target;
use lockkeeper_core::report::{ReviewReport, ReviewedRelease, ReviewedStep};
use lockkeeper_core::text::{counted, sanitise};
use lockkeeper_project::analysis::{self, History};
use lockkeeper_project::discover::Place;
use lockkeeper_project::target::target_alone;
use lockkeeper_project::{Project, git, review};

use crate::args::{Format, ReviewArgs};
use crate::exit::{Exit, usage};
use crate::{output, place};

pub fn run(args: &ReviewArgs) -> anyhow::Result<Exit> {
    let first = args.paths.first().map_or(Path::new("."), PathBuf::as_path);
    let project = place::project(first)?;
    let report = match args.paths.as_slice() {
        [only] if is_document(only) => document(&project, only)?,
        paths => {
            let files = files(&project, paths, args.since.as_deref())?;
            for path in &files {
                place::analysed(&project, &project.root.join(path), &place::read(&project.root.join(path))?)?;
            }
            let policies = analysis::policies(&project, Some(place::now()));
            review::of_files(&project, &files, &policies).map_err(usage)?
        }
    };
    match args.format {
        Format::Json => output::json(&report)?,
        Format::Text => output::text_line(&in_words(&report)),
    }
    Ok(match report.verdict.as_str() {
        "block" => Exit::Hazards,
        "unread" => Exit::Unread,
        _ => Exit::Fine,
    })
}

fn is_document(path: &Path) -> bool {
    path.extension().is_some_and(|it| ["md", "markdown"].iter().any(|own| it.eq_ignore_ascii_case(own)))
}

/// A plan in words, on the schema behind all migrations.
fn document(project: &Project, path: &Path) -> anyhow::Result<ReviewReport> {
    let text = place::read(path)?;
    let mut folders = project.folders.iter().filter(|it| analysis::is_analysed(it));
    let (target, before): (Target, Catalog) = match (folders.next(), folders.next()) {
        (Some(only), None) => {
            let history = History::replay(project, only);
            (history.target.clone(), history.after().clone())
        }
        (None, _) => {
            let target = target_alone(project, &project.relative(&place::absolute(path)));
            let unknown = Catalog::unknown(target.dialect);
            (target, unknown)
        }
        (Some(one), Some(other)) => {
            return Err(usage(format!(
                "there are several folders of migrations ({}, {}, …), and nothing says which schema the plan is about: run it in the folder of one of them",
                one.path, other.path
            )));
        }
    };
    review::of_document(&text, &target, &before)
        .map_err(|error| usage(format!("{}: {error}", path.display())))
}

/// The migrations that are named, in the order in which they run: files, all of a folder, or what is new since a revision.
fn files(project: &Project, paths: &[PathBuf], since: Option<&str>) -> anyhow::Result<Vec<String>> {
    let new = match since {
        Some(revision) => {
            Some(git::new_since(&project.root, revision).map_err(|error| usage(error.to_string()))?)
        }
        None if paths.is_empty() => {
            return Err(usage(
                "say which steps: files, a folder, a plan in Markdown, or --since REV for those that are new",
            ));
        }
        None => None,
    };
    let asked: Vec<PathBuf> = paths.iter().map(|it| place::absolute(it)).collect();
    if let Some(gone) = paths.iter().find(|it| !it.exists()) {
        return Err(usage(format!("{} does not exist: check the path", gone.display())));
    }
    let is_asked = |path: &str| {
        let whole = project.root.join(path);
        let named = asked.is_empty() || asked.iter().any(|it| whole.starts_with(it));
        named && new.as_ref().is_none_or(|it| it.iter().any(|new| new == path))
    };
    let mut found: Vec<String> = Vec::new();
    for folder in project.folders.iter().filter(|it| analysis::is_analysed(it)) {
        let of_folder = folder.migrations.iter().flat_map(|it| &it.files).map(|it| it.path.clone());
        found.extend(of_folder.filter(|it| is_asked(it)));
    }
    // Files that stand in no folder of migrations come in the order in which they are named.
    for path in asked.iter().filter(|it| it.is_file()) {
        if matches!(project.classify_file(path), Place::Alone) {
            found.push(project.relative(path));
        }
    }
    match found.is_empty() {
        true => Err(usage(
            "there is no migration for PostgreSQL among them: name files, a folder of migrations or a plan in Markdown",
        )),
        false => Ok(found),
    }
}

fn in_words(report: &ReviewReport) -> String {
    let mut lines =
        vec![format!("{} for PostgreSQL {}:", counted(report.steps.len(), "step"), report.target.version)];
    if !report.schema_known {
        lines.push("The schema before them is not known, so what is not in it counts as there.".to_owned());
    }
    for step in &report.steps {
        lines.extend(step_in_words(step));
    }
    lines.push(String::new());
    lines.push(releases_in_words(report));
    if let Some(step) = report.point_of_no_return {
        lines.push(format!("Point of no return: step {step} loses what only a backup can give back."));
    }
    let without: Vec<String> =
        report.steps.iter().filter(|it| !it.goes_back).map(|it| it.step.to_string()).collect();
    if !without.is_empty() {
        lines.push(format!(
            "No way back is written for {} {}.",
            if without.len() == 1 { "step" } else { "steps" },
            without.join(", ")
        ));
    }
    for objection in &report.objections {
        let place = objection.step.map(|it| format!("step {it}: ")).unwrap_or_default();
        lines.push(format!("{}: {place}{}", objection.severity, objection.message));
    }
    lines.extend(report.unread.iter().map(|it| {
        format!("unread: {} line {}: {}; {}", sanitise(&it.name, 200), it.line, it.reason, it.advice)
    }));
    if !report.checklist.is_empty() {
        lines.push("\nThe words of the plan (looked for by words, not understood):".to_owned());
        lines.extend(report.checklist.iter().map(|it| match it.line {
            Some(line) => format!("  line {line:<4} {}", it.point),
            None => format!("  missing   {}", it.point),
        }));
    }
    lines.push(format!("\n{}", report.verdict));
    lines.join("\n")
}

fn step_in_words(step: &ReviewedStep) -> Vec<String> {
    let works = |who: &str, misses: &[String]| match misses {
        [] => format!("       {who}: works"),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
            format!("       {who}: fails, {first}{more}")
        }
    };
    let mut lines = vec![format!("\n  {:>2}  {}", step.step, sanitise(&step.name, 200))];
    lines.push(works("the running release behind it", &step.running_release));
    lines.push(works("the new release behind it", &step.new_release));
    lines.extend(
        step.findings
            .iter()
            .map(|it| format!("       {} line {}: {} ({})", it.severity, it.line, it.message, it.rule)),
    );
    lines
}

fn releases_in_words(report: &ReviewReport) -> String {
    let place = |it: &ReviewedRelease| {
        let behind = match it.behind_step {
            0 => "before step 1 or later".to_owned(),
            step => format!("behind step {step}"),
        };
        match it.before_step {
            Some(step) if it.behind_step + 1 == step && it.behind_step == 0 => "before step 1".to_owned(),
            Some(step) => format!("{behind}, and out everywhere before step {step}"),
            None => behind,
        }
    };
    match report.releases.as_slice() {
        [] if report.releasable => {
            "Both releases work beside every step: the application can be released at any time.".to_owned()
        }
        [] => "There is no moment at which the application can be released.".to_owned(),
        [new] => format!("Release the application {}.", place(new)),
        [both, new, ..] => format!(
            "Two releases: one that writes old and new {}; then the one that uses only the new {}.",
            place(both),
            place(new)
        ),
    }
}
