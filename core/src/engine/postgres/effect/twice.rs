//! A column that a statement names twice (42601 and 42701, measured on 11, 15, 18 and 19, `tests/src/refused.rs`).

use std::collections::BTreeSet;

use super::draft::Draft;
use crate::dialect::{Dialect, Ident};
use crate::operation::{Constraint, ConstraintKind, CreateTable, CreateView, QueryText};
use crate::statement::{Cursor, Script, TokenKind};

pub(super) fn first<'n>(mut names: impl Iterator<Item = &'n String>) -> Option<&'n String> {
    let mut seen = BTreeSet::new();
    names.find(|it| !seen.insert(*it))
}

/// The columns behind each `SET` and `INSERT (…)` of `ON CONFLICT` and `MERGE`.
pub(super) fn in_actions(draft: &mut Draft<'_>, text: &str) {
    if let Some(column) = assigned(text, draft.catalog.dialect()) {
        draft.fail(format!("column {column} gets two values"));
    }
}

fn assigned(text: &str, dialect: Dialect) -> Option<String> {
    let script = Script::read(text, dialect);
    let mut cursor = Cursor::new(text, dialect, &script.tokens);
    while !cursor.at_end() {
        let twice = if cursor.eat("set") {
            in_set(&mut cursor)
        } else if cursor.eat("insert") {
            cursor.group().and_then(|it| twice_of(idents(&it)))
        } else {
            cursor.skip();
            None
        };
        if twice.is_some() {
            return twice;
        }
    }
    None
}

/// `a = 1, (b, c) = (2, 3)`, up to the next clause. Parts of an array or a row may be set one by one.
fn in_set(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut names = Vec::new();
    loop {
        match cursor.group() {
            Some(group) => names.extend(idents(&group)),
            None => {
                let name = cursor.ident()?;
                if !cursor.is_any(&["[", "."]) {
                    names.push(name.name);
                }
            }
        }
        while !cursor.at_end()
            && cursor.peek_kind() != Some(TokenKind::Comma)
            && !cursor.is_any(&["where", "when", "returning", "from"])
        {
            cursor.skip();
        }
        if cursor.eat_kind(TokenKind::Comma).is_none() {
            return twice_of(names);
        }
    }
}

fn idents(group: &Cursor<'_>) -> Vec<String> {
    let one = |mut segment: Cursor<'_>| {
        let name = segment.ident()?;
        segment.at_end().then_some(name.name)
    };
    group.segments().into_iter().filter_map(one).collect()
}

fn twice_of(names: Vec<String>) -> Option<String> {
    first(names.iter()).cloned()
}

/// What a query shows becomes columns, after the names that are stated for the first of them.
pub(super) fn in_columns(draft: &mut Draft<'_>, stated: &[Ident], query: &QueryText) {
    let shown = query.shows(draft.catalog.dialect()).unwrap_or_default();
    let further = shown.into_iter().skip(stated.len()).flatten();
    let names: Vec<String> = stated.iter().map(|it| it.name.clone()).chain(further).collect();
    if let Some(column) = first(names.iter()) {
        draft.fail(format!("column {column} stands there twice"));
    }
}

pub(super) fn in_view(draft: &mut Draft<'_>, create: &CreateView) {
    in_columns(draft, &create.columns, &create.query);
}

pub(super) fn in_constraint(draft: &mut Draft<'_>, constraint: &Constraint) {
    let (ConstraintKind::Unique { columns, .. } | ConstraintKind::PrimaryKey { columns, .. }) =
        &constraint.kind
    else {
        return;
    };
    if let Some(column) = first(columns.iter().map(|it| &it.name)) {
        draft.fail(format!("column {column} stands twice in the key"));
    }
}

pub(super) fn in_table(draft: &mut Draft<'_>, create: &CreateTable) {
    let of_columns = create.columns.iter().flat_map(|it| &it.constraints);
    let all: Vec<&Constraint> = create.constraints.iter().chain(of_columns).collect();
    let primary = all.iter().filter(|it| matches!(it.kind, ConstraintKind::PrimaryKey { .. })).count();
    if primary > 1 {
        draft.fail("a table has one primary key");
    }
    for constraint in all {
        in_constraint(draft, constraint);
    }
    if let Some(query) = create.query.as_ref().filter(|_| create.columns.is_empty()) {
        in_columns(draft, &[], query);
    }
}
