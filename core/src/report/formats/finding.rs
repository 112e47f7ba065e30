//! What a check found as one list: hazards, what could not be read, and what is noted.

use super::super::{CheckReport, FileReport, HazardReport, Place};
use crate::report::fingerprint::Fingerprints;
use crate::text::sanitise;

/// Longer messages are cut: paths, names and reasons come from the repository.
const LONGEST: usize = 1_000;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Note,
    Warning,
    Danger,
}

/// Something that a check says about a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding<'a> {
    /// Relative to the reader's root.
    pub path: String,
    /// Where in the file; `None` where it is about all of it.
    pub place: Option<Place>,
    /// The rule, or [`UNREAD`], [`ALLOWANCE`], [`NOTICE`].
    pub rule: &'a str,
    pub level: Level,
    /// Whether it alone makes the check fail.
    pub fails: bool,
    pub message: String,
    /// What to do, each in a sentence without its stop.
    pub advice: Vec<String>,
    pub fingerprint: String,
    pub hazard: Option<&'a HazardReport>,
    /// What stands before the paths of the hazard's references too.
    pub prefix: &'a str,
}

/// The rule of what could not be read.
pub const UNREAD: &str = "unread";
/// The rule of allowances that do not count.
pub const ALLOWANCE: &str = "allowance";
/// The rule of what is said about a file or folder as a whole.
pub const NOTICE: &str = "notice";

impl Finding<'_> {
    /// Line and column from 1; the beginning of the file where it is about all of it.
    pub fn line_and_column(&self) -> (usize, usize) {
        self.place.map_or((1, 1), |place| (place.line, place.column))
    }
}

/// All findings: file by file in order of place, then what is about no place.
pub fn findings<'a>(report: &'a CheckReport, prefix: &'a str) -> Vec<Finding<'a>> {
    let mut seen = Fingerprints::default();
    let mut found: Vec<Finding<'a>> = Vec::new();
    for file in &report.files {
        found.extend(file.hazards.iter().map(|hazard| of_hazard(report, file, hazard, prefix)));
        for problem in &file.allowance_problems {
            let (level, message) = (Level::Note, sanitise(&problem.reason, LONGEST));
            let fingerprint = seen.of(&[ALLOWANCE, &file.path, &message]);
            found.push(Finding {
                path: located(prefix, &file.path),
                place: Some(problem.span),
                rule: ALLOWANCE,
                level,
                fails: false,
                message,
                advice: Vec::new(),
                fingerprint,
                hazard: None,
                prefix,
            });
        }
    }
    for unread in &report.unread {
        let reason = sanitise(&unread.reason, LONGEST);
        // What is about a whole file or folder is worded to stand behind its path.
        let message = if unread.span.is_some() { format!("not analysed: {reason}") } else { reason };
        let fingerprint = unread.fingerprint.clone();
        found.push(Finding {
            path: located(prefix, &unread.path),
            place: unread.span,
            rule: UNREAD,
            level: if report.allow_unread { Level::Warning } else { Level::Danger },
            fails: !report.allow_unread,
            message,
            advice: vec![sanitise(&unread.way_out, LONGEST)],
            fingerprint,
            hazard: None,
            prefix,
        });
    }
    for problem in report.problems.iter().filter(|it| !it.unread) {
        let message = sanitise(&problem.message, LONGEST);
        let fingerprint = seen.of(&[NOTICE, &problem.path, &message]);
        found.push(Finding {
            path: located(prefix, &problem.path),
            place: None,
            rule: NOTICE,
            level: Level::Note,
            fails: false,
            message,
            advice: vec![sanitise(&problem.advice, LONGEST)],
            fingerprint,
            hazard: None,
            prefix,
        });
    }
    found
}

fn of_hazard<'a>(
    report: &CheckReport,
    file: &'a FileReport,
    hazard: &'a HazardReport,
    prefix: &'a str,
) -> Finding<'a> {
    let level = level(&hazard.severity);
    let message = sanitise(&hazard.message, LONGEST);
    Finding {
        path: located(prefix, &file.path),
        place: Some(hazard.span),
        rule: &hazard.rule,
        level,
        fails: level >= self::level(&report.fail_on),
        message: match hazard.direction.as_str() {
            "down" => format!("on the way back: {message}"),
            _ => message,
        },
        advice: advice(file, hazard),
        fingerprint: hazard.fingerprint.clone(),
        hazard: Some(hazard),
        prefix,
    }
}

fn level(severity: &str) -> Level {
    match severity {
        "danger" => Level::Danger,
        "warning" => Level::Warning,
        _ => Level::Note,
    }
}

fn advice(file: &FileReport, hazard: &HazardReport) -> Vec<String> {
    let mut advice: Vec<String> = hazard.fixes.iter().map(|fix| format!("fix: {}", fix.title)).collect();
    if !hazard.recipes.is_empty() {
        advice.push(match &file.rewrite_refused {
            None => format!("`lockkeeper rewrite` makes safe steps of it ({})", hazard.recipes.join(", ")),
            Some(reason) => {
                format!("`lockkeeper rewrite` refuses this migration: {}", sanitise(reason, LONGEST))
            }
        });
    }
    advice
}

/// A path as the reader knows it. Standard input has none.
pub fn located(prefix: &str, path: &str) -> String {
    if path == "-" { "stdin".to_owned() } else { format!("{prefix}{}", sanitise(path, LONGEST)) }
}
