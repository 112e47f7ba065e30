//! Types, domains, sequences and statistics.

use super::{column, expression};
use crate::dialect::{Ident, Name};
use crate::operation::{
    AlterDomain, AlterSequence, AlterType, AttributeChange, CreateDomain, CreateSequence, CreateStatistics,
    CreateType, DomainAction, Kind, Place, TypeAction, TypeName, TypeShape,
};
use crate::statement::{Cursor, TokenKind};

pub(super) fn create_type(mut cursor: Cursor<'_>) -> Option<Kind> {
    cursor.next_token();
    let name = cursor.name()?;
    let definition = expression(&cursor.rest());
    let shape = if cursor.eat_all("as enum") {
        let labels =
            cursor.group()?.segments().into_iter().filter_map(|mut segment| segment.text_of_string());
        TypeShape::Enum(labels.collect())
    } else if cursor.is("as") && !cursor.is_at(1, "range") {
        cursor.next_token();
        let attributes = cursor.group()?.segments().into_iter().filter_map(|mut segment| {
            let name = segment.ident()?;
            Some((name.name, column::type_name(&mut segment)?))
        });
        TypeShape::Composite(attributes.collect())
    } else {
        TypeShape::Else
    };
    Some(Kind::CreateType(CreateType { name, shape, definition }))
}

/// Reads everything behind `ALTER TYPE name`, but renames and owners.
pub(super) fn alter_type(name: Name, cursor: &mut Cursor<'_>) -> Option<Kind> {
    let action = if cursor.eat_all("add value") {
        let if_not_exists = cursor.eat_all("if not exists");
        let value = cursor.text_of_string()?;
        let place = match (cursor.eat("before"), cursor.eat("after")) {
            (true, _) => Some(Place::Before(cursor.text_of_string()?)),
            (_, true) => Some(Place::After(cursor.text_of_string()?)),
            _ => None,
        };
        TypeAction::AddValue { value, if_not_exists, place }
    } else if cursor.eat_all("rename value") {
        let from = cursor.text_of_string()?;
        cursor.eat("to").then_some(())?;
        TypeAction::RenameValue { from, to: cursor.text_of_string()? }
    } else if cursor.has(&["attribute"]) {
        let changes = cursor.rest().segments().into_iter().filter_map(attribute_change).collect();
        let (retyped, cascade) = (retyped_attribute(*cursor), cursor.has(&["cascade"]));
        TypeAction::Attribute { retyped, cascade, changes }
    } else {
        return None;
    };
    Some(Kind::AlterType(AlterType { name, action }))
}

pub(super) fn create_domain(mut cursor: Cursor<'_>) -> Option<Kind> {
    cursor.next_token();
    let name = cursor.name()?;
    cursor.eat("as");
    let base = column::type_name(&mut cursor)?;
    let mut domain =
        CreateDomain { name, base, default: None, collation: None, not_null: false, checks: Vec::new() };
    while !cursor.at_end() {
        domain_part(&mut cursor, &mut domain)?;
    }
    Some(Kind::CreateDomain(Box::new(domain)))
}

fn domain_part(cursor: &mut Cursor<'_>, domain: &mut CreateDomain) -> Option<()> {
    let mut named = *cursor;
    if named.eat("constraint") {
        named.ident()?;
    }
    if named.eat_all("not null") {
        domain.not_null = true;
        *cursor = named;
    } else if named.eat("null") {
        *cursor = named;
    } else if cursor.eat("default") {
        let first = cursor.index();
        cursor.skip();
        while !cursor.at_end() && !cursor.is_any(&["constraint", "check", "not", "null", "collate"]) {
            cursor.skip();
        }
        domain.default = Some(expression(&cursor.part(first, cursor.index())));
    } else if cursor.eat("collate") {
        domain.collation = Some(cursor.name()?);
    } else {
        domain.checks.push(column::table_constraint(cursor)?);
    }
    Some(())
}

fn attribute_change(mut cursor: Cursor<'_>) -> Option<AttributeChange> {
    let word = cursor.eat_any(&["add", "drop", "alter", "rename"])?;
    cursor.eat("attribute").then_some(())?;
    cursor.eat_all("if exists");
    let name = cursor.ident()?.name;
    Some(match word {
        "add" => AttributeChange::Add { name, ty: column::type_name(&mut cursor)? },
        "drop" => AttributeChange::Drop { name },
        "rename" => {
            cursor.eat("to").then_some(())?;
            AttributeChange::Rename { name, to: cursor.ident()?.name }
        }
        _ => {
            cursor.eat_all("set data");
            cursor.eat("type").then_some(())?;
            AttributeChange::Retype { name, ty: column::type_name(&mut cursor)? }
        }
    })
}

/// Reads `ALTER ATTRIBUTE name [SET DATA] TYPE type`.
fn retyped_attribute(mut cursor: Cursor<'_>) -> Option<(String, crate::operation::TypeName)> {
    cursor.eat_all("alter attribute").then_some(())?;
    let attribute = cursor.ident()?;
    cursor.eat_all("set data");
    cursor.eat("type").then_some(())?;
    Some((attribute.name, column::type_name(&mut cursor)?))
}

/// Reads everything behind `ALTER DOMAIN name`.
pub(super) fn alter_domain(name: Name, cursor: &mut Cursor<'_>) -> Option<Kind> {
    let action = if cursor.eat_all("set default") {
        DomainAction::SetDefault(expression(&cursor.rest()))
    } else if cursor.eat_all("drop default") {
        DomainAction::DropDefault
    } else if cursor.eat_all("set not null") {
        DomainAction::SetNotNull
    } else if cursor.eat_all("drop not null") {
        DomainAction::DropNotNull
    } else if cursor.eat("add") {
        DomainAction::AddConstraint(Box::new(domain_constraint(cursor)?))
    } else if cursor.eat_all("drop constraint") {
        cursor.eat_all("if exists");
        DomainAction::DropConstraint(cursor.ident()?)
    } else if cursor.eat_all("validate constraint") {
        DomainAction::ValidateConstraint(cursor.ident()?)
    } else if cursor.eat_all("rename constraint") {
        let name = cursor.ident()?;
        cursor.eat("to").then_some(())?;
        DomainAction::RenameConstraint { name, to: cursor.ident()? }
    } else if cursor.eat_all("rename to") {
        DomainAction::RenameTo(cursor.ident()?)
    } else if cursor.eat_all("set schema") {
        DomainAction::SetSchema(cursor.ident()?)
    } else if cursor.eat_all("owner to") {
        DomainAction::Owner(cursor.ident()?.name)
    } else {
        return None;
    };
    Some(Kind::AlterDomain(Box::new(AlterDomain { name, action })))
}

/// A constraint of a domain; its NOT NULL has no column.
fn domain_constraint(cursor: &mut Cursor<'_>) -> Option<crate::operation::Constraint> {
    let mut reader = *cursor;
    if let Some(constraint) = column::table_constraint(&mut reader) {
        *cursor = reader;
        return Some(constraint);
    }
    let span = cursor.span();
    let name = if cursor.eat("constraint") { cursor.ident() } else { None };
    cursor.eat_all("not null").then_some(())?;
    let kind = crate::operation::ConstraintKind::NotNull(Ident::default());
    let not_valid = cursor.eat_all("not valid");
    Some(crate::operation::Constraint { name, not_valid, span, ..crate::operation::Constraint::of(kind) })
}

#[derive(Default)]
struct SequenceOptions {
    ty: Option<TypeName>,
    owned_by: Option<(Name, Ident)>,
    disowned: bool,
    restarts: bool,
    others: bool,
    counts: Vec<(String, String)>,
}

fn sequence_options(cursor: &mut Cursor<'_>) -> SequenceOptions {
    let mut options =
        SequenceOptions { counts: super::options::counts(&mut cursor.rest()), ..Default::default() };
    while !cursor.at_end() {
        if cursor.eat("as") {
            options.ty = column::type_name(cursor);
        } else if cursor.eat_all("owned by") {
            options.disowned = cursor.is("none") && !cursor.is_at(1, ".");
            options.owned_by = owner(cursor);
        } else if cursor.eat("restart") {
            options.restarts = true;
        } else {
            options.others |= cursor.peek_kind() == Some(TokenKind::Word);
            cursor.next_token();
        }
    }
    options
}

/// Reads `table.column`, where the table may have a schema.
fn owner(cursor: &mut Cursor<'_>) -> Option<(Name, Ident)> {
    let mut parts = vec![cursor.ident()?];
    while cursor.eat(".") {
        parts.push(cursor.ident()?);
    }
    let column = parts.pop()?;
    let table = parts.pop()?;
    let schema = parts.pop().map(|part| part.name);
    Some((Name { schema, name: table.name, span: table.span }, column))
}

/// Reads from SEQUENCE on.
pub(super) fn create_sequence(mut cursor: Cursor<'_>, temporary: bool) -> Option<Kind> {
    cursor.next_token();
    let if_not_exists = cursor.eat_all("if not exists");
    let name = cursor.name()?;
    let options = sequence_options(&mut cursor);
    let SequenceOptions { ty, owned_by, counts: options, .. } = options;
    Some(Kind::CreateSequence(CreateSequence { name, if_not_exists, ty, owned_by, temporary, options }))
}

/// Reads everything behind `ALTER SEQUENCE name`, but what any relation can do.
pub(super) fn alter_sequence(name: Name, cursor: &mut Cursor<'_>) -> Option<Kind> {
    let options = sequence_options(cursor);
    let rewrites = options.restarts || options.others || options.ty.is_some();
    let SequenceOptions { ty, owned_by, disowned, restarts, counts: options, .. } = options;
    Some(Kind::AlterSequence(AlterSequence { name, ty, owned_by, restarts, rewrites, disowned, options }))
}

pub(super) fn create_statistics(mut cursor: Cursor<'_>) -> Option<Kind> {
    cursor.next_token();
    cursor.eat_all("if not exists");
    // From 16 on the server can choose the name.
    let name = if cursor.is("on") { None } else { cursor.name() };
    let whole = cursor.index();
    cursor.group();
    cursor.seek(&["on"]).then_some(())?;
    cursor.next_token();
    let first = cursor.index();
    cursor.seek(&["from"]).then_some(())?;
    let definition = expression(&cursor.part(whole, cursor.index()));
    let columns = cursor.part(first, cursor.index()).segments();
    let columns = columns.into_iter().filter_map(|mut segment| segment.ident()).map(|it| it.name).collect();
    cursor.next_token();
    Some(Kind::CreateStatistics(CreateStatistics { name, table: cursor.name(), columns, definition }))
}
