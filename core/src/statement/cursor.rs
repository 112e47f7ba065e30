//! A reader over the tokens of one statement.

use super::value::coded;
use super::{Token, TokenKind};
use crate::dialect::{Dialect, Ident, Name, fold};
use crate::text::Span;

/// A place in the tokens of a statement. Copies are cheap: a reader that may have to go back works on a copy.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    text: &'a str,
    dialect: Dialect,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the first of `tokens`.
    pub fn new(text: &'a str, dialect: Dialect, tokens: &'a [Token]) -> Self {
        Self { text, dialect, tokens, at: 0 }
    }

    /// The whole text that the spans are places in.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The engine whose rules hold.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many tokens were read.
    pub fn index(&self) -> usize {
        self.at
    }

    /// Whether all tokens were read.
    pub fn at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The next token.
    pub fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    /// The kind of the next token.
    pub fn peek_kind(&self) -> Option<TokenKind> {
        self.peek().map(|token| token.kind)
    }

    /// The text of the next token; empty at the end.
    pub fn peek_text(&self) -> &'a str {
        self.peek().map_or("", |token| token.span.of(self.text))
    }

    /// Whether the next token is this keyword or operator, in any case.
    pub fn is(&self, word: &str) -> bool {
        self.is_at(0, word)
    }

    /// Whether the token `ahead` of the next is this keyword or operator.
    pub fn is_at(&self, ahead: usize, word: &str) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| {
            token.span.len() == word.len()
                && matches!(token.kind, TokenKind::Word | TokenKind::Operator)
                && token.span.of(self.text).eq_ignore_ascii_case(word)
        })
    }

    /// Whether the next token is one of these keywords.
    pub fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Reads the keyword if it comes next.
    pub fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    /// Reads the keywords, given in one string, if they come next, all or none.
    pub fn eat_all(&mut self, words: &str) -> bool {
        let mut ahead = *self;
        let found = words.split(' ').all(|word| ahead.eat(word));
        if found {
            *self = ahead;
        }
        found
    }

    /// Reads the first of the keywords that comes next.
    pub fn eat_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let word = words.iter().copied().find(|word| self.is(word))?;
        self.at += 1;
        Some(word)
    }

    /// Reads a token of this kind.
    pub fn eat_kind(&mut self, kind: TokenKind) -> Option<Token> {
        let token = self.peek().filter(|token| token.kind == kind)?;
        self.at += 1;
        Some(token)
    }

    /// Reads the next token, whatever it is.
    pub fn next_token(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Where the next token stands; the empty span behind the last one at the end.
    pub fn here(&self) -> Span {
        match self.peek() {
            Some(token) => token.span,
            None => Span::at(self.tokens.last().map_or(0, |token| token.span.end)),
        }
    }

    /// The span from the token with index `from` to the last one read.
    pub fn span_from(&self, from: usize) -> Span {
        let start = self.tokens.get(from).map_or(0, |token| token.span.start);
        let end = self.tokens.get(self.at.wrapping_sub(1)).map_or(start, |token| token.span.end);
        Span::new(start, end.max(start))
    }

    /// Reads an identifier: a word, quoted or not, or a template.
    pub fn ident(&mut self) -> Option<Ident> {
        let token = self.peek()?;
        let text = token.span.of(self.text);
        let name = match token.kind {
            TokenKind::Word => fold(text, self.dialect),
            TokenKind::Quoted => unquoted(text),
            TokenKind::Template => text.to_owned(),
            _ => return None,
        };
        self.at += 1;
        Some(Ident { name, span: token.span })
    }

    /// Reads a name with its schema, where one is stated; a database in front is left out.
    pub fn name(&mut self) -> Option<Name> {
        let first = self.ident()?;
        let mut parts = vec![first];
        while self.is(".") {
            let mut ahead = *self;
            ahead.at += 1;
            let Some(part) = ahead.ident() else { break };
            parts.push(part);
            *self = ahead;
        }
        let last = parts.pop()?;
        let span = parts.first().map_or(last.span, |first| first.span.cover(last.span));
        Some(Name { schema: parts.pop().map(|part| part.name), name: last.name, span })
    }

    /// Reads names between commas.
    pub fn names(&mut self) -> Vec<Name> {
        let mut names = Vec::new();
        while let Some(name) = self.name() {
            names.push(name);
            if self.eat_kind(TokenKind::Comma).is_none() {
                break;
            }
        }
        names
    }

    /// Reads `( … )` and gives a cursor over what stands between; also where the closing one is missing.
    pub fn group(&mut self) -> Option<Self> {
        self.eat_kind(TokenKind::Open)?;
        let first = self.at;
        let mut depth = 1_usize;
        while let Some(token) = self.next_token() {
            match token.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(self.part(first, self.at - 1));
            }
        }
        Some(self.part(first, self.at))
    }

    /// Reads one token, or a whole group in parentheses or brackets where one starts.
    pub fn skip(&mut self) {
        if self.group().is_some() {
            return;
        }
        let mut depth = usize::from(self.is("["));
        self.at += usize::from(!self.at_end());
        while depth > 0 && !self.at_end() {
            depth += usize::from(self.is("["));
            depth -= usize::from(self.is("]"));
            self.at += 1;
        }
    }

    /// Reads up to the next comma outside parentheses, and gives a cursor over what stands before it.
    pub fn until_comma(&mut self) -> Self {
        let first = self.at;
        while !self.at_end() && self.peek_kind() != Some(TokenKind::Comma) {
            self.skip();
        }
        self.part(first, self.at)
    }

    /// The parts between commas outside parentheses, to the end.
    pub fn segments(mut self) -> Vec<Self> {
        let mut segments = Vec::new();
        while !self.at_end() {
            segments.push(self.until_comma());
            self.eat_kind(TokenKind::Comma);
        }
        segments
    }

    /// A cursor over the tokens from index `first` up to, and without, `end`.
    pub fn part(&self, first: usize, end: usize) -> Self {
        Self { tokens: &self.tokens[first.min(end)..end], at: 0, ..*self }
    }

    /// A cursor over everything that was not read.
    pub fn rest(&self) -> Self {
        self.part(self.at.min(self.tokens.len()), self.tokens.len())
    }

    /// The span of all tokens of this cursor, read or not.
    pub fn span(&self) -> Span {
        match (self.tokens.first(), self.tokens.last()) {
            (Some(first), Some(last)) => Span::new(first.span.start, last.span.end),
            _ => Span::default(),
        }
    }

    /// All tokens, read or not.
    pub fn tokens(&self) -> &'a [Token] {
        self.tokens
    }

    /// Goes on to the first place, outside parentheses, where one of the keywords comes next; stays put if none does.
    pub fn seek(&mut self, words: &[&str]) -> bool {
        let mut ahead = *self;
        while !ahead.at_end() {
            if ahead.is_any(words) {
                *self = ahead;
                return true;
            }
            ahead.skip();
        }
        false
    }

    /// Whether one of the keywords stands anywhere ahead, outside parentheses.
    pub fn has(&self, words: &[&str]) -> bool {
        let mut ahead = *self;
        ahead.seek(words)
    }
}

/// The name that a quoted identifier stands for.
fn unquoted(text: &str) -> String {
    if let Some(quoted) = text.strip_prefix(['u', 'U']).and_then(|it| it.strip_prefix('&')) {
        return coded(&unquoted(quoted));
    }
    let close = match text.chars().next() {
        Some('`') => '`',
        Some('[') => ']',
        _ => '"',
    };
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    if inner.contains(close) {
        let doubled: String = [close, close].iter().collect();
        return inner.replace(&doubled, &close.to_string());
    }
    inner.to_owned()
}
