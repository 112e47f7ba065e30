//! ALTER COLUMN TYPE (manual, ALTER TABLE; `ATPrepAlterColumnType`, `CheckIndexCompatible`).

use super::alter::key_of;
use super::cast::{Conversion, base, casts_by_assignment, conversion};
use super::draft::Draft;
use super::immutable;
use super::retyped::Retyped;
use crate::catalog::{ColumnState, Demand, RelationName, Table};
use crate::dialect::{LockMode, Name};
use crate::operation::{Expression, TypeName};

pub(super) fn change(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    column: &str,
    ty: &TypeName,
    using: Option<&Expression>,
    collation: Option<&Name>,
) {
    draft.cite("manual, ALTER TABLE: SET DATA TYPE; type pairs measured on 11 to 18");
    draft.lock_tree(relation, LockMode::AccessExclusive);
    let known = draft.table(relation).and_then(|table| Some((table, table.column(column)?)));
    let Some((table, state)) = known else {
        draft.assume(format!("the type of {column} is not known: the table is taken to be rewritten"));
        return draft.rewrite_tree(relation);
    };
    refuse(draft, relation, table, state, ty, using);
    let conversion = conversion_of(draft, state, ty, using);
    let collates = collation.map(|name| name.name.as_str()) != state.collation.as_deref() && is_text(ty);
    for name in draft.tree(relation) {
        indexes(draft, &name, column, conversion, collates);
    }
    if let Some(sequence) = state.sequence.as_ref().filter(|_| state.identity.is_some()) {
        draft.lock(sequence, LockMode::ShareRowExclusive);
    }
    if conversion == Conversion::Rewrite {
        draft.rewrite_tree(relation);
    } else if has_check_on(draft, table, column) {
        draft.scan_tree(relation);
    }
    keys(draft, relation, table, column, ty, conversion);
}

/// A key cannot compare any two types: no index on the other side would serve it.
fn refuse_key(
    draft: &mut Draft<'_>,
    constraint: &crate::catalog::ConstraintState,
    references: &RelationName,
    column: &str,
    ty: &TypeName,
) {
    let Demand::ForeignKey { columns, key, .. } = &constraint.demand else { return };
    let Some(at) = columns.iter().position(|it| it == column) else { return };
    let Some(other) = draft.table(references) else { return };
    let named = key.referenced.get(at).map(|it| it.name.as_str());
    let referenced = named.or_else(|| other.primary_key()?.get(at).map(String::as_str));
    let Some(referenced) = referenced.and_then(|it| other.column(it)) else { return };
    if !super::cast::can_refer(ty, &referenced.ty, draft.catalog) {
        draft
            .fail(format!("{ty} cannot refer to {}, which the key {} needs", referenced.ty, constraint.name));
    }
}

fn is_text(ty: &TypeName) -> bool {
    ty.is_any(&["text", "varchar", "bpchar", "citext"])
}

fn conversion_of(
    draft: &Draft<'_>,
    state: &ColumnState,
    ty: &TypeName,
    using: Option<&Expression>,
) -> Conversion {
    if let Some(using) = using
        && !is_bare_cast(&using.text, &state.name, ty)
    {
        return Conversion::Rewrite;
    }
    conversion(&state.ty, ty, draft.catalog, session_is_utc(draft))
}

/// `column`, or a cast of it to the new type.
fn is_bare_cast(using: &str, column: &str, ty: &TypeName) -> bool {
    let (value, cast) = using.split_once("::").map_or((using, None), |(value, cast)| (value, Some(cast)));
    let value = value.trim().trim_matches(['(', ')', '"']);
    let plain = |text: &str| text.to_lowercase().replace([' ', '(', ')', '"'], "");
    let same = cast.is_none_or(|cast| {
        let head = cast.trim().split(['(', '[']).next().unwrap_or("").trim().to_lowercase();
        plain(cast) == plain(&ty.to_string()) || crate::operation::canonical_type(&head) == ty.name
    });
    value.eq_ignore_ascii_case(column) && same
}

/// From 12 on the server sees that UTC changes nothing (release notes of 12).
fn session_is_utc(draft: &Draft<'_>) -> bool {
    let zone = draft.session.time_zone.as_ref().or(draft.target.time_zone.as_ref());
    let zone = zone.map(|zone| zone.trim_matches('\'').to_ascii_lowercase());
    let utc = ["utc", "etc/utc", "gmt", "etc/gmt", "zulu", "uct", "universal", "0"];
    draft.since(12) && zone.is_some_and(|zone| utc.contains(&zone.as_str()))
}

/// The indexes with the column in them: taken apart in any case, rebuilt where their operators or their
/// expressions change.
fn indexes(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    column: &str,
    conversion: Conversion,
    collates: bool,
) {
    let dialect = draft.catalog.dialect();
    for index in draft.catalog.indexes(relation) {
        if !index.names_column(column, dialect) {
            continue;
        }
        draft.lock_index(&index.name, LockMode::AccessExclusive);
        // An index on a partitioned table has no file to keep: those of the partitions are made again.
        let stays = conversion == Conversion::Free
            && !collates
            && !index.computes_from(column, dialect)
            && !is_of_partitioned(draft, relation, &index.name);
        if !stays && !draft.is_partitioned(relation) {
            draft.rebuild(relation);
        }
    }
}

/// Whether the index of a partition belongs to one of the partitioned table above.
fn is_of_partitioned(draft: &Draft<'_>, relation: &RelationName, index: &RelationName) -> bool {
    let parent = draft.table(relation).and_then(|it| it.partition_of.as_ref()).map(|(parent, _)| parent);
    parent.is_some_and(|it| draft.catalog.indexes(it).iter().any(|above| above.children.contains(index)))
}

fn has_check_on(draft: &Draft<'_>, table: &Table, column: &str) -> bool {
    let dialect = draft.catalog.dialect();
    table.constraints.iter().any(|constraint| {
        constraint.valid && matches!(&constraint.demand, Demand::Check(it) if it.names(column, dialect))
    })
}

/// A foreign key on either side is taken down and made again, under the strongest lock on both tables.
fn keys(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    table: &Table,
    column: &str,
    ty: &TypeName,
    conversion: Conversion,
) {
    let checks_rows = conversion == Conversion::Rewrite;
    for constraint in &table.constraints {
        let Some(references) = key_of(&constraint.demand) else { continue };
        if crate::catalog::names_column(&constraint.demand, column, draft.catalog.dialect()) {
            draft.lock(references, LockMode::AccessExclusive);
            refuse_key(draft, constraint, references, column, ty);
            if constraint.valid && checks_rows {
                draft.check_key(relation, references);
            }
        }
    }
    for child in &table.referenced_by {
        let points_at_column = draft.table(child).is_some_and(|it| {
            it.constraints.iter().any(|constraint| {
                let Demand::ForeignKey { references, key, .. } = &constraint.demand else { return false };
                let named = key.referenced.iter().any(|it| it.name == column);
                let by_primary_key = key.referenced.is_empty()
                    && table.primary_key().is_some_and(|columns| columns.iter().any(|it| it == column));
                references == relation && (named || by_primary_key)
            })
        });
        if points_at_column {
            draft.lock(child, LockMode::AccessExclusive);
            if checks_rows {
                draft.check_key(child, relation);
            }
        }
    }
}

/// What makes the change impossible.
fn refuse(
    draft: &mut Draft<'_>,
    relation: &RelationName,
    table: &Table,
    state: &ColumnState,
    ty: &TypeName,
    using: Option<&Expression>,
) {
    let dialect = draft.catalog.dialect();
    let column = state.name.as_str();
    if let Some(view) = draft.catalog.views_on_column(relation, column).first() {
        let view = draft.display(view);
        draft.fail(format!("the view {view} uses the column: its type cannot change"));
    }
    let type_of = |name: &str| match name == column {
        true => Some(ty.clone()),
        false => Some(table.column(name)?.ty.clone()),
    };
    for index in draft.catalog.indexes(relation).iter().filter(|it| it.computes_from(column, dialect)) {
        let keys = index.keys.iter().filter(|key| key.column.is_none()).map(|key| &key.text);
        let mut expressions = keys.chain(&index.predicate);
        if let Some(what) = expressions.find_map(|it| immutable::mutable(it, draft.catalog, &type_of)) {
            let name = draft.display(&index.name);
            draft.fail(format!(
                "{what} in the index {name} is not IMMUTABLE, so that it cannot be built again"
            ));
        }
    }
    let retyped = Retyped { column, from: &state.ty, to: ty, catalog: draft.catalog };
    refuse_untyped(draft, relation, table, &retyped);
    let generated = table
        .columns
        .iter()
        .find(|other| other.generated.as_ref().is_some_and(|it| it.expression.names(column, dialect)));
    if let Some(other) = generated {
        draft.fail(format!("the generated column {} uses the column: its type cannot change", other.name));
    }
    if let Some(user) = super::table::user_of(draft.catalog, relation, table, column) {
        draft.fail(format!("{user} uses the column: its type cannot change"));
    }
    let in_key = table.partition_by.as_ref().is_some_and(|it| it.columns.iter().any(|it| it == column));
    if in_key {
        draft.fail(format!("{column} is in the partition key: its type cannot change"));
    }
    if super::table::inherits_column(draft, table, column) {
        draft.fail(format!("{column} is inherited: change it in the table above"));
    }
    if table.of_type.is_some() {
        draft.fail("a column of a table of a type cannot change: change the type");
    }
    if table.partition_of.is_some() {
        draft.fail(format!("{column} is inherited from the partitioned table: change it there"));
    }
    refuse_cast(draft, state, ty, using);
}

/// Checks and indexes are made again with the new type, and fail where it has no such operator.
fn refuse_untyped(draft: &mut Draft<'_>, relation: &RelationName, table: &Table, retyped: &Retyped<'_>) {
    let checks = table.constraints.iter().filter_map(|it| match &it.demand {
        Demand::Check(check) => Some((format!("the check {}", it.name), check)),
        _ => None,
    });
    let indexes = draft.catalog.indexes(relation).iter().flat_map(|index| {
        let computed = index.keys.iter().filter(|it| it.column.is_none()).map(|it| &it.text);
        let name = draft.display(&index.name);
        computed.chain(&index.predicate).map(move |it| (format!("the index {name}"), it))
    });
    let mut all = checks.chain(indexes);
    let found = all.find_map(|(place, expression)| Some((place, retyped.untyped(expression)?)));
    if let Some((place, what)) = found {
        draft.fail(format!("{} has no such operator as {place} needs: {what}", retyped.to));
    }
}

fn refuse_cast(draft: &mut Draft<'_>, state: &ColumnState, ty: &TypeName, using: Option<&Expression>) {
    let assignable = casts_by_assignment(&state.ty, ty, draft.catalog);
    if assignable == Some(false) && using.is_none() {
        draft.fail(format!("{} cannot be cast to {ty} by itself: it needs USING", state.ty));
    }
    let null_default = state.default.as_ref().is_none_or(Expression::is_null);
    if assignable == Some(false) && using.is_some() && !null_default {
        draft.fail(format!(
            "the default of {} cannot be cast to {ty}: drop it first, set it again after",
            state.name
        ));
    }
    let (from, to) = (base(&state.ty, draft.catalog).0, base(ty, draft.catalog).0);
    if from.is("bit") && to.is("bit") && from.modifiers != to.modifiers && using.is_none() {
        draft.fail(format!("a {from} does not fit into {to}: bit strings are not cut or filled"));
    }
}
