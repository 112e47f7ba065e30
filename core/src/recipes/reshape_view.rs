//! A view replaced in place by one that shows other columns.

use crate::dialect::Dialect;
use crate::mechanics::Refusal;
use crate::mechanics::scene::Scene;
use crate::operation::{CreateView, Kind, Operation};
use crate::plan::{Phase, Way};

use super::replace_view::phases;
use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "reshape-view",
    dialects: &[Dialect::Postgres],
    page: include_str!("replace_view.md"),
    ways: &[Way::View],
    form: Form::One { applies: |operation| replaced(operation).is_some(), write },
};

/// A view in place of one that is there.
fn replaced(operation: &Operation) -> Option<&CreateView> {
    match &operation.kind {
        Kind::CreateView(view) if view.or_replace && !view.temporary => Some(view),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let new = replaced(operation).ok_or_else(|| Refusal::new("it replaces no view"))?;
    let name = scene.resolve(&new.name);
    let old = scene.catalog.view(&name).filter(|view| !view.materialized);
    let old = old.ok_or_else(|| Refusal::new(format!("nothing is known of the view {}", new.name)))?;
    phases(scene, &name, old, new)
}
