//! `textDocument/codeAction`: fixes, allowances, and the rewrite as expand-contract.

use lockkeeper_core::hazards::{Applicability, Fix, Hazard};
use lockkeeper_core::plan::Way;
use lockkeeper_core::text::{Edit, Span};
use lockkeeper_project::rewrite::{Rewrite, RewriteError};
use serde_json::json;
use tower_lsp::lsp_types::{
    CodeAction, CodeActionDisabled, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic,
    NumberOrString,
};

use crate::convert::{file_edit, rewrite_edit, touch};
use crate::documents::Documents;
use crate::world::View;

pub(crate) fn code_actions(
    view: &View,
    documents: &Documents,
    params: &CodeActionParams,
) -> Vec<CodeActionOrCommand> {
    let wanted = |kind: &CodeActionKind| {
        params.context.only.as_ref().is_none_or(|only| {
            only.iter().any(|it| {
                kind == it
                    || it.as_str().is_empty()
                    || kind.as_str().starts_with(&format!("{}.", it.as_str()))
            })
        })
    };
    let found = hazards_at(view, view.span(params.range));
    let mut actions = Vec::new();
    if wanted(&CodeActionKind::QUICKFIX) {
        actions.extend(found.iter().flat_map(|(_, hazard)| fixes(view, hazard, params)));
        actions.extend(found.iter().map(|(statement, hazard)| allow(view, *statement, hazard, params)));
    }
    if wanted(&CodeActionKind::REFACTOR_REWRITE) && found.iter().any(|(_, it)| !it.recipes.is_empty()) {
        actions.extend(rewrites(view, documents));
    }
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
    // What is under the cursor comes first.
    found.sort_by_key(|(_, hazard)| !touch(hazard.span, asked));
    found
}

fn fixes(view: &View, hazard: &Hazard, params: &CodeActionParams) -> Vec<CodeAction> {
    let fix = |fix: &Fix| {
        let title = match fix.applicability {
            Applicability::Safe => fix.title.clone(),
            Applicability::NeedsReview => format!("{} (review it)", fix.title),
            Applicability::DisplayOnly => return None,
        };
        Some(CodeAction {
            title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(shown(view, hazard, params)),
            edit: Some(file_edit(view, &fix.edits)),
            is_preferred: (fix.applicability == Applicability::Safe).then_some(true),
            ..CodeAction::default()
        })
    };
    hazard.fixes.iter().filter_map(fix).collect()
}

/// The diagnostics of a hazard as the client sent them.
fn shown(view: &View, hazard: &Hazard, params: &CodeActionParams) -> Vec<Diagnostic> {
    let code = Some(NumberOrString::String(hazard.rule.to_owned()));
    let range = view.range(hazard.span);
    let of_it = params.context.diagnostics.iter().filter(|it| it.code == code && it.range == range);
    of_it.cloned().collect()
}

/// A comment above the statement. The reason is the author's to write: without one it does not count.
fn allow(view: &View, statement: Span, hazard: &Hazard, params: &CodeActionParams) -> CodeAction {
    let before = &view.document.text[..statement.start];
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let indent: String = line.chars().take_while(|it| it.is_whitespace()).collect();
    // Behind another statement on the same line the comment would belong to that one.
    let start = if line.trim().is_empty() { String::new() } else { format!("\n{indent}") };
    let comment = format!("{start}-- lockkeeper: allow {} because \n{indent}", hazard.rule);
    CodeAction {
        title: format!("Allow {} here…", hazard.rule),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(shown(view, hazard, params)),
        edit: Some(file_edit(view, &[Edit::insert(statement.start, comment)])),
        ..CodeAction::default()
    }
}

fn rewrites(view: &View, documents: &Documents) -> Vec<CodeAction> {
    let tried = view.analysis.rewrites().iter();
    let shown = tried.filter(|(_, result)| result.is_ok() || view.abilities.shows_disabled);
    let mut actions: Vec<CodeAction> =
        shown.map(|(way, result)| rewrite(view, documents, *way, result)).collect();
    actions.sort_by_key(|action| action.disabled.is_some());
    actions
}

fn rewrite(
    view: &View,
    documents: &Documents,
    way: Way,
    result: &Result<Rewrite, RewriteError>,
) -> CodeAction {
    let (uri, version) = (&view.document.uri, view.document.version);
    let action = CodeAction { kind: Some(CodeActionKind::REFACTOR_REWRITE), ..CodeAction::default() };
    match result {
        Err(error) => CodeAction {
            title: title(way).to_owned(),
            disabled: Some(CodeActionDisabled { reason: error.message.clone() }),
            ..action
        },
        Ok(found) => CodeAction {
            title: format!("{} ({})", title(way), files(found)),
            data: Some(json!({"uri": uri, "version": version, "way": way.id()})),
            edit: (!view.abilities.resolves_actions).then(|| rewrite_edit(view, documents, found)).flatten(),
            ..action
        },
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
    let created = rewrite.files.iter().filter(|file| !file.replaces).count();
    match created {
        0 => "changes this file".to_owned(),
        1 => "creates 1 file".to_owned(),
        _ => format!("creates {created} files"),
    }
}
