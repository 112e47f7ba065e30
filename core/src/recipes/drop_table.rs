//! Drop a table: from the application first, then its foreign keys one by one, then the table under another name.

use crate::catalog::{ColumnState, ConstraintState, Demand, RelationName, Table, server_name};
use crate::hazards::compatibility::{dropped_table, renamed_table};
use crate::operation::{Column, Constraint, ConstraintKind, CreateTable, Drop, Kind, ObjectKind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Statement, Step, Way};

use super::make::{self, Build};
use super::scene::{Scene, name_of, with_timeout};
use super::{Form, Phases, Recipe, Refusal};

pub(super) static RECIPE: Recipe = Recipe {
    id: "drop-table",
    page: include_str!("drop_table.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| dropped(operation).is_some(), write },
};

fn dropped(operation: &Operation) -> Option<&Drop> {
    match &operation.kind {
        Kind::Drop(drop) if drop.object == ObjectKind::Table => Some(drop),
        _ => None,
    }
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Phases {
    phases(operation, scene)
}

/// The release that does not know the table, and what follows it.
///
/// # Errors
/// [`Refusal`] where something hangs on the table.
pub(super) fn phases(operation: &Operation, scene: &Scene<'_>) -> Phases {
    let Some(drop) = dropped(operation) else { return Err(Refusal::new("it drops no table")) };
    let [name] = drop.names.as_slice() else {
        return Err(Refusal::new(
            "it drops several tables: one migration for each, so that each can be taken back",
        ));
    };
    let table = scene.resolve(name);
    let state = scene.table(&table)?;
    let shown = table.display(scene.dialect());
    if let Some((view, _)) = scene.catalog.views_on(&table).first() {
        return Err(Refusal::new(format!(
            "the view {} reads {shown}: drop or replace it first",
            view.display(scene.dialect())
        )));
    }
    if state.partition_of.is_some() || state.partition_by.is_some() || !state.children.is_empty() {
        return Err(Refusal::new(format!(
            "{shown} is part of a partitioned or inherited table: detach the partition concurrently, then drop it"
        )));
    }
    let must = vec![format!("read and write {shown} nowhere")];
    let mut phases = vec![
        Phase::new(
            PhaseKind::Cutover,
            format!("release the application that does not know {shown}"),
            vec![Step::Release(ReleaseStep { must })],
        )
        .leave_when(Criterion::of_people("no instance of the release before is running"))
        .undone_by("roll the application back", "errors over the baseline"),
    ];
    let keys: Vec<Step> = keys(scene, &table, state).into_iter().map(Step::Sql).collect();
    if !keys.is_empty() {
        phases.push(
            Phase::new(PhaseKind::Expand, format!("drop the foreign keys of {shown} one by one"), keys)
                .undone_by("the down migrations add the keys again and check them", "a need for the table"),
        );
    }
    phases.extend(contract(scene, &table, state, &shown));
    Ok(phases)
}

/// Every key that goes locks two tables: one transaction each, so that none is waited for while another is held.
fn keys(scene: &Scene<'_>, table: &RelationName, state: &Table) -> Vec<SqlStep> {
    let mut steps: Vec<SqlStep> = state.constraints.iter().filter_map(|it| key(scene, table, it)).collect();
    for (child, other) in scene.catalog.tables().filter(|(name, _)| *name != table) {
        let points = |it: &&ConstraintState| matches!(&it.demand, Demand::ForeignKey { references, .. } if references == table);
        steps.extend(other.constraints.iter().filter(points).filter_map(|it| key(scene, child, it)));
    }
    steps.sort_by(|a, b| a.name.cmp(&b.name));
    steps
}

/// The step that drops a foreign key of a table; `None` for a constraint that is none.
pub(super) fn key(scene: &Scene<'_>, table: &RelationName, constraint: &ConstraintState) -> Option<SqlStep> {
    if !matches!(constraint.demand, Demand::ForeignKey { .. }) {
        return None;
    }
    let (on, again) = (scene.on(table), make::again(constraint, scene.dialect())?);
    let up = on.drop_constraint(&constraint.name);
    let down = on.add(Constraint { not_valid: !constraint.valid, ..again });
    let title = format!("drop the foreign key {} of {}", constraint.name, table.display(scene.dialect()));
    let name = name_of(&[&table.name, &constraint.name, "drop"]);
    Some(scene.on_two_tables(name, title, vec![up], vec![down]))
}

fn contract(scene: &Scene<'_>, table: &RelationName, state: &Table, shown: &str) -> [Phase; 2] {
    let gone = scene.free_name(table, &["gone", &table.name]);
    let aside_name = RelationName { schema: table.schema.clone(), name: gone.as_str().into() };
    let because = "the release that does not know it is out: this is the test of that";
    let aside = scene.in_transaction(
        name_of(&[&table.name, "aside"]),
        format!("put {shown} aside as {gone}: who still uses it fails now, and it can come back at once"),
        vec![scene.on(table).rename(&gone).allowing(&renamed_table::RULE, because)],
        vec![scene.on(&aside_name).rename(&table.name)],
    );
    let drop = make::drop(ObjectKind::Table, scene.name(&aside_name));
    let drop = drop.allowing(&dropped_table::RULE, "nobody missed it while it stood aside");
    let again = create_drawing(scene, table, state, &aside_name, |_| true);
    let drop = scene.step(
        name_of(&[&table.name, "drop"]),
        format!("drop {shown}; its rows are gone for good"),
        with_timeout(vec![drop]),
        again.map(with_timeout),
    );
    let aside = Phase::new(PhaseKind::Verification, format!("put {shown} aside"), vec![Step::Sql(aside)])
        .enter_when(Criterion::of_people("a backup that holds the table was restored and checked"))
        .undone_by("the down migration gives the table its name back", "a program that still names it");
    let last =
        Phase::new(PhaseKind::Contract, format!("drop {shown} when nobody missed it"), vec![Step::Sql(drop)])
            .enter_when(Criterion::of_people(format!("nobody missed {shown} for one full release cycle")))
            .undone_by(
                "the table comes back empty, its rows only from the backup",
                "a program that still names it",
            );
    [aside, last]
}

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
pub(super) fn create_drawing(
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

fn column(scene: &Scene<'_>, table: &RelationName, column: &ColumnState) -> Column {
    // From 18 on NOT NULL has a name, which came with the table when it was put aside.
    let named = column.not_null && scene.target.version.major >= 18;
    let name = server_name(&table.name, &[&column.name], "not_null");
    let not_null = make::constraint(&name, ConstraintKind::NotNull(make::ident(&column.name)));
    Column {
        default: column.default.clone(),
        not_null: column.not_null,
        constraints: named.then_some(not_null).into_iter().collect(),
        ..make::bare_column(&column.name, column)
    }
}
