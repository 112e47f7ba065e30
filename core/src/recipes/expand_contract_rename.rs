//! Rename a column: a new column beside the old one, kept in step until nobody uses the old name.

use crate::catalog::RelationName;
use crate::dialect::{Dialect, Name};
use crate::mechanics::carried::{self, Carried};
use crate::mechanics::handover::{Handover, Incoming, Outgoing};
use crate::mechanics::make;
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::{Refusal, view};
use crate::operation::{AlterTable, Expression, Kind, Operation, TableAction};
use crate::plan::{Phase, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "expand-contract-rename",
    dialects: &[Dialect::Postgres],
    page: include_str!("expand_contract_rename.md"),
    ways: &[Way::Triggers, Way::Application],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(&AlterTable, &str, &str)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::RenameColumn { column, to } = &alter.action else { return None };
    Some((alter, &column.name, &to.name))
}

fn write(operation: &Operation, scene: &Scene<'_>, way: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, old, new)) = parts(operation) else { return Err(Refusal::new("it renames no column")) };
    let table = scene.resolve(&alter.table);
    let state = scene.table(&table)?;
    let carried = Carried::of(scene, &table, state, old, new)?;
    let views = views(scene, &table, old, new)?;
    let handover = Handover {
        scene,
        table: &table,
        state,
        old: vec![Outgoing { name: old, carried: &carried, value: Some(Expression::new(scene.quote(new))) }],
        new: vec![Incoming {
            name: new,
            column: carried.bare(new),
            value: Expression::new(scene.quote(old)),
            default: carried.default(),
        }],
        way,
        succeeds: true,
    };
    let mut phases = vec![handover.expand()];
    if way == Way::Application {
        phases.push(handover.dual_write());
    }
    phases.push(handover.backfill()?);
    phases.extend(carried::phase(&carried));
    phases.push(handover.cutover(replaced(scene, &table, new, &views)));
    phases.push(handover.contract());
    Ok(phases)
}

/// A view with its query before and after.
struct ChangedView {
    name: Name,
    before: String,
    after: String,
}

fn views(scene: &Scene<'_>, table: &RelationName, old: &str, new: &str) -> Result<Vec<ChangedView>, Refusal> {
    let mut changed = Vec::new();
    for name in scene.catalog.views_on_column(table, old) {
        let Some(found) = scene.catalog.view(name) else { continue };
        if found.materialized {
            let shown = name.display(scene.dialect());
            return Err(Refusal::new(format!(
                "the materialized view {shown} reads {old}: it cannot be replaced in place; make one on the new column \
                 first"
            )));
        }
        let after = view::renamed(scene, name, found, table, old, new)?;
        changed.push(ChangedView { name: scene.name(name), before: found.query.text.clone(), after });
    }
    Ok(changed)
}

/// The migration that lets the views read the new column.
fn replaced(scene: &Scene<'_>, table: &RelationName, new: &str, views: &[ChangedView]) -> Vec<Step> {
    if views.is_empty() {
        return Vec::new();
    }
    let up = views.iter().map(|it| make::replace_view(it.name.clone(), "", &it.after)).collect();
    let down = views.iter().map(|it| make::replace_view(it.name.clone(), "", &it.before)).collect();
    let name = name_of(&[&table.name, new, "views"]);
    vec![Step::Sql(scene.in_transaction(name, "let the views read the new column", up, down))]
}
