//! Settings of the session: the search path, by which names without a schema are found and made, and the time zone.

use std::sync::Arc;

use super::{Catalog, RelationName};
use crate::dialect::{Dialect, Name, quote_literal};
use crate::operation::{QueryText, Set};
use crate::statement::{Cursor, Script};

/// What `SELECT set_config('name', 'value', …)` sets, as SET says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Configured {
    /// A value that stands in the text.
    To(Set),
    /// A value that is only known when it runs, of the setting with this name.
    Unknown(String),
}

/// What a query sets, where it calls `set_config` with the name of a setting.
pub fn configured(query: &QueryText, dialect: Dialect) -> Option<Configured> {
    if !query.text.to_ascii_lowercase().contains("set_config") {
        return None;
    }
    let script = Script::read(&query.text, dialect);
    let mut cursor = Cursor::new(&query.text, dialect, &script.tokens);
    cursor.eat("select");
    let called = cursor.name().filter(|it| it.name == "set_config")?;
    called.schema.is_none_or(|it| it == "pg_catalog").then_some(())?;
    let arguments = cursor.group()?.segments();
    let [name, value, local] = arguments.as_slice() else { return None };
    let name = literal(*name)?.to_ascii_lowercase();
    let local = local.tokens().first().map(|it| it.span.of(&query.text).to_ascii_lowercase());
    let local = local.is_some_and(|it| matches!(it.as_str(), "true" | "'t'" | "'true'" | "'on'"));
    Some(match literal(*value) {
        Some(value) => {
            let words = match name.as_str() {
                // Names, as they stand in SET too.
                "search_path" if !value.trim().is_empty() => value.clone(),
                _ => quote_literal(&value),
            };
            Configured::To(Set { name, value: Some(value), words: Some(words), local })
        }
        None => Configured::Unknown(name),
    })
}

/// The text of an argument that is one literal.
fn literal(mut argument: Cursor<'_>) -> Option<String> {
    let text = argument.text_of_string()?;
    argument.at_end().then_some(text)
}

/// The schemas of a search path in which tables are made and found: without that of the user's name, which nobody knows, and those of the
/// server.
pub fn schemas_of(value: &str) -> Vec<String> {
    let parts = value.split(',').map(|it| it.trim().trim_matches('\'').trim());
    let named = parts.map(|part| match part.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => part.to_lowercase(),
    });
    named.filter(|it| !matches!(it.as_str(), "" | "$user" | "pg_catalog" | "pg_temp")).collect()
}

/// A search path: its first schema, in which things are made, and those behind it.
pub(super) type Path = (Arc<str>, Arc<Vec<Arc<str>>>);

impl Catalog {
    /// The full name of what a statement makes under this name.
    pub fn resolve_new(&self, name: &Name) -> RelationName {
        let schema = name.schema.as_deref().map_or_else(|| self.default_schema.clone(), Arc::from);
        RelationName { schema, name: name.name.as_str().into() }
    }

    /// The name in the first schema of the path that has it.
    pub(super) fn found_behind(&self, name: &Name) -> Option<RelationName> {
        let behind = self.further_schemas.iter();
        let mut names = behind.map(|it| RelationName { schema: it.clone(), name: name.name.as_str().into() });
        names.find(|it| self.relations.contains_key(it) || self.types.contains_key(it))
    }

    pub(super) fn set(&mut self, set: &Set) {
        if matches!(set.name.as_str(), "timezone" | "all") {
            // A number of hours means another zone in AT TIME ZONE.
            let named = |it: &&String| {
                it.starts_with(char::is_alphabetic)
                    && it.chars().all(|it| it.is_alphanumeric() || "/_+-".contains(it))
            };
            self.time_zone = set.value.as_ref().filter(named).map(|it| it.as_str().into());
        }
        self.set_path(set);
    }

    fn set_path(&mut self, set: &Set) {
        if set.name == "all" && set.value.is_none() {
            return self.reset_path();
        }
        if set.name != "search_path" {
            return;
        }
        if set.local && self.path_outside.is_none() {
            self.path_outside = Some((self.default_schema.clone(), self.further_schemas.clone()));
        }
        let Some(value) = &set.value else { return self.reset_path() };
        let mut schemas: Vec<Arc<str>> = schemas_of(value).into_iter().map(Into::into).collect();
        if schemas.is_empty() && value.contains("$user") {
            return self.reset_path();
        }
        self.default_schema = if schemas.is_empty() { "".into() } else { schemas.remove(0) };
        self.further_schemas = Arc::new(schemas);
    }

    /// SET LOCAL ends with its transaction.
    pub(super) fn end_local_path(&mut self) {
        if let Some((default, further)) = self.path_outside.take() {
            (self.default_schema, self.further_schemas) = (default, further);
        }
    }

    pub(super) fn reset_path(&mut self) {
        self.default_schema = self.dialect.default_schema().into();
        self.further_schemas = Arc::default();
    }

    /// What `set_config` does.
    pub(super) fn configure(&mut self, query: &QueryText) {
        match configured(query, self.dialect) {
            Some(Configured::To(set)) => self.set(&set),
            // Nobody knows where names are looked for from here on.
            Some(Configured::Unknown(name)) if name == "search_path" => self.mark_incomplete(),
            _ => {}
        }
    }
}
