//! What stands beside the folders: dumps of schemas, and migrations in forms that we do not read.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::Path;

use super::form::{Form, form};
use super::{Dump, NotAnalysed, engine, read};
use crate::files::{File, parent};
use crate::folder::Folder;

/// Files that hold whole schemas: by their usual names, or because pg_dump says that it wrote them.
pub(super) fn dumps(root: &Path, files: &[File], folders: &[Folder]) -> Vec<Dump> {
    let migrations = folders.iter().flat_map(|it| &it.migrations).flat_map(|it| &it.files);
    let migrations: HashSet<&str> = migrations.map(|it| it.path.as_str()).collect();
    let outside = |file: &&File| file.path.ends_with(".sql") && !migrations.contains(file.path.as_str());
    let dump = |file: &File| {
        let named =
            matches!(file.name(), "structure.sql" | "schema.sql") || parent(&file.path).ends_with("/schema");
        if !named && !is_written_by_tool(root, &file.path) {
            return None;
        }
        let text = read::text(root, &file.path).ok()?;
        let is_dump = !named || text.to_ascii_uppercase().contains("CREATE TABLE");
        is_dump.then(|| Dump { path: file.path.clone(), dialect: engine::of_file(&file.path, &text) })
    };
    files.iter().filter(outside).filter_map(dump).collect()
}

/// Whether the first words of a file say that a tool dumped it.
fn is_written_by_tool(root: &Path, path: &str) -> bool {
    let mut start = Vec::new();
    let read = std::fs::File::open(root.join(path)).and_then(|file| file.take(600).read_to_end(&mut start));
    let start = String::from_utf8_lossy(&start);
    let written = ["PostgreSQL database dump", "MySQL dump", "MariaDB dump", "SQLite database dump"];
    read.is_ok() && written.iter().any(|it| start.contains(it))
}

/// Migrations in code or in formats of their own, by folder.
pub(super) fn not_analysed(root: &Path, files: &[File], folders: &[Folder]) -> Vec<NotAnalysed> {
    let mut found: BTreeMap<(&str, Form), usize> = BTreeMap::new();
    for file in files {
        if let Some(form) = form(root, &file.path) {
            *found.entry((parent(&file.path), form)).or_default() += 1;
        }
    }
    let others = found.into_iter().map(|((path, form), files)| NotAnalysed {
        path: path.to_owned(),
        what: form.title.to_owned(),
        files,
        way_out: form.way_out.to_owned(),
    });
    let refused = folders.iter().filter_map(|folder| {
        Some(NotAnalysed {
            path: folder.path.clone(),
            what: format!("{} ({})", folder.refused_engine()?, folder.framework.title),
            files: folder.migrations.len(),
            way_out: OTHER_ENGINE.to_owned(),
        })
    });
    let mut all: Vec<NotAnalysed> = others.chain(refused).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// What to do about a folder for an engine that is not analysed.
const OTHER_ENGINE: &str = "say --dialect postgres, or `dialect` in lockkeeper.toml, if that is wrong; else list the folder there under `ignore`";
