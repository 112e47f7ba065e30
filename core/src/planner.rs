//! One migration is one change: the parts that recipes make of its statements, put together into one course.
//!
//! Every part is a course of its own, cut where it waits for a release: what may happen before any release notices, what
//! waits for the first, for the second. Put together, what several parts do at the same time stands in one phase, and
//! what their releases must do stands in one release. A part that uses what another one changes never comes before it;
//! whether it may come before that one's end the model says (`verify`).

mod guards;
mod mended;
mod merge;
mod settings;
mod touch;

use crate::operation::{Kind, ObjectKind};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step};

pub use guards::guarded;
pub use settings::Settings;
pub use touch::{Touch, touches};

/// What one or more statements of a migration become.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its phases, in order.
    pub phases: Vec<Phase>,
    /// What it has to do with; `None` where nobody can tell.
    pub touches: Option<Vec<Touch>>,
}

impl Part {
    /// Whether it has to do with something that another one has to do with.
    fn meets(&self, other: &Self) -> bool {
        match (&self.touches, &other.touches) {
            (Some(own), Some(others)) => own.iter().any(|it| others.iter().any(|other| it.meets(other))),
            _ => true,
        }
    }

    /// Whether it changes rows.
    fn changes_rows(&self) -> bool {
        let statements = |phase: &Phase| phase.migrations().any(|it| it.operations().any(Kind::changes_rows));
        self.phases.iter().any(|it| it.kind == PhaseKind::Backfill || statements(it))
    }
}

/// The more parts there are, the longer the model thinks about each place that one of them could have.
const MOST_TRIED: usize = 30;

/// The phases of all parts. `proved` tells whether the phases of the first parts, as many as it is given, are proved in the model.
pub fn together(parts: &[Part], proved: impl Fn(&[Phase], usize) -> bool) -> Vec<Phase> {
    let joined = mended::mended(parts);
    if joined.len() < parts.len() {
        let whole = |phases: &[Phase], count: usize| count < joined.len() || proved(phases, parts.len());
        let phases = in_order(&joined, whole);
        if proved(&phases, parts.len()) {
            return phases;
        }
    }
    in_order(parts, proved)
}

/// The phases of parts that stay in their order where they meet.
fn in_order(parts: &[Part], proved: impl Fn(&[Phase], usize) -> bool) -> Vec<Phase> {
    if let [one] = parts {
        return one.phases.clone();
    }
    let mut early = Course::default();
    parts.iter().enumerate().for_each(|(at, part)| early.place(parts, at, early.earliest(parts, at), part));
    for course in [early.contracts_last(parts), early] {
        let phases = course.phases(parts);
        if proved(&phases, parts.len()) {
            return phases;
        }
    }
    if parts.len() > MOST_TRIED {
        return one_after_the_other(parts);
    }
    let mut course = Course::default();
    for (at, part) in parts.iter().enumerate() {
        let last = course.epochs.len().saturating_sub(1);
        let placed = (course.earliest(parts, at)..=last).map(|first| {
            let mut tried = course.clone();
            tried.place(parts, at, first, part);
            tried
        });
        let mut placed: Vec<Course> = placed.collect();
        let found = placed.iter().position(|it| proved(&it.phases(parts), at + 1));
        course = placed.swap_remove(found.unwrap_or(placed.len() - 1));
    }
    let phases = course.phases(parts);
    // Where the model objects anyway, what stands against it is told best in the order of the statements.
    if proved(&phases, parts.len()) { phases } else { one_after_the_other(parts) }
}

fn one_after_the_other(parts: &[Part]) -> Vec<Phase> {
    parts.iter().flat_map(|it| it.phases.iter().cloned()).collect()
}

/// What happens between two releases, and the one before it.
#[derive(Debug, Clone, Default)]
struct Epoch {
    /// What the release that begins it must do, and what is so before and after.
    release: Option<Phase>,
    /// Its phases, each with the number of its part.
    phases: Vec<(usize, Phase)>,
}

/// Parts put together.
#[derive(Debug, Clone, Default)]
struct Course {
    epochs: Vec<Epoch>,
}

impl Course {
    /// The first epoch in which a part may begin. What it does may read rows that others fill, and was written for columns that have the types, and
    /// tables that have the form, which a cutover gives them; and what it changes would be followed by the triggers that others need until their contract.
    fn earliest(&self, parts: &[Part], part: usize) -> usize {
        let changes_rows = parts[part].changes_rows();
        let waits = |(number, phase): &(usize, Phase)| {
            let gives = match phase.kind {
                PhaseKind::Cutover => phase.migrations().next().is_some(),
                PhaseKind::Backfill => changes_rows,
                PhaseKind::Contract => changes_rows && ends_triggers(phase),
                PhaseKind::Expand => adds_labels(phase),
                _ => false,
            };
            gives && parts[*number].meets(&parts[part])
        };
        let last = self.epochs.iter().rposition(|epoch| epoch.phases.iter().any(waits)).unwrap_or(0);
        // Its own releases may go out before.
        let idle = cuts(&parts[part].phases).iter().take_while(|it| it.phases.is_empty()).count();
        last.saturating_sub(idle)
    }

    /// Puts a part in, from an epoch on.
    fn place(&mut self, parts: &[Part], number: usize, first: usize, part: &Part) {
        for (offset, cut) in cuts(&part.phases).into_iter().enumerate() {
            let at = first + offset;
            while self.epochs.len() <= at {
                self.epochs.push(Epoch::default());
            }
            let epoch = &mut self.epochs[at];
            if let Some(release) = cut.release {
                epoch.release = Some(match epoch.release.take() {
                    Some(before) => merge::releases(before, release),
                    None => release,
                });
            }
            // Behind what it meets and what comes before it in its own part.
            let meets = |it: &(usize, Phase)| it.0 == number || parts[it.0].meets(part);
            let mut from = epoch.phases.iter().rposition(meets).map_or(0, |at| at + 1);
            for phase in cut.phases {
                let later = |it: &(usize, Phase)| it.1.kind > phase.kind;
                let place =
                    epoch.phases[from..].iter().position(later).map_or(epoch.phases.len(), |at| from + at);
                epoch.phases.insert(place, (number, phase));
                from = place + 1;
            }
        }
    }

    /// What takes something away waits for the last release too, where nothing comes behind it: one contract, when all is done.
    fn contracts_last(&self, parts: &[Part]) -> Self {
        let mut course = self.clone();
        let Some(last) = course.epochs.len().checked_sub(1) else { return course };
        for at in 0..last {
            let epoch = &self.epochs[at];
            let behind = |place: usize| {
                let later = self.epochs[at + 1..].iter().flat_map(|it| &it.phases);
                epoch.phases[place + 1..].iter().chain(later)
            };
            let waits = |place: usize, (number, phase): &(usize, Phase)| {
                let apart = |it: &(usize, Phase)| it.0 != *number && !parts[it.0].meets(&parts[*number]);
                phase.kind == PhaseKind::Contract && behind(place).all(apart)
            };
            let (waiting, kept): (Vec<_>, Vec<_>) =
                epoch.phases.iter().cloned().enumerate().partition(|(place, it)| waits(*place, it));
            course.epochs[at].phases = kept.into_iter().map(|(_, it)| it).collect();
            course.epochs[last].phases.extend(waiting.into_iter().map(|(_, it)| it));
        }
        course
    }

    fn phases(&self, parts: &[Part]) -> Vec<Phase> {
        let mut all = Vec::new();
        for epoch in &self.epochs {
            all.extend(epoch.release.clone());
            all.extend(merge::phases(&epoch.phases, |one, other| parts[one].meets(&parts[other])));
        }
        all
    }
}

/// Whether a phase is a release and nothing else.
fn is_release(phase: &Phase) -> bool {
    !phase.steps.is_empty() && phase.steps.iter().all(|it| matches!(it, Step::Release(_)))
}

/// What a part does between two of its releases, and the one before.
#[derive(Debug, Default)]
struct Cut {
    release: Option<Phase>,
    phases: Vec<Phase>,
}

/// The phases of a part, cut at its releases.
fn cuts(phases: &[Phase]) -> Vec<Cut> {
    let (mut done, mut cut) = (Vec::new(), Cut::default());
    for phase in phases {
        // A release stands alone; what stands in front of it and behind it are phases of their own.
        let releases = phase.releases().count();
        let mut own = Phase { steps: Vec::new(), ..phase.clone() };
        for step in &phase.steps {
            let Step::Release(release) = step else {
                own.steps.push(step.clone());
                continue;
            };
            if !own.steps.is_empty() {
                let steps = std::mem::take(&mut own.steps);
                cut.phases.push(Phase { steps, exit: Vec::new(), ..own.clone() });
                own.entry.clear();
            }
            let alone = phase.steps.len() == 1;
            let release = if alone { phase.clone() } else { released(release, phase) };
            done.push(std::mem::replace(&mut cut, Cut { release: Some(release), phases: Vec::new() }));
        }
        if !own.steps.is_empty() || releases == 0 {
            cut.phases.push(own);
        }
    }
    done.push(cut);
    done
}

/// Whether a phase gives enums labels, which can be named from then on.
fn adds_labels(phase: &Phase) -> bool {
    phase.migrations().any(|it| it.operations().any(|it| matches!(it, Kind::AlterType(_))))
}

/// Whether a phase takes away triggers that the plan made.
fn ends_triggers(phase: &Phase) -> bool {
    let dropped = |it: &Kind| matches!(it, Kind::Drop(drop) if drop.object == ObjectKind::Trigger);
    phase.migrations().any(|it| it.operations().any(dropped))
}

fn released(release: &ReleaseStep, phase: &Phase) -> Phase {
    let own = Phase::new(
        PhaseKind::DualWrite,
        format!("release the application, before: {}", phase.title),
        vec![Step::Release(release.clone())],
    );
    own.leave_when(Criterion::of_people("no instance of the release before is running"))
        .undone_by("roll the application back: nothing depends on it yet", "errors over the baseline")
}
