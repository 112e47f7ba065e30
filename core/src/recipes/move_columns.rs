//! Columns whose values come from another table: moved there, merged with it, or copied to be near.

use crate::catalog::RelationName;
use crate::dialect::Dialect;
use crate::engine::effect::volatility;
use crate::mechanics::assigned::Joined;
use crate::mechanics::carried::Carried;
use crate::mechanics::derivation::{Derivation, Dropped, refuse_views};
use crate::mechanics::join::{Join, Moved};
use crate::mechanics::relocation::{Goes, Relocation, Start};
use crate::mechanics::scene::Scene;
use crate::mechanics::{Phases, Refusal};
use crate::operation::{Expression, Operation, Volatility};
use crate::plan::Way;

use super::{Form, Recipe, drop_table};

pub(super) static RECIPE: Recipe = Recipe {
    id: "move-columns",
    dialects: &[Dialect::Postgres],
    page: include_str!("move_columns.md"),
    ways: &[Way::Triggers, Way::Application],
    form: Form::Several { claim, write },
};

fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    let derivation = Derivation::of(operations, scene)?;
    let (assigned, joined) = (&derivation.assigned, derivation.assigned.joined.as_ref()?);
    (joined.table != assigned.table).then_some(())?;
    if let Dropped::Nothing = derivation.dropped {
        // A copy that cannot be kept in step is still filled in batches, statement by statement: nothing is lost by that.
        let target = (&assigned.table, scene.catalog.table(&assigned.table)?);
        Join::of(scene, target, &joined.table, &joined.alias, &joined.on).ok()?.needs_key().ok()?;
    }
    Some(derivation.members)
}

fn write(operations: &[&Operation], scene: &Scene<'_>, way: Way) -> Phases {
    let derivation = Derivation::of(operations, scene).ok_or_else(|| Refusal::new("it moves no columns"))?;
    let joined =
        derivation.assigned.joined.as_ref().ok_or_else(|| Refusal::new("it reads no other table"))?;
    let target = &derivation.assigned.table;
    let join = Join::of(scene, (target, scene.table(target)?), &joined.table, &joined.alias, &joined.on)?;
    join.needs_key()?;
    let comes = comes(&derivation, joined, scene)?;
    let mut link = join.link(&comes);
    if way == Way::Triggers {
        if !matches!(derivation.dropped, Dropped::Nothing) {
            refuse_changing_defaults(&comes, &joined.table, scene)?;
        }
        match &derivation.dropped {
            Dropped::Nothing => {}
            Dropped::Columns(columns) => join.both_ways(&comes, Some(columns), &mut link)?,
            Dropped::Table => join.both_ways(&comes, None, &mut link)?,
        }
    }
    let goes = match &derivation.dropped {
        Dropped::Nothing => Goes::Nothing,
        Dropped::Columns(columns) => {
            refuse_views(scene, join.source, columns)?;
            Goes::Columns(Carried::all(scene, join.source, join.source_state, columns)?)
        }
        Dropped::Table => {
            let last = operations.last().ok_or_else(|| Refusal::new("it drops no table"))?;
            Goes::Table(drop_table::phases(last, scene)?)
        }
    };
    let start = Start::Columns(&derivation.added);
    Relocation { join: &join, link: &link, start, comes: &comes, goes, way }.phases()
}

/// Where the other table has no row, the default stands for it: it must be the same each time.
fn refuse_changing_defaults(
    comes: &[Moved],
    source: &RelationName,
    scene: &Scene<'_>,
) -> Result<(), Refusal> {
    let default = |it: &Moved| it.default.as_ref().map(|it| Expression::new(it.clone()));
    let changes =
        |it: &&Moved| default(it).is_some_and(|it| volatility(&it, scene.catalog) == Volatility::Volatile);
    let Some(column) = comes.iter().find(changes) else { return Ok(()) };
    let (name, source) = (&column.name, source.display(scene.dialect()));
    Err(Refusal::new(format!(
        "the default of {name} is another one for each row, so that nobody can tell what the new release wrote from what stands for no row of {source}, and both releases would \
         write that row: move the column without its default, and add the default in a later migration"
    )))
}

/// The new columns, in the order of their values.
fn comes(derivation: &Derivation<'_>, joined: &Joined, scene: &Scene<'_>) -> Result<Vec<Moved>, Refusal> {
    let values = derivation.values(scene)?;
    let mut comes = Vec::new();
    for (column, value) in derivation.added.iter().zip(values) {
        let name = &column.name.name;
        let set = derivation.assigned.set.iter().zip(&joined.values).find(|((set, _), _)| set.name == *name);
        let Some(((_, query), from)) = set else { continue };
        comes.push(Moved {
            name: name.clone(),
            from: Expression::new(from.clone()),
            query: query.text.trim().to_owned(),
            value,
            default: column.default.as_ref().map(|it| it.text.clone()),
            required: derivation.required.contains(&name.as_str()),
        });
    }
    Ok(comes)
}
