//! What stands beside the folders: dumps of schemas, and migrations in forms that we do not read.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Dump, NotAnalysed, engine, read};
use crate::files::{File, name, parent};
use crate::folder::Folder;

/// Files that hold whole schemas: by their usual names, or because pg_dump says that it wrote them.
pub(super) fn dumps(root: &Path, files: &[File], folders: &[Folder]) -> Vec<Dump> {
    let outside =
        |file: &&File| file.path.ends_with(".sql") && !folders.iter().any(|it| it.find(&file.path).is_some());
    let dump = |file: &File| {
        let text = read::text(root, &file.path).ok()?;
        is_dump(&file.path, &text)
            .then(|| Dump { path: file.path.clone(), dialect: engine::of_file(&file.path, &text) })
    };
    files.iter().filter(outside).filter_map(dump).collect()
}

fn is_dump(path: &str, text: &str) -> bool {
    let start: String = text.chars().take(400).collect();
    let written_by_tool = ["PostgreSQL database dump", "MySQL dump", "MariaDB dump", "SQLite database dump"];
    let named = matches!(name(path), "structure.sql" | "schema.sql") || parent(path).ends_with("/schema");
    written_by_tool.iter().any(|it| start.contains(it))
        || named && text.to_ascii_uppercase().contains("CREATE TABLE")
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
