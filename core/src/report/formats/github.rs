//! Workflow commands: GitHub shows them as annotations at the lines of a pull request.

use super::finding::{Finding, Level};

pub fn render(findings: &[Finding<'_>]) -> String {
    findings.iter().map(command).collect()
}

fn command(finding: &Finding<'_>) -> String {
    let name = match finding.level {
        Level::Danger => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let mut properties = vec![format!("file={}", property(&finding.path))];
    if let Some(place) = finding.place {
        properties.push(format!("line={},endLine={}", place.line, place.end_line));
        // Columns count only where both ends are on one line.
        if place.line == place.end_line {
            properties.push(format!("col={},endColumn={}", place.column, place.end_column));
        }
    }
    properties.push(format!("title={}", property(&format!("Lockkeeper: {}", finding.rule))));
    let lines = std::iter::once(&finding.message).chain(&finding.advice);
    let text = lines.map(String::as_str).collect::<Vec<_>>().join("\n");
    format!("::{name} {}::{}\n", properties.join(","), data(&text))
}

/// The text behind the second `::`, in which a line break would end the command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, in which a comma and a colon end it too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
