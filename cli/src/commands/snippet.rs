//! Hazards as a person reads them on a terminal.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use lockkeeper_core::report::{FileReport, HazardReport};
use lockkeeper_core::text::sanitise;

/// How it looks.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub color: bool,
    /// In columns.
    pub width: usize,
}

/// Shows the hazards of a file, each with its line.
pub fn hazards(report: &FileReport, text: &str, style: Style) -> String {
    let shown: Vec<String> =
        report.hazards.iter().map(|hazard| self::hazard(report, hazard, text, style)).collect();
    shown.join("\n")
}

fn hazard(report: &FileReport, hazard: &HazardReport, text: &str, style: Style) -> String {
    let level = match hazard.severity.as_str() {
        "danger" => Level::ERROR,
        "warning" => Level::WARNING,
        _ => Level::NOTE,
    };
    let level = level.with_name(hazard.severity.as_str());
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width);
    let span = hazard.span.start..hazard.span.end.max(hazard.span.start);
    let snippet = Snippet::source(text)
        .path(&report.path)
        .fold(true)
        .annotation(AnnotationKind::Primary.span(first_lines(text, span)).label(&hazard.message));
    let title = match hazard.direction.as_str() {
        "down" => format!("on the way back: {}", hazard.message),
        _ => hazard.message.clone(),
    };
    let group = level.primary_title(&title).id(&hazard.rule).element(snippet);
    let mut group = group;
    for note in notes(hazard, report.rewrite_refused.as_deref()) {
        group = group.element(Level::NOTE.no_name().message(note));
    }
    renderer.render(&[group])
}

/// At most three lines of a long statement.
fn first_lines(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let shown = &text[span.clone()];
    let end = shown.match_indices('\n').nth(2).map_or(shown.len(), |(at, _)| at);
    span.start..span.start + end
}

fn notes(hazard: &HazardReport, refused: Option<&str>) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(effect) = &hazard.effect {
        let tables = effect.locks.iter().filter(|lock| !lock.index);
        let locks: Vec<String> = tables.map(|lock| format!("{} on {}", lock.mode, lock.relation)).collect();
        if !locks.is_empty() {
            notes.push(format!("locks: {}", locks.join(", ")));
        }
    }
    if let Some(words) = hazard.estimate.as_ref().and_then(|it| it.words.as_ref()) {
        notes.push(format!("takes {words}, once it has its lock"));
    }
    notes.extend(references(hazard));
    notes.extend(hazard.fixes.iter().map(|fix| format!("fix: {}", fix.title)));
    if !hazard.recipes.is_empty() {
        notes.push(match refused {
            None => format!("lockkeeper rewrite does it safely ({})", hazard.recipes.join(", ")),
            Some(reason) => format!("lockkeeper rewrite refuses this migration: {}", sanitise(reason, 600)),
        });
    }
    if let Some(query) = &hazard.preflight {
        notes.push(format!("count the rows in the way first: {query}"));
    }
    notes
}

const MOST_REFERENCES: usize = 12;

fn references(hazard: &HazardReport) -> Vec<String> {
    let mut shown: Vec<String> = hazard
        .references
        .iter()
        .take(MOST_REFERENCES)
        .map(|it| {
            let (path, kind) = (sanitise(&it.path, 200), &it.kind);
            format!("{path}:{}: {kind} ({}): {}", it.line, it.certainty, sanitise(&it.excerpt, 90))
        })
        .collect();
    if hazard.references.len() > MOST_REFERENCES {
        shown
            .push(format!("… and {} more: lockkeeper references", hazard.references.len() - MOST_REFERENCES));
    }
    shown
}
