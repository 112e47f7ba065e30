//! A check's report as other tools read it: one renderer per format, over one list of findings.

mod finding;
mod gcc;
mod github;
mod gitlab;
mod junit;
mod markdown;
mod sarif;
#[cfg(test)]
mod tests;

use super::{CheckReport, RewriteReport};

/// A format of a check's report beside text and JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// SARIF 2.1.0: code scanning, viewers in editors.
    Sarif,
    /// Workflow commands, which GitHub shows as annotations.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// One test case per finding, for whatever shows tests.
    Junit,
    /// A line per finding, as compilers print them.
    Gcc,
    /// The comment on a pull request.
    Markdown,
}

/// What a renderer needs beside the report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surroundings {
    /// What stands before each path, because the reader's root is not the project's: empty, or with a final `/`.
    pub prefix: String,
    /// The rewrites that are possible, by the migration's path.
    pub rewrites: Vec<(String, RewriteReport)>,
}

/// The report in a format, with a final newline unless it is empty.
pub fn render(report: &CheckReport, format: Format, surroundings: &Surroundings) -> String {
    let findings = finding::findings(report, &surroundings.prefix);
    match format {
        Format::Sarif => sarif::render(&findings),
        Format::Github => github::render(&findings),
        Format::Gitlab => gitlab::render(&findings),
        Format::Junit => junit::render(report, &findings, &surroundings.prefix),
        Format::Gcc => gcc::render(&findings),
        Format::Markdown => markdown::render(report, &findings, surroundings),
    }
}
