//! The words of a condition as the server prints it: which columns it names, which values stand in it.

use lockkeeper_core::dialect::Dialect;
use lockkeeper_core::statement::{Script, Token, TokenKind};

fn tokens(condition: &str) -> Vec<Token> {
    Script::read(condition, Dialect::Postgres).tokens
}

fn is_name(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::Quoted)
}

/// Whether a condition names something; `name` is quoted where the server quotes it.
pub(crate) fn names(condition: &str, name: &str) -> bool {
    tokens(condition).iter().any(|it| is_name(it) && it.span.of(condition) == name)
}

/// The condition with other words for some of its own.
pub(crate) fn replaced(condition: &str, other: impl Fn(&str) -> Option<String>) -> String {
    let mut result = String::with_capacity(condition.len());
    let mut end = 0;
    for token in tokens(condition).iter().filter(|it| is_name(it)) {
        let Some(word) = other(token.span.of(condition)) else { continue };
        result.push_str(&condition[end..token.span.start]);
        result.push_str(&word);
        end = token.span.end;
    }
    result + &condition[end..]
}

/// The strings of a condition, as SQL.
pub(crate) fn strings(condition: &str) -> Vec<String> {
    let all = tokens(condition);
    all.iter().filter(|it| it.kind == TokenKind::String).map(|it| it.span.of(condition).to_owned()).collect()
}

/// The numbers of a condition, also those in its strings: what a pattern counts.
pub(crate) fn numbers(condition: &str) -> Vec<f64> {
    let mut found = Vec::new();
    let mut word = String::new();
    for character in condition.chars().chain(std::iter::once(' ')) {
        if character.is_ascii_digit() || character == '.' && !word.is_empty() {
            word.push(character);
            continue;
        }
        found.extend(std::mem::take(&mut word).trim_end_matches('.').parse::<f64>().ok());
    }
    found.dedup();
    found.truncate(12);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_strings_are_no_names() {
        let condition = "((VALUE > 0) AND (kind <> 'VALUE'::text))";
        assert!(names(condition, "kind") && !names(condition, "text_"));
        let expected = "((amount > 0) AND (kind <> 'VALUE'::text))";
        assert_eq!(replaced(condition, |it| (it == "VALUE").then(|| "amount".to_owned())), expected);
        assert_eq!(strings(condition), ["'VALUE'"]);
        assert_eq!(numbers("(length(code) = 3) AND code ~ '^[A-Z]{12}$'"), [3.0, 12.0]);
    }
}
