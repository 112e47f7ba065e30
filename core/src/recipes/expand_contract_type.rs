//! Change a column's type: a new column of the type beside the old one, swapped under the same name.

use crate::dialect::Dialect;
use crate::mechanics::Refusal;
use crate::mechanics::change_type::{Around, OfDefault, column_of, default_of, parts, within};
use crate::mechanics::scene::Scene;
use crate::operation::Operation;
use crate::plan::{Phase, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "expand-contract-type",
    dialects: &[Dialect::Postgres],
    page: include_str!("expand_contract_type.md"),
    ways: &[Way::Triggers],
    form: Form::Each { applies: |operation| parts(operation).is_some(), claim, write },
};

/// A type with the default that cannot stay and the one that comes.
fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    let goes = matches!(default_of(operations.first()?, scene), Some((.., OfDefault::Goes)));
    let at = usize::from(goes);
    let (table, column) = column_of(operations.get(at)?, scene)?;
    let mut members: Vec<usize> = (0..=at).collect();
    let of =
        |at: usize| default_of(operations.get(at)?, scene).filter(|it| (&it.0, it.1) == (&table, column));
    (at == 0 || of(0).is_some()).then_some(())?;
    let (.., OfDefault::Is(_)) = of(at + 1)? else { return None };
    members.push(at + 1);
    Some(members)
}

fn write(operations: &[&Operation], scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let retyped = operations.iter().find(|it| parts(it).is_some());
    let retyped = retyped.ok_or_else(|| Refusal::new("it changes no type"))?;
    let default = operations.iter().rev().find_map(|it| match default_of(it, scene)? {
        (.., OfDefault::Is(default)) => Some(default),
        _ => None,
    });
    within(retyped, scene, Around { default, ..Around::default() })
}
