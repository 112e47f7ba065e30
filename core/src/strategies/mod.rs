//! Whole ways of doing a change: generated from the recipes, costed, weighed, and one recommended.
//!
//! Nothing here is a template: the steps are those that the recipes wrote for this schema, their locks and work come from the effects of
//! their own SQL, what they cost is computed at the sizes and for the people at hand, and where the recommendation would change is
//! searched, not phrased.

mod costs;
mod course;
mod describe;
mod flips;
mod load;
mod possible;
mod recommend;
mod weigh;

use crate::catalog::Catalog;
use crate::dialect::Target;
use crate::plan::{Phase, PhaseKind};
use crate::signals::{Nature, Situation};

pub use costs::{Costs, Pace, PhaseCost, RELEASE_BACK, Return, StepCost};
pub use course::{Course, moves_reads, stopped_from};
pub use describe::{Described, FailureMode};
pub use flips::Flip;
pub use possible::Excluded;
pub use recommend::{Recommendation, best, recommend};
pub use weigh::{Weighed, points};

/// One way of doing the whole change.
#[derive(Debug, Clone)]
pub struct Strategy {
    /// How it is carried out.
    pub course: Course,
    /// Its name for people.
    pub title: &'static str,
    /// What it is best at among those that are possible here.
    pub optimises: String,
    /// Its phases; empty where its steps could not be made.
    pub phases: Vec<Phase>,
    /// What its steps do.
    loads: Vec<load::StepLoad>,
    /// What it costs.
    pub costs: Costs,
    /// What it costs in points.
    pub weighed: Vec<Weighed>,
    /// Why it is not possible here, and what would make it so.
    pub excluded: Option<Excluded>,
    /// A strategy that is no worse in anything.
    pub dominated_by: Option<Course>,
}

impl Strategy {
    /// Its points; fewer are better.
    pub fn points(&self) -> f64 {
        points(&self.weighed)
    }

    /// Whether it can be chosen.
    pub fn is_possible(&self) -> bool {
        self.excluded.is_none()
    }

    /// What it is, what speaks for and against it, and how it fails.
    pub fn described(&self, facts: &Facts<'_>) -> Described {
        describe::described(self, facts)
    }
}

/// What strategies are made from, beside the phases of each course.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What decides between them.
    pub situation: &'a Situation,
    /// What the change is like.
    pub nature: &'a Nature,
    /// The target.
    pub target: &'a Target,
    /// The schema before the change.
    pub before: &'a Catalog,
    /// Why the migration as it was written fails, where it does.
    pub fails: Option<&'a str>,
    /// What the running release misses beside the schema that the migration as it was written leaves.
    pub misses: &'a [String],
    /// Hours that are not work.
    pub pace: Pace,
}

/// The strategies that the courses make, with those that are not possible and why. `courses` holds each course's phases, or why it has none.
pub fn generate(courses: Vec<(Course, Result<Vec<Phase>, String>)>, facts: &Facts<'_>) -> Vec<Strategy> {
    let mut strategies: Vec<Strategy> = Vec::new();
    for (course, phases) in courses {
        let (phases, refused) = match phases {
            Ok(phases) => (phases, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        let same = |it: &Strategy| matches!(it.course, Course::Steps(_)) && it.phases == phases;
        if matches!(course, Course::Steps(_)) && strategies.iter().any(same) {
            // What the way is about does not occur in this change.
            continue;
        }
        let loads = load::of(&phases, facts.target, facts.before);
        let costs = costs::price(course, &phases, &loads, facts.situation, facts.nature, facts.pace);
        let excluded = refused
            .map(|reason| Excluded {
                reason,
                unless: "the migration is split or changed as it says".to_owned(),
            })
            .or_else(|| possible::excluded(course, &phases, &costs, facts));
        strategies.push(Strategy {
            course,
            title: course.title(&phases),
            optimises: String::new(),
            weighed: weigh::weigh(course, &phases, &costs, facts.situation),
            phases,
            loads,
            costs,
            excluded,
            dominated_by: None,
        });
    }
    describe::compare(&mut strategies);
    strategies
}

/// The same strategies in another situation.
fn again(strategies: &[Strategy], facts: &Facts<'_>) -> Vec<(Course, f64)> {
    let priced = strategies.iter().filter(|it| !it.phases.is_empty()).filter_map(|it| {
        let costs = costs::price(it.course, &it.phases, &it.loads, facts.situation, facts.nature, facts.pace);
        let possible = possible::excluded(it.course, &it.phases, &costs, facts).is_none();
        possible.then(|| (it.course, points(&weigh::weigh(it.course, &it.phases, &costs, facts.situation))))
    });
    priced.collect()
}

/// The phase after which going back loses something.
pub fn point_of_no_return(phases: &[Phase]) -> Option<&Phase> {
    phases.iter().find(|phase| phase.kind == PhaseKind::Contract)
}
