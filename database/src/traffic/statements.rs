//! What a release does, derived from the schema at its moment: no release names what is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::catalog::{Catalog, Column, Key, Table};
use crate::error::{RehearseError, While};
use crate::rows::fill::expressions;
use crate::rows::plan::{Followed, LEFT, Source, TablePlan, Wanted, one_of, plan, usable};
use crate::rows::solve::all;
use crate::rows::values::{Spread, Texts};
use crate::rows::words::{names, replaced};
use crate::session::{Answer, Failure, Session};

/// The number of a call, as SQL.
const NUMBER: &str = "$1::bigint";
/// The first number of a call: behind the rows that were there before, also where a type takes only its last six digits.
pub(crate) const FIRST: i64 = 100_500_000;
/// How many sessions carry statements out, each with numbers of its own.
pub(crate) const CLIENTS: usize = 4;
/// How many rows of a table clients read and change.
const WORKED_ON: usize = 240;
/// How many numbers a statement is tried with.
const TRIED: i64 = 6;
/// Keys with fewer different values are used up by clients that go on inserting.
const ROOM: u64 = 1_000_000;
/// More statements than these are no release, but a load.
const MOST: usize = 240;

/// A statement of a release with one number as its parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub sql: String,
    /// As people read it: values are parameters.
    pub shown: String,
    /// How the row that it inserts is found again and deleted.
    pub deletes: Option<Deletes>,
    /// What it writes into a row that was there.
    pub writes: Option<Writes>,
}

/// A value that an update writes, and the rows of which it takes one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Writes {
    pub table: u32,
    pub column: i16,
    /// Over the number of the call.
    value: String,
    /// The columns of the key, and its values in each row.
    pub key: Vec<i16>,
    rows: Arc<Vec<Answer>>,
}

impl Writes {
    /// The key of the row that a call writes, and the value as SQL.
    pub fn at(&self, number: i64) -> Option<(Vec<String>, String)> {
        let place = usize::try_from(number).ok()?.checked_rem(self.rows.len())?;
        let key = self.rows[place].iter().cloned().collect::<Option<Vec<String>>>()?;
        Some((key, written_out(&self.value, number)))
    }
}

fn written_out(sql: &str, number: i64) -> String {
    sql.replace(NUMBER, &format!("{number}::bigint"))
}

/// The table and the columns that the insert returned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deletes {
    table: String,
    columns: Vec<(String, String)>,
}

/// What a release does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Release {
    pub name: String,
    pub calls: Vec<Call>,
}

impl Call {
    fn new(sql: String, shown: impl Into<String>) -> Self {
        Self { sql, shown: shown.into(), deletes: None, writes: None }
    }

    /// With the number in the text.
    pub fn written_out(&self, number: i64) -> String {
        written_out(&self.sql, number)
    }
}

impl Deletes {
    /// As people read it.
    pub fn shown(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        format!("DELETE FROM {} WHERE ({}) = (…)", self.table, names.join(", "))
    }

    pub fn sql(&self, returned: &Answer) -> Option<String> {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let values = self.columns.iter().zip(returned).map(|((_, sql), value)| {
            Some(format!("{}::{sql}", crate::rows::values::literal(value.as_ref()?)))
        });
        let values: Vec<String> = values.collect::<Option<_>>()?;
        Some(format!("DELETE FROM {} WHERE ({}) = ({})", self.table, names.join(", "), values.join(", ")))
    }
}

/// How the rows were made that are there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made<'a> {
    pub wanted: Wanted<'a>,
    pub texts: &'a BTreeMap<u32, Texts>,
}

/// The statements of a release over the tables. What fails on the schema of its own moment is left out and said.
pub(crate) async fn release(
    session: &mut Session,
    made: Made<'_>,
    name: &str,
    touched: &BTreeSet<u32>,
    unfilled: &mut Vec<String>,
) -> Result<Release, RehearseError> {
    let calls = derived(session, made, touched).await?;
    let mut working = Vec::new();
    for call in calls.into_iter().take(MOST) {
        match tried(session, &call).await? {
            None => working.push(call),
            Some(failure) => unfilled.push(format!("{name} does not do {}: {failure}", call.shown)),
        }
    }
    Ok(Release { name: name.to_owned(), calls: working })
}

/// The same release with the keys of the rows that another database has.
pub(crate) async fn release_for(
    session: &mut Session,
    made: Made<'_>,
    release: &Release,
    touched: &BTreeSet<u32>,
) -> Result<Release, RehearseError> {
    let does = |call: &Call| release.calls.iter().any(|it| it.shown == call.shown);
    let calls = derived(session, made, touched).await?.into_iter().filter(does).collect();
    Ok(Release { name: release.name.clone(), calls })
}

async fn derived(
    session: &mut Session,
    made: Made<'_>,
    touched: &BTreeSet<u32>,
) -> Result<Vec<Call>, RehearseError> {
    let wanted = made.wanted;
    let mut calls = Vec::new();
    for oid in touched.iter().filter(|it| wanted.catalog.tables.contains_key(it)) {
        let texts = made.texts.get(oid).copied().unwrap_or(wanted.texts);
        calls.extend(of_table(session, Wanted { texts, ..wanted }, *oid).await?);
    }
    calls.extend(of_views(wanted.catalog, touched));
    Ok(calls)
}

/// Tries a statement with several numbers, and takes it back.
async fn tried(session: &mut Session, call: &Call) -> Result<Option<Failure>, RehearseError> {
    session.run("BEGIN").await.while_("trying the statements of a release")?;
    let mut failure = None;
    for number in 0..TRIED {
        failure = session.run(&call.written_out(FIRST - 1 - number)).await.err();
        if failure.is_some() {
            break;
        }
    }
    session.run("ROLLBACK").await.while_("trying the statements of a release")?;
    Ok(failure)
}

async fn of_table(session: &mut Session, wanted: Wanted<'_>, oid: u32) -> Result<Vec<Call>, RehearseError> {
    let whole = &wanted.catalog.tables[&oid];
    // Rows of a partitioned table have values that one of its parts takes.
    let Some(leaf) = wanted.catalog.leaves(oid).first().copied() else { return Ok(Vec::new()) };
    let plan = plan(session, wanted, leaf).await?;
    let mut references = Vec::new();
    for followed in &plan.followed {
        references.push(references_of(session, wanted.catalog, followed).await?);
    }
    let values = expressions(wanted, &plan, NUMBER, &references);
    let columns: Vec<(&Column, &String, &Source)> = plan
        .columns
        .iter()
        .zip(&values)
        .filter_map(|(filled, value)| {
            Some((whole.columns.iter().find(|it| it.name == filled.name)?, value, &filled.source))
        })
        .collect();
    // Where the schema has no primary key, another key finds rows: also one that only the other schema has.
    let has_values =
        |it: &&Key| it.columns.iter().all(|it| plan.table.column(*it).is_some_and(|it| it.required));
    let other = || plan.table.keys.iter().find(has_values).filter(|_| leaf == oid);
    let key = whole.primary().or_else(other);
    let mut calls = Vec::new();
    let list = |columns: &[&Column]| columns.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
    let all: Vec<&Column> = whole.columns.iter().collect();
    let found = key.map_or(String::new(), |key| shown_key(whole, key));
    let (rows, by_key) = match key {
        Some(key) => some_row(session, whole, key).await?,
        None => (Vec::new(), String::new()),
    };
    let rows = Arc::new(rows);
    let read = format!("SELECT {} FROM {}", list(&all), whole.name);
    calls.push(match rows.len() {
        0 => Call::new(format!("{read} LIMIT 3"), format!("{read} LIMIT 3")),
        _ => Call::new(format!("{read} WHERE {by_key}"), format!("{read} WHERE {found}")),
    });
    let is_narrow =
        plan.most.is_some_and(|it| it < ROOM) && plan.followed.iter().all(|it| it.every.is_none());
    if plan.unfilled.is_empty() && !is_narrow {
        calls.push(insert(whole, key, &columns, &plan.conditions));
    }
    let Some(key) = key.filter(|_| !rows.is_empty()) else { return Ok(calls) };
    let fixed = fixed(&plan, Some(key));
    for (column, value, _) in
        columns.iter().filter(|(it, ..)| !fixed.contains(&it.name) && it.identity != "a")
    {
        let update = |value: &str, key: &str| {
            format!("UPDATE {} SET {} = {value} WHERE {key}", whole.name, column.name)
        };
        let own = plan.conditions.iter().filter(|it| names(it, &column.name));
        let right = own.map(|it| replaced(it, |word| (word == column.name).then(|| format!("({value})"))));
        let right = right.map(|it| format!(" AND ({it}) IS NOT FALSE")).collect::<String>();
        let writes = right.is_empty().then(|| Writes {
            table: oid,
            column: column.number,
            value: (*value).clone(),
            key: key.columns.clone(),
            rows: Arc::clone(&rows),
        });
        let call = Call::new(format!("{}{right}", update(value, &by_key)), update("$1", &found));
        calls.push(Call { writes, ..call });
    }
    Ok(calls)
}

/// The condition that finds a row by its key, for people.
fn shown_key(table: &Table, key: &Key) -> String {
    let columns = key.columns.iter().filter_map(|it| table.column(*it));
    columns.map(|it| format!("{} = $1", it.name)).collect::<Vec<_>>().join(" AND ")
}

/// An insert that names its columns, as a release does it: what the server counts by itself is left to it.
fn insert(
    table: &Table,
    key: Option<&Key>,
    columns: &[(&Column, &String, &Source)],
    conditions: &[String],
) -> Call {
    let said: Vec<_> = columns.iter().filter(|(it, ..)| !it.counts_by_itself()).collect();
    let names: Vec<&str> = said.iter().map(|(it, ..)| it.name.as_str()).collect();
    let values: Vec<&str> = said.iter().map(|(_, value, _)| value.as_str()).collect();
    let what = match names.is_empty() {
        true => "DEFAULT VALUES".to_owned(),
        false if conditions.is_empty() => format!("({}) VALUES ({})", names.join(", "), values.join(", ")),
        // A row that the schema refuses anyway is not inserted; what the server counts stands in no condition of ours.
        false => {
            let named: Vec<String> =
                columns.iter().map(|(it, value, _)| format!("{value} AS {}", it.name)).collect();
            let names = names.join(", ");
            format!(
                "({names}) SELECT {names} FROM (SELECT {}) AS s WHERE {}",
                named.join(", "),
                all(conditions)
            )
        }
    };
    let sql = format!("INSERT INTO {} {what}", table.name);
    let shown = format!("INSERT INTO {} ({})", table.name, names.join(", "));
    let Some(key) = key else { return Call::new(sql, shown) };
    let columns: Vec<(String, String)> = key
        .columns
        .iter()
        .filter_map(|it| table.column(*it))
        .map(|it| (it.name.clone(), it.sql.clone()))
        .collect();
    let returned: Vec<String> = columns.iter().map(|(name, _)| format!("{name}::text")).collect();
    let sql = format!("{sql} RETURNING {}", returned.join(", "));
    let shown = format!("{shown} RETURNING {}", returned.join(", ").replace("::text", ""));
    Call { sql, shown, deletes: Some(Deletes { table: table.name.clone(), columns }), writes: None }
}

/// What an update would break: keys, what is in a key by turns, and where a row is.
fn fixed(plan: &TablePlan, key: Option<&Key>) -> BTreeSet<String> {
    // Only what has a value of its own in each row can be given another one, where there are enough of them.
    let has_room = plan.most.is_none_or(|it| it >= ROOM);
    let differs = |number: i16| {
        let source = plan.columns.iter().find(|it| it.number == number).map(|it| &it.source);
        matches!(source, Some(Source::Drawn { spread: Spread::Unique, .. }))
    };
    let keyed =
        |it: i16| plan.table.keys.iter().any(|key| key.columns.contains(&it)) && !(has_room && differs(it));
    let bound = |name: &str| plan.table.bound.as_ref().is_some_and(|it| it.contains(name));
    let composite = |it: i16| {
        plan.table.foreign.iter().any(|foreign| foreign.columns.len() > 1 && foreign.columns.contains(&it))
    };
    let together = |name: &str| {
        let several =
            |it: &&String| plan.table.columns.iter().filter(|column| names(it, &column.name)).count() > 1;
        plan.conditions.iter().filter(several).any(|it| names(it, name))
    };
    let own = |it: i16| plan.own.iter().any(|foreign| foreign.columns.contains(&it));
    let primary = |it: i16| key.is_some_and(|key| key.columns.contains(&it));
    let of = |it: &&Column| {
        primary(it.number)
            || keyed(it.number)
            || bound(&it.name)
            || composite(it.number)
            || own(it.number)
            || together(&it.name)
    };
    plan.table.columns.iter().filter(of).map(|it| it.name.clone()).collect()
}

/// The values of referenced rows that clients use, as SQL over the number of the call.
async fn references_of(
    session: &mut Session,
    catalog: &Catalog,
    followed: &Followed,
) -> Result<Vec<String>, RehearseError> {
    let texts = as_texts(followed.columns.iter().map(String::as_str));
    let behind = if followed.every.is_some() { usable(followed.rows) % followed.rows.max(1) } else { 0 };
    let query = format!(
        "SELECT {} FROM {} ORDER BY {} OFFSET {behind} LIMIT {LEFT}",
        texts.join(", "),
        followed.name,
        followed.columns.join(", ")
    );
    let rows = session.rows(&query).await.while_("reading keys")?;
    let table = &catalog.tables[&followed.table];
    let column = |(place, name): (usize, &String)| {
        let values: Vec<Option<String>> = rows.iter().map(|it| it[place].clone()).collect();
        let sql = table.columns.iter().find(|it| it.name == *name).map_or("text", |it| it.sql.as_str());
        one_of(&values, sql, NUMBER)
    };
    Ok(followed.columns.iter().enumerate().map(column).collect())
}

/// Columns as texts under names of their own: an order goes by the columns, not by these.
fn as_texts<'a>(columns: impl Iterator<Item = &'a str>) -> Vec<String> {
    columns.enumerate().map(|(place, it)| format!("{it}::text AS lockkeeper_{place}")).collect()
}

/// The keys of the rows that clients read and change, and the condition that finds one of them.
async fn some_row(
    session: &mut Session,
    table: &Table,
    key: &Key,
) -> Result<(Vec<Answer>, String), RehearseError> {
    let columns: Vec<&Column> = key.columns.iter().filter_map(|it| table.column(*it)).collect();
    let texts = as_texts(columns.iter().map(|it| it.name.as_str()));
    let names: Vec<&str> = columns.iter().map(|it| it.name.as_str()).collect();
    let query = format!(
        "SELECT {} FROM {} ORDER BY {} LIMIT {WORKED_ON}",
        texts.join(", "),
        table.name,
        names.join(", ")
    );
    let mut rows = session.rows(&query).await.while_("reading keys")?;
    // As many for each client, so that no two write the same one.
    rows.truncate(rows.len() - rows.len() % CLIENTS);
    let condition = |(place, column): (usize, &&Column)| {
        let values: Vec<Option<String>> = rows.iter().map(|it| it[place].clone()).collect();
        format!("{} = {}", column.name, one_of(&values, &column.sql, NUMBER))
    };
    let conditions: Vec<String> = columns.iter().enumerate().map(condition).collect();
    Ok((rows, conditions.join(" AND ")))
}

/// Reads of the views that show the tables, also through other views.
fn of_views(catalog: &Catalog, touched: &BTreeSet<u32>) -> Vec<Call> {
    let mut seen: BTreeSet<u32> = touched.clone();
    seen.extend(
        catalog.tables.values().filter(|it| touched.contains(&catalog.root(it.oid))).map(|it| it.oid),
    );
    loop {
        let more: Vec<u32> = catalog
            .views
            .iter()
            .filter(|it| !seen.contains(&it.oid) && it.reads.iter().any(|oid| seen.contains(oid)))
            .map(|it| it.oid)
            .collect();
        if more.is_empty() {
            break;
        }
        seen.extend(more);
    }
    let shown = catalog.views.iter().filter(|it| seen.contains(&it.oid) && !it.columns.is_empty());
    let read = |columns: &[String], name: &str| format!("SELECT {} FROM {name} LIMIT 3", columns.join(", "));
    shown.map(|it| Call::new(read(&it.columns, &it.name), read(&it.columns, &it.name))).collect()
}
