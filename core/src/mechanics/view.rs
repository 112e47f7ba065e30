//! Views that read a renamed column: the same query on the new name, with the old names of its output.

use std::collections::BTreeSet;

use crate::catalog::{RelationName, View};
use crate::dialect::Dialect;
use crate::statement::{Cursor, Script, TokenKind};
use crate::text::{Edit, apply};

use super::Refusal;
use super::scene::Scene;

/// The query of a view with the column under its new name.
///
/// # Errors
/// [`Refusal`] where the query is not simple enough to be sure.
pub(crate) fn renamed(
    scene: &Scene<'_>,
    name: &RelationName,
    view: &View,
    table: &RelationName,
    from: &str,
    to: &str,
) -> Result<String, Refusal> {
    let unsure = |why: &str| {
        let shown = name.display(scene.dialect());
        Refusal::new(format!(
            "the view {shown} {why}: replace it by hand first, so that it names its columns"
        ))
    };
    let text = view.query.text.as_str();
    let script = Script::read(text, scene.dialect());
    let cursor = Cursor::new(text, scene.dialect(), &script.tokens);
    if cursor.is("with") || cursor.has(&["union", "intersect", "except"]) {
        return Err(unsure("is made of several queries"));
    }
    if script.tokens.iter().any(|token| token.span.of(text) == "*" && is_star(&script, token.span.start)) {
        return Err(unsure("reads all columns by `*`"));
    }
    let aliases = aliases(cursor, table, scene);
    let alone = only_owner(scene, view, table, from);
    let edits = edits(cursor, &aliases, alone, from, to, scene.dialect());
    apply(text, &edits).map_err(|_| unsure("could not be rewritten"))
}

/// Whether a star stands for columns: behind SELECT, a comma or a dot, not between values or in `count(*)`.
fn is_star(script: &Script<'_>, at: usize) -> bool {
    let index = script.tokens.iter().position(|token| token.span.start == at).unwrap_or(0);
    let Some(before) = index.checked_sub(1).and_then(|before| script.tokens.get(before)) else {
        return false;
    };
    let text = before.span.of(script.text);
    before.kind == TokenKind::Comma
        || text == "."
        || ["select", "distinct", "all"].contains(&text.to_lowercase().as_str())
}

/// The names by which the query calls the table.
fn aliases(mut cursor: Cursor<'_>, table: &RelationName, scene: &Scene<'_>) -> BTreeSet<String> {
    let mut aliases = BTreeSet::new();
    while !cursor.at_end() {
        let mut ahead = cursor;
        let is_table = ahead.name().is_some_and(|name| scene.resolve(&name) == *table);
        if is_table && !cursor.is_any(&["as"]) {
            ahead.eat("as");
            let keyword = ahead.is_any(&[
                "join", "on", "where", "group", "order", "left", "right", "inner", "cross", "full",
                "natural", "limit", "using", "having",
            ]);
            match ahead.ident().filter(|_| !keyword) {
                Some(alias) => aliases.insert(alias.name),
                None => aliases.insert(table.name.to_string()),
            };
        }
        cursor.next_token();
    }
    aliases
}

/// Whether no other relation of the query has a column of that name.
fn only_owner(scene: &Scene<'_>, view: &View, table: &RelationName, column: &str) -> bool {
    let mut others = view.depends_on.iter().filter(|it| it.relation != *table);
    others.all(|it| scene.catalog.table(&it.relation).is_some_and(|other| other.column(column).is_none()))
}

fn edits(
    mut cursor: Cursor<'_>,
    aliases: &BTreeSet<String>,
    alone: bool,
    from: &str,
    to: &str,
    dialect: Dialect,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let new = crate::dialect::quote(to, dialect);
    let mut in_list = false;
    let mut depth = 0_usize;
    let mut item_start = false;
    let mut after_as = false;
    while let Some(token) = cursor.peek() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        let starts_list = depth == 0 && cursor.is("select");
        if depth == 0 && cursor.is("from") {
            in_list = false;
        }
        let mut ahead = cursor;
        let qualifier = ahead.ident().filter(|_| ahead.eat(".")).filter(|it| aliases.contains(&it.name));
        let qualified = qualifier.is_some();
        let mut column = if qualified { ahead } else { cursor };
        let ident = column.ident().filter(|it| it.name == from);
        let is_call = column.peek_kind() == Some(TokenKind::Open);
        let names_relation = column.is(".");
        let usable = ident.is_some() && !is_call && !names_relation && !after_as && (qualified || alone);
        let preceded_by_dot = !qualified && previous_is_dot(&cursor);
        if let Some(ident) = ident.filter(|_| usable && !preceded_by_dot) {
            let whole_item = in_list && depth == 0 && item_start && ends_item(&column);
            let output = if whole_item {
                format!("{new} AS {}", crate::dialect::quote(from, dialect))
            } else {
                new.clone()
            };
            edits.push(Edit::replace(ident.span, output));
            item_start = false;
            cursor = column;
            continue;
        }
        after_as = cursor.is("as");
        item_start = starts_list || (in_list && depth == 0 && token.kind == TokenKind::Comma);
        in_list |= starts_list;
        cursor.next_token();
    }
    edits
}

fn previous_is_dot(cursor: &Cursor<'_>) -> bool {
    let before = cursor.index().checked_sub(1).and_then(|at| cursor.tokens().get(at));
    before.is_some_and(|token| token.span.of(cursor.text()) == ".")
}

fn ends_item(cursor: &Cursor<'_>) -> bool {
    cursor.at_end() || cursor.peek_kind() == Some(TokenKind::Comma) || cursor.is("from")
}
