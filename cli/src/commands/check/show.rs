//! A check's report as text, as JSON, or in a format of other tools.

use std::path::Path;
use std::sync::Arc;

use lockkeeper_core::report::formats::{self, Surroundings};
use lockkeeper_core::report::{CheckReport, RewriteReport};
use lockkeeper_core::text::counted;
use lockkeeper_project::analysis::{self, CheckedFile};
use lockkeeper_project::discover::{Project, above};
use lockkeeper_project::rewrite;

use crate::args::CheckFormat;
use crate::commands::snippet;
use crate::{output, place};

pub fn show(
    project: &Project,
    report: &CheckReport,
    texts: &[Arc<str>],
    rewrites: Vec<(String, RewriteReport)>,
    format: CheckFormat,
) -> anyhow::Result<()> {
    let format = match format {
        CheckFormat::Text => {
            text(report, texts);
            return Ok(());
        }
        CheckFormat::Json => return output::json(report),
        CheckFormat::Sarif => formats::Format::Sarif,
        CheckFormat::Github => formats::Format::Github,
        CheckFormat::Gitlab => formats::Format::Gitlab,
        CheckFormat::Junit => formats::Format::Junit,
        CheckFormat::Gcc => formats::Format::Gcc,
        CheckFormat::Markdown => formats::Format::Markdown,
    };
    let prefix = prefix(project, format);
    output::text(&formats::render(report, format, &Surroundings { prefix, rewrites }));
    Ok(())
}

/// What stands before the project's paths: compilers name files as seen from the current folder, and forges from the root of the
/// repository.
fn prefix(project: &Project, format: formats::Format) -> String {
    let reader = match format {
        formats::Format::Gcc => std::env::current_dir().and_then(|it| it.canonicalize()).ok(),
        _ => above(&project.root, ".git"),
    };
    reader.map_or(String::new(), |reader| between(&reader, &project.root))
}

/// The way from one folder to another, with a final `/` where there is any.
fn between(from: &Path, to: &Path) -> String {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let ups = from.components().skip(shared).map(|_| "..".into());
    let downs = to.components().skip(shared).map(|it| it.as_os_str().to_string_lossy());
    ups.chain(downs).map(|it: std::borrow::Cow<'_, str>| format!("{it}/")).collect()
}

/// The rewrites of the files that have hazards with recipes.
pub fn rewrites(
    project: &Project,
    report: &CheckReport,
    close: &[CheckedFile],
) -> Vec<(String, RewriteReport)> {
    let mut found = Vec::new();
    for file in close {
        let of_file = report.files.iter().find(|it| it.path == file.path);
        let wanted = of_file.is_some_and(|it| it.hazards.iter().any(|it| !it.recipes.is_empty()));
        let Some(way) = rewrite::ways(file).first().copied().filter(|_| wanted) else { continue };
        let answers = project.config.at(&file.path).answers_with(&[]);
        if let Ok(rewrite) = rewrite::rewrite(project, file, way, &answers, place::now()) {
            found.push((file.path.clone(), analysis::rewrite_report(&rewrite)));
        }
    }
    found
}

fn text(report: &CheckReport, texts: &[Arc<str>]) {
    let style = snippet::Style { color: output::is_colored(), width: output::width() };
    for (file, text) in report.files.iter().zip(texts) {
        if !file.hazards.is_empty() {
            output::text_line(&format!("{}\n", snippet::hazards(file, text, style)));
        }
        for problem in &file.allowance_problems {
            output::text_line(&format!("{}:{}: {}", file.path, problem.span.line, problem.reason));
        }
    }
    for problem in report.problems.iter().filter(|it| !it.unread) {
        output::text_line(&format!("{}: {}; {}", problem.path, problem.message, problem.advice));
    }
    for unread in &report.unread {
        let line = unread.span.map_or(String::new(), |it| format!(":{}", it.line));
        output::text_line(&format!("{}{line}: unread: {}; {}", unread.path, unread.reason, unread.way_out));
    }
    output::text_line(&summary(report));
}

fn summary(report: &CheckReport) -> String {
    let statements: usize = report.files.iter().map(|file| file.statements).sum();
    let of = |severity: &str| {
        let hazards = report.files.iter().flat_map(|file| &file.hazards);
        counted(hazards.filter(|it| it.severity == severity).count(), severity)
    };
    let target = &report.target;
    let unread =
        if report.unread.is_empty() { String::new() } else { format!(", {} unread", report.unread.len()) };
    if report.files.is_empty() {
        return format!("{}: nothing was analysed{unread}", report.verdict);
    }
    let assumed = match target.source.split_once("; ") {
        Some((place, why)) => format!(" ({place}: {why})"),
        None if target.source == "default" => " (assumed: nothing states it)".to_owned(),
        None => String::new(),
    };
    format!(
        "{}: {} in {} for {} {}{assumed}: {}, {}, {}{unread}",
        report.verdict,
        counted(statements, "statement"),
        counted(report.files.len(), "file"),
        target.dialect,
        target.version,
        of("danger"),
        of("warning"),
        of("note")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_where_the_reader_stands() {
        let way = |from: &str, to: &str| between(Path::new(from), Path::new(to));
        assert_eq!(way("/a/b", "/a/b"), "");
        assert_eq!(way("/a", "/a/b/c"), "b/c/");
        assert_eq!(way("/a/b/c", "/a"), "../../");
        assert_eq!(way("/a/b", "/a/c"), "../c/");
    }
}
