//! Backfills: a row that is written behind one must not be left without what it fills.

use super::moments::{Course, Ran};
use super::releases::Told;
use super::{Change, Kind, Objection};
use crate::catalog::filling::{Filling, Place, code, fires};
use crate::catalog::{Catalog, RelationName};
use crate::operation::{Column, Kind as Does, TableAction};
use crate::plan::Work;

/// Backfills that come before what keeps new rows filled, and those that never come.
pub(super) fn backfills(change: &Change<'_>, course: &Course<'_>) -> Vec<Objection> {
    let early = course.steps.iter().flat_map(|ran| of_step(change, course, ran));
    early.chain(never_filled(change, course)).collect()
}

/// Columns that the plan adds, that old rows must have values in, and that nothing fills.
fn never_filled(change: &Change<'_>, course: &Course<'_>) -> Vec<Objection> {
    let new = added(course)
        .filter(|(table, column)| change.before.table(table).is_some() && !comes_with_values(column));
    new.filter_map(|(table, column)| never_filled_column(change, course, &table, &column.name.name)).collect()
}

/// Whether code of its own may fill the column, or its table.
fn in_code(text: &str, column: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("insert into") || text.contains("update ") && text.contains(&column.to_lowercase())
}

/// The columns that the plan adds, with their tables.
fn added<'a>(course: &'a Course<'_>) -> impl Iterator<Item = (RelationName, &'a Column)> {
    course.steps.iter().flat_map(|ran| {
        let operations = ran.checked.statements.iter().flat_map(|it| &it.operations);
        operations.filter_map(|operation| match &operation.kind {
            Does::AlterTable(alter) => match &alter.action {
                TableAction::AddColumn { column, .. } => Some((ran.before.resolve(&alter.table), &**column)),
                _ => None,
            },
            _ => None,
        })
    })
}

/// Whether the rows that are there have a value as soon as the column is.
fn comes_with_values(column: &Column) -> bool {
    let default = column.default.as_ref().is_some_and(|it| !it.is_null());
    default || column.identity.is_some() || column.generated.is_some() || column.ty.serial
}

fn never_filled_column(
    change: &Change<'_>,
    course: &Course<'_>,
    table: &RelationName,
    column: &str,
) -> Option<Objection> {
    let at = |catalog| Place::of(catalog, table, column);
    // A trigger of the plan's own keeps it in step with something: then old rows come over too.
    let own_trigger = course.moments.iter().any(|it| {
        at(&it.catalog).is_some_and(|place| place.is_filled())
            && !at(change.after).is_some_and(|it| it.is_filled())
    });
    let required = course.moments.iter().any(|it| at(&it.catalog).is_some_and(|place| place.refuses_null()));
    let comes = |ran: &Ran<'_>| {
        fills(ran, table, column)
            || copied(ran).is_some_and(|(_, into)| into == *table)
            || in_code(&ran.text, column)
    };
    let by_application =
        course.releases.iter().flat_map(|it| it.iter()).any(|must| must.contains("old rows"));
    // Where its table is made again beside the old one, the rows come with it.
    let swapped = course.moments.iter().any(|it| it.catalog.table(table).is_none());
    if !(required || own_trigger) || by_application || swapped || course.steps.iter().any(comes) {
        return None;
    }
    let subject = format!("column {}.{column}", table.display(change.target.dialect));
    let words = format!("nothing gives the rows that are there a value in {subject}: a backfill is missing");
    Some(Objection { step: None, kind: Kind::Stale, subject, words })
}

fn of_step(change: &Change<'_>, course: &Course<'_>, ran: &Ran<'_>) -> Vec<Objection> {
    let mut found = Vec::new();
    for (table, columns) in filled(ran) {
        for column in &columns {
            found.extend(
                too_early(ran, &table, column).or_else(|| too_late(change, course, ran, &table, column)),
            );
            found.extend(stale(change, course, ran, &table, column));
        }
        found.extend(followed(change, ran, &table, &columns));
    }
    if let Some((from, into)) = copied(ran) {
        found.extend(stale_copy(change, course, ran, &from, &into));
    }
    found
}

/// A column is filled before it is there.
fn too_early(ran: &Ran<'_>, table: &RelationName, column: &str) -> Option<Objection> {
    let column = unquoted(column);
    let state = ran.checked.after.table(table).filter(|_| ran.checked.after.is_complete())?;
    let subject = format!("column {}.{column}", table.display(ran.before.dialect()));
    let words = format!("it fails: {subject}, which it fills, is not there yet");
    state.column(&column).is_none().then(|| Objection {
        step: Some(ran.label.clone()),
        kind: Kind::Fails,
        subject,
        words,
    })
}

/// A column of old rows is filled when it refuses NULL already: any other change of such a row fails until then.
fn too_late(
    change: &Change<'_>,
    course: &Course<'_>,
    ran: &Ran<'_>,
    table: &RelationName,
    column: &str,
) -> Option<Objection> {
    let column = unquoted(column);
    if change.before.table(table)?.column(&column).is_some() {
        return None;
    }
    let place = Place::of(&ran.before, table, &column)?;
    let empty =
        added(course).any(|(it, own)| it == *table && own.name.name == column && !comes_with_values(own));
    let mut earlier = course.steps.iter().take_while(|it| it.label != ran.label);
    let earlier = earlier.any(|it| fills(it, table, &column));
    if !empty || earlier || !place.refuses_null() || place.is_filled_on_update() {
        return None;
    }
    let subject = format!("column {}.{column}", table.display(change.target.dialect));
    let words = format!(
        "old rows have no value in {subject} until this step, and cannot be changed, as it refuses NULL before"
    );
    Some(Objection { step: Some(ran.label.clone()), kind: Kind::Refused, subject, words })
}

/// The columns that a step fills, with their tables.
pub(super) fn filled(ran: &Ran<'_>) -> Vec<(RelationName, Vec<String>)> {
    if let Some(job) = ran.job {
        let Work::Set(set) = &job.work else { return Vec::new() };
        return vec![(job.table.clone(), set.iter().map(|(column, _)| column.clone()).collect())];
    }
    let operations = ran.checked.statements.iter().flat_map(|it| &it.operations);
    let updates = operations.filter_map(|it| match &it.kind {
        Does::Update(update) => Some(update),
        _ => None,
    });
    let names = |it: &crate::operation::Update| it.columns.iter().map(|it| it.name.clone()).collect();
    updates.map(|it| (ran.before.resolve(&it.table), names(it))).collect()
}

/// Whether a step fills a column.
pub(super) fn fills(ran: &Ran<'_>, table: &RelationName, column: &str) -> bool {
    let names = |columns: &[String]| columns.iter().any(|it| unquoted(it) == column);
    filled(ran).iter().any(|(own, columns)| own == table && names(columns))
}

fn copied(ran: &Ran<'_>) -> Option<(RelationName, RelationName)> {
    let job = ran.job?;
    let Work::Copy { into, .. } = &job.work else { return None };
    Some((job.table.clone(), into.clone()))
}

/// Whether what a release that writes the column left empty is filled behind it, and before anything refuses it.
fn filled_again(
    change: &Change<'_>,
    course: &Course<'_>,
    ran: &Ran<'_>,
    table: &RelationName,
    column: &str,
) -> bool {
    let open = |it: &Ran<'_>| Place::of(&it.before, table, column).is_some_and(|it| !it.refuses_null());
    let later = course.steps.iter().skip_while(|it| it.label != ran.label).skip(1);
    later
        .filter(|it| fills(it, table, column))
        .any(|it| open(it) && told(change, course, it).names_column(table, column))
}

/// A column that the running release does not know is filled, and nothing fills the rows that it goes on writing.
fn stale(
    change: &Change<'_>,
    course: &Course<'_>,
    ran: &Ran<'_>,
    table: &RelationName,
    column: &str,
) -> Option<Objection> {
    let column = unquoted(column);
    let known = |catalog: &Catalog| catalog.table(table).is_some_and(|it| it.column(&column).is_some());
    if known(change.before)
        || change.before.table(table).is_none()
        || told(change, course, ran).names_column(table, &column)
    {
        return None;
    }
    let place = Place::of(&ran.before, table, &column)?;
    if place.is_filled() || place.has_default() || filled_again(change, course, ran, table, &column) {
        return None;
    }
    // Where nobody needs it later, the change itself leaves the same rows without it.
    let later = Told { releases: &course.releases[ran.out..], dialect: change.target.dialect };
    let required = Place::of(change.after, table, &column).is_some_and(|it| it.refuses_null());
    if !required && !later.names_column(table, &column) {
        return None;
    }
    let subject = format!("column {}.{column}", table.display(change.target.dialect));
    let words = format!(
        "rows that the running release writes behind this backfill stay without {subject}: a trigger, a default or the \
         release that writes it comes first"
    );
    Some(Objection { step: Some(ran.label.clone()), kind: Kind::Stale, subject, words })
}

/// A trigger that is there for the time of the plan follows a change of rows of the migration's own: it gives another column
/// a new value, which the migration as it was written leaves as it is.
fn followed(
    change: &Change<'_>,
    ran: &Ran<'_>,
    table: &RelationName,
    columns: &[String],
) -> Option<Objection> {
    let state = ran.before.table(table)?;
    let changed: Vec<String> = columns.iter().map(|it| unquoted(it)).collect();
    let lasts = |name: &str| {
        let end = change.after.table(table);
        end.is_none_or(|it| it.triggers.iter().any(|it| it.name == name))
    };
    let own = state.triggers.iter().filter(|it| fires(it) && !lasts(&it.name));
    let follows = own.filter_map(|trigger| {
        let code = Filling::of(&ran.before, trigger)?;
        // One that goes both ways belongs to what is changed.
        let reads = changed.iter().find(|it| code.reads(it))?;
        let beside = !changed.iter().any(|it| code.writes(it));
        let written = state.columns.iter().find(|it| !changed.contains(&it.name) && code.writes(&it.name))?;
        let kept = change.after.table(table).is_some_and(|it| it.column(&written.name).is_some());
        (beside && kept).then_some((reads, &written.name))
    });
    let (read, written) = follows.into_iter().next()?;
    let shown = table.display(change.target.dialect);
    let subject = format!("column {shown}.{written}");
    let words = format!(
        "it changes {shown}.{read} while a trigger of this plan computes {subject} from it: the trigger has to be gone before"
    );
    Some(Objection { step: Some(ran.label.clone()), kind: Kind::Stale, subject, words })
}

fn stale_copy(
    change: &Change<'_>,
    course: &Course<'_>,
    ran: &Ran<'_>,
    from: &RelationName,
    into: &RelationName,
) -> Option<Objection> {
    let told = told(change, course, ran);
    let written = told.names_whole(into) || told.names(&into.display(change.target.dialect));
    let source = change.before.table(from).is_some();
    if written || !source || follows(&ran.before, from, into) {
        return None;
    }
    let (from, into) = (from.display(change.target.dialect), into.display(change.target.dialect));
    let words = format!(
        "rows that are written into {from} behind this copy do not come to {into}: triggers come first"
    );
    Some(Objection {
        step: Some(ran.label.clone()),
        kind: Kind::Stale,
        subject: format!("table {into}"),
        words,
    })
}

/// Whether a trigger of the one writes the other.
fn follows(catalog: &Catalog, from: &RelationName, into: &RelationName) -> bool {
    let Some(table) = catalog.table(from) else { return true };
    let quoted = crate::dialect::quote(&into.name, catalog.dialect());
    table.triggers.iter().filter(|it| fires(it)).any(|trigger| {
        code(catalog, trigger)
            .is_none_or(|words| words.iter().any(|it| *it == quoted || it.contains(&*into.name)))
    })
}

fn told<'a>(change: &Change<'_>, course: &'a Course<'_>, ran: &Ran<'_>) -> Told<'a> {
    Told { releases: &course.releases[..ran.out], dialect: change.target.dialect }
}

fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}
