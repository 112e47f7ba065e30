//! Tokens to statements.
//!
//! A semicolon ends a statement unless it stands in parentheses (rules) or in a `BEGIN ATOMIC` body. Where somebody
//! forgot one, a line that starts with `CREATE TABLE`, `ALTER TABLE` and the like starts a new statement, since these
//! pairs of words stand nowhere inside another one.

use super::{Statement, Token, TokenKind};
use crate::text::Span;

pub(super) fn split(text: &str, tokens: &[Token]) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut splitter = Splitter { text, tokens, first: 0, depth: 0, atomic: 0 };
    for (at, token) in tokens.iter().enumerate() {
        if splitter.starts_anew(at) {
            splitter.finish(at, None, &mut statements);
        }
        match token.kind {
            TokenKind::Semicolon if splitter.depth == 0 && splitter.atomic == 0 => {
                splitter.finish(at, Some(at), &mut statements);
                splitter.first = at + 1;
            }
            TokenKind::Client => {
                splitter.finish(at, Some(at), &mut statements);
                splitter.first = at + 1;
            }
            TokenKind::Open => splitter.depth += 1,
            TokenKind::Close => splitter.depth = splitter.depth.saturating_sub(1),
            TokenKind::Word => splitter.word(at),
            _ => {}
        }
    }
    splitter.finish(tokens.len(), None, &mut statements);
    statements
}

struct Splitter<'a> {
    text: &'a str,
    tokens: &'a [Token],
    first: usize,
    depth: usize,
    /// How many `BEGIN ATOMIC` and `CASE` are open in the body of a routine.
    atomic: usize,
}

impl Splitter<'_> {
    fn is(&self, at: usize, word: &str) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|token| {
            token.kind == TokenKind::Word
                && token.span.len() == word.len()
                && token.span.of(self.text).eq_ignore_ascii_case(word)
        })
    }

    fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    fn word(&mut self, at: usize) {
        if self.atomic == 0 {
            let atomic = self.is(at, "atomic") && at > self.first && self.is(at - 1, "begin");
            self.atomic = usize::from(atomic && self.is(self.first, "create"));
        } else if self.is_any(at, &["case", "begin"]) {
            self.atomic += 1;
        } else if self.is(at, "end") {
            self.atomic -= 1;
        }
    }

    fn finish(&mut self, end: usize, closed_by: Option<usize>, statements: &mut Vec<Statement>) {
        (self.depth, self.atomic) = (0, 0);
        let tokens = self.first..end;
        self.first = end;
        let (Some(first), Some(last)) = (self.tokens.get(tokens.start), end.checked_sub(1)) else { return };
        if tokens.is_empty() {
            return;
        }
        let span = Span::new(first.span.start, self.tokens[last].span.end);
        let end = closed_by.map_or(span.end, |at| match self.tokens[at].kind {
            TokenKind::Semicolon => self.tokens[at].span.end,
            _ => span.end,
        });
        statements.push(Statement { span, tokens, end, terminated: closed_by.is_some() });
    }

    /// Whether a new statement starts at `at` though no semicolon ended the one before.
    fn starts_anew(&self, at: usize) -> bool {
        if at == self.first || self.atomic > 0 || !self.is_any(at, &["create", "alter", "drop"]) {
            return false;
        }
        let between = &self.text[self.tokens[at - 1].span.end..self.tokens[at].span.start];
        let names_object = if self.is(at, "create") {
            let mut next = at + 1;
            while self
                .is_any(next, &["or", "replace", "unique", "temp", "temporary", "unlogged", "materialized"])
            {
                next += 1;
            }
            self.is_any(next, OBJECTS)
        } else {
            self.is_any(at + 1, OBJECTS)
        };
        names_object && between.contains(['\n', '\r']) && !self.may_hold_others()
    }

    /// Whether the statement at hand may hold whole other statements.
    fn may_hold_others(&self) -> bool {
        let create = self.is(self.first, "create") && self.is_any(self.first + 1, &["schema", "rule", "or"]);
        let rule = self.is(self.first, "create") && self.is_any(self.first + 3, &["rule"]);
        let schema = self.is(self.first, "create") && self.is(self.first + 1, "schema");
        let create = (create && self.is(self.first + 1, "rule")) || rule || schema;
        create || self.is_any(self.first, &["explain", "prepare", "begin"])
    }
}

const OBJECTS: &[&str] = &[
    "table",
    "index",
    "view",
    "materialized",
    "function",
    "procedure",
    "trigger",
    "type",
    "sequence",
    "schema",
    "extension",
    "domain",
    "policy",
    "role",
    "publication",
    "database",
];
