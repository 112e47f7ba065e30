//! Changes of rows, and queries.

use super::{columns, expression, query};
use crate::dialect::{Ident, Name};
use crate::operation::sources;
use crate::operation::{Copy, CreateTable, Delete, Insert, Kind, Merge, Operation, Query, QueryText, Update};
use crate::statement::{Cursor, TokenKind};

/// Reads a change of rows or a query. Without `whole` its tail is left unread.
pub(super) fn change(cursor: Cursor<'_>, whole: bool) -> Option<Kind> {
    let mut verb = cursor;
    let mut others = Vec::new();
    let bare = !verb.is("with");
    if !bare {
        verb.has(&["as"]).then_some(())?;
        others = with(&mut verb);
    }
    match verb.next_token()?.span.of(verb.text()).to_ascii_lowercase().as_str() {
        "insert" => insert(verb, others, whole),
        "update" => update(verb, others, bare),
        "delete" => delete(verb, others, bare),
        "merge" => merge(verb, others),
        "copy" => copy(verb),
        _ => Some(query_of(cursor)),
    }
}

/// The parts of a WITH that change rows: each is an operation of its own, whatever the statement around it is.
pub(super) fn changing_parts(mut cursor: Cursor<'_>) -> Vec<Operation> {
    cursor.next_token();
    cursor.eat("recursive");
    let mut found = Vec::new();
    while cursor.ident().is_some() {
        cursor.group();
        cursor.eat("as");
        cursor.eat("not");
        cursor.eat("materialized");
        let Some(part) = cursor.group() else { break };
        if part.is_any(&["insert", "update", "delete", "merge"]) {
            found.extend(change(part, true).map(|kind| Operation { kind, span: part.span() }));
        }
        if cursor.eat_kind(TokenKind::Comma).is_none() {
            break;
        }
    }
    found
}

/// Reads `WITH name AS (…), …` and gives the relations that its parts name.
fn with(cursor: &mut Cursor<'_>) -> Vec<Name> {
    cursor.next_token();
    cursor.eat("recursive");
    let (mut found, mut own) = (Vec::new(), Vec::new());
    while let Some(name) = cursor.ident() {
        own.push(name.name);
        cursor.group();
        cursor.eat("as");
        cursor.eat("not");
        cursor.eat("materialized");
        if let Some(part) = cursor.group() {
            found.extend(relations(&part));
        }
        if cursor.eat_kind(TokenKind::Comma).is_none() {
            break;
        }
    }
    found.retain(|name: &Name| name.schema.is_some() || !own.contains(&name.name));
    found
}

fn relations(cursor: &Cursor<'_>) -> Vec<Name> {
    sources::of_query(*cursor)
}

/// A query that takes all tokens.
pub(super) fn query_of(cursor: Cursor<'_>) -> Kind {
    let mut ahead = cursor;
    let mut locks_rows = false;
    while ahead.seek(&["for"]) {
        ahead.next_token();
        locks_rows |= ahead.is_any(&["update", "share", "no", "key"]);
    }
    Kind::Query(Query { query: query(&cursor), locks_rows })
}

/// `SELECT … INTO new_table FROM …`, which makes a table of what it shows.
pub(super) fn select_into(cursor: Cursor<'_>) -> Option<Kind> {
    let mut reader = cursor;
    // One within brackets is not of this query.
    reader.seek(&["into"]).then_some(())?;
    let shown = cursor.part(0, reader.index() - cursor.index());
    reader.next_token();
    let mut table = CreateTable { with_data: true, ..CreateTable::default() };
    loop {
        match reader.eat_any(&["temporary", "temp", "unlogged", "local", "global", "table"]) {
            Some("temporary" | "temp") => table.temporary = true,
            Some("unlogged") => table.unlogged = true,
            Some(_) => {}
            None => break,
        }
    }
    table.name = reader.name()?;
    let (shown, rest) = (query(&shown), reader.rest());
    let text = match rest.at_end() {
        true => shown.text,
        false => format!("{} {}", shown.text, query(&rest).text),
    };
    table.query = Some(QueryText { text, span: cursor.span() });
    Some(Kind::CreateTable(Box::new(table)))
}

/// Reads what EXPLAIN is about: only with ANALYZE is it done.
pub(super) fn explained(mut cursor: Cursor<'_>) -> Option<Kind> {
    let mut analyze = false;
    if let Some(group) = cursor.group() {
        analyze = group.segments().iter().any(|option| option.is("analyze") || option.is("analyse"));
    }
    while let Some(word) = cursor.eat_any(&["analyze", "analyse", "verbose"]) {
        analyze |= word != "verbose";
    }
    if analyze { change(cursor.rest(), true) } else { Some(Kind::Other("EXPLAIN".to_owned())) }
}

fn insert(mut cursor: Cursor<'_>, others: Vec<Name>, whole: bool) -> Option<Kind> {
    cursor.eat("into").then_some(())?;
    let table = cursor.name()?;
    if cursor.eat("as") {
        cursor.ident();
    }
    let mut columns_ahead = cursor;
    let mut columns = columns(&mut columns_ahead);
    if columns.iter().any(|column| column.name == "select" || column.name == "with") {
        columns.clear();
    } else {
        cursor = columns_ahead;
    }
    let mut overriding = false;
    if cursor.eat("overriding") {
        overriding = cursor.is("system");
        cursor.next_token();
        cursor.eat("value");
    }
    let mut insert =
        Insert { table, columns, overriding, defaults: false, query: None, others, on_conflict: None };
    if !whole || cursor.eat_all("default values") {
        insert.defaults = true;
        return Some(Kind::Insert(Box::new(insert)));
    }
    let rows = cursor.is("values");
    insert.defaults = rows
        && crate::operation::Expression::new(cursor.span().of(cursor.text()))
            .has_word(cursor.dialect(), &["default"]);
    let mut tail = cursor;
    if tail.has(&["conflict"]) && tail.seek(&["conflict"]) {
        tail.next_token();
        insert.on_conflict = Some(expression(&tail.rest()));
    }
    if !rows {
        insert.query = Some(insert_query(cursor));
    }
    Some(Kind::Insert(Box::new(insert)))
}

/// The query that rows come from, without `ON CONFLICT` and `RETURNING`.
fn insert_query(cursor: Cursor<'_>) -> QueryText {
    let mut end = cursor;
    let is_tail = |at: &Cursor<'_>| at.is("returning") || at.is("on") && at.is_at(1, "conflict");
    while !end.at_end() && !is_tail(&end) {
        end.skip();
    }
    query(&cursor.part(cursor.index(), end.index()))
}

fn update(mut cursor: Cursor<'_>, mut others: Vec<Name>, bare: bool) -> Option<Kind> {
    let bare = !cursor.eat("only") && bare;
    let table = cursor.name()?;
    let alias = alias(&mut cursor, &["set"]);
    cursor.seek(&["set"]).then_some(())?;
    cursor.next_token();
    let mut tail = cursor;
    let set = values(&mut tail);
    let columns = match &set {
        Some(set) => set.iter().map(|(column, _)| column.clone()).collect(),
        None => assigned(cursor),
    };
    let condition = condition(cursor);
    let mut from = cursor;
    let from = seek_from(&mut from).then(|| {
        from.next_token();
        let list = from_part(from);
        others.extend(sources::of_list(list));
        expression(&list)
    });
    others.extend(sources::of_expression(cursor));
    let plain = bare && !cursor.has(&["returning"]);
    Some(Kind::Update(Box::new(Update { table, alias, set, columns, from, condition, others, plain })))
}

/// Goes to the FROM of a statement, which no `IS DISTINCT FROM` is.
fn seek_from(cursor: &mut Cursor<'_>) -> bool {
    let mut distinct = false;
    while !cursor.at_end() {
        if cursor.is("from") && !distinct {
            return true;
        }
        distinct = cursor.is("distinct");
        cursor.skip();
    }
    false
}

/// Each column with its value, up to `FROM` or `WHERE`.
fn values(cursor: &mut Cursor<'_>) -> Option<Vec<(Ident, crate::operation::Expression)>> {
    let mut found = Vec::new();
    loop {
        if cursor.peek_kind() == Some(TokenKind::Open) {
            found.extend(row_of_values(cursor)?);
        } else {
            let column = cursor.ident()?;
            cursor.eat("=").then_some(())?;
            found.push((column, value(cursor)));
        }
        if cursor.eat_kind(TokenKind::Comma).is_none() {
            return Some(found);
        }
    }
}

/// `(a, b) = (1, 2)`
fn row_of_values(cursor: &mut Cursor<'_>) -> Option<Vec<(Ident, crate::operation::Expression)>> {
    let columns = columns(cursor);
    cursor.eat("=").then_some(())?;
    cursor.eat("row");
    let group = cursor.group()?;
    let values = group.segments();
    let several = group.is_any(&["select", "with", "values"]) || values.len() != columns.len();
    (!several).then(|| columns.into_iter().zip(values.iter().map(expression)).collect())
}

/// What stands up to the next comma, `FROM` or `WHERE`.
fn value(cursor: &mut Cursor<'_>) -> crate::operation::Expression {
    let first = cursor.index();
    let mut distinct = false;
    while !cursor.at_end() && cursor.peek_kind() != Some(TokenKind::Comma) {
        if cursor.is_any(&["where", "returning"]) || cursor.is("from") && !distinct {
            break;
        }
        distinct = cursor.is("distinct");
        cursor.skip();
    }
    expression(&cursor.part(first, cursor.index()))
}

/// The columns on the left of `=` in `SET a = 1, (b, c) = (…)`.
fn assigned(mut cursor: Cursor<'_>) -> Vec<Ident> {
    let mut assigned = Vec::new();
    loop {
        match cursor.peek_kind() {
            Some(TokenKind::Open) => assigned.extend(columns(&mut cursor)),
            _ => assigned.extend(cursor.ident()),
        }
        while !cursor.at_end() && cursor.peek_kind() != Some(TokenKind::Comma) {
            if cursor.is_any(&["from", "where", "returning"]) {
                return assigned;
            }
            cursor.skip();
        }
        if cursor.eat_kind(TokenKind::Comma).is_none() {
            return assigned;
        }
    }
}

fn condition(mut cursor: Cursor<'_>) -> Option<crate::operation::Expression> {
    cursor.seek(&["where"]).then_some(())?;
    cursor.next_token();
    let first = cursor.index();
    if !cursor.seek(&["returning"]) {
        return Some(expression(&cursor.rest()));
    }
    Some(expression(&cursor.part(first, cursor.index())))
}

/// A FROM list, up to what ends it.
fn from_part(cursor: Cursor<'_>) -> Cursor<'_> {
    let mut end = cursor;
    if !end.seek(&["where", "returning"]) {
        while end.next_token().is_some() {}
    }
    cursor.part(cursor.index(), end.index())
}

fn delete(mut cursor: Cursor<'_>, mut others: Vec<Name>, bare: bool) -> Option<Kind> {
    cursor.eat("from").then_some(())?;
    let bare = !cursor.eat("only") && bare;
    let table = cursor.name()?;
    let alias = alias(&mut cursor, &["where", "using", "returning"]);
    let plain = bare && (cursor.at_end() || cursor.is("where") && !cursor.has(&["returning"]));
    let mut using = cursor;
    let using = using.eat("using").then(|| {
        let list = from_part(using);
        others.extend(sources::of_list(list));
        expression(&list)
    });
    others.extend(sources::of_expression(cursor));
    let condition = condition(cursor);
    Some(Kind::Delete(Box::new(Delete { table, alias, condition, using, others, plain })))
}

/// What the statement calls its table, where one of these words may follow instead.
fn alias(cursor: &mut Cursor<'_>, next: &[&str]) -> Option<Ident> {
    cursor.eat("*");
    let named = cursor.eat("as");
    if named || !cursor.is_any(next) { cursor.ident() } else { None }
}

fn merge(mut cursor: Cursor<'_>, mut others: Vec<Name>) -> Option<Kind> {
    cursor.eat("into");
    cursor.eat("only");
    let table = cursor.name()?;
    let text = expression(&cursor.rest());
    let alias = alias(&mut cursor, &["using"]);
    cursor.seek(&["using"]).then_some(())?;
    cursor.next_token();
    others.extend(match cursor.peek_kind() {
        Some(TokenKind::Open) => cursor.group().map(|group| relations(&group)).unwrap_or_default(),
        _ => cursor.name().into_iter().collect(),
    });
    Some(Kind::Merge(Box::new(Merge { table, alias, others, text })))
}

fn copy(mut cursor: Cursor<'_>) -> Option<Kind> {
    if let Some(group) = cursor.group() {
        return Some(Kind::Copy(Copy { table: None, into_table: false, others: relations(&group) }));
    }
    let table = Some(cursor.name()?);
    cursor.group();
    let into_table = cursor.eat("from");
    Some(Kind::Copy(Copy { table, into_table, others: Vec::new() }))
}
