//! `cargo xtask squawk PROJECT...`: the processor time of `lockkeeper check` beside squawk's, on the same files.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

use crate::measure::processor_seconds;
use crate::shell::{cargo, command, run, target};
use crate::tools;

/// What it is compared with.
const SQUAWK: &str = "squawk-cli==2.70.0";

/// So many paired runs make one comparison.
const RUNS: usize = 10;

/// Compares the two over the migrations that `lockkeeper check` finds in the projects.
pub fn compare(projects: &[PathBuf]) -> Result<()> {
    let squawk = tools::install_from_pypi("squawk-venv", SQUAWK)?.join("bin/squawk");
    run(&mut cargo(&["build", "--release", "--package", "lockkeeper"]))?;
    let lockkeeper = target().join("release/lockkeeper");
    let mut files = Vec::new();
    for project in projects {
        files.extend(migrations(&lockkeeper, project)?);
    }
    if files.is_empty() {
        bail!("these folders hold no migrations that are checked: name the roots of projects");
    }
    println!("{} files; processor seconds of squawk and of lockkeeper, and their ratio", files.len());
    let (mut squawks, mut ours) = (0.0, 0.0);
    for _ in 0..RUNS {
        // squawk reads the files that are named; a few thousand fit into one command line.
        let theirs = processor_seconds(command(&squawk, &[]).args(&files))?;
        let mut own = 0.0;
        for project in projects {
            own += processor_seconds(
                command(&lockkeeper, &["check", "--format", "json"]).arg(absolute(project)?),
            )?;
        }
        println!("{theirs:.2} {own:.2} {:.2}", own / theirs);
        squawks += theirs;
        ours += own;
    }
    println!("together {squawks:.2} {ours:.2} {:.3}", ours / squawks);
    Ok(())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// The files that a check of the project is about.
fn migrations(lockkeeper: &Path, project: &Path) -> Result<Vec<PathBuf>> {
    let project = absolute(project)?;
    let output = command(lockkeeper, &["check", "--format", "json"]).arg(&project).output()?;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{}: {}", project.display(), String::from_utf8_lossy(&output.stderr)))?;
    let files = report["files"].as_array().into_iter().flatten();
    Ok(files
        .filter_map(|file| file["path"].as_str())
        .map(|path| project.join(path))
        .filter(|it| it.is_file())
        .collect())
}
