//! From paths on the command line to projects, targets and texts.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use lockkeeper_core::dialect::{Dialect, Target, Version};
use lockkeeper_core::framework::Timestamp;
use lockkeeper_project::discover::DiscoverError;
use lockkeeper_project::{Project, analysis, discover};

use crate::args::TargetArgs;
use crate::exit::{unread, usage};

/// The project of a path, which must exist.
pub fn project(path: &Path) -> anyhow::Result<Project> {
    if !path.exists() {
        return Err(usage(format!(
            "{} does not exist: check the path, or the folder you are in",
            path.display()
        )));
    }
    discover(path).map_err(|error| match error {
        DiscoverError::Config(error) => usage(error.to_string()),
        error => error.into(),
    })
}

/// Refuses a file that is not analysed: nothing can be planned from it.
pub fn analysed(project: &Project, path: &Path, text: &str) -> anyhow::Result<()> {
    let place = project.classify_file(&absolute(path));
    let path = project.relative(&absolute(path));
    match analysis::problem_of(project, place, &path, text, None).filter(|it| it.unread) {
        Some(problem) => Err(unread(&problem)),
        None => Ok(()),
    }
}

/// The target that the command line states, over the one that was found.
pub fn target(args: &TargetArgs, found: Target) -> anyhow::Result<Target> {
    let mut target = found;
    if let Some(dialect) = &args.dialect {
        target.dialect = Dialect::from_id(dialect)
            .ok_or_else(|| usage(format!("there is no engine {dialect}: say postgres, mysql or sqlite")))?;
        "command line".clone_into(&mut target.source);
    }
    if let Some(version) = &args.target_version {
        target.version = Version::parse(version)
            .ok_or_else(|| usage(format!("{version} is no version: say --target-version 15")))?;
        "command line".clone_into(&mut target.source);
    }
    if let Some(refusal) = Target::refusal(target.dialect, target.version) {
        return Err(usage(refusal));
    }
    Ok(target)
}

/// Reads a text; `-` is standard input.
pub fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("standard input cannot be read")?;
        return String::from_utf8(bytes).map_err(|_| usage("standard input is not UTF-8: convert it first"));
    }
    if path.is_dir() {
        return Err(usage(format!("{} is a folder: name a file in it", path.display())));
    }
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => usage(format!("{} does not exist: check the path", path.display())),
        _ => anyhow::Error::new(error).context(format!("{} cannot be read", path.display())),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        usage(format!(
            "{} is not UTF-8 (byte {at}): convert it first, for example with iconv",
            path.display()
        ))
    })
}

/// The moment that new files are named after.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_unix(since.map_or(0, |it| it.as_secs()))
}

/// An absolute path, as far as it can be told.
pub fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
