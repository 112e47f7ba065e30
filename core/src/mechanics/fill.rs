//! The trigger that fills new columns from others of their row while a release runs that does not know them.
//!
//! It goes one way: a value that somebody wrote stays, and follows the row no more.

use crate::catalog::{RelationName, Table};
use crate::operation::{Expression, TypeName};
use crate::plan::Statement;

use super::make;
use super::scene::{Scene, name_of};
use super::sync::{GUARD, in_row};

/// A new column with its value in words of the row's other columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled<'a> {
    pub column: &'a str,
    pub ty: &'a TypeName,
    pub value: &'a Expression,
}

/// New columns of a table that are filled.
#[derive(Debug, Clone)]
pub(crate) struct Fill<'a> {
    pub table: &'a RelationName,
    /// The table without them.
    pub state: &'a Table,
    pub columns: Vec<Filled<'a>>,
}

impl Fill<'_> {
    /// The statements that start it.
    pub fn create(&self, scene: &Scene<'_>) -> Vec<Statement> {
        let first = self.columns.first().map_or("", |it| it.column);
        let name = scene.free_name(self.table, &["lockkeeper", &self.table.name, first]);
        let function = scene.sibling(self.table, &name);
        let inserts: String = self.columns.iter().map(|it| self.on_insert(it, scene)).collect();
        let updates: String = self.columns.iter().map(|it| self.on_update(it, scene)).collect();
        let code = format!(
            "BEGIN\n\
             \x20 IF current_setting('{GUARD}', true) = 'on' THEN\n\
             \x20   RETURN NEW;  -- the backfill computes its own values\n\
             \x20 END IF;\n\
             \x20 IF TG_OP = 'INSERT' THEN\n\
             {inserts}\
             \x20 ELSE  -- a value that follows the row is computed again, one that somebody wrote stays\n\
             {updates}\
             \x20 END IF;\n\
             \x20 RETURN NEW;\n\
             END"
        );
        let action = format!("\n  FOR EACH ROW EXECUTE PROCEDURE {}()", function.sql(scene.dialect()));
        let (trigger, table) = (name_of(&["zzz", &name]), scene.name(self.table));
        vec![
            make::trigger_function(function, "", code),
            make::trigger(&trigger, &table, false, "BEFORE INSERT OR UPDATE", &action),
        ]
    }

    fn of_row(&self, filled: &Filled<'_>, row: &str, scene: &Scene<'_>) -> String {
        in_row(filled.value, (self.table, row), scene, |it| self.state.column(it).is_some())
    }

    fn on_insert(&self, filled: &Filled<'_>, scene: &Scene<'_>) -> String {
        let (column, value) = (scene.quote(filled.column), self.of_row(filled, "NEW", scene));
        format!("\x20   IF NEW.{column} IS NULL THEN\n\x20     NEW.{column} := {value};\n\x20   END IF;\n")
    }

    fn on_update(&self, filled: &Filled<'_>, scene: &Scene<'_>) -> String {
        let (column, value) = (scene.quote(filled.column), self.of_row(filled, "NEW", scene));
        let (old, ty) = (self.of_row(filled, "OLD", scene), filled.ty);
        let follows = match compares(ty) {
            true => format!(
                "NEW.{column} IS NOT DISTINCT FROM OLD.{column}\n\
                 \x20     AND (OLD.{column} IS NULL OR OLD.{column} IS NOT DISTINCT FROM CAST(({old}) AS {ty}))"
            ),
            false => format!("NEW.{column} IS NULL AND OLD.{column} IS NULL"),
        };
        format!("\x20   IF {follows} THEN\n\x20     NEW.{column} := {value};\n\x20   END IF;\n")
    }
}

/// Whether values of a type can be compared.
pub(crate) fn compares(ty: &TypeName) -> bool {
    !ty.is_any(&["json", "xml", "point", "polygon"])
}
