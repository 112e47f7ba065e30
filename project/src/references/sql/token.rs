//! Words, quoted names and signs of SQL; literals, comments and parameters are passed over.

use lockkeeper_core::text::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub span: Span,
}

impl Token {
    /// The token without quotes.
    pub fn text(self, text: &str) -> &str {
        let whole = self.span.of(text);
        if self.is_quoted(text) { whole[1..whole.len() - 1].trim() } else { whole }
    }

    pub fn is(self, text: &str, word: &str) -> bool {
        self.span.of(text).eq_ignore_ascii_case(word)
    }

    /// Whether it names this table or column, quoted or not.
    pub fn is_name(self, text: &str, name: &str) -> bool {
        self.text(text).eq_ignore_ascii_case(name)
    }

    pub fn is_quoted(self, text: &str) -> bool {
        let whole = self.span.of(text);
        whole.len() > 2 && whole.starts_with(['"', '`', '['])
    }

    pub fn is_word(self, text: &str) -> bool {
        self.is_quoted(text) || self.span.of(text).starts_with(|it: char| it.is_alphabetic() || it == '_')
    }
}

/// The tokens. A dollar-quoted body is read like the text around it, cut off from it by `;`.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (kind, length) = lex(&text[at..]);
        let end = at + length.max(1);
        if kind == Lexeme::Shown {
            found.push(Token { span: Span::new(at, end) });
        }
        at = end;
    }
    found
}

#[derive(PartialEq, Eq)]
enum Lexeme {
    Shown,
    PassedOver,
}

fn lex(rest: &str) -> (Lexeme, usize) {
    use Lexeme::{PassedOver, Shown};
    let first = rest.chars().next().unwrap_or(' ');
    let up_to =
        |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    let word = |from: usize| {
        let end = rest[from..].find(|it: char| !it.is_alphanumeric() && it != '_');
        end.map_or(rest.len(), |end| from + end)
    };
    match first {
        _ if rest.starts_with("--") => (PassedOver, up_to("\n", 2)),
        _ if rest.starts_with("/*") => (PassedOver, up_to("*/", 2)),
        _ if rest.starts_with("${") || rest.starts_with("#{") => (PassedOver, up_to("}", 2)),
        _ if rest.starts_with("{{") => (PassedOver, up_to("}}", 2)),
        _ if rest.starts_with("::") => (Shown, 2),
        '\'' => (PassedOver, up_to("'", 1)),
        '"' | '`' => (Shown, quoted(rest, first)),
        '[' => (Shown, bracketed(rest)),
        ':' | '@' => (PassedOver, word(1)),
        // A dollar quote or a parameter: neither is shown, and what stands inside a dollar quote is.
        '$' => (PassedOver, word(1)),
        _ if first.is_alphabetic() || first == '_' => (Shown, word(0)),
        _ if first.is_whitespace() => (PassedOver, first.len_utf8()),
        _ if first.is_ascii_digit() => (PassedOver, word(0)),
        _ => (Shown, first.len_utf8()),
    }
}

/// A quoted name on one line; a lone quote is a sign.
fn quoted(rest: &str, quote: char) -> usize {
    let end = rest[1..].find([quote, '\n']).map(|end| end + 1);
    end.filter(|end| rest[*end..].starts_with(quote)).map_or(1, |end| end + 1)
}

/// `[name]` of SQL Server and SQLite; an array's bracket is a sign.
fn bracketed(rest: &str) -> usize {
    let end = rest[1..].find(|it: char| !it.is_alphanumeric() && it != '_' && it != ' ').map(|end| end + 1);
    end.filter(|end| *end > 1 && rest[*end..].starts_with(']')).map_or(1, |end| end + 1)
}
