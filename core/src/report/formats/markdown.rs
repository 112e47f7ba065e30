//! The comment on a pull request: a verdict, a table, and what more there is to say folded away.

use std::fmt::Write;

use super::super::{CheckReport, RewriteReport};
use super::Surroundings;
use super::finding::{Finding, Level, located};
use crate::text::{counted, sanitise};

/// By this the comment is found again, to be brought up to date instead of being joined by another one.
const MARKER: &str = "<!-- lockkeeper-check -->";

/// GitHub takes comments of up to 65,536 characters, so that what is long has an end.
const MOST_ROWS: usize = 40;
const MOST_DETAILS: usize = 20;
const MOST_REFERENCES: usize = 8;
const MOST_REWRITES: usize = 5;
const MOST_FILES: usize = 12;
const FIRST_LINES: usize = 15;
const LONGEST: usize = 300;

pub fn render(report: &CheckReport, findings: &[Finding<'_>], surroundings: &Surroundings) -> String {
    let mut text = format!("{MARKER}\n### Lockkeeper: {}\n\n{}\n", headline(findings), checked(report));
    if !findings.is_empty() {
        table(findings, &mut text);
    }
    details(findings, &mut text);
    for (path, rewrite) in surroundings.rewrites.iter().take(MOST_REWRITES) {
        self::rewrite(path, rewrite, &surroundings.prefix, &mut text);
    }
    text
}

fn headline(findings: &[Finding<'_>]) -> String {
    let of = |level: Level| findings.iter().filter(|it| it.level == level && it.hazard.is_some()).count();
    let hazards = [(of(Level::Danger), "danger"), (of(Level::Warning), "warning"), (of(Level::Note), "note")];
    let unread = findings.iter().filter(|it| it.rule == super::finding::UNREAD).count();
    let mut parts: Vec<String> =
        hazards.iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(*count, what)).collect();
    if unread > 0 {
        parts.push(format!("{unread} not analysed"));
    }
    if parts.is_empty() { "nothing dangerous found".to_owned() } else { parts.join(", ") }
}

fn checked(report: &CheckReport) -> String {
    let statements = report.files.iter().map(|file| file.statements).sum();
    let verdict = match report.verdict.as_str() {
        "block" => "❌ This check fails.",
        "unread" => "❌ This check fails: something could not be read.",
        "warn" => "⚠️ This check passes, with warnings.",
        _ => "✅ This check passes.",
    };
    if report.files.is_empty() {
        return format!("{verdict} No migration was analysed.");
    }
    format!(
        "{verdict} {} in {} checked for {} {}.",
        counted(statements, "statement"),
        counted(report.files.len(), "file"),
        report.target.dialect,
        report.target.version
    )
}

fn table(findings: &[Finding<'_>], text: &mut String) {
    text.push_str("\n| | where | what happens | rule |\n| --- | --- | --- | --- |\n");
    let mut worst_first: Vec<&Finding<'_>> = findings.iter().collect();
    worst_first.sort_by_key(|it| std::cmp::Reverse(it.level));
    for finding in worst_first.iter().take(MOST_ROWS) {
        let (mark, message) = (mark(finding.level), escaped(&finding.message));
        let (place, rule) = (code(&place(finding)), code(finding.rule));
        writeln!(text, "| {mark} | {place} | {message} | {rule} |").expect("a string");
    }
    if findings.len() > MOST_ROWS {
        let more = findings.len() - MOST_ROWS;
        writeln!(text, "\n… and {more} more: `lockkeeper check` lists all of them.").expect("a string");
    }
}

fn mark(level: Level) -> &'static str {
    match level {
        Level::Danger => "🔴 danger",
        Level::Warning => "🟡 warning",
        Level::Note => "⚪ note",
    }
}

fn place(finding: &Finding<'_>) -> String {
    match finding.place {
        Some(place) => format!("{}:{}", finding.path, place.line),
        None => finding.path.clone(),
    }
}

fn details(findings: &[Finding<'_>], text: &mut String) {
    let told: Vec<&Finding<'_>> = findings.iter().filter(|it| has_details(it)).take(MOST_DETAILS).collect();
    if told.is_empty() {
        return;
    }
    text.push_str("\n<details>\n<summary>What to do, and who is affected</summary>\n");
    for finding in told {
        writeln!(text, "\n**{}** {}\n", escaped(&place(finding)), code(finding.rule)).expect("a string");
        for line in lines(finding) {
            writeln!(text, "- {line}").expect("a string");
        }
    }
    text.push_str("\n</details>\n");
}

fn has_details(finding: &Finding<'_>) -> bool {
    !finding.advice.is_empty()
        || finding.hazard.is_some_and(|it| it.effect.is_some() || !it.references.is_empty())
}

fn lines(finding: &Finding<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(hazard) = finding.hazard {
        let locks = hazard.effect.iter().flat_map(|effect| &effect.locks).filter(|lock| !lock.index);
        let locks: Vec<String> = locks.map(|it| format!("{} on {}", it.mode, code(&it.relation))).collect();
        if !locks.is_empty() {
            lines.push(format!("locks: {}", locks.join(", ")));
        }
        if let Some(words) = hazard.estimate.as_ref().and_then(|it| it.words.as_ref()) {
            lines.push(format!("takes {}, once it has its lock", escaped(words)));
        }
        for it in hazard.references.iter().take(MOST_REFERENCES) {
            let (place, kind, certainty) = (
                code(&format!("{}:{}", located(finding.prefix, &it.path), it.line)),
                &it.kind,
                &it.certainty,
            );
            lines.push(format!("used at {place}: {kind} ({certainty}): {}", code(&it.excerpt)));
        }
        if hazard.references.len() > MOST_REFERENCES {
            lines.push(format!("and {} more uses", hazard.references.len() - MOST_REFERENCES));
        }
        if let Some(query) = &hazard.preflight {
            lines.push(format!("count the rows in the way first: {}", code(query)));
        }
    }
    lines.extend(finding.advice.iter().map(|it| escaped(it)));
    lines
}

fn rewrite(path: &str, rewrite: &RewriteReport, prefix: &str, text: &mut String) {
    let path = located(prefix, path);
    let (files, releases) =
        (counted(rewrite.files.len(), "file"), counted(rewrite.releases.len(), "release"));
    write!(
        text,
        "\n<details>\n<summary>The safe way for <code>{}</code>: {files}, {releases} of the application</summary>\n\n",
        html(&path)
    )
    .expect("a string");
    writeln!(text, "{} writes these files:\n", code(&format!("lockkeeper rewrite {path} --write")))
        .expect("a string");
    for file in rewrite.files.iter().take(MOST_FILES) {
        let before = rewrite.releases.iter().any(|it| it.before_file.as_deref() == Some(&*file.path));
        let release = if before { " (after a release of the application)" } else { "" };
        let path = located(prefix, &file.path);
        writeln!(text, "{}. {} {}{release}", file.step, code(&path), escaped(&file.title)).expect("a string");
    }
    if rewrite.files.len() > MOST_FILES {
        writeln!(text, "\n… and {} more", rewrite.files.len() - MOST_FILES).expect("a string");
    }
    if let Some(first) = rewrite.files.first() {
        writeln!(text, "\nThe first one begins:\n\n{}", block(&first.content)).expect("a string");
    }
    text.push_str("\n</details>\n");
}

/// The first lines of a file as a block of code, with a fence that they do not hold.
fn block(content: &str) -> String {
    let lines: Vec<String> = content.lines().map(|line| sanitise(line, LONGEST)).collect();
    let mut shown = lines[..lines.len().min(FIRST_LINES)].join("\n");
    if lines.len() > FIRST_LINES {
        write!(shown, "\n-- … {} more lines", lines.len() - FIRST_LINES).expect("a string");
    }
    let fence = "`".repeat(3.max(longest_run(&shown) + 1));
    format!("{fence}sql\n{shown}\n{fence}")
}

/// Text as code: nothing in it is markup. A `|` would end the cell of a table, and has no other spelling in code.
fn code(text: &str) -> String {
    let text = sanitise(text, LONGEST).replace('|', "¦");
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|it| it != '`').map(str::len).max().unwrap_or(0)
}

/// Text in which nothing is markup or calls somebody, except that what stands in backticks is code.
fn escaped(text: &str) -> String {
    let text = sanitise(text, LONGEST * 3);
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return plain(&text);
    }
    let piece = |(number, piece): (usize, &&str)| match number % 2 {
        1 if !piece.is_empty() => code(piece),
        _ => plain(piece),
    };
    pieces.iter().enumerate().map(piece).collect()
}

fn plain(text: &str) -> String {
    let mut result = String::new();
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => result.extend(['\\', character]),
            '<' => result.push_str("&lt;"),
            '&' => result.push_str("&amp;"),
            '@' => result.push_str("&#64;"),
            _ => result.push(character),
        }
    }
    result
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
