//! Change a column's type: a new column of the type beside the old one, swapped under the same name.

use crate::catalog::{ColumnState, RelationName, Table, UserType};
use crate::dialect::quote_literal;
use crate::engine::preflight::only_casts;
use crate::hazards::compatibility::{dropped_column, dropped_default, renamed_column};
use crate::operation::{AlterTable, ConstraintKind, Expression, Kind, Operation, TableAction, TypeName};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Statement, Step};
use crate::statement::{Script, TokenKind};

use super::backfill::Backfill;
use super::carried::{self, Carried, Part};
use super::change_key::Key;
use super::derivation::{refuse_views, way_back};
use super::make::{self, On};
use super::narrowing::Narrowing;
use super::scene::{Scene, name_of};
use super::sync::{Kept, Sync, undone};
use super::{Refusal, STALE_STATEMENTS};

/// A type that changes, with what the migration says of the column around it.
#[derive(Default)]
pub(crate) struct Around<'a> {
    /// The default that it has in the end, where the migration states one.
    pub default: Option<&'a Expression>,
    /// The views that are made again with it.
    pub views: Views,
}

/// What an operation says of a column's default.
pub(crate) enum OfDefault<'a> {
    Goes,
    Is(&'a Expression),
}

/// The table and column that an operation says a default of.
pub(crate) fn default_of<'a>(
    operation: &'a Operation,
    scene: &Scene<'_>,
) -> Option<(RelationName, &'a str, OfDefault<'a>)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let table = scene.resolve(&alter.table);
    match &alter.action {
        TableAction::DropDefault { column } => Some((table, &column.name, OfDefault::Goes)),
        TableAction::SetDefault { column, default } => Some((table, &column.name, OfDefault::Is(default))),
        _ => None,
    }
}

/// The table and column whose type an operation changes.
pub(crate) fn column_of<'a>(operation: &'a Operation, scene: &Scene<'_>) -> Option<(RelationName, &'a str)> {
    let (alter, column, ..) = parts(operation)?;
    Some((scene.resolve(&alter.table), column))
}

/// What an operation says of a column whose type it changes.
pub(crate) fn parts(operation: &Operation) -> Option<(&AlterTable, &str, &TypeName, Option<&Expression>)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        TableAction::AlterType { column, ty, using, .. } => Some((alter, &column.name, ty, using.as_ref())),
        _ => None,
    }
}

/// Views that are replaced when the columns change places.
#[derive(Default)]
pub(crate) struct Views {
    /// The statements that drop them, in front of all others: readers lock a view before what it reads.
    pub drop: Vec<Statement>,
    /// The same on the way back.
    pub back_drop: Vec<Statement>,
    /// The statements that make them again.
    pub up: Vec<Statement>,
    /// Those that make the old ones again.
    pub down: Vec<Statement>,
    /// Their columns, behind their names.
    pub shown: Vec<String>,
}

/// The phases of a type that changes with what stands around it. `scene` is the one without the views of that.
///
/// # Errors
/// [`Refusal`] where it cannot.
pub(crate) fn within(
    operation: &Operation,
    scene: &Scene<'_>,
    Around { default, views }: Around<'_>,
) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, column, ty, using)) = parts(operation) else {
        return Err(Refusal::new("it changes no type"));
    };
    let table = scene.resolve(&alter.table);
    let state = scene.table(&table)?;
    refuse_views(scene, &table, &[column])?;
    let new = name_of(&[column, "new"]);
    let key = Key::of(scene, &table, state, column, ty, using)?;
    let carried = match key {
        Some(_) => Carried::of_key(scene, &table, state, column, &new)?,
        None => Carried::of(scene, &table, state, column, &new)?,
    };
    let old_state =
        state.column(column).ok_or_else(|| Refusal::new(format!("the column {column} is not known")))?;
    let narrowing = Narrowing::of(scene, &table, state, old_state, (ty, using))?;
    let back = stated_back(scene, &table, column);
    let plain = using.is_none_or(|it| only_casts(it, column) || named_alone(it, column));
    if !plain && back.is_none() && narrowing.is_none() {
        let shown = table.display(scene.dialect());
        return Err(Refusal::new(format!(
            "the values of {shown}.{column} change with its type, and the running release goes on reading the old ones: say how they are computed from the \
             new ones, in the down migration (ALTER COLUMN {column} TYPE {} USING …) or in a comment, `-- lockkeeper: back UPDATE {shown} SET {column} = …`; \
             or add a column under another name",
            old_state.ty
        )));
    }
    let change = Change {
        scene,
        table: &table,
        state,
        column,
        new: &new,
        ty,
        using,
        old: old_state,
        carried: &carried,
        narrowing: narrowing.as_ref(),
        back: back.filter(|_| !plain),
        by_label: is_enum(scene, &old_state.ty) && is_enum(scene, ty),
        default,
    };
    match key {
        Some(_) if !views.up.is_empty() => Err(Refusal::new(format!(
            "{column} is a key, whose views are not replaced with it: make them do without it in a migration of their own first"
        ))),
        Some(key) => key.phases(&change),
        None => change.phases(views),
    }
}

/// The column and nothing else: the server casts it by itself.
fn named_alone(using: &Expression, column: &str) -> bool {
    using.text.trim().trim_matches(['(', ')', '"']).eq_ignore_ascii_case(column)
}

/// The old value of a column as the way back computes it from the new one.
fn stated_back(scene: &Scene<'_>, table: &RelationName, column: &str) -> Option<Expression> {
    let operations = scene.operations_back();
    let retyped = operations.iter().find_map(|operation| {
        let (alter, own, _, using) = parts(operation)?;
        (scene.resolve(&alter.table) == *table && own == column).then(|| using.cloned()).flatten()
    });
    retyped.or_else(|| way_back(table, &[column], scene).into_iter().next().flatten())
}

fn is_enum(scene: &Scene<'_>, ty: &TypeName) -> bool {
    matches!(scene.catalog.user_type(ty), Some(UserType::Enum(_)))
}

/// A column and its successor.
pub(crate) struct Change<'a> {
    pub scene: &'a Scene<'a>,
    pub table: &'a RelationName,
    state: &'a Table,
    /// The column's name, which the successor has after the swap.
    pub column: &'a str,
    /// The successor's name before it.
    pub new: &'a str,
    /// The new type.
    pub ty: &'a TypeName,
    using: Option<&'a Expression>,
    pub old: &'a ColumnState,
    /// What hangs on the column.
    pub carried: &'a Carried<'a>,
    /// What becomes of values that the new type cannot hold.
    narrowing: Option<&'a Narrowing<'a>>,
    /// The old value in words of the new one, where the developer states it and it is no mere cast.
    back: Option<Expression>,
    /// Both types are enums, which know each other by their labels only.
    by_label: bool,
    /// The default that the new column gets in place of the old one's.
    default: Option<&'a Expression>,
}

/// What changes places together with the columns, in the same transaction.
#[derive(Default)]
pub(crate) struct Moves {
    /// In front of everything, and on the way back too.
    pub first: Vec<Statement>,
    pub back_first: Vec<Statement>,
    /// Behind the renames.
    pub after: Vec<Statement>,
    /// On the way back, in front of the renames.
    pub back_before: Vec<Statement>,
    /// On the way back, behind them.
    pub back_after: Vec<Statement>,
}

impl<'a> Change<'a> {
    /// A column of an enum that gets another enum.
    ///
    /// # Errors
    /// [`Refusal`] where the column is not known.
    pub fn of_labels(
        scene: &'a Scene<'a>,
        (table, state): (&'a RelationName, &'a Table),
        (column, new): (&'a str, &'a str),
        ty: &'a TypeName,
        carried: &'a Carried<'a>,
    ) -> Result<Self, Refusal> {
        let old =
            state.column(column).ok_or_else(|| Refusal::new(format!("the column {column} is not known")))?;
        Ok(Self {
            scene,
            table,
            state,
            column,
            new,
            ty,
            using: None,
            old,
            carried,
            narrowing: None,
            back: None,
            by_label: true,
            default: None,
        })
    }
}

impl Change<'_> {
    /// The name of the old column between the swap and its end.
    pub fn aside(&self) -> String {
        name_of(&[self.column, "old"])
    }

    /// The new value from a row whose old column is called `column`.
    fn up(&self, column: &str) -> String {
        let value = self.scene.quote(column);
        match (self.narrowing, self.using) {
            (Some(narrowing), _) => narrowing.value(&value),
            (None, Some(using)) => using.with_column_renamed(self.scene.dialect(), self.column, column),
            (None, None) => self.cast(&value, self.ty),
        }
    }

    fn cast(&self, value: &str, ty: &TypeName) -> String {
        if let Some(zone) = self.scene.catalog.time_zone().filter(|_| self.differs_by_zone()) {
            return format!("({value} AT TIME ZONE {})", quote_literal(zone));
        }
        let label = if self.by_label { "::text" } else { "" };
        format!("{value}{label}::{ty}")
    }

    /// The old value from the new one; what does not fit into a smaller integer is cut to its limits, so that the new
    /// release can write it. Only the copy that is dropped later is cut.
    fn down(&self, column: &str) -> String {
        if let Some(back) = &self.back {
            return back.with_column_renamed(self.scene.dialect(), self.column, column);
        }
        let value = self.scene.quote(column);
        let limits = match self.old.ty.name.as_str() {
            "int4" => Some(("-2147483648", "2147483647")),
            "int2" => Some(("-32768", "32767")),
            _ => None,
        };
        let numeric = self.ty.is_any(&["int8", "int4", "numeric"]);
        match limits.filter(|_| numeric && !self.old.ty.array) {
            // Not greatest(least(...)): they pass over NULL, and would make it the limit.
            Some((least, most)) => format!(
                "CASE WHEN {value} > {most} THEN {most} WHEN {value} < {least} THEN {least} ELSE {value} END::{}",
                self.old.ty
            ),
            None => self.cast(&value, &self.old.ty),
        }
    }

    /// Whether one type knows its time zone and the other does not.
    fn differs_by_zone(&self) -> bool {
        let pair = |one: &TypeName, other: &TypeName| one.is("timestamp") && other.is("timestamptz");
        pair(self.ty, &self.old.ty) || pair(&self.old.ty, self.ty)
    }

    /// Whether a value of one type becomes one of the other by the settings of a session: its time zone, its style of dates.
    fn is_read_by_session(&self) -> bool {
        let temporal = ["timestamp", "timestamptz", "date", "time", "timetz", "interval"];
        let stated = self.differs_by_zone() && self.scene.catalog.time_zone().is_some();
        !stated && [self.ty, &self.old.ty].into_iter().any(|it| it.is_any(&temporal))
    }

    /// Before the swap the old column has the name.
    fn sync(&self) -> Sync<'_> {
        Sync {
            table: self.table,
            state: self.state,
            old: vec![Kept::new(self.column, self.down(self.new))],
            new: vec![Kept::new(self.new, self.up(self.column))],
            by_session: self.is_read_by_session(),
        }
    }

    fn phases(&self, views: Views) -> Result<Vec<Phase>, Refusal> {
        let mut phases = self.narrowing.map(Narrowing::keep_out).unwrap_or_default();
        phases.extend([self.expand(), self.backfill()?]);
        phases.extend(carried::phase(self.carried));
        let (mut after, mut back_after) = self.moved_default();
        after.extend(views.up);
        back_after.extend(views.down);
        let (first, back_first) = (views.drop, views.back_drop);
        let mut swap = self.cutover(Moves { first, back_first, after, back_after, back_before: Vec::new() });
        if let (Some(Step::Release(release)), false) = (swap.steps.first_mut(), views.shown.is_empty()) {
            release.must.push(format!("read {} in both types as well", views.shown.join(", ")));
        }
        phases.push(swap.undone_by(
            "the down migration swaps them back; what was written meanwhile is in both",
            "errors over the baseline",
        ));
        phases.push(self.contract());
        Ok(phases)
    }

    /// The phase that adds the successor.
    pub fn expand(&self) -> Phase {
        let mut up = vec![self.on().add_column(make::column(self.new, self.ty.clone(), None))];
        up.extend(self.sync().create(self.scene));
        let down = undone(&up);
        up.extend(self.carried.details_on(self.new));
        let title = format!("add {} of type {} and a trigger that keeps it in step", self.new, self.ty);
        let step = self.scene.in_transaction(
            name_of(&[&self.table.name, self.new, "expand"]),
            title.clone(),
            up,
            down,
        );
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .undone_by("the down migration drops the new column", "writes that fail in the trigger")
    }

    /// The phase that fills it.
    ///
    /// # Errors
    /// [`Refusal`] where the rows cannot be walked.
    pub fn backfill(&self) -> Result<Phase, Refusal> {
        let (value, new) = (self.up(self.column), self.scene.quote(self.new));
        // Values that become NULL are done as they are.
        let pending = format!("{new} IS NULL AND ({value}) IS NOT NULL");
        let backfill = Backfill { table: self.table, set: vec![(self.new, value)], pending };
        backfill.phase(self.scene, self.state, self.agrees())
    }

    /// Before the swap.
    pub fn agrees(&self) -> Criterion {
        let differences = self.sync().count_differences(self.scene);
        Criterion::counts_nothing("old and new agree in every row", differences)
    }

    /// After the swap.
    pub fn copy_agrees(&self) -> Criterion {
        let stale = self.sync_after(&self.aside()).count_stale(self.scene);
        Criterion::counts_nothing("the copy of the old type agrees in every row", stale)
    }

    /// The statements that move the default to the column that has the name now, behind the swap and behind its way back.
    pub fn moved_default(&self) -> (Vec<Statement>, Vec<Statement>) {
        let on = self.on();
        let before = self.carried.default().map(|it| on.set_default(self.column, self.read_as_before(it)));
        let after = self.default.map(|it| on.set_default(self.column, it.text.clone()));
        let Some(after) = after.or_else(|| before.clone()) else { return Default::default() };
        let copy = before.is_some().then(|| self.drop_default_of_copy());
        (
            copy.into_iter().chain([after]).collect(),
            [on.drop_default(self.new)].into_iter().chain(before).collect(),
        )
    }

    /// A literal is read as the type that the column had, and then converted.
    fn read_as_before(&self, default: &str) -> String {
        let script = Script::read(default, self.scene.dialect());
        match script.tokens.as_slice() {
            [token] if token.kind == TokenKind::String => {
                let plain = TypeName { modifiers: Vec::new(), ..self.old.ty.clone() };
                // Without a length `character` would be one letter.
                let plain = if plain.is("bpchar") { plain.name } else { plain.to_string() };
                format!("{default}::{plain}")
            }
            _ => default.to_owned(),
        }
    }

    /// The copy has no default of its own, or it would look as if somebody had written it.
    pub fn drop_default_of_copy(&self) -> Statement {
        let drop = self.on().drop_default(&self.aside());
        match self.carried.not_null() {
            true => drop
                .allowing(&dropped_default::RULE, "the trigger fills the copy, which no release ever uses"),
            false => drop,
        }
    }

    fn on(&self) -> On {
        self.scene.on(self.table)
    }

    /// The statements by which the columns change names, and back; the trigger goes on the other way round. `then` is the same change
    /// with the names that types have behind it.
    pub fn swapped(&self, then: &Self, moves: Moves) -> (Vec<Statement>, Vec<Statement>) {
        let (aside, on) = (self.aside(), self.on());
        let rename = |from: &str, to: &str| {
            let because = "both names stay valid: the columns change places in one transaction";
            on.rename_column(from, to).allowing(&renamed_column::RULE, because)
        };
        let renames = [rename(self.column, &aside), rename(self.new, self.column)];
        let after = then.sync_after(&aside);
        let mut up = moves.first;
        up.extend(self.sync().drop(self.scene));
        let mut down = moves.back_first;
        down.extend(after.drop(self.scene));
        down.extend(moves.back_before);
        down.extend(undone(&renames));
        up.extend(renames);
        up.extend(moves.after);
        down.extend(moves.back_after);
        up.extend(after.create(self.scene));
        down.extend(self.sync().create(self.scene));
        (up, down)
    }

    /// The columns change names in one short transaction.
    pub fn cutover(&self, moves: Moves) -> Phase {
        let (up, down) = self.swapped(self, moves);
        let title = format!("swap: {} is the new type from here on", self.column);
        let step = self.scene.in_transaction(
            name_of(&[&self.table.name, self.column, "swap"]),
            title.clone(),
            up,
            down,
        );
        let mut must = vec![format!(
            "read and write {}.{} as {} as well as {}: drivers bind by type, and prepared statements are made again",
            self.table.display(self.scene.dialect()),
            self.column,
            self.old.ty,
            self.ty
        )];
        must.push(format!(
            "recycle the connection pool behind the swap: {STALE_STATEMENTS}{}",
            if self.back.is_some() { ", and the values mean something else from then on" } else { "" }
        ));
        must.extend(self.narrowing.map(Narrowing::must));
        must.extend(carried::moves_to_the_end(self.scene, self.table, self.state, self.column));
        Phase::new(PhaseKind::Cutover, title, vec![Step::Release(ReleaseStep { must }), Step::Sql(step)])
            .enter_when(self.agrees())
            .leave_when(self.copy_agrees())
    }

    /// After the swap: the column with the name is the one that is written, the old one follows.
    fn sync_after<'b>(&'b self, aside: &'b str) -> Sync<'b> {
        Sync {
            table: self.table,
            state: self.state,
            old: vec![Kept::new(self.column, self.up(aside))],
            new: vec![Kept::new(aside, self.down(self.column))],
            by_session: self.is_read_by_session(),
        }
    }

    /// The statements that drop the copy, and those that make it again.
    pub fn drop_copy(&self) -> (Vec<Statement>, Vec<Statement>) {
        let (aside, on) = (self.aside(), self.on());
        let after = self.sync_after(&aside);
        let mut up = after.drop(self.scene);
        let because = "no release ever used it: it is the copy of the old type";
        up.push(on.drop_column(&aside, false).allowing(&dropped_column::RULE, because));
        up.extend(self.carried.take_names());
        let mut down = self.carried.give_names_back();
        down.push(on.add_column(self.carried.bare(&aside)));
        down.push(on.update(vec![(&aside, self.down(self.column))], None));
        down.extend(self.made_again(&aside));
        down.extend(self.narrowing.and_then(|it| it.kept_out_again(&aside)));
        down.extend(after.create(self.scene));
        (up, down)
    }

    /// The phase that drops the copy.
    pub fn contract(&self) -> Phase {
        let (up, down) = self.drop_copy();
        let title = format!("drop the copy of the old type ({})", self.aside());
        let step = self.scene.in_transaction(
            name_of(&[&self.table.name, self.column, "contract"]),
            title.clone(),
            up,
            down,
        );
        let mut phase = Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_people("the new type has been in use for one full release cycle"));
        phase.entry.extend(self.narrowing.and_then(Narrowing::lost).map(Criterion::of_people));
        phase.undone_by("the down migration makes the copy again", "a need to go back to the old type")
    }

    /// What hung on the old column, made again on it under the name that it has aside. Its default had moved on.
    fn made_again(&self, aside: &str) -> Vec<Statement> {
        let Some((name, _)) = self.carried.not_null_names() else {
            return self.carried.make_again_on(aside, &[Part::Default]);
        };
        let not_null = make::constraint(&name, ConstraintKind::NotNull(make::ident(aside)));
        let mut again = vec![self.on().add(not_null)];
        again.extend(self.carried.make_again_on(aside, &[Part::Default, Part::NotNull]));
        again
    }
}
