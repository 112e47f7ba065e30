//! Words, quoted names and signs of SQL; literals, comments and parameters are passed over.

use lockkeeper_core::dialect::Lexicon;
use lockkeeper_core::statement::{self, TokenKind};
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
    read(text, Span::new(0, text.len()), &mut found);
    found
}

fn read(text: &str, part: Span, found: &mut Vec<Token>) {
    // Where the name of a variable would begin: right behind `@` or `$`.
    let mut variable = None;
    for token in statement::tokens(text, part, Lexicon::ANY) {
        let span = token.span;
        let shown = match token.kind {
            TokenKind::Word if variable == Some(span.start) => continue,
            TokenKind::String | TokenKind::Number | TokenKind::Parameter => continue,
            TokenKind::Template => behind_brace(text, span),
            TokenKind::Quoted => from_quote(text, span),
            TokenKind::Operator if span.of(text) != "::" => {
                variable = signs(text, span, variable, found);
                continue;
            }
            TokenKind::Broken => {
                broken(text, span, found);
                continue;
            }
            _ => span,
        };
        found.extend((!shown.is_empty()).then_some(Token { span: shown }));
    }
}

/// Each sign of an operator by itself; gives where a variable's name may follow. The two `$` of a quote lead to none.
fn signs(text: &str, span: Span, variable: Option<usize>, found: &mut Vec<Token>) -> Option<usize> {
    let operator = span.of(text);
    let sign = |(at, it): (usize, char)| Span::new(span.start + at, span.start + at + it.len_utf8());
    let shown = operator.char_indices().filter(|(_, it)| !matches!(it, '@' | '$')).map(sign);
    found.extend(shown.map(|span| Token { span }));
    let closes = operator == "$" && variable == Some(span.start);
    (operator.ends_with(['@', '$']) && !closes).then_some(span.end)
}

/// What stands right behind a placeholder in braces: `${prefix}users`.
fn behind_brace(text: &str, span: Span) -> Span {
    Span::new(span.of(text).rfind('}').map_or(span.end, |brace| span.start + brace + 1), span.end)
}

/// A quoted name without the prefix that says how it is escaped.
fn from_quote(text: &str, span: Span) -> Span {
    Span::new(span.start + span.of(text).find(['"', '`', '[']).unwrap_or(0), span.end)
}

/// A quote that nobody closes: half-made SQL. That of a string hides the rest of its line, that of a name is a sign.
fn broken(text: &str, span: Span, found: &mut Vec<Token>) {
    let quoted = from_quote(text, span);
    if quoted.of(text).starts_with(['"', '`']) {
        let quote = Span::new(quoted.start, quoted.start + 1);
        found.push(Token { span: quote });
        read(text, Span::new(quote.end, span.end), found);
    }
}
