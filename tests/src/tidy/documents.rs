//! Links in documents lead somewhere, and paths that they name exist.

use super::{assert_none, with_extension};
use crate::binaries::root;
use std::path::Path;

/// The targets of `[text](target)` that are files: no addresses, no anchors alone.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for (offset, _) in line.match_indices("](") {
            let rest = &line[offset + 2..];
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !target.contains(':') {
                found.push((number, file.to_owned()));
            }
        }
    }
    found
}

/// `code` in prose that names a file or folder of ours: it has a slash, and begins with a room.
fn paths(text: &str, rooms: &[String]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let code = line.split('`').skip(1).step_by(2);
        let plain = |it: &&str| !it.contains([' ', '<', '*', '{', '$', '…']) && !it.contains("...");
        let ours =
            |it: &&str| it.split_once('/').is_some_and(|(room, _)| rooms.iter().any(|known| known == room));
        found.extend(code.filter(plain).filter(ours).map(|it| (number, it.to_owned())));
    }
    found
}

/// The lines outside of fenced blocks.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines
        .filter(|(_, line)| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
        .collect()
}

/// The folders at the root that git knows.
fn rooms() -> Vec<String> {
    let mut rooms: Vec<String> = super::files()
        .iter()
        .filter(|path| path.components().count() > 1)
        .filter_map(|path| path.components().next()?.as_os_str().to_str().map(str::to_owned))
        .collect();
    rooms.dedup();
    rooms
}

#[test]
fn links_are_alive() {
    let dead = with_extension(&["md"]).into_iter().flat_map(|(path, text)| {
        let folder = root().join(path.parent().unwrap_or(Path::new("")));
        let dead = links(&text).into_iter().filter(move |(_, link)| !folder.join(link).exists());
        dead.map(move |(line, link)| format!("{}:{line}: {link}", path.display())).collect::<Vec<_>>()
    });
    assert_none("dead links", dead.collect());
}

#[test]
fn named_paths_exist() {
    let rooms = rooms();
    let dead = with_extension(&["md"]).into_iter().flat_map(|(path, text)| {
        let missing = |(_, named): &(usize, String)| !root().join(named.trim_end_matches(':')).exists();
        let dead = paths(&text, &rooms).into_iter().filter(missing);
        dead.map(|(line, named)| format!("{}:{line}: {named}", path.display())).collect::<Vec<_>>()
    });
    assert_none("paths that are not there", dead.collect());
}

/// The name that a heading has in addresses, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}

/// The links of a text to headings: the line, the file (empty: this one), the heading.
fn links_to_headings(text: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for (offset, _) in line.match_indices("](") {
            let target = line[offset + 2..].split([')', ' ']).next().unwrap_or_default();
            if let Some((file, heading)) = target.split_once('#').filter(|_| !target.contains(':')) {
                found.push((number, file.to_owned(), heading.to_owned()));
            }
        }
    }
    found
}

#[test]
fn linked_headings_exist() {
    let mut dead = Vec::new();
    for (path, text) in with_extension(&["md"]) {
        for (line, file, heading) in links_to_headings(&text) {
            let folder = root().join(path.parent().unwrap_or(Path::new("")));
            let there = if file.is_empty() {
                Some(text.clone())
            } else {
                std::fs::read_to_string(folder.join(&file)).ok()
            };
            // That a file is there is another test's business.
            let Some(there) = there else { continue };
            let mut headings = prose(&there).into_iter().filter(|(_, line)| line.starts_with('#'));
            if !headings.any(|(_, it)| anchor(it.trim_start_matches('#')) == heading) {
                dead.push(format!("{}:{line}: {file}#{heading}", path.display()));
            }
        }
    }
    assert_none("links to headings that are not there", dead);
}

#[test]
fn headings_are_told_from_files() {
    assert_eq!(anchor(" In CI: `check --since`"), "in-ci-check---since");
    let text = "See [a](b.md#c), [d](#e) and [web](https://x.y#z).";
    assert_eq!(
        links_to_headings(text),
        [(1, "b.md".to_owned(), "c".to_owned()), (1, String::new(), "e".to_owned())]
    );
}

#[test]
fn links_and_paths_are_seen() {
    let text = "See [a](b.md#c), [web](https://x.y) and `core/src/lib.rs`, `SELECT 1/2`.\n```\n[no](x.md)\n```\n`target/x`";
    assert_eq!(links(text), [(1, "b.md".to_owned())]);
    assert_eq!(paths(text, &["core".to_owned()]), [(1, "core/src/lib.rs".to_owned())]);
}
