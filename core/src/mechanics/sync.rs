//! The trigger that keeps old and new columns in step while both releases run.
//!
//! One BEFORE ROW trigger that only assigns to NEW: it cannot recurse, and its direction is told by what changed. Its
//! name sorts behind those of other triggers, so that it sees their changes (measured under load, `docs/proofs.md`).

use crate::catalog::{RelationName, Table};
use crate::operation::Expression;

use crate::plan::{Statement, undo};

use super::make;
use super::scene::{Scene, name_of};

/// A column with its value as the other side has it, in words of the row's own columns.
#[derive(Debug, Clone)]
pub(crate) struct Kept<'a> {
    /// The column.
    pub column: &'a str,
    /// Its value.
    pub value: Expression,
}

impl<'a> Kept<'a> {
    /// A column and its value.
    pub fn new(column: &'a str, value: impl Into<String>) -> Self {
        Self { column, value: Expression::new(value) }
    }
}

/// Old and new columns of one table that are kept in step.
#[derive(Debug, Clone)]
pub(crate) struct Sync<'a> {
    /// The table.
    pub table: &'a RelationName,
    /// Its columns before any of this.
    pub state: &'a Table,
    /// The columns of the old release, each with its value from the new ones.
    pub old: Vec<Kept<'a>>,
    /// The columns of the new release, each with its value from the old ones.
    pub new: Vec<Kept<'a>>,
    /// Whether a value is read by the settings of a session: then by those of whoever makes the trigger, not of whoever writes the row.
    pub by_session: bool,
}

/// The setting under which a backfill writes: the trigger stands aside.
pub(super) const GUARD: &str = "lockkeeper.backfill";

/// Dates and times are read as the session reads them that makes the function.
const AS_MADE: &str = "SET timezone FROM CURRENT SET datestyle FROM CURRENT";

impl Sync<'_> {
    /// The name of the function and, behind `zzz_`, of the trigger.
    fn name(&self, scene: &Scene<'_>) -> String {
        let first = self.new.first().map_or("", |it| it.column);
        scene.free_name(self.table, &["lockkeeper", &self.table.name, first])
    }

    fn trigger(&self, scene: &Scene<'_>) -> String {
        name_of(&["zzz", &self.name(scene)])
    }

    /// A value with `NEW.` in front of each column of the row.
    fn in_row(&self, scene: &Scene<'_>, value: &Expression) -> String {
        let kept = |name: &str| self.old.iter().chain(&self.new).any(|it| it.column == name);
        in_row(value, (self.table, "NEW"), scene, |name| kept(name) || self.state.column(name).is_some())
    }

    fn each(columns: &[Kept<'_>], between: &str, word: impl Fn(&Kept<'_>) -> String) -> String {
        columns.iter().map(word).collect::<Vec<_>>().join(between)
    }

    /// The statements that start it.
    pub fn create(&self, scene: &Scene<'_>) -> Vec<Statement> {
        let function = scene.sibling(self.table, &self.name(scene));
        let quoted = |it: &Kept<'_>| scene.quote(it.column);
        let assign = |columns: &[Kept<'_>]| {
            Self::each(columns, " ", |it| format!("NEW.{} := {};", quoted(it), self.in_row(scene, &it.value)))
        };
        let (up, down) = (assign(&self.new), assign(&self.old));
        let changed = |it: &Kept<'_>| format!("NEW.{0} IS DISTINCT FROM OLD.{0}", quoted(it));
        let (new_wrote, old_wrote) =
            (Self::each(&self.new, " OR ", changed), Self::each(&self.old, " OR ", changed));
        let filled = Self::each(&self.new, " OR ", |it| format!("NEW.{} IS NOT NULL", quoted(it)));
        let empty = Self::each(&self.new, " AND ", |it| format!("NEW.{} IS NULL", quoted(it)));
        let empty = if self.new.len() > 1 { format!("({empty})") } else { empty };
        let code = format!(
            "BEGIN\n\
             \x20 IF current_setting('{GUARD}', true) = 'on' THEN\n\
             \x20   RETURN NEW;  -- the backfill computes its own values\n\
             \x20 END IF;\n\
             \x20 IF TG_OP = 'INSERT' THEN\n\
             \x20   IF {filled} THEN\n\
             \x20     {down}\n\
             \x20   ELSE\n\
             \x20     {up}\n\
             \x20   END IF;\n\
             \x20 ELSIF {new_wrote} THEN  -- the new release wrote\n\
             \x20   {down}\n\
             \x20 ELSIF {old_wrote} OR {empty} THEN  -- the old release wrote\n\
             \x20   {up}\n\
             \x20 END IF;\n\
             \x20 RETURN NEW;\n\
             END"
        );
        let action = format!("\n  FOR EACH ROW EXECUTE PROCEDURE {}()", function.sql(scene.dialect()));
        let (trigger, table) = (self.trigger(scene), scene.name(self.table));
        vec![
            make::trigger_function(function, if self.by_session { AS_MADE } else { "" }, code),
            make::trigger(&trigger, &table, false, "BEFORE INSERT OR UPDATE", &action),
        ]
    }

    /// The statements that stop it.
    pub fn drop(&self, scene: &Scene<'_>) -> Vec<Statement> {
        undone(&self.create(scene))
    }

    /// A query that counts the rows whose new columns are not what the old ones say.
    pub fn count_differences(&self, scene: &Scene<'_>) -> String {
        format!("SELECT count(*) FROM {} WHERE {}", scene.sql(self.table), differences(&self.new, scene))
    }

    /// The same of rows that the new release may have written: what goes there and back need not come out the same, but agrees in
    /// one of the directions.
    pub fn count_stale(&self, scene: &Scene<'_>) -> String {
        let (new, old) = (differences(&self.new, scene), differences(&self.old, scene));
        let bracket =
            |columns: &[Kept<'_>], it: String| if columns.len() > 1 { format!("({it})") } else { it };
        let (new, old) = (bracket(&self.new, new), bracket(&self.old, old));
        format!("SELECT count(*) FROM {} WHERE {new} AND {old}", scene.sql(self.table))
    }
}

/// A value with the name of a row of the table, `NEW` or `OLD`, in front of each of its columns.
pub(super) fn in_row(
    value: &Expression,
    (table, row): (&RelationName, &str),
    scene: &Scene<'_>,
    is_column: impl Fn(&str) -> bool,
) -> String {
    value.with_columns(scene.dialect(), |word| {
        let name = word.name.name.as_str();
        let own = word.qualifier.as_ref().is_none_or(|it| *it.name == *table.name);
        (own && is_column(name)).then(|| format!("{row}.{}", scene.quote(name)))
    })
}

/// What takes back statements of which each can be.
pub(crate) fn undone(statements: &[Statement]) -> Vec<Statement> {
    undo(statements).unwrap_or_default()
}

/// Whether any of the columns is not its value.
pub(crate) fn differences(columns: &[Kept<'_>], scene: &Scene<'_>) -> String {
    Sync::each(columns, " OR ", |it| {
        format!("{} IS DISTINCT FROM ({})", scene.quote(it.column), it.value.text)
    })
}
