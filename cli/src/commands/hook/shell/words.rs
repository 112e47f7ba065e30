//! Words: quotes, expansions and what stands in them.

use super::{DEEPEST, End, LONGEST_BRACES, Reader, Word, is_substitution};

impl Reader<'_> {
    /// A character between double quotes or in a here-document.
    pub(super) fn expanding(&mut self, next: char, word: &mut Word) {
        match next {
            '\\' => match self.next() {
                Some('\n') | None => {}
                Some(escaped @ ('$' | '`' | '"' | '\\')) => word.text.push(escaped),
                Some(other) => {
                    word.text.push('\\');
                    word.text.push(other);
                }
            },
            '$' => self.dollar(word, true),
            '`' => self.backtick(word),
            _ => word.text.push(next),
        }
    }

    pub(super) fn word(&mut self) -> Word {
        let mut word = Word::default();
        let from = self.at;
        while let Some(next) = self.peek() {
            if next.is_whitespace() || ";&|()".contains(next) {
                break;
            }
            if "<>".contains(next) {
                if !is_substitution(self.rest()) || self.at != from {
                    break;
                }
                self.at += 2;
                word.open();
                self.list(End::Parenthesis);
                continue;
            }
            self.at += next.len_utf8();
            self.part(next, from, &mut word);
        }
        // The command `[` is no pattern.
        if word.text == "[" && self.at == from + 1 {
            word.open = None;
        }
        word
    }

    /// A character of a word outside of double quotes.
    fn part(&mut self, next: char, from: usize, word: &mut Word) {
        match next {
            '\\' => match self.next() {
                Some('\n') | None => {}
                Some(escaped) => word.text.push(escaped),
            },
            '\'' => match self.rest().find('\'') {
                Some(end) => {
                    word.text.push_str(&self.rest()[..end]);
                    self.at += end + 1;
                }
                None => self.give_up("a quote is not closed"),
            },
            '"' => self.double(word),
            '$' => self.dollar(word, false),
            '`' => self.backtick(word),
            '*' | '?' | '[' => {
                // No file matches an address.
                if !word.text.contains("://") {
                    word.open();
                }
                word.text.push(next);
            }
            '{' if is_brace_expansion(self.rest()) => {
                word.open();
                word.text.push(next);
            }
            '~' if self.at == from + 1 => match home().filter(|_| is_home(self.rest())) {
                Some(home) => word.text.push_str(&home),
                None => {
                    word.open();
                    word.text.push(next);
                }
            },
            _ => word.text.push(next),
        }
    }

    fn double(&mut self, word: &mut Word) {
        loop {
            match self.next() {
                None => return self.give_up("a quote is not closed"),
                Some('"') => return,
                Some(next) => self.expanding(next, word),
            }
        }
    }

    /// What follows a `$`.
    fn dollar(&mut self, word: &mut Word, is_quoted: bool) {
        let rest = self.rest();
        match self.peek() {
            Some('(') => {
                word.open();
                if rest.starts_with("((") && self.arithmetic() {
                    return;
                }
                self.at += 1;
                self.list(End::Parenthesis);
            }
            Some('{') => {
                self.at += 1;
                if self.eat("HOME}") {
                    return self.at_home(word);
                }
                word.open();
                self.braced();
            }
            Some('\'') if !is_quoted => self.ansi(word),
            Some('"') if !is_quoted => {
                self.at += 1;
                self.double(word);
            }
            Some(first) if first.is_ascii_alphabetic() || first == '_' => {
                let end =
                    rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(rest.len());
                self.at += end;
                if &rest[..end] == "HOME" {
                    return self.at_home(word);
                }
                word.open();
            }
            Some(first) if first.is_ascii_digit() || "@*#?$!-".contains(first) => {
                self.at += 1;
                word.open();
            }
            _ => word.text.push('$'),
        }
    }

    fn at_home(&mut self, word: &mut Word) {
        match home() {
            Some(home) => word.text.push_str(&home),
            None => word.open(),
        }
    }

    /// `${…}`: what stands in it may hold commands.
    fn braced(&mut self) {
        if self.depth >= DEEPEST {
            return self.give_up("it is nested too deeply");
        }
        self.depth += 1;
        let mut inner = Word::default();
        loop {
            match self.next() {
                None => return self.give_up("a brace is not closed"),
                Some('}') => break,
                Some(next) => self.part(next, self.text.len(), &mut inner),
            }
        }
        self.depth -= 1;
    }

    /// `$'…'`, with its escapes.
    fn ansi(&mut self, word: &mut Word) {
        self.at += 1;
        loop {
            match self.next() {
                None => return self.give_up("a quote is not closed"),
                Some('\'') => return,
                Some('\\') => match self.next() {
                    Some('n') => word.text.push('\n'),
                    Some('t') => word.text.push('\t'),
                    Some(plain @ ('\\' | '\'' | '"')) => word.text.push(plain),
                    // Spelled by number: what it is matters less than that it is hidden.
                    _ => word.open(),
                },
                Some(next) => word.text.push(next),
            }
        }
    }

    /// The old form of a substitution.
    fn backtick(&mut self, word: &mut Word) {
        word.open();
        let mut inner = String::new();
        loop {
            match self.next() {
                None => return self.give_up("a backtick is not closed"),
                Some('`') => break,
                Some('\\') if self.peek().is_some_and(|it| "`$\\".contains(it)) => inner.extend(self.next()),
                Some(next) => inner.push(next),
            }
        }
        let mut reader = Reader::new(&inner, self.depth);
        reader.list(End::Text);
        self.take_over(reader);
    }

    /// Passes `((…))` by, where it is one without quotes and substitutions.
    pub(super) fn arithmetic(&mut self) -> bool {
        let rest = self.rest();
        let mut depth = 0_usize;
        for (offset, next) in rest.char_indices() {
            match next {
                '(' if rest[..offset].ends_with('$') => return false,
                '(' => depth += 1,
                ')' if depth == 2 => {
                    let closes = rest[offset + 1..].starts_with(')');
                    self.at += if closes { offset + 2 } else { 0 };
                    return closes;
                }
                ')' => depth -= 1,
                '`' | '\n' | '\'' | '"' => return false,
                _ => {}
            }
        }
        false
    }
}

/// Whether what follows a `{` makes several words of one.
fn is_brace_expansion(rest: &str) -> bool {
    let rest = &rest[..rest.floor_char_boundary(LONGEST_BRACES)];
    let end = rest.find(|it: char| it.is_whitespace() || it == '}').unwrap_or(rest.len());
    let is_closed = rest[end..].starts_with('}') || end == LONGEST_BRACES;
    is_closed && (rest[..end].contains(',') || rest[..end].contains(".."))
}

fn is_home(rest: &str) -> bool {
    rest.is_empty()
        || rest.starts_with('/')
        || rest.starts_with(|it: char| it.is_whitespace() || ";&|)".contains(it))
}

fn home() -> Option<String> {
    std::env::var("HOME").ok().filter(|it| !it.is_empty())
}
