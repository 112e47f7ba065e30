//! The report of a plan: Markdown and a page for people, JSON for programs.

mod html;
mod markdown;

use serde::Serialize;
use serde_json::{Value, json};

use super::plan::{PhaseReport, PlanReport, StepReport};

pub use html::html;
pub use markdown::markdown;

/// Where the reports stand, relative to the root.
pub const FOLDER: &str = "docs/database-report";
/// The report for people.
pub const MARKDOWN: &str = "migration-strategist-report.md";
/// The report for programs.
pub const JSON: &str = "migration-strategist-output.json";
/// The page.
pub const HTML: &str = "migration-strategist-report.html";

/// One entry of `steps`.
#[derive(Debug, Serialize)]
struct OutputStep {
    id: String,
    phase: String,
    target_table: String,
    action: String,
    details: String,
    query: Option<String>,
    rollback: Option<String>,
    transactional: Option<bool>,
}

/// The report for programs: `skill` and `steps` as others know them, and our own plan beside them.
pub fn json(report: &PlanReport) -> Value {
    json!({
        "skill": "migration-strategist",
        "version": 1,
        "steps": steps(report),
        "report": report,
    })
}

/// The phases that others know, in their order.
const PHASES: [&str; 5] = ["expand", "app_release_1", "backfill", "app_release_2", "contract"];

/// The migrations and releases in the order in which they are carried out.
fn steps(report: &PlanReport) -> Vec<OutputStep> {
    let first = report.operations.iter().find_map(|it| it.table.clone()).unwrap_or_default();
    let Some(plan) = &report.plan else { return Vec::new() };
    let mut names = Names::default();
    let mut steps: Vec<OutputStep> = Vec::new();
    for phase in &plan.phases {
        for step in phase.steps.iter().filter(|it| it.kind != "check") {
            steps.push(OutputStep {
                id: step.id.clone(),
                phase: names.of(phase, step),
                target_table: step.table.clone().unwrap_or_else(|| first.clone()),
                action: step.action.clone(),
                details: if step.must.is_empty() { step.title.clone() } else { step.must.join("; ") },
                query: step.sql.clone(),
                rollback: step.down.clone(),
                transactional: step.transactional,
            });
        }
    }
    fill_gaps(&mut steps, &first);
    steps
}

/// What the phases of steps are called: a release before rows are filled is the first, one behind it the second.
#[derive(Default)]
struct Names {
    filled: bool,
    last: usize,
}

impl Names {
    fn of(&mut self, phase: &PhaseReport, step: &StepReport) -> String {
        if step.kind == "release" {
            let least = if self.filled || phase.phase != "dual-write" { 2 } else { 1 };
            self.last = (self.last + 1).max(least);
            return format!("app_release_{}", self.last);
        }
        self.filled |= step.job.is_some();
        match phase.phase.as_str() {
            "expand" | "assessment" => "expand",
            "contract" => "contract",
            _ => "backfill",
        }
        .to_owned()
    }
}

/// All five phases stand there, also those in which nothing has to be done; each before the first that comes later.
fn fill_gaps(steps: &mut Vec<OutputStep>, table: &str) {
    let rank = |phase: &str| PHASES.iter().position(|it| *it == phase).unwrap_or(3);
    for phase in PHASES {
        if steps.iter().any(|step| step.phase == phase) {
            continue;
        }
        let at = steps.iter().position(|step| rank(&step.phase) > rank(phase)).unwrap_or(steps.len());
        let filler = OutputStep {
            id: format!("{phase}-nothing"),
            phase: phase.to_owned(),
            target_table: table.to_owned(),
            action: "nothing_to_do".to_owned(),
            details: "this strategy needs nothing here: the running release goes on unchanged".to_owned(),
            query: None,
            rollback: None,
            transactional: None,
        };
        steps.insert(at, filler);
    }
}
