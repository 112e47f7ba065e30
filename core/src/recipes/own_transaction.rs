//! A statement in a transaction of its own, so that no lock is held while another is waited for or work is done.

use crate::dialect::Dialect;
use crate::mechanics::Refusal;
use crate::mechanics::scene::{Scene, name_of, with_timeout};
use crate::operation::{Kind, Operation};
use crate::plan::{Phase, PhaseKind, SqlStep, Statement, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "own-transaction",
    dialects: &[Dialect::Postgres],
    page: include_str!("own_transaction.md"),
    ways: &[Way::Triggers],
    form: Form::One {
        applies: |operation| !matches!(operation.kind, Kind::Set(_) | Kind::Transaction(_) | Kind::Do(_)),
        write,
    },
};

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let statement = scene.statement_of(operation);
    let session = crate::catalog::Session::default();
    let effect = crate::engine::effect::of(operation, scene.target, scene.catalog, &session);
    let subject = operation.relation().map_or("statement", |name| name.name.as_str());
    // Outside a transaction SET LOCAL does nothing, and some runners send the file as one string.
    let guarded = |it: Statement| if effect.transactional { with_timeout(vec![it]) } else { vec![it] };
    let title = "this statement in a transaction of its own".to_owned();
    let down = statement.inverse.as_deref().cloned().map(guarded);
    let step = scene.step(name_of(&[subject, "alone"]), title.clone(), guarded(statement), down);
    let step = SqlStep { transactional: effect.transactional, ..step };
    Ok(vec![Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])])
}
