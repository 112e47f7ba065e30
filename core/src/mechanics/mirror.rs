//! A table that follows another: triggers carry each change over in the transaction that makes it, batches copy what was there before.
//!
//! The triggers read the row as it is now and not as their event had it: a trigger of the user that changes rows once more may do so before the
//! event of a row is ours. They write with their owner's rights, as who may write one table may not know of the other.

use crate::catalog::{RelationName, Table};
use crate::dialect::Name;
use crate::plan::{Criterion, Phase, Statement};

use super::Refusal;
use super::backfill::{self, Copying};
use super::make;
use super::scene::{Scene, name_of};
use super::sync::{GUARD, undone};

/// A table and the one that follows it.
#[derive(Debug, Clone)]
pub(crate) struct Mirror<'a> {
    pub scene: &'a Scene<'a>,
    /// The table that is written.
    pub from: &'a RelationName,
    /// The table that follows.
    pub to: &'a RelationName,
    /// The columns that follow; those of the key are among them.
    pub columns: Vec<Pair>,
    /// What tells rows apart, together with marks.
    pub key: Vec<Pair>,
    /// Which rows belong to it, where one of the tables holds others too.
    pub marks: Marks,
    /// Who else writes the table that follows.
    pub beside: Beside,
}

/// Who writes the table that follows, beside the triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Batches, and who wrote a row first wins: a unique index keeps the key there.
    Batches,
    /// Batches, and a release that writes it by its own name. It is followed back: what is the same already is not written again, which ends the echo.
    Release,
    /// Nobody. The table that follows may be stricter than the key: what it refuses fails, as it did before.
    Nobody,
}

/// The rows of a table that holds others too: columns that have a certain value in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    /// In the table that is written: only its marked rows are followed.
    pub here: Vec<Mark>,
    /// In the table that follows: the marks are set there, and no other row is touched.
    pub there: Vec<Mark>,
    /// The table that follows holds others that nothing tells: nobody can say which of its rows are too many.
    pub untold: bool,
}

/// A column that has the same value in all rows of a kind.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub column: String,
    /// The value, as SQL.
    pub value: String,
    /// Whether the unique index that tells rows apart has it.
    pub of_key: bool,
}

/// A column and the one that follows it.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// In the table that is written.
    pub from: String,
    /// In the table that follows.
    pub to: String,
}

impl Pair {
    /// A column that has the same name in both.
    pub fn same(name: &str) -> Self {
        Self { from: name.to_owned(), to: name.to_owned() }
    }

    /// The same pair for the way back.
    pub fn turned(&self) -> Self {
        Self { from: self.to.clone(), to: self.from.clone() }
    }
}

/// What ends an echo; empty where nothing comes back.
#[derive(Debug, Default)]
struct Echo {
    /// The function's beginning.
    open: String,
    /// Whether it sets anything back before each of its ends.
    restores: bool,
    truncate: String,
    /// A copy is updated only if it differs.
    changed: String,
    /// The same behind ON CONFLICT.
    differing: String,
    /// A copy that is there and the same is not made at all, so that no default is drawn for it.
    missing: String,
}

impl Echo {
    /// What stands before an end of the function, so many blocks deep.
    fn close(&self, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        match self.restores {
            true => {
                format!(
                    "{indent}PERFORM set_config('{ECHO}', CASE WHEN echo THEN 'on' ELSE 'off' END, true);\n"
                )
            }
            false => String::new(),
        }
    }
}

/// The setting that tells a trigger that another of ours made what it sees.
const ECHO: &str = "lockkeeper.echo";

impl Mirror<'_> {
    /// The way back, between the same tables.
    pub fn turned(&self) -> Self {
        let turned = |pairs: &[Pair]| pairs.iter().map(Pair::turned).collect();
        Self {
            from: self.to,
            to: self.from,
            columns: turned(&self.columns),
            key: turned(&self.key),
            marks: Marks { here: self.marks.there.clone(), there: self.marks.here.clone(), untold: false },
            ..self.clone()
        }
    }

    fn name(&self) -> String {
        self.scene.free_name(self.to, &["lockkeeper", &self.to.name])
    }

    fn function(&self) -> Name {
        self.scene.sibling(self.to, &self.name())
    }

    /// For rows and for statements. Triggers fire in the order of their names: ours come behind those of foreign keys (`RI_…`), so that
    /// what these do to other rows is locked in the written table first, and before what most others make of the row.
    fn triggers(&self) -> [String; 2] {
        [name_of(&["R", &self.name()]), name_of(&["R_lockkeeper_truncate", &self.to.name])]
    }

    /// Each pair as SQL, with something between.
    fn each(&self, pairs: &[Pair], text: impl Fn(String, String) -> String, between: &str) -> String {
        let texts: Vec<String> =
            pairs.iter().map(|it| text(self.scene.quote(&it.from), self.scene.quote(&it.to))).collect();
        texts.join(between)
    }

    /// Columns of the written table behind a prefix.
    fn here(&self, prefix: &str) -> String {
        self.each(&self.columns, |from, _| format!("{prefix}{from}"), ", ")
    }

    /// What is written into a copy: columns of the written table behind a prefix, and the marks.
    fn values(&self, prefix: &str) -> String {
        let marks = self.marks.there.iter().map(|it| format!(", {}", it.value));
        self.here(prefix) + &marks.collect::<String>()
    }

    /// The statement that makes the function.
    pub fn create_function(&self) -> Statement {
        let (from, to) = (self.scene.sql(self.from), self.scene.sql(self.to));
        let (new_row, new_copy, old_copy) = (self.row_of("NEW"), self.copy_of("NEW"), self.copy_of("OLD"));
        let [new_key, old_key] =
            ["NEW", "OLD"].map(|version| self.each(&self.key, |from, _| format!("{version}.{from}"), ", "));
        let (update, remove, echo) = (self.update(), self.remove(), self.echo());
        let [close, further_in, deepest] = [1, 2, 3].map(|depth| echo.close(depth));
        let (open, truncate, changed) = (echo.open, echo.truncate, echo.changed);
        let (unseen, write) = match self.beside {
            Beside::Batches | Beside::Release => (self.unseen(), self.upsert()),
            Beside::Nobody => (String::new(), self.overwrite()),
        };
        let code = format!(
            "{open}\
             \x20 IF TG_OP = 'TRUNCATE' THEN\n\
             \x20   {truncate}\n\
             {further_in}\
             \x20   RETURN NULL;\n\
             \x20 END IF;\n\
             \x20 -- The row as it is now: another trigger may have changed it once more.\n\
             \x20 IF TG_OP = 'UPDATE' THEN\n\
             \x20   UPDATE {to} AS _there SET {update}\n\
             \x20     FROM {from} AS _here WHERE {new_row} AND {old_copy}\n\
             \x20       AND (({new_key}) = ({old_key}) OR NOT EXISTS (SELECT FROM {to} AS _there WHERE {new_copy})){changed};\n\
             \x20   IF FOUND THEN\n\
             {deepest}\
             \x20     RETURN NULL;\n\
             \x20   END IF;\n\
             \x20 END IF;\n\
             \x20 IF TG_OP <> 'INSERT' THEN\n\
             \x20   {remove}\
             {unseen}\
             \x20 END IF;\n\
             \x20 IF TG_OP <> 'DELETE' THEN\n\
             {write}\
             \x20 END IF;\n\
             {close}\
             \x20 RETURN NULL;\n\
             END"
        );
        make::trigger_function(self.function(), "SECURITY DEFINER SET search_path FROM CURRENT", code)
    }

    /// Whether a row has its marks, as conditions that follow others.
    fn and_marked(&self, marks: &[Mark], prefix: &str) -> String {
        let marks = marks.iter();
        marks.map(|it| format!(" AND {prefix}.{} = {}", self.scene.quote(&it.column), it.value)).collect()
    }

    /// Whether `_here` is the row that a version of a row is one of.
    fn row_of(&self, version: &str) -> String {
        let row = self.each(&self.key, |from, _| format!("_here.{from} = {version}.{from}"), " AND ");
        row + &self.and_marked(&self.marks.here, "_here")
    }

    /// Whether `_there` is the copy of it.
    fn copy_of(&self, version: &str) -> String {
        let copy = self.each(&self.key, |from, to| format!("_there.{to} = {version}.{from}"), " AND ");
        copy + &self.and_marked(&self.marks.there, "_there")
    }

    /// A copy compared with what is given, by an operator for images of rows: those can be compared whatever the types of columns are.
    fn compared(&self, operator: &str, other: &str) -> String {
        let copy = self.each(&self.columns, |_, to| format!("_there.{to}"), ", ");
        format!("ROW({copy})::record {operator} ROW({other})::record")
    }

    /// The columns of the index by which a copy is found.
    fn arbiter(&self) -> Vec<&str> {
        let marks = self.marks.there.iter().filter(|it| it.of_key).map(|it| it.column.as_str());
        self.key.iter().map(|it| it.to.as_str()).chain(marks).collect()
    }

    /// A table under a name, with the rows that are followed or follow.
    fn rows_of(&self, table: &RelationName, marks: &[Mark], name: &str) -> String {
        let sql = self.scene.sql(table);
        match self.marked(marks) {
            Some(marked) => format!("(SELECT * FROM {sql} WHERE {marked}) AS {name}"),
            None => format!("{sql} AS {name}"),
        }
    }

    /// Whether a row has its marks, by itself.
    fn marked(&self, marks: &[Mark]) -> Option<String> {
        let each = marks.iter().map(|it| format!("{} = {}", self.scene.quote(&it.column), it.value));
        let each: Vec<String> = each.collect();
        (!each.is_empty()).then(|| each.join(" AND "))
    }

    fn update(&self) -> String {
        self.each(&self.columns, |from, to| format!("{to} = _here.{from}"), ", ")
    }

    fn insert(&self) -> String {
        let columns = self.columns.iter().map(|it| it.to.as_str());
        let marks = self.marks.there.iter().map(|it| it.column.as_str());
        let (to, columns) = (self.scene.sql(self.to), self.scene.list(columns.chain(marks)));
        format!("INSERT INTO {to} AS _there ({columns}) OVERRIDING SYSTEM VALUE\n     ")
    }

    /// The copy of a row that is gone goes.
    fn remove(&self) -> String {
        let (from, to) = (self.scene.sql(self.from), self.scene.sql(self.to));
        format!(
            "DELETE FROM {to} AS _there WHERE {}{}\n\
             \x20     AND NOT EXISTS (SELECT FROM {from} AS _here WHERE {});\n",
            self.copy_of("OLD"),
            self.and_marked(&self.marks.here, "OLD"),
            self.row_of("OLD")
        )
    }

    /// A copy that was made since the transaction began is found by trying to make it, which no other trigger of ours may see.
    fn unseen(&self) -> String {
        let (first_hand, hidden) = match self.beside {
            Beside::Release => (" AND NOT echo", true),
            Beside::Batches | Beside::Nobody => ("", false),
        };
        let hide = |on: &str| match hidden {
            true => format!("      PERFORM set_config('{GUARD}', '{on}', true);\n"),
            false => String::new(),
        };
        let marked = self.and_marked(&self.marks.here, "OLD");
        let (insert, key, before) = (self.insert(), self.scene.list(self.arbiter()), self.values("OLD."));
        format!(
            "    -- Who sees nothing newer than the start of his transaction does not see a row that was copied since: this fails then.\n\
             \x20   IF NOT FOUND{first_hand}{marked} AND current_setting('transaction_isolation') <> 'read committed' THEN\n\
             {}\
             \x20     {insert} VALUES ({before}) ON CONFLICT ({key}) DO NOTHING;\n\
             {}\
             \x20     {}\
             \x20   END IF;\n",
            hide("on"),
            hide("off"),
            self.remove()
        )
    }

    /// The row as it is now, whether its copy is there or not. The key of one that is there is left alone: with it the row would be locked against
    /// foreign keys that point at it.
    fn upsert(&self) -> String {
        let echo = self.echo();
        let of_key = |it: &&Pair| self.key.iter().any(|key| key.to == it.to);
        let others: Vec<Pair> = self.columns.iter().filter(|it| !of_key(it)).cloned().collect();
        let action = match others.as_slice() {
            [] => "DO NOTHING".to_owned(),
            others => {
                let set = self.each(others, |_, to| format!("{to} = EXCLUDED.{to}"), ", ");
                let marked = self.and_marked(&self.marks.there, "_there");
                format!("DO UPDATE SET {set}{}{marked}", echo.differing)
            }
        };
        let (from, key) = (self.scene.sql(self.from), self.scene.list(self.arbiter()));
        format!(
            "    {} SELECT {} FROM {from} AS _here WHERE {}{}\n\
             \x20     ON CONFLICT ({key}) {action};\n",
            self.insert(),
            self.values("_here."),
            self.row_of("NEW"),
            echo.missing
        )
    }

    /// The same where no unique index on the key can be counted on.
    fn overwrite(&self) -> String {
        let (from, to) = (self.scene.sql(self.from), self.scene.sql(self.to));
        let new_row = self.row_of("NEW");
        format!(
            "    UPDATE {to} AS _there SET {} FROM {from} AS _here WHERE {new_row} AND {};\n\
             \x20   IF NOT FOUND THEN\n\
             \x20     {} SELECT {} FROM {from} AS _here WHERE {new_row};\n\
             \x20   END IF;\n",
            self.update(),
            self.copy_of("NEW"),
            self.insert(),
            self.values("_here."),
        )
    }

    /// No row is left.
    fn empty(&self) -> String {
        let to = self.scene.sql(self.to);
        match self.marked(&self.marks.there) {
            Some(marked) => format!("DELETE FROM {to} WHERE {marked};"),
            None => format!("TRUNCATE {to};"),
        }
    }

    /// Where both tables follow each other, what this writes comes back and must end there: rows by being the same, TRUNCATE by a setting. What the
    /// backfill copies is the same from the start.
    fn echo(&self) -> Echo {
        if self.beside != Beside::Release {
            return Echo { open: "BEGIN\n".to_owned(), truncate: self.empty(), ..Echo::default() };
        }
        let excluded = self.each(&self.columns, |_, to| format!("EXCLUDED.{to}"), ", ");
        Echo {
            open: format!(
                "DECLARE\n\
                 \x20 echo boolean := coalesce(current_setting('{ECHO}', true), '') = 'on';\n\
                 BEGIN\n\
                 \x20 IF current_setting('{GUARD}', true) = 'on' THEN\n\
                 \x20   RETURN NULL;  -- the backfill\n\
                 \x20 END IF;\n\
                 \x20 PERFORM set_config('{ECHO}', 'on', true);\n"
            ),
            restores: true,
            truncate: format!("IF NOT echo THEN {} END IF;", self.empty()),
            changed: format!("\n\x20       AND {}", self.compared("*<>", &self.here("_here."))),
            differing: format!("\n\x20     WHERE {}", self.compared("*<>", &excluded)),
            missing: format!(
                "\n\x20       AND NOT EXISTS (SELECT FROM {} AS _there WHERE {}\n\x20         AND {})",
                self.scene.sql(self.to),
                self.copy_of("NEW"),
                self.compared("*=", &self.here("_here."))
            ),
        }
    }

    /// The statements that start it.
    pub fn start(&self) -> Vec<Statement> {
        let [row, truncate] = self.triggers();
        let (from, function) = (self.scene.name(self.from), self.function().sql(self.scene.dialect()));
        let create = |trigger: &str, events: &str, each: &str| {
            let action = format!("\n  FOR EACH {each} EXECUTE PROCEDURE {function}()");
            make::trigger(trigger, &from, false, events, &action)
        };
        vec![
            create(&row, "AFTER INSERT OR UPDATE OR DELETE", "ROW"),
            create(&truncate, "AFTER TRUNCATE", "STATEMENT"),
        ]
    }

    /// The statements that stop it.
    pub fn stop(&self) -> Vec<Statement> {
        undone(&self.start())
    }

    /// The statement that drops the function.
    pub fn drop_function(&self) -> Statement {
        make::drop_function(self.function(), None)
    }

    /// The marks of the table that follows, as a condition of its rows.
    pub fn marked_there(&self) -> Option<String> {
        self.marked(&self.marks.there)
    }

    /// Whether a row of the table that follows belongs to one that is written: it has the marks, or else, it has its key.
    pub fn belonging(&self) -> String {
        self.marked_there().unwrap_or_else(|| {
            let (from, to) = (self.scene.sql(self.from), self.scene.sql(self.to));
            let pair = self.each(&self.key, |own, there| format!("_here.{own} = {to}.{there}"), " AND ");
            format!("EXISTS (SELECT FROM {from} AS _here WHERE {pair})")
        })
    }

    /// A query that counts the rows that are in one table only, or in both and not the same.
    pub fn count_differences(&self) -> String {
        let from = self.rows_of(self.from, &self.marks.here, "_here");
        let to = self.rows_of(self.to, &self.marks.there, "_there");
        let pair = self.each(&self.key, |from, to| format!("_here.{from} = _there.{to}"), " AND ");
        let (here, there) =
            (self.here("_here."), self.each(&self.columns, |_, to| format!("_there.{to}"), ", "));
        let join = if self.marks.untold { "LEFT" } else { "FULL" };
        // As text, since values of some types cannot be compared.
        format!(
            "SELECT count(*) FROM {from} {join} JOIN {to} ON {pair} \
             WHERE ROW({here})::text IS DISTINCT FROM ROW({there})::text"
        )
    }

    /// Old and new are the same.
    pub fn agrees(&self) -> Criterion {
        let (from, to) = (self.from.display(self.scene.dialect()), self.to.display(self.scene.dialect()));
        Criterion::counts_nothing(format!("{from} and {to} hold the same rows"), self.count_differences())
    }

    /// The phase that copies the rows that were there before the triggers, in the order of columns that refuse NULL, or else of the key.
    ///
    /// # Errors
    /// [`Refusal`] where they cannot be walked.
    pub fn backfill(&self, state: &Table, order: &[String]) -> Result<Phase, Refusal> {
        let scene = self.scene;
        let (from, to) = (scene.sql(self.from), scene.sql(self.to));
        let pair = self.each(&self.key, |own, there| format!("_there.{there} = {from}.{own}"), " AND ");
        let pair = pair + &self.and_marked(&self.marks.there, "_there");
        let columns = self.columns.iter().map(|it| (it.to.clone(), scene.quote(&it.from)));
        let marks = self.marks.there.iter().map(|it| (it.column.clone(), it.value.clone()));
        let copying = Copying {
            from: self.from,
            state,
            into: self.to,
            columns: columns.chain(marks).collect(),
            key: self.arbiter().into_iter().map(str::to_owned).collect(),
            order,
            pending: format!("NOT EXISTS (SELECT FROM {to} AS _there WHERE {pair})"),
        };
        let step = copying.step(scene)?;
        Ok(backfill::phase_of(scene, step, self.agrees()))
    }
}
