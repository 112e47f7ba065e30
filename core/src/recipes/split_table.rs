//! A table whose columns move to a new one, a row there for each row here.

use crate::catalog::{Catalog, RelationName};
use crate::dialect::Dialect;
use crate::mechanics::carried::Carried;
use crate::mechanics::copied::Copied;
use crate::mechanics::derivation::refuse_views;
use crate::mechanics::join::{Join, Moved};
use crate::mechanics::relocation::{Goes, Relocation, Start};
use crate::mechanics::scene::Scene;
use crate::mechanics::{Phases, Refusal};
use crate::operation::{Expression, Kind, Operation, TableAction};
use crate::plan::Way;

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "split-table",
    dialects: &[Dialect::Postgres],
    page: include_str!("split_table.md"),
    ways: &[Way::Triggers, Way::Application],
    form: Form::Several { claim, write },
};

fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    Split::of(operations, scene).map(|it| it.members)
}

/// A new table filled from another, which loses columns.
struct Split<'a> {
    create: &'a Operation,
    table: RelationName,
    copied: Copied,
    dropped: Vec<&'a str>,
    members: Vec<usize>,
}

impl<'a> Split<'a> {
    fn of(operations: &[&'a Operation], scene: &Scene<'_>) -> Option<Self> {
        let create = *operations.first()?;
        let Kind::CreateTable(made) = &create.kind else { return None };
        let table = scene.resolve(&made.name);
        let plain =
            !made.temporary && !made.if_not_exists && made.query.is_none() && made.partition_by.is_none();
        (plain && made.partition_of.is_none() && made.inherits.is_empty()).then_some(())?;
        let (at, insert) = operations.iter().enumerate().find_map(|(at, it)| match &it.kind {
            Kind::Insert(insert) if scene.resolve(&insert.table) == table => Some((at, insert)),
            _ => None,
        })?;
        let mut catalog: Catalog = scene.catalog.clone();
        catalog.apply(create);
        let copied = Copied::of(insert, &Scene { catalog: &catalog, ..*scene })?;
        let mut members = vec![0, at];
        let mut dropped = Vec::new();
        for (at, operation) in operations.iter().enumerate().skip(at + 1) {
            let Kind::AlterTable(alter) = &operation.kind else { continue };
            let TableAction::DropColumn { column, cascade: false, .. } = &alter.action else { continue };
            let read = |(_, value): &(String, Expression)| value.names(&column.name, scene.dialect());
            if scene.resolve(&alter.table) == copied.table && copied.columns.iter().any(read) {
                dropped.push(column.name.as_str());
                members.push(at);
            }
        }
        (!dropped.is_empty()).then_some(Self { create, table, copied, dropped, members })
    }
}

fn write(operations: &[&Operation], scene: &Scene<'_>, way: Way) -> Phases {
    let split = Split::of(operations, scene).ok_or_else(|| Refusal::new("it splits no table"))?;
    let mut after: Catalog = scene.catalog.clone();
    after.apply(split.create);
    let state = after.table(&split.table).ok_or_else(|| Refusal::new("the new table could not be read"))?;
    let copied = &split.copied;
    let keys = keys(&split, scene, state)?;
    let own = |column: &str| format!("{}.{}", scene.quote(&split.table.name), scene.quote(column));
    let on: Vec<String> = keys
        .iter()
        .map(|(column, of)| {
            format!("{} = {}.{}", own(column), scene.quote(&copied.table.name), scene.quote(of))
        })
        .collect();
    let join = Join::of(scene, (&split.table, state), &copied.table, &copied.table.name, &on.join(" AND "))?;
    refuse_views(scene, join.source, &split.dropped)?;
    let comes = comes(&split, scene, &join, state)?;
    let mut link = join.link(&comes);
    link.target.made = true;
    link.target.late = Some(copied.condition.clone().unwrap_or_default());
    if way == Way::Triggers {
        join.both_ways(&comes, Some(&split.dropped), &mut link)?;
    }
    let filled = |column: &str, value: &Expression| match state.column(column) {
        Some(it) if it.not_null => match &it.default {
            Some(default) => format!("coalesce({}, {})", value.text, default.text),
            None => value.text.clone(),
        },
        _ => value.text.clone(),
    };
    let copy = copied.columns.iter().map(|(column, value)| (column.clone(), filled(column, value))).collect();
    let create = scene.statement_of(split.create);
    let start = Start::Table { create, copy, condition: copied.condition.clone() };
    let goes = Goes::Columns(Carried::all(scene, join.source, join.source_state, &split.dropped)?);
    Relocation { join: &join, link: &link, start, comes: &comes, goes, way }.phases()
}

/// The key of the new table, each column with the one of the source that it is filled with.
fn keys(
    split: &Split<'_>,
    scene: &Scene<'_>,
    state: &crate::catalog::Table,
) -> Result<Vec<(String, String)>, Refusal> {
    let source = scene.table(&split.copied.table)?;
    let plain = |column: &str| {
        let name = split.copied.plain(column, scene.dialect())?;
        source.column(&name).is_some().then(|| (column.to_owned(), name))
    };
    let unique = state.indexes.iter().filter(|it| it.unique && it.predicate.is_none());
    let mut keys = unique.filter_map(|index| {
        let columns = index.keys.iter().map(|key| plain(key.column.as_deref()?));
        columns.collect::<Option<Vec<_>>>()
    });
    keys.next().ok_or_else(|| {
        Refusal::new(format!(
            "nothing tells which row of {} belongs to one of {}: give the new table a primary key, or a unique one, that is filled with the key of the old",
            split.table.display(scene.dialect()),
            split.copied.table.display(scene.dialect())
        ))
    })
}

/// The columns of the new table that are filled and are not its key.
fn comes(
    split: &Split<'_>,
    scene: &Scene<'_>,
    join: &Join<'_>,
    state: &crate::catalog::Table,
) -> Result<Vec<Moved>, Refusal> {
    let is_key = |column: &str| join.pairs.iter().any(|(own, _)| own == column);
    let filled = split.copied.columns.iter().filter(|(column, _)| !is_key(column));
    let mut comes = Vec::new();
    for (column, value) in filled {
        if crate::engine::effect::drifts(value, scene.catalog) {
            return Err(Refusal::new(format!(
                "{column} gets a value that differs from one moment to the next: old and new could not be kept in step"
            )));
        }
        let from = format!("{} AS {}", scene.sql(join.source), scene.quote(&join.alias));
        let query = format!("(SELECT {} FROM {from} WHERE {})", value.text, join.on.text);
        let column =
            state.column(column).ok_or_else(|| Refusal::new(format!("the column {column} is not known")))?;
        let default = column.default.as_ref().filter(|_| column.not_null);
        let value_here = default.map_or(query.clone(), |it| format!("coalesce({query}, {})", it.text));
        comes.push(Moved {
            name: column.name.clone(),
            from: value.clone(),
            value: Expression::new(value_here),
            query,
            default: column.default.as_ref().map(|it| it.text.clone()),
            required: column.not_null,
        });
    }
    Ok(comes)
}
