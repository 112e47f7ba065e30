//! One walk over a repository: which files there are, in order, as its ignore files want it.

use std::path::{MAIN_SEPARATOR, Path};

use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder};

/// Files above this size are not read.
pub const MAX_SIZE: u64 = 2_000_000;

/// A file of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Relative to the root, with `/` between its parts.
    pub path: String,
}

impl File {
    /// Its bytes. Asked of the file system now: a walk looks at names only.
    pub fn size(&self, root: &Path) -> u64 {
        std::fs::metadata(root.join(&self.path)).map_or(0, |it| it.len())
    }

    /// The part behind the last `/`.
    pub fn name(&self) -> &str {
        name(&self.path)
    }
}

/// The part of a path behind the last `/`.
pub fn name(path: &str) -> &str {
    slash(path).map_or(path, |at| &path[at + 1..])
}

/// The part of a path before the last `/`; empty at the root.
pub fn parent(path: &str) -> &str {
    slash(path).map_or("", |at| &path[..at])
}

/// Whether a path is the folder or file, or lies below it; below the root lies everything.
pub fn is_inside(path: &str, around: &str) -> bool {
    let rest = path.strip_prefix(around);
    matches!(around, "" | ".") || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where the last `/` stands. Byte by byte: paths are short, and all of a repository are asked several times.
fn slash(path: &str) -> Option<usize> {
    path.bytes().rposition(|byte| byte == b'/')
}

/// What a walk found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The files, by path.
    pub files: Vec<File>,
    /// Directories and symbolic links that are named like SQL files, and what could not be read, with the reason.
    pub odd: Vec<(String, String)>,
}

/// Hidden names that say something about a database; all others are passed by.
const HIDDEN: &[&str] = &[
    ".github",
    ".gitlab-ci.yml",
    ".circleci",
    ".devcontainer",
    ".buildkite",
    ".sqlx",
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".tool-versions",
    ".drone.yml",
    ".travis.yml",
];

/// Folders of other people's code, where no ignore file says so.
const FOREIGN: &[&str] = &["node_modules", "bower_components", "__pycache__", "venv", "target"];

/// What is wrong with a glob of the configuration.
pub fn glob_error(glob: &str) -> Option<String> {
    OverrideBuilder::new("").add(&format!("!{glob}")).err().map(|error| error.to_string())
}

/// Globs of paths, as a `.gitignore` spells them.
#[derive(Debug, Clone)]
pub struct Globs(Override);

impl Globs {
    /// The globs; those that [`glob_error`] refuses match nothing.
    pub fn new(root: &Path, globs: &[String]) -> Self {
        let mut overrides = OverrideBuilder::new(root);
        for glob in globs {
            let _ = overrides.add(&format!("!{glob}"));
        }
        Self(overrides.build().unwrap_or_else(|_| Override::empty()))
    }

    /// Whether one of them matches the file or a folder around it. The path is relative to the root.
    pub fn matches(&self, path: &str) -> bool {
        let mut folders = Path::new(path).ancestors().skip(1);
        self.0.matched(path, false).is_ignore() || folders.any(|it| self.0.matched(it, true).is_ignore())
    }
}

/// Walks the repository. `ignored` are globs from the configuration.
pub fn walk(root: &Path, ignored: &[String]) -> Files {
    let mut found = Files::default();
    let mut builder = WalkBuilder::new(root);
    builder.hidden(false).require_git(false).ignore(false).filter_entry(is_wanted);
    // The configuration was refused where one of its globs is wrong.
    builder.overrides(Globs::new(root, ignored).0);
    for entry in builder.build() {
        match entry {
            Ok(entry) => note(root, &entry, &mut found),
            Err(error) => found.odd.push((".".to_owned(), error.to_string())),
        }
    }
    found.files.sort();
    found.odd.sort();
    found
}

fn is_wanted(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let hidden = name.starts_with('.') && !HIDDEN.contains(&name.as_ref());
    entry.depth() == 0 || !(hidden || FOREIGN.contains(&name.as_ref()))
}

fn note(root: &Path, entry: &DirEntry, found: &mut Files) {
    let Some(kind) = entry.file_type().filter(|_| entry.depth() > 0) else {
        return;
    };
    let path = relative(root, entry.path());
    if kind.is_file() {
        found.files.push(File { path });
    } else if path.ends_with(".sql") {
        let what = if kind.is_dir() {
            "is a directory named like a SQL file"
        } else {
            "is a symbolic link, which is not followed"
        };
        found.odd.push((path, what.to_owned()));
    }
}

/// A path relative to the root with `/` between its parts; as it is where it lies elsewhere.
pub fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    // What a walk finds is spelled like this already.
    if let Some(plain) = path.to_str().filter(|it| {
        MAIN_SEPARATOR == '/'
            && !it.starts_with(['/', '.'])
            && !it.contains("/.")
            && !it.contains("//")
            && !it.ends_with('/')
    }) {
        return plain.to_owned();
    }
    let parts: Vec<_> = path.components().map(|it| it.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
