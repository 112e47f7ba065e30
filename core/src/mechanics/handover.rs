//! Columns that hand over to others of the same table: the new ones beside the old, both kept in step, until nobody uses the old.

use crate::catalog::{RelationName, Table};
use crate::hazards::compatibility::dropped_column;
use crate::operation::{Column, Expression};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Statement, Step, Way};

use super::Refusal;
use super::backfill::Backfill;
use super::carried::{Carried, Part};
use super::make::On;
use super::scene::{Scene, name_of};
use super::sync::{Kept, Sync, differences, undone};

/// A column that goes.
pub(crate) struct Outgoing<'a> {
    /// Its name.
    pub name: &'a str,
    /// What hangs on it.
    pub carried: &'a Carried<'a>,
    /// Its value from the new columns, where it has one.
    pub value: Option<Expression>,
}

/// A column that comes.
pub(crate) struct Incoming<'a> {
    /// Its name.
    pub name: &'a str,
    /// The column, without default and conditions.
    pub column: Column,
    /// Its value from the old columns.
    pub value: Expression,
    /// The default that it has when the old columns are gone. Before, it would look like something that the new release wrote.
    pub default: Option<&'a str>,
}

/// Old columns and new ones.
pub(crate) struct Handover<'a> {
    pub scene: &'a Scene<'a>,
    pub table: &'a RelationName,
    pub state: &'a Table,
    pub old: Vec<Outgoing<'a>>,
    pub new: Vec<Incoming<'a>>,
    pub way: Way,
    /// The one new column is the old one under another name: it takes over what hung on it, and its names.
    pub succeeds: bool,
}

impl Handover<'_> {
    fn shown(&self) -> String {
        self.table.display(self.scene.dialect())
    }

    fn on(&self) -> On {
        self.scene.on(self.table)
    }

    /// The new columns in words.
    pub fn new_names(&self) -> String {
        self.new.iter().map(|it| it.name).collect::<Vec<_>>().join(", ")
    }

    /// The old columns in words.
    pub fn old_names(&self) -> String {
        self.old.iter().map(|it| it.name).collect::<Vec<_>>().join(", ")
    }

    /// The new columns behind the name of the table.
    fn new_shown(&self) -> String {
        self.of_table(self.new.iter().map(|it| it.name))
    }

    /// The old columns behind the name of the table.
    fn old_shown(&self) -> String {
        self.of_table(self.old.iter().map(|it| it.name))
    }

    fn of_table<'n>(&self, names: impl Iterator<Item = &'n str>) -> String {
        let shown = self.shown();
        names.map(|name| format!("{shown}.{name}")).collect::<Vec<_>>().join(", ")
    }

    fn first_new(&self) -> &str {
        self.new.first().map_or("", |it| it.name)
    }

    fn sync(&self) -> Sync<'_> {
        let old = self.old.iter().filter_map(|it| Some((it.name, it.value.clone()?)));
        let new = self.new.iter().map(|it| (it.name, it.value.clone()));
        Sync {
            table: self.table,
            state: self.state,
            old: old.map(|(column, value)| Kept { column, value }).collect(),
            new: new.map(|(column, value)| Kept { column, value }).collect(),
            by_session: false,
        }
    }

    fn triggers(&self) -> bool {
        self.way == Way::Triggers
    }

    /// Whether old and new agree in each row: a value that goes there and back comes out the same only where a column is just renamed.
    fn agree(&self) -> Criterion {
        let sync = self.sync();
        let both_ways = !self.succeeds && sync.old.len() == self.old.len();
        let count = if both_ways { sync.count_stale(self.scene) } else { sync.count_differences(self.scene) };
        Criterion::counts_nothing("old and new agree in every row", count)
    }

    /// The new columns beside the old.
    pub fn expand(&self) -> Phase {
        let on = self.on();
        let mut up: Vec<Statement> = self.new.iter().map(|it| on.add_column(it.column.clone())).collect();
        let (old, new) = (self.old_names(), self.new_names());
        let title = if self.triggers() {
            up.extend(self.sync().create(self.scene));
            let it = if self.new.len() > 1 { "them" } else { "it" };
            format!("add {new} and a trigger that keeps {it} and {old} in step")
        } else {
            format!("add {new} beside {old}")
        };
        let name = name_of(&[&self.table.name, self.first_new(), "expand"]);
        let down = undone(&up);
        if let ([old], [new], true) = (self.old.as_slice(), self.new.as_slice(), self.succeeds) {
            up.extend(old.carried.details_on(new.name));
        }
        let step = self.scene.in_transaction(name, title.clone(), up, down);
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)]).undone_by(
            format!("the down migration drops {new} again; nothing that was written is lost"),
            "p99 of writes to the table over 10 % above the baseline",
        )
    }

    /// The application writes both; the old ones are still those that are read.
    pub fn dual_write(&self) -> Phase {
        let (old, new) = (self.old_shown(), self.new_shown());
        let must = vec![
            format!("write {new} wherever it writes {old}, in the same statement"),
            format!("go on reading {old}"),
        ];
        both_written(must)
    }

    /// The new columns filled in rows that were written before.
    ///
    /// # Errors
    /// [`Refusal`] where the rows cannot be walked.
    pub fn backfill(&self) -> Result<Phase, Refusal> {
        let backfill = Backfill {
            table: self.table,
            set: self.new.iter().map(|it| (it.name, it.value.text.clone())).collect(),
            pending: self.pending(),
        };
        backfill.phase(self.scene, self.state, self.agree())
    }

    /// Without a trigger, a row that the release which writes both had written may have been written by the one before again, while both
    /// were running: it has a value, and a stale one. Behind that release the old columns are right in every row.
    fn pending(&self) -> String {
        if !self.triggers() {
            return differences(&self.sync().new, self.scene);
        }
        let empty = self.new.iter().map(|it| format!("{} IS NULL", self.scene.quote(it.name)));
        let empty: Vec<String> = empty.collect();
        let value = |it: &Incoming<'_>| match self.succeeds {
            true => format!("{} IS NOT NULL", it.value.text),
            false => format!("({}) IS NOT NULL", it.value.text),
        };
        let some: Vec<String> = self.new.iter().map(value).collect();
        let some = if some.len() > 1 { format!("({})", some.join(" OR ")) } else { some.join("") };
        format!("{} AND {some}", empty.join(" AND "))
    }

    /// The release that uses the new columns. `steps` come first.
    pub fn cutover(&self, mut steps: Vec<Step>) -> Phase {
        let (old, new) = (self.old_names(), self.new_names());
        let (old_shown, new_shown) = (self.old_shown(), self.new_shown());
        if self.triggers() {
            let mut must =
                vec![format!("say {new_shown} wherever it says {old_shown}, in reads and in writes")];
            must.extend(self.old.iter().find_map(|it| {
                super::carried::moves_to_the_end(self.scene, self.table, self.state, it.name)
            }));
            steps.push(Step::Release(ReleaseStep { must }));
        } else {
            let must = vec![format!("read {new_shown}"), format!("go on writing both {old} and {new}")];
            steps.push(Step::Release(ReleaseStep { must }));
            steps.extend(self.old.iter().filter_map(|it| self.free(it)));
            let mut must = vec![format!("write {new_shown} only, and stop using {old}")];
            must.extend(self.old.iter().find_map(|it| {
                super::carried::moves_to_the_end(self.scene, self.table, self.state, it.name)
            }));
            steps.push(Step::Release(ReleaseStep { must }));
        }
        Phase::new(PhaseKind::Cutover, format!("release the application that says {new}"), steps)
            .enter_when(self.agree())
            .leave_when(Criterion::of_people(format!("no instance of a release that says {old} is running")))
            .undone_by(self.way_back(), "errors or p99 over 10 % above the baseline")
    }

    fn way_back(&self) -> String {
        if self.triggers() {
            return "roll the application back: both columns are up to date".to_owned();
        }
        format!(
            "roll the application back: both columns are up to date until the last release, which writes only {new}; after it, first set {old} to \
             {new} wherever they differ",
            old = self.old_names(),
            new = self.new_names()
        )
    }

    fn is_freed(&self, old: &Outgoing<'_>) -> bool {
        !self.triggers() && old.carried.not_null() && old.carried.default().is_none()
    }

    /// A release that does not write an old column needs it to take NULL.
    fn free(&self, column: &Outgoing<'_>) -> Option<Step> {
        if !self.is_freed(column) {
            return None;
        }
        let on = self.on();
        // The release that writes only the new ones leaves old values stale, and the one that is gone back to may read them.
        let fill = column.value.as_ref().map(|value| {
            let stale = format!("{} IS DISTINCT FROM {}", self.scene.quote(column.name), value.text);
            on.update(vec![(column.name, value.text.clone())], Some(stale))
        });
        let down = fill.into_iter().chain([on.set_not_null(column.name)]).collect();
        let name = name_of(&[&self.table.name, column.name, "nullable"]);
        let title = format!("let rows be written without {}", column.name);
        Some(Step::Sql(self.scene.in_transaction(name, title, vec![on.drop_not_null(column.name)], down)))
    }

    /// The old columns go.
    pub fn contract(&self) -> Phase {
        let (old, new) = (self.old_names(), self.new_names());
        let name = name_of(&[&self.table.name, self.first_new(), "contract"]);
        let title = format!("drop {old} when nobody names it any more");
        let step = self.scene.in_transaction(name, title.clone(), self.contract_up(), self.contract_down());
        let phase = Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)]);
        let phase = match self.comes_back() {
            true => phase,
            false => phase.enter_when(Criterion::of_backup(&old)),
        };
        let phase = match self.only_old() {
            Some(nothing) => phase.enter_when(nothing),
            None => phase,
        };
        phase
            .enter_when(Criterion::of_people(format!(
                "no release that says {old} has run for one full release cycle"
            )))
            .undone_by(
                match self.comes_back() {
                    true => "the down migration makes the old column again from the new one, under a lock for as long as that takes".to_owned(),
                    false => format!("{old} comes back empty; its values only from the backup, as nothing says how to compute them from {new}"),
                },
                "a program that still uses the old name",
            )
    }

    /// No value stands in an old column alone. Behind the release that uses the new ones that can be told only where one column takes the place of
    /// another as it is, and a trigger carries what is taken out of the new one back.
    fn only_old(&self) -> Option<Criterion> {
        let ([old], [new], true) = (self.old.as_slice(), self.new.as_slice(), self.triggers()) else {
            return None;
        };
        (new.value.text == self.scene.quote(old.name)).then(|| {
            let count =
                format!("SELECT count(*) FROM {} WHERE {}", self.scene.sql(self.table), self.pending());
            Criterion::counts_nothing(format!("no value of {} is missing in {}", old.name, new.name), count)
        })
    }

    /// Whether the old values can be computed from the new ones.
    fn comes_back(&self) -> bool {
        self.old.iter().all(|it| it.value.is_some())
    }

    fn contract_up(&self) -> Vec<Statement> {
        let (on, new) = (self.on(), self.new_names());
        let mut up = Vec::new();
        if self.triggers() {
            up.extend(self.sync().drop(self.scene));
        }
        for column in &self.old {
            let because = format!(
                "the release that uses {new} instead is out, and nothing uses {} any more",
                column.name
            );
            up.push(on.drop_column(column.name, false).allowing(&dropped_column::RULE, because));
            if self.succeeds {
                up.extend(column.carried.take_names());
            }
        }
        up.extend(self.defaults());
        up
    }

    /// The statements that give the new columns their defaults.
    fn defaults(&self) -> Vec<Statement> {
        let on = self.on();
        self.new.iter().filter_map(|it| Some(on.set_default(it.name, it.default?))).collect()
    }

    fn contract_down(&self) -> Vec<Statement> {
        let on = self.on();
        let mut down = undone(&self.defaults());
        for column in &self.old {
            if self.succeeds {
                down.extend(column.carried.give_names_back());
            }
            down.push(on.add_column(column.carried.bare(column.name)));
        }
        let set = self.old.iter().filter_map(|it| Some((it.name, it.value.as_ref()?.text.clone())));
        let set: Vec<(&str, String)> = set.collect();
        if !set.is_empty() {
            down.push(on.update(set, None));
        }
        for column in &self.old {
            let without =
                if self.is_freed(column) || column.value.is_none() { &[Part::NotNull][..] } else { &[] };
            down.extend(column.carried.make_again_on(column.name, without));
        }
        if self.triggers() {
            down.extend(self.sync().create(self.scene));
        }
        down
    }
}

/// The release that writes both sides; the old one is still the one that is read.
pub(crate) fn both_written(must: Vec<String>) -> Phase {
    Phase::new(
        PhaseKind::DualWrite,
        "release the application that writes both",
        vec![Step::Release(ReleaseStep { must })],
    )
    .leave_when(Criterion::of_people("no instance of the release before is running"))
    .undone_by("roll the application back: what it reads was never stale", "dual-write errors over 0.1 %")
}
