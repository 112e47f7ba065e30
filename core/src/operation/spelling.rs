//! One spelling of SQL that can be written in several ways, to tell whether two texts say the same.
//!
//! Read from the tokens: case, spaces, comments, needless quotes and parentheses, the default schema and the second names of
//! types make no difference. What is written with other operators or functions is taken for something else.

use crate::dialect::{Dialect, fold};
use crate::statement::{Script, Token, TokenKind};

use super::types::canonical;

/// The text in its one spelling, words and signs with a space between.
pub(crate) fn spelled(text: &str, dialect: Dialect) -> String {
    without_outer_parentheses(&spelled_words(text, dialect)).join(" ")
}

/// The words and signs of the text in its one spelling.
pub(crate) fn spelled_words(text: &str, dialect: Dialect) -> Vec<String> {
    let script = Script::read(text, dialect);
    let mut words: Vec<String> = script.tokens.iter().map(|token| word(*token, text, dialect)).collect();
    while words.last().is_some_and(|it| it == ";") {
        words.pop();
    }
    let words = without_default_schema(&join_types(words), dialect);
    without_needless_parentheses(words)
}

fn word(token: Token, text: &str, dialect: Dialect) -> String {
    let own = token.span.of(text);
    match token.kind {
        TokenKind::Word => fold(own, dialect),
        TokenKind::Quoted => {
            let inner = own.trim_matches('"');
            let plain = crate::dialect::quote(inner, dialect) == inner;
            if plain { inner.to_owned() } else { own.to_owned() }
        }
        TokenKind::Dollar => {
            let tag = own.get(1..).and_then(|it| it.find('$')).map_or(0, |at| at + 2);
            let inner = own.get(tag..own.len().saturating_sub(tag)).unwrap_or("");
            format!("'{}'", inner.replace('\'', "''"))
        }
        _ if own == "!=" => "<>".to_owned(),
        _ => own.to_owned(),
    }
}

/// Names of types that have several words, or several names; of words that can be left out too.
fn join_types(words: Vec<String>) -> Vec<String> {
    const LONG: &[(&[&str], &str)] = &[
        (&["character", "varying"], "varchar"),
        (&["char", "varying"], "varchar"),
        (&["bit", "varying"], "varbit"),
        (&["double", "precision"], "float8"),
        (&["timestamp", "with", "time", "zone"], "timestamptz"),
        (&["timestamp", "without", "time", "zone"], "timestamp"),
        (&["time", "with", "time", "zone"], "timetz"),
        (&["time", "without", "time", "zone"], "time"),
        (&["execute", "procedure"], "execute function"),
        (&["execute", "function"], "execute function"),
        (&["for", "row"], "for each row"),
        (&["for", "each", "row"], "for each row"),
        (&["for", "statement"], "for each statement"),
        (&["for", "each", "statement"], "for each statement"),
    ];
    let mut joined = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let is_here = |(long, _): &&(&[&str], &str)| words[at..].iter().take(long.len()).eq(long.iter());
        if let Some((long, short)) = LONG.iter().find(is_here) {
            joined.push((*short).to_owned());
            at += long.len();
            continue;
        }
        joined.push(canonical(&words[at]).to_owned());
        at += 1;
    }
    joined
}

fn without_default_schema(words: &[String], dialect: Dialect) -> Vec<String> {
    let mut kept = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let naming = dialect.naming();
        let own = naming.default_schema == words[at] || naming.own_schemas.contains(&words[at].as_str());
        let in_front = own && words.get(at + 1).is_some_and(|it| it == ".");
        let behind_dot = at > 0 && words[at - 1] == ".";
        if in_front && !behind_dot {
            at += 2;
            continue;
        }
        let casts_name = words[at] == "::" && words.get(at + 1).is_some_and(|it| it == "regclass");
        if casts_name && at > 0 && words[at - 1].starts_with('\'') {
            at += 2;
            continue;
        }
        kept.push(named_literal(&words[at], kept.last().map(String::as_str), dialect));
        at += 1;
    }
    kept
}

/// The name of a sequence in quotes needs no default schema either.
fn named_literal(word: &str, before: Option<&str>, dialect: Dialect) -> String {
    let prefix = format!("'{}.", dialect.default_schema());
    match word.strip_prefix(&prefix) {
        Some(rest) if before == Some("(") => format!("'{rest}"),
        _ => word.to_owned(),
    }
}

/// Without parentheses around one word, where no function or list needs them, and without double ones.
fn without_needless_parentheses(mut words: Vec<String>) -> Vec<String> {
    loop {
        let closes = closings(&words);
        let needless = (0..words.len()).find_map(|open| {
            let close = closes[open]?;
            let single = close == open + 2 && may_go(open.checked_sub(1).map(|at| words[at].as_str()));
            let double = closes[open + 1] == Some(close - 1);
            (single || double).then_some((open, close))
        });
        let Some((open, close)) = needless else { return words };
        words.remove(close);
        words.remove(open);
    }
}

/// Whether what stands in front of parentheses leaves them without a meaning of their own.
fn may_go(before: Option<&str>) -> bool {
    const WORDS: &[&str] = &[
        "and", "or", "not", "when", "then", "else", "select", "where", "on", "default", "check", "is",
        "between", "like",
    ];
    let Some(before) = before else { return true };
    let sign = before.chars().all(|it| !it.is_alphanumeric() && !matches!(it, '_' | '"' | '\'' | ')' | ']'));
    sign || WORDS.contains(&before)
}

/// For each opening parenthesis the place of its closing one.
fn closings(words: &[String]) -> Vec<Option<usize>> {
    let mut closes = vec![None; words.len() + 1];
    let mut open = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            "(" => open.push(at),
            ")" => {
                if let Some(from) = open.pop() {
                    closes[from] = Some(at);
                }
            }
            _ => {}
        }
    }
    closes
}

fn without_outer_parentheses(words: &[String]) -> &[String] {
    let mut words = words;
    while words.len() > 2 && closings(words)[0] == Some(words.len() - 1) {
        words = &words[1..words.len() - 1];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(one: &str, other: &str) {
        assert_eq!(spelled(one, Dialect::Postgres), spelled(other, Dialect::Postgres));
    }

    #[track_caller]
    fn differ(one: &str, other: &str) {
        assert_ne!(spelled(one, Dialect::Postgres), spelled(other, Dialect::Postgres));
    }

    #[test]
    fn spelling_makes_no_difference() {
        same("((a > 0))", "\"a\">0 -- more");
        same("(a) IS NOT NULL AND (b) <> 1", "a is not null and b != 1");
        same("nextval('public.s'::regclass)", "NEXTVAL('s')");
        same("x::character varying", "x::varchar");
        same("a::integer", "a::int4");
        same("$$it's$$", "'it''s'");
        same("public.f(a)", "f(a)");
    }

    #[test]
    fn meaning_makes_one() {
        differ("f(a)", "f a");
        differ("(a, b)", "(b, a)");
        differ("\"A\"", "a");
        differ("(a OR b) AND c", "a OR b AND c");
        differ("(a) > 0", "a >= 0");
        differ("'A'", "'a'");
    }
}
