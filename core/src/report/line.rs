//! An effect in one line: the strongest lock, on what, who waits, for what work.

use crate::catalog::{Catalog, RelationName};
use crate::dialect::LockMode;
use crate::effect::{Effect, Waits, Work};
use crate::estimate::{Sizes, estimate, in_words};

/// `ACCESS EXCLUSIVE users · reads and writes wait · rewrite`; `None` where nobody notices the statement. `after` is the
/// schema after it: what the migration itself made has no users yet.
pub fn effect_line(effect: &Effect, after: &Catalog, rows: Option<&Sizes>) -> Option<String> {
    if effect.fails.is_some() {
        return Some("fails".to_owned());
    }
    let live = |name: &RelationName| !after.is_new(name) && !after.is_temporary(name);
    let locks = effect.locks.iter().filter(|(name, _)| live(name) && !effect.indexes.contains(name));
    let strongest = locks.max_by_key(|(_, mode)| **mode);
    let works = effect.work.iter().any(|(name, _)| live(name));
    let Some((relation, mode)) = strongest.filter(|(_, mode)| **mode > LockMode::RowExclusive || works)
    else {
        return (!effect.known).then(|| "not analysed".to_owned());
    };
    let waits = Waits::of(*mode).min(effect.waits);
    let mut parts = vec![format!("{} {}", mode.title(), relation.display(after.dialect()))];
    parts.push(waits_in_words(waits).to_owned());
    parts.push(work_in_words(effect, rows));
    if !effect.known {
        parts.push("not analysed, the worst is assumed".to_owned());
    }
    Some(parts.join(" · "))
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

fn work_in_words(effect: &Effect, rows: Option<&Sizes>) -> String {
    let Some(estimate) = estimate(effect, rows) else { return "catalog only".to_owned() };
    let work = match estimate.work {
        Work::Scan => "scan",
        Work::IndexBuild => "index build",
        Work::Rewrite => "rewrite",
        Work::FileCopy => "file copy",
        Work::Update => "update of every row",
    };
    match estimate.seconds {
        Some(seconds) => format!("{work}, {}", in_words(seconds)),
        None => work.to_owned(),
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
    fn line(text: &str, rows: Option<&Sizes>, expected: &[&str]) {
        let part = Part { text, span: Span::new(0, text.len()), transaction: Transaction::Autocommit };
        let target = Target::default();
        let checked = check(part, &target, &Catalog::unknown(target.dialect));
        let statements = checked.statements.iter();
        let lines = statements.map(|it| effect_line(&it.effect, &checked.after, rows).unwrap_or_default());
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_strongest_lock_and_its_work_are_named() {
        let text = "ALTER TABLE users ALTER COLUMN age TYPE bigint; ALTER TABLE users RENAME COLUMN a TO b;";
        let rename = "ACCESS EXCLUSIVE users · reads and writes wait · catalog only";
        line(text, None, &["ACCESS EXCLUSIVE users · reads and writes wait · rewrite", rename]);
        let rows = Sizes::of_all(4_000_000, "declared");
        let rewrite = "ACCESS EXCLUSIVE users · reads and writes wait · rewrite, 1.3 s to 34 s";
        line(text, Some(&rows), &[rewrite, rename]);
    }

    #[test]
    fn what_nobody_notices_has_no_line() {
        line(
            "CREATE TABLE t (a int); ALTER TABLE t ADD b int; SELECT 1; INSERT INTO t VALUES (1);",
            None,
            &["", "", "", ""],
        );
    }
}
