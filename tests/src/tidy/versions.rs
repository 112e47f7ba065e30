//! Versions are compared by engines alone: everybody else asks for what a version can do, by name (`core/src/engine/capability.rs`).

use super::{assert_none, with_extension};
use std::path::Path;

/// Rooms whose code decides by what a database can do.
const ROOMS: &[&str] =
    &["core/src", "project/src", "database/src", "approval/src", "cli/src", "lsp/src", "mcp-server/src"];
/// What engines say of themselves.
const OWN: &[&str] = &["core/src/engine", "core/src/dialect"];

/// Whether a line compares a version with a number of its own.
fn compares(line: &str) -> bool {
    let line = line.split("//").next().unwrap_or_default();
    // Files of ours have versions too, which are plain numbers.
    let version = ["version.major", "version.minor", ".version"];
    let compared = |rest: &str, whole: bool| {
        let rest = rest.trim_start();
        let operator = ["<=", ">=", "==", "!=", "<", ">"].iter().find_map(|it| rest.strip_prefix(it));
        let digit = |it: &str| it.trim_start().starts_with(|first: char| first.is_ascii_digit());
        operator.is_some_and(|it| !whole && digit(it) || it.trim_start().starts_with("Version::major("))
    };
    let behind = |word: &&str| {
        line.match_indices(*word).any(|(at, _)| compared(&line[at + word.len()..], *word == ".version"))
    };
    version.iter().any(behind) || line.contains(".contains(&") && line.contains("version.major)")
}

fn violations(path: &Path, text: &str) -> Vec<String> {
    let tests = path.ends_with("tests.rs") || path.iter().any(|it| it == "tests");
    if tests || !ROOMS.iter().any(|it| path.starts_with(it)) || OWN.iter().any(|it| path.starts_with(it)) {
        return Vec::new();
    }
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().enumerate().filter(|(_, line)| compares(line));
    lines.map(|(at, line)| format!("{}:{}: {}", path.display(), at + 1, line.trim())).collect()
}

#[test]
fn only_engines_compare_versions() {
    let found = with_extension(&["rs"]).into_iter().flat_map(|(path, text)| violations(&path, &text));
    assert_none("versions compared outside of the engines; ask `engine::can`", found.collect());
}

#[test]
fn a_comparison_is_found() {
    let check = |path: &str, line: &str| violations(Path::new(path), line).len();
    for line in [
        "if scene.target.version.major < 12 {",
        "let new = target.version.major>=18;",
        "let new = target.version >= Version::major(18);",
        "(12..17).contains(&target.version.major)",
    ] {
        assert_eq!(check("core/src/recipes/a.rs", line), 1, "{line}");
        assert_eq!(check("core/src/engine/postgres/effect/a.rs", line), 0);
    }
    for line in
        ["it.version.major == first.version.major", "// target.version.major < 12", "version < file.version"]
    {
        assert_eq!(check("project/src/signals.rs", line), 0, "{line}");
    }
}
