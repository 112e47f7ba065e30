//! On which line each key of the configuration stands.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// The way to a value: names of keys, and numbers of elements.
pub(crate) type Way = Vec<String>;

/// The lines of all keys, from 1, by the way to them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Lines(BTreeMap<Way, usize>);

impl Lines {
    /// Of a text that has been read before, so that it is TOML.
    pub fn of(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            lines.table(text, &[], table.get_ref());
        }
        lines
    }

    pub fn of_key(&self, way: &[String]) -> Option<usize> {
        self.0.get(way).copied()
    }

    fn table(&mut self, text: &str, above: &[String], table: &DeTable<'_>) {
        for (key, value) in table {
            let way = [above, &[key.get_ref().to_string()]].concat();
            self.0.insert(way.clone(), line_at(text, key.span().start));
            self.value(text, &way, value.get_ref());
        }
    }

    fn value(&mut self, text: &str, way: &[String], value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => self.table(text, way, table),
            DeValue::Array(array) => {
                for (index, element) in array.iter().enumerate() {
                    let way = [way, &[index.to_string()]].concat();
                    self.0.insert(way.clone(), line_at(text, element.span().start));
                    self.value(text, &way, element.get_ref());
                }
            }
            _ => {}
        }
    }
}

/// The line of a place in a text, from 1.
pub(crate) fn line_at(text: &str, place: usize) -> usize {
    text.as_bytes()[..place.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The text without what stands on a line, from 1: a key, or with its header a whole table. All other lines keep their numbers.
pub(super) fn without(text: &str, line: usize) -> String {
    let is_header = |it: &str| it.trim_start().starts_with('[');
    let lines: Vec<&str> = text.lines().collect();
    let taken = lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
    let behind =
        lines.iter().enumerate().skip(line).find(|(_, it)| is_header(it)).map_or(lines.len(), |(at, _)| at);
    let end = if is_header(taken) { behind } else { line };
    let kept =
        |(at, it): (usize, &&str)| if at + 1 >= line && at < end { String::new() } else { (*it).to_owned() };
    lines.iter().enumerate().map(kept).collect::<Vec<_>>().join("\n")
}
