//! Both ends: the schema that the plan leaves, and the one that its way back leaves.

use super::moments::{Course, part};
use super::{Change, Kind, Objection};
use crate::catalog::compare::{Aspect, Difference, End, Order, compare, unknown_losses};
use crate::catalog::{Catalog, RelationKind, RelationName};
use crate::check::{Checked, check};
use crate::dialect::Name;
use crate::operation::Operation;
use crate::plan::{Phase, SqlStep};

/// What the end lacks, or has too much.
pub(super) fn end(change: &Change<'_>, course: &Course<'_>) -> Vec<Objection> {
    let lasting = |catalog: &Catalog| {
        let mut catalog = catalog.clone();
        catalog.end_session();
        catalog
    };
    let (end, after) = (lasting(course.end()), lasting(change.after));
    let mut differences = unknown_losses(compare(&end, &after, Order::Ignored), End::Last);
    differences.retain(|it| !(is_more_rights(it) && is_made_again(change, &it.object.name)));
    let words = |it: &Difference| format!("the plan does not end where the migration does: {it}");
    differences.iter().map(|it| objection(Kind::End, None, it, words(it))).collect()
}

/// Whether the migration as it was written drops a view of this name and makes it again: its rights go with the old one, and a plan may keep
/// them.
fn is_made_again(change: &Change<'_>, name: &str) -> bool {
    let shown = |it: &RelationName| it.display(change.target.dialect) == name;
    let mut views = change.before.relations().filter(|(it, _)| shown(it));
    views.any(|(it, before)| {
        let view = matches!(before.kind, RelationKind::View(_));
        view && change.after.relation(it).is_some_and(|after| after.born != before.born)
    })
}

/// Rights that only the plan leaves.
fn is_more_rights(difference: &Difference) -> bool {
    matches!(difference.aspect, Aspect::Rights(_)) && difference.theirs.is_none() && difference.ours.is_some()
}

/// What the way back does not give back. A step without a way down says so itself, and nothing goes back beyond it.
pub(super) fn way_back(change: &Change<'_>, phases: &[Phase], course: &Course<'_>) -> Vec<Objection> {
    let mut catalog = course.end().clone();
    let steps: Vec<&SqlStep> = phases.iter().flat_map(Phase::migrations).collect();
    let mut reached = change.before;
    let (mut last, mut failing) = (None, Vec::new());
    for (ran, step) in course.steps.iter().zip(&steps).rev() {
        reached = &ran.before;
        let Some(text) = step.down() else {
            reached = &ran.checked.after;
            break;
        };
        catalog.start_way_back();
        let checked = check(part(&text, step), change.target, &catalog);
        failing.extend(failure(change, &checked).map(|why| Objection {
            step: Some(ran.label.clone()),
            kind: Kind::Back,
            subject: format!("the way back of step {}", ran.label.0),
            words: format!("its way back fails: {why}"),
        }));
        catalog = checked.after;
        last = Some(ran.label.clone());
    }
    let dropped = |it: &Difference| {
        // The values of a column that was dropped come from a backup, and only then can it refuse NULL again.
        it.aspect == Aspect::Nullability
            && it.ours.as_deref() == Some("NULL")
            && course.moments.iter().any(|moment| lacks(&moment.catalog, &it.object.name))
    };
    let mut differences = unknown_losses(compare(&catalog, reached, Order::Ignored), End::First);
    differences.retain(|it| !dropped(it));
    let words = |it: &Difference| format!("the way back does not end where it began: {it}");
    let differences = differences.iter().map(|it| objection(Kind::Back, last.clone(), it, words(it)));
    failing.into_iter().chain(differences).collect()
}

/// Why a statement of a way back fails: the server refuses it, or what it is about is not there yet, though it was before the change.
fn failure(change: &Change<'_>, checked: &Checked) -> Option<String> {
    let was_there = |name: &Name| change.before.relation(&change.before.resolve(name)).is_some();
    checked.statements.iter().find_map(|it| {
        let known = it.operations.iter().filter_map(Operation::relation).any(was_there);
        it.effect.fails.clone().or_else(|| it.effect.missing.clone().filter(|_| known))
    })
}

/// Whether a schema has no column of this full name.
fn lacks(catalog: &Catalog, column: &str) -> bool {
    !catalog.tables().any(|(name, table)| {
        let table_name = name.display(catalog.dialect());
        let rest = column.strip_prefix(&*table_name).and_then(|it| it.strip_prefix('.'));
        rest.is_some_and(|it| table.column(it).is_some())
    })
}

fn objection(kind: Kind, step: Option<(usize, String)>, difference: &Difference, words: String) -> Objection {
    Objection { step, kind, subject: format!("{}: {}", difference.object, difference.aspect), words }
}
