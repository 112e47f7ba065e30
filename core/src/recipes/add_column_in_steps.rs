//! Add a column whose values cannot come with it: without them first, then a default for new rows, then the old rows in
//! batches, then what it demands.

use crate::catalog::{RelationName, Table};
use crate::dialect::{Dialect, Unnamed};
use crate::engine::effect::volatility;
use crate::hazards::compatibility::refused_ids;
use crate::mechanics::backfill::Backfill;
use crate::mechanics::index::counted;
use crate::mechanics::make::{self, Build, On};
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::sync::undone;
use crate::mechanics::{Refusal, carried, not_null};
use crate::operation::{
    AlterTable, Column, ConstraintKind, Expression, Identity, Kind, ObjectKind, Operation, TableAction,
    TypeName, Volatility,
};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "add-column-in-steps",
    dialects: &[Dialect::Postgres],
    page: include_str!("add_column_in_steps.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(&AlterTable, &Column)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        // A computed value has no way of its own to come later: `swap_table`.
        TableAction::AddColumn { column, .. } if column.generated.is_none() => Some((alter, column)),
        _ => None,
    }
}

/// Where the values of the column come from.
enum Values<'a> {
    /// A default that differs from row to row.
    Default(&'a Expression),
    /// None are needed, or one for all rows, which the server keeps once: the column comes with it, and only its constraints come later.
    Once,
    /// A sequence that belongs to the column.
    Serial,
    /// An identity.
    Identity(Identity),
    /// Nobody but the application knows them.
    Application,
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let table = table(operation, scene)?;
    Add::of(operation, scene, &table)?.phases()
}

fn table(operation: &Operation, scene: &Scene<'_>) -> Result<RelationName, Refusal> {
    let Some((alter, _)) = parts(operation) else { return Err(Refusal::new("it adds no column")) };
    Ok(scene.resolve(&alter.table))
}

/// The migrations that make the constraints which stand in a column's own words, behind its backfill.
///
/// # Errors
/// [`Refusal`] where one of them cannot come later.
pub(super) fn constraints(scene: &Scene<'_>, operation: &Operation) -> Result<Vec<SqlStep>, Refusal> {
    let table = table(operation, scene)?;
    Add::of(operation, scene, &table)?.constraints()
}

impl<'a> Add<'a> {
    fn of(operation: &'a Operation, scene: &'a Scene<'a>, table: &'a RelationName) -> Result<Self, Refusal> {
        let Some((_, column)) = parts(operation) else { return Err(Refusal::new("it adds no column")) };
        let state = scene.table(table)?;
        let shown = format!("{}.{}", table.display(scene.dialect()), column.name.name);
        if state.partition_by.is_some() || !state.children.is_empty() || state.partition_of.is_some() {
            return Err(Refusal::new(format!(
                "{shown} is in a partitioned or inherited table: fill it partition by partition before NOT NULL"
            )));
        }
        let values = match (&column.default, column.identity) {
            (_, Some(identity)) => Values::Identity(identity),
            _ if column.ty.serial => Values::Serial,
            (Some(default), None)
                if !default.is_null() && volatility(default, scene.catalog) == Volatility::Volatile =>
            {
                Values::Default(default)
            }
            (Some(default), None) if !default.is_null() => Values::Once,
            _ if !column.not_null && !is_key(column) => Values::Once,
            _ => Values::Application,
        };
        let mut after = scene.catalog.clone();
        after.apply(operation);
        let made = after.table(table).cloned();
        Ok(Self { scene, table, state, column, values, made, shown })
    }
}

fn is_key(column: &Column) -> bool {
    column.constraints.iter().any(|it| matches!(it.kind, ConstraintKind::PrimaryKey { .. }))
}

struct Add<'a> {
    scene: &'a Scene<'a>,
    table: &'a RelationName,
    state: &'a Table,
    column: &'a Column,
    values: Values<'a>,
    /// The table as the statement itself would leave it.
    made: Option<Table>,
    shown: String,
}

impl Add<'_> {
    fn name(&self) -> &str {
        &self.column.name.name
    }

    fn quoted(&self) -> String {
        self.scene.quote(self.name())
    }

    fn on(&self) -> On {
        self.scene.on(self.table)
    }

    fn file(&self, suffix: &str) -> String {
        name_of(&[&self.table.name, self.name(), suffix])
    }

    /// The sequence: under the name that the server would give it, or for an identity, which brings its own, another.
    fn sequence(&self) -> RelationName {
        let name = match self.values {
            Values::Identity(_) => {
                self.scene.free_name(self.table, &["lockkeeper", &self.table.name, self.name(), "seq"])
            }
            _ => self.scene.server_name(self.table, &[self.name()], Unnamed::Sequence),
        };
        RelationName { schema: self.table.schema.clone(), name: name.as_str().into() }
    }

    /// Where a new row takes its value from, and each old one.
    fn value(&self) -> Option<String> {
        match &self.values {
            Values::Default(default) => Some(default.text.clone()),
            Values::Serial | Values::Identity(_) => {
                Some(self.scene.engine().next_value(&self.scene.sql(&self.sequence())))
            }
            Values::Once | Values::Application => None,
        }
    }

    fn refuses_null(&self) -> bool {
        self.column.not_null
            || is_key(self.column)
            || matches!(self.values, Values::Serial | Values::Identity(_))
    }

    fn phases(&self) -> Result<Vec<Phase>, Refusal> {
        let mut phases = vec![self.expand()];
        let once = matches!(self.values, Values::Once);
        if self.value().is_some() {
            phases.push(self.backfill()?);
        } else if !once {
            phases.push(self.release());
        }
        let mut steps = Vec::new();
        if self.refuses_null() && !once {
            not_null::possible(self.scene)?;
            steps.extend(not_null::guarded(self.scene, self.table, self.name()));
        }
        steps.extend(self.constraints()?);
        let count =
            format!("SELECT count(*) FROM {} WHERE {} IS NULL", self.scene.sql(self.table), self.quoted());
        if !steps.is_empty() {
            let title = format!("what {} demands, proved without stopping anybody", self.shown);
            let phase =
                Phase::new(PhaseKind::Verification, title, steps.into_iter().map(Step::Sql).collect())
                    .undone_by(
                        "the down migrations take the constraints away",
                        "an insert or update that fails for them",
                    );
            let filled = format!("every row has a value in {}", self.name());
            phases.push(if once {
                phase
            } else {
                phase.enter_when(Criterion::counts_nothing(filled, count).seen_by_step())
            });
        }
        phases.extend(self.identity());
        Ok(phases)
    }

    fn expand(&self) -> Phase {
        let mut column = make::column(self.name(), self.column.ty.clone(), self.column.collation.clone());
        column.ty.serial = false;
        if let Values::Once = self.values {
            (column.default, column.not_null) = (self.column.default.clone(), self.column.not_null);
        }
        let on = self.on();
        let mut up = vec![on.add_column(column.clone())];
        // The sequence goes with its column.
        let mut down = undone(&up);
        if matches!(self.values, Values::Serial | Values::Identity(_)) {
            let owner = Some((on.name.clone(), self.name()));
            up.push(make::create_sequence(self.scene.name(&self.sequence()), column.ty, owner));
        }
        if let Some(value) = self.value() {
            let set = on.set_default(self.name(), value);
            down.splice(0..0, undone(std::slice::from_ref(&set)));
            up.push(set);
        }
        let title = match self.values {
            Values::Once => format!("add {} without its constraints", self.shown),
            _ => format!("add {} without values for old rows", self.shown),
        };
        let step = self.scene.in_transaction(self.file("expand"), title.clone(), up, down);
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .undone_by("the down migration drops the column", "writes that fail")
    }

    fn backfill(&self) -> Result<Phase, Refusal> {
        let quoted = self.quoted();
        let backfill = Backfill {
            table: self.table,
            set: vec![(self.name(), self.value().unwrap_or_default())],
            pending: format!("{quoted} IS NULL"),
        };
        let left = format!("SELECT count(*) FROM {} WHERE {quoted} IS NULL", self.scene.sql(self.table));
        let filled = format!("every row has a value in {}", self.name());
        backfill.phase(self.scene, self.state, Criterion::counts_nothing(filled, left))
    }

    fn release(&self) -> Phase {
        let must = vec![
            format!("write a value into {} in every insert", self.shown),
            format!("give old rows theirs, a few thousand at a time: only the application knows them"),
        ];
        Phase::new(
            PhaseKind::DualWrite,
            format!("release the application that writes {}", self.shown),
            vec![Step::Release(ReleaseStep { must })],
        )
        .leave_when(Criterion::of_people("no instance of the release before is running"))
        .undone_by("roll the application back: the column may be empty", "errors over the baseline")
    }

    /// The column's own constraints, in the order in which they were written.
    fn constraints(&self) -> Result<Vec<SqlStep>, Refusal> {
        let Some(table) = &self.made else { return Ok(Vec::new()) };
        let mut steps = Vec::new();
        for added in table.constraints.iter().filter(|it| self.state.constraint(&it.name).is_none()) {
            match &added.demand {
                crate::catalog::Demand::Check(_) | crate::catalog::Demand::ForeignKey { .. } => {
                    let own = make::again(added, self.scene.dialect());
                    let own = own.map(|it| carried::validated(self.scene, self.table, &it, &added.name));
                    steps.extend(own.unwrap_or_default());
                }
                crate::catalog::Demand::Unique(_) => steps.extend(self.unique(&added.name)),
                crate::catalog::Demand::NotNull(_) => {}
                crate::catalog::Demand::PrimaryKey(_) | crate::catalog::Demand::Exclude(_) => {
                    return Err(Refusal::new(format!(
                        "{} brings a primary key or exclusion with it: add the column first, and the constraint by its own \
                         statement",
                        self.shown
                    )));
                }
            }
        }
        Ok(steps)
    }

    fn unique(&self, name: &str) -> [SqlStep; 2] {
        let on = self.on();
        let index =
            |build| make::unique_index(on.name.clone(), name, [self.name()], build, self.scene.dialect());
        let title = format!("build the index of {name} without blocking writes");
        let build = counted(index(Build::Concurrent), self.table, self.scene);
        let build = self.scene.built(self.file("unique_index"), title, build);
        let attach = self.scene.in_transaction(
            self.file("unique"),
            format!("make the index the constraint {name}: nothing is read"),
            vec![on.add(make::from_index(name, false, name))],
            vec![on.drop_constraint(name), index(Build::Plain)],
        );
        [build, attach]
    }

    /// The default becomes an identity, which goes on where the sequence stopped.
    fn identity(&self) -> Option<Phase> {
        let Values::Identity(identity) = self.values else { return None };
        let (on, sequence) = (self.on(), self.scene.name(&self.sequence()));
        // Not by pg_get_serial_sequence: for a moment the column owns two.
        let column = self.made.as_ref().and_then(|it| it.column(self.name()));
        let own = self.scene.name(column.and_then(|it| it.sequence.as_ref())?);
        let add = on.add_identity(self.name(), identity, None);
        let because = "no release ever gave it: the numbers came from the sequence";
        let add = match identity {
            Identity::Always => add.allowing(&refused_ids::RULE, because),
            Identity::ByDefault => add,
        };
        let up = vec![
            on.drop_default(self.name()),
            add,
            self.scene.go_on(&own, &sequence),
            make::drop(ObjectKind::Sequence, sequence.clone()),
        ];
        let ty = TypeName { serial: false, ..self.column.ty.clone() };
        let down = vec![
            make::create_sequence(sequence.clone(), ty, None),
            self.scene.go_on(&sequence, &own),
            on.drop_identity(self.name()),
            make::own_sequence(sequence, None, Some((on.name.clone(), self.name()))),
            on.set_default(self.name(), self.value().unwrap_or_default()),
        ];
        let title = format!("make {} an identity, which goes on where its sequence stopped", self.shown);
        let step = self.scene.in_transaction(self.file("identity"), title.clone(), up, down);
        Some(Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)]).undone_by(
            "the down migration makes it a default again",
            "an insert that states the number itself",
        ))
    }
}
