//! Text to tokens, in one pass, whatever the text.

use super::quotes::{self, DollarIndex};
use super::{Token, TokenKind};
use crate::dialect::{Brackets, Lexicon};
use crate::text::Span;

/// The tokens and comments of a text.
pub(super) struct Lexed {
    pub tokens: Vec<Token>,
    pub comments: Vec<Span>,
}

/// Reads `part` of `text`.
pub(super) fn lex(text: &str, part: Span, lexicon: Lexicon) -> Lexed {
    let text = &text[..part.end];
    let mut lexer = Lexer::new(text, part.start, lexicon);
    lexer.run();
    if let Some(quote) = lexer.open_quote {
        // Quotes pair up wrongly behind the one that was left open: find it, and read again from there.
        if let Some(culprit) = quotes::culprit(text, &lexer.tokens, quote) {
            lexer.broken_at = Some(culprit);
            lexer.restart(part.start);
            lexer.run();
        }
    }
    Lexed { tokens: lexer.tokens, comments: lexer.comments }
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    lexicon: Lexicon,
    tokens: Vec<Token>,
    comments: Vec<Span>,
    /// The start of a quote that is never closed.
    open_quote: Option<usize>,
    /// A quote that is known to be left open by its writer.
    broken_at: Option<usize>,
    /// Where the last string with escapes ends: one that goes on in the next line has escapes too.
    escapes_end: Option<usize>,
    dollars: Option<DollarIndex<'a>>,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, at: usize, lexicon: Lexicon) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: if at == 0 && text.starts_with('\u{feff}') { 3 } else { at },
            lexicon,
            tokens: Vec::with_capacity((text.len() - at) / 5),
            comments: Vec::new(),
            open_quote: None,
            broken_at: None,
            escapes_end: None,
            dollars: None,
        }
    }

    fn restart(&mut self, at: usize) {
        self.at = at;
        self.tokens.clear();
        self.comments.clear();
        self.open_quote = None;
        self.escapes_end = None;
        self.dollars = None;
    }

    fn byte(&self, offset: usize) -> u8 {
        self.bytes.get(self.at + offset).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: TokenKind, end: usize) {
        self.tokens.push(Token { kind, span: Span::new(self.at, end) });
        self.at = end;
    }

    fn run(&mut self) {
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => self.at += 1,
                byte => self.token(byte),
            }
        }
    }

    /// Reads one token or comment that starts with `byte`.
    fn token(&mut self, byte: u8) {
        match byte {
            b'/' if self.starts_comment(self.at) => self.block_comment(),
            b'-' | b'#' if self.starts_comment(self.at) => self.line_comment(),
            b'\'' => self.string(0, self.lexicon.backslash_escapes || self.continues_escapes()),
            b'"' if self.lexicon.double_quoted_strings => self.quoted(0, b'"', TokenKind::String),
            b'"' => self.quoted(0, b'"', TokenKind::Quoted),
            b'`' if self.lexicon.backticks => self.quoted(0, b'`', TokenKind::Quoted),
            b'[' => self.bracket(),
            b'$' => self.dollar(),
            b'{' if self.byte(1) == b'{' => self.template("}}"),
            b'#' if self.byte(1) == b'{' => self.template("}"),
            b':' if self.byte(1) == b':' => self.push(TokenKind::Operator, self.at + 2),
            b':' if is_word_start(self.byte(1)) && !self.after_bracketed_value() => self.colon_template(),
            b':' if self.quoted_variable().is_some() && !self.after_bracketed_value() => {
                let end = self.quoted_variable().unwrap_or(self.at + 1);
                self.push(TokenKind::Template, end);
            }
            b'\\' if self.lexicon.psql_commands => self.client_command(),
            b'(' => self.push(TokenKind::Open, self.at + 1),
            b')' => self.push(TokenKind::Close, self.at + 1),
            b',' => self.push(TokenKind::Comma, self.at + 1),
            b';' => self.semicolon(),
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() => self.number(),
            b'.' | b']' | b':' | b'{' | b'}' => self.push(TokenKind::Operator, self.at + 1),
            _ if is_word_start(byte) => self.word(byte),
            _ => self.operator(),
        }
    }

    fn word(&mut self, first: u8) {
        let (next, after) = (self.byte(1), self.byte(2));
        if next == b'\'' {
            match first {
                b'e' | b'E' if self.lexicon.prefixed_quotes => return self.string(1, true),
                b'b' | b'B' | b'x' | b'X' | b'n' | b'N' => {
                    return self.string(1, self.lexicon.backslash_escapes);
                }
                _ => {}
            }
        }
        if self.lexicon.prefixed_quotes && matches!(first, b'u' | b'U') && next == b'&' {
            match after {
                b'\'' => return self.string(2, false),
                b'"' => return self.quoted(2, b'"', TokenKind::Quoted),
                _ => {}
            }
        }
        let end = self.word_end(self.at);
        self.push(TokenKind::Word, end);
    }

    fn word_end(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        from + rest.iter().position(|&byte| !self.is_word_part(byte)).unwrap_or(rest.len())
    }

    fn is_word_part(&self, byte: u8) -> bool {
        let dollar = byte == b'$' && self.lexicon.dollars_in_words;
        byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 || dollar
    }

    fn number(&mut self) {
        let mut end = self.at;
        while let Some(&byte) = self.bytes.get(end) {
            let sign = matches!(byte, b'+' | b'-')
                && matches!(self.bytes[end - 1], b'e' | b'E')
                && !self.text[self.at..end].starts_with("0x");
            if !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || (sign && end > self.at)) {
                break;
            }
            end += 1;
        }
        self.push(TokenKind::Number, end);
    }

    fn operator(&mut self) {
        let mut end = self.at;
        while let Some(&byte) = self.bytes.get(end) {
            if !is_operator(byte) || (end > self.at && self.starts_comment(end)) {
                break;
            }
            end += 1;
        }
        // `=-1` is `=` and `-`, unless a sign stands in it that says otherwise (PostgreSQL manual, 4.1.3).
        let operator = &self.bytes[self.at..end];
        if !operator.iter().any(|byte| b"~!@#%^&|`?".contains(byte)) {
            let signs = operator.iter().rev().take_while(|byte| matches!(byte, b'+' | b'-')).count();
            end -= signs.min(operator.len().saturating_sub(1));
        }
        // A byte that no rule knows: one whole character of it, so that spans stay on boundaries.
        if end == self.at {
            end += self.text[self.at..].chars().next().map_or(1, char::len_utf8);
        }
        self.push(TokenKind::Operator, end);
    }

    /// Whether a comment starts at `at`, in an operator too.
    fn starts_comment(&self, at: usize) -> bool {
        let byte = |offset: usize| self.bytes.get(at + offset).copied();
        match (self.bytes[at], byte(1)) {
            (b'-', Some(b'-')) => {
                !self.lexicon.blank_after_dashes
                    || byte(2).is_none_or(|it| it == b' ' || it.is_ascii_control())
            }
            (b'/', Some(b'*')) => true,
            (b'#', _) => self.lexicon.hash_comments,
            _ => false,
        }
    }

    fn line_comment(&mut self) {
        let mut end = self.line_end(self.at);
        if self.lexicon.returns_end_comments {
            let comment = &self.bytes[self.at..end];
            end = self.at + comment.iter().position(|&byte| byte == b'\r').unwrap_or(comment.len());
        }
        self.comments.push(Span::new(self.at, end));
        self.at = end;
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        let end = from + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        if end > from && self.bytes[end - 1] == b'\r' { end - 1 } else { end }
    }

    fn block_comment(&mut self) {
        if self.lexicon.executable_comments && self.byte(2) == b'!' {
            let version = self.bytes[self.at + 3..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.comments.push(Span::new(self.at, self.at + 3 + version));
            self.at += 3 + version;
            return;
        }
        let end = quotes::comment_end(self.bytes, self.at, self.lexicon.nested_comments);
        self.comments.push(Span::new(self.at, end));
        self.at = end;
    }

    fn string(&mut self, prefix: usize, escapes: bool) {
        let quote = self.at + prefix;
        let end = if self.broken_at == Some(quote) {
            None
        } else {
            quotes::quote_end(self.bytes, quote, b'\'', escapes)
        };
        match end {
            Some(end) => {
                self.escapes_end = escapes.then_some(end);
                self.push(TokenKind::String, end);
            }
            None => self.broken_quote(quote),
        }
    }

    /// Whether a quote goes on with a string that has escapes: only blanks and line comments stand between, and the
    /// end of a line (`quotecontinue` in PostgreSQL's scan.l).
    fn continues_escapes(&self) -> bool {
        let Some(end) =
            self.escapes_end.filter(|end| self.tokens.last().is_some_and(|it| it.span.end == *end))
        else {
            return false;
        };
        let mut between = self.comments.iter().rev().take_while(|comment| comment.start >= end);
        self.bytes[end..self.at].iter().any(|byte| matches!(byte, b'\n' | b'\r'))
            && between.all(|comment| self.bytes[comment.start] == b'-')
    }

    fn quoted(&mut self, prefix: usize, close: u8, kind: TokenKind) {
        let escapes = kind == TokenKind::String && self.lexicon.backslash_escapes;
        let quote = self.at + prefix;
        let broken = self.broken_at == Some(quote);
        let end = if broken { None } else { quotes::quote_end(self.bytes, quote, close, escapes) };
        match end {
            Some(end) => self.push(kind, end),
            None => self.broken_quote(quote),
        }
    }

    fn bracket(&mut self) {
        match self.lexicon.brackets {
            Brackets::Names => self.quoted(0, b']', TokenKind::Quoted),
            Brackets::NamesOfWords if self.words_in_brackets() > 0 => {
                self.push(TokenKind::Quoted, self.at + self.words_in_brackets() + 2);
            }
            Brackets::NamesOfWords | Brackets::Operators => self.push(TokenKind::Operator, self.at + 1),
        }
    }

    /// The length of the words between the bracket at hand and the one that closes it; 0 where something else stands there.
    fn words_in_brackets(&self) -> usize {
        let rest = &self.bytes[self.at + 1..];
        let length =
            rest.iter().position(|&byte| !self.is_word_part(byte) && byte != b' ').unwrap_or(rest.len());
        if rest.get(length) == Some(&b']') { length } else { 0 }
    }

    fn broken_quote(&mut self, quote: usize) {
        self.open_quote.get_or_insert(quote);
        self.push(TokenKind::Broken, self.line_end(quote).max(quote + 1));
    }

    fn dollar(&mut self) {
        if self.byte(1).is_ascii_digit() {
            let rest = &self.bytes[self.at + 1..];
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            return self.push(TokenKind::Parameter, self.at + 1 + digits);
        }
        if self.byte(1) == b'{' {
            return self.template("}");
        }
        if self.byte(1) == b'%' {
            return self.template("%$");
        }
        let tag = self.lexicon.dollar_quotes.then(|| quotes::dollar_tag(self.text, self.at)).flatten();
        let Some(tag) = tag else {
            return self.push(TokenKind::Operator, self.at + 1);
        };
        let (text, at) = (self.text, self.at);
        let index = self.dollars.get_or_insert_with(|| DollarIndex::new(text, at));
        match index.close(tag, self.at + tag.len()) {
            Some(end) => self.push(TokenKind::Dollar, end),
            None => self.push(TokenKind::Broken, self.line_end(self.at)),
        }
    }

    /// A template ends on its own line, else the brace is an operator.
    fn template(&mut self, close: &str) {
        let line = &self.text[self.at..self.line_end(self.at)];
        match line.find(close) {
            Some(end) => self.push(TokenKind::Template, self.word_end(self.at + end + close.len())),
            None => self.push(TokenKind::Operator, self.at + 1),
        }
    }

    fn colon_template(&mut self) {
        let end = self.word_end(self.at + 1);
        self.push(TokenKind::Template, end);
    }

    /// The end of a variable of psql in quotes: `:"name"`, `:'name'`.
    fn quoted_variable(&self) -> Option<usize> {
        let quote =
            Some(self.byte(1)).filter(|it| self.lexicon.psql_commands && matches!(it, b'"' | b'\''))?;
        let end = self.word_end(self.at + 2);
        (end > self.at + 2 && self.bytes.get(end) == Some(&quote)).then_some(end + 1)
    }

    /// Whether the colon belongs to a slice such as `a[1:n]`.
    fn after_bracketed_value(&self) -> bool {
        let before = self.tokens.iter().rev().take(3);
        before.into_iter().any(|token| token.span.of(self.text) == "[") && self.tokens.last().is_some()
    }

    fn client_command(&mut self) {
        let end = self.line_end(self.at);
        self.push(TokenKind::Client, end.max(self.at + 1));
    }

    fn semicolon(&mut self) {
        let copies = self.lexicon.psql_commands && self.copies_from_stdin();
        self.push(TokenKind::Semicolon, self.at + 1);
        if !copies {
            return;
        }
        let from = self.line_end(self.at);
        let data = &self.text[from..];
        let end = data.find("\n\\.").map_or(self.text.len(), |found| self.line_end(from + found + 1));
        self.at = from;
        if end > from {
            self.push(TokenKind::Client, end);
        }
    }

    fn copies_from_stdin(&self) -> bool {
        let ends = |token: &&Token| matches!(token.kind, TokenKind::Semicolon | TokenKind::Client);
        let words = || self.tokens.iter().rev().take_while(|token| !ends(token));
        let is = |token: &Token, word: &str| token.span.of(self.text).eq_ignore_ascii_case(word);
        words().take(40).any(|token| is(token, "stdin"))
            && words().last().is_some_and(|first| is(first, "copy"))
    }
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'+' | b'-'
            | b'*'
            | b'/'
            | b'<'
            | b'>'
            | b'='
            | b'~'
            | b'!'
            | b'@'
            | b'#'
            | b'%'
            | b'^'
            | b'&'
            | b'|'
            | b'?'
    )
}
