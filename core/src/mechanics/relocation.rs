//! Columns that get their values from the rows of another table, both kept in step: the phases.

use crate::catalog::RelationName;
use crate::engine::Capability;
use crate::hazards::compatibility::dropped_column;
use crate::hazards::transaction::many_tables_locked;
use crate::operation::Column;
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Statement, Step, Way};

use super::backfill::{self, Backfill, Copying};
use super::carried::{Carried, Part};
use super::derivation::bare;
use super::handover::both_written;
use super::join::{Join, Moved};
use super::link::{Link, Which};
use super::scene::{Scene, name_of};
use super::sync::undone;
use super::{Phases, Refusal, not_null};

/// The whole change.
pub(crate) struct Relocation<'a> {
    pub join: &'a Join<'a>,
    pub link: &'a Link<'a>,
    /// How the target gets its columns, and is filled.
    pub start: Start<'a>,
    /// The columns that come.
    pub comes: &'a [Moved],
    /// What goes.
    pub goes: Goes<'a>,
    pub way: Way,
}

/// How the target gets its columns, and is filled.
pub(crate) enum Start<'a> {
    /// They are added.
    Columns(&'a [&'a Column]),
    /// The table is new.
    Table {
        /// The statement that makes it.
        create: Statement,
        /// Its columns, each with an expression over a row of the source.
        copy: Vec<(String, String)>,
        /// Those rows that are copied; all where nothing is stated.
        condition: Option<String>,
    },
}

/// What goes in the end.
pub(crate) enum Goes<'a> {
    /// Nothing.
    Nothing,
    /// Columns of the source.
    Columns(Vec<(&'a str, Carried<'a>)>),
    /// The source itself, in these phases.
    Table(Vec<Phase>),
}

impl Relocation<'_> {
    fn triggers(&self) -> bool {
        self.way == Way::Triggers
    }

    fn scene(&self) -> &Scene<'_> {
        self.join.scene
    }

    fn added(&self) -> Vec<&str> {
        self.comes.iter().map(|it| it.name.as_str()).collect()
    }

    /// The columns of the source that go.
    fn dropped(&self) -> &[(&str, Carried<'_>)] {
        match &self.goes {
            Goes::Columns(columns) => columns,
            Goes::Nothing | Goes::Table(_) => &[],
        }
    }

    /// The new columns in words.
    fn comes_shown(&self) -> String {
        let shown = self.join.target.display(self.scene().dialect());
        self.added().iter().map(|it| format!("{shown}.{it}")).collect::<Vec<_>>().join(", ")
    }

    /// What the values come from, in words.
    fn goes_shown(&self) -> String {
        let shown = self.join.source.display(self.scene().dialect());
        match &self.goes {
            Goes::Columns(columns) => {
                columns.iter().map(|(it, _)| format!("{shown}.{it}")).collect::<Vec<_>>().join(", ")
            }
            Goes::Table(_) | Goes::Nothing => shown,
        }
    }

    /// The name of a file of one of the tables.
    fn file(&self, table: &RelationName, part: &str) -> String {
        name_of(&[&table.name, self.added().first().copied().unwrap_or_default(), part])
    }

    fn agree(&self) -> Criterion {
        let differ = self
            .comes
            .iter()
            .map(|it| format!("{} IS DISTINCT FROM ({})", self.scene().quote(&it.name), it.value.text));
        let differ: Vec<String> = differ.collect();
        let table = self.scene().sql(self.join.target);
        // A row without a partner has nothing to agree with, unless a partner is made for it.
        let partner = match self.link.source.made || self.comes.iter().any(|it| it.default.is_some()) {
            true => String::new(),
            false => format!("{} AND ", self.partner()),
        };
        let differing = format!("SELECT count(*) FROM {table} WHERE {partner}({})", differ.join(" OR "));
        let query = match &self.start {
            Start::Columns(_) => differing,
            Start::Table { .. } => format!(
                "SELECT ({differing}) + (SELECT count(*) FROM {} WHERE {})",
                self.source(),
                self.missing()
            ),
        };
        Criterion::counts_nothing("both tables agree in every row", query)
    }

    /// The source under the name that it has in expressions.
    fn source(&self) -> String {
        format!("{} AS {}", self.scene().sql(self.join.source), self.scene().quote(&self.join.alias))
    }

    /// Whether a row of the source should be in the new table and is not.
    fn missing(&self) -> String {
        let Start::Table { condition, .. } = &self.start else { return String::new() };
        let condition = condition.as_ref().map(|it| format!("({it}) AND ")).unwrap_or_default();
        let table = self.scene().sql(self.join.target);
        format!("{condition}NOT EXISTS (SELECT FROM {table} WHERE {})", self.join.on.text)
    }

    /// Whether a row has one in the other table.
    fn partner(&self) -> String {
        format!("EXISTS (SELECT FROM {} WHERE {})", self.source(), self.join.on.text)
    }

    /// All phases.
    ///
    /// # Errors
    /// [`Refusal`] where the rows cannot be walked, NOT NULL cannot be set, or the version cannot do it.
    pub fn phases(&self) -> Phases {
        let shares = matches!(self.start, Start::Columns(_)) || !self.triggers();
        if shares && !self.scene().can(Capability::UpdateFromLockedRows) {
            return Err(Refusal::new(format!(
                "before {} an UPDATE whose sub-query locks the row that it reads may find that row twice, and fails: move the values while \
                 nobody writes them",
                self.scene().since(Capability::UpdateFromLockedRows)
            )));
        }
        let mut phases = vec![self.expand()];
        if !self.triggers() {
            phases.push(self.dual_write());
        }
        phases.extend(self.backfill()?);
        if let Start::Columns(_) = self.start {
            let required = self.comes.iter().filter(|it| it.required).map(|it| it.name.as_str());
            let required: Vec<&str> = required.collect();
            phases.extend(not_null::phase(self.scene(), self.join.target, &required)?);
        }
        phases.push(self.cutover());
        phases.extend(self.contract());
        if let Goes::Table(drop) = &self.goes {
            // The release that does not know the table is out already.
            phases.extend(drop.iter().filter(|it| it.releases().next().is_none()).cloned());
        }
        Ok(phases)
    }

    fn expand(&self) -> Phase {
        let scene = self.scene();
        let (title, up) = match &self.start {
            Start::Columns(added) => {
                let on = scene.on(self.join.target);
                let add = added.iter().map(|it| on.add_column(bare(it))).collect();
                (format!("add {}", self.comes_shown()), add)
            }
            Start::Table { create, .. } => {
                let shown = self.join.target.display(scene.dialect());
                (format!("make the table {shown}"), vec![create.clone()])
            }
        };
        let (name, down) = (self.file(self.join.target, "expand"), undone(&up));
        let mut steps = vec![Step::Sql(scene.in_transaction(name, title.clone(), up, down))];
        let mut title = title;
        if self.triggers() {
            steps.push(Step::Sql(self.linked()));
            title = format!("{title}, and keep it in step with {}", self.goes_shown());
        }
        Phase::new(PhaseKind::Expand, title, steps).undone_by(
            "the down migrations drop the triggers and what was added; nothing that was written is lost",
            "p99 of writes to either table over 10 % above the baseline",
        )
    }

    /// Both at once: with one side only, what the other side misses would look as if it were filled.
    fn linked(&self) -> SqlStep {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for which in [Which::Target, Which::Source] {
            up.extend(self.link.create(self.scene(), which));
            down.extend(self.link.drop(self.scene(), which));
        }
        let title = format!("keep {} and {} in step", self.comes_shown(), self.goes_shown());
        self.scene().on_two_tables(self.file(self.join.target, "in_step"), title, up, down)
    }

    fn dual_write(&self) -> Phase {
        let (old, new) = (self.goes_shown(), self.comes_shown());
        let must = vec![
            format!("write {new} wherever it writes {old}, in the same transaction, {old} first"),
            format!("go on reading {old}"),
        ];
        both_written(must)
    }

    /// New rows first, where the table is new; then the values.
    fn backfill(&self) -> Result<Vec<Phase>, Refusal> {
        let mut phases = Vec::new();
        if let Start::Table { copy, .. } = &self.start {
            phases.push(backfill::phase_of(self.scene(), self.copied(copy)?, self.agree()));
            if self.triggers() {
                return Ok(phases);
            }
            // What the release before wrote again behind the one that writes both.
            phases[0].exit.clear();
        }
        let set = self.comes.iter().map(|it| (it.name.as_str(), it.shared()));
        let backfill = Backfill { table: self.join.target, set: set.collect(), pending: self.pending() };
        phases.push(backfill.phase(self.scene(), self.join.target_state, self.agree())?);
        Ok(phases)
    }

    fn copied(&self, columns: &[(String, String)]) -> Result<SqlStep, Refusal> {
        let join = self.join;
        let copying = Copying {
            from: join.source,
            state: join.source_state,
            into: join.target,
            columns: columns.to_vec(),
            key: join.pairs.iter().map(|(own, _)| own.clone()).collect(),
            order: &[],
            pending: self.missing(),
        };
        copying.step(self.scene())
    }

    fn pending(&self) -> String {
        let each = |word: &dyn Fn(&str, &str) -> String, between: &str| {
            let columns = self.comes.iter();
            let columns = columns.map(|it| word(&self.scene().quote(&it.name), &it.value.text));
            columns.collect::<Vec<_>>().join(between)
        };
        if !self.triggers() {
            let differ = each(&|column, value| format!("{column} IS DISTINCT FROM ({value})"), " OR ");
            return match self.start {
                Start::Columns(_) => differ,
                Start::Table { .. } => format!("{} AND ({differ})", self.partner()),
            };
        }
        let empty = each(&|column, _| format!("{column} IS NULL"), " AND ");
        let some = each(&|_, value| format!("({value}) IS NOT NULL"), " OR ");
        format!("{empty} AND ({some})")
    }

    fn cutover(&self) -> Phase {
        let (old, new) = (self.goes_shown(), self.comes_shown());
        let stays = matches!(self.goes, Goes::Nothing);
        let mut steps = Vec::new();
        let free: Vec<Step> =
            self.dropped().iter().filter_map(|(column, it)| self.free(column, it)).collect();
        if stays {
            let must = vec![
                format!("read {new}"),
                format!("write {new} wherever it writes what {old} holds of it, in the same transaction"),
            ];
            steps.push(Step::Release(ReleaseStep { must }));
        } else if self.triggers() {
            steps.extend(free);
            let must = vec![format!("say {new} wherever it says {old}, in reads and in writes")];
            steps.push(Step::Release(ReleaseStep { must }));
        } else {
            let must = vec![format!("read {new}"), format!("go on writing both {old} and {new}")];
            steps.push(Step::Release(ReleaseStep { must }));
            steps.extend(free);
            let must = vec![format!("write {new} only, and stop using {old}")];
            steps.push(Step::Release(ReleaseStep { must }));
        }
        let back = match self.triggers() {
            true => "roll the application back: both tables are up to date",
            false => {
                "roll the application back: both tables are up to date until the last release, which writes only the new columns"
            }
        };
        Phase::new(PhaseKind::Cutover, format!("release the application that says {new}"), steps)
            .enter_when(self.agree())
            .leave_when(Criterion::of_people(format!(
                "no instance of a release that says {old} only is running"
            )))
            .undone_by(back, "errors or p99 over 10 % above the baseline")
    }

    /// A release that does not write an old column needs it to take NULL.
    fn free(&self, column: &str, carried: &Carried<'_>) -> Option<Step> {
        if !is_freed(carried) {
            return None;
        }
        let on = self.scene().on(self.join.source);
        let fill = self.refilled(column).map(|value| {
            let empty = format!("{} IS NULL", self.scene().quote(column));
            on.update(vec![(column, value)], Some(empty))
        });
        let down: Vec<Statement> = fill.into_iter().chain([on.set_not_null(column)]).collect();
        let name = name_of(&[&self.join.source.name, column, "nullable"]);
        Some(Step::Sql(self.scene().in_transaction(
            name,
            format!("let rows be written without {column}"),
            vec![on.drop_not_null(column)],
            down,
        )))
    }

    /// An old value from the new columns, where it was copied as it is.
    fn refilled(&self, column: &str) -> Option<String> {
        let kept = self.link.source.kept.iter().find(|it| it.column == column)?;
        let alias = self.scene().quote(&self.link.target.alias);
        let source = self.scene().quote(&self.join.source.name);
        let on = self.join.pairs.iter().map(|(own, other)| {
            format!("{alias}.{} = {source}.{}", self.scene().quote(own), self.scene().quote(other))
        });
        let on: Vec<String> = on.collect();
        let table = self.scene().sql(self.join.target);
        Some(format!("(SELECT {} FROM {table} AS {alias} WHERE {})", kept.value.text, on.join(" AND ")))
    }

    fn contract(&self) -> Option<Phase> {
        let title = match &self.goes {
            Goes::Columns(_) => format!("drop {} when nobody names it any more", self.goes_shown()),
            Goes::Table(_) | Goes::Nothing => {
                format!("keep {} no longer in step with {}", self.comes_shown(), self.goes_shown())
            }
        };
        let (target, source) = (self.target_contract(), self.source_contract());
        let steps: Vec<SqlStep> = if self.triggers() {
            // Both at once, as with one side only the other would go stale.
            let second = |mut statements: Vec<Statement>| {
                if let Some(first) = statements.first_mut() {
                    let because = "it gives up before anybody is ended for a deadlock";
                    *first = first.clone().allowing(&many_tables_locked::RULE, because);
                }
                statements
            };
            let up = [target.0, second(source.0)].concat();
            let down = [source.1, second(target.1)].concat();
            vec![self.scene().on_two_tables(self.file(self.join.target, "contract"), title.clone(), up, down)]
        } else {
            let each = [(self.join.target, target), (self.join.source, source)].into_iter();
            let each = each.filter(|(_, (up, _))| !up.is_empty());
            each.map(|(table, (up, down))| {
                self.scene().in_transaction(self.file(table, "contract"), title.clone(), up, down)
            })
            .collect()
        };
        if steps.is_empty() {
            return None;
        }
        let phase = Phase::new(PhaseKind::Contract, title, steps.into_iter().map(Step::Sql).collect())
            .enter_when(Criterion::of_people(format!(
                "no release that says {} only has run for one full release cycle",
                self.goes_shown()
            )))
            .undone_by(
                "the down migration makes the old columns again and keeps them in step",
                "a program that still uses the old name",
            );
        Some(phase)
    }

    fn target_contract(&self) -> (Vec<Statement>, Vec<Statement>) {
        let on = self.scene().on(self.join.target);
        let columns = self.comes.iter().filter(|_| matches!(self.start, Start::Columns(_)));
        let defaults: Vec<Statement> =
            columns.filter_map(|it| Some(on.set_default(&it.name, it.default.clone()?))).collect();
        let (mut up, mut down) = (Vec::new(), undone(&defaults));
        if self.triggers() {
            up.extend(self.link.drop(self.scene(), Which::Target));
            down.extend(self.link.create(self.scene(), Which::Target));
        }
        up.extend(defaults);
        (up, down)
    }

    fn source_contract(&self) -> (Vec<Statement>, Vec<Statement>) {
        let on = self.scene().on(self.join.source);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        if self.triggers() {
            up.extend(self.link.drop(self.scene(), Which::Source));
        }
        for (column, carried) in self.dropped() {
            let because = format!(
                "the release that uses {} instead is out, and nothing uses {column} any more",
                self.comes_shown()
            );
            up.push(on.drop_column(column, false).allowing(&dropped_column::RULE, because));
            down.push(on.add_column(carried.bare(column)));
            let refilled = self.refilled(column);
            down.extend(refilled.iter().map(|value| on.update(vec![(column, value.clone())], None)));
            let without = if is_freed(carried) || refilled.is_none() { &[Part::NotNull][..] } else { &[] };
            down.extend(carried.make_again_on(column, without));
        }
        if self.triggers() {
            down.extend(self.link.create(self.scene(), Which::Source));
        }
        (up, down)
    }
}

fn is_freed(carried: &Carried<'_>) -> bool {
    carried.not_null() && carried.default().is_none()
}
