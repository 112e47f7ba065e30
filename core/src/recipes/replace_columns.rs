//! Columns that take the place of others of the same table: a column split, columns merged.

use crate::dialect::Dialect;
use crate::mechanics::carried::Carried;
use crate::mechanics::derivation::{Derivation, Dropped, bare, way_back};
use crate::mechanics::handover::{Handover, Incoming, Outgoing};
use crate::mechanics::scene::Scene;
use crate::mechanics::{Refusal, not_null};
use crate::operation::Operation;
use crate::plan::{Phase, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "replace-columns",
    dialects: &[Dialect::Postgres],
    page: include_str!("replace_columns.md"),
    ways: &[Way::Triggers, Way::Application],
    form: Form::Several { claim, write },
};

fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    let derivation = Derivation::of(operations, scene)?;
    let own = derivation.assigned.joined.is_none();
    (own && matches!(derivation.dropped, Dropped::Columns(_))).then_some(derivation.members)
}

fn write(operations: &[&Operation], scene: &Scene<'_>, way: Way) -> Result<Vec<Phase>, Refusal> {
    let derivation = Derivation::of(operations, scene);
    let Some(Derivation { added, assigned, required, dropped: Dropped::Columns(dropped), .. }) = &derivation
    else {
        return Err(Refusal::new("it replaces no columns"));
    };
    let table = &assigned.table;
    let state = scene.table(table)?;
    let shown = table.display(scene.dialect());
    crate::mechanics::derivation::refuse_views(scene, table, dropped)?;
    let derivation = derivation.as_ref().map_or_else(|| Ok(Vec::new()), |it| it.values(scene))?;
    let back = way_back(table, dropped, scene);
    if way == Way::Triggers && back.iter().any(Option::is_none) {
        let lost: Vec<&str> = dropped
            .iter()
            .zip(&back)
            .filter(|(_, value)| value.is_none())
            .map(|(column, _)| *column)
            .collect();
        return Err(Refusal::new(format!(
            "what the release that is live reads in {} must be computed from what the new one writes: say how in the down migration, or in a \
             comment, `-- lockkeeper: back UPDATE {shown} SET {} = …`; or let the application write both (--strategy application-dual-write)",
            lost.join(", "),
            lost[0]
        )));
    }
    let carried: Vec<Carried<'_>> =
        dropped.iter().map(|it| Carried::of(scene, table, state, it, it)).collect::<Result<_, _>>()?;
    let old = dropped.iter().zip(&carried).zip(back);
    let handover = Handover {
        scene,
        table,
        state,
        old: old.map(|((name, carried), value)| Outgoing { name, carried, value }).collect(),
        new: added
            .iter()
            .zip(derivation)
            .map(|(column, value)| Incoming {
                name: &column.name.name,
                column: bare(column),
                value,
                default: column.default.as_ref().map(|it| it.text.as_str()),
            })
            .collect(),
        way,
        succeeds: false,
    };
    let mut phases = vec![handover.expand()];
    if way == Way::Application {
        phases.push(handover.dual_write());
    }
    phases.push(handover.backfill()?);
    phases.extend(not_null::phase(scene, table, required)?);
    phases.push(handover.cutover(Vec::new()));
    phases.push(handover.contract());
    Ok(phases)
}
