//! `textDocument/inlayHint`: at the end of each statement who waits, for what, and on which tables.

use lockkeeper_core::check::{Checked, CheckedStatement};
use lockkeeper_core::report::effect_line;
use lockkeeper_core::text::Span;
use tower_lsp::lsp_types::{InlayHint, InlayHintLabel, InlayHintTooltip, Range};

use crate::convert::touch;
use crate::markdown;
use crate::settings::Hints;
use crate::world::View;

pub(crate) fn inlay_hints(view: &View, range: Range) -> Vec<InlayHint> {
    let asked = view.span(range);
    let file = view.file();
    let parts: Vec<&Checked> = match view.settings.hints {
        Hints::All => file.all_parts().map(|(checked, _)| checked).collect(),
        Hints::Up => file.parts.iter().map(|(checked, _)| checked).collect(),
        Hints::Off => Vec::new(),
    };
    let statements = parts.into_iter().flat_map(|it| it.statements.iter().map(move |own| (it, own)));
    let visible = statements.filter(|(_, it)| touch(Span::new(it.span.start, it.end), asked));
    visible.filter_map(|(checked, statement)| inlay_hint(view, checked, statement)).collect()
}

fn inlay_hint(view: &View, checked: &Checked, statement: &CheckedStatement) -> Option<InlayHint> {
    let rows = view.analysis.standing.rows.as_ref();
    let label = effect_line(&statement.effect, &view.file().before, &checked.after, rows)?;
    let tooltip = markdown::effect(view, &statement.effect, &checked.after);
    Some(InlayHint {
        position: view.position(statement.end),
        label: InlayHintLabel::String(label),
        kind: None,
        text_edits: None,
        tooltip: Some(InlayHintTooltip::MarkupContent(markdown::markup(tooltip))),
        padding_left: Some(true),
        padding_right: None,
        data: None,
    })
}
