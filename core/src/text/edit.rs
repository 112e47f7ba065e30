//! Edits of a text, applied all or not at all.

use super::Span;

/// Replace the text of `span` by `replacement`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

impl Edit {
    /// Replaces `span`.
    pub fn replace(span: Span, replacement: impl Into<String>) -> Self {
        Self { span, replacement: replacement.into() }
    }

    /// Inserts at `offset`.
    pub fn insert(offset: usize, text: impl Into<String>) -> Self {
        Self { span: Span::at(offset), replacement: text.into() }
    }

    /// Inserts a word behind `span`, with a space before it.
    pub fn insert_word_after(span: Span, word: &str) -> Self {
        Self::insert(span.end, format!(" {word}"))
    }
}

/// Two edits overlap, or one lies outside the text: nothing was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditConflict;

/// The text with all edits applied; edits at the same offset keep their order.
///
/// # Errors
/// [`EditConflict`] when edits overlap or do not fit the text.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditConflict> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    for edit in sorted {
        let before = text.get(copied..edit.span.start).ok_or(EditConflict)?;
        text.get(edit.span.start..edit.span.end).ok_or(EditConflict)?;
        result.push_str(before);
        result.push_str(&edit.replacement);
        copied = edit.span.end;
    }
    result.push_str(text.get(copied..).ok_or(EditConflict)?);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apply_in_order_of_place() {
        let edits = [Edit::replace(Span::new(7, 12), "rows"), Edit::insert(0, "-- ")];
        assert_eq!(apply("select table;", &edits).as_deref(), Ok("-- select rows;"));
    }

    #[test]
    fn overlapping_edits_apply_nothing() {
        let edits = [Edit::replace(Span::new(0, 3), "a"), Edit::replace(Span::new(2, 4), "b")];
        assert_eq!(apply("abcdef", &edits), Err(EditConflict));
    }

    #[test]
    fn an_edit_inside_a_character_is_refused() {
        assert_eq!(apply("é", &[Edit::insert(1, "x")]), Err(EditConflict));
    }
}
