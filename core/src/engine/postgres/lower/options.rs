//! Storage options, and how sequences count.

use super::expression;
use crate::statement::{Cursor, TokenKind};

/// The options between parentheses in lower case, each with its value; `true` where none is stated.
pub(super) fn storage_options(group: &Cursor<'_>) -> Vec<(String, Option<String>)> {
    group.segments().into_iter().filter_map(storage_option).collect()
}

fn storage_option(mut option: Cursor<'_>) -> Option<(String, Option<String>)> {
    let name = option.name()?.to_string();
    if !option.eat("=") {
        return Some((name, Some("true".to_owned())));
    }
    let value = option.clone().text_of_string().unwrap_or_else(|| expression(&option.rest()).text);
    let value = match value.to_lowercase().as_str() {
        "on" | "true" => "true".to_owned(),
        "off" | "false" => "false".to_owned(),
        other => other.to_owned(),
    };
    Some((name, Some(value)))
}

/// Reads how a sequence counts, as far as that goes: each option with its value, `no` where it says that it has none.
pub(super) fn counts(cursor: &mut Cursor<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while !cursor.at_end() {
        if cursor.eat_all("sequence name") {
            found.extend(cursor.name().map(|name| ("name".to_owned(), name.sql(cursor.dialect()))));
            continue;
        }
        let no = cursor.eat("no");
        let Some(option) = cursor.eat_any(&["increment", "minvalue", "maxvalue", "start", "cache", "cycle"])
        else {
            if no || cursor.is("set") {
                return found;
            }
            cursor.skip();
            continue;
        };
        cursor.eat_any(&["by", "with"]);
        let value = match (no, option) {
            (true, _) => "no".to_owned(),
            (false, "cycle") => "yes".to_owned(),
            _ => number(cursor),
        };
        found.push((option.to_owned(), value));
    }
    found
}

fn number(cursor: &mut Cursor<'_>) -> String {
    let minus = cursor.eat("-");
    cursor.eat("+");
    let digits = cursor.eat_kind(TokenKind::Number).map_or("", |token| token.span.of(cursor.text()));
    if minus { format!("-{digits}") } else { digits.to_owned() }
}
