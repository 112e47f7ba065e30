//! Steps of somebody else, reviewed.

use schemars::JsonSchema;
use serde::Serialize;

use super::TargetReport;

/// What `lockkeeper review --format json` prints.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewReport {
    /// Always 1; fields are added, never changed.
    pub version: u32,
    /// What it was reviewed for.
    pub target: TargetReport,
    /// `pass`, `warn`, `unread` or `block`.
    pub verdict: String,
    /// Whether the schema before the steps is known.
    pub schema_known: bool,
    /// The steps, in order.
    pub steps: Vec<ReviewedStep>,
    /// Where releases can stand between the steps, in order; empty where none has to, or none can.
    pub releases: Vec<ReviewedRelease>,
    /// Whether some course of releases works beside all steps.
    pub releasable: bool,
    /// The first step that loses what cannot be made again; nothing where none does.
    pub point_of_no_return: Option<usize>,
    /// What stands against the steps, worst first.
    pub objections: Vec<ReviewObjection>,
    /// What nobody could read: the steps around it are judged as if it were not there.
    pub unread: Vec<ReviewUnread>,
    /// What a plan in words was looked through for; empty where there are files only.
    pub checklist: Vec<ReviewPoint>,
}

/// One step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewedStep {
    /// Its number, from 1 on.
    pub step: usize,
    /// Its file, or its place in the plan.
    pub name: String,
    /// What the release that runs before the steps misses behind it; empty where it works.
    pub running_release: Vec<String>,
    /// What the release for the schema behind all steps misses behind it; empty where it works.
    pub new_release: Vec<String>,
    /// Whether it has a way back.
    pub goes_back: bool,
    /// What it does to others.
    pub findings: Vec<ReviewFinding>,
}

/// A finding of a rule.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewFinding {
    /// The rule.
    pub rule: String,
    /// `danger`, `warning` or `note`.
    pub severity: String,
    /// The line in its file, from 1 on.
    pub line: usize,
    /// What happens.
    pub message: String,
}

/// A release of the application.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewedRelease {
    /// `new`, or `both`: one that writes old and new.
    pub release: String,
    /// It is rolled out when at least so many steps have run.
    pub behind_step: usize,
    /// It is out everywhere, and no instance of the one before it runs, before this step; nothing where none follows that needs it.
    pub before_step: Option<usize>,
}

/// What stands against the steps.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewObjection {
    /// The step that it is about.
    pub step: Option<usize>,
    /// `danger` or `warning`.
    pub severity: String,
    /// What breaks, for whom, and what to do.
    pub message: String,
}

/// A place that nobody could read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewUnread {
    /// The file, or the place in the plan.
    pub name: String,
    /// The line, from 1 on.
    pub line: usize,
    /// Why.
    pub reason: String,
    /// What to do.
    pub advice: String,
}

/// A point that a plan in words should make.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewPoint {
    /// What is looked for.
    pub point: String,
    /// The line that makes it; nothing where none does.
    pub line: Option<usize>,
}
