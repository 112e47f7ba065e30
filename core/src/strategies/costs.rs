//! What a course costs: the work of its steps at the sizes of the tables, with the releases and waits around them.

use super::course::{Course, stopped_from};
use super::load::{Act, Batches, Migration, StepLoad};
use crate::catalog::RelationName;
use crate::dialect::{Dialect, LockMode};
use crate::effect::{Waits, Work};
use crate::estimate::{self, Range, Size, Sizes};
use crate::plan::{Phase, PhaseKind};
use crate::quantity::Seconds;
use crate::recipes;
use crate::signals::answer::WayBack;
use crate::signals::{Nature, Situation};

/// What a course costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// Each phase.
    pub phases: Vec<PhaseCost>,
    /// Each step, in order; releases are among them.
    pub steps: Vec<StepCost>,
    /// Seconds for which reads or writes wait while rows are read or written under a lock; `None` where the number of
    /// rows is not known. Locks without work are moments, bounded by the lock timeout.
    pub blocked: Option<Range>,
    /// Whether anything reads or writes rows while others wait.
    pub works_under_lock: bool,
    /// How often a lock is taken that others wait for, for a moment.
    pub stops: usize,
    /// Seconds for which the application is stopped; `None` where the number of rows is not known. Nothing where it never is.
    pub downtime: Option<Range>,
    /// Seconds of work in batches.
    pub batches: Option<Range>,
    /// Migrations.
    pub migrations: usize,
    /// Releases of the application, that behind a window included.
    pub releases: usize,
    /// Hours from the first step to the last, soaking included.
    pub elapsed: Range,
    /// Bytes of WAL that the work writes.
    pub wal: Option<f64>,
    /// Bytes of disk that it takes for a while.
    pub disk: Option<f64>,
    /// What it costs to go back.
    pub way_back: Return,
}

/// What it costs to go back.
#[derive(Debug, Clone, PartialEq)]
pub struct Return {
    /// Minutes until the release before serves everybody again.
    pub minutes: Range,
    /// From when on something is lost by it, and what.
    pub point_of_no_return: String,
    /// Whether going back the day after loses something.
    pub loses: bool,
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
    pub seconds: Option<Range>,
}

/// What one step costs.
#[derive(Debug, Clone, PartialEq)]
pub struct StepCost {
    /// The phase that it belongs to, by its place.
    pub phase: usize,
    /// The strongest lock on a relation in use, and on which.
    pub lock: Option<(RelationName, LockMode)>,
    /// Who waits.
    pub waits: Waits,
    /// How long its work takes; `None` where the sizes are not known. Nothing where it only writes the catalog.
    pub seconds: Option<Range>,
    /// How long others wait for work of it.
    pub blocked: Option<Range>,
    /// Rows that it works in batches.
    pub batched_rows: Option<u64>,
    /// The application is stopped meanwhile.
    pub stopped: bool,
    /// It is a release.
    pub release: bool,
}

impl StepCost {
    /// The lock in words: `ACCESS EXCLUSIVE on users`.
    pub fn lock_in_words(&self, dialect: Dialect) -> Option<String> {
        let (relation, mode) = self.lock.as_ref()?;
        Some(format!("{} on {}", mode.title(), relation.display(dialect)))
    }
}

/// Hours and minutes that are not work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Hours between two releases, or between a release and the next step.
    pub soak_hours: f64,
}

/// Seconds to stop the application and start the next release.
const SWITCH: Range = Range { low: 20.0, likely: 60.0, high: 180.0 };
/// The same where a pooler holds the clients meanwhile.
const HELD_SWITCH: Range = Range { low: 3.0, likely: 10.0, high: 30.0 };
/// Minutes until a release is rolled back.
pub const RELEASE_BACK: Range = Range { low: 5.0, likely: 20.0, high: 60.0 };
/// Minutes until a flag is turned off everywhere.
const FLAG_BACK: Range = Range { low: 0.2, likely: 1.0, high: 5.0 };
/// Minutes until the instances that have the new release have the old one again.
const INSTANCES_BACK: Range = Range { low: 2.0, likely: 12.0, high: 30.0 };
/// How often a ramp stands still: at 1, 10 and 50 percent.
const RAMP_STOPS: f64 = 3.0;

/// What the steps cost in this situation.
pub(super) fn price(
    course: Course,
    phases: &[Phase],
    loads: &[StepLoad],
    situation: &Situation,
    nature: &Nature,
    pace: Pace,
) -> Costs {
    let stopped = stopped_from(course, phases);
    let sizes = situation.sizes.as_ref();
    let steps: Vec<StepCost> =
        loads.iter().map(|load| step(load, sizes, stopped.is_some_and(|from| load.phase >= from))).collect();
    let migrations = || {
        loads.iter().filter_map(|it| match &it.act {
            Act::Migration(migration) => Some((it, &**migration)),
            Act::Release => None,
        })
    };
    let in_traffic = |cost: &&StepCost| !cost.stopped;
    let works_under_lock = migrations()
        .any(|(load, it)| !it.under_lock.is_empty() && stopped.is_none_or(|from| load.phase < from));
    let own_releases = phases.iter().flat_map(Phase::releases).count();
    let releases = released(course, own_releases, nature);
    let downtime = match stopped {
        None => Some(Range::default()),
        Some(_) => total(steps.iter().filter(|it| it.stopped).map(|it| it.seconds))
            .map(|work| work.plus(switch(situation))),
    };
    let batches =
        total(steps.iter().filter(|it| it.batched_rows.is_some() && !it.stopped).map(|it| it.seconds));
    let work = total(steps.iter().map(|it| it.seconds)).unwrap_or_default();
    Costs {
        phases: phases.iter().enumerate().map(|(at, phase)| of_phase(at, phase, loads, &steps)).collect(),
        blocked: total(steps.iter().filter(in_traffic).map(|it| it.blocked)),
        works_under_lock,
        stops: migrations()
            .filter(|(load, _)| stopped.is_none_or(|from| load.phase < from))
            .map(|(_, it)| it.stops)
            .sum(),
        downtime,
        batches,
        migrations: migrations().count(),
        releases,
        elapsed: elapsed(course, phases, situation, pace, own_releases, work),
        wal: sum(migrations().map(|(_, it)| wal(it, sizes))),
        disk: sum(migrations().map(|(_, it)| disk(it, sizes))),
        way_back: way_back(course, phases, situation, nature, downtime, work),
        steps,
    }
}

/// Releases: a window ends with one where the change breaks the running one.
fn released(course: Course, own: usize, nature: &Nature) -> usize {
    match course {
        Course::Window => usize::from(nature.breaks_users),
        Course::Prepared => own.min(1),
        _ => own,
    }
}

fn switch(situation: &Situation) -> Range {
    if situation.pooler.is_some() { HELD_SWITCH } else { SWITCH }
}

fn step(load: &StepLoad, sizes: Option<&Sizes>, stopped: bool) -> StepCost {
    let nothing = StepCost {
        phase: load.phase,
        lock: None,
        waits: Waits::Nobody,
        seconds: Some(Range::default()),
        blocked: Some(Range::default()),
        batched_rows: None,
        stopped,
        release: true,
    };
    let Act::Migration(migration) = &load.act else { return nothing };
    let blocked = works(&migration.under_lock, sizes);
    let beside = works(&migration.beside, sizes);
    let batched = match &migration.batches {
        Some(batches) => sizes.and_then(|it| it.of(&batches.table)).map(|size| in_batches(batches, size)),
        None => Some(Range::default()),
    };
    let seconds = total([blocked, beside, batched]);
    let rows = |it: &Batches| sizes.and_then(|sizes| sizes.of(&it.table)).map_or(0, |size| size.rows);
    StepCost {
        lock: migration.lock.clone(),
        waits: migration.waits,
        seconds,
        blocked,
        batched_rows: migration.batches.as_ref().map(rows),
        release: false,
        ..nothing
    }
}

/// All of it, unless a part is not known.
fn total(parts: impl IntoIterator<Item = Option<Range>>) -> Option<Range> {
    parts.into_iter().try_fold(Range::default(), |sum, part| Some(sum.plus(part?)))
}

fn sum(parts: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    parts.into_iter().try_fold(0.0, |sum, part| Some(sum + part?))
}

fn works(works: &[(RelationName, Work)], sizes: Option<&Sizes>) -> Option<Range> {
    total(works.iter().map(|(relation, work)| Some(estimate::of_work(*work, sizes?.of(relation)?))))
}

fn in_batches(batches: &Batches, size: &Size) -> Range {
    match batches.copies {
        true => estimate::copied(size, batches.indexes),
        false => estimate::update(size, batches.indexes, batches.interleaved),
    }
}

fn of_phase(at: usize, phase: &Phase, loads: &[StepLoad], steps: &[StepCost]) -> PhaseCost {
    let own = || loads.iter().zip(steps).filter(move |(load, _)| load.phase == at);
    let works = own().flat_map(|(load, _)| match &load.act {
        Act::Migration(it) => {
            let batched = it.batches.iter().map(|_| Work::Update);
            it.under_lock.iter().chain(&it.beside).map(|(_, work)| *work).chain(batched).collect()
        }
        Act::Release => Vec::new(),
    });
    PhaseCost {
        kind: phase.kind,
        lock: own().filter_map(|(_, cost)| cost.lock.as_ref().map(|(_, mode)| *mode)).max(),
        waits: own().map(|(_, cost)| cost.waits).max().unwrap_or_default(),
        work: works.max(),
        seconds: total(own().map(|(_, cost)| cost.seconds)),
    }
}

fn elapsed(
    course: Course,
    phases: &[Phase],
    situation: &Situation,
    pace: Pace,
    releases: usize,
    work: Range,
) -> Range {
    let soaks = match course {
        Course::AsWritten | Course::Window | Course::Prepared => 0.0,
        Course::Gradual => releases as f64 + RAMP_STOPS,
        Course::Steps(_) => releases as f64,
    };
    let contracts = phases.iter().any(|it| it.kind == PhaseKind::Contract) && !course.stops();
    let hold = if contracts { held(situation.way_back, pace) } else { 0.0 };
    let waiting = soaks * pace.soak_hours + hold;
    // A backfill beside replicas pauses while they lag.
    let slower = if situation.replicas { 2.0 } else { 1.0 };
    let hours = |seconds: f64| waiting + seconds * slower / 3600.0;
    Range { low: hours(work.low), likely: hours(work.likely), high: hours(work.high) }
}

/// Hours for which the old stays behind the last release.
fn held(way_back: WayBack, pace: Pace) -> f64 {
    match way_back {
        WayBack::NotNeeded => 0.0,
        WayBack::For(Seconds(seconds)) => seconds / 3600.0,
        WayBack::Release => pace.soak_hours,
    }
}

/// Bytes of an entry of an index on a number.
const INDEX_ENTRY: f64 = 25.0;

fn wal(migration: &Migration, sizes: Option<&Sizes>) -> Option<f64> {
    let of_work = |work: Work, size: &Size| match work {
        Work::Scan => 0.0,
        Work::IndexBuild => size.rows as f64 * INDEX_ENTRY,
        Work::Rewrite | Work::FileCopy => size.bytes() * 1.3,
        Work::Update => estimate::written(size, 2, false),
    };
    let of_batches = |batches: &Batches, size: &Size| match batches.copies {
        true => size.bytes() * 1.3 + size.rows as f64 * INDEX_ENTRY * batches.indexes as f64,
        false => estimate::written(size, batches.indexes, batches.interleaved),
    };
    bytes(migration, sizes, of_work, of_batches)
}

fn disk(migration: &Migration, sizes: Option<&Sizes>) -> Option<f64> {
    let of_work = |work: Work, size: &Size| match work {
        Work::Scan => 0.0,
        Work::IndexBuild => size.rows as f64 * INDEX_ENTRY,
        Work::Rewrite | Work::FileCopy | Work::Update => size.bytes(),
    };
    let of_batches = |batches: &Batches, size: &Size| {
        if batches.interleaved && !batches.copies { size.bytes() * 0.2 } else { size.bytes() }
    };
    bytes(migration, sizes, of_work, of_batches)
}

/// All that a migration takes of something, unless a size is not known.
fn bytes(
    migration: &Migration,
    sizes: Option<&Sizes>,
    of_work: impl Fn(Work, &Size) -> f64,
    of_batches: impl Fn(&Batches, &Size) -> f64,
) -> Option<f64> {
    let works = migration.under_lock.iter().chain(&migration.beside);
    let of_works = works.map(|(relation, work)| Some(of_work(*work, sizes?.of(relation)?)));
    let batched = migration.batches.iter().map(|it| Some(of_batches(it, sizes?.of(&it.table)?)));
    sum(of_works.chain(batched))
}

fn way_back(
    course: Course,
    phases: &[Phase],
    situation: &Situation,
    nature: &Nature,
    downtime: Option<Range>,
    work: Range,
) -> Return {
    let minutes = |seconds: Range| Range {
        low: seconds.low / 60.0,
        likely: seconds.likely / 60.0,
        high: seconds.high / 60.0,
    };
    let by_hand = Range { low: 1.0, likely: 5.0, high: 15.0 };
    match course {
        Course::AsWritten => Return {
            minutes: by_hand.plus(minutes(work)),
            point_of_no_return: at_once_or_never(nature, "the migration itself"),
            loses: nature.loses_values,
        },
        Course::Window | Course::Prepared => Return {
            minutes: by_hand.plus(minutes(downtime.unwrap_or(SWITCH))),
            point_of_no_return: at_once_or_never(nature, "the end of the window"),
            loses: nature.loses_values,
        },
        Course::Gradual | Course::Steps(_) => {
            let back = match (course, &situation.flags) {
                (Course::Gradual, Some(_)) => FLAG_BACK,
                (Course::Gradual, None) => INSTANCES_BACK,
                _ => RELEASE_BACK,
            };
            let released = phases.iter().flat_map(Phase::releases).next().is_some();
            Return {
                minutes: if released { back } else { by_hand },
                point_of_no_return: at_contract(phases, nature),
                loses: false,
            }
        }
    }
}

fn at_once_or_never(nature: &Nature, moment: &str) -> String {
    match nature.loses_values {
        true => format!("{moment}: what it drops or changes is in the backup only"),
        false => "none: it can be taken back without loss".to_owned(),
    }
}

fn at_contract(phases: &[Phase], nature: &Nature) -> String {
    let lossy = |phase: &&Phase| {
        phase.kind == PhaseKind::Contract || phase.migrations().any(|step| step.down.is_none())
    };
    match phases.iter().find(lossy) {
        Some(phase) if phase.kind == PhaseKind::Contract => {
            format!("the contract phase ({}); until then nothing is lost by going back", phase.title)
        }
        Some(phase) => {
            format!("the {} phase ({}): what it changes is in the backup only", phase.kind.id(), phase.title)
        }
        None if nature.loses_values && !recipes::keep_in_step(phases) => {
            "the change of the rows itself: the old values are in the backup only".to_owned()
        }
        None => "none: every step can be undone without loss".to_owned(),
    }
}
