//! Projects of others, as `lockkeeper` sees them.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

use crate::shell::command;

pub fn absolute(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// The files that a check of the project is about.
pub fn migrations(lockkeeper: &Path, project: &Path) -> Result<Vec<PathBuf>> {
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
