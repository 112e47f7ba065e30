//! A new label of an enum: first a release that can read it, then the label, then a release that writes it.

use crate::dialect::{Dialect, Name, quote_literal};
use crate::engine::Capability;
use crate::hazards::compatibility::added_enum_value;
use crate::mechanics::Refusal;
use crate::mechanics::enum_type::Enum;
use crate::mechanics::make;
use crate::mechanics::scene::{Scene, name_of, with_timeout};
use crate::operation::{Kind, Operation, Place, TypeAction};
use crate::plan::{Act, Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Statement, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "add-enum-value",
    dialects: &[Dialect::Postgres],
    page: include_str!("add_enum_value.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(&Name, &str, Option<&Place>)> {
    let Kind::AlterType(alter) = &operation.kind else { return None };
    let TypeAction::AddValue { value, place, .. } = &alter.action else { return None };
    Some((&alter.name, value, place.as_ref()))
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((name, value, place)) = parts(operation) else { return Err(Refusal::new("it adds no value")) };
    let of = Enum::of(scene, name)?;
    if of.labels.iter().any(|it| it == value) {
        return Err(Refusal::new(format!("{name} has the value {value} already")));
    }
    let shown = of.all_shown();
    let ready = vec![format!(
        "read {} in {shown} without failing, in drivers and in every choice by value; it does not write it yet",
        quote_literal(value)
    )];
    let use_it = vec![format!("write {} where it is wanted", quote_literal(value))];
    let release = |must| vec![Step::Release(ReleaseStep { must })];
    let title = format!("add {value} to {name}");
    Ok(vec![
        Phase::new(PhaseKind::DualWrite, format!("release the application that can read {value}"), release(ready))
            .leave_when(Criterion::of_people("no instance of the release before is running"))
            .undone_by("roll the application back: nobody writes the value yet", "errors over the baseline"),
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step(&of, value, place))]).undone_by(
            "leave the value where it is: unused, it does no harm. The down migration makes the type again while its tables are closed",
            "an error of the application that names the value",
        ),
        Phase::new(PhaseKind::Cutover, format!("release the application that writes {value}"), release(use_it))
            .undone_by("roll the application back: it reads what was written", "errors over the baseline"),
    ])
}

/// The migration that adds a label, with its place stated: it is the same for ever.
pub(super) fn step(of: &Enum<'_>, value: &str, place: Option<&Place>) -> SqlStep {
    let place = place.cloned().or_else(|| of.labels.last().map(|last| Place::After(last.clone())));
    let because = "no release writes it before all that run can read it";
    let up = make::add_enum_value(of.scene.name(&of.name), value, place);
    let up = up.allowing(&added_enum_value::RULE, because);
    let name = name_of(&[&of.name.name, value, "value"]);
    let title = format!("add {value} to {}", of.name.name);
    let down = of.refuse_uses().and_then(|()| of.made_again(of.labels)).ok();
    if of.scene.can(Capability::EnumValueInTransaction) {
        return of.scene.step(name, title, with_timeout(vec![up]), down.map(with_timeout));
    }
    // Otherwise it runs outside of one, and so does its way back, which must be one.
    of.scene.alone(name, title, up, down.map(|it| Statement::of(Act::Together(it))))
}
