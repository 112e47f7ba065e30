//! What an `INSERT … SELECT` takes from one table.

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::operation::{Expression, Insert};
use crate::statement::{Cursor, Script, TokenKind};

use super::scene::Scene;

/// Rows of one table as rows of another.
pub(crate) struct Copied {
    /// Where they come from.
    pub table: RelationName,
    /// Each column that is filled, with its value.
    pub columns: Vec<(String, Expression)>,
    /// Which rows.
    pub condition: Option<String>,
}

impl Copied {
    /// `INSERT INTO new (columns) SELECT values FROM table [alias] [WHERE condition]`, where both tables are known.
    pub fn of(insert: &Insert, scene: &Scene<'_>) -> Option<Self> {
        (insert.on_conflict.is_none() && insert.others.is_empty()).then_some(())?;
        let text = insert.query.as_ref()?.text.as_str();
        let script = Script::read(text, scene.dialect());
        let mut cursor = Cursor::new(text, scene.dialect(), &script.tokens);
        cursor.eat("select").then_some(())?;
        let more = ["distinct", "join", "group", "having", "order", "limit", "union", "except", "intersect"];
        (!cursor.has(&more)).then_some(())?;
        let first = cursor.index();
        cursor.seek(&["from"]).then_some(())?;
        let values = cursor.part(first, cursor.index()).segments();
        cursor.next_token();
        let name = cursor.name()?;
        cursor.eat("as");
        let alias = if cursor.is("where") { None } else { cursor.ident().map(|it| it.name) };
        let condition = cursor.eat("where").then(|| cursor.rest().span().of(text).to_owned());
        (condition.is_some() || cursor.at_end()).then_some(())?;
        let filled = scene.catalog.table_named(&insert.table)?;
        let columns: Vec<&str> = match insert.columns.as_slice() {
            [] => filled.columns.iter().map(|it| it.name.as_str()).collect(),
            some => some.iter().map(|it| it.name.as_str()).collect(),
        };
        // All columns are the table's: each gets its name in front, as those of the new one may be called the same.
        let table = scene.resolve(&name);
        let state = scene.catalog.table(&table)?;
        let own = |it: &Expression| {
            it.with_columns(scene.dialect(), |word| {
                let named = match &word.qualifier {
                    Some(it) => Some(&it.name) == alias.as_ref(),
                    None => state.column(&word.name.name).is_some(),
                };
                named.then(|| format!("{}.{}", scene.quote(&name.name), scene.quote(&word.name.name)))
            })
        };
        let value = |it: &Cursor<'_>| {
            let words = it.span().of(text);
            let star = it.peek_kind() == Some(TokenKind::Operator);
            (!star && !words.is_empty()).then(|| Expression::new(unnamed(it, words)))
        };
        let values: Vec<Expression> = match values.as_slice() {
            [all] if all.span().of(text) == "*" => {
                state.columns.iter().map(|it| Expression::new(scene.quote(&it.name))).collect()
            }
            some => some.iter().map(value).collect::<Option<_>>()?,
        };
        let values: Vec<Expression> = values.iter().map(|it| Expression::new(own(it))).collect();
        let condition = condition.map(|it| own(&Expression::new(it)));
        (values.len() == columns.len()).then_some(())?;
        let columns = columns.into_iter().map(str::to_owned).zip(values).collect();
        Some(Self { table, columns, condition })
    }

    /// The column that one is filled with, where its value is that and no more.
    pub fn plain(&self, column: &str, dialect: Dialect) -> Option<String> {
        let (_, value) = self.columns.iter().find(|(own, _)| own == column)?;
        let mut names = Vec::new();
        value.each_column(dialect, |word| names.push((word.span().len(), word.name.name)));
        match names.as_slice() {
            [(length, name)] if *length == value.text.trim().len() => Some(name.clone()),
            _ => None,
        }
    }
}

/// A value without the name that its column gets: `lower(bio) AS bio`.
fn unnamed<'a>(value: &Cursor<'a>, words: &'a str) -> &'a str {
    let mut ahead = *value;
    let first = ahead.index();
    while !ahead.at_end() {
        if ahead.is("as") {
            return value.part(first, ahead.index()).span().of(value.text());
        }
        ahead.skip();
    }
    words
}
