//! What changes when something is added: the table of ARCHITECTURE.md names every file that does.

use super::{assert_none, read, with_extension};
use std::path::Path;

use lockkeeper_core::framework::FRAMEWORKS;

/// Most lines of ARCHITECTURE.md: who reads it once should remember it.
const LONGEST: usize = 200;

/// The row of the table for one kind.
fn row(kind: &str) -> String {
    let text = read(Path::new("ARCHITECTURE.md"));
    let row = text.lines().find(|it| it.starts_with(&format!("| {kind} |")));
    row.unwrap_or_else(|| panic!("no row for {kind}")).to_owned()
}

/// Files of our rooms, without their tests and comments, for which something holds.
fn files(rooms: &[&str], holds: impl Fn(&str) -> bool) -> Vec<String> {
    let code = |text: &str| {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        code.lines().filter(|it| !it.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    let ours = |path: &Path| {
        let tests = path.ends_with("tests.rs") || path.iter().any(|it| it == "tests");
        !tests && rooms.iter().any(|room| path.starts_with(room))
    };
    let found = with_extension(&["rs"]).into_iter().filter(|(path, text)| ours(path) && holds(&code(text)));
    found.map(|(path, _)| path.display().to_string()).collect()
}

/// Those that a row names neither whole nor by what stands behind the room.
fn unnamed(files: Vec<String>, row: &str) -> Vec<String> {
    let named = |path: &String| {
        let short = ["core/src/", "project/src/", "cli/src/"].iter().find_map(|room| path.strip_prefix(room));
        row.contains(&format!("`{path}`")) || short.is_some_and(|it| row.contains(&format!("`{it}`")))
    };
    files.into_iter().filter(|it| !named(it)).collect()
}

#[test]
fn files_that_tell_engines_apart_are_named() {
    let row = row("an engine");
    let tells = |code: &str| {
        let others = ["Dialect::Mysql", "Dialect::Sqlite"].iter().any(|it| code.contains(it));
        others || code.contains("Dialect::Postgres =>")
    };
    let all =
        files(&["core/src", "project/src", "database/src", "cli/src", "lsp/src", "mcp-server/src"], tells);
    assert!(all.len() >= 5, "{all:?}");
    let all = all.into_iter().filter(|it| !it.starts_with("core/src/dialect/")).collect();
    assert_none("files that tell engines apart and are not in the table", unnamed(all, &row));
}

#[test]
fn files_that_tell_frameworks_apart_are_named() {
    // These two are words of other things too.
    let ids = FRAMEWORKS.iter().map(|it| it.id).filter(|it| !["plain", "prisma"].contains(it));
    let ids: Vec<String> = ids.map(|it| format!("\"{it}\"")).collect();
    let row = row("a framework");
    let tells = |code: &str| ids.iter().any(|id| code.contains(id));
    let all =
        files(&["core/src", "project/src", "approval/src", "cli/src", "lsp/src", "mcp-server/src"], tells);
    assert!(all.len() >= 5, "{all:?}");
    assert_none("files that tell frameworks apart and are not in the table", unnamed(all, &row));
    for file in ["core/src/framework/table.rs", "project/src/discover/recognise.rs"] {
        let text = read(Path::new(file));
        let missing = ids.iter().filter(|id| !text.contains(id.as_str()));
        assert_none(file, missing.cloned().collect());
    }
}

#[test]
fn files_of_the_table_exist() {
    let text = read(Path::new("ARCHITECTURE.md"));
    let table = text.split("## What changes when you add").nth(1).and_then(|it| it.split("\n## ").next());
    let code = table.expect("is there").split('`').skip(1).step_by(2);
    let files = code.filter(|it| it.contains('/') && it.ends_with(".rs"));
    let rooms = ["", "core/src", "project/src", "cli/src"];
    let missing = files
        .filter(|file| !rooms.iter().any(|room| crate::binaries::root().join(room).join(file).is_file()));
    assert_none("files of the table that are not there", missing.map(str::to_owned).collect());
}

#[test]
fn the_architecture_is_short() {
    let lines = read(Path::new("ARCHITECTURE.md")).lines().count();
    assert!(lines <= LONGEST, "ARCHITECTURE.md has {lines} lines");
}
