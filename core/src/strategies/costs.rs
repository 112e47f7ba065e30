//! What a strategy costs, computed from the SQL of its own phases.

use crate::catalog::Catalog;
use crate::check::{Part, check};
use crate::dialect::{LockMode, Target};
use crate::effect::{Waits, Work};
use crate::estimate::{Rows, estimate};
use crate::framework::Transaction;
use crate::plan::{Phase, PhaseKind, Way};
use crate::recipes;
use crate::text::Span;

/// What the SQL of phases is checked on.
#[derive(Debug, Clone, Copy)]
pub struct Costing<'a> {
    /// The target.
    pub target: &'a Target,
    /// The schema before the change.
    pub catalog: &'a Catalog,
    /// How many rows the tables have.
    pub rows: Option<&'a Rows>,
    /// Hours between two releases, or between a release and the next step.
    pub soak_hours: u64,
}

/// What a strategy costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// Each phase.
    pub phases: Vec<PhaseCost>,
    /// Seconds for which reads or writes wait while rows are read or written under a lock; `None` where the number of
    /// rows is not known. Locks without work are moments, bounded by the lock timeout.
    pub blocked_seconds: Option<(f64, f64)>,
    /// Whether anything reads or writes rows while others wait.
    pub works_under_lock: bool,
    /// Migrations.
    pub migrations: usize,
    /// Releases of the application.
    pub releases: usize,
    /// Hours from the first step to the last, soaking included.
    pub elapsed_hours: f64,
    /// What is lost, and from when on.
    pub point_of_no_return: String,
    /// What people have to do.
    pub burden: Vec<String>,
}

/// What one phase costs.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseCost {
    /// The phase.
    pub kind: PhaseKind,
    /// The strongest lock that it takes on a relation in use.
    pub lock: Option<LockMode>,
    /// Who waits for it.
    pub waits: Waits,
    /// Its longest work.
    pub work: Option<Work>,
    /// How long its work takes.
    pub seconds: Option<(f64, f64)>,
}

pub(super) fn of(phases: &[Phase], way: Way, costing: &Costing<'_>) -> Costs {
    let mut catalog = costing.catalog.clone();
    let mut works_under_lock = false;
    let mut blocked = costing.rows.map(|_| (0.0, 0.0));
    let mut costs = Vec::new();
    for phase in phases {
        let (cost, blocking) = phase_cost(phase, costing, &mut catalog);
        works_under_lock |= blocking.is_some();
        if let (Some(total), Some(Some(seconds))) = (&mut blocked, blocking) {
            *total = (total.0 + seconds.0, total.1 + seconds.1);
        }
        costs.push(cost);
    }
    let releases = phases.iter().flat_map(Phase::releases).count();
    let migrations = phases.iter().flat_map(Phase::migrations).count();
    let soak = if way == Way::Window { 0.0 } else { costing.soak_hours as f64 * (releases.max(1)) as f64 };
    let work: f64 = costs.iter().filter_map(|cost| cost.seconds).map(|(_, most)| most).sum();
    Costs {
        phases: costs,
        blocked_seconds: blocked,
        works_under_lock,
        migrations,
        releases,
        elapsed_hours: soak + work / 3600.0,
        point_of_no_return: no_return(phases, way),
        burden: burden(phases, way, releases),
    }
}

/// The cost of a phase, and for how long others wait while it works; `Some(None)` where that is not known.
fn phase_cost(
    phase: &Phase,
    costing: &Costing<'_>,
    catalog: &mut Catalog,
) -> (PhaseCost, Option<Option<(f64, f64)>>) {
    let mut cost =
        PhaseCost { kind: phase.kind, lock: None, waits: Waits::Nobody, work: None, seconds: None };
    let mut blocking = None;
    for step in phase.migrations() {
        let transaction = if step.transactional { Transaction::Wrapped } else { Transaction::Autocommit };
        let up = step.up();
        let part = Part { text: &up, span: Span::new(0, up.len()), transaction };
        let checked = check(part, costing.target, catalog);
        for statement in &checked.statements {
            let effect = &statement.effect;
            cost.lock = cost.lock.max(effect.strongest().map(|(_, mode)| mode));
            cost.waits = cost.waits.max(effect.waits);
            let Some(estimate) = estimate(effect, costing.rows) else { continue };
            cost.work = cost.work.max(Some(estimate.work));
            if let Some((least, most)) = estimate.seconds {
                let so_far = cost.seconds.unwrap_or((0.0, 0.0));
                cost.seconds = Some((so_far.0 + least, so_far.1 + most));
            }
            if effect.waits >= Waits::Writes {
                blocking = Some(estimate.seconds);
            }
        }
        *catalog = checked.after;
    }
    (cost, blocking)
}

fn no_return(phases: &[Phase], way: Way) -> String {
    match super::point_of_no_return(phases) {
        _ if way == Way::Window => {
            "the end of the window: what was written after it is lost by going back".to_owned()
        }
        Some(phase) => {
            format!("the contract phase ({}); until then nothing is lost by going back", phase.title)
        }
        None => "none: every step can be undone without loss".to_owned(),
    }
}

fn burden(phases: &[Phase], way: Way, releases: usize) -> Vec<String> {
    let mut burden = Vec::new();
    if way == Way::Window {
        burden.push("announce a window, stop and start the application, be there".to_owned());
    }
    if phases.iter().any(|phase| phase.kind == PhaseKind::Backfill) {
        burden.push("watch a backfill: replica lag, and the space that new row versions take".to_owned());
    }
    if recipes::keep_in_step(phases) {
        burden.push("a trigger on every write to the table until the contract phase".to_owned());
    }
    if releases > 1 {
        burden.push(format!("{releases} releases in the right order"));
    }
    burden
}
