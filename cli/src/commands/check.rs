//! `lockkeeper check`: what is dangerous in migrations.

mod baseline;
mod fix;
mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use lockkeeper_core::dialect::{Dialect, Target};
use lockkeeper_core::hazards::{RULES, Severity};
use lockkeeper_core::policy::{Policy, Unread};
use lockkeeper_core::report::{CheckReport, FileReport};
use lockkeeper_core::text::counted;
use lockkeeper_project::analysis::{self, CheckedFile, Policies};
use lockkeeper_project::config::rule_refusal;
use lockkeeper_project::database::Database;
use lockkeeper_project::discover::{Place, Project};
use lockkeeper_project::files::Globs;
use lockkeeper_project::target::{target, target_alone};
use lockkeeper_project::{files, folder, git, models, pending};

use crate::args::{CheckArgs, CheckFormat};
use crate::exit::{Exit, usage};
use crate::place;

pub fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let start = args.paths.iter().find(|path| *path != Path::new("-")).map_or(Path::new("."), |path| path);
    fix::refuse_history(args)?;
    let mut checked = check(start, args)?;
    if args.fix {
        let changed = fix::write(&checked)?;
        if changed {
            checked = check(start, args)?;
        }
    }
    let Checked { project, policies, mut report, texts, close } = checked;
    if let Some(path) = &args.baseline.baseline {
        baseline::apply(path, args, &policies, &mut report)?;
    }
    if args.diff {
        fix::show(&project, &policies, &report, &texts);
    } else {
        let rewrites = match args.format {
            CheckFormat::Markdown => show::rewrites(&project, &report, &close),
            _ => Vec::new(),
        };
        show::show(&project, &report, &texts, rewrites, args.format)?;
    }
    let exit = match report.verdict.as_str() {
        "block" => Exit::Hazards,
        "unread" => Exit::Unread,
        _ => Exit::Fine,
    };
    // The process ends here: to take everything apart would be a twentieth of its time.
    std::mem::forget((project, report, texts, close));
    Ok(exit)
}

/// What the call is about, checked.
struct Checked {
    project: Project,
    policies: Policies,
    report: CheckReport,
    /// The text of each file of the report.
    texts: Vec<Arc<str>>,
    /// The files that were looked at closely.
    close: Vec<CheckedFile>,
}

fn check(start: &Path, args: &CheckArgs) -> anyhow::Result<Checked> {
    let project = place::project(start)?;
    let policies = policies(&project, args)?;
    let mut found =
        Found { deploy: deploy(&project, args)?, excluded: excluded(&project, args)?, ..Found::default() };
    if args.paths.is_empty() {
        whole(&project, args, &policies, &mut found)?;
    }
    for path in &args.paths {
        one(&project, path, args, &policies, &mut found)?;
    }
    if let Some(revision) = &args.since {
        found.pass_unchanged(&project);
        found.problems.extend(models::without_migration(&project, revision)?);
    }
    found.pass_excluded();
    let (pending, close) = found.look_closely(&project, &policies);
    let report = report(&mut found, policies.whole(), pending);
    Ok(Checked { project, policies, report, texts: found.texts, close })
}

fn excluded(project: &Project, args: &CheckArgs) -> anyhow::Result<Option<Globs>> {
    let globs = &args.selection.excluded_paths;
    if let Some((glob, error)) = globs.iter().find_map(|glob| Some((glob, files::glob_error(glob)?))) {
        return Err(usage(format!("--exclude-path {glob} is not a glob: {error}")));
    }
    Ok((!globs.is_empty()).then(|| Globs::new(&project.root, globs)))
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
    let Some(name) = &args.database_url else { return Ok(None) };
    let database = Database::named(name).map_err(|error| usage(error.to_string()))?;
    let mut open = BTreeSet::new();
    for folder in project.folders.iter().filter(|folder| analysis::is_analysed(folder)) {
        let applied = pending::applied(&database, folder.framework)?;
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
    /// The files that the call leaves out.
    excluded: Option<Globs>,
    /// The files that are looked at closely, with their places in `files`: those that were named or run in the next deploy, else
    /// the last of each folder. Their readers and writers are looked for.
    close: Vec<(usize, CheckedFile)>,
    problems: Vec<folder::Problem>,
}

impl Found {
    /// Takes a file in; gives it back with its place where it may have to be looked at closely.
    fn add(&mut self, project: &Project, file: CheckedFile) -> Option<(usize, CheckedFile)> {
        let reported = self.deploy.as_ref().is_none_or(|deploy| deploy.reported.contains(&file.path));
        if !reported || !file.runs() || self.is_excluded(&file.path) {
            return None;
        }
        let rows = analysis::declared_sizes(project, &file.path);
        self.target.get_or_insert_with(|| file.target.clone());
        self.files.push(analysis::file_report(&file, rows.as_ref(), &BTreeMap::new()));
        self.texts.push(file.text.clone());
        Some((self.files.len() - 1, file))
    }

    /// What did not change was not asked about, except for a folder that the configuration names and that holds nothing.
    fn pass_unchanged(&mut self, project: &Project) {
        let Some(reported) = self.deploy.as_ref().map(|deploy| &deploy.reported) else { return };
        let changed = |path: &str| reported.iter().any(|it| files::is_inside(it, path));
        let is_empty = |path: &str| {
            project.folders.iter().any(|folder| folder.path == path && folder.migrations.is_empty())
        };
        for problem in &mut self.problems {
            problem.unread &= changed(&problem.path) || is_empty(&problem.path);
        }
    }

    fn is_excluded(&self, path: &str) -> bool {
        self.excluded.as_ref().is_some_and(|globs| globs.matches(path))
    }

    fn pass_excluded(&mut self) {
        let problems = std::mem::take(&mut self.problems);
        self.problems = problems.into_iter().filter(|it| !self.is_excluded(&it.path)).collect();
    }

    /// Looks at the files of a deploy together and for the users of what goes away; gives the files that run in the deploy, and those
    /// that were looked at.
    fn look_closely(&mut self, project: &Project, policies: &Policies) -> (Vec<String>, Vec<CheckedFile>) {
        let (places, mut files): (Vec<usize>, Vec<CheckedFile>) =
            std::mem::take(&mut self.close).into_iter().unzip();
        let pending = self.deploy.take().map(|deploy| deploy.pending).unwrap_or_default();
        analysis::deploy::check_pending(project, &mut files, &pending, policies);
        let references = analysis::subjects_references(project, &files);
        for (place, file) in places.iter().zip(&files) {
            let rows = analysis::declared_sizes(project, &file.path);
            self.files[*place] = analysis::close_report(project, file, rows.as_ref(), &references);
        }
        let pending = self.files.iter().map(|it| it.path.clone()).filter(|it| pending.contains(it));
        (pending.collect(), files)
    }
}

fn report(found: &mut Found, policy: &Policy, pending: Vec<String>) -> CheckReport {
    let target = found.target.take().unwrap_or_default();
    let files = std::mem::take(&mut found.files);
    let problems = found.problems.iter().map(analysis::problem_report).collect();
    CheckReport { pending, ..CheckReport::new(&target, files, problems, policy) }
}

fn policies(project: &Project, args: &CheckArgs) -> anyhow::Result<Policies> {
    let fail_on = match args.fail_on.as_str() {
        "note" => Severity::Note,
        "warning" => Severity::Warning,
        "danger" => Severity::Danger,
        other => return Err(usage(format!("there is no severity {other}: say note, warning or danger"))),
    };
    let unread = if args.allow_unread { Unread::IsListed } else { Unread::Counts };
    let selection = &args.selection;
    let named = selection.rules.iter().chain(&selection.excluded_rules);
    if let Some(refusal) = named.into_iter().find_map(|name| rule_refusal(name)) {
        return Err(usage(refusal));
    }
    let is_off = |id: &str| {
        let is = |name: &String| name == id;
        let is_left_out = !selection.rules.is_empty() && !selection.rules.iter().any(is);
        is_left_out || selection.excluded_rules.iter().any(is)
    };
    let off: Vec<&str> = RULES.iter().map(|it| it.id).filter(|id| is_off(id)).collect();
    Ok(analysis::policies(project, Some(place::now())).failing(fail_on, unread).without(&off))
}

/// All migrations of a project.
fn whole(project: &Project, args: &CheckArgs, policies: &Policies, found: &mut Found) -> anyhow::Result<()> {
    for folder in &project.folders {
        self::folder(project, folder, args, policies, found, |_| true)?;
    }
    found.problems.extend(project.problems.iter().cloned());
    aside(project, args, found, |_| true);
    if project.folders.is_empty() && !found.problems.iter().any(|it| it.unread) {
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
    policies: &Policies,
    found: &mut Found,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<()> {
    found.problems.extend(folder.all_problems().cloned());
    let target = place::target(&args.target, target(project, folder))?;
    if folder.refused_engine().is_some() && args.target.dialect.is_none() {
        // It is told with all else that is not analysed.
        return Ok(());
    }
    if !Dialect::ANALYSED.contains(&target.dialect) {
        let message = format!("migrations for {} are not analysed yet", target.dialect.title());
        let way_out = "say --dialect postgres if they are for PostgreSQL";
        found.problems.push(folder::Problem::unread(&folder.path, message, way_out));
        return Ok(());
    }
    let mut last = None;
    let has_deploy = found.deploy.is_some();
    let wanted = |source: &folder::Source| wanted(&source.path);
    analysis::check_each(folder, &target, policies, wanted, |file| {
        let Some(file) = found.add(project, file) else { return };
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
fn aside(project: &Project, args: &CheckArgs, found: &mut Found, wanted: impl Fn(&str) -> bool) {
    for it in project.not_analysed.iter().filter(|it| wanted(&it.path)) {
        let is_stated = || project.folders.iter().any(|folder| folder.path == it.path);
        if args.target.dialect.is_some() && is_stated() {
            continue;
        }
        let are = if it.files == 1 { "is" } else { "are" };
        let message = format!("{} of {} {are} not analysed", counted(it.files, "file"), it.what);
        found.problems.push(folder::Problem::unread(&it.path, message, &*it.way_out));
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
    policies: &Policies,
    found: &mut Found,
) -> anyhow::Result<()> {
    if path.is_dir() {
        let inside = project.relative(&place::absolute(path));
        let is_inside = |it: &str| files::is_inside(it, &inside);
        let mut any = false;
        for folder in &project.folders {
            let holds = is_inside(&folder.path) || inside.starts_with(&format!("{}/", folder.path));
            any |= holds;
            if holds {
                self::folder(project, folder, args, policies, found, |it| is_inside(it))?;
            }
        }
        let before = found.problems.iter().filter(|it| it.unread).count();
        aside(project, args, found, is_inside);
        if !any && found.problems.iter().filter(|it| it.unread).count() == before {
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
    let name = if path == Path::new("-") { "-".to_owned() } else { project.relative(&absolute) };
    let stated = place::target(&args.target, Target::default())?.dialect;
    let stated = args.target.dialect.as_ref().map(|_| stated);
    let problem = analysis::problem_of(project, place, &name, &text, stated);
    let is_read = !problem.as_ref().is_some_and(|it| it.unread);
    found.problems.extend(problem);
    if !is_read {
        return Ok(());
    }
    let file = match place {
        Place::Migration(folder, ..) | Place::Folder(folder) => {
            let target = place::target(&args.target, target(project, folder))?;
            analysis::check_in_folder(folder, &target, &name, &text, policies.of(&name))
        }
        Place::Alone => {
            let target = place::target(&args.target, target_alone(project, &name))?;
            analysis::check_alone(&name, &text, &target, policies.of(&name))
        }
    };
    let file = found.add(project, file);
    found.close.extend(file);
    Ok(())
}
