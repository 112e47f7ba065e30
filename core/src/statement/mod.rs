//! Text to statements; never fails.
//!
//! Our own lexer makes tokens with exact byte ranges and copies nothing; the splitter cuts them into statements.
//! A file that is being typed is the normal case: an open quote, a missing semicolon or a half-written statement
//! spoils only itself. `sqlparser` is not asked here: its tokenizer gives up at the first open quote, knows lines and
//! columns instead of bytes, and copies every word (ARCHITECTURE.md, "Reading SQL").

mod cursor;
mod lexer;
mod quotes;
mod split;
mod value;

use crate::dialect::{Dialect, Lexicon};
use crate::text::Span;

pub use cursor::Cursor;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A bare word: keyword or identifier.
    Word,
    /// A quoted identifier.
    Quoted,
    /// A string literal with its prefix.
    String,
    /// A dollar-quoted string with its tags.
    Dollar,
    /// A number.
    Number,
    /// A positional parameter such as `$1`.
    Parameter,
    /// A placeholder of a templating language or of psql: one opaque identifier.
    Template,
    /// An operator, or one of `. : [ ]`.
    Operator,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `;`, or what the client uses in its place.
    Semicolon,
    /// A line of psql's own commands, or the data of a COPY.
    Client,
    /// A quote that nobody closed: up to the end of its line.
    Broken,
}

/// A token: its kind and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// One statement: a range of the script's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// From the first token to the last one, without the semicolon.
    pub span: Span,
    /// The tokens, as indices into [`Script::tokens`], without the semicolon.
    pub tokens: std::ops::Range<usize>,
    /// Where the semicolon ends; the end of the span where there is none.
    pub end: usize,
    /// Whether a semicolon ends it. The last statement of a file may do without.
    pub terminated: bool,
}

/// A text cut into statements.
#[derive(Debug, Clone)]
pub struct Script<'a> {
    /// The text.
    pub text: &'a str,
    /// The engine whose rules were used.
    pub dialect: Dialect,
    /// All tokens but comments, in order.
    pub tokens: Vec<Token>,
    /// All comments, in order.
    pub comments: Vec<Span>,
    /// All statements, in order.
    pub statements: Vec<Statement>,
}

/// The tokens of a part of a text, by the rules that are stated: for SQL in programs, whose engine nobody states.
/// Whoever knows the engine reads a [`Script`].
pub fn tokens(text: &str, part: Span, lexicon: Lexicon) -> Vec<Token> {
    lexer::lex(text, part, lexicon).tokens
}

impl<'a> Script<'a> {
    /// Reads a text: linear in its length, on any input.
    pub fn read(text: &'a str, dialect: Dialect) -> Self {
        Self::read_part(text, Span::new(0, text.len()), dialect)
    }

    /// Reads a part of a text; all spans are places in the whole text.
    pub fn read_part(text: &'a str, part: Span, dialect: Dialect) -> Self {
        let lexed = lexer::lex(text, part, Lexicon::of(dialect));
        let statements = split::split(text, &lexed.tokens);
        Self { text, dialect, tokens: lexed.tokens, comments: lexed.comments, statements }
    }

    /// The tokens of a statement.
    pub fn tokens_of(&self, statement: &Statement) -> &[Token] {
        &self.tokens[statement.tokens.clone()]
    }

    /// The commands of psql that run what does not stand here: another file, or the rows of a query.
    pub fn includes(&self) -> impl Iterator<Item = Span> {
        let commands = self.tokens.iter().filter(|token| token.kind == TokenKind::Client);
        commands.map(|token| token.span).filter(|span| {
            let command = span.of(self.text).split_whitespace().next().unwrap_or("");
            matches!(command, "\\i" | "\\ir" | "\\include" | "\\include_relative" | "\\gexec")
        })
    }

    /// Whether a parenthesis of a statement lacks its partner. Templates may hold either.
    pub fn is_unbalanced(&self, statement: &Statement) -> bool {
        let mut depth = 0_isize;
        for token in self.tokens_of(statement) {
            match token.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close if depth == 0 => return true,
                TokenKind::Close => depth -= 1,
                TokenKind::Template | TokenKind::Broken => return false,
                _ => {}
            }
        }
        depth > 0
    }

    /// A cursor over the tokens of a statement.
    pub fn cursor(&self, statement: &Statement) -> Cursor<'_> {
        Cursor::new(self.text, self.dialect, self.tokens_of(statement))
    }
}

#[cfg(test)]
mod tests;
