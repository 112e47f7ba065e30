//! The SQL of a backfill: one statement that walks a table and commits after each batch.
//!
//! Names of variables begin with an underscore, so that they are no columns; where one is, the server says that the name is ambiguous and
//! nothing happens.

use std::fmt::Write;

use super::spell::block;
use crate::backfill::{BackfillJob, Walk, Work};
use crate::dialect::{Dialect, quote, quote_literal};
use crate::text::{comment, sanitise};

/// A window says how far it is each time so many are done, and tries several passes again if it gave them up.
const WINDOWS_OF_PROGRESS: u32 = 100;

/// How often a batch tries to get its rows: for 40 s, as one try waits half a second.
const TRIES: u32 = 80;

/// The block with what to know about it in front.
pub fn statement(job: &BackfillJob) -> String {
    let writer = Writer { job, table: job.table.sql(Dialect::Postgres) };
    let (windows, bounds) = match &job.walk {
        Walk::Key { columns, .. } => (writer.by_key(columns), writer.key_bounds(columns)),
        Walk::Pages { by_range } => (writer.by_pages(), writer.page_bounds(*by_range)),
    };
    let set = |(name, value): &(String, String)| {
        format!("  PERFORM set_config({}, {}, false);\n", quote_literal(name), quote_literal(value))
    };
    let settings: String = job.settings.iter().map(set).collect();
    let code = format!(
        "DECLARE\n\
         {declare}\
         \x20 _more boolean;\n\
         \x20 _changed bigint;\n\
         \x20 _filled bigint := 0;\n\
         \x20 _windows bigint := 0;\n\
         \x20 _tries int;\n\
         BEGIN\n\
         {settings}\
         {start}\
         \x20 WHILE _more LOOP\n\
         {window}\
         \x20   PERFORM 1 FROM {table} WHERE {bounds} AND ({pending}) LIMIT 1;\n\
         \x20   IF FOUND THEN\n\
         {fill}\
         \x20   END IF;\n\
         \x20   COMMIT;\n\
         {progress}\
         {lag}\
         {next}\
         \x20 END LOOP;\n\
         \x20 RAISE NOTICE '{shown}: % rows {done}, all done', _filled;\n\
         END",
        declare = windows.declare + &writer.declare_passes(),
        start = windows.start,
        window = windows.window,
        table = writer.table,
        pending = job.pending,
        fill = writer.fill(&bounds),
        progress = writer.progress(),
        lag = writer.lag(),
        next = windows.next,
        shown = writer.shown(),
        done = writer.done(),
    );
    let runs = "One statement for as long as it takes: run it in a session without statement_timeout. It can be stopped, and run again.";
    comment(runs) + &writer.fires() + &block(&code)
}

struct Writer<'a> {
    job: &'a BackfillJob,
    table: String,
}

/// The parts of the block that know how rows are walked.
struct Windows {
    declare: String,
    /// Sets the first window's start, and `_more`: whether there is one.
    start: String,
    /// Sets the window's end, and `_more`: whether another may follow.
    window: String,
    /// Sets the next window's start, and `_more`.
    next: String,
}

impl Writer<'_> {
    fn quote(&self, identifier: &str) -> String {
        quote(identifier, Dialect::Postgres)
    }

    /// The number of passes, where a window is filled in several.
    fn passes(&self) -> Option<u32> {
        match self.job.walk {
            Walk::Key { passes, .. } => Some(passes).filter(|it| *it > 1),
            Walk::Pages { .. } => None,
        }
    }

    fn declare_passes(&self) -> String {
        let declare = |passes| format!("  _passes int := {passes};\n  _updated bigint;\n  _hot bigint;\n");
        self.passes().map(declare).unwrap_or_default()
    }

    /// What the rows are of, and what is filled, as the text of a RAISE.
    fn shown(&self) -> String {
        let table = self.job.table.display(Dialect::Postgres);
        let shown = match &self.job.work {
            Work::Set(set) => {
                let columns: Vec<&str> = set.iter().map(|(column, _)| column.as_str()).collect();
                format!("{table}.{}", columns.join(", "))
            }
            Work::Delete => table,
            Work::Copy { into, .. } => format!("{table} to {}", into.display(Dialect::Postgres)),
        };
        sanitise(&shown, 200).replace('\'', "''").replace('%', "%%")
    }

    /// What is done to a row.
    fn done(&self) -> &'static str {
        match self.job.work {
            Work::Set(_) => "filled",
            Work::Delete => "deleted",
            Work::Copy { .. } => "copied",
        }
    }

    fn fires(&self) -> String {
        if self.job.fires.is_empty() {
            return String::new();
        }
        comment(&format!("Row triggers that may fire for each row: {}", self.job.fires.join(", ")))
    }

    fn by_key(&self, columns: &[String]) -> Windows {
        let list = self.list(columns);
        let [low, high] = ["_low", "_high"].map(|prefix| variables(prefix, columns));
        let declare = low.iter().chain(&high).zip(columns.iter().chain(columns));
        let declare = declare.fold(String::new(), |mut text, (variable, column)| {
            writeln!(text, "  {variable} {}.{}%TYPE;", self.table, self.quote(column)).expect("a string");
            text
        });
        let backwards: Vec<String> = columns.iter().map(|it| format!("{} DESC", self.quote(it))).collect();
        let (low, high, backwards) = (low.join(", "), high.join(", "), backwards.join(", "));
        let table = &self.table;
        let others = self.job.batch_rows - 1;
        Windows {
            declare,
            start: format!(
                "  SELECT {list} INTO {low} FROM {table} ORDER BY {list} LIMIT 1;\n  _more := FOUND;\n"
            ),
            // The last window ends at the last row of this moment: rows that come later were written in step.
            window: format!(
                "    SELECT {list} INTO {high} FROM {table}\n\
                 \x20     WHERE ({list}) >= ({low}) ORDER BY {list} OFFSET {others} LIMIT 1;\n\
                 \x20   _more := FOUND;\n\
                 \x20   IF NOT _more THEN\n\
                 \x20     SELECT {list} INTO {high} FROM {table} ORDER BY {backwards} LIMIT 1;\n\
                 \x20   END IF;\n"
            ),
            next: format!(
                "    IF _more THEN\n\
                 \x20     SELECT {list} INTO {low} FROM {table} WHERE ({list}) > ({high}) ORDER BY {list} LIMIT 1;\n\
                 \x20     _more := FOUND;\n\
                 \x20   END IF;\n"
            ),
        }
    }

    fn key_bounds(&self, columns: &[String]) -> String {
        let list = self.list(columns);
        let [low, high] = ["_low", "_high"].map(|prefix| variables(prefix, columns).join(", "));
        format!("({list}) >= ({low}) AND ({list}) <= ({high})")
    }

    fn list(&self, columns: &[String]) -> String {
        let quoted: Vec<String> = columns.iter().map(|it| self.quote(it)).collect();
        quoted.join(", ")
    }

    /// The end is asked for again each time: rows that are written meanwhile lie behind it.
    fn by_pages(&self) -> Windows {
        let more = format!(
            "_more := _page * current_setting('block_size')::bigint < pg_relation_size({}::regclass);\n",
            quote_literal(&self.table)
        );
        Windows {
            declare: "  _page bigint := 0;\n".to_owned(),
            start: format!("  {more}"),
            window: String::new(),
            next: format!("    _page := _page + {};\n    {more}", self.pages()),
        }
    }

    /// About 100 narrow rows lie on a page.
    fn pages(&self) -> u64 {
        (self.job.batch_rows / 100).max(1)
    }

    /// A range of places is read as such from 14 on; before, each place is named: no page of 8 kB has more than 291.
    fn page_bounds(&self, by_range: bool) -> String {
        let pages = self.pages();
        if by_range {
            return format!(
                "ctid >= format('(%s,0)', _page)::tid AND ctid < format('(%s,0)', _page + {pages})::tid"
            );
        }
        format!(
            "ctid = ANY (ARRAY(SELECT format('(%s,%s)', p, i)::tid\n        \
             FROM generate_series(_page, _page + {}) p, generate_series(1, 291) i))",
            pages - 1
        )
    }

    /// Fills a window, in one commit or several.
    fn fill(&self, bounds: &str) -> String {
        let Walk::Key { passes: 2.., spread, .. } = &self.job.walk else {
            return self.batch("      ", bounds);
        };
        let relation = quote_literal(&self.table);
        let shared = format!("{bounds}\n            AND ({spread} & 2147483647) % _passes = _pass");
        format!(
            "      _updated := pg_stat_get_xact_tuples_updated({relation}::regclass);\n\
             \x20     _hot := pg_stat_get_xact_tuples_hot_updated({relation}::regclass);\n\
             \x20     FOR _pass IN 0 .. _passes - 1 LOOP\n\
             {batch}\
             \x20     END LOOP;\n\
             \x20     _updated := pg_stat_get_xact_tuples_updated({relation}::regclass) - _updated;\n\
             \x20     _hot := pg_stat_get_xact_tuples_hot_updated({relation}::regclass) - _hot;\n\
             \x20     IF _passes > 1 AND _hot * 10 < _updated * 3 THEN\n\
             \x20       _passes := 1;  -- an old transaction keeps dead rows from being pruned: passes only cost then\n\
             \x20       RAISE NOTICE '{shown}: one pass a window, while few rows stay on their page';\n\
             \x20     END IF;\n",
            batch = self.batch("        ", &shared),
            shown = self.shown(),
        )
    }

    /// The statement that does the work on the rows of a condition.
    fn change(&self, condition: &str) -> String {
        let (table, place) = (&self.table, format!("\n      WHERE {condition}"));
        match &self.job.work {
            Work::Set(set) => {
                let set: Vec<String> =
                    set.iter().map(|(column, value)| format!("{} = {value}", self.quote(column))).collect();
                format!("UPDATE {table} SET {}{place}", set.join(", "))
            }
            Work::Delete => format!("DELETE FROM {table}{place}"),
            // The lock makes a row that is changed or deleted meanwhile be read as it is then: no row comes back. What a trigger wrote wins.
            Work::Copy { into, columns, key } => {
                let (columns, values): (Vec<String>, Vec<&str>) =
                    columns.iter().map(|(column, value)| (self.quote(column), value.as_str())).unzip();
                // Behind the name of the table, as a value may be called like a column.
                let own = self.quote(&self.job.table.name);
                let order = match &self.job.walk {
                    Walk::Key { columns, .. } => {
                        let columns = columns.iter().map(|it| format!("{own}.{}", self.quote(it)));
                        format!("\n      ORDER BY {}", columns.collect::<Vec<_>>().join(", "))
                    }
                    Walk::Pages { .. } => String::new(),
                };
                format!(
                    "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE\n      SELECT {} FROM {table}{place}{order}\n      FOR SHARE OF {}\n      \
                     ON CONFLICT ({}) DO NOTHING",
                    into.sql(Dialect::Postgres),
                    columns.join(", "),
                    values.join(", "),
                    own,
                    self.list(key)
                )
            }
        }
    }

    /// One statement and its commit. Where it meets a lock it lets go of its own rows, so that nobody waits for it longer.
    fn batch(&self, indent: &str, bounds: &str) -> String {
        let job = self.job;
        let change = self.change(&format!("{bounds} AND ({})", job.pending));
        let (guard, timeout) = (&job.guard, &job.lock_timeout);
        let block = format!(
            "_tries := 0;\n\
             LOOP\n\
             \x20 PERFORM set_config('{guard}', 'on', true), set_config('lock_timeout', '{timeout}', true);\n\
             \x20 BEGIN\n\
             \x20   {change};\n\
             \x20   GET DIAGNOSTICS _changed = ROW_COUNT;\n\
             \x20   EXIT;\n\
             \x20 EXCEPTION WHEN lock_not_available OR deadlock_detected THEN\n\
             \x20   _tries := _tries + 1;\n\
             \x20   IF _tries = {TRIES} THEN RAISE; END IF;\n\
             \x20 END;\n\
             \x20 COMMIT;\n\
             END LOOP;\n\
             _filled := _filled + _changed;\n\
             COMMIT;\n"
        );
        block.lines().map(|line| format!("{indent}{line}\n")).collect()
    }

    fn progress(&self) -> String {
        let again = self.passes().map(|it| format!("      _passes := {it};\n")).unwrap_or_default();
        format!(
            "    _windows := _windows + 1;\n\
             \x20   IF _windows % {WINDOWS_OF_PROGRESS} = 0 THEN\n\
             {again}\
             \x20     RAISE NOTICE '{shown}: % rows {done}', _filled;\n\
             \x20   END IF;\n",
            shown = self.shown(),
            done = self.done(),
        )
    }

    /// Waits for replicas. Who may not read pg_stat_replication sees no lag, and does not wait.
    fn lag(&self) -> String {
        let job = self.job;
        let lags = |seconds: u64| {
            format!("(SELECT 1 FROM pg_stat_replication WHERE replay_lag > interval '{seconds} s')")
        };
        format!(
            "    IF EXISTS {over} THEN\n\
             \x20     RAISE NOTICE '{shown}: a replica lags, waiting for it';\n\
             \x20     WHILE EXISTS {still} LOOP\n\
             \x20       COMMIT;\n\
             \x20       PERFORM pg_sleep(1);\n\
             \x20     END LOOP;\n\
             \x20   END IF;\n",
            over = lags(job.pause_lag_seconds),
            still = lags(job.resume_lag_seconds),
            shown = self.shown(),
        )
    }
}

fn variables(prefix: &str, columns: &[String]) -> Vec<String> {
    (1..=columns.len()).map(|number| format!("{prefix}_{number}")).collect()
}
