//! What an UPDATE gives to each row, whatever its form: with another name for its table, with `FROM`, with sub-queries.

use crate::catalog::RelationName;
use crate::dialect::{Ident, Name};
use crate::operation::{ColumnWord, Expression, Update};
use crate::statement::{Cursor, Script, TokenKind};

use super::scene::Scene;

/// An UPDATE as values for single rows. Columns of its table stand bare, or behind the table's own name.
#[derive(Debug, Clone)]
pub(crate) struct Assigned {
    /// The table.
    pub table: RelationName,
    /// Each column with its value.
    pub set: Vec<(Ident, Expression)>,
    /// Which rows get it; `None`: all.
    pub condition: Option<Expression>,
    /// The one other table that the values come from.
    pub joined: Option<Joined>,
}

/// A row of another table, and what is taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    /// The table.
    pub table: RelationName,
    /// What it is called in the expressions.
    pub alias: String,
    /// The table with that name, where it stands in a FROM list: of several rows that belong to one, any is taken.
    pub from: Option<String>,
    /// Which of its rows belongs to a row.
    pub on: String,
    /// The values, in the order of the columns that are set.
    pub values: Vec<String>,
}

impl Assigned {
    /// Reads an UPDATE; `None` where it is more than values for the rows of one table from those of at most one other.
    pub fn of(update: &Update, scene: &Scene<'_>) -> Option<Self> {
        let (Some(set), true) = (&update.set, update.plain) else { return None };
        let own = |it: &Expression| in_own_words(it, &update.table, update.alias.as_ref(), scene);
        let set: Vec<(Ident, Expression)> =
            set.iter().map(|(column, value)| Some((column.clone(), own(value)?))).collect::<Option<_>>()?;
        let condition = match &update.condition {
            Some(condition) => Some(own(condition)?),
            None => None,
        };
        let table = scene.resolve(&update.table);
        let Some(from) = &update.from else {
            // Rows that a condition leaves out are not told by the other table alone.
            let joined = if condition.is_none() { sub_queries(&set, scene) } else { None };
            return Some(Self { table, set, condition, joined });
        };
        // A second mention of the table would be taken for its row.
        if Expression::new(from.text.clone()).calls_something(&update.table.name, scene.dialect()) {
            return None;
        }
        let on = condition?.text;
        let Some((source, alias)) = one_table(&from.text, scene) else {
            // A LATERAL item may read the row.
            let from = own(&Expression::new(from.text.clone()))?;
            return Some(Self::from_several(table, set, &from.text, &on));
        };
        let called = scene.quote(&alias);
        let from = match *alias == *source.name {
            true => scene.sql(&source),
            false => format!("{} {called}", scene.sql(&source)),
        };
        let select = |value: &str| format!("(SELECT {value} FROM {from} WHERE {on})");
        let values: Vec<String> = set.iter().map(|(_, value)| value.text.clone()).collect();
        let set =
            set.into_iter().map(|(column, value)| (column, Expression::new(select(&value.text)))).collect();
        let condition = Some(Expression::new(format!("EXISTS (SELECT FROM {from} WHERE {on})")));
        let joined = Some(Joined { table: source, alias, from: Some(from), on, values });
        Some(Self { table, set, condition, joined })
    }

    /// Values from several tables, or from what is none: each row's are looked up as they stand.
    fn from_several(table: RelationName, set: Vec<(Ident, Expression)>, from: &str, on: &str) -> Self {
        // Of several rows that belong to one any is taken, as UPDATE … FROM does; several columns must come from the same.
        let one = if set.len() == 1 { " LIMIT 1" } else { "" };
        let select = |value: &str| format!("(SELECT {value} FROM {from} WHERE {on}{one})");
        let set =
            set.into_iter().map(|(column, value)| (column, Expression::new(select(&value.text)))).collect();
        let condition = Some(Expression::new(format!("EXISTS (SELECT FROM {from} WHERE {on})")));
        Self { table, set, condition, joined: None }
    }

    /// The value of a column as an expression. Where several rows of the other table may belong to a row any is taken, as UPDATE … FROM does;
    /// several columns must come from the same one, and fail where there are more.
    pub fn value(&self, column: &str) -> Option<String> {
        let (number, (_, value)) = self.set.iter().enumerate().find(|(_, (it, _))| it.name == column)?;
        let joined = self.joined.as_ref().filter(|_| self.set.len() == 1);
        Some(match joined.and_then(|it| Some((it, it.from.as_ref()?))) {
            Some((Joined { on, values, .. }, from)) => {
                format!("(SELECT {} FROM {from} WHERE {on} LIMIT 1)", values[number])
            }
            None => value.text.clone(),
        })
    }
}

/// An expression with the table's own name in place of the one that the statement gives it; `None` where something else in it is called one or the
/// other, and would be taken for it.
pub(crate) fn in_own_words(
    expression: &Expression,
    table: &Name,
    alias: Option<&Ident>,
    scene: &Scene<'_>,
) -> Option<Expression> {
    let Some(alias) = alias else { return Some(expression.clone()) };
    let taken = |name: &str| expression.calls_something(name, scene.dialect());
    if taken(&alias.name) || taken(&table.name) {
        return None;
    }
    let own = |column: &ColumnWord| {
        let named = column.qualifier.as_ref()?;
        (named.name == alias.name)
            .then(|| format!("{}.{}", scene.quote(&table.name), scene.quote(&column.name.name)))
    };
    let text = expression.with_columns(scene.dialect(), own);
    Some(Expression { text, span: expression.span })
}

/// The only table of a FROM list, with the name that it has there.
fn one_table(from: &str, scene: &Scene<'_>) -> Option<(RelationName, String)> {
    let script = Script::read(from, scene.dialect());
    let mut cursor = Cursor::new(from, scene.dialect(), &script.tokens);
    let name = cursor.name()?;
    cursor.eat("as");
    let alias = cursor.ident().map(|it| it.name);
    cursor.at_end().then(|| (scene.resolve(&name), alias.unwrap_or_else(|| name.name.clone())))
}

/// The one table that all values read by `(SELECT value FROM table WHERE condition)`.
fn sub_queries(set: &[(Ident, Expression)], scene: &Scene<'_>) -> Option<Joined> {
    let mut all: Option<Joined> = None;
    for (_, value) in set {
        let own = sub_query(&value.text, scene)?;
        match &mut all {
            Some(joined)
                if (&joined.table, &joined.alias, &joined.on) == (&own.table, &own.alias, &own.on) =>
            {
                joined.values.extend(own.values);
            }
            Some(_) => return None,
            None => all = Some(own),
        }
    }
    all
}

fn sub_query(text: &str, scene: &Scene<'_>) -> Option<Joined> {
    let dialect = scene.dialect();
    let script = Script::read(text, dialect);
    let mut outer = Cursor::new(text, dialect, &script.tokens);
    let mut query = outer.group()?;
    outer.at_end().then_some(())?;
    query.eat("select").then_some(())?;
    let words = ["distinct", "group", "having", "order", "limit", "offset", "union", "except", "intersect"];
    (!query.has(&words)).then_some(())?;
    let value = part(&mut query, "from")?;
    let from = part(&mut query, "where")?;
    let (table, alias) = one_table(&from, scene)?;
    let on = query.rest().span().of(text).to_owned();
    Some(Joined { table, alias, from: None, on, values: vec![value] })
}

/// The text up to a word, which is read too; without commas.
fn part(cursor: &mut Cursor<'_>, word: &str) -> Option<String> {
    let first = cursor.index();
    while !cursor.at_end() && !cursor.is(word) {
        (cursor.peek_kind() != Some(TokenKind::Comma)).then_some(())?;
        cursor.skip();
    }
    let text = cursor.part(first, cursor.index()).span().of(cursor.text()).to_owned();
    cursor.eat(word).then_some(text)
}
