//! Where quotes and comments end, and which one its writer left open.

use std::collections::HashMap;

use super::{Token, TokenKind};
use crate::text;

/// The end of the quote that opens at `open`; `None` where nobody closes it. A doubled mark stands for itself.
pub(super) fn quote_end(bytes: &[u8], open: usize, close: u8, escapes: bool) -> Option<usize> {
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if escapes => at += 2,
            _ if byte == close && bytes.get(at + 1) == Some(&close) => at += 2,
            _ if byte == close => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// The end of the block comment that starts at `open`; the end of the text where nobody closes it.
pub(super) fn comment_end(bytes: &[u8], open: usize, nested: bool) -> usize {
    let (mut at, mut depth) = (open + 2, 1_usize);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'*', Some(b'/')) if depth == 1 => return at + 2,
            (b'*', Some(b'/')) => (depth, at) = (depth - 1, at + 2),
            (b'/', Some(b'*')) if nested => (depth, at) = (depth + 1, at + 2),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The tag `$…$` that starts at `at`.
pub(super) fn dollar_tag(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at + 1..)?;
    let length = rest.find(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || !it.is_ascii()))?;
    let starts_with_digit = rest.starts_with(|first: char| first.is_ascii_digit());
    (rest[length..].starts_with('$') && !starts_with_digit).then(|| &text[at..at + length + 2])
}

/// Where every dollar tag of a text stands, from some place on. Made once, so that many tags that nobody closes cost no more than few.
pub(super) struct DollarIndex<'a> {
    places: HashMap<&'a str, Vec<usize>>,
}

impl<'a> DollarIndex<'a> {
    pub fn new(text: &'a str, from: usize) -> Self {
        let mut places: HashMap<&'a str, Vec<usize>> = HashMap::new();
        for at in text[from..].match_indices('$').map(|(at, _)| from + at) {
            if let Some(tag) = dollar_tag(text, at) {
                places.entry(tag).or_default().push(at);
            }
        }
        Self { places }
    }

    /// The end of the closing `tag` at or behind `from`.
    pub fn close(&self, tag: &str, from: usize) -> Option<usize> {
        let places = self.places.get(tag)?;
        let next = places.partition_point(|&place| place < from);
        places.get(next).map(|place| place + tag.len())
    }
}

/// The quote that its writer left open, when a text ends inside one.
///
/// All quotes behind it pair up wrongly, so the first string that holds the start of another statement on a line of
/// its own, behind a semicolon, is taken for it.
pub(super) fn culprit(text: &str, tokens: &[Token], open_quote: usize) -> Option<usize> {
    let mark = text.as_bytes()[open_quote];
    let suspicious = tokens
        .iter()
        .filter(|token| matches!(token.kind, TokenKind::String | TokenKind::Quoted))
        .find(|token| holds_statement(token.span.of(text)))?;
    let quote = suspicious.span.start + suspicious.span.of(text).find(char::from(mark))?;
    (quote < open_quote).then_some(quote)
}

fn holds_statement(literal: &str) -> bool {
    let mut lines = text::lines(literal);
    let Some(mut before) = lines.next() else { return false };
    for line in lines {
        let starts = STATEMENT_STARTS
            .iter()
            .any(|word| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
        if starts && (before.trim_end().ends_with(';') || before.trim().is_empty()) {
            return true;
        }
        before = line;
    }
    false
}

const STATEMENT_STARTS: &[&str] = &[
    "alter ",
    "create ",
    "drop ",
    "insert ",
    "update ",
    "delete ",
    "truncate ",
    "begin",
    "commit",
    "set ",
    "comment ",
];
