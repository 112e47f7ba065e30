//! What clients wrote while the steps ran, and whether it is there in the end.
//!
//! Each row is written by one client only, so the last value of each column is known. Asked is only about columns whose values the migration
//! leaves as they are, in tables without triggers of the schema's own: there the last value that any release wrote must stand.

use std::collections::{BTreeMap, BTreeSet};

use lockkeeper_core::report::RehearsalDifference;

use crate::catalog::{Catalog, Column, Table};
use crate::cluster::Cluster;
use crate::error::{RehearseError, While};
use crate::rows::values::literal;
use crate::session::Session;
use crate::stage::{FILLED, Stage, WRITTEN};
use crate::traffic::clients::Seen;

/// The writes that are not there in the database that clients worked in.
pub(crate) async fn lost(
    cluster: &Cluster,
    stage: &Stage,
    database: &str,
    seen: &Seen,
) -> Result<Vec<RehearsalDifference>, RehearseError> {
    let open = async |database: &str| Session::open(&cluster.owner(database)).await.while_("connecting");
    let (mut before, mut after, mut busy) =
        (open(FILLED).await?, open(WRITTEN).await?, open(database).await?);
    let mut kept: BTreeMap<(u32, i16), bool> = BTreeMap::new();
    let mut counts: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    // Where releases find rows by other keys, nobody can tell whether they wrote the same one.
    let mut keys: BTreeMap<u32, BTreeSet<&[i16]>> = BTreeMap::new();
    seen.written.keys().for_each(|it| _ = keys.entry(it.table).or_default().insert(&it.key));
    for (cell, (release, value)) in seen.written.iter().filter(|(it, _)| keys[&it.table].len() == 1) {
        let place = (cell.table, cell.column);
        let is_kept = match kept.get(&place) {
            Some(known) => *known,
            None => stage.compares_rows && is_kept(&mut before, &mut after, stage, place, &cell.key).await,
        };
        kept.insert(place, is_kept);
        let found = stage.new.tables.get(&cell.table).and_then(|it| Some((it, it.column(cell.column)?)));
        let Some((table, column)) = found.filter(|_| is_kept) else { continue };
        let Some(condition) = condition(table, &cell.key, &cell.values) else { continue };
        let query = format!(
            "SELECT (t.{0})::text IS NOT DISTINCT FROM ({value})::text FROM {1} AS t WHERE {condition}",
            column.name, table.name
        );
        // A type of the old schema may be gone, and a row as well: nothing is known then.
        let answer = busy.value(&query).await.unwrap_or_default();
        let count = counts.entry((format!("{}.{}", table.name, column.name), release.clone())).or_default();
        count.0 += u64::from(answer == "f");
        count.1 += u64::from(!answer.is_empty());
    }
    let differences = counts.into_iter().filter(|(_, (lost, _))| *lost > 0);
    let difference = |((column, release), (lost, all)): ((String, String), (u64, u64))| RehearsalDifference {
        after: "end".to_owned(),
        kind: "rows".to_owned(),
        what: format!(
            "of {all} rows in which the {release} wrote {column} last, {lost} do not have what it wrote"
        ),
    };
    Ok(differences.map(difference).collect())
}

fn condition(table: &Table, key: &[i16], values: &[String]) -> Option<String> {
    let columns: Vec<&Column> = key.iter().map(|it| table.column(*it)).collect::<Option<_>>()?;
    let each = columns.iter().zip(values);
    let each: Vec<String> =
        each.map(|(it, value)| format!("t.{} = {}::{}", it.name, literal(value), it.sql)).collect();
    Some(each.join(" AND "))
}

/// Whether the migration as it is written leaves all values of a column as they are.
async fn is_kept(
    before: &mut Session,
    after: &mut Session,
    stage: &Stage,
    place: (u32, i16),
    key: &[i16],
) -> bool {
    let sums = (sum(&stage.old, place, key), sum(&stage.new, place, key));
    let (Some(one), Some(other)) = sums else { return false };
    let sums = (before.rows(&one).await, after.rows(&other).await);
    matches!(sums, (Ok(one), Ok(other)) if one == other)
}

/// A sum over the values of a column beside their keys.
fn sum(catalog: &Catalog, (table, column): (u32, i16), key: &[i16]) -> Option<String> {
    let table = catalog.tables.get(&table).filter(|it| !it.has_triggers)?;
    let named = key.iter().chain([&column]).map(|it| Some(format!("{}::text", table.column(*it)?.name)));
    let values = named.collect::<Option<Vec<_>>>()?.join(", ");
    Some(format!(
        "SELECT pg_catalog.count(*)::text, pg_catalog.sum(pg_catalog.hashtextextended(ROW({values})::text, 0)::numeric)::text FROM {}",
        table.name
    ))
}
