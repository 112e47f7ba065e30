//! The trigger that keeps an old and a new column in step while both releases run.
//!
//! One BEFORE ROW trigger that only assigns to NEW: it cannot recurse, and its direction is told by what changed. Its
//! name sorts behind those of other triggers, so that it sees their changes (tried under load: dual-write.md).

use crate::catalog::RelationName;

use super::scene::{Scene, name_of};

/// An old and a new column that are kept in step.
#[derive(Debug, Clone)]
pub(super) struct Sync<'a> {
    /// The table.
    pub table: &'a RelationName,
    /// The column of the old release.
    pub old: &'a str,
    /// The column of the new release.
    pub new: &'a str,
    /// The new value from `NEW.old`.
    pub up: String,
    /// The old value from `NEW.new`.
    pub down: String,
}

/// The setting under which a backfill writes: the trigger stands aside.
pub(super) const GUARD: &str = "lockkeeper.backfill";

impl Sync<'_> {
    /// The name of the function and, behind `zzz_`, of the trigger.
    fn name(&self) -> String {
        name_of(&["lockkeeper", &self.table.name, self.new])
    }

    fn trigger(&self) -> String {
        name_of(&["zzz", &self.name()])
    }

    /// The statements that start it.
    pub fn create(&self, scene: &Scene<'_>) -> Vec<String> {
        let function = scene.sibling(self.table, &self.name());
        let (table, trigger) = (scene.sql(self.table), scene.quote(&self.trigger()));
        let (old, new) = (scene.quote(self.old), scene.quote(self.new));
        let (up, down) = (&self.up, &self.down);
        let body = format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $lockkeeper$\n\
             BEGIN\n\
             \x20 IF current_setting('{GUARD}', true) = 'on' THEN\n\
             \x20   RETURN NEW;  -- the backfill computes its own values\n\
             \x20 END IF;\n\
             \x20 IF TG_OP = 'INSERT' THEN\n\
             \x20   IF NEW.{new} IS NOT NULL THEN\n\
             \x20     NEW.{old} := {down};\n\
             \x20   ELSE\n\
             \x20     NEW.{new} := {up};\n\
             \x20   END IF;\n\
             \x20 ELSIF NEW.{new} IS DISTINCT FROM OLD.{new} THEN  -- the new release wrote\n\
             \x20   NEW.{old} := {down};\n\
             \x20 ELSIF NEW.{old} IS DISTINCT FROM OLD.{old} OR NEW.{new} IS NULL THEN  -- the old release wrote\n\
             \x20   NEW.{new} := {up};\n\
             \x20 END IF;\n\
             \x20 RETURN NEW;\n\
             END $lockkeeper$"
        );
        let trigger = format!(
            "CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table}\n  FOR EACH ROW EXECUTE PROCEDURE {function}()"
        );
        vec![body, trigger]
    }

    /// The statements that stop it.
    pub fn drop(&self, scene: &Scene<'_>) -> Vec<String> {
        let function = scene.sibling(self.table, &self.name());
        vec![
            format!("DROP TRIGGER {} ON {}", scene.quote(&self.trigger()), scene.sql(self.table)),
            format!("DROP FUNCTION {function}()"),
        ]
    }

    /// A query that counts the rows that are not in step.
    pub fn count_differences(&self, scene: &Scene<'_>) -> String {
        let new = scene.quote(self.new);
        let up = self.up.replace("NEW.", "");
        format!("SELECT count(*) FROM {} WHERE {new} IS DISTINCT FROM ({up})", scene.sql(self.table))
    }
}
