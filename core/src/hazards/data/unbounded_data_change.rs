//! One statement changes every row it finds, holds their locks to the end, and floods the replicas.

use std::borrow::Cow;

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::hazards::{Context, Hazard, Rule, Severity, Trigger};
use crate::operation::{Expression, Kind, Merge, Operation};
use crate::statement::{Cursor, Script};

/// One statement changes every row it finds, holds their locks to the end, and floods the replicas.
pub(crate) static RULE: Rule = Rule {
    id: "unbounded-data-change",
    severity: Severity::Warning,
    dialects: &[Dialect::Postgres],
    page: include_str!("unbounded_data_change.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    let (name, changes) = match &operation.kind {
        Kind::Update(update) => {
            let own = update.alias.as_ref().map_or(&update.table.name, |it| &it.name);
            let beside = update.from.as_ref();
            (&update.table, vec![Change::new("changes", update.condition.as_ref(), own, beside)])
        }
        Kind::Delete(delete) => {
            let own = delete.alias.as_ref().map_or(&delete.table.name, |it| &it.name);
            let beside = delete.using.as_ref();
            (&delete.table, vec![Change::new("deletes", delete.condition.as_ref(), own, beside)])
        }
        Kind::Merge(merge) => (&merge.table, of_merge(merge, ctx.target.dialect)),
        _ => return None,
    };
    let table = ctx.resolve(name);
    if !ctx.is_live(&table) {
        return None;
    }
    let change = changes.iter().find(|it| !it.is_bounded(&table, ctx))?;
    let which = if change.is_of_all(ctx.target.dialect) { "every row" } else { "an unknown number of rows" };
    let message = format!(
        "{} {which} of {} in one transaction, and writers of those rows wait for all of it",
        change.verb,
        ctx.display(&table)
    );
    let hazard = Hazard::new(&RULE, name.span, message);
    Some(if matches!(operation.kind, Kind::Merge(_)) { hazard } else { hazard.with_recipe("batched-change") })
}

/// A change of the rows that meet some conditions.
struct Change<'a> {
    verb: &'static str,
    /// All of them are met by each row that changes.
    conditions: Vec<Cow<'a, Expression>>,
    /// The name of the table in the statement, where another one stands beside it.
    joined: Option<&'a str>,
    /// It is about the rows that nothing beside it meets.
    unmet: bool,
    /// What stands beside it is a list of values: no more rows than it has can be joined by a key.
    beside_values: bool,
}

impl<'a> Change<'a> {
    fn new(
        verb: &'static str,
        condition: Option<&'a Expression>,
        own: &'a str,
        beside: Option<&Expression>,
    ) -> Self {
        Self {
            verb,
            conditions: condition.into_iter().map(Cow::Borrowed).collect(),
            joined: beside.is_some().then_some(own),
            unmet: false,
            beside_values: beside.is_some_and(is_list_of_values),
        }
    }

    fn is_of_all(&self, dialect: Dialect) -> bool {
        !self.unmet && self.conditions.iter().all(|it| it.is_tautology(dialect))
    }

    fn is_bounded(&self, table: &RelationName, ctx: &Context<'_>) -> bool {
        self.conditions.iter().any(|it| is_bounded(it, table, self, ctx))
    }
}

/// Whether a list of FROM is one list of values that stand there.
fn is_list_of_values(list: &Expression) -> bool {
    let script = Script::read(&list.text, Dialect::Postgres);
    let mut cursor = Cursor::new(&list.text, Dialect::Postgres, &script.tokens);
    let Some(inside) = cursor.group() else { return false };
    let written_out =
        inside.is("values") || inside.is("select") && !list.has_word(Dialect::Postgres, &["generate_series"]);
    written_out && !list.has_word(Dialect::Postgres, &["from"]) && !cursor.has(&[",", "join"])
}

/// What a MERGE does to the rows that are there, one for each WHEN that changes or deletes some.
fn of_merge(merge: &Merge, dialect: Dialect) -> Vec<Change<'_>> {
    let script = Script::read(&merge.text.text, dialect);
    let cursor = Cursor::new(&merge.text.text, dialect, &script.tokens);
    let text = |from: usize, to: usize| Expression::new(cursor.part(from, to).span().of(&merge.text.text));
    let mut changes = Vec::new();
    let own = merge.alias.as_ref().map_or(merge.table.name.as_str(), |it| it.name.as_str());
    let mut ahead = cursor;
    ahead.seek(&["using"]);
    ahead.next_token();
    let from = ahead.index();
    ahead.seek(&["on"]);
    let source = text(from, ahead.index());
    ahead.next_token();
    let from = ahead.index();
    ahead.seek(&["when"]);
    let join = text(from, ahead.index());
    while ahead.eat("when") {
        let matched = !ahead.eat("not");
        ahead.eat("matched");
        let by_source = ahead.eat_all("by source");
        ahead.eat_all("by target");
        let from = ahead.index() + 1;
        let extra = ahead.eat("and");
        ahead.seek(&["then"]);
        let extra = extra.then(|| text(from, ahead.index()));
        ahead.next_token();
        let verb = match ahead.eat_any(&["update", "delete"]) {
            Some("update") => Some("changes"),
            Some(_) => Some("deletes"),
            None => None,
        };
        ahead.seek(&["when"]);
        let join = (matched && !by_source).then(|| join.clone());
        let conditions = join.into_iter().chain(extra).map(Cow::Owned).collect();
        let beside_values = is_list_of_values(&source);
        let (joined, unmet) = (Some(own), by_source);
        changes.extend(verb.map(|verb| Change { verb, conditions, joined, unmet, beside_values }));
    }
    changes
}

/// Whether a condition bounds the rows: a key compared with values or a range, a limit inside.
fn is_bounded(condition: &Expression, table: &RelationName, change: &Change<'_>, ctx: &Context<'_>) -> bool {
    let dialect = ctx.target.dialect;
    if condition.has_word(dialect, &["limit", "fetch"]) {
        return true;
    }
    let state = ctx.catalog.table(table);
    let unique = state.into_iter().flat_map(|it| &it.indexes).filter(|index| index.unique);
    let keys = unique.filter_map(|index| index.keys.first().and_then(|key| key.column.as_deref()));
    let keys: Vec<&str> = keys.chain(state.is_none().then_some("id")).collect();
    condition.conjuncts(dialect).iter().any(|part| is_part_bounded(part, &keys, change, dialect))
}

fn is_part_bounded(part: &Expression, keys: &[&str], change: &Change<'_>, dialect: Dialect) -> bool {
    let paged = part.names("ctid", dialect);
    // Pages by their numbers: the SELECT that puts them together reads no rows.
    if paged && part.has_word(dialect, &["generate_series"]) {
        return true;
    }
    if part.has_word(dialect, &["select"]) {
        return false;
    }
    if paged || part.has_word(dialect, &["between"]) {
        return true;
    }
    let compared = part.has_word(dialect, &["=", "<", "<=", ">=", "in"]);
    let named = match change.joined {
        Some(own) if change.beside_values => keys.iter().any(|key| names_key(part, own, key, dialect)),
        Some(own) => keys.iter().any(|key| names_only(part, own, key, dialect)),
        None => part.names_any(keys.iter().copied(), dialect),
    };
    compared && named
}

/// Whether it is about this key of the table with this name, among others.
fn names_key(part: &Expression, own: &str, key: &str, dialect: Dialect) -> bool {
    let mut named = false;
    part.each_column(dialect, |word| {
        named |= word.name.name == key && word.qualifier.is_some_and(|it| it.name == own);
    });
    named
}

/// Whether it is about this key and no other column.
fn names_only(part: &Expression, own: &str, key: &str, dialect: Dialect) -> bool {
    let (mut named, mut others) = (false, false);
    part.each_column(dialect, |word| {
        let is_key = word.name.name == key && word.qualifier.is_none_or(|it| it.name == own);
        named |= is_key;
        others |= !is_key && !["in", "any", "array"].contains(&word.name.name.as_str());
    });
    named && !others
}
