//! `textDocument/hover`: what the statement locks, why that is dangerous, what to do instead.

use std::fmt::Write;

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::check::CheckedStatement;
use lockkeeper_core::effect::{Effect, Waits};
use lockkeeper_core::estimate::{estimate, in_words};
use lockkeeper_core::hazards::{self, Hazard, Rule, page};
use lockkeeper_core::report::waits_in_words;
use lockkeeper_core::text::{Span, sanitise};
use tower_lsp::lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use crate::world::View;

pub(crate) fn hover(view: &View, position: Position) -> Option<Hover> {
    let offset = view.offset(position);
    let here = |it: &CheckedStatement| Span::new(it.span.start, it.end).touches(offset);
    let (checked, judged, number, statement) = view.analysis.statements().find(|it| here(it.3))?;
    let mut text = effect_table(&statement.effect, &checked.after);
    time(&mut text, view, &statement.effect);
    let of_statement: Vec<&Hazard> = judged.hazards.iter().filter(|it| it.statement == number).collect();
    let touched = of_statement.iter().any(|it| it.span.touches(offset));
    for hazard in of_statement {
        let Some(rule) = hazards::by_id(hazard.rule) else { continue };
        introduce(&mut text, rule, hazard);
        if !touched || hazard.span.touches(offset) {
            explain(&mut text, rule, hazard);
        }
    }
    sources(&mut text, &statement.effect);
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text });
    Some(Hover { contents, range: Some(view.range(statement.span)) })
}

fn effect_table(effect: &Effect, after: &Catalog) -> String {
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

fn time(text: &mut String, view: &View, effect: &Effect) {
    let Some(estimate) = estimate(effect, view.analysis.standing.rows.as_ref()) else { return };
    let seconds = estimate.seconds.map(in_words).unwrap_or_else(|| "time not known".to_owned());
    let work = estimate.work.id().replace('-', " ");
    let _ = writeln!(text, "Work under the lock: {work}, {seconds} ({}).\n", plain(&estimate.assumed));
}

/// The hazard in a line.
fn introduce(text: &mut String, rule: &Rule, hazard: &Hazard) {
    let _ = writeln!(text, "---\n\n**{}** `{}`: {}\n", title(rule), rule.id, plain(&hazard.message));
}

/// What its page says.
fn explain(text: &mut String, rule: &Rule, hazard: &Hazard) {
    if !rule.page.is_empty() {
        let _ = writeln!(text, "{}\n", page::summary(rule.page));
    }
    for heading in ["Why", "Instead"] {
        if let Some(section) = page::section(rule.page, heading) {
            let _ = writeln!(text, "**{heading}.** {section}\n");
        }
    }
    if let Some(query) = &hazard.preflight {
        let _ = writeln!(text, "Rows in the way:\n\n```sql\n{}\n```\n", query.replace("```", ""));
    }
}

/// The page's title; a rule whose page is not written yet is called by its name.
fn title(rule: &Rule) -> String {
    match page::title(rule.page) {
        "" => rule.id.replace('-', " "),
        title => title.to_owned(),
    }
}

fn sources(text: &mut String, effect: &Effect) {
    if !effect.sources.is_empty() {
        let _ = writeln!(text, "---\n\nSources: {}", effect.sources.join("; "));
    }
}

/// Words with names from the migration in them, which must not become markup.
fn plain(text: &str) -> String {
    let mut result = String::new();
    for character in sanitise(text, 500).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!') {
            result.push('\\');
        }
        result.push(character);
    }
    result
}

fn code(name: &str) -> String {
    format!("`{}`", sanitise(name, 130).replace(['`', '|'], "'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockkeeper_core::dialect::Dialect;
    use lockkeeper_core::hazards::{Severity, Trigger};

    static RULE: Rule = Rule {
        id: "lost-marbles",
        severity: Severity::Danger,
        dialects: Dialect::ANALYSED,
        page: "# Lost marbles\n\nThey roll away.\n\n## Why\n\nGravity.\n\n## Instead\n\nA bag.\n\n## Example\n\nNone.\n",
        trigger: Trigger::Operation(|_, _| None),
    };

    #[test]
    fn a_hazard_is_explained_by_its_page_and_names_are_no_markup() {
        let hazard =
            Hazard::new(&RULE, Span::new(0, 1), "`users`.*a* fails").with_preflight("SELECT 1".to_owned());
        let mut text = String::new();
        introduce(&mut text, &RULE, &hazard);
        explain(&mut text, &RULE, &hazard);
        for part in [
            "**Lost marbles** `lost-marbles`: \\`users\\`.\\*a\\* fails\n",
            "They roll away.\n\n**Why.** Gravity.\n\n**Instead.** A bag.\n",
            "```sql\nSELECT 1\n```",
        ] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
        assert!(!text.contains("None."), "{text}");
    }
}
