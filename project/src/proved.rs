//! A plan proved in the model, before anybody sees it.

use std::collections::BTreeSet;

use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::plan::{Phase, Way};
use lockkeeper_core::verify::{Change, Compatibility, Objection, Traffic, verify};

use crate::analysis::CheckedFile;

/// What stands against the phases of a checked file that is carried out in a way; nothing where they are proved.
pub fn objections(file: &CheckedFile, way: Way, phases: &[Phase]) -> Vec<Objection> {
    let after = file.parts.last().map_or(&file.before, |(checked, _)| &checked.after);
    objections_to(file, way, phases, after)
}

/// The same of phases that lead to a schema in between.
pub fn objections_to(file: &CheckedFile, way: Way, phases: &[Phase], after: &Catalog) -> Vec<Objection> {
    let broken: BTreeSet<&'static str> = file.hazards().map(|hazard| hazard.rule).collect();
    let traffic = if way == Way::Window { Traffic::Nobody } else { Traffic::Releases };
    let change = Change { before: &file.before, after, broken: &broken, target: &file.target, traffic };
    verify(&change, phases)
}

/// Each release of the phases beside each state of the schema.
pub fn compatibility(file: &CheckedFile, stopped: bool, phases: &[Phase]) -> Compatibility {
    let after = file.parts.last().map_or(&file.before, |(checked, _)| &checked.after);
    let broken = BTreeSet::new();
    let traffic = if stopped { Traffic::Nobody } else { Traffic::Releases };
    let change = Change { before: &file.before, after, broken: &broken, target: &file.target, traffic };
    lockkeeper_core::verify::compatibility(&change, phases)
}

/// What the running release misses beside the schema that the migration as it was written leaves.
pub fn missed_as_written(file: &CheckedFile, phases: &[Phase]) -> Vec<String> {
    let states = compatibility(file, false, phases).states;
    let beside = states.into_iter().next_back().and_then(|it| it.beside.into_iter().next());
    beside.map(|it| it.misses).unwrap_or_default()
}
