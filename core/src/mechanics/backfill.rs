//! Backfills: batches that commit one by one, can be killed at any moment and run again.
//!
//! A backfill is a value first, [`BackfillJob`]; its SQL is rendered from that by the engine. Where an update of every row of a page would
//! write into every index, a window is filled in several passes (measured: docs/measurements.md, "Backfills").

use crate::catalog::{Index, RelationName, Table};
use crate::dialect::Dialect;
use crate::engine::Capability;
use crate::operation::TypeName;
use crate::plan::{BackfillJob, Criterion, Phase, PhaseKind, SqlStep, Step, Walk, Work};

use super::Refusal;
use super::make;
use super::scene::{SECOND_LOCK_TIMEOUT, Scene, name_of};
use super::sync::GUARD;

/// A backfill of columns.
#[derive(Debug, Clone)]
pub(crate) struct Backfill<'a> {
    /// The table.
    pub table: &'a RelationName,
    /// The columns that are filled, each with its value.
    pub set: Vec<(&'a str, String)>,
    /// The rows that still need it. A row that is done must not satisfy it.
    pub pending: String,
}

/// In how many passes a window is filled where that pays: 10 to 20 were best, for narrow and for wide rows.
const PASSES: u32 = 10;

impl Backfill<'_> {
    /// The phase that fills the column, and what must be so at its end.
    ///
    /// # Errors
    /// [`Refusal`] where the rows cannot be walked.
    pub fn phase(&self, scene: &Scene<'_>, state: &Table, done: Criterion) -> Result<Phase, Refusal> {
        Ok(phase_of(scene, self.step(scene, state)?, done))
    }

    /// The migration that fills the column, with its job.
    ///
    /// # Errors
    /// [`Refusal`] where the rows cannot be walked.
    pub fn step(&self, scene: &Scene<'_>, state: &Table) -> Result<SqlStep, Refusal> {
        let job = self.job(scene, state)?;
        let columns = self.columns();
        let name = name_of(&[&self.table.name, columns.first().copied().unwrap_or_default(), "backfill"]);
        let title = format!(
            "fill {} in rows written before, {} rows at a time",
            columns.join(", "),
            scene.batch_rows
        );
        Ok(step_of(scene, name, title, job))
    }

    fn columns(&self) -> Vec<&str> {
        self.set.iter().map(|(column, _)| *column).collect()
    }

    fn job(&self, scene: &Scene<'_>, state: &Table) -> Result<BackfillJob, Refusal> {
        let walk = walk(scene, self.table, state, &self.columns())?;
        let set = self.set.iter().map(|(column, value)| ((*column).to_owned(), value.clone()));
        let job = job(scene, self.table, walk, Work::Set(set.collect()), self.pending.clone());
        Ok(BackfillJob { fires: fires(state, &self.columns()), ..job })
    }
}

/// A backfill of another table.
#[derive(Debug, Clone)]
pub(crate) struct Copying<'a> {
    /// The table that is read.
    pub from: &'a RelationName,
    /// What is known of it.
    pub state: &'a Table,
    /// The other table.
    pub into: &'a RelationName,
    /// Its columns, each with an expression over a row.
    pub columns: Vec<(String, String)>,
    /// The columns there whose values tell that a row has come over; a unique index keeps them.
    pub key: Vec<String>,
    /// The columns in whose order rows come over, which refuse NULL; none: the key's.
    pub order: &'a [String],
    /// The rows that have not come over.
    pub pending: String,
}

impl Copying<'_> {
    /// The migration that copies the rows, with its job.
    ///
    /// # Errors
    /// [`Refusal`] where they cannot be walked.
    pub fn step(&self, scene: &Scene<'_>) -> Result<SqlStep, Refusal> {
        let walk = match walk(scene, self.from, self.state, &[])? {
            Walk::Key { columns, passes, spread } => {
                let key = columns.into_iter().filter(|it| !self.order.contains(it));
                Walk::Key { columns: self.order.iter().cloned().chain(key).collect(), passes, spread }
            }
            pages @ Walk::Pages { .. } => pages,
        };
        let (into, columns, key) = (self.into.clone(), self.columns.clone(), self.key.clone());
        let job = job(scene, self.from, walk, Work::Copy { into, columns, key }, self.pending.clone());
        let [from, into] = [self.from, self.into].map(|it| it.display(scene.dialect()));
        let title = format!(
            "copy the rows of {from} that were written before to {into}, {} at a time",
            scene.batch_rows
        );
        let name = name_of(&[&self.from.name, "to", &self.into.name, "backfill"]);
        Ok(step_of(scene, name, title, job))
    }
}

/// The migration of a job.
pub(crate) fn step_of(scene: &Scene<'_>, name: String, title: String, job: BackfillJob) -> SqlStep {
    scene.alone(name, title, job.into(), Some(make::nothing()))
}

/// A backfill that fires no trigger of the user, under the setting at which ours stand aside.
pub(crate) fn job(
    scene: &Scene<'_>,
    table: &RelationName,
    walk: Walk,
    work: Work,
    pending: String,
) -> BackfillJob {
    let remaining = format!("SELECT count(*) FROM {} WHERE {pending}", scene.sql(table));
    let pending = match &walk {
        // Out of sight of the index that serves a window's bounds of several columns: of a condition on the first of them that lies before the window,
        // PostgreSQL 17 returns rows that do not meet it (measured on 17.10, `a_condition_on_the_key_touches_no_other_row`; not on 11 to 16 and 18).
        Walk::Key { columns, .. } if columns.len() > 1 => format!("({pending}) IS TRUE"),
        Walk::Key { .. } | Walk::Pages { .. } => pending,
    };
    BackfillJob {
        table: table.clone(),
        walk,
        work,
        remaining,
        pending,
        guard: GUARD.to_owned(),
        batch_rows: scene.batch_rows.max(1),
        pause_lag_seconds: scene.pause_lag_seconds,
        resume_lag_seconds: scene.resume_lag_seconds.min(scene.pause_lag_seconds),
        // A transaction of the application may wait for a row that a batch has, and have one that it waits for: the batch gives up first.
        lock_timeout: SECOND_LOCK_TIMEOUT.to_owned(),
        settings: Vec::new(),
        fires: Vec::new(),
    }
}

/// The phase of one backfill, and what must be so at its end.
pub(crate) fn phase_of(scene: &Scene<'_>, step: SqlStep, done: Criterion) -> Phase {
    Phase::new(PhaseKind::Backfill, step.title.clone(), vec![Step::Sql(step)]).leave_when(done).undone_by(
        "nothing to undo: stop it, and run it again",
        format!("replica lag over {} s that does not go down while it pauses", scene.pause_lag_seconds),
    )
}

/// How the rows are walked whose `columns` are written; none: they are deleted or copied.
///
/// # Errors
/// [`Refusal`] where they cannot be.
pub(crate) fn walk(
    scene: &Scene<'_>,
    table: &RelationName,
    state: &Table,
    written: &[&str],
) -> Result<Walk, Refusal> {
    let Some(columns) = key(state) else {
        if state.partition_by.is_some() || !state.children.is_empty() {
            return Err(Refusal::new(format!(
                "{} has no primary key, nor a unique index on columns that refuse NULL, and its rows lie in several \
                 tables: they cannot be moved in batches",
                table.display(scene.dialect())
            )));
        }
        return Ok(Walk::Pages { by_range: scene.can(Capability::PageRanges) });
    };
    let types: Vec<&TypeName> = columns.iter().filter_map(|it| state.column(it)).map(|it| &it.ty).collect();
    let pays = interleaving_pays(state, &columns, &types, written, scene.dialect());
    let spread = spread(scene, &columns, &types);
    Ok(Walk::Key { columns, passes: if pays { PASSES } else { 1 }, spread })
}

/// With an index besides the key's, and the columns in none, a new version on the same page spares all of them. Keys that are random
/// are spread over the pages by themselves.
fn interleaving_pays(
    state: &Table,
    key: &[String],
    types: &[&TypeName],
    written: &[&str],
    dialect: Dialect,
) -> bool {
    let of_key = |index: &Index| index.keys.iter().map(|it| it.column.as_ref()).eq(key.iter().map(Some));
    let random = types.first().is_some_and(|ty| ty.is_any(&["uuid"]));
    let others = state.indexes.iter().any(|index| !of_key(index));
    let names = |index: &Index| written.iter().any(|column| index.names_column(column, dialect));
    others && !written.is_empty() && !state.indexes.iter().any(names) && !random
}

/// A number that is spread evenly over the rows, from the key alone.
fn spread(scene: &Scene<'_>, columns: &[String], types: &[&TypeName]) -> String {
    match (columns, types) {
        ([column], [ty]) if ty.is_any(&["int8", "int4", "int2"]) && !ty.array => {
            format!("hashint8({})", scene.quote(column))
        }
        ([column], _) => format!("hashtext({}::text)", scene.quote(column)),
        _ => format!("hashtext(ROW({})::text)", scene.list(columns.iter().map(String::as_str))),
    }
}

/// The row triggers that may fire when the columns are written.
pub(crate) fn fires(state: &Table, written: &[&str]) -> Vec<String> {
    let names = |columns: &[String]| columns.iter().any(|it| written.contains(&it.as_str()));
    let may =
        state.triggers.iter().filter(|it| it.for_each_row && (it.columns.is_empty() || names(&it.columns)));
    may.map(|it| it.name.clone()).collect()
}

/// The columns of a key that every row has.
pub(crate) fn key(table: &Table) -> Option<Vec<String>> {
    keys(table).next()
}

/// The keys that every row has, the primary one first.
pub(crate) fn keys(table: &Table) -> impl Iterator<Item = Vec<String>> {
    let refuses_null = move |column: &String| table.column(column).is_some_and(|it| it.not_null);
    let columns =
        |index: &Index| -> Option<Vec<String>> { index.keys.iter().map(|key| key.column.clone()).collect() };
    let usable =
        table.indexes.iter().filter(|index| index.unique && index.valid && index.predicate.is_none());
    let others = usable.filter_map(columns).filter(move |key| key.iter().all(refuses_null));
    table.primary_key().map(<[String]>::to_vec).into_iter().chain(others)
}
