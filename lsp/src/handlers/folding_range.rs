//! `textDocument/foldingRange`: statements and comments of several lines.

use lockkeeper_core::text::Span;
use tower_lsp::lsp_types::{FoldingRange, FoldingRangeKind};

use crate::world::View;

pub(crate) fn folding_ranges(view: &View) -> Vec<FoldingRange> {
    let statements = view.analysis.statements();
    let statements =
        statements.filter_map(|(_, _, _, it)| fold(view, Span::new(it.span.start, it.end), None));
    let comments = view.file().all_parts().flat_map(|(checked, _)| &checked.comments);
    let comments = comments.filter_map(|span| fold(view, *span, Some(FoldingRangeKind::Comment)));
    statements.chain(comments).collect()
}

fn fold(view: &View, span: Span, kind: Option<FoldingRangeKind>) -> Option<FoldingRange> {
    let range = view.range(span);
    let fold = FoldingRange {
        start_line: range.start.line,
        start_character: None,
        end_line: range.end.line,
        end_character: None,
        kind,
        collapsed_text: None,
    };
    (range.start.line < range.end.line).then_some(fold)
}
