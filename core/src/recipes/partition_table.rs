//! A table made anew under its name, in partitions or otherwise: the new one stands beside it, is filled, and takes its place.

use crate::catalog::Catalog;
use crate::mechanics::anew::Anew;
use crate::mechanics::mirror::{Beside, Marks, Mirror, Pair};
use crate::mechanics::scene::Scene;
use crate::mechanics::succession::Succession;
use crate::mechanics::{Phases, Refusal, succession_checks as checks, twin};
use crate::operation::Operation;
use crate::plan::Way;

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "partition-table",
    page: include_str!("partition_table.md"),
    ways: &[Way::Triggers],
    form: Form::Several { claim: |operations, scene| claim(operations, scene, true), write },
};

/// The operations that make a table anew, in partitions or otherwise.
pub(super) fn claim(operations: &[&Operation], scene: &Scene<'_>, partitioned: bool) -> Option<Vec<usize>> {
    Anew::of(operations, scene).filter(|it| it.partitioned == partitioned).map(|it| it.members)
}

/// The new table beside the old one, filled, then in its place.
pub(super) fn write(operations: &[&Operation], scene: &Scene<'_>, _: Way) -> Phases {
    let anew = Anew::of(operations, scene).ok_or_else(|| Refusal::new("it makes no table anew"))?;
    let state = scene.table(&anew.table)?;
    let beside: Catalog = twin::after_all(scene.catalog, &anew.make);
    let made = beside.table(&anew.interim).cloned().unwrap_or_default();
    let followed = checks::followed(scene, &anew, state, &made)?;
    let aside = anew.aside.as_ref().unwrap_or(&anew.interim);
    let there = Mirror {
        scene,
        from: &anew.table,
        to: &anew.interim,
        columns: followed.columns,
        key: followed.key,
        marks: Marks::default(),
        beside: Beside::Batches,
    };
    let back = Mirror {
        scene,
        from: &anew.table,
        to: aside,
        columns: there.columns.iter().map(Pair::turned).collect(),
        key: there.key.iter().map(Pair::turned).collect(),
        marks: Marks::default(),
        beside: Beside::Nobody,
    };
    let end = anew.end.table(&anew.table).cloned().unwrap_or_default();
    let succession =
        Succession { scene, anew: &anew, aside, state, made: &made, end: &end, beside: &beside, there, back };
    succession.phases()
}
