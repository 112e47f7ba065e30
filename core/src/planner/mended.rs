//! Rows that are mended so that a constraint holds: behind what keeps new rows right, and before the old ones are looked at.

use super::{Part, is_release};
use crate::operation::{ConstraintKind, Kind, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind};

/// The parts, with each that only mends rows put into the one that looks at them then. What the release before writes behind a mending that comes
/// earlier, nobody mends.
pub(super) fn mended(parts: &[Part]) -> Vec<Part> {
    let mut all: Vec<Option<Part>> = parts.iter().cloned().map(Some).collect();
    for at in 0..all.len() {
        let Some(mending) = all[at].as_ref().filter(|it| only_changes_rows(it)).cloned() else { continue };
        let meets = |it: &Option<Part>| it.as_ref().is_some_and(|it| it.meets(&mending));
        let Some(next) = (at + 1..all.len()).find(|next| meets(&all[*next])) else { continue };
        let Some(place) = all[next].as_ref().and_then(place) else { continue };
        if let Some(looking) = &mut all[next] {
            put(looking, place, mending);
            all[at] = None;
        }
    }
    all.into_iter().flatten().collect()
}

fn only_changes_rows(part: &Part) -> bool {
    !part.phases.is_empty() && part.phases.iter().all(|it| it.kind == PhaseKind::Backfill && !is_release(it))
}

/// Where rows are mended in a part: behind the release that makes no wrong ones any more, or behind a key that refuses new ones and leaves old ones alone.
fn place(part: &Part) -> Option<usize> {
    let added = |phase: &Phase| {
        phase.migrations().flat_map(|it| it.operations()).find_map(|kind| match kind {
            Kind::AlterTable(alter) => match &alter.action {
                TableAction::AddConstraint { constraint } if constraint.not_valid => {
                    Some(constraint.kind.clone())
                }
                _ => None,
            },
            _ => None,
        })
    };
    let first = part.phases.iter().position(|it| added(it).is_some())?;
    if first > 0 && part.phases[..first].iter().all(is_release) {
        return Some(first);
    }
    let key = matches!(added(&part.phases[first]), Some(ConstraintKind::ForeignKey(_)));
    (first == 0 && key && part.phases.len() > 1).then_some(1)
}

fn put(part: &mut Part, place: usize, mending: Part) {
    let mut phases = mending.phases;
    if is_release(&part.phases[place - 1]) {
        let released = || Criterion::of_people("no instance of the release before is running");
        phases.iter_mut().for_each(|it| it.entry.push(released()));
    }
    part.phases.splice(place..place, phases);
    part.touches = part.touches.take().zip(mending.touches).map(|(own, others)| [own, others].concat());
}
