//! Definitions in one order and without what goes without saying.

use std::collections::BTreeMap;

use crate::dialect::Dialect;
use crate::operation::{ROUTINE_CLAUSES, TypeName, spelled_words};

/// How values of a type are stored unless something else is said (`pg_type.typstorage`).
pub(super) fn storage_of(ty: &TypeName) -> &'static str {
    const PLAIN: &[&str] = &[
        "bool",
        "int2",
        "int4",
        "int8",
        "float4",
        "float8",
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
        "uuid",
        "oid",
        "money",
    ];
    if ty.is_any(PLAIN) {
        "plain"
    } else if ty.is_any(&["numeric", "inet", "cidr"]) {
        "main"
    } else {
        "extended"
    }
}

/// A default without the casts of a literal: it becomes a value of the column's type in any case.
pub(super) fn default(text: &str) -> String {
    let Some((literal, ty)) = text.split_once(" :: ") else { return text.to_owned() };
    let whole = literal.starts_with('\'')
        && literal.ends_with('\'')
        && literal.matches('\'').count().is_multiple_of(2);
    if whole && !ty.contains('\'') && !ty.contains("||") { literal.to_owned() } else { text.to_owned() }
}

/// The key of an index without the order that it has anyway.
pub(super) fn index_key(key: &str) -> String {
    let key = key.strip_suffix(" nulls last").filter(|it| !it.ends_with(" desc")).unwrap_or(key);
    let key = key.strip_suffix(" asc").unwrap_or(key);
    let key = match key.strip_suffix(" nulls first") {
        Some(rest) if rest.ends_with(" desc") => rest,
        _ => key,
    };
    key.to_owned()
}

/// The actions of a foreign key, those for DELETE first.
pub(super) fn actions(text: &str) -> Option<String> {
    let words = text.to_lowercase();
    let words: Vec<&str> = words.split_whitespace().collect();
    let starts = |at: &usize| matches!(words[*at], "on" | "match");
    let mut starts: Vec<usize> = (0..words.len()).filter(starts).collect();
    starts.push(words.len());
    let parts = starts.windows(2).map(|it| words[it[0]..it[1]].join(" "));
    let mut parts: Vec<String> =
        parts.filter(|it| !it.ends_with(" no action") && it != "match simple").collect();
    parts.sort();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A query without names that its columns have anyway.
pub(super) fn query(text: &str, dialect: Dialect) -> String {
    let words = spelled_words(text, dialect);
    let needless = |at: usize| at > 0 && words[at] == "as" && words.get(at + 1) == words.get(at - 1);
    let kept = (0..words.len()).filter(|at| !(needless(*at) || *at > 0 && needless(at - 1)));
    kept.map(|at| words[at].as_str()).collect::<Vec<_>>().join(" ")
}

/// What a trigger fires for: when, and the events in order.
pub(super) fn events(text: &str, dialect: Dialect) -> String {
    let words = spelled_words(text, dialect);
    let timing = words.iter().take_while(|it| !EVENTS.contains(&it.as_str())).count();
    let mut events: Vec<String> =
        words[timing..].split(|it| it == "or").map(|it| columns_in_order(it).join(" ")).collect();
    events.sort();
    format!("{} {}", words[..timing].join(" "), events.join(" or "))
}

const EVENTS: &[&str] = &["insert", "update", "delete", "truncate"];

fn columns_in_order(event: &[String]) -> Vec<String> {
    let Some(of) = event.iter().position(|it| it == "of") else { return event.to_vec() };
    let mut columns: Vec<String> = event[of + 1..].iter().filter(|it| *it != ",").cloned().collect();
    columns.sort();
    [event[..=of].to_vec(), columns].concat()
}

/// What a trigger does; its function is named apart, since that keeps it under another name.
pub(super) fn action(text: &str, function: &str, dialect: Dialect) -> String {
    let words = spelled_words(text, dialect);
    let end = words.iter().position(|it| it == "execute function").unwrap_or(words.len());
    let front = words[..end].iter().filter(|it| *it != "for each statement");
    let front: Vec<&str> = front.map(String::as_str).collect();
    let arguments = words[end..].iter().skip_while(|it| *it != "(").map(String::as_str).collect::<Vec<_>>();
    format!("{} execute {function} {}", front.join(" "), arguments.join(" ")).trim().to_owned()
}

/// The definition of a routine: its arguments, and its clauses in order; one that is said again counts.
pub(super) fn routine(text: &str, dialect: Dialect) -> String {
    let words = spelled_words(text, dialect);
    let end = clause_starts(&words).next().unwrap_or(words.len());
    let mut starts: Vec<usize> = clause_starts(&words).collect();
    starts.push(words.len());
    let mut clauses: BTreeMap<String, String> = BTreeMap::new();
    for clause in starts.windows(2) {
        let (key, words) = clause_of(&words[clause[0]..clause[1]]);
        clauses.insert(key, words);
    }
    let goes_without_saying = |it: &String| {
        matches!(
            it.as_str(),
            "volatile"
                | "called on null input"
                | "security invoker"
                | "parallel unsafe"
                | "not leakproof"
                | "cost 100"
        )
    };
    let said: Vec<String> = clauses.into_values().filter(|it| !goes_without_saying(it)).collect();
    format!("{} {}", words[..end].join(" "), said.join(" "))
}

fn clause_of(words: &[String]) -> (String, String) {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|it| *it != "external").collect();
    let text = words.join(" ");
    let key = match words.first().copied().unwrap_or_default() {
        "immutable" | "stable" | "volatile" => "volatility".to_owned(),
        "strict" | "called" => "null".to_owned(),
        "returns" if words.get(1) == Some(&"null") => "null".to_owned(),
        "leakproof" | "not" => "leakproof".to_owned(),
        "set" | "reset" => format!("set {}", words.get(1).copied().unwrap_or_default()),
        first => first.to_owned(),
    };
    let text = if text == "returns null on null input" { "strict".to_owned() } else { text };
    (key, text)
}

/// The places outside parentheses where a clause of a routine starts.
fn clause_starts(words: &[String]) -> impl Iterator<Item = usize> {
    let mut depth = 0_usize;
    let mut body = false;
    let mut before = "";
    words.iter().enumerate().filter_map(move |(at, word)| {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        // The body of a routine without quotes.
        body |= depth == 0 && (word == "begin" || word == "return");
        let follows = matches!((before, word.as_str()), ("external", "security") | ("not", "leakproof"));
        let is_one = depth == 0 && !body && !follows && ROUTINE_CLAUSES.contains(&word.as_str());
        before = word;
        is_one.then_some(at)
    })
}

/// The checks of a domain, by name.
pub(super) fn checks(checks: &[(String, bool)]) -> String {
    let mut each: Vec<String> = checks
        .iter()
        .map(|(name, valid)| format!("{name}{}", if *valid { "" } else { " not valid" }))
        .collect();
    each.sort();
    each.join(", ")
}
