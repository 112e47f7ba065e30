//! `lockkeeper check`: what is dangerous in migrations.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use lockkeeper_core::dialect::Target;
use lockkeeper_core::hazards::Severity;
use lockkeeper_core::policy::{Policy, Verdict};
use lockkeeper_core::report::{CheckReport, FileReport};
use lockkeeper_project::analysis::{self, CheckedFile};
use lockkeeper_project::discover::{Place, Project};
use lockkeeper_project::target::target;
use lockkeeper_project::{folder, git, pending};

use crate::args::{CheckArgs, Format};
use crate::exit::{Exit, usage};
use crate::{output, place};

use super::snippet;

pub fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let start = args.paths.iter().find(|path| *path != Path::new("-")).map_or(Path::new("."), |path| path);
    let project = place::project(start)?;
    let policy = policy(&project, args)?;
    let mut found = Found { deploy: deploy(&project, args)?, ..Found::default() };
    if args.paths.is_empty() {
        whole(&project, args, &policy, &mut found)?;
    }
    for path in &args.paths {
        one(&project, path, args, &policy, &mut found)?;
    }
    let pending = found.look_closely(&project, &policy);
    let report = report(&mut found, pending);
    show(&report, &found.texts, args.format)?;
    // The process ends here: to take everything apart would be a twentieth of its time.
    let verdict = report.verdict == "block";
    std::mem::forget((project, found, report));
    Ok(if verdict { Exit::Hazards } else { Exit::Fine })
}

/// The files that run in the next deploy, where the call says how to find them, and those that are then reported: these,
/// or those that changed.
struct Deploy {
    reported: BTreeSet<String>,
    pending: BTreeSet<String>,
}

fn deploy(project: &Project, args: &CheckArgs) -> anyhow::Result<Option<Deploy>> {
    if let Some(rev) = &args.since {
        let reported = git::since(&project.root, rev)?.into_iter().collect();
        return Ok(Some(Deploy {
            reported,
            pending: git::new_since(&project.root, rev)?.into_iter().collect(),
        }));
    }
    let Some(url) = &args.database_url else { return Ok(None) };
    let mut open = BTreeSet::new();
    for folder in project.folders.iter().filter(|folder| analysis::is_analysed(folder)) {
        let applied = pending::applied(url, folder.framework)?;
        open.extend(pending::pending(folder, &applied));
    }
    Ok(Some(Deploy { reported: open.clone(), pending: open }))
}

/// What the call is about. Of most files only what is said of them is kept: a history may have tens of thousands.
#[derive(Default)]
struct Found {
    deploy: Option<Deploy>,
    /// What is said of each file, in order.
    files: Vec<FileReport>,
    texts: Vec<Arc<str>>,
    target: Option<Target>,
    worst: Option<Verdict>,
    /// The files that are looked at closely, with their places in `files`: those that were named or run in the next deploy, else
    /// the last of each folder. Their readers and writers are looked for.
    close: Vec<(usize, CheckedFile)>,
    problems: Vec<folder::Problem>,
}

impl Found {
    /// Takes a file in; gives it back with its place where it may have to be looked at closely.
    fn add(&mut self, project: &Project, policy: &Policy, file: CheckedFile) -> Option<(usize, CheckedFile)> {
        let reported = self.deploy.as_ref().is_none_or(|deploy| deploy.reported.contains(&file.path));
        if !reported || !file.runs() {
            return None;
        }
        let rows = analysis::declared_rows(project);
        self.target.get_or_insert_with(|| file.target.clone());
        self.worst = self.worst.max(Some(analysis::verdict(&file, policy)));
        self.files.push(analysis::file_report(&file, rows.as_ref(), &BTreeMap::new()));
        self.texts.push(file.text.clone());
        Some((self.files.len() - 1, file))
    }

    /// Looks at the files of a deploy together and for the users of what goes away; gives the files that run in the deploy.
    fn look_closely(&mut self, project: &Project, policy: &Policy) -> Vec<String> {
        let (places, mut files): (Vec<usize>, Vec<CheckedFile>) =
            std::mem::take(&mut self.close).into_iter().unzip();
        let pending = self.deploy.take().map(|deploy| deploy.pending).unwrap_or_default();
        analysis::deploy::check_pending(project, &mut files, &pending, policy);
        let references = analysis::subjects_references(project, &files);
        let rows = analysis::declared_rows(project);
        for (place, file) in places.iter().zip(&files) {
            self.worst = self.worst.max(Some(analysis::verdict(file, policy)));
            self.files[*place] = analysis::file_report(file, rows.as_ref(), &references);
        }
        std::mem::forget(files);
        self.files.iter().map(|it| it.path.clone()).filter(|it| pending.contains(it)).collect()
    }
}

fn report(found: &mut Found, pending: Vec<String>) -> CheckReport {
    let target = found.target.take().unwrap_or_default();
    let files = std::mem::take(&mut found.files);
    let mut report = CheckReport::new(&target, files, found.worst.unwrap_or(Verdict::Pass));
    report.pending = pending;
    report.problems = found.problems.iter().map(analysis::problem_report).collect();
    report
}

fn policy(project: &Project, args: &CheckArgs) -> anyhow::Result<Policy> {
    let fail_on = match args.fail_on.as_str() {
        "note" => Severity::Note,
        "warning" => Severity::Warning,
        "danger" => Severity::Danger,
        other => return Err(usage(format!("there is no severity {other}: say note, warning or danger"))),
    };
    Ok(Policy { fail_on, ..analysis::policy(project, Some(place::now())) })
}

/// All migrations of a project.
fn whole(project: &Project, args: &CheckArgs, policy: &Policy, found: &mut Found) -> anyhow::Result<()> {
    for folder in &project.folders {
        self::folder(project, folder, args, policy, found, |_| true)?;
    }
    found.problems.extend(project.problems.iter().cloned());
    aside(project, found, |_| true);
    if project.folders.is_empty() && found.problems.is_empty() {
        return Err(usage(format!(
            "{} holds no migrations that we know: name a file, or the folder under [[migrations]] in lockkeeper.toml",
            project.root.display()
        )));
    }
    if !project.folders.is_empty() && project.folders.iter().all(|folder| folder.migrations.is_empty()) {
        found.problems.push(folder::Problem::new(
            &project.folders[0].path,
            "the folder holds no migrations yet",
            "nothing to do",
        ));
    }
    Ok(())
}

fn folder(
    project: &Project,
    folder: &lockkeeper_project::folder::Folder,
    args: &CheckArgs,
    policy: &Policy,
    found: &mut Found,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<()> {
    found.problems.extend(folder.all_problems().cloned());
    if !analysis::is_analysed(folder) && args.target.dialect.is_none() {
        let engine = folder.foreign.map_or_else(
            || folder.dialect.map_or("an engine that nothing names".to_owned(), |it| it.title().to_owned()),
            str::to_owned,
        );
        found.problems.push(folder::Problem::new(
            &folder.path,
            format!("{} migrations for {engine} are not analysed yet", folder.migrations.len()),
            "say --dialect postgres if they are for PostgreSQL",
        ));
        return Ok(());
    }
    let target = place::target(&args.target, target(project, Some(folder)))?;
    let mut last = None;
    let has_deploy = found.deploy.is_some();
    let wanted = |source: &folder::Source| wanted(&source.path);
    analysis::check_each(folder, &target, policy, wanted, |file| {
        let Some(file) = found.add(project, policy, file) else { return };
        if has_deploy {
            found.close.push(file);
        } else if file.1.is_up() {
            last = Some(file);
        }
    });
    found.close.extend(last);
    Ok(())
}

/// What is recognised and not analysed: silence must not pass for safety.
fn aside(project: &Project, found: &mut Found, wanted: impl Fn(&str) -> bool) {
    for it in project.not_analysed.iter().filter(|it| wanted(&it.path)) {
        let message = format!("{} files of {} are not analysed", it.files, it.what);
        found.problems.push(folder::Problem::new(&it.path, message, "print their SQL and check that"));
    }
    for dump in project.dumps.iter().filter(|dump| wanted(&dump.path)) {
        let message = "a dump of a schema, no migration";
        found.problems.push(folder::Problem::new(&dump.path, message, "`lockkeeper schema` reads it"));
    }
}

/// One path of the call: a file, or a folder with everything below it.
fn one(
    project: &Project,
    path: &Path,
    args: &CheckArgs,
    policy: &Policy,
    found: &mut Found,
) -> anyhow::Result<()> {
    if path.is_dir() {
        let inside = project.relative(&place::absolute(path));
        let is_inside = |it: &str| {
            inside.is_empty() || inside == "." || it == inside || it.starts_with(&format!("{inside}/"))
        };
        let mut any = false;
        for folder in &project.folders {
            let holds = is_inside(&folder.path) || inside.starts_with(&format!("{}/", folder.path));
            any |= holds;
            if holds {
                self::folder(project, folder, args, policy, found, |it| is_inside(it))?;
            }
        }
        let before = found.problems.len();
        aside(project, found, is_inside);
        if !any && found.problems.len() == before {
            return Err(usage(format!(
                "{} holds no migrations that we know: name the files, or the folder under [[migrations]] in lockkeeper.toml",
                path.display()
            )));
        }
        return Ok(());
    }
    let text = place::read(path)?;
    let absolute = place::absolute(path);
    let place = if path == Path::new("-") { Place::Alone } else { project.classify_file(&absolute) };
    let file = match place {
        Place::Migration(folder, ..) | Place::Folder(folder) => {
            let target = place::target(&args.target, target(project, Some(folder)))?;
            analysis::check_in_folder(folder, &target, &project.relative(&absolute), &text, policy)
        }
        Place::Alone => {
            let target = place::target(&args.target, target(project, None))?;
            let name = if path == Path::new("-") { "-".to_owned() } else { project.relative(&absolute) };
            analysis::check_alone(&name, &text, &target, policy)
        }
    };
    let file = found.add(project, policy, file);
    found.close.extend(file);
    Ok(())
}

fn show(report: &CheckReport, texts: &[Arc<str>], format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(report);
    }
    let color = std::io::stdout().is_terminal();
    for (file, text) in report.files.iter().zip(texts) {
        if !file.hazards.is_empty() {
            output::text_line(&format!("{}\n", snippet::hazards(file, text, color)));
        }
        for place in &file.not_analysed {
            output::text_line(&format!("{}:{}: not analysed: {}", file.path, place.span.line, place.reason));
        }
        for problem in &file.allowance_problems {
            output::text_line(&format!("{}:{}: {}", file.path, problem.span.line, problem.reason));
        }
    }
    for problem in &report.problems {
        output::text_line(&format!("{}: {}; {}", problem.path, problem.message, problem.advice));
    }
    output::text_line(&summary(report));
    Ok(())
}

fn summary(report: &CheckReport) -> String {
    let statements: usize = report.files.iter().map(|file| file.statements).sum();
    let of = |severity: &str| {
        report.files.iter().flat_map(|file| &file.hazards).filter(|it| it.severity == severity).count()
    };
    let target = &report.target;
    let assumed = if target.source == "default" { " (assumed: nothing states it)" } else { "" };
    format!(
        "{}: {} statements in {} files for {} {}{assumed}: {} dangers, {} warnings, {} notes",
        report.verdict,
        statements,
        report.files.len(),
        target.dialect,
        target.version,
        of("danger"),
        of("warning"),
        of("note")
    )
}
