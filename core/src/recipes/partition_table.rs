//! A table rebuilt under its name, in partitions or otherwise: the new one stands beside it, is filled, and takes its place.

use crate::catalog::Catalog;
use crate::dialect::Dialect;
use crate::mechanics::mirror::{Beside, Marks, Mirror, Pair};
use crate::mechanics::rebuilt::Rebuilt;
use crate::mechanics::scene::Scene;
use crate::mechanics::succession::Succession;
use crate::mechanics::{Phases, Refusal, succession_checks as checks, twin};
use crate::operation::Operation;
use crate::plan::Way;

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "partition-table",
    dialects: &[Dialect::Postgres],
    page: include_str!("partition_table.md"),
    ways: &[Way::Triggers],
    form: Form::Several { claim: |operations, scene| claim(operations, scene, true), write },
};

/// The operations that make a table rebuilt, in partitions or otherwise.
pub(super) fn claim(operations: &[&Operation], scene: &Scene<'_>, partitioned: bool) -> Option<Vec<usize>> {
    Rebuilt::of(operations, scene).filter(|it| it.partitioned == partitioned).map(|it| it.members)
}

/// The new table beside the old one, filled, then in its place.
pub(super) fn write(operations: &[&Operation], scene: &Scene<'_>, _: Way) -> Phases {
    let rebuilt = Rebuilt::of(operations, scene).ok_or_else(|| Refusal::new("it rebuilds no table"))?;
    let state = scene.table(&rebuilt.table)?;
    let beside: Catalog = twin::after_all(scene.catalog, &rebuilt.make);
    let made = beside.table(&rebuilt.interim).cloned().unwrap_or_default();
    let followed = checks::followed(scene, &rebuilt, state, &made)?;
    let aside = rebuilt.aside.as_ref().unwrap_or(&rebuilt.interim);
    let there = Mirror {
        scene,
        from: &rebuilt.table,
        to: &rebuilt.interim,
        columns: followed.columns,
        key: followed.key,
        marks: Marks::default(),
        beside: Beside::Batches,
    };
    let back = Mirror {
        scene,
        from: &rebuilt.table,
        to: aside,
        columns: there.columns.iter().map(Pair::turned).collect(),
        key: there.key.iter().map(Pair::turned).collect(),
        marks: Marks::default(),
        beside: Beside::Nobody,
    };
    let end = rebuilt.end.table(&rebuilt.table).cloned().unwrap_or_default();
    let succession = Succession {
        scene,
        rebuilt: &rebuilt,
        aside,
        state,
        made: &made,
        end: &end,
        beside: &beside,
        there,
        back,
    };
    succession.phases()
}
