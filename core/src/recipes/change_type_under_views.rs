//! A type changed under views that are dropped before and made again behind: the views are replaced at the swap, and never absent.

use crate::catalog::{Catalog, RelationName};
use crate::dialect::Dialect;
use crate::hazards::compatibility::{dropped_view, reshaped_view};
use crate::mechanics::Refusal;
use crate::mechanics::change_type::{self, Around, OfDefault, Views, default_of};
use crate::mechanics::make;
use crate::mechanics::scene::{SECOND_LOCK_TIMEOUT, Scene};
use crate::operation::{CreateView, Expression, Kind, ObjectKind, Operation, TableAction};
use crate::plan::{Phase, Statement, Way};

use super::rename_behind_view::view_again;
use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "change-type-under-views",
    dialects: &[Dialect::Postgres],
    page: include_str!("change_type_under_views.md"),
    ways: &[Way::Triggers],
    form: Form::Several { claim, write },
};

/// What such a migration is made of.
struct Parts<'a> {
    drops: Vec<&'a Operation>,
    views: Vec<RelationName>,
    retyped: &'a Operation,
    created: Vec<(&'a Operation, &'a CreateView)>,
    /// Rights and comments of the views.
    others: Vec<&'a Operation>,
    /// The default that the column has in the end.
    default: Option<&'a Expression>,
    members: Vec<usize>,
}

impl<'a> Parts<'a> {
    fn of(operations: &[&'a Operation], scene: &Scene<'_>) -> Option<Self> {
        let (mut drops, mut views, mut retyped) = (Vec::new(), Vec::new(), None);
        let (mut created, mut others, mut members) = (Vec::new(), Vec::new(), Vec::new());
        let mut defaults = Vec::new();
        for (at, operation) in operations.iter().copied().enumerate() {
            let of_views = |names: &[crate::dialect::Name], views: &[RelationName]| {
                !names.is_empty() && names.iter().all(|it| views.contains(&scene.resolve(it)))
            };
            match &operation.kind {
                Kind::Drop(drop) if drop.object == ObjectKind::View && !drop.cascade && retyped.is_none() => {
                    views.extend(drop.names.iter().map(|it| scene.resolve(it)));
                    drops.push(operation);
                }
                Kind::AlterTable(alter) if matches!(alter.action, TableAction::AlterType { .. }) => {
                    if retyped.replace(operation).is_some() {
                        return None;
                    }
                }
                Kind::AlterTable(_) if at > 0 => match default_of(operation, scene) {
                    Some(it) => defaults.push(it),
                    None => continue,
                },
                Kind::CreateView(view)
                    if !view.materialized && of_views(std::slice::from_ref(&view.name), &views) =>
                {
                    created.push((operation, &**view));
                }
                Kind::Grant(grant) if !created.is_empty() && of_views(&grant.tables, &views) => {
                    others.push(operation)
                }
                Kind::Comment(it)
                    if !created.is_empty() && of_views(std::slice::from_ref(&it.name), &views) =>
                {
                    others.push(operation);
                }
                _ if at == 0 => return None,
                _ => continue,
            }
            members.push(at);
        }
        let all =
            created.len() == views.len() && drops.first().is_some_and(|it| std::ptr::eq(*it, operations[0]));
        let plain =
            |it: &RelationName| scene.catalog.view(it).is_some_and(|view| !view.materialized && !view.stale);
        // A view that shows other columns needs one beside it first.
        let alike = |(_, new): &(&Operation, &CreateView)| {
            let old = scene.catalog.view(&scene.resolve(&new.name));
            old.and_then(|it| it.columns.clone()).is_some_and(|old| new.shows(scene.dialect()) == Some(old))
        };
        (all && views.iter().all(plain) && created.iter().all(alike)).then_some(())?;
        let retyped = retyped?;
        // The default of another column is another change.
        let column = change_type::column_of(retyped, scene)?;
        defaults.iter().all(|(table, own, _)| (table, *own) == (&column.0, column.1)).then_some(())?;
        let default = match defaults.pop() {
            Some((.., OfDefault::Is(default))) => Some(default),
            Some((.., OfDefault::Goes)) => return None,
            None => None,
        };
        Some(Self { drops, views, retyped, created, others, default, members })
    }

    fn without_views(&self, scene: &Scene<'_>) -> Catalog {
        let mut catalog = scene.catalog.clone();
        self.drops.iter().for_each(|it| catalog.apply(it));
        catalog
    }
}

fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    Some(Parts::of(operations, scene)?.members)
}

fn write(operations: &[&Operation], scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let parts = Parts::of(operations, scene).ok_or_else(|| Refusal::new("it changes no type under views"))?;
    let because = "it is made again in the same transaction";
    let drop = |it: &RelationName| make::drop(ObjectKind::View, scene.name(it));
    let second = || make::set_local("lock_timeout", SECOND_LOCK_TIMEOUT);
    let dropped = parts
        .views
        .iter()
        .map(|it| drop(it).allowing(&dropped_view::RULE, because).allowing(&reshaped_view::RULE, because))
        .chain([second()])
        .collect();
    // The last made goes first: it may read those before it.
    let created = parts.created.iter().rev().map(|(_, it)| drop(&scene.resolve(&it.name)));
    let back_drop = created.chain([second()]).collect();
    let (mut up, mut down): (Vec<Statement>, Vec<Statement>) = Default::default();
    up.extend(
        parts.created.iter().map(|(_, it)| make::create_view(it.name.clone(), &it.head, &it.query.text)),
    );
    up.extend(parts.others.iter().map(|it| scene.statement_of(it)));
    for name in parts.views.iter().rev() {
        down.extend(view_again(scene, name));
    }
    let shown = parts.created.iter().flat_map(|(_, view)| {
        let name = scene.resolve(&view.name).display(scene.dialect());
        view.shows(scene.dialect()).unwrap_or_default().into_iter().map(move |it| format!("{name}.{it}"))
    });
    let catalog = parts.without_views(scene);
    let views = Views { drop: dropped, back_drop, up, down, shown: shown.collect() };
    let around = Around { default: parts.default, views };
    change_type::within(parts.retyped, &Scene { catalog: &catalog, ..*scene }, around)
}
