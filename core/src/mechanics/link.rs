//! Triggers that keep columns of two tables in step, row by row, while both releases run.
//!
//! A row that is written without its values pulls them from the other table, under a lock that waits for who is changing them; a row whose values
//! change pushes them there. What is the same already is not written again, which is what ends the ping-pong.

use std::collections::BTreeSet;

use crate::catalog::{RelationName, Table};
use crate::operation::Expression;

use crate::plan::Statement;

use super::make;
use super::scene::{Scene, name_of};
use super::sync::{GUARD, undone};

/// A column that is kept in step.
#[derive(Debug, Clone)]
pub(crate) struct Linked {
    /// The column.
    pub column: String,
    /// Its value, in words of both tables.
    pub value: Expression,
    /// Its default: its value where the other table has no row. A row that is written with it says nothing.
    pub default: Option<String>,
    /// It refuses NULL: the default stands for it.
    pub required: bool,
}

impl Linked {
    fn otherwise(&self) -> &str {
        self.default.as_deref().unwrap_or("NULL")
    }

    fn value(&self) -> Expression {
        match &self.default {
            Some(default) if self.required => {
                Expression::new(format!("coalesce({}, {default})", self.value.text))
            }
            _ => self.value.clone(),
        }
    }
}

/// One of the two tables.
#[derive(Debug, Clone)]
pub(crate) struct End<'a> {
    /// The table.
    pub table: &'a RelationName,
    /// What it is called in expressions.
    pub alias: String,
    /// Its columns, the new ones too.
    pub columns: BTreeSet<String>,
    /// The columns that tell which row of the other table belongs to a row.
    pub joined_by: Vec<String>,
    /// The columns that are kept in step; none: nothing is written here.
    pub kept: Vec<Linked>,
    /// Whether a row that is not there is made when its values are written on the other side, and goes with the other's.
    pub made: bool,
    /// Rows of the other table that have one here even without values: those of this condition, all where it is empty. It is made at the end of the transaction, as the new
    /// release may still write it.
    pub late: Option<String>,
}

impl<'a> End<'a> {
    /// An end whose columns are those of the table and `more`.
    pub fn new(
        table: &'a RelationName,
        state: &Table,
        alias: &str,
        more: impl IntoIterator<Item = String>,
    ) -> Self {
        let columns = state.columns.iter().map(|it| it.name.clone()).chain(more).collect();
        let (alias, joined_by, kept) = (alias.to_owned(), Vec::new(), Vec::new());
        Self { table, alias, columns, joined_by, kept, made: false, late: None }
    }

    /// The condition of the rows that have one here, behind others.
    fn and_late(&self) -> String {
        let condition = self.late.as_deref().filter(|it| !it.is_empty());
        condition.map(|it| format!(" AND ({it})")).unwrap_or_default()
    }
}

/// Two tables of which each row has at most one of `source`.
#[derive(Debug, Clone)]
pub(crate) struct Link<'a> {
    /// The table that the values come from.
    pub source: End<'a>,
    /// The table that gets them.
    pub target: End<'a>,
    /// Which rows belong together, in words of both.
    pub on: Expression,
}

/// A trigger.
struct Fired {
    /// What it does, in a word of its name.
    part: &'static str,
    /// Whether it may wait for the end of the transaction.
    constraint: bool,
    /// When it fires.
    events: &'static str,
    /// What the function is given.
    argument: &'static str,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Source,
    Target,
}

impl Link<'_> {
    fn ends(&self, which: Which) -> (&End<'_>, &End<'_>) {
        match which {
            Which::Source => (&self.source, &self.target),
            Which::Target => (&self.target, &self.source),
        }
    }

    /// An expression with `prefix` in front of the columns of one table, and the other's own name in front of its columns.
    fn spelled(&self, scene: &Scene<'_>, it: &Expression, which: Which, prefix: &str) -> String {
        let (own, other) = self.ends(which);
        let of = |end: &End<'_>, rest: &End<'_>, qualifier: Option<&str>, name: &str| match qualifier {
            Some(qualifier) => *qualifier == *end.alias,
            None => end.columns.contains(name) && !rest.columns.contains(name),
        };
        it.with_columns(scene.dialect(), |word| {
            let (qualifier, name) =
                (word.qualifier.as_ref().map(|it| it.name.as_str()), word.name.name.as_str());
            if of(own, other, qualifier, name) {
                Some(format!("{prefix}{}", scene.quote(name)))
            } else {
                let other_name = scene.quote(&other.alias);
                of(other, own, qualifier, name).then(|| format!("{other_name}.{}", scene.quote(name)))
            }
        })
    }

    fn name(&self, scene: &Scene<'_>, which: Which) -> String {
        let (own, _) = self.ends(which);
        let first = self.target.kept.first().map_or("", |it| it.column.as_str());
        scene.free_name(own.table, &["lockkeeper", &own.table.name, first])
    }

    /// The statements that start it on one of the tables.
    pub fn create(&self, scene: &Scene<'_>, which: Which) -> Vec<Statement> {
        let (own, other) = self.ends(which);
        let function = scene.sibling(own.table, &self.name(scene, which));
        let pull = if own.kept.is_empty() { String::new() } else { self.pull(scene, which) };
        let push = if other.kept.is_empty() { String::new() } else { self.push(scene, which) };
        let late = if other.late.is_some() { self.late(scene, which) } else { String::new() };
        let gone = if other.made { self.gone(scene, which) } else { String::new() };
        let code = format!(
            "BEGIN\n\
             {late}{gone}\
             \x20 IF current_setting('{GUARD}', true) = 'on' THEN\n\
             \x20   RETURN NEW;  -- the backfill computes its own values\n\
             \x20 END IF;\n\
             {pull}{push}\
             \x20 RETURN NEW;\n\
             END"
        );
        let called = function.sql(scene.dialect());
        let mut statements = vec![make::trigger_function(function, "", code)];
        let table = scene.name(own.table);
        for Fired { part, constraint, events, argument } in self.fired(which) {
            let deferred = if constraint { "DEFERRABLE INITIALLY DEFERRED " } else { "" };
            let action = format!("\n  {deferred}FOR EACH ROW EXECUTE PROCEDURE {called}({argument})");
            let name = self.trigger(scene, which, part);
            statements.push(make::trigger(&name, &table, constraint, events, &action));
        }
        statements
    }

    /// The triggers on one of the tables.
    fn fired(&self, which: Which) -> Vec<Fired> {
        let (own, other) = self.ends(which);
        let plain = |part, events| Fired { part, constraint: false, events, argument: "" };
        let mut fired = Vec::new();
        if !own.kept.is_empty() {
            fired.push(plain("pull", "BEFORE INSERT OR UPDATE"));
        }
        if !other.kept.is_empty() {
            let nulls = which == Which::Source && !other.made;
            fired.push(plain(
                "push",
                if nulls { "AFTER INSERT OR UPDATE OR DELETE" } else { "AFTER INSERT OR UPDATE" },
            ));
        }
        if other.made {
            fired.push(plain("gone", "BEFORE DELETE"));
        }
        if other.late.is_some() {
            fired.push(Fired { part: "late", constraint: true, events: "AFTER INSERT", argument: "'late'" });
        }
        fired
    }

    fn trigger(&self, scene: &Scene<'_>, which: Which, part: &str) -> String {
        name_of(&["zzz", &self.name(scene, which), part])
    }

    /// The statements that stop it.
    pub fn drop(&self, scene: &Scene<'_>, which: Which) -> Vec<Statement> {
        undone(&self.create(scene, which))
    }

    /// A row that goes takes the other table's with it, before foreign keys are asked.
    fn gone(&self, scene: &Scene<'_>, which: Which) -> String {
        let (_, other) = self.ends(which);
        format!(
            "\x20 IF TG_OP = 'DELETE' THEN\n\
             \x20   PERFORM set_config('{GUARD}', 'on', true);  -- it is not to be written once more on its way out\n\
             \x20   DELETE FROM {} AS {} WHERE {};\n\
             \x20   PERFORM set_config('{GUARD}', 'off', true);\n\
             \x20   RETURN OLD;\n\
             \x20 END IF;\n",
            scene.sql(other.table),
            scene.quote(&other.alias),
            self.spelled(scene, &self.on, which, "OLD."),
        )
    }

    /// At the end of the transaction: the other table's row, where nobody wrote it.
    fn late(&self, scene: &Scene<'_>, which: Which) -> String {
        let (_, other) = self.ends(which);
        let condition = other.and_late();
        format!(
            "\x20 IF TG_NARGS = 1 THEN  -- the transaction ends\n\
             \x20   {}\n\
             \x20   RETURN NULL;\n\
             \x20 END IF;\n",
            self.insert(scene, which, &condition),
        )
    }

    /// Whether columns of a row are others than before.
    fn changed<'b>(scene: &Scene<'_>, columns: impl Iterator<Item = &'b String>) -> String {
        let each = columns.map(|it| format!("NEW.{0} IS DISTINCT FROM OLD.{0}", scene.quote(it)));
        each.collect::<Vec<_>>().join(" OR ")
    }

    fn join_changed(&self, scene: &Scene<'_>, which: Which) -> String {
        Self::changed(scene, self.ends(which).0.joined_by.iter())
    }

    fn values_changed(&self, scene: &Scene<'_>, which: Which) -> String {
        let (own, other) = self.ends(which);
        if !own.kept.is_empty() {
            return Self::changed(scene, own.kept.iter().map(|it| &it.column));
        }
        // What the other's values read of this row.
        let mut read = BTreeSet::new();
        for it in &other.kept {
            it.value.each_column(scene.dialect(), |word| {
                let named = word.qualifier.as_ref().is_none_or(|it| *it.name == *own.alias);
                if named && own.columns.contains(&word.name.name) {
                    read.insert(word.name.name);
                }
            });
        }
        Self::changed(scene, read.iter())
    }

    /// A row without values, or one that belongs to another row now, takes them from the other table.
    fn pull(&self, scene: &Scene<'_>, which: Which) -> String {
        let (own, other) = self.ends(which);
        let empty: Vec<String> = own.kept.iter().map(|it| unwritten(scene, which, it)).collect();
        let values: Vec<String> =
            own.kept.iter().map(|it| self.spelled(scene, &it.value(), which, "NEW.")).collect();
        let into: Vec<String> =
            own.kept.iter().map(|it| format!("NEW.{}", scene.quote(&it.column))).collect();
        let (moved, written) = (self.join_changed(scene, which), self.values_changed(scene, which));
        let alias = scene.quote(&other.alias);
        let stated: Vec<String> = own
            .kept
            .iter()
            .filter(|it| it.default.is_some())
            .map(|it| format!("NEW.{} := {};", scene.quote(&it.column), it.otherwise()))
            .collect();
        let otherwise = match stated.is_empty() {
            true => String::new(),
            false => format!("\n\x20       IF NOT FOUND THEN {} END IF;", stated.join(" ")),
        };
        let select = format!(
            "SELECT {} INTO {}\n\
             \x20       FROM {} AS {alias} WHERE {} FOR SHARE OF {alias};{otherwise}",
            values.join(", "),
            into.join(", "),
            scene.sql(other.table),
            self.spelled(scene, &self.on, which, "NEW."),
        );
        // A trigger of the user may have written some of them before this one looks.
        let required = own.kept.iter().filter(|it| which == Which::Target && it.required);
        let required = required.filter_map(|it| Some((scene.quote(&it.column), it.default.as_ref()?)));
        let required: String = required
            .map(|(column, default)| format!("\x20     NEW.{column} := coalesce(NEW.{column}, {default});\n"))
            .collect();
        format!(
            "\x20 IF TG_WHEN = 'BEFORE' THEN\n\
             \x20   IF TG_OP = 'INSERT' THEN\n\
             \x20     IF {} THEN\n\
             \x20       {select}\n\
             \x20     END IF;\n\
             {required}\
             \x20   ELSIF ({moved}) AND NOT ({written}) THEN\n\
             \x20     {select}\n\
             \x20   END IF;\n\
             \x20   RETURN NEW;\n\
             \x20 END IF;\n",
            empty.join(" AND "),
        )
    }

    /// A row whose values change hands them to the other table.
    fn push(&self, scene: &Scene<'_>, which: Which) -> String {
        let (own, other) = self.ends(which);
        let table = format!("{} AS {}", scene.sql(other.table), scene.quote(&other.alias));
        let name = |column: &str| format!("{}.{}", scene.quote(&other.alias), scene.quote(column));
        let mut sql = String::new();
        let moved = self.join_changed(scene, which);
        if other.made {
            sql.push_str(&format!(
                "\x20 IF TG_OP = 'UPDATE' AND ({moved}) THEN\n\
                 \x20   DELETE FROM {table} WHERE {};\n\
                 \x20 END IF;\n",
                self.spelled(scene, &self.on, which, "OLD."),
            ));
        } else if which == Which::Source {
            let set: Vec<String> = other
                .kept
                .iter()
                .map(|it| format!("{} = {}", scene.quote(&it.column), it.otherwise()))
                .collect();
            let some: Vec<String> = other
                .kept
                .iter()
                .map(|it| format!("{} IS DISTINCT FROM {}", name(&it.column), it.otherwise()))
                .collect();
            sql.push_str(&format!(
                "\x20 IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND ({moved}) THEN\n\
                 \x20   UPDATE {table} SET {} WHERE {} AND ({});\n\
                 \x20   IF TG_OP = 'DELETE' THEN\n\
                 \x20     RETURN OLD;\n\
                 \x20   END IF;\n\
                 \x20 END IF;\n",
                set.join(", "),
                self.spelled(scene, &self.on, which, "OLD."),
                some.join(" OR "),
            ));
        }
        // Not from NEW: where a trigger of the user changed the row again, that is what it was before.
        let row = format!("{}.", scene.quote(&own.alias));
        let value = |it: &Expression| self.spelled(scene, it, which, &row);
        let set: Vec<String> = other
            .kept
            .iter()
            .map(|it| format!("{} = {}", scene.quote(&it.column), value(&it.value())))
            .collect();
        let differ: Vec<String> = other
            .kept
            .iter()
            .map(|it| format!("{} IS DISTINCT FROM {}", name(&it.column), value(&it.value())))
            .collect();
        let written = self.values_changed(scene, which);
        let on = self.spelled(scene, &self.on, which, &row);
        let made = if other.made { self.make(scene, which) } else { String::new() };
        sql.push_str(&format!(
            "\x20 IF TG_OP = 'INSERT' OR {written} OR {moved} THEN\n\
             {made}\
             \x20   UPDATE {table} SET {} FROM {}\n\
             \x20     WHERE {on} AND {} AND ({});\n\
             \x20 END IF;\n",
            set.join(", "),
            self.named(scene, which),
            self.same_row(scene, which),
            differ.join(" OR "),
        ));
        sql
    }

    /// A table under the name that it has in expressions.
    fn named(&self, scene: &Scene<'_>, which: Which) -> String {
        let (own, _) = self.ends(which);
        format!("{} AS {}", scene.sql(own.table), scene.quote(&own.alias))
    }

    /// Whether a row is the one that fired.
    fn same_row(&self, scene: &Scene<'_>, which: Which) -> String {
        let (own, _) = self.ends(which);
        let alias = scene.quote(&own.alias);
        let same = own.joined_by.iter().map(|it| format!("{alias}.{0} = NEW.{0}", scene.quote(it)));
        same.collect::<Vec<_>>().join(" AND ")
    }

    /// The other table's row, where it is not there and there is anything to put into it.
    fn make(&self, scene: &Scene<'_>, which: Which) -> String {
        let (own, other) = self.ends(which);
        let row = format!("{}.", scene.quote(&own.alias));
        // What stands there where nobody wrote anything is no reason for a row.
        let defaults = own.kept.iter().filter(|_| which == Which::Target);
        let defaults = defaults.filter_map(|it| Some((it, it.default.as_ref()?)));
        let mut some: Vec<String> = Vec::new();
        for it in &other.kept {
            let reads = |linked: &Linked| it.value.names(&linked.column, scene.dialect());
            let value = self.spelled(scene, &it.value, which, &row);
            some.push(match defaults.clone().find(|(linked, _)| reads(linked)) {
                Some((linked, default)) => {
                    format!("{row}{} IS DISTINCT FROM {default}", scene.quote(&linked.column))
                }
                None => format!("{value} IS NOT NULL"),
            });
        }
        let condition = other.and_late();
        let insert = self.insert(scene, which, &format!(" AND ({}){condition}", some.join(" OR ")));
        format!("\x20   {insert}\n")
    }

    /// The other table's row from the one that fired, unless it is there.
    fn insert(&self, scene: &Scene<'_>, which: Which, condition: &str) -> String {
        let (own, other) = self.ends(which);
        let row = format!("{}.", scene.quote(&own.alias));
        let columns = other.joined_by.iter().chain(other.kept.iter().map(|it| &it.column));
        let keys = own.joined_by.iter().map(|it| format!("{row}{}", scene.quote(it)));
        let values = other.kept.iter().map(|it| self.spelled(scene, &it.value(), which, &row));
        let values: Vec<String> = keys.chain(values).collect();
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM {}\n\
             \x20     WHERE {}{condition} ON CONFLICT ({}) DO NOTHING;",
            scene.sql(other.table),
            scene.list(columns.map(String::as_str)),
            values.join(", "),
            self.named(scene, which),
            self.same_row(scene, which),
            scene.list(other.joined_by.iter().map(String::as_str)),
        )
    }
}

/// Whether an inserted row says nothing about a column. The new columns have their defaults only when all is over.
fn unwritten(scene: &Scene<'_>, which: Which, it: &Linked) -> String {
    let column = scene.quote(&it.column);
    match &it.default {
        Some(default) if which == Which::Source => {
            format!("(NEW.{column} IS NULL OR NEW.{column} IS NOT DISTINCT FROM {default})")
        }
        _ => format!("NEW.{column} IS NULL"),
    }
}
