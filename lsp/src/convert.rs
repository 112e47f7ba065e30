//! Between our values and the protocol's: the only place that knows positions.

mod diagnostics;
mod edits;

pub(crate) use diagnostics::{INCOMPLETE_STEPS, configuration, diagnostics};
pub(crate) use edits::{creations, deletion, file_edit, rewrite_edit};

use lockkeeper_core::text::{LineColumn, Span};
use lockkeeper_project::analysis::CheckedFile;
use tower_lsp::lsp_types::{Position, Range, Url};

use crate::documents::Document;
use crate::world::View;
use lockkeeper_core::text::Encoding;

pub(crate) fn position(place: LineColumn) -> Position {
    let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    Position::new(number(place.line), number(place.column))
}

impl Document {
    pub(crate) fn position(&self, offset: usize, encoding: Encoding) -> Position {
        position(self.lines.position(&self.text, offset, encoding))
    }

    pub(crate) fn range(&self, span: Span, encoding: Encoding) -> Range {
        Range::new(self.position(span.start, encoding), self.position(span.end, encoding))
    }

    pub(crate) fn whole(&self, encoding: Encoding) -> Range {
        self.range(Span::new(0, self.text.len()), encoding)
    }

    pub(crate) fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let place = LineColumn { line: position.line as usize, column: position.character as usize };
        self.lines.offset(&self.text, place, encoding)
    }
}

impl View {
    pub(crate) fn file(&self) -> &CheckedFile {
        &self.analysis.file
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        self.document.position(offset, self.abilities.encoding)
    }

    pub(crate) fn range(&self, span: Span) -> Range {
        self.document.range(span, self.abilities.encoding)
    }

    pub(crate) fn offset(&self, position: Position) -> usize {
        self.document.offset(position, self.abilities.encoding)
    }

    pub(crate) fn span(&self, range: Range) -> Span {
        let start = self.offset(range.start);
        Span::new(start, self.offset(range.end).max(start))
    }

    /// The address of a file of the project; that of the document itself as the client spells it.
    pub(crate) fn uri(&self, path: &str) -> Option<Url> {
        if path == self.analysis.standing.path {
            return Some(self.document.uri.clone());
        }
        Url::from_file_path(self.analysis.loaded.opened.project.root.join(path)).ok()
    }
}

/// Whether two spans share a place, ends included.
pub(crate) fn touch(one: Span, other: Span) -> bool {
    one.start <= other.end && other.start <= one.end
}
