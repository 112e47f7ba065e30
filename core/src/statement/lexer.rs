//! Text to tokens, in one pass, whatever the text.

use super::quotes::{self, DollarIndex};
use super::{Lexicon, Token, TokenKind};
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
    dollars: Option<DollarIndex<'a>>,
    /// Whether a `COPY … FROM STDIN` waits for its data.
    copy_data: bool,
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
            dollars: None,
            copy_data: false,
        }
    }

    fn restart(&mut self, at: usize) {
        self.at = at;
        self.tokens.clear();
        self.comments.clear();
        self.open_quote = None;
        self.copy_data = false;
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
            b'-' if self.byte(1) == b'-' => self.line_comment(),
            b'#' if self.lexicon.hash_comments => self.line_comment(),
            b'/' if self.byte(1) == b'*' => self.block_comment(),
            b'\'' => self.string(0, self.lexicon.backslash_escapes),
            b'"' if self.lexicon.double_quoted_strings => self.quoted(b'"', TokenKind::String),
            b'"' => self.quoted(b'"', TokenKind::Quoted),
            b'`' if self.lexicon.backticks => self.quoted(b'`', TokenKind::Quoted),
            b'[' if self.lexicon.brackets => self.quoted(b']', TokenKind::Quoted),
            b'$' => self.dollar(),
            b'{' if self.byte(1) == b'{' => self.template("}}"),
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
            b'.' | b'[' | b']' | b':' | b'{' | b'}' => self.push(TokenKind::Operator, self.at + 1),
            _ if is_word_start(byte) => self.word(byte),
            _ => self.operator(),
        }
    }

    fn word(&mut self, first: u8) {
        let (next, after) = (self.byte(1), self.byte(2));
        if next == b'\'' {
            match first {
                b'e' | b'E' => return self.string(1, true),
                b'b' | b'B' | b'x' | b'X' | b'n' | b'N' => {
                    return self.string(1, self.lexicon.backslash_escapes);
                }
                _ => {}
            }
        }
        if matches!(first, b'u' | b'U') && next == b'&' && after == b'\'' {
            return self.string(2, false);
        }
        if matches!(first, b'u' | b'U') && next == b'&' && after == b'"' {
            self.at += 2;
            return self.quoted(b'"', TokenKind::Quoted);
        }
        let end = self.word_end(self.at);
        self.push(TokenKind::Word, end);
    }

    fn word_end(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        from + rest.iter().position(|&byte| !is_word_part(byte)).unwrap_or(rest.len())
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
            let comment = matches!((byte, self.bytes.get(end + 1)), (b'-', Some(b'-')) | (b'/', Some(b'*')));
            if !is_operator(byte) || (comment && end > self.at) {
                break;
            }
            end += 1;
        }
        // A byte that no rule knows: one whole character of it, so that spans stay on boundaries.
        if end == self.at {
            end += self.text[self.at..].chars().next().map_or(1, char::len_utf8);
        }
        self.push(TokenKind::Operator, end);
    }

    fn line_comment(&mut self) {
        let end = self.line_end(self.at);
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
            Some(end) => self.push(TokenKind::String, end),
            None => self.broken_quote(quote),
        }
    }

    fn quoted(&mut self, close: u8, kind: TokenKind) {
        let escapes = kind == TokenKind::String && self.lexicon.backslash_escapes;
        let broken = self.broken_at == Some(self.at);
        let end = if broken { None } else { quotes::quote_end(self.bytes, self.at, close, escapes) };
        match end {
            Some(end) => self.push(kind, end),
            None => self.broken_quote(self.at),
        }
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
        let text = self.text;
        let index = self.dollars.get_or_insert_with(|| DollarIndex::new(text));
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

fn is_word_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
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
