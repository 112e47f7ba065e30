//! Which release runs beside which state of the schema: asked of the same model that proves a plan.

use super::moments::course;
use super::{Change, needs};
use crate::plan::Phase;

/// Releases against the states that a plan leads through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compatibility {
    /// Releases beside the running one.
    pub releases: usize,
    /// The states, in their order.
    pub states: Vec<State>,
}

/// A state of the schema, and who runs beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The migration that led here; `None` before all of them.
    pub behind: Option<String>,
    /// The running release, then each that the plan asks for.
    pub beside: Vec<Beside>,
}

/// A release beside a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The plan has it live at this time.
    pub live: bool,
    /// What it misses; nothing where it works.
    pub misses: Vec<String>,
}

/// Every release of a plan beside every state that it leads through.
pub fn compatibility(change: &Change<'_>, phases: &[Phase]) -> Compatibility {
    let course = course(change, phases);
    let releases = course.releases.len();
    let mut states: Vec<State> = Vec::new();
    for moment in &course.moments {
        let behind = moment.step.as_ref().map(|(_, name)| name.clone());
        let live = |number: usize| number == moment.out || (moment.rolls_out && number == moment.out + 1);
        if let Some(same) = states.last_mut().filter(|it| it.behind == behind) {
            // A state with several moments: who is live at one of them, and what is missed at any.
            for (number, beside) in same.beside.iter_mut().enumerate() {
                beside.live |= live(number);
            }
            if moment.rolls_out {
                continue;
            }
        }
        let beside = (0..=releases).map(|number| {
            let missed = needs::missed(change, &course, moment, number);
            Beside { live: live(number), misses: missed.into_iter().map(|it| it.words).collect() }
        });
        let beside: Vec<Beside> = beside.collect();
        match states.last_mut().filter(|it| it.behind == behind) {
            Some(same) => {
                for (kept, now) in same.beside.iter_mut().zip(beside) {
                    kept.live |= now.live;
                    kept.misses = now.misses;
                }
            }
            None => states.push(State { behind, beside }),
        }
    }
    Compatibility { releases, states }
}
