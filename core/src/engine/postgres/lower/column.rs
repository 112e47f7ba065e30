//! Types, columns and constraints.

use super::{columns, expression};
use crate::dialect::{Ident, Name};
use crate::operation::{Column, Constraint, ConstraintKind, ForeignKey, Generated, Identity, TypeName};
use crate::statement::{Cursor, TokenKind};

/// Reads a type, with its modifiers and array marks.
pub(super) fn type_name(cursor: &mut Cursor<'_>) -> Option<TypeName> {
    let first = cursor.index();
    cursor.eat("setof");
    let name = cursor.name()?;
    let mut words = name.name.clone();
    let serial = name.schema.is_none()
        && matches!(
            words.as_str(),
            "serial" | "bigserial" | "smallserial" | "serial2" | "serial4" | "serial8"
        );
    if name.schema.is_none() {
        match words.as_str() {
            "double" if cursor.eat("precision") => words.push_str(" precision"),
            "character" | "char" | "nchar" | "bit" if cursor.eat("varying") => words.push_str(" varying"),
            "interval" => interval_fields(cursor),
            _ => {}
        }
    }
    let modifiers = modifiers(cursor);
    if name.schema.is_none() && matches!(words.as_str(), "timestamp" | "time") {
        if cursor.eat_all("with time zone") {
            words.push_str(" with time zone");
        } else {
            cursor.eat_all("without time zone");
        }
    }
    let array = array_marks(cursor);
    let schema = name.schema.filter(|schema| schema != "pg_catalog");
    let canonical = crate::operation::canonical_type(&words).to_owned();
    let modifiers = default_modifiers(&canonical, modifiers);
    Some(TypeName { schema, name: canonical, modifiers, array, serial, span: cursor.span_from(first) })
}

/// `char` and `bit` without a length have the length 1.
fn default_modifiers(name: &str, modifiers: Vec<i64>) -> Vec<i64> {
    if modifiers.is_empty() && matches!(name, "bpchar" | "bit") { vec![1] } else { modifiers }
}

fn interval_fields(cursor: &mut Cursor<'_>) {
    const FIELDS: &[&str] = &["year", "month", "day", "hour", "minute", "second", "to"];
    while cursor.eat_any(FIELDS).is_some() {}
}

fn modifiers(cursor: &mut Cursor<'_>) -> Vec<i64> {
    let Some(group) = cursor.group() else { return Vec::new() };
    group.segments().iter().map(|segment| segment.span().of(segment.text()).parse().unwrap_or(0)).collect()
}

fn array_marks(cursor: &mut Cursor<'_>) -> bool {
    let mut array = cursor.eat("array");
    while cursor.eat("[") {
        array = true;
        cursor.eat_kind(TokenKind::Number);
        cursor.eat("]");
    }
    array
}

/// What may follow the type of a column.
enum Part {
    One(Box<Constraint>),
    NotNull,
    Default,
    Other,
}

/// Reads a column: name, type and everything behind.
pub(super) fn column(cursor: &mut Cursor<'_>) -> Option<Column> {
    let first = cursor.index();
    let name = cursor.ident()?;
    let ty = type_name(cursor)?;
    let mut column = Column { name, ty, ..Column::default() };
    while !cursor.at_end() {
        column_part(cursor, &mut column)?;
    }
    column.span = cursor.span_from(first);
    Some(column)
}

fn column_part(cursor: &mut Cursor<'_>, column: &mut Column) -> Option<()> {
    let first = cursor.index();
    let name = if cursor.eat("constraint") { Some(cursor.ident()?) } else { None };
    let part = column_constraint(cursor, column)?;
    match part {
        Part::One(mut constraint) => {
            constraint.name = name;
            attributes(cursor, &mut constraint);
            constraint.span = cursor.span_from(first);
            column.constraints.push(*constraint);
        }
        Part::NotNull => {
            column.not_null = true;
            cursor.eat_all("no inherit");
            cursor.eat_all("not valid");
        }
        Part::Default | Part::Other => {}
    }
    Some(())
}

fn column_constraint(cursor: &mut Cursor<'_>, column: &mut Column) -> Option<Part> {
    if cursor.eat_all("not null") {
        return Some(Part::NotNull);
    }
    if cursor.eat("null") {
        return Some(Part::Other);
    }
    if cursor.eat("default") {
        column.default = Some(expression(&default_tokens(cursor)));
        return Some(Part::Default);
    }
    if cursor.eat("collate") {
        column.collation = Some(cursor.name()?);
        return Some(Part::Other);
    }
    if cursor.eat("generated") {
        return generated(cursor, column);
    }
    if cursor.eat("check") {
        return Some(Part::One(Box::new(Constraint::of(ConstraintKind::Check(expression(
            &cursor.group()?,
        ))))));
    }
    if cursor.eat("unique") {
        let nulls_not_distinct = nulls_not_distinct(cursor);
        let parameters = index_parameters(cursor);
        let columns = vec![column.name.clone()];
        let kind = ConstraintKind::Unique { columns, using_index: None, nulls_not_distinct };
        return Some(Part::One(Box::new(parameters.on(Constraint::of(kind)))));
    }
    if cursor.eat_all("primary key") {
        let parameters = index_parameters(cursor);
        let columns = vec![column.name.clone()];
        let kind = ConstraintKind::PrimaryKey { columns, using_index: None };
        return Some(Part::One(Box::new(parameters.on(Constraint::of(kind)))));
    }
    if cursor.is("references") {
        let key = foreign_key(cursor, vec![column.name.clone()])?;
        return Some(Part::One(Box::new(Constraint::of(ConstraintKind::ForeignKey(key)))));
    }
    if cursor.eat("storage") {
        column.storage = cursor.ident().map(|it| it.name);
        return Some(Part::Other);
    }
    if cursor.eat("compression") {
        column.compression = cursor.ident().map(|it| it.name);
        return Some(Part::Other);
    }
    if cursor.eat("options") {
        cursor.group();
        return Some(Part::Other);
    }
    None
}

/// The tokens of a default: up to the next word that starts another part of the column.
fn default_tokens<'a>(cursor: &mut Cursor<'a>) -> Cursor<'a> {
    const STARTS: &[&str] = &[
        "constraint",
        "check",
        "unique",
        "primary",
        "references",
        "generated",
        "collate",
        "storage",
        "compression",
    ];
    let first = cursor.index();
    while !cursor.at_end() {
        let not_null = cursor.is("not") && cursor.is_at(1, "null");
        let null = cursor.is("null") && cursor.index() > first && !after_operator(cursor);
        if cursor.index() > first && (not_null || null || cursor.is_any(STARTS)) {
            break;
        }
        cursor.skip();
    }
    cursor.part(first, cursor.index())
}

fn after_operator(cursor: &Cursor<'_>) -> bool {
    let before = cursor.index().checked_sub(1).and_then(|at| cursor.tokens().get(at));
    before.is_some_and(|token| {
        token.kind == TokenKind::Operator
            || ["is", "not", "or", "and"]
                .iter()
                .any(|word| token.span.of(cursor.text()).eq_ignore_ascii_case(word))
    })
}

fn generated(cursor: &mut Cursor<'_>, column: &mut Column) -> Option<Part> {
    let always = cursor.eat("always");
    if !always {
        cursor.eat_all("by default");
    }
    cursor.eat("as").then_some(())?;
    if cursor.eat("identity") {
        column.identity = Some(if always { Identity::Always } else { Identity::ByDefault });
        let counts = cursor.group().map(|mut group| super::options::counts(&mut group));
        column.counts = counts.unwrap_or_default();
        return Some(Part::Other);
    }
    let expression = expression(&cursor.group()?);
    let stored = cursor.eat("stored");
    cursor.eat("virtual");
    column.generated = Some(Generated { expression, stored });
    Some(Part::Other)
}

/// Reads a constraint of a table, with its name, where a word of one comes next.
pub(super) fn table_constraint(cursor: &mut Cursor<'_>) -> Option<Constraint> {
    let first = cursor.index();
    let name = if cursor.eat("constraint") { Some(cursor.ident()?) } else { None };
    let mut constraint = nameless_constraint(cursor)?;
    constraint.name = name;
    attributes(cursor, &mut constraint);
    constraint.span = cursor.span_from(first);
    Some(constraint)
}

fn nameless_constraint(cursor: &mut Cursor<'_>) -> Option<Constraint> {
    if cursor.eat("check") {
        return Some(Constraint::of(ConstraintKind::Check(expression(&cursor.group()?))));
    }
    if cursor.eat_all("not null") {
        return Some(Constraint::of(ConstraintKind::NotNull(cursor.ident()?)));
    }
    if cursor.eat("unique") {
        let nulls_not_distinct = nulls_not_distinct(cursor);
        let Keys { columns, temporal, using_index, parameters } = keys(cursor)?;
        let kind = ConstraintKind::Unique { columns, using_index, nulls_not_distinct };
        return Some(parameters.on(Constraint { temporal, ..Constraint::of(kind) }));
    }
    if cursor.eat_all("primary key") {
        let Keys { columns, temporal, using_index, parameters } = keys(cursor)?;
        let kind = ConstraintKind::PrimaryKey { columns, using_index };
        return Some(parameters.on(Constraint { temporal, ..Constraint::of(kind) }));
    }
    if cursor.eat_all("foreign key") {
        let temporal = last_of(cursor).is_some_and(|mut it| it.eat("period") && it.ident().is_some());
        let columns = columns(cursor);
        let kind = ConstraintKind::ForeignKey(foreign_key(cursor, columns)?);
        return Some(Constraint { temporal, ..Constraint::of(kind) });
    }
    cursor.eat("exclude").then(|| exclusion(cursor))
}

fn exclusion(cursor: &mut Cursor<'_>) -> Constraint {
    let first = cursor.index();
    if cursor.eat("using") {
        cursor.ident();
    }
    let columns = columns(cursor);
    let parameters = index_parameters(cursor);
    if cursor.eat("where") {
        cursor.group();
    }
    let exclusion = Some(expression(&cursor.part(first, cursor.index())));
    Constraint { exclusion, ..parameters.on(Constraint::of(ConstraintKind::Exclude { columns })) }
}

struct Keys {
    columns: Vec<Ident>,
    temporal: bool,
    using_index: Option<Ident>,
    parameters: IndexParameters,
}

fn keys(cursor: &mut Cursor<'_>) -> Option<Keys> {
    if cursor.eat_all("using index") {
        let using_index = Some(cursor.ident()?);
        return Some(Keys {
            columns: Vec::new(),
            temporal: false,
            using_index,
            parameters: IndexParameters::default(),
        });
    }
    let temporal =
        last_of(cursor).is_some_and(|mut it| it.ident().is_some() && it.eat_all("without overlaps"));
    let columns = columns(cursor);
    let parameters = index_parameters(cursor);
    (!columns.is_empty()).then_some(Keys { columns, temporal, using_index: None, parameters })
}

/// The last part of the list in parentheses that comes next.
fn last_of<'a>(cursor: &Cursor<'a>) -> Option<Cursor<'a>> {
    cursor.clone().group()?.segments().pop()
}

fn nulls_not_distinct(cursor: &mut Cursor<'_>) -> bool {
    let not = cursor.eat_all("nulls not distinct");
    cursor.eat_all("nulls distinct");
    not
}

/// What is said of the index of a key.
#[derive(Default)]
struct IndexParameters {
    include: Vec<Ident>,
    options: Vec<(String, Option<String>)>,
}

impl IndexParameters {
    fn on(self, constraint: Constraint) -> Constraint {
        Constraint { include: self.include, options: self.options, ..constraint }
    }
}

fn index_parameters(cursor: &mut Cursor<'_>) -> IndexParameters {
    let mut parameters = IndexParameters::default();
    if cursor.eat("include") {
        parameters.include = columns(cursor);
    }
    if cursor.eat("with")
        && let Some(group) = cursor.group()
    {
        parameters.options = super::options::storage_options(&group);
    }
    if cursor.eat_all("using index tablespace") {
        cursor.ident();
    }
    parameters
}

/// Reads from `REFERENCES` on.
fn foreign_key(cursor: &mut Cursor<'_>, columns: Vec<Ident>) -> Option<ForeignKey> {
    cursor.eat("references").then_some(())?;
    let references: Name = cursor.name()?;
    let referenced = super::columns(cursor);
    let first = cursor.index();
    loop {
        if cursor.eat("match") {
            cursor.next_token();
        } else if cursor.eat("on") {
            cursor.eat_any(&["delete", "update"])?;
            let two_words = cursor.eat_any(&["no", "set"]).is_some();
            cursor.next_token();
            if two_words {
                cursor.group();
            }
        } else {
            break;
        }
    }
    let actions = cursor.part(first, cursor.index());
    let actions = actions.span().of(cursor.text()).to_owned();
    Some(ForeignKey { columns, references, referenced, actions })
}

fn attributes(cursor: &mut Cursor<'_>, constraint: &mut Constraint) {
    loop {
        if cursor.eat_all("not valid") {
            constraint.not_valid = true;
        } else if cursor.eat_all("not enforced") {
            constraint.not_enforced = true;
        } else if cursor.eat_all("no inherit") {
            constraint.no_inherit = true;
        } else if cursor.eat("deferrable") {
            constraint.deferrable = true;
        } else if cursor.eat_all("initially deferred") {
            // It implies the other.
            (constraint.deferrable, constraint.initially_deferred) = (true, true);
        } else if !(cursor.eat_all("not deferrable")
            || cursor.eat_all("initially immediate")
            || cursor.eat("enforced"))
        {
            return;
        }
    }
}
