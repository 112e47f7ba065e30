//! `cargo xtask book`: the book of `docs`, with the pages of rules and recipes, which lie beside their code.

use crate::shell::{command, on_path, root, run, target, tools};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Component, Path, PathBuf};

const MDBOOK: &str = "0.5.4";

/// Makes it in `target/book`.
pub fn make() -> Result<()> {
    let source = target().join("book-source");
    stage(&source)?;
    let program = mdbook()?;
    let mut build = command(program, &["build", "--dest-dir"]);
    build.arg(target().join("book")).env("MDBOOK_BOOK__SRC", &source);
    run(&mut build)?;
    eprintln!("{}", target().join("book/index.html").display());
    Ok(())
}

fn mdbook() -> Result<PathBuf> {
    if on_path("mdbook") {
        return Ok("mdbook".into());
    }
    let folder = tools().join("mdbook");
    let program = folder.join("bin/mdbook");
    if !program.is_file() {
        let install = ["install", "mdbook", "--locked", "--version", MDBOOK, "--root"];
        run(crate::shell::cargo(&install).arg(&folder))?;
    }
    Ok(program)
}

/// Copies all pages, so that a link which left `docs` finds its page in the book.
fn stage(source: &Path) -> Result<()> {
    if source.exists() {
        fs::remove_dir_all(source)?;
    }
    let docs = root().join("docs");
    let mut pages = Vec::new();
    for file in files_below(&docs)? {
        let to = source.join(file.strip_prefix(&docs)?);
        fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        if file.extension().is_some_and(|it| it == "md") {
            let text = fs::read_to_string(&file)?;
            fs::write(to, linked(&text, &file, &docs, &mut pages))?;
        } else {
            fs::copy(&file, to)?;
        }
    }
    pages.sort();
    pages.dedup();
    let mut known = pages.clone();
    for page in &pages {
        let text = fs::read_to_string(root().join(page))?;
        let to = source.join("pages").join(page);
        fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        fs::write(to, linked(&text, &root().join(page), &docs, &mut known))?;
    }
    let summary = source.join("SUMMARY.md");
    let text = fs::read_to_string(&summary)?;
    Ok(fs::write(summary, with_pages(&text, &pages)?)?)
}

/// The chapters of the pages, below the one that lists them.
fn with_pages(summary: &str, pages: &[PathBuf]) -> Result<String> {
    let mut chapters = String::new();
    for page in pages {
        let text = fs::read_to_string(root().join(page))?;
        let title = text.lines().find_map(|line| line.strip_prefix("# ")).context("a page has a title")?;
        chapters.push_str(&format!("  - [{title}](pages/{})\n", page.display()));
    }
    let index = "- [Hazards](hazards/index.md)\n";
    Ok(summary.replace(index, &format!("{index}{chapters}")))
}

/// The text with its links as they are in the book. Pages beside the code are noted in `pages`; what is in no book is told in words.
fn linked(text: &str, file: &Path, docs: &Path, pages: &mut Vec<PathBuf>) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("](") {
        let (before, behind) = rest.split_at(at + 2);
        let end = behind.find(')').unwrap_or(behind.len());
        made.push_str(before);
        made.push_str(&link(&behind[..end], file, docs, pages));
        rest = &behind[end..];
    }
    made + rest
}

fn link(target: &str, file: &Path, docs: &Path, pages: &mut Vec<PathBuf>) -> String {
    let (path, anchor) =
        target.split_once('#').map_or((target, String::new()), |(path, it)| (path, format!("#{it}")));
    if path.is_empty() || path.contains(':') {
        return target.to_owned();
    }
    let there = plain(&file.parent().unwrap_or(docs).join(path));
    let Ok(page) = there.strip_prefix(root()).map(Path::to_owned) else { return target.to_owned() };
    if there.starts_with(docs) && file.starts_with(docs) {
        return target.to_owned();
    }
    // Links are relative to the page that has them: first up to the book's root.
    let place =
        |it: &Path| it.strip_prefix("docs").map_or_else(|_| Path::new("pages").join(it), Path::to_owned);
    let own = place(&plain(file).strip_prefix(root()).map(Path::to_owned).unwrap_or_default());
    let ups = "../".repeat(own.components().count() - 1);
    if page.extension().is_some_and(|it| it == "md") && there.is_file() {
        if !there.starts_with(docs) {
            pages.push(page.clone());
        }
        return format!("{ups}{}{anchor}", place(&page).display());
    }
    target.to_owned()
}

/// Without `..`, which the file need not be there for.
fn plain(path: &Path) -> PathBuf {
    let mut made = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(made.pop()),
            Component::CurDir => {}
            part => made.push(part),
        }
    }
    made
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files_below(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_pages_in_the_book() {
        let docs = root().join("docs");
        let mut pages = Vec::new();
        let index = "see [a](../../core/src/hazards/compatibility/renamed_column.md), [b](../ci.md#formats), [c](https://x.y) and [d](coverage.md)";
        let text = linked(index, &docs.join("hazards/index.md"), &docs, &mut pages);
        let page = "core/src/hazards/compatibility/renamed_column.md";
        assert_eq!(pages, [Path::new(page)]);
        assert_eq!(
            text,
            format!("see [a](../pages/{page}), [b](../ci.md#formats), [c](https://x.y) and [d](coverage.md)")
        );
    }
}
