//! A file that `init` would write, or the reason why it leaves it alone.

use lockkeeper_project::Project;

/// What is proposed for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Relative to the root.
    pub path: String,
    /// What it holds now; `None` where it is not there.
    pub before: Option<String>,
    /// What it would hold; `None` where it is left as it is.
    pub after: Option<String>,
    /// What it is for, or why it is left alone and what to do by hand.
    pub about: String,
}

impl Proposal {
    /// A new file. One that is there already stays as it is.
    pub fn new_file(project: &Project, path: &str, after: String, about: &str) -> Self {
        if project.root.join(path).exists() {
            return Self::left(path, "is already there, and stays as it is");
        }
        Self { path: path.to_owned(), before: None, after: Some(after), about: about.to_owned() }
    }

    /// A file that is there, with something added.
    pub fn changed(path: &str, before: String, after: String, about: &str) -> Self {
        Self { path: path.to_owned(), before: Some(before), after: Some(after), about: about.to_owned() }
    }

    /// A file that is left as it is.
    pub fn left(path: &str, about: impl Into<String>) -> Self {
        Self { path: path.to_owned(), before: None, after: None, about: about.into() }
    }
}
