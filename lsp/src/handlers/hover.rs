//! `textDocument/hover`: what the statement locks, why that is dangerous, what to do instead.

use std::cmp::Reverse;
use std::fmt::Write;

use lockkeeper_core::check::CheckedStatement;
use lockkeeper_core::effect::Effect;
use lockkeeper_core::hazards::{self, Hazard, Rule, Severity, page};
use lockkeeper_core::text::Span;
use tower_lsp::lsp_types::{Hover, HoverContents, Position};

use super::hover_name;
use crate::documents::Documents;
use crate::markdown::{self, plain};
use crate::world::{View, World};

pub(crate) fn hover(world: &World, documents: &Documents, view: &View, position: Position) -> Option<Hover> {
    let offset = view.offset(position);
    let here = |it: &CheckedStatement| Span::new(it.span.start, it.end).touches(offset);
    let (checked, judged, number, statement) = view.analysis.statements().find(|it| here(it.3))?;
    let mut text = markdown::effect(view, &statement.effect, &checked.after);
    let mut hazards: Vec<&Hazard> = judged.hazards.iter().filter(|it| it.statement == number).collect();
    // What is dangerous first: of what is under the cursor the worst is explained, and the rest named.
    hazards.sort_by_key(|it| Reverse(it.severity));
    let explained = hazards.iter().position(|it| it.span.touches(offset)).unwrap_or(0);
    for (at, hazard) in hazards.into_iter().enumerate() {
        let Some(rule) = hazards::by_id(hazard.rule) else { continue };
        introduce(&mut text, rule, hazard);
        if at == explained {
            explain(&mut text, rule, hazard);
        }
    }
    sources(&mut text, &statement.effect);
    if let Some((object, span)) = view.object_at(offset)
        && let Some(about) = hover_name::about(world, documents, view, &object)
    {
        // A danger under the cursor is why it was asked; else the name is.
        let is_danger =
            judged.hazards.iter().any(|it| it.statement == number && it.severity == Severity::Danger);
        let text =
            if is_danger { format!("{text}\n\n---\n\n{about}") } else { format!("{about}---\n\n{text}") };
        let contents = HoverContents::Markup(markdown::markup(text));
        return Some(Hover { contents, range: Some(view.range(span)) });
    }
    let contents = HoverContents::Markup(markdown::markup(text));
    Some(Hover { contents, range: Some(view.range(statement.span)) })
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
