//! Whole ways of doing a change: generated from the recipes, costed, compared, and one recommended.
//!
//! Nothing here is a template: the phases are those that the recipes wrote for this schema, their locks and work come
//! from the effects of their own SQL, and the answers decide what is possible.

mod costs;
mod recommend;

use crate::plan::{Phase, PhaseKind, Way};
use crate::recipes;
use crate::signals::{Question, Signal};

pub use costs::{Costs, PhaseCost};
pub use recommend::{Recommendation, recommend};

/// One way of doing the whole change.
#[derive(Debug, Clone)]
pub struct Strategy {
    /// How it is carried out.
    pub way: Way,
    /// Its name for people.
    pub title: &'static str,
    /// What it is best at.
    pub optimises: &'static str,
    /// Its phases; empty where it is not possible.
    pub phases: Vec<Phase>,
    /// What it costs.
    pub costs: Costs,
    /// Why it is not possible here.
    pub excluded: Option<String>,
}

/// What strategies are generated from, beside the phases of each way.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What was observed.
    pub signals: &'a [Signal],
    /// What the developer answered.
    pub questions: &'a [Question],
    /// What the SQL of a phase is checked on.
    pub costing: costs::Costing<'a>,
}

impl Facts<'_> {
    /// The answer to a question.
    pub fn answer(&self, id: &str) -> Option<&str> {
        let question = self.questions.iter().find(|question| question.id == id)?;
        question.answer.as_ref().map(|answer| answer.value.as_str())
    }

    /// What is known of a signal.
    pub fn signal(&self, id: &str) -> Option<&str> {
        self.signals.iter().find(|signal| signal.id == id).and_then(|signal| signal.value.known())
    }
}

pub use costs::Costing;

/// The strategies that the ways make, with those that are not possible and why. `ways` holds each way's phases, or why
/// it has none.
pub fn generate(ways: Vec<(Way, Result<Vec<Phase>, String>)>, facts: &Facts<'_>) -> Vec<Strategy> {
    let mut strategies: Vec<Strategy> = Vec::new();
    for (way, phases) in ways {
        let (phases, refused) = match phases {
            Ok(phases) => (phases, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        if way != Way::Window && strategies.iter().any(|it| it.phases == phases && it.excluded.is_none()) {
            // What the way is about does not occur in this change.
            continue;
        }
        let costs = costs::of(&phases, way, &facts.costing);
        let excluded = refused.or_else(|| excluded(way, &phases, facts));
        let triggers = recipes::keep_in_step(&phases);
        let (title, optimises) = titles(way, triggers);
        strategies.push(Strategy { way, title, optimises, phases, costs, excluded });
    }
    strategies
}

fn titles(way: Way, triggers: bool) -> (&'static str, &'static str) {
    match way {
        Way::View => {
            ("A view or another stand-in under the old name", "near-zero downtime without copying rows")
        }
        Way::Triggers if triggers => {
            ("Database triggers keep old and new in step", "near-zero downtime with few releases")
        }
        Way::Triggers => ("Online steps", "near-zero downtime"),
        Way::Application => {
            ("The application writes old and new", "coexistence of old and new without code in the database")
        }
        Way::Window => ("One step in a maintenance window", "speed, with a window"),
    }
}

/// Why the answers rule a way out.
fn excluded(way: Way, phases: &[Phase], facts: &Facts<'_>) -> Option<String> {
    let releases = phases.iter().flat_map(Phase::releases).count();
    let allowed = match facts.answer("releases-between-steps") {
        Some("any") | None => usize::MAX,
        Some(number) => number.parse().unwrap_or(usize::MAX),
    };
    if way == Way::Window {
        let window = facts.answer("downtime-allowed") == Some("window");
        return (!window).then(|| "no maintenance window can be announced (downtime-allowed)".to_owned());
    }
    if releases > allowed {
        return Some(format!("it needs {releases} releases between the steps, and {allowed} are possible"));
    }
    let elsewhere = facts.answer("every-writer-is-here") == Some("no");
    if way == Way::Application && elsewhere {
        return Some(
            "other programs write these tables too, and would not write both (every-writer-is-here)"
                .to_owned(),
        );
    }
    None
}

/// The phase after which going back loses something.
pub fn point_of_no_return(phases: &[Phase]) -> Option<&Phase> {
    phases.iter().find(|phase| phase.kind == PhaseKind::Contract)
}
