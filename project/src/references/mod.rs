//! Who reads or writes a table or column in this repository: SQL in files and in string literals, models, and, near
//! the table's name, the word alone.
//!
//! It reads words, not programs. What it cannot follow (names put together at run time, values passed on under other
//! names) it does not find, so an empty answer is no proof; every hit says how sure it is.

mod code;
mod finder;
mod literals;
mod names;
mod sql;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use lockkeeper_core::reference::{Certainty, Reference, ReferenceKind};
use lockkeeper_core::text::{Encoding, LineIndex, Span};

use crate::discover::Project;
use crate::files::{File, MAX_SIZE};
use crate::secret;
use finder::Finder;
use names::Names;

/// What a search found, and what it did not look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// By path and place.
    pub references: Vec<Reference>,
    /// Files that were passed by, with the reason.
    pub skipped: Vec<(String, &'static str)>,
}

/// A place before it is turned into a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hit {
    span: Span,
    kind: ReferenceKind,
    certainty: Certainty,
    by_place: bool,
}

/// Finds who uses a table, or one of its columns. Migrations are not searched: they are the history, not a user.
pub fn references(project: &Project, table: &str, column: Option<&str>) -> Found {
    if table.len().max(column.map_or(0, str::len)) > LONGEST_NAME {
        return Found::default();
    }
    let mut names = Names::new(table, column);
    let searched: Vec<&File> = project.files.iter().filter(|file| is_searched(project, file)).collect();
    for schema in searched.iter().filter(|file| file.path.ends_with(".prisma")) {
        if let Some(text) = project.read(&schema.path) {
            names.learn_from_prisma(&text);
        }
    }
    let Some(search) = Search::new(&project.root, names) else {
        return Found::default();
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let share = searched.len().div_ceil(workers).max(1);
    let mut found = Found::default();
    std::thread::scope(|scope| {
        let parts: Vec<_> = searched.chunks(share).map(|files| scope.spawn(|| search.all(files))).collect();
        for part in parts.into_iter().filter_map(|part| part.join().ok()) {
            found.references.extend(part.references);
            found.skipped.extend(part.skipped);
        }
    });
    found.references.sort();
    found
}

/// No engine has names half as long, and what finds a name takes longer to make than its length says.
const LONGEST_NAME: usize = 1_000;

/// Prose, pictures, locks and the like: they name tables but nothing fails when a name is gone.
const PASSED_BY: &[&str] = &[
    "md", "mdx", "txt", "rst", "adoc", "lock", "svg", "css", "scss", "less", "map", "po", "csv", "tsv",
    "png", "jpg", "jpeg", "gif", "ico", "webp", "pdf", "woff", "woff2", "ttf", "zip", "gz", "jar", "sum",
    "snap",
];

fn is_searched(project: &Project, file: &File) -> bool {
    let extension = file.name().rsplit('.').next().unwrap_or("");
    let passed_by =
        PASSED_BY.contains(&extension) || file.path.contains(".min.") || file.name() == "package-lock.json";
    let is_migration = |path: &str| {
        project.folders.iter().any(|folder| !folder.path.is_empty() && folder.inside(path).is_some())
    };
    !passed_by && file.name() != crate::config::FILE_NAME && !is_migration(&file.path)
}

struct Search<'a> {
    root: &'a Path,
    names: Names,
    tables: Finder,
    columns: Option<Finder>,
    /// What may use all columns without naming one.
    wholes: Finder,
}

impl<'a> Search<'a> {
    fn new(root: &'a Path, names: Names) -> Option<Self> {
        let tables = Finder::new(&names.tables)?;
        let columns = if names.column.is_some() { Some(Finder::new(&names.columns)?) } else { None };
        let wholes = Finder::new(&["insert into".to_owned(), "copy".to_owned()])?;
        Some(Self { root, names, tables, columns, wholes })
    }

    fn all(&self, files: &[&File]) -> Found {
        let mut found = Found::default();
        // One for all files: most are looked at once and forgotten.
        let mut bytes = Vec::new();
        for file in files {
            match self.candidate(file, &mut bytes) {
                Ok(Some(text)) => found.references.extend(self.one(&file.path, &text)),
                Ok(None) => {}
                Err(reason) => found.skipped.push((file.path.clone(), reason)),
            }
        }
        found
    }

    /// The text of a file that names the table and, where one is asked for, the column or all columns.
    fn candidate(&self, file: &File, bytes: &mut Vec<u8>) -> Result<Option<String>, &'static str> {
        read(&self.root.join(&file.path), bytes)?;
        if bytes[..bytes.len().min(1024)].contains(&0) {
            return Err("not a text");
        }
        if !self.tables.is_match(bytes) {
            return Ok(None);
        }
        let column = self.columns.as_ref().is_none_or(|columns| {
            columns.is_match(bytes) || bytes.contains(&b'*') || self.wholes.is_match(bytes)
        });
        if !column {
            return Ok(None);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
        if !literals::is_sql(&file.path) && text.len() > 20_000 && text.lines().count() < text.len() / 500 {
            return Err("generated: its lines are very long");
        }
        Ok(Some(text.to_owned()))
    }

    fn one(&self, path: &str, text: &str) -> Vec<Reference> {
        let hits = hits(&self.names, path, text);
        if hits.is_empty() {
            return Vec::new();
        }
        let lines = LineIndex::new(text);
        hits.into_iter().map(|hit| reference(path, text, &lines, hit)).collect()
    }
}

/// The bytes of a file in place of those before.
fn read(path: &Path, bytes: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut file = std::fs::File::open(path).map_err(|_| "cannot be read")?;
    let size = file.metadata().map_or(0, |it| it.len());
    if size > MAX_SIZE {
        return Err("larger than 2 MB");
    }
    bytes.clear();
    bytes.reserve(usize::try_from(size).unwrap_or_default() + 1);
    file.read_to_end(bytes).map(|_| ()).map_err(|_| "cannot be read")
}

/// All places of one file; the surest where several ways found the same place.
fn hits(names: &Names, path: &str, text: &str) -> Vec<Hit> {
    let regions = literals::regions(path, text);
    let mut all = Vec::new();
    let mut covered = Vec::new();
    for chunk in literals::sql_chunks(path, text, &regions) {
        let found = sql::hits(names, &chunk.text, chunk.start);
        if found.names_table {
            covered.push(Span::new(chunk.start, chunk.start + chunk.text.len()));
        }
        all.extend(found.hits);
    }
    if !literals::is_sql(path) {
        all.extend(code::hits(names, text, &regions, &covered));
    }
    let mut best: BTreeMap<Span, Hit> = BTreeMap::new();
    for hit in all {
        let known = best.entry(hit.span).or_insert(hit);
        if hit.certainty > known.certainty {
            *known = hit;
        }
    }
    without_echoes(text, best.into_values().collect())
}

/// A bare word on a line that has a surer hit tells nothing new.
fn without_echoes(text: &str, hits: Vec<Hit>) -> Vec<Hit> {
    let line = |hit: &Hit| text[..hit.span.start].rfind('\n');
    let sure: BTreeSet<_> = hits.iter().filter(|hit| hit.kind != ReferenceKind::Text).map(line).collect();
    hits.into_iter().filter(|hit| hit.kind != ReferenceKind::Text || !sure.contains(&line(hit))).collect()
}

fn reference(path: &str, text: &str, lines: &LineIndex, hit: Hit) -> Reference {
    let place = lines.position(text, hit.span.start, Encoding::Utf32);
    let start = text[..hit.span.start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or("");
    Reference {
        path: path.to_owned(),
        span: hit.span,
        line: place.line + 1,
        column: place.column + 1,
        kind: hit.kind,
        certainty: hit.certainty,
        by_place: hit.by_place,
        excerpt: secret::excerpt(line),
    }
}

#[cfg(test)]
mod tests;
