//! GitLab's code quality report: the widget of a merge request compares two of them by their fingerprints.

use serde_json::{Value, json};

use super::finding::{Finding, Level};

pub fn render(findings: &[Finding<'_>]) -> String {
    let issues: Vec<Value> = findings.iter().map(issue).collect();
    format!("{:#}\n", Value::Array(issues))
}

fn issue(finding: &Finding<'_>) -> Value {
    let severity = match finding.level {
        Level::Danger => "critical",
        Level::Warning => "major",
        Level::Note => "info",
    };
    let (line, _) = finding.line_and_column();
    let end = finding.place.map_or(line, |it| it.end_line);
    json!({
        "description": finding.message,
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint,
        "severity": severity,
        "location": {"path": finding.path, "lines": {"begin": line, "end": end}},
    })
}
