//! `textDocument/codeAction`: the rewrites as expand-contract, fixes, and last allowances.

use std::cmp::Reverse;

use lockkeeper_core::hazards::{Applicability, Fix, Hazard};
use lockkeeper_core::plan::Way;
use lockkeeper_core::strategies::Costs;
use lockkeeper_core::text::{self, Edit, Span};
use lockkeeper_project::rewrite::Rewrite;
use serde_json::json;
use tower_lsp::lsp_types::{
    CodeAction, CodeActionDisabled, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic,
    NumberOrString,
};

use crate::convert::{INCOMPLETE_STEPS, deletion, file_edit, rewrite_edit, touch};
use crate::documents::Documents;
use crate::select;
use crate::world::{Rewriting, View};

/// All fixes that keep the meaning, as editors run them when a file is saved.
pub(crate) const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.lockkeeper");

/// What is asked for, best first: the way that a plan recommends, what cures the worst hazard, the other ways, and last what accepts a hazard as it is.
pub(crate) fn code_actions(
    view: &View,
    documents: &Documents,
    params: &CodeActionParams,
) -> Vec<CodeActionOrCommand> {
    let found = hazards_at(view, view.span(params.range));
    let offer = Offers { view, documents, params, found: &found };
    let mut actions = offer.rewrites();
    let preferred = actions.iter().any(|it| it.is_preferred == Some(true));
    if offer.wants(&CodeActionKind::QUICKFIX) {
        let fixes = found.iter().flat_map(|(_, hazard)| offer.fixes(hazard, preferred));
        let behind = usize::from(preferred);
        let fixes: Vec<CodeAction> = offer.removal().into_iter().chain(fixes).collect();
        actions.splice(behind..behind, fixes);
        actions.extend(found.iter().map(|(statement, hazard)| offer.allow(*statement, hazard)));
    }
    actions.extend(offer.fix_all());
    actions.into_iter().map(CodeActionOrCommand::CodeAction).collect()
}

/// The hazards of the statements that the selection touches, each with its statement.
fn hazards_at(view: &View, asked: Span) -> Vec<(Span, &Hazard)> {
    let statements = view.analysis.statements();
    let touched = statements.filter(|(_, _, _, it)| touch(Span::new(it.span.start, it.end), asked));
    let found = touched.flat_map(|(_, judged, number, statement)| {
        let of_it = judged.hazards.iter().filter(move |hazard| hazard.statement == number);
        of_it.map(|hazard| (statement.span, hazard))
    });
    let mut found: Vec<_> = found.collect();
    // What is under the cursor comes first, and of that the worst.
    found.sort_by_key(|(_, hazard)| (!touch(hazard.span, asked), Reverse(hazard.severity)));
    found
}

/// What actions are made for.
struct Offers<'a> {
    view: &'a View,
    documents: &'a Documents,
    params: &'a CodeActionParams,
    /// The hazards at hand, each with its statement.
    found: &'a [(Span, &'a Hazard)],
}

impl Offers<'_> {
    fn wants(&self, kind: &CodeActionKind) -> bool {
        self.params.context.only.as_ref().is_none_or(|only| {
            only.iter().any(|it| {
                kind == it
                    || it.as_str().is_empty()
                    || kind.as_str().starts_with(&format!("{}.", it.as_str()))
            })
        })
    }

    fn fixes(&self, hazard: &Hazard, preferred: bool) -> Vec<CodeAction> {
        let fix = |fix: &Fix| {
            let title = match fix.applicability {
                Applicability::Safe => fix.title.clone(),
                Applicability::NeedsReview => format!("{} (review it)", fix.title),
                Applicability::DisplayOnly => return None,
            };
            let is_best = fix.applicability == Applicability::Safe && !preferred;
            Some(CodeAction {
                title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(self.shown(std::iter::once(hazard))),
                edit: Some(file_edit(self.view, &with_the_other_half(self.view, hazard, fix))),
                is_preferred: is_best.then_some(true),
                ..CodeAction::default()
            })
        };
        hazard.fixes.iter().filter_map(fix).collect()
    }

    /// All safe fixes of the file as one edit, where that is what is asked for: it takes several rounds of checking.
    fn fix_all(&self) -> Option<CodeAction> {
        let asked = self.params.context.only.is_some() && self.wants(&FIX_ALL);
        let after = asked.then(|| self.view.analysis.fixed(&self.view.document.text)).flatten()?;
        Some(CodeAction {
            title: "Apply all fixes that keep the meaning".to_owned(),
            kind: Some(FIX_ALL),
            edit: Some(file_edit(self.view, &[difference(&self.view.document.text, &after)])),
            ..CodeAction::default()
        })
    }

    /// The steps behind a gap taken away, where it is sure which they are.
    fn removal(&self) -> Option<CodeAction> {
        let set = self.view.steps.as_ref().filter(|it| !it.ambiguous)?;
        let first = Span::new(0, text::lines(&self.view.document.text).next().map_or(0, str::len));
        if !touch(first, self.view.span(self.params.range)) {
            return None;
        }
        let behind = set.behind_the_gap();
        let files = if behind.len() == 1 { "file".to_owned() } else { format!("{} files", behind.len()) };
        let code = Some(NumberOrString::String(INCOMPLETE_STEPS.to_owned()));
        let sent = self.params.context.diagnostics.iter().filter(|it| it.code == code);
        Some(CodeAction {
            title: format!("Remove the {files} behind the missing step"),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(sent.cloned().collect()),
            edit: Some(deletion(self.view, &behind).filter(|_| !behind.is_empty())?),
            ..CodeAction::default()
        })
    }

    /// The diagnostics of hazards as the client sent them.
    fn shown<'h>(&self, hazards: impl Iterator<Item = &'h Hazard>) -> Vec<Diagnostic> {
        let of_hazard = |hazard: &Hazard| {
            let code = Some(NumberOrString::String(hazard.rule.to_owned()));
            let range = self.view.range(hazard.span);
            let sent = self.params.context.diagnostics.iter();
            sent.filter(|it| it.code == code && it.range == range).cloned().collect::<Vec<_>>()
        };
        hazards.flat_map(of_hazard).collect()
    }

    /// A comment above the statement. The reason is the author's to write: without one it does not count.
    fn allow(&self, statement: Span, hazard: &Hazard) -> CodeAction {
        let view = self.view;
        let before = &view.document.text[..statement.start];
        let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
        let indent: String = line.chars().take_while(|it| it.is_whitespace()).collect();
        // Behind another statement on the same line the comment would belong to that one.
        let start = if line.trim().is_empty() { String::new() } else { format!("\n{indent}") };
        let comment = format!("{start}-- lockkeeper: allow {} because ", hazard.rule);
        let edit = Edit::insert(statement.start, format!("{comment}\n{indent}"));
        CodeAction {
            title: format!("Allow {} here…", hazard.rule),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(self.shown(std::iter::once(hazard))),
            edit: Some(file_edit(view, &[edit])),
            command: select::command(view, statement.start, &comment),
            ..CodeAction::default()
        }
    }

    /// The ways of rewriting the file, where a hazard at hand has a recipe. The one that is recommended is a quick fix of those hazards.
    fn rewrites(&self) -> Vec<CodeAction> {
        let cured = self.found.iter().any(|(_, it)| !it.recipes.is_empty());
        let kinds = [CodeActionKind::QUICKFIX, CodeActionKind::REFACTOR_REWRITE];
        if !cured || !kinds.iter().any(|it| self.wants(it)) {
            return Vec::new();
        }
        let tried = self.view.analysis.rewrites().iter();
        let shown = tried.filter(|it| it.result.is_ok() || self.view.abilities.shows_disabled);
        let wanted = |it: &CodeAction| it.kind.as_ref().is_some_and(|kind| self.wants(kind));
        shown.map(|it| self.rewrite(it)).filter(wanted).collect()
    }

    fn rewrite(&self, rewriting: &Rewriting) -> CodeAction {
        let view = self.view;
        let (uri, version, way) = (&view.document.uri, view.document.version, rewriting.way);
        let is_fix = rewriting.recommended && self.wants(&CodeActionKind::QUICKFIX);
        let kind = if is_fix { CodeActionKind::QUICKFIX } else { CodeActionKind::REFACTOR_REWRITE };
        let cured = self.found.iter().map(|(_, it)| *it).filter(|it| !it.recipes.is_empty());
        let action =
            CodeAction { kind: Some(kind), diagnostics: Some(self.shown(cured)), ..CodeAction::default() };
        match &rewriting.result {
            Err(reason) => CodeAction {
                title: title(way).to_owned(),
                disabled: Some(CodeActionDisabled { reason: reason.clone() }),
                ..action
            },
            Ok(found) => CodeAction {
                title: format!("{} ({})", title(way), outline(rewriting, found)),
                data: Some(json!({"uri": uri, "version": version, "way": way.id()})),
                is_preferred: rewriting.recommended.then_some(true),
                edit: (!view.abilities.resolves_actions)
                    .then(|| rewrite_edit(view, self.documents, found))
                    .flatten(),
                ..action
            },
        }
    }
}

/// One edit between two texts, as short as their common start and end allow.
fn difference(before: &str, after: &str) -> Edit {
    let same = before.chars().zip(after.chars()).take_while(|(one, other)| one == other);
    let start: usize = same.map(|(it, _)| it.len_utf8()).sum();
    let (old, new) = (&before[start..], &after[start..]);
    let same = old.chars().rev().zip(new.chars().rev()).take_while(|(one, other)| one == other);
    let end: usize = same.map(|(it, _)| it.len_utf8()).sum();
    Edit { span: Span::new(start, before.len() - end), replacement: new[..new.len() - end].to_owned() }
}

/// The edits of a fix, and those of the same fix on the other way through the file, which would be warned of next.
fn with_the_other_half(view: &View, hazard: &Hazard, fix: &Fix) -> Vec<Edit> {
    let mut edits = fix.edits.clone();
    let has_both = !view.file().parts.is_empty() && !view.file().downs.is_empty();
    let Ok(after) = text::apply(&view.document.text, &edits) else { return edits };
    if fix.applicability != Applicability::Safe || !has_both {
        return edits;
    }
    let then = view.analysis.check(&after);
    let others = then.all_parts().flat_map(|(_, judged)| &judged.hazards);
    let mut others = others.filter(|it| it.rule == hazard.rule && it.direction != hazard.direction);
    let same = |it: &&Fix| it.title == fix.title && it.applicability == Applicability::Safe;
    let other = others.find_map(|it| it.fixes.iter().find(same));
    edits.extend(other.into_iter().flat_map(|it| &it.edits).map(|it| before_edits(it, &fix.edits)));
    edits
}

/// An edit of a text that others have changed, as an edit of the text before them.
fn before_edits(edit: &Edit, others: &[Edit]) -> Edit {
    let grown = |it: &&Edit| it.span.start <= edit.span.start;
    let added: usize = others.iter().filter(grown).map(|it| it.replacement.len()).sum();
    let taken: usize = others.iter().filter(grown).map(|it| it.span.len()).sum();
    let start = (edit.span.start + taken).saturating_sub(added);
    Edit { span: Span::new(start, start + edit.span.len()), replacement: edit.replacement.clone() }
}

/// `creates 6 files, 1 release, locks for moments, recommended`.
fn outline(rewriting: &Rewriting, rewrite: &Rewrite) -> String {
    let releases = match rewrite.releases.len() {
        0 => None,
        1 => Some("1 release".to_owned()),
        many => Some(format!("{many} releases")),
    };
    let recommended = rewriting.recommended.then(|| "recommended".to_owned());
    let parts = [Some(files(rewrite)), releases, Some(waits(&rewriting.costs)), recommended];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The longest that others wait.
fn waits(costs: &Costs) -> String {
    let lasts = |it: &lockkeeper_core::estimate::Range| it.high > 0.0;
    if let Some(range) = costs.downtime.filter(lasts) {
        return format!("stops the application for {}", range.in_words());
    }
    match costs.blocked.filter(lasts) {
        Some(range) => format!("others wait {}", range.in_words()),
        None if costs.works_under_lock => "others wait while rows are read".to_owned(),
        None => "locks for moments".to_owned(),
    }
}

fn title(way: Way) -> &'static str {
    match way {
        Way::View => "Rewrite as expand-contract behind a view or the like",
        Way::Triggers => "Rewrite as expand-contract",
        Way::Application => "Rewrite with double writes in the application",
        Way::Window => "Rewrite for a maintenance window",
    }
}

/// `creates 3 files`, by a rewrite that was tried.
fn files(rewrite: &Rewrite) -> String {
    let created = rewrite.files.iter().filter(|file| !file.replaces && !file.held).count();
    let now = match created {
        0 => "changes this file".to_owned(),
        1 => "creates 1 file".to_owned(),
        _ => format!("creates {created} files"),
    };
    match rewrite.files.iter().filter(|it| it.held).count() {
        0 => now,
        held => format!("{now}, holds back {held}"),
    }
}
