//! Who owns a file, as CODEOWNERS says: the last pattern that fits wins.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::discover::Project;

/// Where hosts look for it, in their order.
const PLACES: &[&str] = &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// The owners of a project's files.
#[derive(Debug, Default)]
pub struct Owners {
    rules: Vec<(Gitignore, String)>,
}

impl Owners {
    /// Reads them; none where there is no such file.
    pub fn of(project: &Project) -> Self {
        let text = PLACES.iter().find_map(|path| project.read(path));
        Self::parse(&text.unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let rule = |line: &str| {
            let line = line.split(" #").next().unwrap_or(line).trim();
            // A section of GitLab's is no pattern.
            if line.is_empty() || line.starts_with(['#', '[', '^']) {
                return None;
            }
            let (pattern, owners) = line.split_once(char::is_whitespace)?;
            let mut builder = GitignoreBuilder::new("");
            builder.add_line(None, pattern).ok()?;
            Some((builder.build().ok()?, owners.split_whitespace().collect::<Vec<_>>().join(" ")))
        };
        Self { rules: text.lines().filter_map(rule).collect() }
    }

    /// Who owns the file at this path.
    pub fn of_path(&self, path: &str) -> Option<String> {
        let fits =
            |(glob, _): &&(Gitignore, String)| glob.matched_path_or_any_parents(path, false).is_ignore();
        self.rules.iter().rev().find(fits).map(|(_, owners)| owners.clone()).filter(|it| !it.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_wins() {
        let owners =
            Owners::parse("* @all\n# nobody\n/src/ @core\n*.sql @data @dba # queries\n/src/vendor/\n");
        let of = |path: &str| owners.of_path(path);
        assert_eq!(of("README.md").as_deref(), Some("@all"));
        assert_eq!(of("src/users.ts").as_deref(), Some("@core"));
        assert_eq!(of("src/report.sql").as_deref(), Some("@data @dba"));
        assert_eq!(of("lib/src/a.ts").as_deref(), Some("@all"));
    }
}
