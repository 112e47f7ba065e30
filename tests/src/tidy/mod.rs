//! What matters about the code's shape, checked rather than remembered.

mod additions;
mod documents;
mod engines;
mod layers;
mod lexer;
mod manifests;
mod recipes;
mod versions;

use crate::binaries::root;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The longest a file may be. Think at 400.
const LONGEST: usize = 600;
const CODE: &[&str] = &["rs", "ts", "mjs", "lua", "py"];

/// The files that git knows or would add, relative to the root: no build products.
fn files() -> Vec<PathBuf> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let output = git.output().expect("git is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("our paths are UTF-8");
    let paths = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    paths.filter(|path| root().join(path).is_file()).collect()
}

fn with_extension(extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let ours = |path: &Path| {
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        extensions.contains(&extension) && !is_foreign(path)
    };
    files().into_iter().filter(|path| ours(path)).map(|path| (path.clone(), read(&path))).collect()
}

/// Fixtures and examples are other people's shape.
fn is_foreign(path: &Path) -> bool {
    ["tests/fixtures", "tests/corpus", "examples"].iter().any(|folder| path.starts_with(folder))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn assert_none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn files_are_short() {
    let long = with_extension(CODE).into_iter().filter_map(|(path, text)| {
        let lines = text.lines().count();
        (lines > LONGEST).then(|| format!("{} has {lines} lines", path.display()))
    });
    assert_none("files over 600 lines; split by subject", long.collect());
}

#[test]
fn every_module_begins_with_a_sentence() {
    let silent = with_extension(&["rs"]).into_iter().filter_map(|(path, text)| {
        let first = text.lines().next().unwrap_or_default();
        let essay: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let is_sentence = essay.concat().contains(['.', ':']);
        (!first.starts_with("//! ") || !is_sentence).then(|| path.display().to_string())
    });
    assert_none("files without a `//!` sentence at their beginning", silent.collect());
}

#[test]
fn nothing_is_skipped_or_left_to_do() {
    // Spelled in two pieces, so that this file does not find itself.
    let forbidden = [
        concat!("#[", "ignore"),
        concat!("#[", "should_panic"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("dbg", "!("),
        concat!(".on", "ly("),
        concat!("fn te", "st_"),
    ];
    let found = with_extension(CODE).into_iter().flat_map(|(path, text)| {
        let lines =
            text.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned())).collect::<Vec<_>>();
        let hit = move |(number, line): (usize, String)| {
            let word = forbidden.iter().find(|word| line.contains(**word))?;
            Some(format!("{}:{number}: {word}", path.display()))
        };
        lines.into_iter().filter_map(hit)
    });
    assert_none("left to do, skipped, or named against the style", found.collect());
}

#[test]
fn there_is_no_room_for_odds_and_ends() {
    let names = ["utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"];
    let odd = files().into_iter().filter(|path| names.iter().any(|name| path.ends_with(name)));
    assert_none(
        "a helper has a subject and lives with it",
        odd.map(|path| path.display().to_string()).collect(),
    );
}
