//! Uses of a table or column in programs outside SQL: models and their fields, attributes, names handed to a query
//! builder.

mod lines;

use lockkeeper_core::reference::{Certainty, ReferenceKind};
use lockkeeper_core::text::Span;

use super::Hit;
use super::literals::{Kind, Region};
use super::names::Names;
use lines::Lines;

/// The uses in the code of a file: outside comments and outside SQL that was read already.
pub(super) fn hits(names: &Names, text: &str, regions: &[Region], covered: &[Span]) -> Vec<Hit> {
    let ctx = Context { names, text, lines: Lines::new(text), covered };
    if !words(text).any(|word| names.is_model(word.of(text)) || names.is_instance(word.of(text))) {
        return Vec::new();
    }
    let is_hidden = |word: Span| {
        let around = region_at(regions, word.start);
        around.is_some_and(|it| it.kind == Kind::Comment) || covered.iter().any(|it| it.contains(word))
    };
    let candidates = words(text).filter(|word| names.column.is_none() || ctx.column_form(*word).is_some());
    let visible = candidates.filter(|word| !is_hidden(*word));
    visible.filter_map(|word| ctx.judge(word, region_at(regions, word.start))).collect()
}

fn region_at(regions: &[Region], offset: usize) -> Option<&Region> {
    let index = regions.partition_point(|region| region.whole.end <= offset);
    regions.get(index).filter(|region| region.whole.start <= offset)
}

/// The identifiers of a text.
fn words(text: &str) -> impl Iterator<Item = Span> {
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_part)?;
        let end = text[start..].find(|it| !is_part(it)).map_or(text.len(), |length| start + length);
        at = end;
        Some(Span::new(start, end))
    })
}

struct Context<'a> {
    names: &'a Names,
    text: &'a str,
    lines: Lines<'a>,
    covered: &'a [Span],
}

/// How a spelling relates to the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Getter,
    Setter,
}

/// Words of declarations of models, types and tables.
const DECLARES: &[&str] = &[
    "class",
    "struct",
    "model",
    "interface",
    "type",
    "table",
    "record",
    "entity",
    "pgTable",
    "mysqlTable",
    "sqliteTable",
    "create_table",
    "createTable",
    "schema",
    "defmodule",
    "object",
    "Table",
];

/// Calls that write, and calls that read; the last one before a name decides.
const WRITES: &[&str] = &[
    "insert",
    "create",
    "update",
    "save",
    "upsert",
    "build",
    "set",
    "values",
    "new",
    "Create",
    "Save",
    "Update",
    "Updates",
    "Insert",
    "data",
    "bulk_create",
    "changeset",
];
/// The first so many of them also begin longer names.
const PREFIXES: usize = 6;
const READS: &[&str] = &[
    "select",
    "where",
    "find",
    "findMany",
    "findFirst",
    "findUnique",
    "find_by",
    "filter",
    "order",
    "orderBy",
    "order_by",
    "pluck",
    "get",
    "group",
    "groupBy",
    "Where",
    "First",
    "Find",
    "Select",
    "Order",
    "return",
    "if",
];

/// What a call of this name does: `create`, `createUser`, `insert_into` write.
fn verb_of(word: &str) -> Option<ReferenceKind> {
    let rest = |verb: &str| word.strip_prefix(verb);
    let begins = |verb: &&&str| {
        rest(verb).is_some_and(|rest| rest.starts_with(|it: char| it == '_' || it.is_uppercase()))
    };
    if WRITES.contains(&word) || WRITES[..PREFIXES].iter().any(|it| begins(&it)) {
        return Some(ReferenceKind::Write);
    }
    READS.contains(&word).then_some(ReferenceKind::Read)
}

/// Whether the line opens something that the next lines belong to, other than a function's body.
fn opens_call(line: &str) -> bool {
    line.trim_end().ends_with(['(', '[', '{', ',']) && !is_function(line)
}

fn is_function(line: &str) -> bool {
    line.contains("=> {")
        || words(line).any(|it| ["function", "def", "fn", "func", "fun"].contains(&it.of(line)))
}

impl Context<'_> {
    fn column_form(&self, word: Span) -> Option<Form> {
        let word = word.of(self.text);
        if self.names.is_column(word) {
            return Some(Form::Plain);
        }
        let accessor = |prefix: &str| {
            word.strip_prefix(prefix).is_some_and(|rest| {
                self.names.is_column(rest) && rest.starts_with(|it: char| it.is_uppercase())
            })
        };
        match () {
            () if accessor("get") => Some(Form::Getter),
            () if accessor("set") => Some(Form::Setter),
            () => None,
        }
    }

    fn judge(&self, word: Span, region: Option<&Region>) -> Option<Hit> {
        if self.names.column.is_none() {
            return self.table_use(word, region);
        }
        let (kind, certainty) = match region {
            Some(literal) if literal.inside == word => self.named(word)?,
            Some(literal) => self.in_literal(word, literal)?,
            None => self.in_code(word)?,
        };
        Some(Hit { span: word, kind, certainty, by_place: false })
    }

    fn table_use(&self, word: Span, region: Option<&Region>) -> Option<Hit> {
        let is_literal =
            region.is_some_and(|literal| literal.inside == word) && word.of(self.text) == self.names.table;
        let named = self.names.is_model(word.of(self.text));
        let declared = region.is_none() && named && self.is_declared_here(word);
        let before = self.text[..word.start].trim_end();
        let capital = word.of(self.text).starts_with(|it: char| it.is_uppercase());
        let used = region.is_none()
            && named
            && self.follows(word, &[".", "::"])
            && (capital || before.ends_with(['.', ':']));
        let kind = match () {
            () if declared || is_literal && self.mentions_declaration(word) => ReferenceKind::Schema,
            () if is_literal || used => self.verb(word),
            () => return None,
        };
        Some(Hit { span: word, kind, certainty: Certainty::Likely, by_place: false })
    }

    fn is_declared_here(&self, word: Span) -> bool {
        let before = self.text[..word.start].trim_end();
        DECLARES.iter().any(|it| {
            before.ends_with(it)
                && before[..before.len() - it.len()]
                    .chars()
                    .next_back()
                    .is_none_or(|it| !it.is_alphanumeric())
        })
    }

    fn mentions_declaration(&self, word: Span) -> bool {
        let line = self.lines.text(self.lines.of(word.start));
        line.contains("__tablename__")
            || line.contains("table_name")
            || words(line).any(|it| DECLARES.contains(&it.of(line)))
    }

    fn follows(&self, word: Span, signs: &[&str]) -> bool {
        signs.iter().any(|sign| self.text[word.end..].starts_with(sign))
    }

    /// A name in code: an attribute, a field of a declaration, a key, a symbol.
    fn in_code(&self, word: Span) -> Option<(ReferenceKind, Certainty)> {
        let before = &self.text[..word.start];
        let form = self.column_form(word)?;
        if before.ends_with('.') || before.ends_with("->") || before.ends_with("::") {
            return self.attribute(word, form);
        }
        if before.ends_with('@') {
            return self.in_class_of_model(word).then_some((self.assigned(word), Certainty::Likely));
        }
        if self.is_field(word) {
            return Some((ReferenceKind::Schema, Certainty::Likely));
        }
        let is_key = self.follows(word, &[":", "="]) || self.text[word.end..].trim_start().starts_with("=>");
        if before.ends_with(':') || is_key {
            return self.named(word);
        }
        let line = self.lines.text(self.lines.of(word.start));
        let near = words(line).any(|it| self.names.is_model(it.of(line)));
        near.then_some((ReferenceKind::Text, Certainty::Possible))
    }

    fn attribute(&self, word: Span, form: Form) -> Option<(ReferenceKind, Certainty)> {
        let receiver = self.receiver(word);
        let kind = match form {
            Form::Getter => ReferenceKind::Read,
            Form::Setter => ReferenceKind::Write,
            Form::Plain => self.assigned(word),
        };
        if self.names.is_instance(receiver) {
            let kind = if self.text[..word.start].ends_with("::") { self.verb(word) } else { kind };
            return Some((kind, Certainty::Likely));
        }
        if matches!(receiver, "self" | "this") {
            return self.in_class_of_model(word).then_some((kind, Certainty::Likely));
        }
        let is_row = receiver.len() == 1
            || ["row", "rows", "record", "result", "rec", "it", "data"].contains(&receiver);
        (is_row && self.is_near(word, 15)).then_some((kind, Certainty::Possible))
    }

    /// The identifier before the sign that leads to an attribute; calls and indexes in between are stepped over.
    fn receiver(&self, word: Span) -> &str {
        let mut before = self.text[..word.start].trim_end_matches(['.', ':', '>', '-', '?', '!', '&']);
        for (open, close) in [('(', ')'), ('[', ']')] {
            if before.ends_with(close) {
                before = before.rfind(open).map_or("", |at| &before[..at]);
            }
        }
        let start = before
            .rfind(|it: char| !it.is_alphanumeric() && it != '_')
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        &before[start..]
    }

    fn assigned(&self, word: Span) -> ReferenceKind {
        let after = self.text[word.end..].trim_start();
        let is_assigned = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=>");
        if is_assigned { ReferenceKind::Write } else { ReferenceKind::Read }
    }

    /// Whether the line is directly inside a declaration of the model.
    fn is_field(&self, word: Span) -> bool {
        let line = self.lines.of(word.start);
        let continues = self.lines.text(line).trim_start().starts_with('.');
        !continues
            && self.lines.parent(line).is_some_and(|parent| self.declares_model(self.lines.text(parent)))
    }

    fn declares_model(&self, line: &str) -> bool {
        let names_model = words(line).any(|it| self.names.is_model(it.of(line)));
        let declares = words(line).any(|it| DECLARES.contains(&it.of(line)));
        // Diesel's `users (id) {` inside `table!`.
        let diesel = line.trim_start().starts_with(&self.names.table)
            && line.trim_end().ends_with('{')
            && line.contains('(');
        names_model && declares || diesel
    }

    fn in_class_of_model(&self, word: Span) -> bool {
        let mut line = self.lines.of(word.start);
        while let Some(parent) = self.lines.parent(line) {
            if self.declares_model(self.lines.text(parent)) {
                return true;
            }
            line = parent;
        }
        false
    }

    /// A name handed over: a literal, a symbol, a key.
    fn named(&self, word: Span) -> Option<(ReferenceKind, Certainty)> {
        if self.is_field(word) {
            return Some((ReferenceKind::Schema, Certainty::Likely));
        }
        let statement = self.statement_before(word);
        let line = self.lines.text(self.lines.of(word.start));
        if !is_function(line) && words(statement).any(|it| self.is_subject(statement, it)) {
            return Some((self.verb(word), Certainty::Likely));
        }
        self.is_near(word, 5).then_some((ReferenceKind::Text, Certainty::Possible))
    }

    /// Whether a word of a statement is what the statement is about: `User`, `user.`, `:user`, `createUser(`, and not
    /// a value that is only passed on.
    fn is_subject(&self, statement: &str, word: Span) -> bool {
        let text = word.of(statement);
        if !self.names.is_model(text) && !self.names.is_instance(text) {
            return false;
        }
        let named = statement[..word.start].ends_with(['\'', '"', ':', '`']);
        let used = statement[word.end..].starts_with(['.', ':', '(', '{', '[', '?', '!']);
        named || used || text.starts_with(|it: char| it.is_uppercase())
    }

    /// A word in a longer literal: templates such as `{user.name}`, tags such as `db:"name"`.
    fn in_literal(&self, word: Span, literal: &Region) -> Option<(ReferenceKind, Certainty)> {
        let before = &self.text[literal.inside.start..word.start];
        if before.ends_with('.') && self.names.is_instance(self.receiver(word)) {
            return Some((ReferenceKind::Read, Certainty::Likely));
        }
        let tag = before.ends_with('"') && self.follows(word, &["\"", ","]) && before.contains(':');
        (tag && self.is_field(word)).then_some((ReferenceKind::Schema, Certainty::Likely))
    }

    /// The text from the start of the statement up to the word: the line, and lines above that it continues.
    fn statement_before(&self, word: Span) -> &str {
        let mut first = self.lines.of(word.start);
        for _ in 0..8 {
            let text = self.lines.text(first).trim_start();
            let chained = text.starts_with(['.', '?', ')', ']', '}', '|', '&']);
            let above = if chained { first.checked_sub(1) } else { self.lines.parent(first) };
            match above.filter(|above| chained || opens_call(self.lines.text(*above))) {
                Some(above) if first - above <= 12 => first = above,
                _ => break,
            }
        }
        let before = &self.text[self.lines.start(first)..word.start];
        let end = before.rfind("; ").map_or(0, |at| at + 2);
        &before[end..]
    }

    fn verb(&self, word: Span) -> ReferenceKind {
        let statement = self.statement_before(word);
        let after = self.text[word.end..].split(['\n', ';']).next().unwrap_or("");
        let behind = || words(after).find_map(|it| verb_of(it.of(after)));
        let before = words(statement).filter_map(|it| verb_of(it.of(statement))).last();
        before.or_else(behind).unwrap_or(ReferenceKind::Read)
    }

    /// Whether a model's name or SQL on the table stands at most so many lines above.
    fn is_near(&self, word: Span, distance: usize) -> bool {
        let line = self.lines.of(word.start);
        let first = line.saturating_sub(distance);
        let around = &self.text[self.lines.start(first)..self.lines.start(line + 1)];
        let start = self.lines.start(first);
        words(around).any(|it| self.names.is_model(it.of(around)))
            || self.covered.iter().any(|it| it.end >= start && it.start <= word.start)
    }
}
