//! The text that a literal stands for (PostgreSQL manual, 4.1.2).

use super::{Cursor, TokenKind};

impl Cursor<'_> {
    /// Reads a string and the pieces on lines behind it that belong to it; the text that it stands for.
    pub fn text_of_string(&mut self) -> Option<String> {
        let first = self.peek()?;
        let literal = first.span.of(self.text());
        if first.kind == TokenKind::Dollar {
            self.next_token();
            let tag = literal.get(1..)?.find('$')? + 2;
            return literal.get(tag..literal.len().checked_sub(tag)?).map(str::to_owned);
        }
        let (first, mut value) = (self.eat_kind(TokenKind::String)?, String::new());
        let open = literal.find('\'')?;
        let prefix = literal[..open].to_ascii_lowercase();
        let (mut piece, mut end) = (literal.get(open + 1..literal.len().checked_sub(1)?)?, first.span.end);
        loop {
            value.push_str(&match prefix.as_str() {
                "e" => escaped(piece),
                "u&" => coded(&piece.replace("''", "'")),
                _ => piece.replace("''", "'"),
            });
            let Some(next) = self.peek().filter(|it| it.kind == TokenKind::String) else { break };
            let between = &self.text()[end..next.span.start];
            let text = next.span.of(self.text());
            if !between.contains(['\n', '\r']) || !text.starts_with('\'') {
                break;
            }
            self.next_token();
            (piece, end) = (text.get(1..text.len().checked_sub(1)?)?, next.span.end);
        }
        Some(value)
    }
}

/// The text of `E'…'` between its quotes.
fn escaped(piece: &str) -> String {
    let mut bytes: Vec<u8> = Vec::with_capacity(piece.len());
    let (mut rest, mut high) = (piece, None);
    while let Some(at) = rest.find(['\\', '\'']) {
        bytes.extend(&rest.as_bytes()[..at]);
        let behind = &rest[at + 1..];
        let Some(next) = behind.chars().next() else { break };
        // The second of two quotes, or what a backslash stands in front of.
        let taken = match next {
            _ if rest.as_bytes()[at] == b'\'' => plain(&mut bytes, b'\''),
            'b' => plain(&mut bytes, 8),
            'f' => plain(&mut bytes, 12),
            'n' => plain(&mut bytes, b'\n'),
            'r' => plain(&mut bytes, b'\r'),
            't' => plain(&mut bytes, b'\t'),
            '0'..='7' => {
                let (code, digits) = number(behind, 3, 8);
                bytes.push(code.to_le_bytes()[0]);
                digits
            }
            'x' => {
                let (code, digits) = number(&behind[1..], 2, 16);
                bytes.push(if digits == 0 { b'x' } else { code.to_le_bytes()[0] });
                1 + digits
            }
            'u' | 'U' => {
                let (code, digits) = number(&behind[1..], if next == 'u' { 4 } else { 8 }, 16);
                match (high.take(), code) {
                    (_, 0xd800..=0xdbff) => high = Some(code),
                    (Some(high), 0xdc00..=0xdfff) => {
                        push(&mut bytes, 0x10000 + ((high & 0x3ff) << 10) + (code & 0x3ff));
                    }
                    _ => push(&mut bytes, code),
                }
                1 + digits
            }
            other => {
                bytes.extend(other.to_string().bytes());
                other.len_utf8()
            }
        };
        rest = &behind[taken..];
    }
    bytes.extend(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn plain(bytes: &mut Vec<u8>, byte: u8) -> usize {
    bytes.push(byte);
    1
}

/// The number that a text begins with, and how many digits it has.
fn number(text: &str, most: usize, radix: u32) -> (u32, usize) {
    let digits = text.chars().take(most).take_while(|it| it.is_digit(radix)).count();
    (u32::from_str_radix(&text[..digits], radix).unwrap_or_default(), digits)
}

fn push(bytes: &mut Vec<u8>, code: u32) {
    bytes.extend(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).to_string().bytes());
}

/// The text of `U&"…"` and `U&'…'`: `\0061` and `\+000061` are characters, two backslashes are one. What is wrong stays.
pub(super) fn coded(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        result.push_str(before);
        let (digits, length) = match escape.strip_prefix('+') {
            Some(digits) => (digits.get(..6), 7),
            None => (escape.get(..4), 4),
        };
        let code = digits.and_then(|it| u32::from_str_radix(it, 16).ok()).and_then(char::from_u32);
        result.push(code.unwrap_or('\\'));
        rest = match code {
            Some(_) => &escape[length..],
            None => escape.strip_prefix('\\').unwrap_or(escape),
        };
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use crate::dialect::Dialect;
    use crate::statement::Script;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        let script = Script::read(sql, Dialect::Postgres);
        let value = script.cursor(&script.statements[0]).text_of_string();
        assert_eq!(value.as_deref(), Some(expected), "{sql}");
    }

    #[test]
    fn a_literal_stands_for_what_the_server_reads() {
        check("'it''s \\n'", "it's \\n");
        check(r"E'it\'s''\n\t\\\x41\101\u00e9\U0001F600\q'", "it's'\n\t\\AA\u{e9}\u{1f600}q");
        check(r"E'\xc3\xa9\303\251'", "éé");
        check(r"E'\uD83D\uDE00'", "\u{1f600}");
        check(r"U&'d\0061t\+000061 \\ '''", "data \\ '");
        check("$a$it's $1 $a$", "it's $1 ");
        check("'one '\n  'two'", "one two");
        check("e'one\\x41'\n'\\x42'", "oneAB");
        check("'one' 'two'", "one");
    }
}
