//! JUnit's XML: a suite per file, a case per finding. What does not fail the check is a case that passes and says why.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::CheckReport;
use super::finding::{Finding, UNREAD, located};
use crate::text::sanitise;

/// Longer lines are cut.
const LONGEST: usize = 10_000;

pub fn render(report: &CheckReport, findings: &[Finding<'_>], prefix: &str) -> String {
    let files = report.files.iter().map(|file| (located(prefix, &file.path), Vec::new()));
    let mut by_path: BTreeMap<String, Vec<&Finding<'_>>> = files.collect();
    for finding in findings {
        by_path.entry(finding.path.clone()).or_default().push(finding);
    }
    let suites: Vec<Suite> = by_path.iter().map(|(path, own)| suite(path, own)).collect();
    let total = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let (tests, failures, errors) = (total(|it| it.tests), total(|it| it.failures), total(|it| it.errors));
    let body: String = suites.into_iter().map(|it| it.text).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"lockkeeper\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n{body}</testsuites>\n"
    )
}

struct Suite {
    text: String,
    tests: usize,
    failures: usize,
    errors: usize,
}

fn suite(path: &str, own: &[&Finding<'_>]) -> Suite {
    let errors = own.iter().filter(|it| it.fails && it.rule == UNREAD).count();
    let failures = own.iter().filter(|it| it.fails).count() - errors;
    let tests = own.len().max(1);
    let name = escaped(path);
    let mut text = format!(
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n"
    );
    if own.is_empty() {
        writeln!(text, "    <testcase name=\"no hazards\" classname=\"{name}\"/>").expect("a string");
    }
    own.iter().for_each(|finding| text.push_str(&case(finding)));
    text.push_str("  </testsuite>\n");
    Suite { text, tests, failures, errors }
}

fn case(finding: &Finding<'_>) -> String {
    let (line, column) = finding.line_and_column();
    let (path, rule) = (escaped(&finding.path), escaped(finding.rule));
    let message = escaped(&finding.message);
    let mut details = format!("{}:{line}:{column}: {}", finding.path, finding.message);
    finding.advice.iter().for_each(|it| details.push_str(&format!("\n{it}")));
    let details = escaped(&details);
    let inner = match (finding.fails, finding.rule) {
        (true, UNREAD) => format!("<error type=\"{rule}\" message=\"{message}\">{details}</error>"),
        (true, _) => format!("<failure type=\"{rule}\" message=\"{message}\">{details}</failure>"),
        (false, _) => format!("<system-out>{details}</system-out>"),
    };
    format!(
        "    <testcase name=\"{rule} at {line}:{column}\" classname=\"{path}\" file=\"{path}\" line=\"{line}\">{inner}</testcase>\n"
    )
}

/// Text of an element or attribute. What XML cannot hold at all, such as control characters, is left out.
fn escaped(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| sanitise(line, LONGEST)).collect();
    let text = lines.join("\n").replace(['\u{fffe}', '\u{ffff}'], "");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
