//! What the steps of a course do, before anybody says how large the tables are: locks, who waits, work, batches. It is found out once and
//! priced many times.

use crate::backfill::{BackfillJob, Walk};
use crate::catalog::{Catalog, RelationName};
use crate::check::{Checked, Part, check};
use crate::dialect::{LockMode, Target};
use crate::effect::{Effect, Waits, Work};
use crate::framework::Transaction;
use crate::plan::{Phase, PhaseKind, SqlStep, Step};
use crate::text::Span;

/// What one step does.
#[derive(Debug, Clone, PartialEq)]
pub struct StepLoad {
    /// The phase that it belongs to, by its place.
    pub phase: usize,
    /// The kind of that phase.
    pub kind: PhaseKind,
    /// What it is.
    pub act: Act,
}

/// What a step is.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A migration.
    Migration(Box<Migration>),
    /// A release of the application.
    Release,
}

/// What a migration does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Migration {
    /// The strongest lock on a table, view or sequence in use, and on which.
    pub lock: Option<(RelationName, LockMode)>,
    /// Who waits for it.
    pub waits: Waits,
    /// How often it takes a lock that others wait for.
    pub stops: usize,
    /// Work while writes, or reads and writes, wait.
    pub under_lock: Vec<(RelationName, Work)>,
    /// Work while nobody waits.
    pub beside: Vec<(RelationName, Work)>,
    /// Rows that are filled in batches.
    pub batches: Option<Batches>,
    /// It puts or takes a trigger that every write fires.
    pub tables: Vec<RelationName>,
}

/// Rows that are filled in batches.
#[derive(Debug, Clone, PartialEq)]
pub struct Batches {
    /// The table that is walked.
    pub table: RelationName,
    /// Indexes beside the key's of the table that is written.
    pub indexes: usize,
    /// New versions mostly stay on their page.
    pub interleaved: bool,
    /// Rows are copied to another table.
    pub copies: bool,
    /// Rows of one batch.
    pub rows: u64,
}

/// What each step of the phases does, in their order; checks of people are none.
pub fn of(phases: &[Phase], target: &Target, before: &Catalog) -> Vec<StepLoad> {
    let mut catalog = before.clone();
    let mut loads = Vec::new();
    for (at, phase) in phases.iter().enumerate() {
        for step in &phase.steps {
            let act = match step {
                Step::Sql(sql) => Act::Migration(Box::new(migration(sql, target, &mut catalog))),
                Step::Release(_) => Act::Release,
                Step::Check(_) => continue,
            };
            loads.push(StepLoad { phase: at, kind: phase.kind, act });
        }
    }
    loads
}

fn migration(step: &SqlStep, target: &Target, catalog: &mut Catalog) -> Migration {
    let transaction = if step.transactional { Transaction::Wrapped } else { Transaction::Autocommit };
    let up = step.up();
    catalog.end_session();
    let checked = check(Part { text: &up, span: Span::new(0, up.len()), transaction }, target, catalog);
    let load = match step.job() {
        Some(job) => in_batches(job, catalog),
        None => at_once(&checked, step.transactional),
    };
    *catalog = checked.after;
    load
}

fn in_batches(job: &BackfillJob, catalog: &Catalog) -> Migration {
    use crate::backfill::Work as Done;
    let written = match &job.work {
        Done::Copy { into, .. } => into,
        Done::Set(_) | Done::Delete => &job.table,
    };
    let batches = Batches {
        table: job.table.clone(),
        indexes: catalog.indexes(written).len().saturating_sub(1),
        interleaved: matches!(job.walk, Walk::Key { passes, .. } if passes > 1),
        copies: matches!(job.work, Done::Copy { .. }),
        rows: job.batch_rows,
    };
    let lock = Some((job.table.clone(), LockMode::RowExclusive));
    Migration { lock, batches: Some(batches), tables: vec![job.table.clone()], ..Migration::default() }
}

/// In one transaction a lock is held to its end, so that all work behind it is under it.
fn at_once(checked: &Checked, transactional: bool) -> Migration {
    let mut load = Migration::default();
    let mut held = Waits::Nobody;
    for statement in &checked.statements {
        let effect = &statement.effect;
        let waits = waits_of(effect, &checked.after);
        if waits >= Waits::Writes && held < waits {
            load.stops += 1;
        }
        held = if transactional { held.max(waits) } else { Waits::Nobody };
        let works = effect.work.iter().filter(|(name, _)| is_live(name, &checked.after)).cloned();
        // Rows that one statement writes are locked to the end of its transaction.
        let locks_rows = effect.work.iter().any(|(_, work)| *work == Work::Update);
        if waits.max(held) >= Waits::Writes || locks_rows {
            load.under_lock.extend(works);
        } else {
            load.beside.extend(works);
        }
        load.waits = load.waits.max(waits).max(if locks_rows { Waits::Writes } else { Waits::Nobody });
        let lock = effect.strongest().filter(|(name, _)| is_live(name, &checked.after));
        if let Some((name, mode)) = lock
            && load.lock.as_ref().is_none_or(|(_, held)| *held < mode)
        {
            load.lock = Some((name.clone(), mode));
        }
        load.tables.extend(lock.map(|(name, _)| name.clone()));
    }
    load.tables.dedup();
    load
}

/// What the migration itself made has no users yet.
fn is_live(name: &RelationName, after: &Catalog) -> bool {
    !after.is_new(name) && !after.is_temporary(name)
}

fn waits_of(effect: &Effect, after: &Catalog) -> Waits {
    let live = effect.locks.iter().filter(|(name, _)| is_live(name, after));
    let strongest = live.map(|(_, mode)| Waits::of(*mode)).max().unwrap_or_default();
    strongest.min(effect.waits)
}
