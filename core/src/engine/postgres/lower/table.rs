//! CREATE TABLE.

use super::{column, create::ends_with, expression, query};
use crate::operation::{CreateTable, Kind, Like, PartitionBound, PartitionBy};
use crate::statement::{Cursor, TokenKind};

/// Reads a table from behind CREATE on; `None` where it is something else.
pub(super) fn create(mut cursor: Cursor<'_>) -> Option<Kind> {
    let mut table = CreateTable { with_data: true, ..CreateTable::default() };
    cursor.eat_any(&["local", "global"]);
    table.temporary = cursor.eat_any(&["temp", "temporary"]).is_some();
    table.unlogged = cursor.eat("unlogged");
    let foreign = cursor.eat("foreign");
    cursor.eat("table").then_some(())?;
    if foreign && cursor.is("data") {
        return None;
    }
    table.if_not_exists = cursor.eat_all("if not exists");
    table.name = cursor.name()?;
    if cursor.eat_all("partition of") {
        partition(&mut cursor, &mut table)?;
    } else if cursor.eat("of") {
        table.of_type = Some(cursor.name()?);
        if let Some(group) = cursor.group() {
            elements(group, &mut table, TypedElements::Yes);
        }
    } else if let Some(group) = cursor.group() {
        table.body = group.span();
        // A list of bare names belongs to `AS query`.
        elements(group, &mut table, TypedElements::No);
    }
    tail(&mut cursor, &mut table);
    Some(Kind::CreateTable(Box::new(table)))
}

#[derive(Clone, Copy, PartialEq)]
enum TypedElements {
    Yes,
    No,
}

fn elements(group: Cursor<'_>, table: &mut CreateTable, typed: TypedElements) {
    for mut element in group.segments() {
        if element.eat("like") {
            if let Some(like) = like(&mut element) {
                table.like.push(like);
            }
            continue;
        }
        let mut reader = element;
        if let Some(constraint) = column::table_constraint(&mut reader)
            && reader.at_end()
        {
            table.constraints.push(constraint);
        } else if typed == TypedElements::No {
            table.columns.extend(readable_column(&mut element));
        }
    }
}

/// A column as far as it can be read: an odd word behind the type loses no column.
fn readable_column(element: &mut Cursor<'_>) -> Option<crate::operation::Column> {
    let mut whole = *element;
    if let Some(column) = column::column(&mut whole) {
        return Some(column);
    }
    let name = element.ident()?;
    let ty = column::type_name(element)?;
    Some(crate::operation::Column { name, ty, span: element.span(), ..crate::operation::Column::default() })
}

fn like(element: &mut Cursor<'_>) -> Option<Like> {
    let table = element.name()?;
    let mut including = Vec::new();
    while let Some(token) = element.next_token() {
        let word = token.span.of(element.text()).to_ascii_lowercase();
        if word == "including" {
            including.push(element.peek_text().to_ascii_lowercase());
        } else if word == "excluding" {
            including.retain(|it| *it != element.peek_text().to_ascii_lowercase());
        }
    }
    Some(Like { table, including })
}

fn partition(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Option<()> {
    let parent = cursor.name()?;
    if let Some(group) = cursor.group() {
        elements(group, table, TypedElements::Yes);
    }
    let bound = bound(cursor)?;
    table.partition_of = Some((parent, bound));
    Some(())
}

/// Reads `DEFAULT` or `FOR VALUES …`.
pub(super) fn bound(cursor: &mut Cursor<'_>) -> Option<PartitionBound> {
    if cursor.eat("default") {
        return Some(PartitionBound::Default);
    }
    cursor.eat_all("for values").then_some(())?;
    let first = cursor.index();
    while !cursor.at_end() && !cursor.is_any(&["partition", "using", "with", "tablespace"]) {
        // `WITH (MODULUS …)` belongs to the bound of a hash partition, and stands at its start.
        cursor.skip();
    }
    if cursor.index() == first && cursor.eat("with") {
        cursor.group();
    }
    Some(PartitionBound::Values(expression(&cursor.part(first, cursor.index())).text))
}

fn tail(cursor: &mut Cursor<'_>, table: &mut CreateTable) {
    while !cursor.at_end() {
        if cursor.eat("inherits") {
            if let Some(mut group) = cursor.group() {
                table.inherits = group.names();
            }
        } else if cursor.eat_all("partition by") {
            table.partition_by = partition_by(cursor);
        } else if cursor.eat("with") {
            table.options =
                cursor.group().map(|group| super::options::storage_options(&group)).unwrap_or_default();
        } else if cursor.eat("using") {
            table.method = cursor.ident().map(|it| it.name);
        } else if cursor.eat("tablespace") {
            table.tablespace = cursor.ident().map(|it| it.name);
        } else if cursor.eat("as") {
            let rest = cursor.rest();
            table.with_data = !ends_with(&rest, &["with", "no", "data"]);
            let without = if table.with_data { 0 } else { 3 };
            table.query = Some(query(&rest.part(0, rest.tokens().len() - without)));
            return;
        } else {
            cursor.skip();
        }
    }
}

fn partition_by(cursor: &mut Cursor<'_>) -> Option<PartitionBy> {
    let method = cursor.ident()?.name;
    let group = cursor.group()?;
    let columns = group.segments().into_iter().filter_map(|mut segment| {
        let name = segment.ident()?;
        (segment.peek_kind() != Some(TokenKind::Open)).then_some(name.name)
    });
    Some(PartitionBy { method, columns: columns.collect() })
}
