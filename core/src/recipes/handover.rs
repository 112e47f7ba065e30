//! Columns that hand over to others of the same table: the new ones beside the old, both kept in step, until nobody uses the old.

use crate::catalog::{RelationName, Table};
use crate::operation::Expression;
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::Refusal;
use super::backfill::Backfill;
use super::carried::{Carried, Part};
use super::scene::{Scene, name_of};
use super::sync::{Kept, Sync, differences};

/// A column that goes.
pub(super) struct Outgoing<'a> {
    /// Its name.
    pub name: &'a str,
    /// What hangs on it.
    pub carried: &'a Carried<'a>,
    /// Its value from the new columns, where it has one.
    pub value: Option<Expression>,
}

/// A column that comes.
pub(super) struct Incoming<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type, with its collation.
    pub ty: String,
    /// Its value from the old columns.
    pub value: Expression,
    /// The default that it has when the old columns are gone. Before, it would look like something that the new release wrote.
    pub default: Option<&'a str>,
}

/// Old columns and new ones.
pub(super) struct Handover<'a> {
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

    fn sql(&self) -> String {
        self.scene.sql(self.table)
    }

    /// The new columns in words.
    pub fn new_names(&self) -> String {
        self.new.iter().map(|it| it.name).collect::<Vec<_>>().join(", ")
    }

    /// The old columns in words.
    pub fn old_names(&self) -> String {
        self.old.iter().map(|it| it.name).collect::<Vec<_>>().join(", ")
    }

    /// The columns of one side behind the name of the table.
    fn of_table(&self, names: &str) -> String {
        let shown = self.shown();
        names.split(", ").map(|name| format!("{shown}.{name}")).collect::<Vec<_>>().join(", ")
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
        let table = self.sql();
        let alter = |action: String| format!("ALTER TABLE {table} {action}");
        let column = |it: &Incoming<'_>| self.scene.quote(it.name);
        let mut up: Vec<String> =
            self.new.iter().map(|it| alter(format!("ADD COLUMN {} {}", column(it), it.ty))).collect();
        let mut down: Vec<String> =
            self.new.iter().map(|it| alter(format!("DROP COLUMN {}", column(it)))).collect();
        let (old, new) = (self.old_names(), self.new_names());
        let title = if self.triggers() {
            up.extend(self.sync().create(self.scene));
            down.splice(0..0, self.sync().drop(self.scene));
            let it = if self.new.len() > 1 { "them" } else { "it" };
            format!("add {new} and a trigger that keeps {it} and {old} in step")
        } else {
            format!("add {new} beside {old}")
        };
        let name = name_of(&[&self.table.name, self.first_new(), "expand"]);
        let step = self.scene.in_transaction(name, title.clone(), &up, &down);
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)]).undone_by(
            format!("the down migration drops {new} again; nothing that was written is lost"),
            "p99 of writes to the table over 10 % above the baseline",
        )
    }

    /// The application writes both; the old ones are still those that are read.
    pub fn dual_write(&self) -> Phase {
        let (old, new) = (self.of_table(&self.old_names()), self.of_table(&self.new_names()));
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
        let (old_shown, new_shown) = (self.of_table(&old), self.of_table(&new));
        if self.triggers() {
            let must = vec![format!("say {new_shown} wherever it says {old_shown}, in reads and in writes")];
            steps.push(Step::Release(ReleaseStep { must }));
        } else {
            let must = vec![format!("read {new_shown}"), format!("go on writing both {old} and {new}")];
            steps.push(Step::Release(ReleaseStep { must }));
            steps.extend(self.old.iter().filter_map(|it| self.free(it)));
            let must = vec![format!("write {new_shown} only, and name {old} nowhere")];
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
        let (table, old) = (self.sql(), self.scene.quote(column.name));
        let up = format!("ALTER TABLE {table} ALTER COLUMN {old} DROP NOT NULL");
        let set = format!("ALTER TABLE {table} ALTER COLUMN {old} SET NOT NULL");
        // The release that writes only the new ones leaves old values stale, and the one that is gone back to may read them.
        let fill = column.value.as_ref().map(|value| {
            let value = &value.text;
            format!("UPDATE {table} SET {old} = {value} WHERE {old} IS DISTINCT FROM {value}")
        });
        let down: Vec<String> = fill.into_iter().chain([set]).collect();
        let name = name_of(&[&self.table.name, column.name, "nullable"]);
        let title = format!("let rows be written without {}", column.name);
        Some(Step::Sql(self.scene.in_transaction(name, title, &[up], &down)))
    }

    /// The old columns go.
    pub fn contract(&self) -> Phase {
        let (old, new) = (self.old_names(), self.new_names());
        let name = name_of(&[&self.table.name, self.first_new(), "contract"]);
        let title = format!("drop {old} when nobody names it any more");
        let step = self.scene.in_transaction(name, title.clone(), &self.contract_up(), &self.contract_down());
        let phase = Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)]);
        let phase = match self.comes_back() {
            true => phase,
            false => phase.enter_when(Criterion::of_people(format!(
                "a backup that holds {old} was restored and checked"
            ))),
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
                "a program that still says the old name",
            )
    }

    /// Whether the old values can be computed from the new ones.
    fn comes_back(&self) -> bool {
        self.old.iter().all(|it| it.value.is_some())
    }

    fn contract_up(&self) -> Vec<String> {
        let (table, new) = (self.sql(), self.new_names());
        let mut up = Vec::new();
        if self.triggers() {
            up.extend(self.sync().drop(self.scene));
        }
        for column in &self.old {
            up.push(format!(
                "-- lockkeeper: allow dropped-column because the release that says {new} instead is out, and nobody names {} any more",
                column.name
            ));
            up.push(format!("ALTER TABLE {table} DROP COLUMN {}", self.scene.quote(column.name)));
            if self.succeeds {
                up.extend(column.carried.take_names());
            }
        }
        up.extend(self.defaults(|default| format!("SET DEFAULT {default}")));
        up
    }

    fn defaults(&self, action: impl Fn(&str) -> String) -> Vec<String> {
        let table = self.sql();
        let alter = |column: &str, default: &str| {
            format!("ALTER TABLE {table} ALTER COLUMN {} {}", self.scene.quote(column), action(default))
        };
        self.new.iter().filter_map(|it| Some(alter(it.name, it.default?))).collect()
    }

    fn contract_down(&self) -> Vec<String> {
        let table = self.sql();
        let mut down = self.defaults(|_| "DROP DEFAULT".to_owned());
        for column in &self.old {
            if self.succeeds {
                down.extend(column.carried.give_names_back());
            }
            let quoted = self.scene.quote(column.name);
            down.push(format!("ALTER TABLE {table} ADD COLUMN {quoted} {}", column.carried.type_of_old()));
        }
        let set =
            |it: &Outgoing<'_>| Some(format!("{} = {}", self.scene.quote(it.name), it.value.as_ref()?.text));
        let set: Vec<String> = self.old.iter().filter_map(set).collect();
        if !set.is_empty() {
            down.push(format!("UPDATE {table} SET {}", set.join(", ")));
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
pub(super) fn both_written(must: Vec<String>) -> Phase {
    Phase::new(
        PhaseKind::DualWrite,
        "release the application that writes both",
        vec![Step::Release(ReleaseStep { must })],
    )
    .leave_when(Criterion::of_people("no instance of the release before is running"))
    .undone_by("roll the application back: what it reads was never stale", "dual-write errors over 0.1 %")
}
