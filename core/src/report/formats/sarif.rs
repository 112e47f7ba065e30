//! SARIF 2.1.0: code scanning of GitHub and others, and viewers in editors.

use serde_json::{Map, Value, json};

use super::super::{EditReport, FixReport, HazardReport, Place, ReferenceReport};
use super::finding::{ALLOWANCE, Finding, Level, NOTICE, UNREAD, located};
use crate::hazards::{self, RULES, Rule, page};
use crate::text::sanitise;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub fn render(findings: &[Finding<'_>]) -> String {
    let (notices, results): (Vec<_>, Vec<_>) = findings.iter().partition(|it| it.rule == NOTICE);
    let rules = rules(&results);
    let results: Vec<Value> = results.iter().map(|it| result(it, &rules)).collect();
    let notices: Vec<Value> = notices.iter().map(|it| notice(it)).collect();
    let described: Vec<Value> = rules.iter().map(|it| described(it)).collect();
    let driver = json!({
        "name": "Lockkeeper",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": described,
    });
    let run = json!({
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notices}],
        "results": results,
    });
    format!("{:#}\n", json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}))
}

/// The rules that found something, in the order of the documentation; what is no hazard comes last.
fn rules<'a>(results: &[&Finding<'a>]) -> Vec<&'a str> {
    let place = |id: &str| RULES.iter().position(|rule| rule.id == id).unwrap_or(RULES.len());
    let mut found: Vec<&str> = results.iter().map(|it| it.rule).collect();
    found.sort_by_key(|id| (place(id), *id));
    found.dedup();
    found
}

fn described(id: &str) -> Value {
    let plain = |summary: &str, level: &str| {
        json!({
            "id": id,
            "shortDescription": {"text": summary},
            "defaultConfiguration": {"level": level},
        })
    };
    match (id, hazards::by_id(id)) {
        (_, Some(rule)) => described_hazard(rule),
        (ALLOWANCE, None) => plain("An allowance in a comment does not count.", "note"),
        (UNREAD, None) => plain("Something could not be read, so nothing is known of it.", "error"),
        (_, None) => plain("A remark.", "note"),
    }
}

fn described_hazard(rule: &Rule) -> Value {
    let why = page::section(rule.page, "Why").unwrap_or_default();
    let instead = page::section(rule.page, "Instead").unwrap_or_default();
    let level = match rule.severity {
        hazards::Severity::Danger => "error",
        hazards::Severity::Warning => "warning",
        hazards::Severity::Note => "note",
    };
    let help = format!("{why}\n\nInstead: {instead}");
    json!({
        "id": rule.id,
        "name": page::title(rule.page),
        "shortDescription": {"text": page::summary(rule.page)},
        "fullDescription": {"text": page::summary(rule.page)},
        "help": {"text": help, "markdown": format!("{why}\n\n**Instead**\n\n{instead}")},
        "defaultConfiguration": {"level": level},
    })
}

fn result(finding: &Finding<'_>, rules: &[&str]) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.iter().position(|it| *it == finding.rule),
        "level": level(finding.level),
        "message": {"text": message(finding)},
        "locations": [{"physicalLocation": location(&finding.path, finding.place)}],
        "partialFingerprints": {"lockkeeper/v1": finding.fingerprint},
    });
    let members = result.as_object_mut().expect("made as an object");
    if let Some(hazard) = finding.hazard {
        describe_hazard(finding, hazard, members);
    }
    result
}

/// Only the message is shown everywhere, so that it says what to do too.
fn message(finding: &Finding<'_>) -> String {
    let lines = std::iter::once(&finding.message).chain(&finding.advice);
    lines.map(String::as_str).collect::<Vec<_>>().join("\n")
}

fn describe_hazard(finding: &Finding<'_>, hazard: &HazardReport, members: &mut Map<String, Value>) {
    let references = hazard.references.iter().enumerate();
    let related: Vec<Value> = references.map(|(id, it)| related(id, it, finding.prefix)).collect();
    if !related.is_empty() {
        members.insert("relatedLocations".to_owned(), related.into());
    }
    let fixes = hazard.fixes.iter().filter(|it| !it.edits.is_empty());
    let fixes: Vec<Value> = fixes.map(|it| fix(&finding.path, it)).collect();
    if !fixes.is_empty() {
        members.insert("fixes".to_owned(), fixes.into());
    }
    let properties =
        json!({"statement": hazard.statement, "direction": hazard.direction, "recipes": hazard.recipes});
    members.insert("properties".to_owned(), properties);
}

fn related(id: usize, reference: &ReferenceReport, prefix: &str) -> Value {
    let text = format!("{} ({}): {}", reference.kind, reference.certainty, sanitise(&reference.excerpt, 200));
    let region = json!({"startLine": reference.line, "startColumn": reference.column});
    let artifact = json!({"uri": uri(&located(prefix, &reference.path))});
    json!({
        "id": id + 1,
        "message": {"text": text},
        "physicalLocation": {"artifactLocation": artifact, "region": region},
    })
}

fn fix(path: &str, fix: &FixReport) -> Value {
    let replacement = |edit: &EditReport| json!({"deletedRegion": region(edit.span), "insertedContent": {"text": edit.text}});
    let replacements: Vec<Value> = fix.edits.iter().map(replacement).collect();
    json!({
        "description": {"text": fix.title},
        "artifactChanges": [{"artifactLocation": {"uri": uri(path)}, "replacements": replacements}],
    })
}

fn notice(finding: &Finding<'_>) -> Value {
    json!({
        "level": level(finding.level),
        "message": {"text": message(finding)},
        "locations": [{"physicalLocation": location(&finding.path, finding.place)}],
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Danger => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

fn location(path: &str, place: Option<Place>) -> Value {
    match place {
        Some(place) => json!({"artifactLocation": {"uri": uri(path)}, "region": region(place)}),
        None => json!({"artifactLocation": {"uri": uri(path)}}),
    }
}

fn region(place: Place) -> Value {
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    })
}

/// A path as a relative URI: what is not plain is written as its bytes.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(byte.into())
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
