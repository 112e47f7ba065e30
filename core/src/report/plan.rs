//! Signals, strategies and the plan on the wire.

use schemars::JsonSchema;
use serde::Serialize;

use super::{ReferenceReport, TargetReport};
use crate::dialect::{Dialect, quote};
use crate::estimate::in_words;
use crate::plan::{BackfillJob, Criterion, Phase, Step, Walk, Work};
use crate::signals::{Question, Signal, SignalValue};
use crate::strategies::{Recommendation, Strategy};

/// What `lockkeeper plan --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PlanReport {
    /// Always 1; fields are added, never changed.
    pub version: u32,
    /// The migration, relative to the root.
    pub file: String,
    /// What it runs on.
    pub target: TargetReport,
    /// What was observed.
    pub signals: Vec<SignalReport>,
    /// What only the developer can answer.
    pub questions: Vec<QuestionReport>,
    /// The questions that are open and stop the strategies.
    pub blocked_by: Vec<String>,
    /// What the migration does, and what is dangerous in it.
    pub operations: Vec<OperationReport>,
    /// The ways of doing it, with those that are not possible.
    pub strategies: Vec<StrategyReport>,
    /// The one that fits best.
    pub recommendation: Option<RecommendationReport>,
    /// The chosen strategy written out.
    pub plan: Option<ChosenPlan>,
    /// Why more than one person must look.
    pub escalations: Vec<String>,
}

/// An observed fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignalReport {
    /// Its name.
    pub id: String,
    /// Its value; `unknown` is one.
    pub value: String,
    /// Where it was seen.
    pub evidence: Vec<EvidenceReport>,
    /// What follows from it.
    pub implication: String,
}

/// Where a signal was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EvidenceReport {
    /// The file.
    pub path: String,
    /// Its line.
    pub line: usize,
    /// The line; text of the repository, not ours.
    pub excerpt: String,
}

impl From<&Signal> for SignalReport {
    fn from(signal: &Signal) -> Self {
        let value = match &signal.value {
            SignalValue::Known(value) => value.clone(),
            SignalValue::Unknown => "unknown".to_owned(),
        };
        let evidence = signal.evidence.iter().map(|it| EvidenceReport {
            path: it.path.clone(),
            line: it.line,
            excerpt: it.excerpt.clone(),
        });
        Self {
            id: signal.id.to_owned(),
            value,
            evidence: evidence.collect(),
            implication: signal.implication.clone(),
        }
    }
}

/// A question with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct QuestionReport {
    /// Its name: the key under `[answers]` in lockkeeper.toml.
    pub id: String,
    /// The question.
    pub text: String,
    /// What it decides.
    pub why: String,
    /// What can be answered.
    pub choices: Vec<ChoiceReport>,
    /// What waits for it: `strategies` or `plan`.
    pub blocks: String,
    /// The answer, if somebody gave it.
    pub answer: Option<String>,
    /// Who gave it.
    pub source: Option<String>,
}

/// One possible answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChoiceReport {
    /// The value.
    pub value: String,
    /// What it means.
    pub meaning: String,
}

impl From<&Question> for QuestionReport {
    fn from(question: &Question) -> Self {
        let choices = question.choices.iter();
        Self {
            id: question.id.to_owned(),
            text: question.text.to_owned(),
            why: question.why.to_owned(),
            choices: choices
                .map(|it| ChoiceReport { value: it.value.to_owned(), meaning: it.meaning.to_owned() })
                .collect(),
            blocks: question.blocks.id().to_owned(),
            answer: question.answer.as_ref().map(|it| it.value.clone()),
            source: question.answer.as_ref().map(|it| it.source.clone()),
        }
    }
}

/// One statement of the migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OperationReport {
    /// The statement.
    pub statement: String,
    /// The table that it is on.
    pub table: Option<String>,
    /// The hazards that it has.
    pub hazards: Vec<String>,
    /// Who waits.
    pub waits: String,
    /// Who uses what it takes away.
    pub references: Vec<ReferenceReport>,
}

/// A strategy on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StrategyReport {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it is best at.
    pub optimises: String,
    /// Why it is not possible here.
    pub excluded: Option<String>,
    /// For how long others wait while rows are read or written, in words.
    pub blocked: String,
    /// The least and the most of it, in seconds.
    pub blocked_seconds: Option<(f64, f64)>,
    /// Migrations.
    pub migrations: usize,
    /// Releases of the application.
    pub releases: usize,
    /// Hours from the first step to the last.
    pub elapsed_hours: f64,
    /// What is lost, and from when on.
    pub point_of_no_return: String,
    /// What people have to do.
    pub burden: Vec<String>,
    /// Its phases in short.
    pub phases: Vec<PhaseSummary>,
}

/// A phase in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PhaseSummary {
    /// The phase.
    pub phase: String,
    /// What happens.
    pub title: String,
    /// Its strongest lock.
    pub lock: Option<String>,
    /// Who waits for it.
    pub waits: String,
    /// How long its work takes, in words.
    pub work: Option<String>,
}

impl From<&Strategy> for StrategyReport {
    fn from(strategy: &Strategy) -> Self {
        let costs = &strategy.costs;
        let blocked = match costs.blocked_seconds {
            _ if !costs.works_under_lock => "moments only, each given up after the lock timeout".to_owned(),
            Some(range) => in_words(range),
            None => "unknown: it goes by the number of rows".to_owned(),
        };
        let phases = strategy.phases.iter().zip(&costs.phases).map(|(phase, cost)| PhaseSummary {
            phase: phase.kind.id().to_owned(),
            title: phase.title.clone(),
            lock: cost.lock.map(|lock| lock.title().to_owned()),
            waits: cost.waits.id().to_owned(),
            work: cost.work.map(|work| match cost.seconds {
                Some(range) => format!("{}, {}", work.id(), in_words(range)),
                None => work.id().to_owned(),
            }),
        });
        Self {
            name: strategy.way.id().to_owned(),
            title: strategy.title.to_owned(),
            optimises: strategy.optimises.to_owned(),
            excluded: strategy.excluded.clone(),
            blocked,
            blocked_seconds: costs.blocked_seconds,
            migrations: costs.migrations,
            releases: costs.releases,
            elapsed_hours: costs.elapsed_hours,
            point_of_no_return: costs.point_of_no_return.clone(),
            burden: costs.burden.clone(),
            phases: phases.collect(),
        }
    }
}

/// A recommendation on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecommendationReport {
    /// The strategy.
    pub strategy: String,
    /// Why.
    pub reasons: Vec<String>,
    /// What is accepted.
    pub accepted: Vec<String>,
    /// When to think again.
    pub revisit: Vec<String>,
}

impl From<&Recommendation> for RecommendationReport {
    fn from(recommendation: &Recommendation) -> Self {
        Self {
            strategy: recommendation.way.id().to_owned(),
            reasons: recommendation.reasons.clone(),
            accepted: recommendation.accepted.clone(),
            revisit: recommendation.revisit.clone(),
        }
    }
}

/// The chosen strategy written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChosenPlan {
    /// The strategy.
    pub strategy: String,
    /// The phases in order.
    pub phases: Vec<PhaseReport>,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PhaseReport {
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
    /// How it is undone.
    pub rollback: String,
    /// When it is undone.
    pub trigger: String,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepReport {
    /// `migration`, `release`, `check`.
    pub kind: String,
    /// What it does, or the name of the migration.
    pub title: String,
    /// The SQL that goes up, or the query.
    pub sql: Option<String>,
    /// The SQL that goes back.
    pub down: Option<String>,
    /// Whether a migration is one transaction.
    pub transactional: Option<bool>,
    /// What the application must do.
    pub must: Vec<String>,
    /// What a migration does as data, where it fills rows in batches.
    pub job: Option<JobReport>,
}

/// A backfill that a runner can carry out instead of the SQL, which does the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SettingReport {
    /// Its name.
    pub name: String,
    /// Its value, as `set_config` takes it.
    pub value: String,
}

/// Where rows are copied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CopyReport {
    /// The other table, as SQL.
    pub into: String,
    /// The columns of its key, as SQL: `ON CONFLICT (key) DO NOTHING`.
    pub key: Vec<String>,
}

/// A column that is filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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

/// A phase on the wire.
pub fn phase_report(phase: &Phase) -> PhaseReport {
    PhaseReport {
        phase: phase.kind.id().to_owned(),
        title: phase.title.clone(),
        entry: phase.entry.iter().map(CriterionReport::from).collect(),
        steps: phase.steps.iter().map(step_report).collect(),
        exit: phase.exit.iter().map(CriterionReport::from).collect(),
        rollback: phase.rollback.clone(),
        trigger: phase.trigger.clone(),
    }
}

fn step_report(step: &Step) -> StepReport {
    match step {
        Step::Sql(sql) => StepReport {
            kind: "migration".to_owned(),
            title: format!("{}: {}", sql.name, sql.title),
            sql: Some(sql.up()),
            down: sql.down(),
            transactional: Some(sql.transactional),
            must: Vec::new(),
            job: sql.job().map(JobReport::from),
        },
        Step::Release(release) => StepReport {
            kind: "release".to_owned(),
            title: "release the application".to_owned(),
            sql: None,
            down: None,
            transactional: None,
            must: release.must.clone(),
            job: None,
        },
        Step::Check(criterion) => StepReport {
            kind: "check".to_owned(),
            title: criterion.text.clone(),
            sql: criterion.query.clone(),
            down: None,
            transactional: None,
            must: Vec::new(),
            job: None,
        },
    }
}
