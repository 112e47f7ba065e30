//! A materialized view filled again beside its readers.

use crate::dialect::Dialect;
use crate::mechanics::Refusal;
use crate::mechanics::make;
use crate::mechanics::scene::{Scene, name_of, with_timeout};
use crate::operation::{Kind, Operation, Refresh};
use crate::plan::{Phase, PhaseKind, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "refresh-beside-readers",
    dialects: &[Dialect::Postgres],
    page: include_str!("refresh_beside_readers.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<&Refresh> {
    match &operation.kind {
        Kind::Refresh(refresh) if !refresh.concurrently && refresh.with_data => Some(refresh),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some(refresh) = parts(operation) else { return Err(Refusal::new("it fills no materialized view")) };
    let view = scene.resolve(&refresh.view);
    let shown = view.display(scene.dialect());
    let Some(state) = scene.catalog.view(&view) else {
        return Err(Refusal::new(format!("nothing is known of the materialized view {shown}")));
    };
    if !state.populated {
        return Err(Refusal::new(format!(
            "{shown} was never filled: nobody can read it yet, and CONCURRENTLY is refused"
        )));
    }
    let tells_rows_apart = |index: &crate::catalog::Index| {
        index.unique
            && index.valid
            && index.predicate.is_none()
            && index.keys.iter().all(|key| key.column.is_some())
    };
    if !state.indexes.iter().any(tells_rows_apart) {
        return Err(Refusal::new(format!(
            "{shown} has no unique index on plain columns, and only you know which tell its rows apart: CREATE UNIQUE INDEX CONCURRENTLY \
             on them first, in a migration of its own"
        )));
    }
    let title = format!("fill {shown} again beside its readers");
    let up = with_timeout(vec![make::refresh(scene.name(&view))]);
    let step = scene.step(name_of(&[&view.name, "refresh"]), title.clone(), up, None);
    let phase = Phase::new(PhaseKind::Cutover, title, vec![Step::Sql(step)]).undone_by(
        "nothing: the rows of a view follow from its tables; a refresh that is stopped leaves the old ones",
        "it takes longer than old rows may be shown",
    );
    Ok(vec![phase])
}
