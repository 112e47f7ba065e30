//! What leaves for an agent: no secret, nothing invisible, and no more than a model reads.
//!
//! Every result passes here, so no tool has to think of it. A result that is too long loses the ends of its longest lists;
//! `left_out` counts what is missing of each by its JSON pointer, and `cursor` takes one of them up again. Calls are
//! stateless: a cursor is a pointer and a number of items, and the same call makes the same list.

use lockkeeper_core::text::{is_invisible, sanitise};
use lockkeeper_project::secret::{redact, redact_value};
use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, JsonObject};
use serde_json::{Map, Value, json};

use crate::tools::next::next;

/// The most bytes of a result: less than 8,000 tokens, at three bytes each.
const MOST: usize = 24_000;
/// The most characters of a text in a result, and of an error.
const LONGEST: usize = 6_000;
const ERROR: usize = 1_000;

/// Tools whose answers hold no text of a repository or a server but names.
const OURS: [&str; 7] = [
    "answer_questions",
    "explain",
    "gate_status",
    "list_questions",
    "request_approval",
    "write_migrations",
    "write_report",
];

/// A result of a tool as it leaves; `cursor` is what the caller asked to go on with.
pub fn response(
    tool: &str,
    response: CallToolResponse,
    cursor: Option<&str>,
) -> Result<CallToolResponse, ErrorData> {
    match response {
        CallToolResponse::Complete(mut result) => {
            if let Some(value) = &mut result.structured_content
                && let told = next(tool, value)
                && let Value::Object(members) = value
            {
                members.extend(told.map(|it| ("next".to_owned(), it.into())));
                if !OURS.contains(&tool) {
                    members.insert("untrusted".to_owned(), true.into());
                }
            }
            Ok(CallToolResponse::Complete(complete(result, cursor)?))
        }
        // Composed by the gate, which hides secrets itself.
        other => Ok(other),
    }
}

/// An error as it leaves: what it repeats of the input is short and visible.
pub fn error(mut error: ErrorData) -> ErrorData {
    error.message = shown(&error.message).into();
    error.data = None;
    error
}

fn complete(mut result: CallToolResult, cursor: Option<&str>) -> Result<CallToolResult, ErrorData> {
    if let Some(mut value) = result.structured_content.take() {
        if let Some(cursor) = cursor {
            skip(&mut value, cursor)?;
        }
        fit(&mut value);
        redact_value(&mut value);
        show_texts(&mut value);
        result.content = vec![ContentBlock::text(value.to_string())];
        result.structured_content = Some(value);
        return Ok(result);
    }
    for block in &mut result.content {
        if let Some(text) = block.as_text() {
            *block = ContentBlock::text(shown(&text.text));
        }
    }
    Ok(result)
}

/// What is repeated of the input: short, visible, and without secrets.
pub fn shown(text: &str) -> String {
    // Long input is cut first: nobody waits for the search through megabytes.
    let end = text.floor_char_boundary(text.len().min(4 * ERROR));
    sanitise(&redact(&text[..end]), ERROR)
}

/// Takes the items away that the caller has seen: `POINTER:COUNT`.
fn skip(value: &mut Value, cursor: &str) -> Result<(), ErrorData> {
    let wrong = || {
        ErrorData::invalid_params("this cursor is not from `next_cursor` or `left_out`: leave it out", None)
    };
    let (pointer, count) = cursor.rsplit_once(':').ok_or_else(wrong)?;
    let count: usize = count.parse().map_err(|_| wrong())?;
    let items = value.pointer_mut(pointer).and_then(Value::as_array_mut).ok_or_else(wrong)?;
    items.drain(..count.min(items.len()));
    if let Value::Object(members) = value {
        members.insert("continued".to_owned(), json!({pointer: count}));
    }
    Ok(())
}

/// Cuts lists until the value is short enough, and says what is left out.
fn fit(value: &mut Value) {
    cut_texts(value);
    let skipped = value.get("continued").cloned().unwrap_or_default();
    let mut left_out = Map::new();
    let mut next = None;
    // Each turn empties a list down to what fits or to one item, so it ends.
    while let Some(excess) = value.to_string().len().checked_sub(MOST).filter(|it| *it > 0) {
        let mut lists = Vec::new();
        find_lists(value, String::new(), &mut lists);
        // The list with the most items of those that matter: cutting the one around it would lose more.
        let matters = lists.iter().filter(|it| it.size * 5 >= excess).max_by_key(|it| (it.items, it.size));
        let Some(List { pointer, .. }) = matters.or_else(|| lists.iter().max_by_key(|it| it.size)) else {
            break;
        };
        let items = value.pointer_mut(pointer).and_then(Value::as_array_mut).expect("it was found there");
        let before = items.len();
        let mut freed = 0;
        while items.len() > 1 && freed < excess + 500 {
            freed += items.pop().map_or(0, |it| it.to_string().len() + 1);
        }
        let missing =
            left_out.get(pointer).and_then(Value::as_u64).unwrap_or(0) + (before - items.len()) as u64;
        left_out.insert(pointer.clone(), missing.into());
        let seen = skipped.get(pointer).and_then(Value::as_u64).unwrap_or(0);
        next = Some((pointer.clone(), seen + items.len() as u64));
    }
    if let (Value::Object(members), Some((pointer, seen))) = (value, next) {
        // A list inside of one that was cut away later is not there any more.
        members.insert("left_out".to_owned(), Value::Object(left_out));
        members.insert("next_cursor".to_owned(), format!("{pointer}:{seen}").into());
    }
}

/// The schema of a result: the fields that are always there, without what is inside of them. An agent reads the list of tools before it does
/// anything, and what a field holds is seen in the answer.
pub fn outline(schema: &JsonObject) -> JsonObject {
    let kept = |(name, field): (&String, &Value)| {
        let mut kinds = Vec::new();
        kinds_of(field, schema, &mut kinds);
        // What may be null, and what may be anything, has no spelling that every client takes.
        let [kind] = kinds.as_slice() else { return None };
        Some((name.clone(), json!({"type": kind})))
    };
    let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let fields: Map<String, Value> = fields.filter_map(kept).collect();
    Map::from_iter([("type".to_owned(), "object".into()), ("properties".to_owned(), Value::Object(fields))])
}

/// Which kinds of values a field has, through references and alternatives. A field of any kind has none here.
fn kinds_of(field: &Value, schema: &JsonObject, kinds: &mut Vec<Value>) {
    let mut add = |kind: &Value| {
        if !kinds.contains(kind) {
            kinds.push(kind.clone());
        }
    };
    match field.get("type") {
        Some(Value::Array(several)) => several.iter().for_each(add),
        Some(one) => add(one),
        None => {
            let named = field.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/$defs/"));
            let named = named.and_then(|it| schema.get("$defs")?.get(it));
            let choices = ["anyOf", "oneOf"].into_iter().filter_map(|it| field.get(it)?.as_array()).flatten();
            named.into_iter().chain(choices).for_each(|it| kinds_of(it, schema, kinds));
        }
    }
}

/// The schema of a call, without what says nothing to a model.
pub fn input(schema: &JsonObject) -> JsonObject {
    let mut schema = schema.clone();
    for key in ["$schema", "title", "description"] {
        schema.remove(key);
    }
    if let Some(Value::Object(fields)) = schema.get_mut("properties") {
        for field in fields.values_mut().filter_map(Value::as_object_mut) {
            field.remove("default");
            // A field that may be left out is not required; that it may be null says no more.
            if let Some(Value::Array(kinds)) = field.get_mut("type") {
                kinds.retain(|it| it != "null");
            }
            if let Some(only) = field.get("type").and_then(Value::as_array).filter(|it| it.len() == 1) {
                let only = only[0].clone();
                field.insert("type".to_owned(), only);
            }
        }
        if let Some(cursor) = fields.get_mut("cursor") {
            *cursor = json!({"type": "string", "description": "`next_cursor`, to read on"});
        }
    }
    schema
}

/// A list in a value.
struct List {
    pointer: String,
    items: usize,
    size: usize,
}

/// All lists of two and more items.
fn find_lists(value: &Value, pointer: String, found: &mut Vec<List>) {
    match value {
        Value::Array(items) => {
            if items.len() > 1 {
                found.push(List {
                    pointer: pointer.clone(),
                    items: items.len(),
                    size: value.to_string().len(),
                });
            }
            for (index, item) in items.iter().enumerate() {
                find_lists(item, format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                find_lists(member, format!("{pointer}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// A text with what cannot be seen in it written as its code: it could hide what stands beside it, or pose as ours.
pub fn visible(text: &str) -> String {
    let shown = |it: char| match is_invisible(it) {
        true => it.escape_unicode().to_string(),
        false => it.to_string(),
    };
    text.chars().map(shown).collect()
}

fn show_texts(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(is_invisible) => *text = visible(text),
        Value::Array(items) => items.iter_mut().for_each(show_texts),
        Value::Object(members) => members.values_mut().for_each(show_texts),
        _ => {}
    }
}

fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONGEST => {
            let end = text.floor_char_boundary(LONGEST);
            let rest = text[end..].chars().count();
            *text = format!("{} … ({rest} characters more)", &text[..end]);
        }
        Value::Array(items) => items.iter_mut().for_each(cut_texts),
        Value::Object(members) => members.values_mut().for_each(cut_texts),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(count: usize) -> Value {
        let place =
            |line: usize| json!({"path": "src/app.ts", "line": line, "excerpt": "password = 'hunter2'"});
        json!({"references": (0..count).map(place).collect::<Vec<_>>(), "skipped": ["a", "b"]})
    }

    fn page(value: Value, cursor: Option<&str>) -> Value {
        let result = complete(CallToolResult::structured(value), cursor).expect("is an answer");
        result.structured_content.expect("is structured")
    }

    /// Page by page each item comes once, in order, in pages that a model can read.
    #[test]
    fn a_long_list_is_read_in_pages() {
        let mut lines = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = page(places(12_000), cursor.as_deref());
            assert!(page.to_string().len() <= MOST + 500);
            assert!(!page.to_string().contains("hunter2"));
            let items = page["references"].as_array().expect("a list");
            lines.extend(items.iter().filter_map(|it| it["line"].as_u64()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            let left = page["left_out"]["/references"].as_u64().expect("a number");
            assert_eq!(lines.len() as u64 + left, 12_000);
            cursor = Some(next.to_owned());
        }
        assert_eq!(lines, (0..12_000).collect::<Vec<u64>>());
    }

    #[test]
    fn what_is_short_stays_as_it_is() {
        let value = json!({"references": [{"line": 1}], "text": "x"});
        assert_eq!(page(value.clone(), None), value);
    }

    #[test]
    fn nested_lists_and_long_texts_are_cut() {
        let hazard = |size: usize| json!({"rule": "x", "references": places(size)["references"].clone()});
        let value = json!({"files": [{"hazards": [hazard(1), hazard(9_000), hazard(2)], "text": "x".repeat(90_000)}]});
        let page = page(value, None);
        assert!(page.to_string().len() <= MOST + 500, "{}", page.to_string().len());
        assert_eq!(page["files"][0]["hazards"].as_array().map(Vec::len), Some(3));
        assert!(page["left_out"]["/files/0/hazards/1/references"].as_u64() > Some(8_000));
    }

    #[test]
    fn what_cannot_be_seen_is_written_as_its_code() {
        let told = page(json!({"files": [{"text": "a\u{202e}b\u{1b}[2J\n\tc\0"}]}), None);
        assert_eq!(told["files"][0]["text"], "a\\u{202e}b\\u{1b}[2J\n\tc\\u{0}");
    }

    #[test]
    fn cursors_of_others_are_refused() {
        for cursor in ["", ":", "/references", "/references:x", "/nothing:1", "/skipped/0:1", "x:1"] {
            assert!(complete(CallToolResult::structured(places(3)), Some(cursor)).is_err(), "{cursor}");
        }
    }

    #[test]
    fn errors_are_short_visible_and_without_secrets() {
        let echo = format!("no table \u{1b}[31m\u{202e} password=hunter2 {}", "x".repeat(10_000_000));
        let told = shown(&echo);
        assert!(told.len() < 2 * ERROR && !told.contains("hunter2") && !told.contains('\u{1b}'), "{told}");
    }
}
