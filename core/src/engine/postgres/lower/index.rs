//! CREATE INDEX and REINDEX.

use super::expression;
use crate::operation::{CreateIndex, IndexKey, Kind, Reindex, ReindexScope};
use crate::statement::{Cursor, TokenKind};

/// Reads an index from behind CREATE on.
pub(super) fn create(mut cursor: Cursor<'_>) -> Option<Kind> {
    let mut index = CreateIndex { unique: cursor.eat("unique"), ..CreateIndex::default() };
    index.keyword = cursor.here();
    cursor.eat("index").then_some(())?;
    index.concurrently = cursor.eat("concurrently");
    index.if_not_exists = cursor.eat_all("if not exists");
    if !cursor.is("on") {
        index.name = Some(cursor.name()?);
    }
    cursor.eat("on").then_some(())?;
    index.only = cursor.eat("only");
    index.table = cursor.name()?;
    cursor.eat("*");
    index.definition = expression(&cursor.rest());
    if cursor.eat("using") {
        index.method = Some(cursor.ident()?.name);
    }
    index.keys = cursor.group()?.segments().iter().map(key).collect();
    tail(&mut cursor, &mut index);
    Some(Kind::CreateIndex(Box::new(index)))
}

fn key(segment: &Cursor<'_>) -> IndexKey {
    let mut reader = *segment;
    let column = reader.ident().filter(|_| {
        let call = reader.peek_kind() == Some(TokenKind::Open);
        // A dot stands behind the schema of a function: columns have none here.
        let operator = reader.peek_kind() == Some(TokenKind::Operator);
        !call && !operator
    });
    IndexKey { column, text: expression(segment) }
}

fn tail(cursor: &mut Cursor<'_>, index: &mut CreateIndex) {
    while !cursor.at_end() {
        if cursor.eat("include") {
            index.include = super::columns(cursor);
        } else if cursor.eat_all("nulls not distinct") {
            index.nulls_not_distinct = true;
        } else if cursor.eat("with") {
            index.options =
                cursor.group().map(|group| super::options::storage_options(&group)).unwrap_or_default();
        } else if cursor.eat("tablespace") {
            index.tablespace = cursor.ident().map(|it| it.name);
        } else if cursor.eat("where") {
            index.predicate = Some(expression(&cursor.rest()));
            return;
        } else {
            cursor.skip();
        }
    }
}

/// Reads everything behind the word REINDEX.
pub(super) fn reindex(mut cursor: Cursor<'_>) -> Option<Kind> {
    let (mut concurrently, mut newer_form) = (false, false);
    if let Some(options) = cursor.group() {
        newer_form = options.segments().iter().any(|option| option.is_any(&["tablespace", "concurrently"]));
        concurrently = options
            .segments()
            .iter()
            .any(|option| option.is("concurrently") && !option.is_at(1, "false") && !option.is_at(1, "off"));
    }
    let keyword = cursor.here();
    let scope = match cursor.eat_any(&["index", "table", "schema", "database", "system"])? {
        "index" => ReindexScope::Index,
        "table" => ReindexScope::Table,
        "schema" => ReindexScope::Schema,
        "database" => ReindexScope::Database,
        _ => ReindexScope::System,
    };
    concurrently |= cursor.eat("concurrently");
    let name = cursor.name();
    Some(Kind::Reindex(Reindex { scope, name, concurrently, newer_form, keyword }))
}
