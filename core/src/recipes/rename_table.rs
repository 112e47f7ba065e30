//! Rename or move a table: a view stands under the old name until nobody says it any more.

use crate::catalog::{RelationName, Table};
use crate::operation::{Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step, Way};

use super::scene::{Scene, name_of};
use super::{Form, Recipe, Refusal};

pub(super) static RECIPE: Recipe = Recipe {
    id: "rename-behind-view",
    page: include_str!("rename_table.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| new_name(operation).is_some(), write },
};

/// The table's new schema or name.
fn new_name(operation: &Operation) -> Option<(&crate::dialect::Name, Moved<'_>)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        TableAction::RenameTo { to } => Some((&alter.table, Moved::Name(&to.name))),
        TableAction::SetSchema { schema } => Some((&alter.table, Moved::Schema(&schema.name))),
        _ => None,
    }
}

enum Moved<'a> {
    Name(&'a str),
    Schema(&'a str),
}

fn write(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((name, moved)) = new_name(operation) else { return Err(Refusal::new("it renames no table")) };
    let old = scene.resolve(name);
    let new = match moved {
        Moved::Name(to) => RelationName { schema: old.schema.clone(), name: to.into() },
        Moved::Schema(to) => RelationName { schema: to.into(), name: old.name.clone() },
    };
    let state = scene.table(&old)?;
    let invoker = scene.target.version.major >= 15;
    refuse(scene, &old, state, invoker)?;
    let change = Change { scene, old: &old, new: &new, invoker };
    Ok(vec![change.expand(), change.cutover(), change.contract()])
}

/// A view stands for a table only where it reads and writes as the table does.
fn refuse(scene: &Scene<'_>, old: &RelationName, state: &Table, invoker: bool) -> Result<(), Refusal> {
    let shown = old.display(scene.dialect());
    if !invoker && !state.policies.is_empty() {
        return Err(Refusal::new(format!(
            "{shown} has row security policies, and before PostgreSQL 15 a view reads with its owner's rights: rename it in \
             a window"
        )));
    }
    if state.columns.is_empty() {
        return Err(Refusal::new(format!(
            "{shown} has no columns that are known: a view of it would show none"
        )));
    }
    Ok(())
}

struct Change<'a> {
    scene: &'a Scene<'a>,
    old: &'a RelationName,
    new: &'a RelationName,
    invoker: bool,
}

impl Change<'_> {
    fn shown(&self) -> (String, String) {
        (self.old.display(self.scene.dialect()), self.new.display(self.scene.dialect()))
    }

    fn create_view(&self) -> String {
        // With the rights of who asks, so that privileges and policies are those of the table.
        let options = if self.invoker { " WITH (security_invoker = true)" } else { "" };
        format!(
            "CREATE VIEW {}{options} AS SELECT * FROM {}",
            self.scene.sql(self.old),
            self.scene.sql(self.new)
        )
    }

    fn drop_view(&self) -> String {
        format!("DROP VIEW {}", self.scene.sql(self.old))
    }

    /// The statement that moves a table from one name to another.
    fn rename(&self, from: &RelationName, to: &RelationName) -> String {
        let table = self.scene.sql(from);
        if from.schema == to.schema {
            return format!("ALTER TABLE {table} RENAME TO {}", self.scene.quote(&to.name));
        }
        format!("ALTER TABLE {table} SET SCHEMA {}", self.scene.quote(&to.schema))
    }

    fn expand(&self) -> Phase {
        let (old, new) = self.shown();
        let up = [self.rename(self.old, self.new), self.create_view()];
        let down = [self.drop_view(), self.rename(self.new, self.old)];
        let title = format!("rename {old} to {new}, with a view under the old name in the same transaction");
        let name = name_of(&[&self.old.name, "to", &self.new.name]);
        let step = self.scene.in_transaction(name, title.clone(), &up, &down);
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .leave_when(Criterion::counts_nothing(
                "who may use the table may use the view: GRANT what is missing",
                self.missing_grants(),
            ))
            .undone_by(
                "the down migration drops the view and gives the table its old name",
                "an error that names the view: TRUNCATE, LOCK TABLE, COPY … FROM and ALTER TABLE do not work on one",
            )
    }

    /// Privileges that somebody has on the table and not on the view.
    fn missing_grants(&self) -> String {
        let of = |name: &RelationName| {
            format!(
                "SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_schema = {} AND \
                 table_name = {} AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')",
                crate::dialect::quote_literal(&name.schema),
                crate::dialect::quote_literal(&name.name)
            )
        };
        format!("SELECT count(*) FROM ({} EXCEPT {}) missing", of(self.new), of(self.old))
    }

    fn cutover(&self) -> Phase {
        let (old, new) = self.shown();
        let must = vec![format!("say {new} wherever it says {old}, in reads and in writes")];
        Phase::new(
            PhaseKind::Cutover,
            format!("release the application that says {new}"),
            vec![Step::Release(ReleaseStep { must })],
        )
        .leave_when(Criterion::of_people(format!("no instance of a release that says {old} is running")))
        .undone_by("roll the application back: the view still stands", "errors over the baseline")
    }

    fn contract(&self) -> Phase {
        let (old, _) = self.shown();
        let title = format!("drop the view {old} when nobody says it any more");
        let name = name_of(&[&self.old.name, "view", "contract"]);
        let allow = format!("-- lockkeeper: allow dropped-view because the release that says {old} is out");
        let up = [allow, self.drop_view()];
        let step = self.scene.in_transaction(name, title.clone(), &up, &[self.create_view()]);
        Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_people(format!(
                "no release that says {old} has run for one full release cycle"
            )))
            .undone_by("the down migration makes the view again", "a program that still says the old name")
    }
}
