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

/// The text of `span` with the edits that lie in it.
///
/// # Errors
/// [`EditConflict`] when those overlap, or the span does not fit the text.
pub fn apply_within(text: &str, span: Span, edits: &[Edit]) -> Result<String, EditConflict> {
    let inside = edits.iter().filter(|edit| span.contains(edit.span)).cloned();
    let ends = [Span::new(0, span.start), Span::new(span.end, text.len().max(span.end))];
    let cut = ends.map(|end| Edit::replace(end, ""));
    apply(text, &inside.chain(cut).collect::<Vec<_>>())
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
    fn a_part_is_edited_by_what_lies_in_it() {
        let edits = [
            Edit::replace(Span::new(0, 6), "with"),
            Edit::insert(7, "a "),
            Edit::replace(Span::new(7, 12), "view"),
            Edit::insert(12, "s"),
        ];
        assert_eq!(apply_within("select table;", Span::new(7, 12), &edits).as_deref(), Ok("a views"));
        assert_eq!(apply_within("table", Span::new(0, 5), &[]).as_deref(), Ok("table"));
        assert_eq!(apply_within("table", Span::new(3, 9), &[]), Err(EditConflict));
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
