//! What a runner does with the text of a section before the server sees it.

use super::{Framework, Reader};
use crate::text::Span;

/// What a project has set for its runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Statements inside and outside of a transaction may stand in one file.
    pub mixed: bool,
    /// The runner's own lock belongs to its session, so that no transaction stays open beside the migration.
    pub session_lock: bool,
}

/// What a runner sends as one string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands.
    pub span: Span,
    /// Whether comments mark it as one statement.
    pub marked: bool,
    /// Whether the runner found its end.
    pub ended: bool,
}

/// The strings in which a runner that reads line by line sends a part of a text; none where it does not.
pub fn pieces(framework: &Framework, text: &str, part: Span) -> Vec<Piece> {
    let Reader::Lines { prefix } = framework.reader else { return Vec::new() };
    let mut found = Vec::new();
    let (mut open, mut marked, mut offset) = (None::<usize>, false, part.start);
    for line in part.of(text).split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        match annotation(line, prefix) {
            Some(word) if word.eq_ignore_ascii_case("StatementBegin") => {
                (open, marked) = (Some(offset), true);
                continue;
            }
            Some(word) if word.eq_ignore_ascii_case("StatementEnd") => {
                let from = open.take().unwrap_or(start);
                found.push(Piece { span: Span::new(from, start), marked, ended: true });
                marked = false;
                continue;
            }
            Some(_) => continue,
            None => {}
        }
        let nothing = line.trim().is_empty() || line.trim_start().starts_with("--");
        if open.is_none() && nothing {
            continue;
        }
        let from = *open.get_or_insert(start);
        if !marked && ends_with_semicolon(line) {
            found.push(Piece { span: Span::new(from, offset), marked: false, ended: true });
            open = None;
        }
    }
    if let Some(from) = open.filter(|_| !part.of(text).is_empty()) {
        found.push(Piece { span: Span::new(from, offset), marked, ended: false });
    }
    found
}

/// The word behind the prefix of a comment that the runner reads.
fn annotation<'t>(line: &'t str, prefix: &str) -> Option<&'t str> {
    line.strip_prefix("--")?.trim_start().strip_prefix(prefix).map(str::trim)
}

/// Whether the last word of a line, but for a comment, ends with a semicolon.
fn ends_with_semicolon(line: &str) -> bool {
    line.split_whitespace()
        .take_while(|word| !word.starts_with("--"))
        .last()
        .is_some_and(|it| it.ends_with(';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, text: &str, expected: &[&str]) {
        let framework = Framework::by_id(id).expect("is in the table");
        let found = pieces(framework, text, Span::new(0, text.len()));
        let found: Vec<&str> = found.iter().map(|it| it.span.of(text).trim()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_that_end_with_a_semicolon_end_a_piece() {
        check(
            "goose",
            "SELECT 1; SELECT 2; -- two\n\n-- note\nSELECT\n 3;",
            &["SELECT 1; SELECT 2; -- two", "SELECT\n 3;"],
        );
        check("sql-migrate", "SELECT 1 /* a; */\n;\n", &["SELECT 1 /* a; */\n;"]);
        check("goose", "SELECT 1; /* a */\nSELECT 2", &["SELECT 1; /* a */\nSELECT 2"]);
        check("dbmate", "SELECT 1;", &[]);
    }

    #[test]
    fn marked_blocks_are_one_piece() {
        let text = "-- +goose StatementBegin\nSELECT 1;\nSELECT 2;\n-- +goose StatementEnd\nSELECT 3;\n";
        check("goose", text, &["SELECT 1;\nSELECT 2;", "SELECT 3;"]);
        check("goose", "-- +goose StatementBegin\nSELECT 1;\n", &["SELECT 1;"]);
    }
}
