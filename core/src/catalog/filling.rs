//! Who gives a new row the value of a column that its writer does not know: a default, or a trigger.

use super::{Catalog, ColumnState, Demand, RelationName, Table, Trigger};
use crate::dialect::Name;
use crate::operation::{Expression, spelled_words};

/// What a table says of one of its columns.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub catalog: &'a Catalog,
    pub table: &'a Table,
    pub column: &'a ColumnState,
}

impl<'a> Place<'a> {
    pub fn of(catalog: &'a Catalog, table: &'a RelationName, column: &str) -> Option<Self> {
        let state = catalog.table(table)?;
        Some(Self { catalog, table: state, column: state.column(column)? })
    }

    /// Whether a row without a value is refused: by NOT NULL, a domain, or a check that is held against new rows.
    pub fn refuses_null(&self) -> bool {
        let name = &self.column.name;
        let refuses = |demand: &Demand| match demand {
            Demand::NotNull(column) => column == name,
            Demand::Check(check) => check.implied_not_null(self.catalog.dialect()).contains(name),
            _ => false,
        };
        self.column.not_null || self.table.constraints.iter().any(|it| it.enforced && refuses(&it.demand))
    }

    /// Whether the table itself gives a value.
    pub fn has_default(&self) -> bool {
        let default = self.column.default.as_ref().is_some_and(|it| !it.is_null());
        let domain = match self.catalog.user_type(&self.column.ty) {
            Some(super::UserType::Domain { default, .. }) => default.is_some(),
            _ => false,
        };
        default || domain || self.column.identity.is_some() || self.column.generated.is_some()
    }

    /// Whether a trigger gives a new row the value before anything is checked.
    pub fn is_filled(&self) -> bool {
        self.table.triggers.iter().any(|it| fires_first(it) && writes(self.catalog, it, &self.column.name))
    }

    /// Whether a trigger gives a row that is changed the value before anything is checked.
    pub fn is_filled_on_update(&self) -> bool {
        let fires = |it: &&Trigger| it.events.to_lowercase().contains("update") && fires_before(it);
        self.table.triggers.iter().filter(fires).any(|it| writes(self.catalog, it, &self.column.name))
    }

    /// Whether a writer that does not know the column is refused.
    pub fn is_required(&self) -> bool {
        self.refuses_null() && !self.has_default() && !self.is_filled()
    }
}

/// Whether it fires for new rows before they are checked.
fn fires_first(trigger: &Trigger) -> bool {
    trigger.events.to_lowercase().contains("insert") && fires_before(trigger)
}

fn fires_before(trigger: &Trigger) -> bool {
    trigger.events.to_lowercase().trim_start().starts_with("before") && fires(trigger)
}

/// Whether it fires for what the application does.
pub(crate) fn fires(trigger: &Trigger) -> bool {
    !matches!(trigger.details.get(&super::Setting::Firing), Some("never" | "on replicas only"))
}

/// The definition of the function that a trigger calls.
fn definition<'a>(catalog: &'a Catalog, trigger: &Trigger) -> Option<&'a str> {
    let name = Name::new(trigger.function.clone()?);
    let own = catalog.definition(&name, None);
    let anywhere = || catalog.definitions().find(|(it, _)| *it.name == *name.name).map(|(_, it)| it);
    Some(&own.or_else(anywhere)?.text)
}

/// The words of the function that a trigger calls.
pub(crate) fn code(catalog: &Catalog, trigger: &Trigger) -> Option<Vec<String>> {
    let text = definition(catalog, trigger)?;
    let outer = spelled_words(text, catalog.dialect());
    let body = outer.iter().filter(|it| it.starts_with('\'')).max_by_key(|it| it.len())?;
    let body = body.get(1..body.len().saturating_sub(1))?.replace("''", "'");
    Some(spelled_words(&body, catalog.dialect()))
}

/// What a trigger's function does with the row that is written.
pub(crate) struct Filling<'a> {
    catalog: &'a Catalog,
    words: Vec<String>,
}

impl<'a> Filling<'a> {
    /// That of a trigger; `None` where nobody knows its function.
    pub fn of(catalog: &'a Catalog, trigger: &Trigger) -> Option<Self> {
        Some(Self { catalog, words: code(catalog, trigger)? })
    }

    /// Whether it reads `NEW.column`.
    pub fn reads(&self, column: &str) -> bool {
        self.places(column).any(|at| !self.is_assigned(at))
    }

    /// Whether it gives `NEW.column` a value: `NEW.column := …`, or `INTO NEW.column`.
    pub fn writes(&self, column: &str) -> bool {
        self.places(column).any(|at| self.is_assigned(at))
    }

    /// Where `NEW.column` stands.
    fn places(&self, column: &str) -> impl Iterator<Item = usize> {
        let words =
            spelled_words(&crate::dialect::quote(column, self.catalog.dialect()), self.catalog.dialect());
        let column = words.into_iter().next().unwrap_or_default();
        let is_it = move |at: &usize| {
            self.words[*at] == column && self.words[at - 1] == "." && self.words[at - 2] == "new"
        };
        (2..self.words.len()).filter(is_it)
    }

    fn is_assigned(&self, at: usize) -> bool {
        let sign = |ahead: usize| self.words.get(at + ahead).map_or("", String::as_str);
        let assigned = matches!((sign(1), sign(2)), (":=" | "=", _) | (":", "="));
        let from = at.checked_sub(3).map(|at| self.words[at].as_str());
        let statement = matches!(from, None | Some(";" | "then" | "else" | "begin" | "loop"));
        assigned && statement || from == Some("into") || from == Some(",")
    }
}

/// Whether the function of a trigger gives `NEW.column` a value. A function that nobody knows may.
fn writes(catalog: &Catalog, trigger: &Trigger, column: &str) -> bool {
    if definition(catalog, trigger).is_some_and(|it| !may_name(it, column)) {
        return false;
    }
    Filling::of(catalog, trigger).is_none_or(|it| it.writes(column))
}

/// Whether a text may name a column, told without reading its words: a plan asks this of every trigger for every column. Names that can be
/// spelled in other letters are taken to stand there.
fn may_name(text: &str, column: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if column.is_empty() || !column.bytes().all(is_plain) {
        return true;
    }
    let has = |word: &[u8]| text.as_bytes().windows(word.len()).any(|it| it.eq_ignore_ascii_case(word));
    has(column.as_bytes()) || has(b"u&")
}

/// Whether an expression is the same for all rows.
pub(crate) fn is_constant(expression: &Expression, catalog: &Catalog) -> bool {
    expression.is_literal(catalog.dialect()) && !expression.is_null()
}
