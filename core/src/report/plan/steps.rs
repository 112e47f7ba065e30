//! The chosen strategy on the wire: phases, steps, jobs, releases against states.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RangeReport;
use crate::dialect::{Dialect, quote};
use crate::plan::{BackfillJob, Criterion, Step, Walk, Work};
use crate::quantity::counted;
use crate::runbook::{Brief, Consumer, Item, Runbook, Stage, action};
use crate::strategies::StepCost;
use crate::verify::{Compatibility, State};

/// The chosen strategy written out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChosenPlan {
    /// The strategy.
    pub strategy: String,
    /// The phases in order.
    pub phases: Vec<PhaseReport>,
    /// Each state of the schema with the releases that work beside it.
    pub compatibility: Vec<StateReport>,
    /// Who uses what goes, and when each has to change.
    pub consumers: Vec<ConsumerReport>,
    /// What a careful reader checks, answered by the plan itself.
    pub checklist: Vec<ChecklistReport>,
}

/// A state of the schema, and who works beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateReport {
    /// The migration that led here; `null` before all of them.
    pub behind: Option<String>,
    /// The running release, then each that the plan asks for.
    pub releases: Vec<BesideReport>,
}

/// A release beside a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BesideReport {
    /// `running`, `release 1` and so on.
    pub release: String,
    /// The plan has it live at this time.
    pub live: bool,
    /// It finds all that it uses.
    pub works: bool,
    /// What it misses.
    pub misses: Vec<String>,
}

/// Who uses a name that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerReport {
    /// What kind of thing it is.
    pub kind: String,
    /// File and line, or who said so.
    pub place: String,
    /// The name that it uses.
    pub name: String,
    /// Who owns it.
    pub owner: Option<String>,
    /// When it has to change.
    pub path: String,
}

/// One point of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChecklistReport {
    /// What is checked.
    pub point: String,
    /// Whether it is so.
    pub holds: bool,
    /// What shows it, or what is missing.
    pub evidence: String,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseReport {
    /// Its place, from 1.
    pub number: usize,
    /// Which one.
    pub phase: String,
    /// What happens.
    pub title: String,
    /// What must be so before.
    pub entry: Vec<CriterionReport>,
    /// What is done.
    pub steps: Vec<StepReport>,
    /// What must be so after.
    pub exit: Vec<CriterionReport>,
    /// What is checked of the data at its end.
    pub integrity: CriterionReport,
    /// How it is undone.
    pub rollback: String,
    /// When it is undone.
    pub trigger: String,
    /// Where that is measured.
    pub measured: String,
    /// Minutes of the way back.
    pub rollback_minutes: RangeReport,
    /// What the way back loses.
    pub rollback_loses: String,
    /// The gate that it waits at.
    pub gate: Option<String>,
    /// Who carries it out.
    pub owner: String,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CriterionReport {
    /// In words.
    pub text: String,
    /// The query that tells.
    pub query: Option<String>,
    /// What it must answer.
    pub expected: Option<String>,
}

impl From<&Criterion> for CriterionReport {
    fn from(criterion: &Criterion) -> Self {
        Self {
            text: criterion.text.clone(),
            query: criterion.query.clone(),
            expected: criterion.expected.clone(),
        }
    }
}

/// One thing in a phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepReport {
    /// Its place in the plan: `3.2`.
    pub number: String,
    /// A name that stays when steps are added: that of the migration, `release-1`, `backfill-check-2`.
    pub id: String,
    /// `migration`, `release`, `check`.
    pub kind: String,
    /// What it does, as a verb: `add_column`, `backfill`, `release_application`.
    pub action: String,
    /// The table that it is about.
    pub table: Option<String>,
    /// What it does, or the name of the migration.
    pub title: String,
    /// The SQL that goes up, or the query.
    pub sql: Option<String>,
    /// What a query must answer.
    pub expected: Option<String>,
    /// The SQL that goes back.
    pub down: Option<String>,
    /// Whether a migration is one transaction.
    pub transactional: Option<bool>,
    /// What the application must do.
    pub must: Vec<String>,
    /// What a migration does as data, where it fills rows in batches.
    pub job: Option<JobReport>,
    /// Its strongest lock on a relation in use.
    pub lock: Option<String>,
    /// Who waits for it.
    pub waits: Option<String>,
    /// How long its work takes, in words.
    pub duration: Option<String>,
    /// How long its work takes, in seconds.
    pub seconds: Option<RangeReport>,
    /// The application is stopped meanwhile.
    pub stopped: bool,
}

/// A backfill that a runner can carry out instead of the SQL, which does the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobReport {
    /// The table, as SQL.
    pub table: String,
    /// The columns of the key whose windows are walked, as SQL; none: windows of pages.
    pub key: Vec<String>,
    /// The columns that are filled; where rows are copied, those of the other table.
    pub set: Vec<AssignmentReport>,
    /// The rows are deleted instead; no column is filled then.
    pub delete: bool,
    /// The rows are copied there instead, each read `FOR SHARE`.
    pub copy: Option<CopyReport>,
    /// The rows that still need it; a row that is done never satisfies it.
    pub pending: String,
    /// Rows of one window.
    pub batch_rows: u64,
    /// In how many commits a window is filled.
    pub passes: u32,
    /// The share of a row: `(spread & 2147483647) % passes`.
    pub spread: Option<String>,
    /// The setting that is `on` in each batch's transaction.
    pub guard: String,
    /// How long a batch waits for a row before it lets go of its own and tries again.
    pub lock_timeout: String,
    /// Lag of a replica at which it pauses.
    pub pause_lag_seconds: u64,
    /// Lag of all replicas at which it goes on.
    pub resume_lag_seconds: u64,
    /// The query that counts the rows that are left.
    pub remaining: String,
    /// What is set for its session before it begins.
    pub settings: Vec<SettingReport>,
    /// Row triggers of the table that may fire for each row.
    pub fires: Vec<String>,
}

/// A setting of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingReport {
    /// Its name.
    pub name: String,
    /// Its value, as `set_config` takes it.
    pub value: String,
}

/// Where rows are copied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopyReport {
    /// The other table, as SQL.
    pub into: String,
    /// The columns of its key, as SQL: `ON CONFLICT (key) DO NOTHING`.
    pub key: Vec<String>,
}

/// A column that is filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssignmentReport {
    /// The column, as SQL.
    pub column: String,
    /// The expression of its value, as SQL over the row.
    pub value: String,
}

impl From<&BackfillJob> for JobReport {
    fn from(job: &BackfillJob) -> Self {
        let sql = |name: &String| quote(name, Dialect::Postgres);
        let (key, passes, spread) = match &job.walk {
            Walk::Key { columns, passes, spread } => {
                (columns.iter().map(sql).collect(), *passes, Some(spread.clone()).filter(|_| *passes > 1))
            }
            Walk::Pages { .. } => (Vec::new(), 1, None),
        };
        let (set, copy) = match &job.work {
            Work::Set(set) => (set.as_slice(), None),
            Work::Delete => (Default::default(), None),
            Work::Copy { into, columns, key } => {
                let key = key.iter().map(sql).collect();
                (columns.as_slice(), Some(CopyReport { into: into.sql(Dialect::Postgres), key }))
            }
        };
        let set =
            set.iter().map(|(column, value)| AssignmentReport { column: sql(column), value: value.clone() });
        Self {
            table: job.table.sql(Dialect::Postgres),
            key,
            set: set.collect(),
            delete: job.work == Work::Delete,
            copy,
            pending: job.pending.clone(),
            batch_rows: job.batch_rows,
            passes,
            spread,
            guard: job.guard.clone(),
            lock_timeout: job.lock_timeout.clone(),
            pause_lag_seconds: job.pause_lag_seconds,
            resume_lag_seconds: job.resume_lag_seconds,
            remaining: job.remaining.clone(),
            settings: job
                .settings
                .iter()
                .map(|(name, value)| SettingReport { name: name.clone(), value: value.clone() })
                .collect(),
            fires: job.fires.clone(),
        }
    }
}

/// A runbook on the wire.
pub fn chosen_plan(brief: &Brief<'_>, runbook: &Runbook) -> ChosenPlan {
    let mut releases = 0;
    let phases = runbook.stages.iter().enumerate();
    ChosenPlan {
        strategy: brief.strategy.course.id().to_owned(),
        phases: phases.map(|(at, stage)| phase(at + 1, stage, brief.target.dialect, &mut releases)).collect(),
        compatibility: brief.compatibility.map(states).unwrap_or_default(),
        consumers: brief.consumers.iter().map(ConsumerReport::from).collect(),
        checklist: runbook.checklist.iter().map(ChecklistReport::from).collect(),
    }
}

impl From<&Consumer> for ConsumerReport {
    fn from(consumer: &Consumer) -> Self {
        Self {
            kind: consumer.kind.clone(),
            place: consumer.place.clone(),
            name: consumer.name.clone(),
            owner: consumer.owner.clone(),
            path: consumer.path.clone(),
        }
    }
}

impl From<&Item> for ChecklistReport {
    fn from(item: &Item) -> Self {
        Self { point: item.point.to_owned(), holds: item.holds, evidence: item.evidence.clone() }
    }
}

fn states(compatibility: &Compatibility) -> Vec<StateReport> {
    let name = |number: usize| if number == 0 { "running".to_owned() } else { format!("release {number}") };
    let state = |state: &State| StateReport {
        behind: state.behind.clone(),
        releases: state
            .beside
            .iter()
            .enumerate()
            .map(|(number, it)| BesideReport {
                release: name(number),
                live: it.live,
                works: it.misses.is_empty(),
                misses: it.misses.clone(),
            })
            .collect(),
    };
    compatibility.states.iter().map(state).collect()
}

fn phase(number: usize, stage: &Stage, dialect: Dialect, releases: &mut usize) -> PhaseReport {
    let phase = &stage.phase;
    let steps = stage.steps().enumerate();
    PhaseReport {
        number,
        phase: phase.kind.id().to_owned(),
        title: phase.title.clone(),
        entry: phase.entry.iter().map(CriterionReport::from).collect(),
        steps: steps
            .map(|(at, (it, cost))| {
                let place = format!("{number}.{}", at + 1);
                let check = format!("{}-check-{}", phase.kind.id(), at + 1);
                step(it, cost, place, check, dialect, releases)
            })
            .collect(),
        exit: phase.exit.iter().map(CriterionReport::from).collect(),
        integrity: (&stage.integrity).into(),
        rollback: phase.rollback.clone(),
        trigger: phase.trigger.clone(),
        measured: stage.measured.clone(),
        rollback_minutes: stage.back.into(),
        rollback_loses: stage.loses.clone(),
        gate: stage.gate.map(ToOwned::to_owned),
        owner: stage.owner.clone(),
    }
}

fn step(
    step: &Step,
    cost: Option<&StepCost>,
    number: String,
    check: String,
    dialect: Dialect,
    releases: &mut usize,
) -> StepReport {
    let (verb, table) = action(step, dialect);
    let blank = StepReport {
        number,
        id: check,
        kind: "check".to_owned(),
        action: verb.to_owned(),
        table,
        title: String::new(),
        sql: None,
        expected: None,
        down: None,
        transactional: None,
        must: Vec::new(),
        job: None,
        lock: cost.and_then(|it| it.lock_in_words(dialect)),
        waits: cost.filter(|it| !it.release).map(|it| it.waits.id().to_owned()),
        duration: cost.filter(|it| !it.release).map(duration),
        seconds: cost.filter(|it| !it.release).and_then(|it| it.seconds).map(Into::into),
        stopped: cost.is_some_and(|it| it.stopped),
    };
    match step {
        Step::Sql(sql) => StepReport {
            id: sql.name.clone(),
            kind: "migration".to_owned(),
            title: format!("{}: {}", sql.name, sql.title),
            sql: Some(sql.up()),
            down: sql.down(),
            transactional: Some(sql.transactional),
            job: sql.job().map(JobReport::from),
            ..blank
        },
        Step::Release(release) => {
            *releases += 1;
            StepReport {
                id: format!("release-{releases}"),
                kind: "release".to_owned(),
                title: "release the application".to_owned(),
                must: release.must.clone(),
                ..blank
            }
        }
        Step::Check(criterion) => StepReport {
            title: criterion.text.clone(),
            sql: criterion.query.clone(),
            expected: criterion.expected.clone(),
            ..blank
        },
    }
}

/// How long a migration takes, with the rows of a backfill.
fn duration(cost: &StepCost) -> String {
    let rows = cost.batched_rows.filter(|it| *it > 0).map(|it| format!("{} rows, ", counted(it)));
    let time = match cost.seconds {
        Some(range) if range.high < 0.1 => "milliseconds".to_owned(),
        Some(range) => range.in_words(),
        None => "goes by the number of rows".to_owned(),
    };
    format!("{}{time}", rows.unwrap_or_default())
}
