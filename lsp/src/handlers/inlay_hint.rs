//! `textDocument/inlayHint`: at the end of each statement the lock, who waits, and for how long.

use lockkeeper_core::check::{Checked, CheckedStatement};
use lockkeeper_core::estimate::estimate;
use lockkeeper_core::report::effect_line;
use lockkeeper_core::text::Span;
use tower_lsp::lsp_types::{InlayHint, InlayHintLabel, InlayHintTooltip, Range};

use crate::convert::touch;
use crate::world::View;

pub(crate) fn inlay_hints(view: &View, range: Range) -> Vec<InlayHint> {
    let asked = view.span(range);
    let statements = view.analysis.statements();
    let visible = statements.filter(|(_, _, _, it)| touch(Span::new(it.span.start, it.end), asked));
    visible.filter_map(|(checked, _, _, statement)| inlay_hint(view, checked, statement)).collect()
}

fn inlay_hint(view: &View, checked: &Checked, statement: &CheckedStatement) -> Option<InlayHint> {
    let rows = view.analysis.standing.rows.as_ref();
    let label = effect_line(&statement.effect, &checked.after, rows)?;
    let assumed = estimate(&statement.effect, rows).map(|it| format!("assumed: {}", it.assumed));
    // VS Code cuts labels after 43 characters: the tooltip has all of it.
    let more = statement.effect.fails.clone().or(assumed);
    let tooltip = more.map_or_else(|| label.clone(), |more| format!("{label}\n\n{more}"));
    Some(InlayHint {
        position: view.position(statement.end),
        label: InlayHintLabel::String(label),
        kind: None,
        text_edits: None,
        tooltip: Some(InlayHintTooltip::String(tooltip)),
        padding_left: Some(true),
        padding_right: None,
        data: None,
    })
}
