//! Hazards, and everything else worth a squiggle, as diagnostics.

use lockkeeper_core::hazards::{Hazard, Severity};
use lockkeeper_core::text::{self, Span};
use lockkeeper_project::config::{ConfigError, FILE_NAME};
use lockkeeper_project::folder::Problem;
use lockkeeper_project::steps::StepSet;
use serde_json::json;
use tower_lsp::lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString, Position, Range,
    Url,
};

use super::position;
use crate::references::{Located, References};
use crate::world::{Loaded, View};

/// What a file of a set of steps with a gap is told by.
pub(crate) const INCOMPLETE_STEPS: &str = "incomplete-steps";

/// How many users of a name are listed; the last entry counts the rest.
const LISTED: usize = 20;

/// Everything that there is to say about a document: the worst first, and what is as bad in order of place.
pub(crate) fn diagnostics(view: &View, references: &References) -> Vec<Diagnostic> {
    let mut all = about_the_file(view);
    for (_, judged) in view.file().all_parts() {
        all.extend(judged.hazards.iter().map(|hazard| of_hazard(view, hazard, references)));
        all.extend(judged.unread.iter().map(|it| {
            let message = format!("not analysed: {}; {}", it.reason, it.advice);
            plain(view, it.span, DiagnosticSeverity::INFORMATION, "not-analysed", message)
        }));
        all.extend(judged.allowance_problems.iter().map(|(span, reason)| {
            plain(view, *span, DiagnosticSeverity::WARNING, "allowance", reason.clone())
        }));
    }
    all.sort_by_key(|it| (it.severity.map_or(4, rank), it.range.start, it.range.end));
    all
}

/// What is wrong with the configuration of a project, and the address of its file.
pub(crate) fn configuration(loaded: &Loaded) -> Option<(Url, Vec<Diagnostic>)> {
    let uri = Url::from_file_path(loaded.opened.project.root.join(FILE_NAME)).ok()?;
    let of_error = |error: &ConfigError| {
        let (line, message) = match error {
            ConfigError::Wrong { line, message, .. } => (line.saturating_sub(1), message.clone()),
            ConfigError::Unreadable { .. } => (0, error.to_string()),
        };
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Diagnostic {
            range: Range::new(Position::new(line, 0), Position::new(line, u32::MAX)),
            severity: Some(DiagnosticSeverity::ERROR),
            code: Some(NumberOrString::String("configuration".to_owned())),
            source: Some("lockkeeper".to_owned()),
            message,
            ..Diagnostic::default()
        }
    };
    Some((uri, loaded.config_errors.iter().map(of_error).collect()))
}

fn rank(severity: DiagnosticSeverity) -> u8 {
    match severity {
        DiagnosticSeverity::ERROR => 1,
        DiagnosticSeverity::WARNING => 2,
        _ => 3,
    }
}

/// What concerns the whole file stands on its first line.
fn about_the_file(view: &View) -> Vec<Diagnostic> {
    let standing = &view.analysis.standing;
    let first = Span::new(0, text::lines(&view.document.text).next().map_or(0, str::len));
    let note = |message: String| plain(view, first, DiagnosticSeverity::INFORMATION, "not-analysed", message);
    let wrong = |it: &Problem| {
        let message = format!("{}: {}", it.message, it.advice);
        plain(view, first, DiagnosticSeverity::WARNING, "migration", message)
    };
    let mut all: Vec<Diagnostic> = standing.problems.iter().map(wrong).collect();
    let incomplete = view.steps.iter().flat_map(StepSet::problems).filter(|it| it.path == standing.path);
    all.extend(incomplete.map(|it| Diagnostic {
        code: Some(NumberOrString::String(INCOMPLETE_STEPS.to_owned())),
        ..wrong(&it)
    }));
    if view.document.is_sql {
        all.extend(standing.problem_of(&view.document.text).as_ref().map(wrong));
        all.extend(view.analysis.loaded.problem.clone().map(note));
    }
    all.extend(standing.refused.clone().map(note));
    if view.document.is_binary() {
        all.push(note("this is no text, and nothing of it is analysed".to_owned()));
    }
    if let Some(error) = view.analysis.loaded.config_errors.first() {
        let error = error.to_string();
        let error = error
            .strip_prefix(&format!("{}/", view.analysis.loaded.opened.project.root.display()))
            .unwrap_or(&error);
        all.push(note(format!("{error}; what else that file says counts")));
    }
    all
}

fn of_hazard(view: &View, hazard: &Hazard, references: &References) -> Diagnostic {
    let severity = match hazard.severity {
        Severity::Danger => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Note => DiagnosticSeverity::INFORMATION,
    };
    let project = &view.analysis.loaded.opened.project;
    let users = hazard.subject.as_ref().and_then(|subject| references.known(project, subject));
    Diagnostic {
        data: Some(json!({"rule": hazard.rule, "recipes": hazard.recipes})),
        related_information: users.filter(|it| !it.is_empty()).map(|users| related(&users)),
        ..plain(view, hazard.span, severity, hazard.rule, hazard.message.clone())
    }
}

fn plain(view: &View, span: Span, severity: DiagnosticSeverity, code: &str, message: String) -> Diagnostic {
    Diagnostic {
        range: view.range(span),
        severity: Some(severity),
        code: Some(NumberOrString::String(code.to_owned())),
        source: Some("lockkeeper".to_owned()),
        message,
        ..Diagnostic::default()
    }
}

fn related(users: &[Located]) -> Vec<DiagnosticRelatedInformation> {
    let rest = users.len().saturating_sub(LISTED);
    let listed = users.iter().take(LISTED).enumerate();
    let entry = |(number, user): (usize, &Located)| {
        let more =
            if rest > 0 && number + 1 == LISTED { format!(" (and {rest} more)") } else { String::new() };
        let message = format!("{}: {}{more}", user.kind.id(), user.excerpt);
        let range = Range::new(position(user.start), position(user.end));
        let uri = Url::from_file_path(&user.path).ok()?;
        Some(DiagnosticRelatedInformation { location: Location { uri, range }, message })
    };
    listed.filter_map(entry).collect()
}
