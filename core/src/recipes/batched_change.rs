//! Rows changed or deleted in batches: what one statement would do, in windows that commit by themselves.

use crate::catalog::{Demand, RelationName, Table};
use crate::dialect::Dialect;
use crate::engine::effect::{drifts, volatility};
use crate::mechanics::Refusal;
use crate::mechanics::assigned::{Assigned, in_own_words};
use crate::mechanics::backfill;
use crate::mechanics::fill::compares;
use crate::mechanics::scene::{Scene, name_of};
use crate::operation::{Delete, Expression, Kind, Operation, Update, Volatility};
use crate::plan::{BackfillJob, Criterion, Phase, PhaseKind, SqlStep, Step, Way, Work};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "batched-change",
    dialects: &[Dialect::Postgres],
    page: include_str!("batched_change.md"),
    ways: &[Way::Triggers],
    form: Form::One {
        applies: |operation| matches!(operation.kind, Kind::Update(_) | Kind::Delete(_)),
        write,
    },
};

/// No trigger of ours stands aside for this one: a column that is kept in step at the same time follows.
const NO_GUARD: &str = "lockkeeper.change";

/// The phase of one change of rows.
///
/// # Errors
/// [`Refusal`] where it cannot be cut.
pub(super) fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let step = match &operation.kind {
        Kind::Update(update) => {
            let table = scene.resolve(&update.table);
            let assigned = Assigned::of(update, scene);
            let condition = assigned.as_ref().map_or(update.condition.as_ref(), |it| it.condition.as_ref());
            Change::of(scene, &table, condition)?.update(update, assigned.as_ref())?
        }
        Kind::Delete(delete) => {
            let table = scene.resolve(&delete.table);
            let change = Change::of(scene, &table, delete.condition.as_ref())?;
            change.refuse_own_rows(&delete.others)?;
            let condition = change.in_own_words(delete)?;
            Change { condition: condition.as_ref(), ..change }.delete(delete)?
        }
        _ => return Err(Refusal::new("it changes no rows")),
    };
    let left = step.job().map(|job| job.remaining.clone()).unwrap_or_default();
    let phase = Phase::new(PhaseKind::Backfill, step.title.clone(), vec![Step::Sql(step)])
        .enter_when(Criterion::of_people(
            "the application that runs makes no such rows any more, and does without the old values",
        ))
        .leave_when(Criterion::counts_nothing("no such row is left", left))
        .undone_by(
            "stop it, and run it again; rows that are done stay so: the old values are in the backup only",
            format!("replica lag over {} s that does not go down while it pauses", scene.pause_lag_seconds),
        );
    Ok(vec![phase])
}

/// Functions that give the same when they are given what they gave.
const IDEMPOTENT: &[&str] = &[
    "coalesce", "lower", "upper", "initcap", "trim", "btrim", "ltrim", "rtrim", "abs", "ceil", "floor",
    "round", "trunc",
];

/// Whether a value is one call of such a function, on the column first and on nothing else of it.
fn is_idempotent(value: &Expression, column: &str, scene: &Scene<'_>) -> bool {
    let script = crate::statement::Script::read(&value.text, scene.dialect());
    let mut cursor = crate::statement::Cursor::new(&value.text, scene.dialect(), &script.tokens);
    let called = cursor.ident().is_some_and(|it| IDEMPOTENT.contains(&it.name.as_str()));
    let Some(arguments) = cursor.group().filter(|_| called && cursor.at_end()) else { return false };
    let mut each = arguments.segments().into_iter();
    let first =
        each.next().is_some_and(|mut it| it.ident().is_some_and(|it| it.name == column) && it.at_end());
    first && each.all(|it| !Expression::new(it.span().of(it.text())).names(column, scene.dialect()))
}

struct Change<'a> {
    scene: &'a Scene<'a>,
    table: &'a RelationName,
    state: &'a Table,
    condition: Option<&'a Expression>,
}

impl<'a> Change<'a> {
    fn of(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        condition: Option<&'a Expression>,
    ) -> Result<Self, Refusal> {
        let change = Self { scene, table, state: scene.table(table)?, condition };
        change.refuse_condition()?;
        Ok(change)
    }

    fn refuse(&self, why: &str) -> Refusal {
        let shown = self.table.display(self.scene.dialect());
        Refusal::new(format!("the change of {shown} cannot be cut into batches: {why}"))
    }

    fn refuse_condition(&self) -> Result<(), Refusal> {
        let Some(condition) = self.condition else { return Ok(()) };
        if volatility(condition, self.scene.catalog) == Volatility::Volatile {
            return Err(self.refuse("its condition calls a function that may answer otherwise each time"));
        }
        if condition.has_word(self.scene.dialect(), &["limit", "fetch"]) {
            return Err(
                self.refuse("its condition has a LIMIT: which rows those are differs from batch to batch")
            );
        }
        Ok(())
    }

    /// Other tables may be read; what is read of this one changes while batches commit.
    fn refuse_own_rows(&self, others: &[crate::dialect::Name]) -> Result<(), Refusal> {
        match others.iter().any(|it| self.scene.resolve(it) == *self.table) {
            true => {
                Err(self.refuse("a query in it reads the same table, whose rows change from batch to batch"))
            }
            false => Ok(()),
        }
    }

    /// The condition with the table's own name in place of the one that the statement gives it.
    fn in_own_words(&self, delete: &Delete) -> Result<Option<Expression>, Refusal> {
        let Some(condition) = &delete.condition else { return Ok(None) };
        let own = in_own_words(condition, &delete.table, delete.alias.as_ref(), self.scene);
        own.map(Some).ok_or_else(|| {
            self.refuse("something in its condition is called like the table: give it another name")
        })
    }

    /// Whether a value is computed from a column of the table itself; that of another table stands behind that one's name.
    fn reads_own(&self, value: &Expression, column: &str) -> bool {
        let mut reads = false;
        value.each_column(self.scene.dialect(), |word| {
            let own = word.qualifier.is_none_or(|it| *it.name == *self.table.name);
            reads |= own && word.name.name == column;
        });
        reads
    }

    fn update(&self, update: &Update, assigned: Option<&Assigned>) -> Result<SqlStep, Refusal> {
        self.refuse_own_rows(&update.others)?;
        let Some(assigned) = assigned else {
            return Err(self.refuse(
                "it is more than UPDATE … SET column = value … [FROM one table] WHERE …: write it so, with sub-queries where it reads others, and \
                 nothing in it called like the table",
            ));
        };
        let set = &assigned.set;
        let columns: Vec<&str> = set.iter().map(|(column, _)| column.name.as_str()).collect();
        let moves_rows = |it: &&&str| {
            let parts = self.state.partition_by.as_ref().map(|it| it.columns.as_slice()).unwrap_or_default();
            let key = backfill::key(self.state).unwrap_or_default();
            key.iter().chain(parts).any(|column| column == **it)
        };
        if let Some(column) = columns.iter().find(moves_rows) {
            return Err(self.refuse(&format!("{column} is in the key that its batches go by")));
        }
        let (mut pending, mut values) = (Vec::new(), Vec::new());
        let read = assigned.joined.as_ref().map(|it| &it.values);
        for (number, (column, value)) in set.iter().enumerate() {
            let column = column.name.as_str();
            // Which row of another table it comes from may depend on the old value: a row that is done is not found again.
            let from = read.and_then(|it| it.get(number)).map(|it| Expression::new(it.clone()));
            let computed = from.as_ref().unwrap_or(value);
            let again = |it: &&&str| {
                self.reads_own(computed, it)
                    && !(**it == column && is_idempotent(computed, column, self.scene))
            };
            if let Some(read) = columns.iter().find(again) {
                return Err(self.refuse(&format!(
                    "{column} is computed from {read}, which it changes: a batch that is run again would count twice; put the old value \
                     aside in a column of its own first"
                )));
            }
            if value.text.trim().eq_ignore_ascii_case("default") {
                return Err(self.refuse(&format!("{column} = DEFAULT: write the value")));
            }
            if drifts(value, self.scene.catalog) {
                return Err(self.refuse(&format!(
                    "the value of {column} differs from one moment to the next: write it out, or a row that is done looks as if it were not"
                )));
            }
            let state = self.state.column(column);
            let state = state.ok_or_else(|| self.refuse(&format!("the column {column} is not known")))?;
            if !compares(&state.ty) {
                return Err(self.refuse(&format!(
                    "values of {} cannot be compared, so nothing tells which are done",
                    state.ty
                )));
            }
            // As the column will hold it, or a value that is rounded looks as if it were never done.
            let quoted = self.scene.quote(column);
            let value = assigned.value(column).unwrap_or_default();
            pending.push(format!("{quoted} IS DISTINCT FROM CAST(({value}) AS {})", state.ty));
            values.push((column.to_owned(), value));
        }
        let pending = match self.condition {
            Some(condition) => format!("({}) AND ({})", condition.text, pending.join(" OR ")),
            None => pending.join(" OR "),
        };
        let title = format!(
            "change {} of {}, {} rows at a time",
            columns.join(", "),
            self.table.name,
            self.scene.batch_rows
        );
        let name = name_of(&[&[&*self.table.name], columns.as_slice(), &["update"]].concat());
        self.step(name, title, Work::Set(values), pending, &columns)
    }

    fn delete(&self, delete: &Delete) -> Result<SqlStep, Refusal> {
        if !delete.plain {
            return Err(self.refuse(
                "it is more than DELETE FROM … WHERE …: write it so, with sub-queries where it reads others",
            ));
        }
        let stays = |it: &&crate::catalog::ConstraintState| match &it.demand {
            Demand::ForeignKey { references, key, .. } => {
                let words = key.actions.to_lowercase();
                references == self.table
                    && !words.contains("on delete cascade")
                    && !words.contains("on delete set")
            }
            _ => false,
        };
        if let Some(key) = self.state.constraints.iter().find(stays) {
            return Err(self.refuse(&format!(
                "{} points at the same table, so a row may have to stay until the one that points at it is gone: set those columns NULL first",
                key.name
            )));
        }
        let pending = self.condition.map_or_else(|| "true".to_owned(), |it| it.text.clone());
        let dialect = self.scene.dialect();
        let named = self.condition.map(|it| it.columns(dialect)).unwrap_or_default();
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        let title = format!("delete rows of {}, {} at a time", self.table.name, self.scene.batch_rows);
        let name = name_of(&[&[&*self.table.name], named.as_slice(), &["delete"]].concat());
        self.step(name, title, Work::Delete, pending, &[])
    }

    fn step(
        &self,
        name: String,
        title: String,
        work: Work,
        pending: String,
        columns: &[&str],
    ) -> Result<SqlStep, Refusal> {
        let scene = self.scene;
        let walk = backfill::walk(scene, self.table, self.state, columns)?;
        let job = BackfillJob {
            guard: NO_GUARD.to_owned(),
            fires: backfill::fires(self.state, columns),
            ..backfill::job(scene, self.table, walk, work, pending)
        };
        Ok(SqlStep { down: None, ..backfill::step_of(scene, name, title, job) })
    }
}
