//! A label of an enum under a new name: both for a while, then a type that knows only the new one.

use crate::catalog::Table;
use crate::dialect::{Dialect, Name, quote_literal};
use crate::mechanics::Refusal;
use crate::mechanics::backfill::Backfill;
use crate::mechanics::enum_type::{Enum, Relabelled, Use};
use crate::mechanics::scene::Scene;
use crate::operation::{Expression, Kind, Operation, Place, TypeAction};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::{Form, Recipe, add_enum_value};

pub(super) static RECIPE: Recipe = Recipe {
    id: "rename-enum-value",
    dialects: &[Dialect::Postgres],
    page: include_str!("rename_enum_value.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(&Name, &str, &str)> {
    let Kind::AlterType(alter) = &operation.kind else { return None };
    let TypeAction::RenameValue { from, to } = &alter.action else { return None };
    Some((&alter.name, from, to))
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((name, from, to)) = parts(operation) else { return Err(Refusal::new("it renames no value")) };
    let of = Enum::of(scene, name)?;
    of.refuse_uses()?;
    let Some(at) = of.labels.iter().position(|it| it == from) else {
        return Err(Refusal::new(format!("{name} has no value {from}")));
    };
    if of.labels.iter().any(|it| it == to) {
        return Err(Refusal::new(format!("{name} has a value {to} already")));
    }
    let mut before = of.labels.to_vec();
    before.insert(at + 1, to.to_owned());
    let after: Vec<String> = before.iter().filter(|it| *it != from).cloned().collect();
    let gone = [from.to_owned()];
    of.refuse_texts(&gone)?;
    let change = Change { of: &of, from, to };
    let mut phases = change.both();
    let states = of.uses.iter().map(|it| change.with_default(it)).collect::<Result<Vec<_>, _>>()?;
    phases.extend(of.defaults(&states)?);
    for it in &of.uses {
        phases.push(change.rows(it)?);
    }
    let must = vec![
        format!("stop using {}: from the swap on {name} does not have it", quote_literal(from)),
        Relabelled::must(&name.to_string()),
    ];
    let relabelled = Relabelled { of: &of, before: &before, after: &after, states, must, kept_out: &[] };
    phases.extend(relabelled.phases()?);
    Ok(phases)
}

struct Change<'a> {
    of: &'a Enum<'a>,
    from: &'a str,
    to: &'a str,
}

impl Change<'_> {
    /// The type knows both, and a release takes them for the same.
    fn both(&self) -> Vec<Phase> {
        let (from, to) = (quote_literal(self.from), quote_literal(self.to));
        let place = Place::After(self.from.to_owned());
        let step = add_enum_value::step(self.of, self.to, Some(&place));
        let shown = self.of.all_shown();
        let must = vec![
            format!("read {from} and {to} as the same in {shown}, also in conditions: IN ({from}, {to})"),
            format!("write {to}, and no longer {from}"),
        ];
        vec![
            Phase::new(PhaseKind::Expand, step.title.clone(), vec![Step::Sql(step)]).undone_by(
                "leave the value where it is: unused, it does no harm. The down migration makes the type again while its tables are closed",
                "an error of the application that names the value",
            ),
            Phase::new(
                PhaseKind::DualWrite,
                format!("release the application that knows both, and writes {to}"),
                vec![Step::Release(ReleaseStep { must })],
            )
            .leave_when(Criterion::of_people("no instance of the release before is running"))
            .undone_by(
                format!("roll the application back, after rows with {to} are {from} again"),
                "errors over the baseline",
            ),
        ]
    }

    fn is_default(&self, it: &Use<'_>) -> bool {
        let default = it.state.column(&it.column).and_then(|it| it.default.as_ref());
        default.is_some_and(|it| {
            it.text.split("::").next().unwrap_or_default().trim() == quote_literal(self.from)
        })
    }

    /// The table as it is when the default is the new label.
    fn with_default(&self, it: &Use<'_>) -> Result<Table, Refusal> {
        let mut state = it.state.clone();
        let Some(column) = state.column_mut(&it.column) else { return Ok(state) };
        if self.is_default(it) {
            column.default = Some(Expression::new(quote_literal(self.to)));
        } else if column.default.as_ref().is_some_and(|it| it.text.contains(&quote_literal(self.from))) {
            return Err(Refusal::new(format!(
                "the default of {} says {} in an expression: change it first",
                self.of.shown(it),
                quote_literal(self.from)
            )));
        }
        Ok(state)
    }

    /// The rows of a column.
    fn rows(&self, it: &Use<'_>) -> Result<Phase, Refusal> {
        let scene = self.of.scene;
        let column = scene.quote(&it.column);
        let (from, to) = (quote_literal(self.from), quote_literal(self.to));
        let job = |from: &str, to: &str| Backfill {
            table: &it.table,
            set: vec![(&it.column, to.to_owned())],
            pending: format!("{column} = {from}"),
        };
        let back = job(&to, &from).step(scene, it.state)?;
        let none = Criterion::counts_nothing(
            format!("no row of {} is {from} any more", self.of.shown(it)),
            self.of.count(it, &[self.from.to_owned()]),
        );
        let mut phase = job(&from, &to).phase(scene, it.state, none)?;
        for step in &mut phase.steps {
            if let Step::Sql(step) = step {
                step.down = Some(back.up.clone());
            }
        }
        Ok(phase.undone_by(
            format!("stop it, and run it again; the down migration makes {to} {from} again, in batches too"),
            format!("replica lag over {} s that does not go down while it pauses", scene.pause_lag_seconds),
        ))
    }
}
