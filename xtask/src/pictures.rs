//! `cargo xtask pictures`: what the commands of the book say at a terminal, drawn from their real output.

use crate::shell::{cargo, command, root, run, target};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const MIGRATION: &str = "db/migrations/20260114100000_rename_user_name.sql";

/// A picture: its name, the command as it is shown, and so many lines of the answer.
const PICTURES: &[(&str, &[&str], usize)] = &[
    ("check", &["check", MIGRATION], 40),
    ("rewrite", &["rewrite", MIGRATION], 36),
    ("init", &["init"], 36),
];

/// Columns of the terminal; what is longer ends in a sign that says so.
const COLUMNS: usize = 118;
const CHARACTER: f64 = 7.23;
const LINE: usize = 17;
const MARGIN: usize = 14;

/// Draws all of them into `docs/pictures`.
pub fn draw_all() -> Result<()> {
    run(&mut cargo(&["build", "--package", "lockkeeper"]))?;
    let shop = shop()?;
    for (name, arguments, lines) in PICTURES {
        let program = target().join("debug/lockkeeper");
        let mut call = command(program, arguments);
        let output = call.current_dir(&shop).env("CLICOLOR_FORCE", "1").output()?;
        let shown = String::from_utf8(output.stdout)?.replace(&*shop.to_string_lossy(), "~/shop");
        let title = format!("lockkeeper {}", arguments.join(" "));
        let picture = root().join(format!("docs/pictures/{name}.svg"));
        fs::write(&picture, svg(&title, &shown, *lines))?;
        eprintln!("{}", picture.display());
    }
    Ok(())
}

/// A copy of the example that has no configuration yet: `init` then proposes one.
fn shop() -> Result<std::path::PathBuf> {
    let folder = target().join("pictures/shop");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    copy(&root().join("examples/shop"), &folder)?;
    fs::remove_file(folder.join("lockkeeper.toml"))?;
    // Its own root: else the repository around it would be the project.
    fs::create_dir(folder.join(".git"))?;
    folder.canonicalize().context("the copy is there")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// The command and its answer as they look at a terminal.
fn svg(title: &str, answer: &str, most: usize) -> String {
    let all: Vec<Vec<Piece>> = answer.lines().map(pieces).collect();
    let mut lines: Vec<Vec<Piece>> = vec![vec![
        Piece { text: "$ ".to_owned(), style: Style::colored("#7d8590") },
        Piece { text: title.to_owned(), style: Style { bold: true, ..Style::default() } },
    ]];
    lines.extend(all.iter().take(most).cloned());
    if all.len() > most {
        let text = format!("… and {} more lines", all.len() - most);
        lines.push(vec![Piece { text, style: Style::colored("#7d8590") }]);
    }
    let width = (COLUMNS as f64 * CHARACTER) as usize + 2 * MARGIN;
    let height = lines.len() * LINE + 2 * MARGIN;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#0d1117\"/>\n\
         <g font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"12\" fill=\"#e6edf3\">\n",
        escaped(title)
    );
    for (number, line) in lines.iter().enumerate() {
        let y = MARGIN + number * LINE + 12;
        let mut column = 0;
        for piece in line {
            let shown = shortened(&piece.text, COLUMNS.saturating_sub(column));
            let x = MARGIN as f64 + column as f64 * CHARACTER;
            if !shown.trim().is_empty() {
                let style = piece.style.attributes();
                writeln!(text, "<text x=\"{x:.1}\" y=\"{y}\"{style}>{}</text>", escaped(&shown))
                    .expect("a string");
            }
            column += piece.text.chars().count();
        }
    }
    text.push_str("</g>\n</svg>\n");
    text
}

fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    if room == 0 { kept } else { kept + "…" }
}

fn escaped(text: &str) -> String {
    // Viewers do not agree on which spaces they keep: they all keep those that do not break.
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(' ', "\u{a0}")
}

/// Text in one style.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    text: String,
    style: Style,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Style {
    color: Option<&'static str>,
    bold: bool,
}

impl Style {
    fn colored(color: &'static str) -> Self {
        Self { color: Some(color), bold: false }
    }

    fn attributes(self) -> String {
        let color = self.color.map_or(String::new(), |it| format!(" fill=\"{it}\""));
        let bold = if self.bold { " font-weight=\"bold\"" } else { "" };
        format!("{color}{bold}")
    }

    /// The style behind one number of an escape sequence.
    fn with(self, code: &str) -> Self {
        let color = match code.trim_start_matches('0') {
            "" => return Self::default(),
            "1" => return Self { bold: true, ..self },
            "31" | "91" => "#ff7b72",
            "32" | "92" => "#7ee787",
            "33" | "93" => "#e3b341",
            "34" | "94" => "#79c0ff",
            "35" | "95" => "#d2a8ff",
            "36" | "96" => "#76e3ea",
            _ => return self,
        };
        Self { color: Some(color), ..self }
    }
}

/// A line with escape sequences, cut where the style changes.
fn pieces(line: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut style = Style::default();
    for (number, part) in line.split("\x1b[").enumerate() {
        let text = match part.split_once('m').filter(|_| number > 0) {
            Some((codes, text)) => {
                style = codes.split(';').fold(style, Style::with);
                text
            }
            None => part,
        };
        if !text.is_empty() {
            found.push(Piece { text: text.to_owned(), style });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_end_where_they_are_told_to() {
        let red = Style { color: Some("#ff7b72"), bold: true };
        assert_eq!(
            pieces("\x1b[1m\x1b[91mdanger\x1b[0m: a < b"),
            [
                Piece { text: "danger".to_owned(), style: red },
                Piece { text: ": a < b".to_owned(), style: Style::default() }
            ]
        );
    }

    #[test]
    fn long_lines_are_cut_and_long_answers_too() {
        assert_eq!(shortened("abcdef", 4), "abc…");
        let drawn = svg("x", "a\nb & c\nd\n", 2);
        assert!(drawn.contains("b\u{a0}&amp;\u{a0}c") && drawn.contains("and\u{a0}1\u{a0}more"), "{drawn}");
    }
}
