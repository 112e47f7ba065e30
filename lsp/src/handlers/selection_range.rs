//! `textDocument/selectionRange`: from the word under the cursor over its operation and statement to the whole migration.

use lockkeeper_core::text::Span;
use tower_lsp::lsp_types::{Position, SelectionRange};

use crate::world::View;

pub(crate) fn selection_ranges(view: &View, positions: &[Position]) -> Vec<SelectionRange> {
    positions.iter().map(|at| selection_range(view, view.offset(*at))).collect()
}

fn selection_range(view: &View, offset: usize) -> SelectionRange {
    let whole = Span::new(0, view.document.text.len());
    let parts = view.file().all_parts().map(|(checked, _)| checked.span);
    let statements = view.analysis.statements().map(|(_, _, _, it)| it);
    let around = statements.filter(|it| Span::new(it.span.start, it.end).touches(offset));
    let around = around.flat_map(|it| {
        let operations = it.operations.iter().map(|it| it.span);
        operations.chain([it.span, Span::new(it.span.start, it.end)]).collect::<Vec<_>>()
    });
    let word = view.sentence_at(offset).and_then(|it| it.word_at(offset));
    let mut spans: Vec<Span> = word.into_iter().chain(around).chain(parts).chain([whole]).collect();
    spans.retain(|it| it.touches(offset));
    spans.sort_by_key(|it| it.len());
    spans.dedup();
    let mut outer: Option<Box<SelectionRange>> = None;
    for span in spans.into_iter().rev() {
        // One that lies across another is none of its steps.
        let inside = outer.as_ref().is_none_or(|it| view.span(it.range).contains(span));
        if inside {
            outer = Some(Box::new(SelectionRange { range: view.range(span), parent: outer }));
        }
    }
    let nothing = || SelectionRange { range: view.range(Span::at(offset)), parent: None };
    outer.map_or_else(nothing, |it| *it)
}
