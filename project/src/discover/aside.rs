//! What stands beside the folders: dumps of schemas, and migrations in forms that we do not read.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::Path;

use super::{Dump, NotAnalysed, engine, read};
use crate::files::{File, name, parent};
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
pub(super) fn not_analysed(files: &[File], folders: &[Folder]) -> Vec<NotAnalysed> {
    let mut found: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for file in files {
        let what = form(&file.path);
        if let Some(what) = what {
            *found.entry((parent(&file.path), what)).or_default() += 1;
        }
    }
    let others = found.into_iter().map(|((path, what), files)| NotAnalysed {
        path: path.to_owned(),
        what: what.to_owned(),
        files,
    });
    let foreign = folders.iter().filter_map(|folder| {
        let what = format!("{} ({})", folder.foreign?, folder.framework.title);
        Some(NotAnalysed { path: folder.path.clone(), what, files: folder.migrations.len() })
    });
    let mut all: Vec<NotAnalysed> = others.chain(foreign).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

fn form(path: &str) -> Option<&'static str> {
    let (file, folder) = (name(path), parent(path));
    let extension = file.rsplit('.').next().unwrap_or("");
    let numbered = file.starts_with(|it: char| it.is_ascii_digit());
    let below =
        |it: &str| folder == it || folder.ends_with(&format!("/{it}")) || folder.contains(&format!("{it}/"));
    match extension {
        "xml" | "yaml" | "yml" | "json"
            if below("changelog") || below("changelogs") || file.contains("changelog") =>
        {
            Some("Liquibase")
        }
        "rb" if numbered && below("db/migrate") => Some("Rails"),
        "py" if numbered && name(folder) == "migrations" => Some("Django"),
        "py" if name(folder) == "versions" && folder.contains("/") => Some("Alembic"),
        "exs" if numbered && below("repo/migrations") => Some("Ecto"),
        "php" if numbered && below("migrations") => Some("Laravel or Doctrine"),
        "js" | "ts" | "mjs" | "cjs" if numbered && name(folder).contains("migration") => {
            Some("migrations in JavaScript (Knex, TypeORM, Sequelize ...)")
        }
        _ => None,
    }
}
