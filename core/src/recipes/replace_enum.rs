//! Labels that leave an enum: kept out first, then the enum is made again without them.

use crate::catalog::{RelationName, Table};
use crate::dialect::{Dialect, Name, quote_literal};
use crate::engine::preflight::only_casts;
use crate::mechanics::Refusal;
use crate::mechanics::check::{Check, checked};
use crate::mechanics::enum_type::{Enum, Relabelled};
use crate::mechanics::scene::Scene;
use crate::operation::{Kind, ObjectAction, ObjectKind, Operation, TableAction, TypeName, TypeShape};
use crate::plan::{Phase, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "replace-enum",
    dialects: &[Dialect::Postgres],
    page: include_str!("replace_enum.md"),
    ways: &[Way::Triggers],
    form: Form::Several { claim, write },
};

/// An enum that is made again by a type of its name and casts of its columns.
struct Reading<'a> {
    /// The enum, as it is called before and behind all of it.
    name: &'a Name,
    /// The labels in the end.
    labels: &'a [String],
    members: Vec<usize>,
}

/// The parts of such a migration by their places.
#[derive(Default)]
struct Found<'a> {
    created: Vec<(usize, &'a Name, &'a [String])>,
    renamed: Vec<(usize, &'a Name, Name)>,
    dropped: Vec<(usize, &'a Name)>,
    retyped: Vec<(usize, RelationName, &'a str, Name)>,
    defaults: Vec<(usize, RelationName, &'a str)>,
}

impl<'a> Found<'a> {
    fn of(operations: &[&'a Operation], scene: &Scene<'_>) -> Self {
        let mut found = Self::default();
        for (at, operation) in operations.iter().enumerate() {
            match &operation.kind {
                Kind::CreateType(create) => {
                    if let TypeShape::Enum(labels) = &create.shape {
                        found.created.push((at, &create.name, labels));
                    }
                }
                Kind::AlterObject(alter) if alter.object == ObjectKind::Type => {
                    if let ObjectAction::RenameTo(to) = &alter.action {
                        found.renamed.push((at, &alter.name, alter.name.sibling(&to.name)));
                    }
                }
                Kind::Drop(drop) if drop.object == ObjectKind::Type && !drop.cascade => {
                    found
                        .dropped
                        .extend(drop.names.first().filter(|_| drop.names.len() == 1).map(|it| (at, it)));
                }
                Kind::AlterTable(alter) => {
                    let table = scene.resolve(&alter.table);
                    match &alter.action {
                        TableAction::AlterType { column, ty, using: Some(using), .. }
                            if only_casts(using, &column.name) =>
                        {
                            found.retyped.push((at, table, &column.name, named(ty)));
                        }
                        TableAction::SetDefault { column, .. } | TableAction::DropDefault { column } => {
                            found.defaults.push((at, table, &column.name));
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// What they mean together, where the first operation is one of them.
    fn reading(&self, scene: &Scene<'_>) -> Option<Reading<'a>> {
        let same = |one: &Name, other: &Name| scene.resolve(one) == scene.resolve(other);
        let (created_at, created, labels) = self.created.first()?;
        let (dropped_at, dropped) = self.dropped.first()?;
        let (aside_at, name, _) = self.renamed.iter().find(|(_, _, to)| same(to, dropped))?;
        let mut members = vec![*created_at, *dropped_at, *aside_at];
        if !same(created, name) {
            let taken = self.renamed.iter().find(|(_, from, to)| same(from, created) && same(to, name))?;
            members.push(taken.0);
        }
        let retyped: Vec<_> = self.retyped.iter().filter(|(_, _, _, ty)| same(ty, created)).collect();
        let own =
            |table: &RelationName, column: &str| retyped.iter().any(|it| it.1 == *table && it.2 == column);
        members.extend(retyped.iter().map(|it| it.0));
        members.extend(self.defaults.iter().filter(|(_, table, column)| own(table, column)).map(|it| it.0));
        members.sort_unstable();
        (members.first() == Some(&0) && !retyped.is_empty()).then_some(Reading { name, labels, members })
    }
}

fn named(ty: &TypeName) -> Name {
    match &ty.schema {
        Some(schema) => Name::qualified(schema, &ty.name),
        None => Name::new(&ty.name),
    }
}

fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    Some(Found::of(operations, scene).reading(scene)?.members)
}

fn write(operations: &[&Operation], scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let reading = Found::of(operations, scene).reading(scene);
    let reading = reading.ok_or_else(|| Refusal::new("it makes no enum again"))?;
    let of = Enum::of(scene, reading.name)?;
    of.refuse_uses()?;
    let gone: Vec<String> = of.labels.iter().filter(|it| !reading.labels.contains(it)).cloned().collect();
    let new: Vec<&String> = reading.labels.iter().filter(|it| !of.labels.contains(it)).collect();
    if let Some(label) = new.first() {
        let renamed = match (gone.as_slice(), new.as_slice()) {
            ([from], [to]) => format!(
                "; if {from} became {to}, that is ALTER TYPE {} RENAME VALUE {from} TO {to}",
                reading.name,
                from = quote_literal(from),
                to = quote_literal(to)
            ),
            _ => String::new(),
        };
        return Err(Refusal::new(format!(
            "{} is new in {}: add it first, by ALTER TYPE … ADD VALUE in a migration of its own, so that both types know what is written{renamed}",
            quote_literal(label),
            reading.name
        )));
    }
    of.refuse_texts(&gone)?;
    let mut catalog = scene.catalog.clone();
    operations.iter().for_each(|it| catalog.apply(it));
    let after = |it: &crate::mechanics::enum_type::Use<'_>| -> Option<Table> {
        let default = catalog.table(&it.table)?.column(&it.column)?.default.clone();
        let mut state = it.state.clone();
        state.column_mut(&it.column)?.default = default;
        Some(state)
    };
    let states: Option<Vec<Table>> = of.uses.iter().map(after).collect();
    let states = states.ok_or_else(|| Refusal::new("the end of it is not known"))?;
    let mut phases = kept_out(&of, &gone);
    let release = usize::from(!phases.is_empty());
    // Behind the release and in front of the checks, or rows that say nothing would be refused.
    phases.splice(release..release, of.defaults(&states)?);
    let must = vec![format!("stop using {}", list(&gone)), Relabelled::must(&reading.name.to_string())];
    let relabelled =
        Relabelled { of: &of, before: of.labels, after: reading.labels, states, must, kept_out: &gone };
    phases.extend(relabelled.phases()?);
    Ok(phases)
}

fn list(labels: &[String]) -> String {
    labels.iter().map(|it| quote_literal(it)).collect::<Vec<_>>().join(", ")
}

/// One release that no longer uses the labels, then a check on each column.
fn kept_out(of: &Enum<'_>, gone: &[String]) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    for it in of.uses.iter().filter(|_| !gone.is_empty()) {
        let check = Check {
            table: &it.table,
            constraint: of.check_without(it, &it.column, gone),
            must: format!("stop writing and querying {} in {}", list(gone), of.all_shown()),
            breaking: Some(of.count(it, gone)),
            holds: format!(
                "no row of {} is {}: give those that are another value first",
                of.shown(it),
                list(gone)
            ),
        };
        let skipped = usize::from(!phases.is_empty());
        phases.extend(checked(of.scene, &check).into_iter().skip(skipped));
    }
    phases
}
