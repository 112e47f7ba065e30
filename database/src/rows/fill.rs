//! Fills tables: parents before children, each with one statement, or row by row where the server refuses some of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Foreign};
use crate::error::{RehearseError, While};
use crate::session::{Failure, Session};

use super::plan::{Source, TablePlan, Wanted, plan, salt, usable};
use super::solve::all;
use super::values::{Draw, Texts};

/// How many rows tables get that only others refer to.
const PARENTS: u64 = 1000;
/// How many rows are tried one by one.
const ONE_BY_ONE: u64 = 400;

/// What was filled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filling {
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// What could not be filled, in words.
    pub unfilled: Vec<String>,
    /// The tables that do not take every text, with those that they take.
    pub texts: BTreeMap<u32, Texts>,
}

/// Fills the tables, and those that they refer to.
pub(crate) async fn fill(
    session: &mut Session,
    wanted: Wanted<'_>,
    touched: &BTreeSet<u32>,
    rows: u64,
) -> Result<Filling, RehearseError> {
    let mut filling = Filling::default();
    for oid in order(wanted.catalog, touched) {
        let count = if touched.contains(&oid) { rows } else { rows.min(PARENTS) };
        let leaves = wanted.catalog.leaves(oid);
        let name = &wanted.catalog.tables[&oid].name;
        if leaves.is_empty() {
            filling.unfilled.push(format!("{name}: it has no partition that could hold rows"));
        }
        let each = count.div_ceil(u64::try_from(leaves.len()).unwrap_or(1).max(1));
        for leaf in leaves {
            let (plan, texts, made) = leaf_filled(session, wanted, leaf, each).await?;
            filling.unfilled.extend(plan.unfilled.iter().cloned());
            if texts != wanted.texts {
                filling.texts.insert(oid, texts);
            }
            match made {
                Ok(0) if plan.unfilled.is_empty() => {
                    filling
                        .unfilled
                        .push(format!("{}: no row that was tried fulfils its conditions", plan.table.name));
                }
                Ok(_) => {}
                Err(failure) => filling.unfilled.push(format!("{}: {failure}", plan.table.name)),
            }
            let counted = format!("SELECT pg_catalog.count(*) FROM {}", plan.table.name);
            let counted = session.value(&counted).await.while_("counting rows")?;
            *filling.rows.entry(name.clone()).or_default() += counted.parse::<u64>().unwrap_or_default();
        }
    }
    filling.unfilled.sort();
    filling.unfilled.dedup();
    for table in filling.rows.keys() {
        session.run(&format!("ANALYZE {table}")).await.while_("analysing rows")?;
    }
    Ok(filling)
}

/// Fills one table with texts that it takes: all kinds are tried, then single rows of the first kind.
async fn leaf_filled(
    session: &mut Session,
    wanted: Wanted<'_>,
    leaf: u32,
    rows: u64,
) -> Result<(TablePlan, Texts, Result<u64, Failure>), RehearseError> {
    let kinds = Texts::ALL.into_iter().filter(|it| *it != wanted.texts);
    for texts in std::iter::once(wanted.texts).chain(kinds) {
        let wanted = Wanted { texts, ..wanted };
        let plan = plan(session, wanted, leaf).await?;
        if !plan.unfilled.is_empty() {
            return Ok((plan, texts, Ok(0)));
        }
        if let Ok(made) = insert(session, wanted, &plan, rows).await {
            return Ok((plan, texts, Ok(made)));
        }
    }
    let plan = plan(session, wanted, leaf).await?;
    let made = one_by_one(session, wanted, &plan, rows).await;
    Ok((plan, wanted.texts, made))
}

/// The tables to fill, each behind those that it refers to. In a circle somebody comes first.
fn order(catalog: &Catalog, touched: &BTreeSet<u32>) -> Vec<u32> {
    fn visit(catalog: &Catalog, oid: u32, seen: &mut BTreeSet<u32>, found: &mut Vec<u32>) {
        if !catalog.tables.contains_key(&oid) || !seen.insert(oid) {
            return;
        }
        let leaves = catalog.leaves(oid);
        for foreign in leaves.iter().chain([&oid]).flat_map(|it| &catalog.tables[it].foreign) {
            visit(catalog, catalog.root(foreign.table), seen, found);
        }
        found.push(oid);
    }
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    touched.iter().for_each(|it| visit(catalog, *it, &mut seen, &mut found));
    found
}

async fn insert(
    session: &mut Session,
    wanted: Wanted<'_>,
    plan: &TablePlan,
    rows: u64,
) -> Result<u64, Failure> {
    let limit = plan.most.map_or(rows, |it| it.min(rows));
    let tried = if plan.conditions.is_empty() { limit } else { limit.saturating_mul(20) };
    let series = format!("pg_catalog.generate_series(1::bigint, {tried})");
    session.run(&statement(wanted, plan, &series, limit)).await?;
    finish(session, plan).await
}

/// Tries each row by itself.
async fn one_by_one(
    session: &mut Session,
    wanted: Wanted<'_>,
    plan: &TablePlan,
    rows: u64,
) -> Result<u64, Failure> {
    let one = statement(wanted, plan, "pg_catalog.generate_series(turn::bigint, turn)", 1);
    let tries = ONE_BY_ONE.min(rows);
    let each = format!(
        "DO $lockkeeper_rows$ BEGIN FOR turn IN 1..{tries} LOOP BEGIN {one}; EXCEPTION WHEN others THEN NULL; END; END LOOP; \
         END $lockkeeper_rows$"
    );
    session.run(&each).await?;
    if is_empty(session, plan).await? {
        // The last one says why.
        let last =
            statement(wanted, plan, &format!("pg_catalog.generate_series({tries}::bigint, {tries})"), 1);
        session.run(&last).await?;
    }
    finish(session, plan).await
}

async fn finish(session: &mut Session, plan: &TablePlan) -> Result<u64, Failure> {
    // What the table itself refers to, and what counts on from here, may stay as it is where it cannot be set.
    for foreign in &plan.own {
        let _ = session.run(&own_references(plan, foreign)).await;
    }
    for counter in counters(plan) {
        let _ = session.rows(&counter).await;
    }
    Ok(u64::from(!is_empty(session, plan).await?))
}

async fn is_empty(session: &mut Session, plan: &TablePlan) -> Result<bool, Failure> {
    let any = format!("SELECT pg_catalog.count(*) FROM (SELECT 1 FROM {} LIMIT 1) AS one", plan.table.name);
    Ok(session.value(&any).await? == "0")
}

fn statement(wanted: Wanted<'_>, plan: &TablePlan, series: &str, limit: u64) -> String {
    let references: Vec<Vec<String>> = plan
        .followed
        .iter()
        .enumerate()
        .map(|(number, it)| (0..it.columns.len()).map(|place| format!("f{number}.k{place}")).collect())
        .collect();
    let columns: Vec<&str> = plan.columns.iter().map(|it| it.name.as_str()).collect();
    let values = expressions(wanted, plan, "lk.lk_row", &references);
    let values: Vec<String> =
        values.iter().zip(&columns).map(|(value, name)| format!("{value} AS {name}")).collect();
    let joins: String = (0..plan.followed.len()).map(|it| join(wanted, plan, it)).collect();
    let columns = columns.join(", ");
    if plan.columns.is_empty() {
        return format!("INSERT INTO {} DEFAULT VALUES", plan.table.name);
    }
    format!(
        "INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM (SELECT lk.lk_row AS lockkeeper_row, {} FROM {series} AS lk(lk_row){joins}) \
         AS s WHERE {} ORDER BY s.lockkeeper_row LIMIT {limit}",
        plan.table.name,
        values.join(", "),
        all(&plan.conditions)
    )
}

/// The values of all columns.
pub(crate) fn expressions(
    wanted: Wanted<'_>,
    plan: &TablePlan,
    row: &str,
    references: &[Vec<String>],
) -> Vec<String> {
    let of = |number: i16| plan.columns.iter().find(|it| it.number == number);
    let value = |it: &super::plan::Filled| match it.source {
        Source::Same(number) => of(number).unwrap_or(it).expression(wanted, row, references),
        _ => it.expression(wanted, row, references),
    };
    plan.columns.iter().map(value).collect()
}

fn join(wanted: Wanted<'_>, plan: &TablePlan, number: usize) -> String {
    let followed = &plan.followed[number];
    let draw = Draw {
        catalog: wanted.catalog,
        row: "lk.lk_row",
        salt: salt(wanted.seed, &[&plan.table.name, &followed.name, &number.to_string()]),
        texts: wanted.texts,
    };
    let keys: Vec<String> =
        followed.columns.iter().enumerate().map(|(place, it)| format!("{it} AS k{place}")).collect();
    // The smaller of two numbers: some rows are referred to much more often than others.
    let chance = || format!("LEAST({} % {2}, {} % {2})", draw.chance(), draw.chance_of(1), followed.rows);
    let place = followed
        .every
        .map_or_else(chance, |every| format!("((lk.lk_row - 1) / {every}) % {}", usable(followed.rows)));
    let some =
        if followed.with_nulls { format!(" AND {} % 8 <> 0", draw.chance_of(2)) } else { String::new() };
    let order = followed.columns.join(", ");
    format!(
        " LEFT JOIN (SELECT pg_catalog.row_number() OVER (ORDER BY {order}) - 1 AS n, {} FROM {}) AS f{number} ON f{number}.n = {place}{some}",
        keys.join(", "),
        followed.name
    )
}

/// Three of four rows refer to one that is further ahead, among those with which they share what must have a value.
fn own_references(plan: &TablePlan, foreign: &Foreign) -> String {
    let pairs = foreign.columns.iter().zip(&foreign.referenced);
    let pairs = pairs.filter_map(|(column, it)| Some((plan.table.column(*column)?, plan.table.column(*it)?)));
    let (mut set, mut shared, mut same) = (Vec::new(), Vec::new(), Vec::new());
    for (column, referenced) in pairs {
        same.push(format!("t.{0} = own.{0}", referenced.name));
        match column.required {
            true => shared.push(format!(" AND other.{0} = own.{0}", referenced.name)),
            false => set.push(format!("{} = other.{}", column.name, referenced.name)),
        }
    }
    let names = foreign.referenced.iter().filter_map(|it| Some(plan.table.column(*it)?.name.as_str()));
    let order = names.collect::<Vec<_>>().join(", ");
    format!(
        "WITH numbered AS (SELECT {order}, pg_catalog.row_number() OVER (ORDER BY {order}) AS n FROM {0}) \
         UPDATE {0} AS t SET {1} FROM numbered AS own, numbered AS other \
         WHERE {2}{3} AND other.n = GREATEST(1, own.n / 2) AND own.n % 4 <> 0",
        plan.table.name,
        set.join(", "),
        same.join(" AND "),
        shared.concat()
    )
}

/// Sequences count on behind the rows.
fn counters(plan: &TablePlan) -> Vec<String> {
    let mut found = Vec::new();
    for column in plan.table.columns.iter().filter(|it| it.counts_by_itself()) {
        let last = format!("(SELECT pg_catalog.max({}) FROM {})", column.name, plan.table.name);
        let sequence = match &column.default {
            Some(default) => {
                default.strip_prefix("nextval(").and_then(|it| it.strip_suffix(')')).map(str::to_owned)
            }
            None => {
                let bare = column.name.trim_matches('"').replace("\"\"", "\"");
                let (table, bare) = (super::values::literal(&plan.table.name), super::values::literal(&bare));
                Some(format!("pg_catalog.pg_get_serial_sequence({table}, {bare})"))
            }
        };
        found.extend(sequence.map(|it| format!("SELECT pg_catalog.setval({it}, {last})")));
    }
    found
}
