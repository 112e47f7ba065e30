//! Lines and columns of byte offsets, in the encodings that editors use.

/// How a client counts columns (the position encodings of the language server protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Bytes.
    #[default]
    Utf8,
    /// UTF-16 code units: what every editor speaks.
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

impl Encoding {
    fn width(self, character: char) -> usize {
        match self {
            Self::Utf8 => character.len_utf8(),
            Self::Utf16 => character.len_utf16(),
            Self::Utf32 => 1,
        }
    }
}

/// A place in a text, both counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line.
    pub line: usize,
    /// The column in units of the encoding that was asked for.
    pub column: usize,
}

/// Where the lines of one text start. `\n`, `\r\n` and a lone `\r` end a line, as in the language server protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Reads the text once.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (offset, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' || (byte == b'\r' && bytes.get(offset + 1) != Some(&b'\n')) {
                starts.push(offset + 1);
            }
        }
        Self { starts }
    }

    /// How many lines there are; an empty text has one.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Never: even an empty text has a line.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The line of an offset, from 0.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset) - 1
    }

    /// The place of an offset; offsets behind the end or inside a character count as the next place before them.
    pub fn position(&self, text: &str, offset: usize, encoding: Encoding) -> LineColumn {
        let offset = floor_boundary(text, offset);
        let line = self.line(offset);
        let before = &text[self.starts[line]..offset];
        let column = match encoding {
            Encoding::Utf8 => before.len(),
            _ => before.chars().map(|character| encoding.width(character)).sum(),
        };
        LineColumn { line, column }
    }

    /// The offset of a place; places behind the end of a line or of the text are clamped to it.
    pub fn offset(&self, text: &str, place: LineColumn, encoding: Encoding) -> usize {
        let Some(&start) = self.starts.get(place.line) else {
            return text.len();
        };
        let end = self.starts.get(place.line + 1).copied().unwrap_or(text.len());
        let line = text[start..end].trim_end_matches(['\n', '\r']);
        let mut column = 0;
        for (offset, character) in line.char_indices() {
            if column + encoding.width(character) > place.column {
                return start + offset;
            }
            column += encoding.width(character);
        }
        start + line.len()
    }
}

/// The lines of a text without their ends, as [`LineIndex`] counts them but for an empty last one: `str::lines` takes a lone `\r` for part of a line, where
/// editors begin a new one and PostgreSQL ends a comment.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, behind) = rest.split_at(rest.find(['\n', '\r']).unwrap_or(rest.len()));
        let end = if behind.starts_with("\r\n") { 2 } else { behind.len().min(1) };
        rest = &behind[end..];
        Some(line)
    })
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_in_the_unit_asked_for() {
        let text = "a\r\n-- 🦀é x";
        let index = LineIndex::new(text);
        let offset = text.find('x').expect("is there");
        let at = |encoding| index.position(text, offset, encoding);
        assert_eq!(at(Encoding::Utf8), LineColumn { line: 1, column: 10 });
        assert_eq!(at(Encoding::Utf16), LineColumn { line: 1, column: 7 });
        assert_eq!(at(Encoding::Utf32), LineColumn { line: 1, column: 6 });
    }

    #[test]
    fn every_boundary_survives_the_way_there_and_back() {
        let text = "é🦀\r\nb\rc\n\n";
        let index = LineIndex::new(text);
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            for (offset, _) in text.char_indices().filter(|(_, character)| !matches!(character, '\n' | '\r'))
            {
                assert_eq!(index.offset(text, index.position(text, offset, encoding), encoding), offset);
            }
        }
    }

    #[test]
    fn lines_are_those_of_the_index() {
        let text = "a\r\nb\rc\n\nd";
        assert_eq!(lines(text).collect::<Vec<_>>(), ["a", "b", "c", "", "d"]);
        assert_eq!(lines(text).count(), LineIndex::new(text).len());
        assert_eq!(lines("a\r").collect::<Vec<_>>(), ["a"]);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn a_column_inside_a_pair_of_surrogates_is_clamped() {
        let text = "🦀x";
        let index = LineIndex::new(text);
        assert_eq!(index.offset(text, LineColumn { line: 0, column: 1 }, Encoding::Utf16), 0);
        assert_eq!(index.offset(text, LineColumn { line: 0, column: 99 }, Encoding::Utf16), 5);
        assert_eq!(index.offset(text, LineColumn { line: 9, column: 0 }, Encoding::Utf16), 5);
    }
}
