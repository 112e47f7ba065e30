//! Strategies and their comparison on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Range;
use crate::strategies::{Facts, Flip, Recommendation, Strategy};

/// The least, the likely and the most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RangeReport {
    /// The least.
    pub low: f64,
    /// What is to be expected.
    pub likely: f64,
    /// The most.
    pub high: f64,
}

impl From<Range> for RangeReport {
    fn from(range: Range) -> Self {
        Self { low: range.low, likely: range.likely, high: range.high }
    }
}

/// A strategy on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StrategyReport {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it is best at.
    pub optimises: String,
    /// Why it is not possible here.
    pub excluded: Option<String>,
    /// What would make it possible.
    pub possible_if: Option<String>,
    /// A possible strategy that is no worse in anything.
    pub dominated_by: Option<String>,
    /// What happens.
    pub description: String,
    /// What speaks for it.
    pub pros: Vec<String>,
    /// What speaks against it.
    pub cons: Vec<String>,
    /// How it fails.
    pub failure_modes: Vec<FailureModeReport>,
    /// How it fits what is known of those who carry it out.
    pub fit: String,
    /// What must be there for it.
    pub needs: Vec<String>,
    /// For how long others wait while rows are read or written, in words.
    pub blocked: String,
    /// The least and the most of it, in seconds.
    pub blocked_seconds: Option<(f64, f64)>,
    /// How often a lock is taken for a moment that others wait for.
    pub moments: usize,
    /// For how long the application is stopped, in seconds; `null` where it goes by a number of rows that is not known.
    pub downtime_seconds: Option<RangeReport>,
    /// Seconds of work in batches.
    pub backfill_seconds: Option<RangeReport>,
    /// Migrations.
    pub migrations: usize,
    /// Releases of the application.
    pub releases: usize,
    /// Hours from the first step to the last.
    pub elapsed_hours: f64,
    /// Bytes of WAL that the work writes.
    pub wal_bytes: Option<f64>,
    /// Bytes of disk that it takes for a while.
    pub disk_bytes: Option<f64>,
    /// Minutes until the release before serves everybody again.
    pub rollback_minutes: RangeReport,
    /// Whether going back the day after loses something.
    pub rollback_loses: bool,
    /// What is lost, and from when on.
    pub point_of_no_return: String,
    /// What people have to do.
    pub burden: Vec<String>,
    /// All points; fewer are better.
    pub points: f64,
    /// What the points are made of.
    pub criteria: Vec<CriterionPoints>,
    /// Its phases in short.
    pub phases: Vec<PhaseSummary>,
}

/// A way in which a strategy fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureModeReport {
    /// What goes wrong.
    pub what: String,
    /// How far it reaches.
    pub blast_radius: String,
    /// What is done then.
    pub then: String,
}

/// A criterion with its points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CriterionPoints {
    /// What is weighed.
    pub criterion: String,
    /// How much of it there is.
    pub amount: String,
    /// Its points.
    pub points: f64,
    /// Where the weight comes from.
    pub because: String,
}

/// A phase in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

impl StrategyReport {
    /// A strategy in the situation that it was made for.
    pub fn of(strategy: &Strategy, facts: &Facts<'_>) -> Self {
        let costs = &strategy.costs;
        let described = strategy.described(facts);
        let blocked = match costs.blocked {
            _ if !costs.works_under_lock => "moments only, each given up after the lock timeout".to_owned(),
            Some(range) => range.in_words(),
            None => "unknown: it goes by the number of rows".to_owned(),
        };
        let modes = described.failure_modes.into_iter().map(|it| FailureModeReport {
            what: it.what,
            blast_radius: it.blast_radius,
            then: it.then,
        });
        let criteria = strategy.weighed.iter().map(|it| CriterionPoints {
            criterion: it.criterion.to_owned(),
            amount: it.amount.clone(),
            points: (it.points * 10.0).round() / 10.0,
            because: it.because.clone(),
        });
        Self {
            name: strategy.course.id().to_owned(),
            title: strategy.title.to_owned(),
            optimises: strategy.optimises.clone(),
            excluded: strategy.excluded.as_ref().map(|it| it.reason.clone()),
            possible_if: strategy.excluded.as_ref().map(|it| it.unless.clone()),
            dominated_by: strategy.dominated_by.map(|it| it.id().to_owned()),
            description: described.description,
            pros: described.pros,
            cons: described.cons,
            failure_modes: modes.collect(),
            fit: described.fit,
            needs: described.needs,
            blocked,
            blocked_seconds: costs.blocked.map(Range::ends),
            moments: costs.stops,
            downtime_seconds: costs.downtime.map(Into::into),
            backfill_seconds: costs.batches.map(Into::into),
            migrations: costs.migrations,
            releases: costs.releases,
            elapsed_hours: costs.elapsed.likely,
            wal_bytes: costs.wal,
            disk_bytes: costs.disk,
            rollback_minutes: costs.way_back.minutes.into(),
            rollback_loses: costs.way_back.loses,
            point_of_no_return: costs.way_back.point_of_no_return.clone(),
            burden: described.operational_cost,
            points: (strategy.points() * 10.0).round() / 10.0,
            criteria: criteria.collect(),
            phases: summaries(strategy),
        }
    }
}

fn summaries(strategy: &Strategy) -> Vec<PhaseSummary> {
    let phases = strategy.phases.iter().zip(&strategy.costs.phases);
    let summary = phases.map(|(phase, cost)| PhaseSummary {
        phase: phase.kind.id().to_owned(),
        title: phase.title.clone(),
        lock: cost.lock.map(|lock| lock.title().to_owned()),
        waits: cost.waits.id().to_owned(),
        work: cost.work.map(|work| match cost.seconds {
            Some(range) => format!("{}, {}", work.id(), range.in_words()),
            None => work.id().to_owned(),
        }),
    });
    summary.collect()
}

/// A recommendation on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecommendationReport {
    /// The strategy.
    pub strategy: String,
    /// Why.
    pub reasons: Vec<String>,
    /// What is accepted.
    pub accepted: Vec<String>,
    /// Where another would be recommended.
    pub flips: Vec<FlipReport>,
    /// When to think again.
    pub revisit: Vec<String>,
}

/// A change of one fact that changes the recommendation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlipReport {
    /// The fact or answer.
    pub fact: String,
    /// From where on.
    pub when: String,
    /// What is recommended then.
    pub strategy: String,
}

impl From<&Flip> for FlipReport {
    fn from(flip: &Flip) -> Self {
        Self { fact: flip.fact.to_owned(), when: flip.when.clone(), strategy: flip.course.id().to_owned() }
    }
}

impl From<&Recommendation> for RecommendationReport {
    fn from(recommendation: &Recommendation) -> Self {
        Self {
            strategy: recommendation.course.id().to_owned(),
            reasons: recommendation.reasons.clone(),
            accepted: recommendation.accepted.clone(),
            flips: recommendation.flips.iter().map(Into::into).collect(),
            revisit: recommendation.revisit.clone(),
        }
    }
}
