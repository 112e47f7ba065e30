//! A constraint that goes for another one of its name: the new one holds before the old one goes, and takes its name in the same transaction.

use crate::catalog::{ConstraintState, Demand, RelationName};
use crate::dialect::{Dialect, Unnamed};
use crate::engine::preflight;
use crate::hazards::compatibility::lost_conflict_target;
use crate::mechanics::check::{Check, checked};
use crate::mechanics::make::{self, Build};
use crate::mechanics::scene::stands_apart;
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::{Phases, Refusal, referencing};
use crate::operation::{AlterTable, Constraint, ConstraintKind, Kind, Operation, TableAction};
use crate::plan::{Phase, PhaseKind, ReleaseStep, Statement, Step, Way};

use super::{Form, Recipe, for_operation};

pub(super) static RECIPE: Recipe = Recipe {
    id: "replace-constraint",
    dialects: &[Dialect::Postgres],
    page: include_str!("replace_constraint.md"),
    ways: &[Way::Triggers],
    form: Form::Several {
        claim: |operations, scene| Replaced::of(operations, scene).map(|it| it.members),
        write,
    },
};

/// The name that a constraint gets; nothing where that goes by its columns.
fn named(scene: &Scene<'_>, table: &RelationName, constraint: &Constraint) -> String {
    match (&constraint.name, &constraint.kind) {
        (Some(name), _) => name.name.clone(),
        (None, ConstraintKind::PrimaryKey { .. }) => scene.server_name(table, &[], Unnamed::PrimaryKey),
        _ => String::new(),
    }
}

/// `DROP CONSTRAINT`, and `ADD CONSTRAINT` of the same name behind it.
struct Replaced<'a> {
    table: RelationName,
    old: ConstraintState,
    add: &'a AlterTable,
    new: &'a Constraint,
    operation: &'a Operation,
    members: Vec<usize>,
}

impl<'a> Replaced<'a> {
    fn of(operations: &[&'a Operation], scene: &Scene<'_>) -> Option<Self> {
        let Kind::AlterTable(drop) = &operations.first()?.kind else { return None };
        let TableAction::DropConstraint { name, cascade: false, .. } = &drop.action else { return None };
        let table = scene.resolve(&drop.table);
        let state = scene.catalog.table(&table)?;
        (state.partition_by.is_none() && state.partition_of.is_none()).then_some(())?;
        let old = state.constraint(&name.name)?.clone();
        let added = |it: &&'a Operation| match &it.kind {
            Kind::AlterTable(alter) => match &alter.action {
                TableAction::AddConstraint { constraint }
                    if scene.resolve(&alter.table) == table
                        && named(scene, &table, constraint) == name.name =>
                {
                    Some((alter.as_ref(), constraint))
                }
                _ => None,
            },
            _ => None,
        };
        let mut behind = operations.iter().enumerate().skip(1);
        let (at, (add, new)) = behind.find_map(|(at, it)| Some((at, added(it)?)))?;
        let apart =
            operations[1..at].iter().all(|it| stands_apart(it, std::slice::from_ref(&drop.table), scene));
        let alike = matches!(
            (&old.demand, &new.kind),
            (Demand::Check(_), ConstraintKind::Check(_))
                | (Demand::ForeignKey { .. }, ConstraintKind::ForeignKey(_))
                | (Demand::Unique(_), ConstraintKind::Unique { using_index: None, .. })
                | (Demand::PrimaryKey(_), ConstraintKind::PrimaryKey { using_index: None, .. })
        );
        (apart && alike).then(|| Self {
            table,
            old,
            add,
            new,
            operation: operations[at],
            members: vec![0, at],
        })
    }

    fn is_key(&self) -> bool {
        matches!(self.old.demand, Demand::PrimaryKey(_))
    }

    /// The columns of the new primary key.
    fn key_columns(&self) -> Option<impl Iterator<Item = &str>> {
        match &self.new.kind {
            ConstraintKind::PrimaryKey { columns, .. } => Some(columns.iter().map(|it| it.name.as_str())),
            _ => None,
        }
    }
}

fn write(operations: &[&Operation], scene: &Scene<'_>, way: Way) -> Phases {
    let replaced =
        Replaced::of(operations, scene).ok_or_else(|| Refusal::new("it replaces no constraint"))?;
    let (table, name) = (&replaced.table, &replaced.old.name);
    let shown = table.display(scene.dialect());
    if replaced.old.demand.has_index() {
        refuse_referenced(scene, &replaced)?;
    }
    let interim = scene.free_name(table, &["lockkeeper", name]);
    let mut phases = beside(scene, &replaced, &interim, way)?;
    let on = scene.on(table);
    let again = make::again(&replaced.old, scene.dialect()).ok_or_else(|| {
        Refusal::new(format!("nobody knows how {name} of {shown} was made: replace it in a window"))
    })?;
    let again = on.add(Constraint { not_valid: !replaced.old.valid, ..again });
    let (takes, gives) = match replaced.is_key() {
        true => {
            let key = Constraint {
                deferrable: replaced.new.deferrable,
                initially_deferred: replaced.new.initially_deferred,
                ..make::from_index(name, true, &interim)
            };
            (on.add(key), on.drop_constraint(name))
        }
        false => (on.rename_constraint(&interim, name), on.rename_constraint(name, &interim)),
    };
    let key = RelationName { schema: table.schema.clone(), name: name.as_str().into() };
    let drop = match lost_conflict_target::is_target(&key, scene.catalog) {
        true => on
            .drop_constraint(name)
            .allowing(&lost_conflict_target::RULE, "the release that does without the key is out"),
        false => on.drop_constraint(name),
    };
    let up: Vec<Statement> = vec![drop, takes];
    let index = replaced.key_columns().map(|columns| {
        make::unique_index(scene.name(table), &interim, columns, Build::Plain, scene.dialect())
    });
    let down: Vec<Statement> = [gives].into_iter().chain(index).chain([again]).collect();
    let title = format!("let the new {name} take the place of the old one");
    let step = match &replaced.old.demand {
        Demand::ForeignKey { .. } => scene.on_two_tables(name_of(&[name, "switch"]), title.clone(), up, down),
        _ => scene.in_transaction(name_of(&[name, "switch"]), title.clone(), up, down),
    };
    let must = format!(
        "name the columns of the old {name} in no ON CONFLICT, and rely on it for no row's uniqueness"
    );
    let released = Step::Release(ReleaseStep { must: vec![must] });
    let steps = replaced.old.demand.has_index().then_some(released).into_iter().chain([Step::Sql(step)]);
    phases.push(Phase::new(PhaseKind::Cutover, title, steps.collect()).undone_by(
        format!(
            "the down migration adds the old one again; it reads {shown} under a lock that stops its writes"
        ),
        "an insert or update that only the old one accepts",
    ));
    Ok(phases)
}

/// The new constraint under a name of its own, as it is added where there is none; of a primary key, of which there is one only, its index.
fn beside(scene: &Scene<'_>, replaced: &Replaced<'_>, interim: &str, way: Way) -> Phases {
    let mut new = replaced.new.clone();
    new.name = Some(make::ident(interim));
    if let (true, ConstraintKind::PrimaryKey { columns, .. }) = (replaced.is_key(), &new.kind) {
        let state = scene.table(&replaced.table)?;
        let nullable = columns.iter().find(|it| state.column(&it.name).is_none_or(|it| !it.not_null));
        if let Some(column) = nullable {
            return Err(Refusal::new(format!(
                "{} may be NULL, and a key refuses that: set NOT NULL in a migration before this one",
                column.name
            )));
        }
        new.kind =
            ConstraintKind::Unique { columns: columns.clone(), using_index: None, nulls_not_distinct: false };
    }
    if let ConstraintKind::Check(check) = &new.kind {
        return Ok(checked(
            scene,
            &Check {
                table: &replaced.table,
                constraint: Constraint {
                    no_inherit: new.no_inherit,
                    ..make::check(interim, check.text.clone())
                },
                must: format!(
                    "write into {} only what the new check {} accepts",
                    replaced.table.display(scene.dialect()),
                    replaced.old.name
                ),
                breaking: preflight::violations(&replaced.table, replaced.new, scene.catalog),
                holds: "no row breaks the new check".to_owned(),
            },
        ));
    }
    let action = TableAction::AddConstraint { constraint: Box::new(new) };
    let kind = Kind::AlterTable(Box::new(AlterTable { action, ..replaced.add.clone() }));
    let operation = Operation { kind, span: replaced.operation.span };
    let recipe = for_operation(&operation, scene.dialect())
        .ok_or_else(|| Refusal::new(format!("nothing adds {} without blocking", replaced.old.name)))?;
    let mut phases = super::write(recipe, &[&operation], scene, way)?;
    if replaced.is_key() {
        // The index becomes the key itself.
        phases.retain(|it| it.kind != PhaseKind::Cutover);
    }
    Ok(phases)
}

/// A key that others point at cannot go.
fn refuse_referenced(scene: &Scene<'_>, replaced: &Replaced<'_>) -> Result<(), Refusal> {
    let table = scene.table(&replaced.table)?;
    let own: &[String] = match &replaced.old.demand {
        Demand::Unique(columns) | Demand::PrimaryKey(columns) => columns,
        _ => &[],
    };
    let primary = table.primary_key();
    for reference in referencing::to(scene, &replaced.table, |_, _| true)? {
        let Demand::ForeignKey { key, .. } = &reference.constraint.demand else { continue };
        let named: Vec<&str> = key.referenced.iter().map(|it| it.name.as_str()).collect();
        let points = match named.is_empty() {
            true => primary.is_some_and(|it| it == own),
            false => named.len() == own.len() && named.iter().all(|it| own.iter().any(|own| own == it)),
        };
        if points {
            return Err(Refusal::new(format!(
                "{} points at {}: replace that key first, or take a window",
                reference.shown(scene),
                replaced.old.name
            )));
        }
    }
    Ok(())
}
