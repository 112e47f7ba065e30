//! A rehearsal as people read it: what failed first, then what each step did.

use lockkeeper_core::report::{RehearsalError, RehearsalReport, RehearsedStep};
use lockkeeper_database::longest_lock;

/// So many failures are shown of one step; all stand in the JSON.
const SHOWN: usize = 8;

/// The report as text.
pub fn text(report: &RehearsalReport) -> String {
    let mut lines = vec![head(report), String::new()];
    lines.extend(table(report));
    lines.push(String::new());
    lines.extend(failures(report));
    section(
        &mut lines,
        "Differences (- expected, + found):",
        report.differences.iter().map(|it| format!("after {}: {} {}", moment(&it.after), it.kind, it.what)),
    );
    section(&mut lines, "Not rehearsed:", report.unfilled.iter().cloned());
    section(&mut lines, "Notes:", report.notes.iter().cloned());
    lines.push(verdict(report));
    lines.join("\n")
}

fn head(report: &RehearsalReport) -> String {
    let how = report.strategy.as_ref().map_or("as it is written".to_owned(), |it| format!("rewritten: {it}"));
    let rows: Vec<String> = report.rows.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
    let rows = if rows.is_empty() { "none".to_owned() } else { rows.join(", ") };
    format!("{} ({how})\nPostgreSQL {}, seed {}; rows: {rows}", report.file, report.server, report.seed)
}

fn moment(after: &str) -> &str {
    match after {
        "end" => "the last step",
        "back" => "the way back",
        _ => "the second way up",
    }
}

fn section(lines: &mut Vec<String>, title: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.map(|it| format!("  {it}")).collect();
    if !items.is_empty() {
        lines.push(title.to_owned());
        lines.extend(items);
        lines.push(String::new());
    }
}

/// One row for each step, in columns as wide as they have to be, and a line where another release goes out.
fn table(report: &RehearsalReport) -> Vec<String> {
    let head = ["step", "time", "longest lock", "longest wait", "errors", "file"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(report.steps.iter().map(row)).collect();
    let released = |at: usize| {
        let now = report.steps.get(at.checked_sub(1)?)?;
        let before = at.checked_sub(2).and_then(|it| report.steps.get(it))?;
        let goes = now.direction == "up" && now.releases != before.releases;
        goes.then(|| format!("  --    {} goes out", now.releases.join(", ")))
    };
    let width = |column: usize| rows.iter().map(|it| it[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("  {}", cells.join("  ")).trim_end().to_owned()
    };
    rows.iter().enumerate().flat_map(|(at, row)| released(at).into_iter().chain([line(row)])).collect()
}

fn row(step: &RehearsedStep) -> [String; 6] {
    let number = match step.direction.as_str() {
        "up" => step.number.to_string(),
        other => format!("{} {other}", step.number),
    };
    let lock = longest_lock(step).map_or("none seen".to_owned(), |it| {
        format!("{} {} on {}", time(it.milliseconds), it.mode, it.relation)
    });
    let wait = step.longest_wait.as_ref().map_or("-".to_owned(), |it| time(it.milliseconds));
    let errors = if step.direction == "up" { step.errors.to_string() } else { "-".to_owned() };
    [number, time(step.milliseconds), lock, wait, errors, step.path.clone()]
}

fn time(milliseconds: u64) -> String {
    match milliseconds {
        0..10_000 => format!("{milliseconds} ms"),
        _ => format!("{} s", milliseconds / 1000),
    }
}

fn failures(report: &RehearsalReport) -> Vec<String> {
    let mut lines = Vec::new();
    let mut last = None;
    let (mut shown, mut hidden) = (0, 0);
    for error in &report.errors {
        let place = (error.step, error.direction.as_str());
        if last != Some(place) {
            if hidden > 0 {
                lines.push(format!("  and {hidden} more"));
            }
            (last, shown, hidden) = (Some(place), 0, 0);
            lines.push(heading(error));
        }
        shown += 1;
        if shown > SHOWN {
            hidden += 1;
            continue;
        }
        let who = error.release.as_deref().or(error.place.as_deref()).unwrap_or_default();
        lines.push(format!("  {who}: {}", error.statement));
        lines.push(format!("    {} {} ({} times)", error.sqlstate, error.message, error.times));
    }
    if hidden > 0 {
        lines.push(format!("  and {hidden} more"));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

fn heading(error: &RehearsalError) -> String {
    match (error.step, error.direction.as_str()) {
        (0, _) => "Failed before the first step:".to_owned(),
        (step, "up") => format!("Failed during or after step {step}:"),
        (step, direction) => format!("Failed in step {step}, {direction}:"),
    }
}

fn verdict(report: &RehearsalReport) -> String {
    let waited =
        report.steps.iter().filter_map(|it| it.longest_wait.as_ref()).map(|it| it.milliseconds).max();
    let waited = waited.filter(|it| *it > report.max_wait);
    let mut reasons = Vec::new();
    if !report.errors.is_empty() {
        let times: u64 = report.errors.iter().map(|it| it.times).sum();
        reasons.push(format!("{} different failures, {times} in all", report.errors.len()));
    }
    if !report.differences.is_empty() {
        reasons.push(format!("{} differences", report.differences.len()));
    }
    reasons.extend(
        waited.map(|it| format!("a client waited {}, more than {}", time(it), time(report.max_wait))),
    );
    match reasons.is_empty() {
        true => "pass: no release failed, nobody waited too long, nothing differs".to_owned(),
        false => format!("block: {}", reasons.join("; ")),
    }
}
