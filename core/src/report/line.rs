//! An effect in one line: who waits, for what work, on which tables.

use crate::catalog::{Catalog, RelationKind, RelationName};
use crate::dialect::LockMode;
use crate::effect::{Effect, Waits, Work};
use crate::estimate::{Sizes, estimate};
use crate::quantity::Seconds;
use crate::text::sanitise;

/// VS Code cuts a hint behind 43 characters.
const WIDEST: usize = 40;

/// `reads+writes wait · rewrite · users`: what decides first, and behind it what fits in a hint. `None` where nobody notices the statement. `before` and
/// `after` are the schemas around its migration: what that itself made has no users yet.
pub fn effect_line(
    effect: &Effect,
    before: &Catalog,
    after: &Catalog,
    rows: Option<&Sizes>,
) -> Option<String> {
    if effect.fails.is_some() {
        return Some("fails".to_owned());
    }
    let live = |name: &RelationName| !after.is_new(name) && !after.is_temporary(name);
    let locks = || effect.locks.iter().filter(|(name, _)| live(name) && !effect.indexes.contains(name));
    let strongest = locks().map(|(_, mode)| *mode).max();
    let works = effect.work.iter().any(|(name, _)| live(name));
    let Some(mode) = strongest.filter(|mode| *mode > LockMode::RowExclusive || works) else {
        return (!effect.known).then(|| "not analysed".to_owned());
    };
    let waits = Waits::of(mode).min(effect.waits);
    let is_sequence = |name: &RelationName| {
        let relation = before.relation(name).or_else(|| after.relation(name));
        relation.is_some_and(|it| matches!(it.kind, RelationKind::Sequence(_)))
    };
    let waited_for: Vec<&RelationName> = locks()
        .filter(|(name, mode)| Waits::of(**mode).min(effect.waits) == waits && !is_sequence(name))
        .map(|(name, _)| name)
        .collect();
    let mut line =
        format!("{} · {}", waiters(waits), if effect.known { work(effect) } else { "worst assumed" });
    let mut add = |part: String| {
        if line.chars().count() + part.chars().count() <= WIDEST {
            line.push_str(&part);
        }
    };
    if let Some((least, most)) = estimate(effect, rows).and_then(|it| it.seconds) {
        add(format!(" {}", span_of_time(least, most)));
    }
    match waited_for.as_slice() {
        [] => {}
        [one] => add(format!(" · {}", sanitise(&one.display(after.dialect()), WIDEST))),
        many => add(format!(" · {} tables", many.len())),
    }
    Some(line)
}

fn waiters(waits: Waits) -> &'static str {
    match waits {
        Waits::Nobody => "nobody waits",
        Waits::SchemaChanges => "schema changes wait",
        Waits::Writes => "writes wait",
        Waits::ReadsAndWrites => "reads+writes wait",
    }
}

fn work(effect: &Effect) -> &'static str {
    match effect.heaviest_work() {
        None => "catalog only",
        Some(Work::Scan) => "scan",
        Some(Work::IndexBuild) => "index build",
        Some(Work::Rewrite) => "rewrite",
        Some(Work::FileCopy) => "file copy",
        Some(Work::Update) => "every row updated",
    }
}

/// `1.3–34 s`, `9 s–2 min`: the unit once where it is the same.
fn span_of_time(least: f64, most: f64) -> String {
    let (least, most) = (Seconds(least).to_string(), Seconds(most).to_string());
    let unit = |it: &str| it.rsplit_once(' ').map(|(_, unit)| unit.to_owned());
    if least == most {
        return most;
    }
    match least.rsplit_once(' ') {
        Some((number, own)) if unit(&most).as_deref() == Some(own) => format!("{number}–{most}"),
        _ => format!("{least}–{most}"),
    }
}

/// Who waits, in words.
pub fn waits_in_words(waits: Waits) -> &'static str {
    match waits {
        Waits::Nobody => "nobody waits",
        Waits::SchemaChanges => "schema changes wait",
        Waits::Writes => "writes wait",
        Waits::ReadsAndWrites => "reads and writes wait",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Part, check};
    use crate::dialect::Target;
    use crate::framework::Transaction;
    use crate::text::Span;

    #[track_caller]
    fn line(schema: &str, text: &str, rows: Option<&Sizes>, expected: &[&str]) {
        let target = Target::default();
        let checked = |text: &str, before: &Catalog| {
            let part = Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit };
            check(part, &target, before)
        };
        let mut before = checked(schema, &Catalog::unknown(target.dialect)).after;
        before.start_migration();
        let checked = checked(text, &before);
        let statements = checked.statements.iter();
        let lines =
            statements.map(|it| effect_line(&it.effect, &before, &checked.after, rows).unwrap_or_default());
        let lines: Vec<String> = lines.collect();
        assert_eq!(lines, expected);
        assert!(lines.iter().all(|it| it.chars().count() <= WIDEST), "{lines:?}");
    }

    #[test]
    fn who_waits_and_for_what_comes_first() {
        let text = "ALTER TABLE users ALTER COLUMN age TYPE bigint; ALTER TABLE users RENAME COLUMN a TO b; CREATE INDEX ON users (b);";
        let rename = "reads+writes wait · catalog only · users";
        let of = |rewrite, index| [rewrite, rename, index];
        line("", text, None, &of("reads+writes wait · rewrite · users", "writes wait · index build · users"));
        let rows = Sizes::of_all(4_000_000, "declared");
        let rewrite = "reads+writes wait · rewrite 1.3–34 s";
        line("", text, Some(&rows), &of(rewrite, "writes wait · index build 0.6–15 s"));
    }

    /// A foreign key locks the other table as strongly: neither is the one that is meant.
    #[test]
    fn several_tables_are_counted_and_sequences_are_none() {
        let schema = "CREATE TABLE addresses (id bigserial PRIMARY KEY); CREATE TABLE orders (address bigint REFERENCES addresses);";
        line(schema, "DROP TABLE addresses CASCADE;", None, &["reads+writes wait · catalog only"]);
        line(
            schema,
            "LOCK TABLE addresses, orders IN SHARE MODE;",
            None,
            &["writes wait · catalog only · 2 tables"],
        );
        line(
            schema,
            "ALTER TABLE orders ALTER address TYPE text;",
            None,
            &["reads+writes wait · rewrite · 2 tables"],
        );
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let text = "ALTER TABLE a_table_with_a_rather_long_name ALTER COLUMN age TYPE bigint;";
        line("", text, None, &["reads+writes wait · rewrite"]);
        line("", "ALTR TABEL users;", None, &["not analysed"]);
    }

    #[test]
    fn what_nobody_notices_has_no_line() {
        line(
            "",
            "CREATE TABLE t (a int); ALTER TABLE t ADD b int; SELECT 1; INSERT INTO t VALUES (1);",
            None,
            &["", "", "", ""],
        );
    }
}
