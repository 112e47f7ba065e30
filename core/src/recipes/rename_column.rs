//! Rename a column: a new column beside the old one, kept in step until nobody uses the old name.

use crate::catalog::{RelationName, Table};
use crate::operation::{AlterTable, Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::backfill::Backfill;
use super::carried::{self, Carried};
use super::scene::{Scene, name_of};
use super::sync::{Kept, Sync};
use super::{Form, Recipe, Refusal, view};

pub(super) static RECIPE: Recipe = Recipe {
    id: "expand-contract-rename",
    page: include_str!("rename_column.md"),
    ways: &[Way::Triggers, Way::Application],
    form: Form::One { applies: |operation| parts(operation).is_some(), write },
};

fn parts(operation: &Operation) -> Option<(&AlterTable, &str, &str)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    let TableAction::RenameColumn { column, to } = &alter.action else { return None };
    Some((alter, &column.name, &to.name))
}

fn write(operation: &Operation, scene: &Scene<'_>, way: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, old, new)) = parts(operation) else { return Err(Refusal::new("it renames no column")) };
    let table = scene.resolve(&alter.table);
    let state = scene.table(&table)?;
    let carried = Carried::of(scene, &table, state, old, new)?;
    let views = views(scene, &table, old, new)?;
    let rename = Rename { scene, table: &table, state, old, new, carried: &carried, views: &views, way };
    rename.phases()
}

/// A view with its query before and after.
struct ChangedView {
    name: String,
    before: String,
    after: String,
}

fn views(scene: &Scene<'_>, table: &RelationName, old: &str, new: &str) -> Result<Vec<ChangedView>, Refusal> {
    let mut changed = Vec::new();
    for name in scene.catalog.views_on_column(table, old) {
        let Some(found) = scene.catalog.view(name) else { continue };
        if found.materialized {
            let shown = name.display(scene.dialect());
            return Err(Refusal::new(format!(
                "the materialized view {shown} reads {old}: it cannot be replaced in place; make one on the new column \
                 first"
            )));
        }
        let after = view::renamed(scene, name, found, table, old, new)?;
        changed.push(ChangedView { name: scene.sql(name), before: found.query.text.clone(), after });
    }
    Ok(changed)
}

struct Rename<'a> {
    scene: &'a Scene<'a>,
    table: &'a RelationName,
    state: &'a Table,
    old: &'a str,
    new: &'a str,
    carried: &'a Carried<'a>,
    views: &'a [ChangedView],
    way: Way,
}

impl Rename<'_> {
    fn shown(&self) -> String {
        self.table.display(self.scene.dialect())
    }

    fn sync(&self) -> Sync<'_> {
        Sync {
            table: self.table,
            state: self.state,
            old: vec![Kept::new(self.old, self.scene.quote(self.new))],
            new: vec![Kept::new(self.new, self.scene.quote(self.old))],
        }
    }

    fn triggers(&self) -> bool {
        self.way == Way::Triggers
    }

    fn phases(&self) -> Result<Vec<Phase>, Refusal> {
        let mut phases = vec![self.expand()];
        if !self.triggers() {
            phases.push(self.dual_write());
        }
        phases.push(self.backfill()?);
        phases.extend(carried::phase(self.carried));
        phases.push(self.cutover());
        phases.push(self.contract());
        Ok(phases)
    }

    fn expand(&self) -> Phase {
        let (table, new) = (self.scene.sql(self.table), self.scene.quote(self.new));
        let add = format!("ALTER TABLE {table} ADD COLUMN {new} {}", self.carried.type_of_old());
        let drop = format!("ALTER TABLE {table} DROP COLUMN {new}");
        let (mut up, mut down) = (vec![add], vec![drop]);
        let title = if self.triggers() {
            up.extend(self.sync().create(self.scene));
            down.splice(0..0, self.sync().drop(self.scene));
            format!("add {} and a trigger that keeps it and {} in step", self.new, self.old)
        } else {
            format!("add {} beside {}", self.new, self.old)
        };
        let name = name_of(&[&self.table.name, self.new, "expand"]);
        let step = self.scene.in_transaction(name, title.clone(), &up, &down);
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)]).undone_by(
            format!("the down migration drops {} again; nothing that was written is lost", self.new),
            "p99 of writes to the table over 10 % above the baseline",
        )
    }

    /// The application writes both columns; the old one is still the one that is read.
    fn dual_write(&self) -> Phase {
        let (shown, old, new) = (self.shown(), self.old, self.new);
        let must = vec![
            format!("write {shown}.{new} wherever it writes {shown}.{old}, in the same statement"),
            format!("go on reading {shown}.{old}"),
        ];
        Phase::new(
            PhaseKind::DualWrite,
            "release the application that writes both",
            vec![Step::Release(ReleaseStep { must })],
        )
        .leave_when(Criterion::of_people("no instance of the release before is running"))
        .undone_by(
            "roll the application back: the old column was never stale",
            "dual-write errors over 0.1 %",
        )
    }

    fn backfill(&self) -> Result<Phase, Refusal> {
        let (old, new) = (self.scene.quote(self.old), self.scene.quote(self.new));
        let backfill = Backfill {
            table: self.table,
            column: self.new,
            value: old.clone(),
            pending: self.pending(&old, &new),
        };
        let differences = self.sync().count_differences(self.scene);
        let agree = Criterion::counts_nothing("old and new agree in every row", differences);
        backfill.phase(self.scene, self.state, agree)
    }

    /// Without a trigger, a row that the release which writes both had written may have been written by the one before again, while both
    /// were running: it has a value, and a stale one. Behind that release the old column is right in every row.
    fn pending(&self, old: &str, new: &str) -> String {
        match self.triggers() {
            true => format!("{new} IS NULL AND {old} IS NOT NULL"),
            false => format!("{new} IS DISTINCT FROM {old}"),
        }
    }

    fn cutover(&self) -> Phase {
        let (shown, old, new) = (self.shown(), self.old, self.new);
        let mut steps = Vec::new();
        if !self.views.is_empty() {
            let replace = |name: &str, query: &str| format!("CREATE OR REPLACE VIEW {name} AS\n{query}");
            let up: Vec<String> = self.views.iter().map(|it| replace(&it.name, &it.after)).collect();
            let down: Vec<String> = self.views.iter().map(|it| replace(&it.name, &it.before)).collect();
            let name = name_of(&[&self.table.name, new, "views"]);
            steps.push(Step::Sql(self.scene.in_transaction(
                name,
                "let the views read the new column",
                &up,
                &down,
            )));
        }
        if self.triggers() {
            let must =
                vec![format!("say {shown}.{new} wherever it says {shown}.{old}, in reads and in writes")];
            steps.push(Step::Release(ReleaseStep { must }));
        } else {
            let must = vec![format!("read {shown}.{new}"), format!("go on writing both {old} and {new}")];
            steps.push(Step::Release(ReleaseStep { must }));
            steps.extend(self.free_old());
            let must = vec![format!("write {shown}.{new} only, and name {old} nowhere")];
            steps.push(Step::Release(ReleaseStep { must }));
        }
        Phase::new(PhaseKind::Cutover, format!("release the application that says {new}"), steps)
            .enter_when(Criterion::counts_nothing(
                "old and new agree in every row",
                self.sync().count_differences(self.scene),
            ))
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
            old = self.old,
            new = self.new
        )
    }

    /// A release that does not write the old column needs it to take NULL.
    fn free_old(&self) -> Option<Step> {
        if !self.carried.not_null() || self.carried.default().is_some() {
            return None;
        }
        let (table, old) = (self.scene.sql(self.table), self.scene.quote(self.old));
        let up = format!("ALTER TABLE {table} ALTER COLUMN {old} DROP NOT NULL");
        let new = self.scene.quote(self.new);
        // The release that writes only the new one leaves old values stale, and the one that is gone back to may read them.
        let fill = format!("UPDATE {table} SET {old} = {new} WHERE {old} IS DISTINCT FROM {new}");
        let down = format!("ALTER TABLE {table} ALTER COLUMN {old} SET NOT NULL");
        let name = name_of(&[&self.table.name, self.old, "nullable"]);
        let title = format!("let rows be written without {}", self.old);
        Some(Step::Sql(self.scene.in_transaction(name, title, &[up], &[fill, down])))
    }

    fn contract(&self) -> Phase {
        let (table, old, new) =
            (self.scene.sql(self.table), self.scene.quote(self.old), self.scene.quote(self.new));
        let mut up = Vec::new();
        let mut down = Vec::new();
        if self.triggers() {
            up.extend(self.sync().drop(self.scene));
        }
        up.push(format!(
            "-- lockkeeper: allow dropped-column because the release that says {} instead is out, and nobody names {} any more",
            self.new, self.old
        ));
        up.push(format!("ALTER TABLE {table} DROP COLUMN {old}"));
        up.extend(self.carried.take_names());
        if let Some(default) = self.carried.default() {
            up.push(format!("ALTER TABLE {table} ALTER COLUMN {new} SET DEFAULT {default}"));
            down.push(format!("ALTER TABLE {table} ALTER COLUMN {new} DROP DEFAULT"));
        }
        down.extend(self.carried.give_names_back());
        down.push(format!("ALTER TABLE {table} ADD COLUMN {old} {}", self.carried.type_of_old()));
        down.push(format!("UPDATE {table} SET {old} = {new}"));
        down.extend(self.made_again());
        if self.triggers() {
            down.extend(self.sync().create(self.scene));
        }
        let name = name_of(&[&self.table.name, self.new, "contract"]);
        let title = format!("drop {} when nobody names it any more", self.old);
        let step = self.scene.in_transaction(name, title.clone(), &up, &down);
        Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_people(format!(
                "no release that says {} has run for one full release cycle",
                self.old
            )))
            .undone_by(
                "the down migration makes the old column again from the new one, under a lock for as long as that takes",
                "a program that still says the old name",
            )
    }

    /// What hung on the old column just before the contract.
    fn made_again(&self) -> Vec<String> {
        let mut statements = self.carried.make_again_on(self.old);
        let freed = !self.triggers() && self.free_old().is_some();
        statements.retain(|it| !(freed && it.ends_with("SET NOT NULL")));
        statements
    }
}
