//! The reference of `lockkeeper.toml`, made from its schema and so from the types: compared here, written by `UPDATE_EXPECT=1`.

use std::fmt::Write;

use expect_test::expect_file;
use serde_json::{Map, Value};

use crate::binaries::root;

#[test]
fn the_reference_of_the_configuration_is_fresh() {
    let schema =
        std::fs::read_to_string(root().join("schemas/lockkeeper.toml.schema.json")).expect("is there");
    let schema = serde_json::from_str(&schema).expect("is JSON");
    expect_file![root().join("docs/configuration-reference.md")].assert_eq(&reference(&schema));
}

/// The tables of the file, in the order in which they come up.
fn reference(schema: &Value) -> String {
    let mut text = String::from(
        "# Every key of lockkeeper.toml\n\nGenerated from the types that read the file, by `cargo xtask docs`. \
         [Configuration](configuration.md) says what they are for. A key that is not here, or a value that its key does not take, is refused \
         with the line and the nearest one that exists.\n",
    );
    let page = Page { schema };
    page.table(&mut text, "At the top of the file", "", schema);
    for (key, value) in properties(schema) {
        page.of_key(&mut text, key, value);
    }
    text
}

struct Page<'a> {
    schema: &'a Value,
}

impl Page<'_> {
    /// What a key of the file holds, where that is a table or an array of tables.
    fn of_key(&self, text: &mut String, key: &str, value: &Value) {
        let about = about(value);
        let inner = self.resolved(value);
        if let Some(element) =
            inner.get("items").map(|it| self.resolved(it)).filter(|it| it.get("properties").is_some())
        {
            self.table(text, &format!("`[[{key}]]`"), about, element);
            self.inside(text, key, element);
        } else if let Some(element) = inner.get("additionalProperties").filter(|it| it.is_object()) {
            let element = self.resolved(element);
            self.table(text, &format!("`[{key}.NAME]`"), about, element);
            self.inside(text, &format!("{key}.NAME"), element);
        } else if inner.get("properties").is_some() {
            self.table(text, &format!("`[{key}]`"), about, inner);
        }
    }

    /// Tables in a table that are said nowhere else.
    fn inside(&self, text: &mut String, above: &str, schema: &Value) {
        for (key, value) in properties(schema) {
            let inner = self.resolved(value);
            if inner.get("properties").is_some() {
                let like = format!("`[{key}]`");
                writeln!(text, "\n`[{above}.{key}]` has the keys of {like}: {}", lower(about(value)))
                    .expect("a string");
            }
        }
    }

    fn table(&self, text: &mut String, title: &str, said: &str, schema: &Value) {
        write!(text, "\n## {title}\n\n").expect("a string");
        let more = schema.get("description").and_then(Value::as_str).filter(|it| !it.starts_with(said));
        let paragraphs: Vec<String> =
            [Some(said), more].into_iter().flatten().filter(|it| !it.is_empty()).map(unwrapped).collect();
        if !paragraphs.is_empty() {
            write!(text, "{}\n\n", paragraphs.join("\n\n")).expect("a string");
        }
        if title == "`[severity]`" {
            text.push_str("Each key is the name of a rule: [the index of hazards](hazards/index.md) lists them with the severities that they have otherwise.\n\n");
            let values = properties(schema).next().map(|(_, it)| self.values(it)).unwrap_or_default();
            writeln!(text, "Values: {values}").expect("a string");
            return;
        }
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        text.push_str("| key | value | otherwise | |\n| --- | --- | --- | --- |\n");
        for (key, value) in properties(schema) {
            let otherwise = match value.get("default").filter(|it| !it.is_null() && !is_empty(it)) {
                Some(default) => format!("`{default}`"),
                None if required.contains(&key.as_str()) => "required".to_owned(),
                None => String::new(),
            };
            let line = unwrapped(about(value));
            writeln!(text, "| `{key}` | {} | {otherwise} | {line} |", self.values(value)).expect("a string");
        }
    }

    /// What a key takes, in words.
    fn values(&self, value: &Value) -> String {
        if value.to_string().contains("#/definitions/Scalar")
            && value.get("items").is_none()
            && value.get("properties").is_none()
        {
            return "text or a number".to_owned();
        }
        let value = self.resolved(value);
        if let Some(names) = value.get("enum").and_then(Value::as_array) {
            return names
                .iter()
                .filter_map(Value::as_str)
                .map(|it| format!("`{it}`"))
                .collect::<Vec<_>>()
                .join(", ");
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(choices) = value.get(choice).and_then(Value::as_array) {
                let choices = choices.iter().filter(|it| it["type"] != "null");
                let mut words: Vec<String> = choices.map(|it| self.values(it)).collect();
                words.dedup();
                return words.join(", ");
            }
        }
        if let Some(name) = value.get("const").and_then(Value::as_str) {
            return format!("`{name}`");
        }
        let kind = match &value["type"] {
            Value::Array(kinds) => kinds[0].as_str().unwrap_or_default(),
            kind => kind.as_str().unwrap_or_default(),
        };
        match kind {
            "string" => "text".to_owned(),
            "integer" => "whole number".to_owned(),
            "number" => "number".to_owned(),
            "boolean" => "`true`, `false`".to_owned(),
            "array" => match self.resolved(&value["items"]).get("properties") {
                Some(_) => "tables".to_owned(),
                None => format!("list of {}s", self.values(&value["items"])),
            },
            _ => "table".to_owned(),
        }
    }

    /// The schema that a reference points at.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let inner = value.get("allOf").map_or(value, |it| &it[0]);
        let pointer = inner.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
        pointer.map_or(inner, |pointer| {
            self.schema.pointer(pointer).expect("the schema holds what it refers to")
        })
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn about(value: &Value) -> &str {
    value.get("description").and_then(Value::as_str).unwrap_or_default()
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

/// Paragraphs on a line each, and nothing that would end a cell of a table.
fn unwrapped(text: &str) -> String {
    text.replace("\n\n", " ").replace('\n', " ").replace('|', "\\|")
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
