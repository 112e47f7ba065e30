//! Facts, strategies and the plan on the wire.

mod facts;
mod steps;
mod strategy;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ReferenceReport, TargetReport};

pub use facts::{QuestionReport, SignalReport};
pub use steps::{
    AssignmentReport, ChosenPlan, ConsumerReport, CopyReport, CriterionReport, JobReport, PhaseReport,
    StepReport, chosen_plan,
};
pub use strategy::{RangeReport, RecommendationReport, StrategyReport};

/// What `lockkeeper plan --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanReport {
    /// Always 1; fields are added, never changed.
    pub version: u32,
    /// The migration, relative to the root.
    pub file: String,
    /// What it runs on.
    pub target: TargetReport,
    /// What was observed, and what people stated.
    pub signals: Vec<SignalReport>,
    /// What only the developer can answer, as far as this change asks it.
    pub questions: Vec<QuestionReport>,
    /// The questions that are open and stop the plan; those that block `strategies` stop these too.
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

impl PlanReport {
    /// The strategy that the plan is made of.
    pub fn chosen(&self) -> Option<&StrategyReport> {
        let plan = self.plan.as_ref()?;
        self.strategies.iter().find(|it| it.name == plan.strategy)
    }

    /// The strategies that are possible, the best first.
    pub fn possible(&self) -> Vec<&StrategyReport> {
        let mut possible: Vec<&StrategyReport> =
            self.strategies.iter().filter(|it| it.excluded.is_none()).collect();
        possible.sort_by(|a, b| a.points.total_cmp(&b.points));
        possible
    }
}

/// One statement of the migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
