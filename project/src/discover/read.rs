//! Reading a recognised folder.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use lockkeeper_core::framework::{FileName, Framework, Kind, Part, Version, parse};

use super::engine;
use super::recognise::Found;
use crate::config::Config;
use crate::files::{File, MAX_SIZE, parent};
use crate::folder::{Folder, Named, Places, Problem, Unreadable, migrations};
use crate::steps::StepSet;

/// Larger files are no migrations.
const LARGEST: u64 = 10 * MAX_SIZE;

/// A file's text, or why there is none.
pub(crate) fn text(root: &Path, path: &str) -> Result<String, Unreadable> {
    let refused = |error: std::io::Error| Unreadable {
        reason: error.to_string(),
        way_out: "make it a file that may be read",
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(root.join(path)).map_err(refused)?;
    let size = file.metadata().map_or(0, |it| it.len());
    if size > LARGEST {
        return Err(Unreadable {
            reason: format!("it is larger than {} MB", LARGEST / 1_000_000),
            way_out: "check it by itself (`lockkeeper check -` reads any length), or load its data by other means than a migration",
        });
    }
    bytes.reserve(usize::try_from(size).unwrap_or_default());
    file.take(LARGEST).read_to_end(&mut bytes).map_err(refused)?;
    String::from_utf8(bytes).map_err(|error| Unreadable {
        reason: format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()),
        way_out: "save it as UTF-8, for example with iconv",
    })
}

/// Reads a folder.
pub(super) fn folder(root: &Path, config: &Config, files: &[File], found: &Found<'_>) -> Folder {
    let framework = found.framework;
    let plan = if framework.id == "sqitch" { plan(root, files, found.path) } else { Vec::new() };
    let mut problems: Vec<Problem> = found.rival.map(|rival| undecided(found, rival)).into_iter().collect();
    let mut named = Vec::new();
    for file in inside(files, found.path) {
        let relative = file.path[found.path.len()..].trim_start_matches('/');
        match parse(framework, relative).or_else(|| unnumbered(framework, relative)) {
            Some(name) => named.push(read(root, file, planned(&plan, name))),
            None => problems.extend(left_out(framework, file, relative)),
        }
    }
    let manifests = manifests(root, files, found.path);
    let order = |path: &str| place_in_manifest(&manifests, path);
    let texts: Vec<Arc<str>> = named.iter().filter_map(|it| it.text.clone().ok()).collect();
    let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
    let engine = engine::engine(root, config, files, found.path, &texts);
    let migrations = migrations(framework, named, order);
    if migrations.is_empty() {
        problems.push(Problem::unread(
            found.path,
            "holds no migrations",
            "check the path and the framework in lockkeeper.toml",
        ));
    }
    if engine.dialect.is_none() && engine.foreign.is_none() {
        let message = "nothing shows which engine this is for, so it is taken for PostgreSQL";
        problems.push(Problem::new(found.path, message, "state `dialect` in lockkeeper.toml"));
    }
    let mut folder = Folder {
        framework,
        dialect: engine.dialect,
        foreign: engine.foreign,
        dialect_source: engine.source,
        path: found.path.to_owned(),
        settings: super::runner::settings(root, files, framework),
        places: Places::of(&migrations),
        migrations,
        problems,
        step_problems: Vec::new(),
    };
    folder.step_problems = folder.step_sets(&[]).iter().flat_map(StepSet::problems).collect();
    folder
}

/// A file in a folder, or for layouts with folders one level deeper; Flyway looks at any depth.
fn inside<'a>(files: &'a [File], folder: &str) -> impl Iterator<Item = &'a File> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let first = files.partition_point(|file| file.path < prefix);
    files[first..].iter().take_while(move |file| file.path.starts_with(&prefix))
}

fn read(root: &Path, file: &File, name: FileName) -> Named {
    let text = text(root, &file.path).map(Arc::from);
    Named { file: name, path: file.path.clone(), text }
}

/// The question that only the project's people can answer: the two runners would not do the same.
fn undecided(found: &Found<'_>, rival: &Framework) -> Problem {
    let Found { path, framework, .. } = found;
    let message =
        format!("looks like {} and like {}, which do not run files alike", framework.title, rival.title);
    let lines = |id: &str| format!("`[[migrations]]` `path = \"{path}\"` `framework = \"{id}\"`");
    let way_out = format!("write which into lockkeeper.toml: {} or {}", lines(framework.id), lines(rival.id));
    Problem::unread(path, message, way_out)
}

/// The names of Sqitch's changes in the order of its plan.
fn plan(root: &Path, files: &[File], folder: &str) -> Vec<String> {
    let file = inside(files, folder).find(|file| file.name() == "sqitch.plan");
    let text = file.and_then(|file| text(root, &file.path).ok()).unwrap_or_default();
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['%', '#', '@']));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// A name with its place in the plan, where it has one.
fn planned(plan: &[String], name: FileName) -> FileName {
    match plan.iter().position(|it| *it == name.name) {
        Some(place) => FileName { version: Version::planned(&name.name, place), ..name },
        None => name,
    }
}

/// A SQL file without a number, directly in a plain folder: it counts, and its place is said to be unknown.
fn unnumbered(framework: &Framework, relative: &str) -> Option<FileName> {
    let stem = relative.strip_suffix(".sql").filter(|it| framework.id == "plain" && !it.contains('/'))?;
    let version = Version::unnumbered(stem);
    Some(FileName { version, name: stem.to_owned(), part: Part::Whole, kind: Kind::Versioned })
}

/// A file that the framework passes by, if its author may have meant it to run.
fn left_out(framework: &Framework, file: &File, relative: &str) -> Option<Problem> {
    let depth = relative.matches('/').count();
    let code = [".go", ".java", ".kt", ".rs", ".js", ".ts", ".py"].iter().any(|it| relative.ends_with(it));
    let numbered = relative.starts_with(|it: char| it.is_ascii_digit() || it == 'V');
    if relative.ends_with(".sql") && depth == 0
        || relative.ends_with(".sql")
            && depth == 1
            && matches!(framework.layout, lockkeeper_core::framework::Layout::Folders { .. })
    {
        let message = format!("is not named as {} wants it, so it never runs", framework.title);
        return Some(Problem::unread(
            &file.path,
            message,
            format!(
                "rename or move it, or list it under `ignore` in lockkeeper.toml; see {}",
                framework.manual
            ),
        ));
    }
    (code && numbered && depth == 0).then(|| {
        Problem::unread(
            &file.path,
            "is a migration in code, which is not analysed",
            "check the SQL that it runs: `lockkeeper check -` reads it",
        )
    })
}

/// The manifests below a folder with the folders they stand in.
fn manifests(root: &Path, files: &[File], folder: &str) -> Vec<(String, String)> {
    let manifests = inside(files, folder).filter(|file| file.name() == "manifest.json");
    manifests.filter_map(|file| Some((parent(&file.path).to_owned(), text(root, &file.path).ok()?))).collect()
}

/// Where a manifest beside the file names it; files without one are in the order of their names.
fn place_in_manifest(manifests: &[(String, String)], path: &str) -> usize {
    let manifest = manifests.iter().find(|(folder, _)| folder == parent(path));
    manifest.and_then(|(_, text)| text.find(&format!("\"{}\"", crate::files::name(path)))).unwrap_or(0)
}
