//! Backfills: keyed batches that commit one by one, can be killed at any moment and run again.

use crate::catalog::{Index, RelationName, Table};

use super::scene::Scene;
use super::sync::GUARD;
use super::{Refusal, scene};

/// A backfill of one column.
#[derive(Debug, Clone)]
pub(super) struct Backfill<'a> {
    /// The table.
    pub table: &'a RelationName,
    /// The column that is filled.
    pub column: &'a str,
    /// Its value.
    pub value: String,
    /// The rows that still need it.
    pub pending: String,
}

impl Backfill<'_> {
    /// One statement that walks the table in windows of its key and commits after each.
    ///
    /// # Errors
    /// [`Refusal`] where the table has no key to walk by.
    pub fn statement(&self, scene: &Scene<'_>, state: &Table) -> Result<String, Refusal> {
        let key = key(state).ok_or_else(|| {
            Refusal::new(format!(
                "{} has no primary key, nor a unique index on columns that refuse NULL: rows cannot be moved in batches",
                self.table.display(scene.dialect())
            ))
        })?;
        let columns = scene.list(key.iter().map(String::as_str));
        let table = scene.sql(self.table);
        let names = |prefix: &str| -> Vec<String> {
            (0..key.len()).map(|number| format!("{prefix}_{}", number + 1)).collect()
        };
        let (low, high) = (names("low"), names("high"));
        let declare: String = low
            .iter()
            .chain(&high)
            .zip(key.iter().chain(&key))
            .map(|(variable, column)| format!("  {variable} {table}.{}%TYPE;\n", scene.quote(column)))
            .collect();
        let (low_list, high_list) = (low.join(", "), high.join(", "));
        let set = format!("{} = {}", scene.quote(self.column), self.value);
        let pending = &self.pending;
        let rows = scene.batch_rows;
        Ok(format!(
            "DO $lockkeeper$\n\
             DECLARE\n\
             {declare}\
             \x20 more boolean;\n\
             BEGIN\n\
             \x20 SELECT {columns} INTO {low_list} FROM {table} ORDER BY {columns} LIMIT 1;\n\
             \x20 more := FOUND;\n\
             \x20 WHILE more LOOP\n\
             \x20   SELECT {columns} INTO {high_list} FROM {table}\n\
             \x20     WHERE ({columns}) >= ({low_list}) ORDER BY {columns} OFFSET {rows} LIMIT 1;\n\
             \x20   more := FOUND;\n\
             \x20   PERFORM set_config('{GUARD}', 'on', true);\n\
             \x20   IF more THEN\n\
             \x20     UPDATE {table} SET {set}\n\
             \x20       WHERE ({columns}) >= ({low_list}) AND ({columns}) < ({high_list}) AND {pending};\n\
             \x20   ELSE\n\
             \x20     UPDATE {table} SET {set}\n\
             \x20       WHERE ({columns}) >= ({low_list}) AND {pending};\n\
             \x20   END IF;\n\
             \x20   COMMIT;\n\
             {next}\
             \x20 END LOOP;\n\
             END $lockkeeper$",
            next = advance(&low, &high),
        ))
    }
}

fn advance(low: &[String], high: &[String]) -> String {
    low.iter().zip(high).map(|(low, high)| format!("    {low} := {high};\n")).collect()
}

/// The columns of a key that every row has.
pub(super) fn key(table: &Table) -> Option<Vec<String>> {
    if let Some(key) = table.primary_key() {
        return Some(key.to_vec());
    }
    let refuses_null = |column: &String| table.column(column).is_some_and(|it| it.not_null);
    let columns =
        |index: &Index| -> Option<Vec<String>> { index.keys.iter().map(|key| key.column.clone()).collect() };
    let usable =
        table.indexes.iter().filter(|index| index.unique && index.valid && index.predicate.is_none());
    usable.filter_map(columns).find(|key| key.iter().all(refuses_null))
}

/// The name of the migration of a backfill.
pub(super) fn name(table: &RelationName, column: &str) -> String {
    scene::name_of(&[&table.name, column, "backfill"])
}
