//! A column that is added, filled, and perhaps required by one migration: filled beside the running release, kept right
//! until the release that writes it is out, and required last.

mod reading;

use crate::catalog::filling::Place;
use crate::catalog::{Catalog, RelationName, Table};
use crate::dialect::Dialect;
use crate::engine::effect::{drifts, volatility};
use crate::hazards::compatibility::dropped_default;
use crate::mechanics::backfill::Backfill;
use crate::mechanics::fill::{Fill, Filled};
use crate::mechanics::make::{self, On};
use crate::mechanics::scene::{Scene, name_of, with_timeout};
use crate::mechanics::sync::undone;
use crate::mechanics::{Refusal, not_null};
use crate::operation::{Column, Expression, Operation, Volatility};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Statement, Step, Way};

use super::{Form, Recipe, add_column_in_steps, batched_change, drop_default, for_operation};
use reading::{Meant, Reading};

pub(super) static RECIPE: Recipe = Recipe {
    id: "add-required-column",
    dialects: &[Dialect::Postgres],
    page: include_str!("add_required_column.md"),
    ways: &[Way::Triggers, Way::Application],
    form: Form::Several { claim, write },
};

fn claim(operations: &[&Operation], scene: &Scene<'_>) -> Option<Vec<usize>> {
    let reading = Reading::of(operations, scene)?;
    reading.is_one_change(scene).then_some(reading.members)
}

fn write(operations: &[&Operation], scene: &Scene<'_>, way: Way) -> Result<Vec<Phase>, Refusal> {
    let reading = Reading::of(operations, scene)
        .ok_or_else(|| Refusal::new("it neither adds nor requires a column"))?;
    let state = scene.table(&reading.table)?;
    let partitioned =
        state.partition_by.is_some() || !state.children.is_empty() || state.partition_of.is_some();
    match reading.adds() {
        true if partitioned => Err(Refusal::new(format!(
            "{} is partitioned or inherited: add the column, fill it partition by partition, and require it in migrations of their own",
            reading.table.display(scene.dialect())
        ))),
        true => Added::of(scene, state, &reading, way)?.phases(),
        false => existing(scene, &reading),
    }
}

/// Columns that are there already: the release that writes them comes first, then the rows, then NOT NULL.
fn existing(scene: &Scene<'_>, reading: &Reading<'_>) -> Result<Vec<Phase>, Refusal> {
    let (table, shown) = (&reading.table, reading.table.display(scene.dialect()));
    let names: Vec<&str> = reading.columns.iter().map(|it| it.name).collect();
    let on = scene.on(table);
    let mut phases = Vec::new();
    let defaults: Vec<Statement> = reading
        .columns
        .iter()
        .filter_map(|it| Some(on.set_default(it.name, it.default.as_ref()?.text.clone())))
        .collect();
    if !defaults.is_empty() {
        let down = reading.columns.iter().filter(|it| it.default.is_some()).map(|it| {
            let before = scene.catalog.table(table).and_then(|state| state.column(it.name)?.default.clone());
            before.map_or_else(|| on.drop_default(it.name), |before| on.set_default(it.name, before.text))
        });
        let title = format!("give new rows of {shown} a default in {}", names.join(", "));
        let step = scene.in_transaction(
            name_of(&[&table.name, names[0], "default"]),
            title.clone(),
            defaults,
            down.collect(),
        );
        phases.push(
            Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
                .undone_by("the down migration puts the old default back", "rows with a wrong value"),
        );
    }
    let unfilled: Vec<&str> = names.iter().copied().filter(|it| !fills_itself(scene, table, it)).collect();
    if !unfilled.is_empty() {
        phases.push(release(
            format!("release the application that always writes {}", unfilled.join(", ")),
            unfilled
                .iter()
                .map(|it| format!("write a value into {shown}.{it} in every insert and update"))
                .collect(),
        ));
    }
    for (operation, ..) in &reading.updates {
        let filled = batched_change::write(operation, scene, Way::Triggers)?;
        phases.extend(filled.into_iter().map(|mut phase| {
            let released = Criterion::of_people("no instance of the release before is running");
            phase.entry = if unfilled.is_empty() { Vec::new() } else { vec![released] };
            phase
        }));
    }
    phases.extend(rest(scene, reading, scene.catalog, Way::Triggers)?);
    phases.extend(not_null::phase(scene, table, &names)?);
    for column in reading.columns.iter().filter(|it| it.loses_default) {
        phases.extend(drop_default::contract(scene, table, column.name, true));
    }
    Ok(phases)
}

/// Whether triggers of the migration give a column a value in every row that is written, so that no release has to.
fn fills_itself(scene: &Scene<'_>, table: &RelationName, column: &str) -> bool {
    Place::of(scene.catalog, table, column).is_some_and(|it| it.is_filled() && it.is_filled_on_update())
}

fn release(title: String, must: Vec<String>) -> Phase {
    Phase::new(PhaseKind::DualWrite, title, vec![Step::Release(ReleaseStep { must })])
        .leave_when(Criterion::of_people("no instance of the release before is running"))
        .undone_by("roll the application back: nothing depends on it yet", "errors over the baseline")
}

/// The indexes and constraints that stand between, each as its own recipe makes it.
fn rest(
    scene: &Scene<'_>,
    reading: &Reading<'_>,
    catalog: &Catalog,
    way: Way,
) -> Result<Vec<Phase>, Refusal> {
    let mut phases = Vec::new();
    for operation in &reading.rest {
        let scene = Scene { catalog, ..*scene };
        match for_operation(operation, scene.dialect()) {
            Some(recipe) => phases.extend(super::write(recipe, &[operation], &scene, way)?),
            None => {
                let statement = scene.statement_of(operation);
                let down = statement.inverse.as_deref().cloned().map(|it| with_timeout(vec![it]));
                let name = name_of(&[&reading.table.name, "as_written"]);
                let up = with_timeout(vec![statement]);
                let step = scene.step(name, "what stays as it was written", up, down);
                let title = step.title.clone();
                phases.push(Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)]));
            }
        }
    }
    Ok(phases)
}

/// How a new column gets its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// One value for all rows: it comes with the column.
    Constant,
    /// Another value for each row, from no column: a default for new rows, a backfill for old ones.
    Volatile,
    /// From other columns of the row: a trigger can follow it.
    Row,
    /// From elsewhere: only the release that writes it keeps it right.
    Elsewhere,
}

/// Columns that a migration adds and fills.
struct Added<'a> {
    scene: &'a Scene<'a>,
    state: &'a Table,
    reading: &'a Reading<'a>,
    columns: Vec<New<'a>>,
    way: Way,
    /// The schema as it is with the columns.
    after: Catalog,
}

struct New<'a> {
    meant: &'a Meant<'a>,
    column: &'a Column,
    operation: &'a Operation,
    value: Expression,
    source: Source,
}

impl New<'_> {
    fn name(&self) -> &str {
        self.meant.name
    }

    /// Whether new rows have a value for good without a release that writes it.
    fn lasts(&self) -> bool {
        matches!(self.source, Source::Constant | Source::Volatile) && self.meant.default.is_some()
    }

    /// Whether the default that gives new rows their values meanwhile goes.
    fn drops_default(&self) -> bool {
        matches!(self.source, Source::Constant | Source::Volatile) && self.meant.default.is_none()
    }

    /// Whether NOT NULL comes with the column.
    fn required_at_once(&self) -> bool {
        self.meant.required && self.source == Source::Constant
    }
}

impl<'a> Added<'a> {
    fn of(
        scene: &'a Scene<'a>,
        state: &'a Table,
        reading: &'a Reading<'a>,
        way: Way,
    ) -> Result<Self, Refusal> {
        let (mut columns, mut after) = (Vec::new(), scene.catalog.clone());
        for meant in &reading.columns {
            let Some((operation, column)) = meant.added else {
                return Err(Refusal::new(format!("{} is not added here", meant.name)));
            };
            after.apply(operation);
            let value = reading.value(meant, scene).ok_or_else(|| {
                Refusal::new(format!("nothing says what the rows that are there get in {}", meant.name))
            })?;
            let source = source(&value, scene, state);
            columns.push(New { meant, column, operation, value, source });
        }
        Ok(Self { scene, state, reading, columns, way, after })
    }

    fn table(&self) -> &'a RelationName {
        &self.reading.table
    }

    fn on(&self) -> On {
        self.scene.on(self.table())
    }

    fn shown(&self, column: &str) -> String {
        format!("{}.{column}", self.table().display(self.scene.dialect()))
    }

    fn file(&self, suffix: &str) -> String {
        let first = self.columns.first().map_or("", New::name);
        name_of(&[&self.table().name, first, suffix])
    }

    fn names(&self) -> String {
        self.columns.iter().map(New::name).collect::<Vec<_>>().join(", ")
    }

    /// The columns whose old rows are filled in batches.
    fn filled(&self) -> impl Iterator<Item = &New<'a>> {
        self.columns.iter().filter(|it| it.source != Source::Constant)
    }

    /// The trigger that fills what the running release does not know.
    fn follows(&self) -> Option<Fill<'_>> {
        let of_row = self.columns.iter().filter(|it| it.source == Source::Row && self.way == Way::Triggers);
        let columns: Vec<Filled<'_>> =
            of_row.map(|it| Filled { column: it.name(), ty: &it.column.ty, value: &it.value }).collect();
        (!columns.is_empty()).then(|| Fill { table: self.table(), state: self.state, columns })
    }

    fn phases(&self) -> Result<Vec<Phase>, Refusal> {
        let mut phases = vec![self.expand()];
        let (second, first): (Vec<&New<'_>>, Vec<&New<'_>>) =
            self.filled().partition(|it| self.way == Way::Application && it.source != Source::Volatile);
        phases.extend(self.backfill(&first, ("backfill", true))?);
        phases.extend(self.constraints()?);
        phases.extend(rest(self.scene, self.reading, &self.after, self.way)?);
        let needs_release = self.columns.iter().any(|it| !it.lasts());
        if needs_release {
            phases.push(self.release());
            let again =
                self.filled().filter(|it| it.source == Source::Elsewhere && self.way == Way::Triggers);
            let left: Vec<&New<'_>> = second.into_iter().chain(again).collect();
            phases.extend(self.backfill(&left, ("backfill_rest", false))?);
        }
        let required: Vec<&str> = self.filled().filter(|it| it.meant.required).map(New::name).collect();
        phases.extend(not_null::phase(self.scene, self.table(), &required)?);
        phases.extend(self.contract());
        Ok(phases)
    }

    fn expand(&self) -> Phase {
        let on = self.on();
        let mut up = Vec::new();
        for new in &self.columns {
            let mut column = make::column(new.name(), new.column.ty.clone(), new.column.collation.clone());
            if new.source == Source::Constant {
                (column.default, column.not_null) = (Some(new.value.clone()), new.required_at_once());
            }
            up.push(on.add_column(column));
            let later = new.meant.default.as_ref().filter(|_| new.lasts());
            let default = match new.source {
                Source::Constant => later.filter(|it| it.text != new.value.text),
                Source::Volatile => Some(later.unwrap_or(&new.value)),
                Source::Row | Source::Elsewhere => None,
            };
            up.extend(default.map(|it| on.set_default(new.name(), it.text.clone())));
        }
        let follows = self.follows();
        up.extend(follows.iter().flat_map(|it| it.create(self.scene)));
        // A default goes with its column.
        let down: Vec<Statement> =
            self.columns.iter().rev().map(|it| on.drop_column(it.name(), false)).collect();
        let triggers: Vec<Statement> = follows.iter().flat_map(|it| undone(&it.create(self.scene))).collect();
        let title = match follows {
            Some(_) => format!("add {} and a trigger that fills new rows", self.names()),
            None => format!("add {}", self.names()),
        };
        let step =
            self.scene.in_transaction(self.file("expand"), title.clone(), up, [triggers, down].concat());
        let mut phase = Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .undone_by("the down migration drops what was added", "writes that fail");
        phase
            .entry
            .extend(self.filled().filter(|it| it.meant.required).filter_map(|it| self.without_value(it)));
        phase
    }

    /// Rows for which the migration gives no value would refuse NOT NULL in the end.
    fn without_value(&self, new: &New<'_>) -> Option<Criterion> {
        (new.source != Source::Volatile).then(|| {
            let rows = format!(
                "SELECT count(*) FROM {} WHERE ({}) IS NULL",
                self.scene.sql(self.table()),
                new.value.text
            );
            let text = format!(
                "every row gets a value in {}: decide what the others get, and write it into the UPDATE (COALESCE)",
                self.shown(new.name())
            );
            Criterion::counts_nothing(text, rows)
        })
    }

    fn backfill(
        &self,
        columns: &[&New<'a>],
        (suffix, again): (&str, bool),
    ) -> Result<Option<Phase>, Refusal> {
        if columns.is_empty() {
            return Ok(None);
        }
        let scene = self.scene;
        let pending: Vec<String> = columns
            .iter()
            .map(|it| {
                let empty = format!("{} IS NULL", scene.quote(it.name()));
                match it.source {
                    Source::Volatile => empty,
                    _ => format!("{empty} AND ({}) IS NOT NULL", it.value.text),
                }
            })
            .collect();
        let pending = match pending.as_slice() {
            [one] => one.clone(),
            several => several.iter().map(|it| format!("({it})")).collect::<Vec<_>>().join(" OR "),
        };
        // What somebody wrote meanwhile stays.
        let value = |it: &&New<'_>| match columns.len() {
            1 => it.value.text.clone(),
            _ => format!("coalesce({}, {})", scene.quote(it.name()), it.value.text),
        };
        let set = columns.iter().map(|it| (it.name(), value(it))).collect();
        let left = format!("SELECT count(*) FROM {} WHERE {pending}", scene.sql(self.table()));
        let backfill = Backfill { table: self.table(), set, pending };
        let mut step = backfill.step(scene, self.state)?;
        step.name = self.file(suffix);
        // What the application alone knows of is empty in the rows that the running release goes on writing.
        let goes_on = again && columns.iter().any(|it| it.source == Source::Elsewhere);
        let done = match goes_on {
            true => Criterion::of_people(
                "the rows that were there are filled: those written meanwhile are filled behind the release",
            ),
            false => Criterion::counts_nothing("no row is left that has a value to get", left),
        };
        Ok(Some(crate::mechanics::backfill::phase_of(scene, step, done)))
    }

    /// The constraints that stand in the columns' own words.
    fn constraints(&self) -> Result<Option<Phase>, Refusal> {
        let mut steps = Vec::new();
        for new in &self.columns {
            steps.extend(add_column_in_steps::constraints(self.scene, new.operation)?);
        }
        let title = format!("what {} demand, proved without blocking", self.names());
        Ok((!steps.is_empty()).then(|| {
            Phase::new(PhaseKind::Verification, title, steps.into_iter().map(Step::Sql).collect()).undone_by(
                "the down migrations take the constraints away",
                "an insert or update that fails for them",
            )
        }))
    }

    fn release(&self) -> Phase {
        let mut must = Vec::new();
        for new in self.columns.iter().filter(|it| !it.lasts()) {
            let shown = self.shown(new.name());
            must.push(match (new.source, new.meant.required) {
                (Source::Constant | Source::Volatile, _) => format!("write a value into {shown} in every insert"),
                (_, true) => format!(
                    "write a value into {shown} in every insert, and in every update of what it is computed from"
                ),
                (_, false) => {
                    format!("write {shown} in every insert, and in every update of what it is computed from")
                }
            });
        }
        release(format!("release the application that writes {}", self.names()), must)
    }

    /// What helped the running release goes; defaults come.
    fn contract(&self) -> Option<Phase> {
        let on = self.on();
        let (mut up, mut down) = (Vec::new(), Vec::new());
        if let Some(follows) = self.follows() {
            up.extend(undone(&follows.create(self.scene)));
            down.extend(follows.create(self.scene));
        }
        for new in &self.columns {
            if new.drops_default() {
                let drop = on.drop_default(new.name());
                let because = "the release that writes it is out";
                up.push(if new.meant.required {
                    drop.allowing(&dropped_default::RULE, because)
                } else {
                    drop
                });
                down.push(on.set_default(new.name(), new.value.text.clone()));
            } else if let (false, Some(default)) = (new.lasts(), &new.meant.default) {
                let set = on.set_default(new.name(), default.text.clone());
                down.splice(0..0, undone(std::slice::from_ref(&set)));
                up.push(set);
            }
        }
        if up.is_empty() {
            return None;
        }
        let title = format!("end what filled {} for the release before", self.names());
        let step = self.scene.in_transaction(self.file("contract"), title.clone(), up, down);
        let phase = Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_people("no instance of the release before is running"))
            .undone_by("the down migration starts it again", "rows without a value");
        Some(phase)
    }
}

fn source(value: &Expression, scene: &Scene<'_>, state: &Table) -> Source {
    let dialect = scene.dialect();
    let queries = value.has_word(dialect, &["select"]);
    let reads_row = !value.columns(dialect).is_empty();
    let generated =
        |it: &crate::catalog::ColumnState| it.generated.is_some() && value.names(&it.name, dialect);
    match volatility(value, scene.catalog) {
        _ if queries => Source::Elsewhere,
        Volatility::Volatile if !reads_row => Source::Volatile,
        Volatility::Volatile => Source::Elsewhere,
        _ if !reads_row => Source::Constant,
        _ if drifts(value, scene.catalog) || state.columns.iter().any(generated) => Source::Elsewhere,
        _ => Source::Row,
    }
}
