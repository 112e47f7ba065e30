//! What is said of an effect, as Markdown: in hovers and behind hints.

use std::fmt::Write;

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::effect::{Effect, Waits};
use lockkeeper_core::estimate::{estimate, in_words};
use lockkeeper_core::report::waits_in_words;
use lockkeeper_core::text::sanitise;
use tower_lsp::lsp_types::{MarkupContent, MarkupKind};

use crate::world::View;

/// Everything that a statement locks, strongest first, and how long it works.
pub(crate) fn effect(view: &View, effect: &Effect, after: &Catalog) -> String {
    let mut text = locks(effect, after);
    if let Some(estimate) = estimate(effect, view.analysis.standing.rows.as_ref()) {
        let seconds = estimate.seconds.map(in_words).unwrap_or_else(|| "time not known".to_owned());
        let work = estimate.work.id().replace('-', " ");
        let _ = writeln!(text, "Work under the lock: {work}, {seconds} ({}).\n", plain(&estimate.assumed));
    }
    text
}

fn locks(effect: &Effect, after: &Catalog) -> String {
    if let Some(reason) = &effect.fails {
        return format!("**Fails:** {}\n\n", plain(reason));
    }
    if effect.locks.is_empty() {
        return "Locks nothing that existed before.\n\n".to_owned();
    }
    let mut locks: Vec<_> = effect.locks.iter().collect();
    locks.sort_by_key(|(name, mode)| (std::cmp::Reverse(**mode), (*name).clone()));
    let mut table = "| relation | lock | who waits |\n|---|---|---|\n".to_owned();
    for (name, mode) in locks {
        let name = code(&name.display(after.dialect()));
        let _ = writeln!(table, "| {name} | {} | {} |", mode.title(), waits_in_words(Waits::of(*mode)));
    }
    table.push('\n');
    if !effect.known {
        table.push_str(
            "The statement could not be read: the worst that its first words allow is assumed.\n\n",
        );
    }
    for assumed in &effect.assumed {
        let _ = writeln!(table, "Assumed: {}.\n", plain(assumed));
    }
    table
}

pub(crate) fn markup(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

/// Words with names from the migration in them, which must not become markup.
pub(crate) fn plain(text: &str) -> String {
    let mut result = String::new();
    for character in sanitise(text, 500).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!') {
            result.push('\\');
        }
        result.push(character);
    }
    result
}

/// A name from a migration as code.
pub(crate) fn code(name: &str) -> String {
    format!("`{}`", sanitise(name, 130).replace(['`', '|'], "'"))
}
