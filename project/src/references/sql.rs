//! Uses of a table and its column in a text of SQL, by the words around them: no grammar, so it reads all dialects and
//! half-made strings, and it never fails.

mod scope;
mod token;

use lockkeeper_core::reference::{Certainty, ReferenceKind};
use lockkeeper_core::text::Span;

use super::Hit;
use super::names::Names;
use scope::{Scopes, Table};
use token::{Token, tokens};

/// What a text of SQL holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub hits: Vec<Hit>,
    /// Whether the table stands where tables stand.
    pub names_table: bool,
}

/// The uses in a text that starts at `start` of its file.
pub(super) fn hits(names: &Names, text: &str, start: usize) -> Found {
    let mut found = Found::default();
    let tokens = tokens(text);
    for statement in tokens.split(|token| token.is(text, ";")) {
        let statement =
            Statement { names, text, tokens: statement, scopes: scope::read(text, statement, &names.table) };
        found.names_table |= statement.scopes.tables.iter().any(|table| table.is_ours);
        match &names.column {
            Some(column) => found.hits.extend(statement.uses_of_column(column)),
            None => found.hits.extend(statement.uses_of_table()),
        }
    }
    for hit in &mut found.hits {
        hit.span = hit.span.shifted(start);
    }
    found
}

struct Statement<'a> {
    names: &'a Names,
    text: &'a str,
    tokens: &'a [Token],
    scopes: Scopes,
}

/// What the words so far make of the next name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clause {
    Reads,
    /// Columns of an INSERT or COPY, up to the closing parenthesis of this depth.
    Columns {
        ours: bool,
        depth: usize,
    },
    /// The left side of an assignment.
    Target {
        ours: bool,
        depth: usize,
    },
    /// The right side of one.
    Value {
        ours: bool,
        depth: usize,
    },
}

impl Statement<'_> {
    fn word(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| token.text(self.text))
    }

    fn is(&self, index: usize, word: &str) -> bool {
        self.tokens.get(index).is_some_and(|token| token.is(self.text, word))
    }

    fn before(&self, index: usize, word: &str) -> bool {
        index > 0 && self.is(index - 1, word)
    }

    /// Statements that declare: every name in them is part of the schema.
    fn declares(&self) -> bool {
        ["create", "alter", "drop", "comment", "grant", "revoke"].iter().any(|verb| self.is(0, verb))
    }

    fn uses_of_table(&self) -> Vec<Hit> {
        let ours = self.scopes.tables.iter().filter(|table| table.is_ours);
        ours.map(|table| self.hit(table.token, self.kind_of_table(table), Certainty::Certain)).collect()
    }

    fn kind_of_table(&self, table: &Table) -> ReferenceKind {
        match table.introduced_by {
            _ if self.declares() => ReferenceKind::Schema,
            "into" | "update" | "truncate" | "copy" => ReferenceKind::Write,
            "only" if self.before(table.introduced_at, "update") => ReferenceKind::Write,
            "from" if self.is(table.introduced_at.saturating_sub(1), "delete") => ReferenceKind::Write,
            _ => ReferenceKind::Read,
        }
    }

    fn hit(&self, index: usize, kind: ReferenceKind, certainty: Certainty) -> Hit {
        Hit { span: self.tokens[index].name_span(self.text), kind, certainty, by_place: false }
    }

    fn uses_of_column(&self, column: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut clause = Clause::Reads;
        for index in 0..self.tokens.len() {
            clause = self.next_clause(clause, index);
            hits.extend(self.all_columns(index));
            if self.tokens[index].is_name(self.text, column) && self.may_be_column(index) {
                hits.extend(self.column_at(index, clause));
            }
        }
        hits
    }

    /// Names behind AS are new names, names before `(` are functions, names before `.` qualify.
    fn may_be_column(&self, index: usize) -> bool {
        let function = self.is(index + 1, "(") && !self.tokens[index].is_quoted(self.text);
        let is_table =
            self.scopes.tables.iter().any(|table| table.token == index || table.alias_token == Some(index));
        !(self.before(index, "as")
            || self.before(index, "::")
            || function
            || self.is(index + 1, ".")
            || is_table)
    }

    fn column_at(&self, index: usize, clause: Clause) -> Option<Hit> {
        let kind = match clause {
            _ if self.declares() => ReferenceKind::Schema,
            Clause::Columns { ours: false, .. } | Clause::Target { ours: false, .. } => return None,
            Clause::Columns { .. } | Clause::Target { .. } => ReferenceKind::Write,
            Clause::Reads | Clause::Value { .. } => ReferenceKind::Read,
        };
        let certainty = match clause {
            Clause::Columns { .. } | Clause::Target { .. } => Certainty::Certain,
            _ if self.before(index, ".") && index > 1 => self.qualified(index - 2)?,
            _ => self.scopes.unqualified(index)?,
        };
        Some(self.hit(index, kind, certainty))
    }

    fn qualified(&self, qualifier: usize) -> Option<Certainty> {
        let token = &self.tokens[qualifier];
        let name = token.text(self.text);
        let named = |table: &&Table| table.is_called(self.text, self.tokens, name);
        let mut tables = self.scopes.tables.iter().filter(named).peekable();
        if tables.peek().is_some() {
            return tables.any(|table| table.is_ours).then_some(Certainty::Certain);
        }
        if token.is_name(self.text, &self.names.table) {
            return Some(if self.declares() { Certainty::Certain } else { Certainty::Likely });
        }
        let ours = self.scopes.tables.iter().any(|table| table.is_ours);
        let inserted =
            name.eq_ignore_ascii_case("excluded") && self.scopes.tables.first().is_some_and(|it| it.is_ours);
        match (ours, inserted) {
            (_, true) => Some(Certainty::Certain),
            (true, _) => Some(Certainty::Possible),
            _ => None,
        }
    }

    /// `SELECT *`, `u.*`, and INSERT without a list of columns use each column.
    fn all_columns(&self, index: usize) -> Option<Hit> {
        let ours = |table: &&Table| table.is_ours;
        if let Some(table) = self.scopes.tables.iter().filter(ours).find(|table| table.token == index) {
            let next = |words: &[&str]| words.iter().any(|it| self.is(index + 1, it));
            let writes = match table.introduced_by {
                "into" => next(&["values", "select", "table", "with"]),
                "copy" => next(&["from"]),
                _ => false,
            };
            let hit = || Hit { by_place: true, ..self.hit(index, ReferenceKind::Write, Certainty::Likely) };
            return writes.then(hit);
        }
        if !self.is(index, "*") || self.declares() && !self.tokens.iter().any(|it| it.is(self.text, "select"))
        {
            return None;
        }
        let starts = ["select", "distinct", "all", "returning", ","].iter().any(|it| self.before(index, it));
        let ours = match self.before(index, ".") && index > 1 {
            true => self.qualified(index - 2) == Some(Certainty::Certain),
            false => starts && self.scopes.unqualified(index).is_some_and(|it| it > Certainty::Possible),
        };
        let kind = if self.declares() { ReferenceKind::Schema } else { ReferenceKind::Read };
        ours.then(|| self.hit(index, kind, Certainty::Likely))
    }

    fn next_clause(&self, clause: Clause, index: usize) -> Clause {
        let depth = self.scopes.depth(index);
        let ours = |before: usize| self.scopes.written_before(before).is_some_and(|table| table.is_ours);
        let word = self.word(index).to_ascii_lowercase();
        match (word.as_str(), clause) {
            ("(", Clause::Reads) => match self.scopes.written_at(index) {
                Some(table) => Clause::Columns { ours: table.is_ours, depth },
                None => clause,
            },
            (")", Clause::Columns { depth: opened, .. }) if depth == opened => Clause::Reads,
            ("set", Clause::Reads) => Clause::Target { ours: ours(index), depth },
            ("update", Clause::Reads) if self.before(index, "key") => {
                Clause::Target { ours: ours(index), depth }
            }
            ("=", Clause::Target { ours, depth: opened }) if depth == opened => Clause::Value { ours, depth },
            (",", Clause::Value { ours, depth: opened }) if depth == opened => Clause::Target { ours, depth },
            ("where" | "from" | "returning" | "when", Clause::Value { depth: opened, .. })
                if depth <= opened =>
            {
                Clause::Reads
            }
            (")", Clause::Value { depth: opened, .. }) if depth < opened => Clause::Reads,
            _ => clause,
        }
    }
}

impl Token {
    /// The span of the name without its quotes and what stood for their escapes.
    fn name_span(self, text: &str) -> Span {
        let whole = self.span.of(text);
        let inside = whole.trim_start_matches(['"', '`', '[']).trim_start();
        let start = self.span.end - inside.len();
        Span::new(start, start + self.text(text).len())
    }
}
