//! A table that was dropped, made again on the way back: empty, with its columns, keys and indexes.

use crate::catalog::{ColumnState, Demand, RelationName, Table};
use crate::dialect::Unnamed;
use crate::engine::Capability;
use crate::operation::{Column, ConstraintKind, CreateTable, ObjectKind};
use crate::plan::Statement;

use super::details;
use super::make::{self, Build};
use super::scene::Scene;

/// The statements that make the table again, empty and without its foreign keys and sequences, under the name that it has aside; `None`
/// where something hangs on it that we cannot spell.
fn create_again(
    scene: &Scene<'_>,
    table: &RelationName,
    state: &Table,
    aside: &RelationName,
) -> Option<Vec<Statement>> {
    let plain = state.triggers.is_empty()
        && state.policies.is_empty()
        && state.rules.is_empty()
        && state.statistics.is_empty()
        && state.of_type.is_none()
        && state.columns.iter().all(|it| it.generated.is_none());
    if !plain {
        return None;
    }
    let on = scene.on(aside);
    let columns = state.columns.iter().map(|it| column(scene, table, it)).collect();
    let mut statements = vec![make::create_table(CreateTable {
        name: on.name.clone(),
        unlogged: state.unlogged,
        columns,
        ..CreateTable::default()
    })];
    for constraint in state
        .constraints
        .iter()
        .filter(|it| !matches!(it.demand, Demand::ForeignKey { .. } | Demand::NotNull(_)))
    {
        statements.push(on.add(make::again(constraint, scene.dialect())?));
    }
    let of_constraint =
        |name: &str| state.constraints.iter().any(|it| it.demand.has_index() && it.name == name);
    for index in state.indexes.iter().filter(|it| !of_constraint(&it.name.name)) {
        statements.push(make::index(aside, index, &index.name.name, Build::Plain, scene.dialect()));
    }
    Some(statements)
}

/// The same with the sequences that `drawn` columns of it own.
pub(crate) fn create_drawing(
    scene: &Scene<'_>,
    table: &RelationName,
    state: &Table,
    aside: &RelationName,
    drawn: impl Fn(&ColumnState) -> bool,
) -> Option<Vec<Statement>> {
    let owned = || {
        let drawn = state.columns.iter().filter(|it| drawn(it));
        drawn.filter_map(|it| Some((it, scene.name(it.sequence.as_ref()?))))
    };
    let plain = owned().filter(|(column, _)| column.identity.is_none());
    let sequences = plain.map(|(column, own)| make::create_sequence(own, column.ty.clone(), None));
    let mut statements: Vec<Statement> = sequences.collect();
    statements.extend(create_again(scene, table, state, aside)?);
    let on = scene.on(aside);
    for (column, own) in owned() {
        statements.push(match column.identity {
            None => make::own_sequence(own, None, Some((on.name.clone(), &column.name))),
            Some(identity) => on.add_identity(&column.name, identity, Some(own)),
        });
    }
    Some(statements)
}

/// The same for good: with the comments, rights and settings that hung on it.
pub(crate) fn whole(
    scene: &Scene<'_>,
    table: &RelationName,
    state: &Table,
    aside: &RelationName,
) -> Option<Vec<Statement>> {
    let mut statements = create_drawing(scene, table, state, aside, |_| true)?;
    let on = scene.on(aside);
    if let Some(own) = scene.catalog.details(table) {
        statements.extend(details::rights(&own.rights, &on.name, None));
        statements.extend(details::comment(own, ObjectKind::Table, &on.name, None));
    }
    for column in &state.columns {
        statements.extend(details::of_column(&column.details, &on, &column.name));
    }
    Some(statements)
}

fn column(scene: &Scene<'_>, table: &RelationName, column: &ColumnState) -> Column {
    // Where NOT NULL has a name, it came with the table when it was put aside.
    let named = column.not_null && scene.can(Capability::NamedNotNull);
    let name = scene.server_name(table, &[&column.name], Unnamed::NotNull);
    let not_null = make::constraint(&name, ConstraintKind::NotNull(make::ident(&column.name)));
    Column {
        default: column.default.clone(),
        not_null: column.not_null,
        constraints: named.then_some(not_null).into_iter().collect(),
        ..make::bare_column(&column.name, column)
    }
}
