//! A line per finding, as compilers print them: editors, Vim's quickfix and log parsers read it.

use super::finding::{Finding, Level};

pub fn render(findings: &[Finding<'_>]) -> String {
    findings.iter().map(line).collect()
}

fn line(finding: &Finding<'_>) -> String {
    let (line, column) = finding.line_and_column();
    let severity = match finding.level {
        Level::Danger => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let (path, message, rule) = (&finding.path, &finding.message, finding.rule);
    format!("{path}:{line}:{column}: {severity}: {message} [{rule}]\n")
}
