//! Safe examples with one precaution taken away: some rule must notice.
//!
//! The mutants are made from the pages' quiet and fixed blocks. One that nobody notices stands in [`SURVIVORS`] with the
//! reason, or the test fails; so does a reason that is not needed any more.

use std::collections::BTreeSet;

use super::pages::{DOWN, NEXT, bare, blocks, run, versions};
use crate::hazards::page::Block;

/// A way to take a precaution away, and what it makes of a text: one mutant for each place.
pub(crate) struct Mutator {
    pub(crate) name: &'static str,
    pub(crate) mutants: fn(&str) -> Vec<String>,
}

pub(crate) const MUTATORS: &[Mutator] = &[
    Mutator { name: "not concurrently", mutants: |sql| without(sql, "CONCURRENTLY ") },
    Mutator { name: "not concurrently (refresh, detach)", mutants: |sql| without(sql, " CONCURRENTLY;") },
    Mutator { name: "validated at once", mutants: |sql| without(sql, " NOT VALID") },
    Mutator { name: "no lock timeout", mutants: |sql| without_statements(sql, &["LOCK_TIMEOUT"]) },
    Mutator { name: "if exists", mutants: |sql| without(sql, "IF EXISTS ") },
    Mutator {
        name: "the index is built by the constraint",
        mutants: |sql| replaced_word_after(sql, " USING INDEX ", " (id)"),
    },
    Mutator { name: "no batch", mutants: without_condition },
    Mutator { name: "no limit", mutants: |sql| replaced_word_after(sql, " LIMIT ", "") },
    Mutator {
        name: "no proof of NOT NULL",
        mutants: |sql| without_statements(sql, &["CHECK", "IS NOT NULL"]),
    },
    Mutator {
        name: "the proof is not validated",
        mutants: |sql| without_statements(sql, &["VALIDATE CONSTRAINT"]),
    },
    Mutator { name: "no commit between", mutants: |sql| without(sql, "COMMIT;\nBEGIN;\n") },
    Mutator { name: "never committed", mutants: |sql| without_all(sql, "COMMIT;") },
    Mutator { name: "what an interrupted build left stays", mutants: without_cleaning },
    Mutator { name: "no default for old rows", mutants: without_default },
    Mutator { name: "no time zone", mutants: |sql| without_statements(sql, &["SET TIME"]) },
    Mutator { name: "no reason", mutants: |sql| without_lines(sql, "-- THERE IS NONE") },
    Mutator { name: "checks stay pending", mutants: |sql| without_statements(sql, &["SET CONSTRAINTS"]) },
];

/// Mutants that nobody notices: the page, the precaution, a part of the block that tells it from others, the reason.
const SURVIVORS: &[(&str, &str, &str, &str)] = &[
    (
        "storage-rewrite",
        "the index is built by the constraint",
        "REPACK (CONCURRENTLY) orders (id)",
        "columns without ANALYZE are not read, and check ends as unread",
    ),
    ("dropped-database", "if exists", "DROP SCHEMA", "nothing is known of the schema"),
    (
        "useless-lock-timeout",
        "no lock timeout",
        "SET statement_timeout = 0",
        "no statement follows that waits",
    ),
    ("blocking-index-drop", "if exists", "CREATE INDEX orders_day", "the index is known to be there"),
    (
        "blocking-index-drop",
        "if exists",
        "DROP INDEX CONCURRENTLY orders_day;",
        "nothing is known of the schema",
    ),
    ("skipped-invalid-index", "if exists", "IF NOT EXISTS orders_day", "nothing is known of the schema"),
    (
        "discarded-work",
        "not concurrently",
        "CREATE INDEX CONCURRENTLY",
        "the history holds no such index: it drops nothing",
    ),
    (
        "discarded-work",
        "what an interrupted build left stays",
        "CREATE INDEX CONCURRENTLY",
        "without IF NOT EXISTS the next try fails in words",
    ),
    ("not-null-scan", "in one transaction", "VALIDATE", "the scan comes before the lock that blocks"),
    ("not-null-scan", "in one transaction", "CREATE TABLE users (email text);\nALTER", "the table is new"),
    (
        "validation-under-lock",
        "the proof is not validated",
        "NOT VALID",
        "what is left behind is told over a deploy: unvalidated-constraint",
    ),
    (
        "possible-duplicates",
        "not concurrently",
        "CREATE TABLE users (id int PRIMARY KEY, email text);\nCREATE UNIQUE",
        "the table is new",
    ),
    (
        "refused-null",
        "no proof of NOT NULL",
        "CHECK (length(name)",
        "no SET NOT NULL follows that would need one",
    ),
];

#[test]
fn a_precaution_taken_away_is_noticed() {
    let mut survivors = BTreeSet::new();
    let mut count = 0;
    for (rule, block) in blocks().filter(|(_, block)| block.section == "Quiet" || block.has("fixed")) {
        let sql = bare(block.text);
        for (name, mutant, info) in mutants(&block, &sql) {
            count += 1;
            let mutated = Block { info: &info, ..block.clone() };
            if !is_noticed(&block, &sql, &mutated, &mutant) {
                survivors.insert((rule.id, name, mutant));
            }
        }
    }
    let is_excused = |(page, name, mutant): &(&str, &str, String)| {
        SURVIVORS
            .iter()
            .any(|(own, precaution, part, _)| own == page && precaution == name && mutant.contains(part))
    };
    let excused = survivors.iter().filter(|it| is_excused(it)).count();
    println!("{count} mutants, {excused} that nobody needs to notice");
    let unexpected: Vec<String> = survivors
        .iter()
        .filter(|it| !is_excused(it))
        .map(|(page, name, mutant)| format!("{page}: {name}\n{mutant}"))
        .collect();
    assert!(unexpected.is_empty(), "{} survive:\n{}", unexpected.len(), unexpected.join("\n"));
    for (page, name, part, _) in SURVIVORS {
        let needed = survivors.iter().any(|it| it.0 == *page && it.1 == *name && it.2.contains(part));
        assert!(needed, "{page}, {name}, {part}: it is noticed, or no mutant any more");
    }
    assert!(count > 60, "{count} mutants");
}

/// The mutants of a block, each with the words behind its backticks.
fn mutants(block: &Block<'_>, sql: &str) -> Vec<(&'static str, String, String)> {
    // The history is no precaution; only a proof may stand in it.
    let last = match block.has("deploy") {
        true => sql.find(NEXT).unwrap_or(0),
        false => sql.rfind(NEXT).unwrap_or(0),
    };
    let mut found = Vec::new();
    for mutator in MUTATORS {
        let start = if mutator.name.contains("proof") { 0 } else { last };
        for mutant in (mutator.mutants)(&sql[start..]) {
            found.push((mutator.name, format!("{}{mutant}", &sql[..start]), block.info.to_owned()));
        }
    }
    let apart = ["VALIDATE", "CONCURRENTLY", "ADD VALUE", "SET NOT NULL"];
    let checked = sql[last..].to_uppercase();
    let up = checked.split(&DOWN.to_uppercase()).next().unwrap_or("");
    let stands_apart = up.matches(';').count() > 1 && apart.iter().any(|word| up.contains(word));
    // A runner states by itself what is in a transaction.
    let is_open = ["transaction", "runner"].iter().all(|it| block.value(it).is_none());
    if is_open && !block.has("deploy") && stands_apart {
        found.push(("in one transaction", sql.to_owned(), format!("{} transaction=wrapped", block.info)));
    }
    found.retain(|(_, mutant, _)| !is_blank(mutant.rsplit(NEXT).next().unwrap_or("")));
    found
}

/// Whether nothing is left to check.
fn is_blank(sql: &str) -> bool {
    sql.lines().all(|line| line.trim().is_empty() || line.starts_with("--") && line.trim() != DOWN.trim())
}

/// Whether the mutant has a hazard, of whatever rule, that the safe text has not; on the oldest or the newest version.
fn is_noticed(block: &Block<'_>, sql: &str, mutated: &Block<'_>, mutant: &str) -> bool {
    let all: Vec<u16> = versions(block).collect();
    let ends = [all[0], all[all.len() - 1]];
    ends.into_iter().any(|version| {
        let safe: BTreeSet<_> = told(block, sql, version);
        !told(mutated, mutant, version).is_subset(&safe)
    })
}

fn told(block: &Block<'_>, sql: &str, version: u16) -> BTreeSet<(&'static str, String)> {
    run(block, sql, version).hazards.into_iter().map(|hazard| (hazard.rule, hazard.message)).collect()
}

/// The text without one of the places of a phrase.
fn without(sql: &str, phrase: &str) -> Vec<String> {
    let upper = sql.to_ascii_uppercase();
    let phrase = phrase.to_ascii_uppercase();
    let kept = if phrase.ends_with(';') { ";" } else { "" };
    let places = upper.match_indices(&phrase);
    places.map(|(at, _)| format!("{}{kept}{}", &sql[..at], &sql[at + phrase.len()..])).collect()
}

/// The text without any of the places of a phrase.
fn without_all(sql: &str, phrase: &str) -> Vec<String> {
    if sql.contains(phrase) { vec![sql.replace(phrase, "")] } else { Vec::new() }
}

/// The text with a phrase and the word behind it replaced.
fn replaced_word_after(sql: &str, phrase: &str, new: &str) -> Vec<String> {
    let upper = sql.to_ascii_uppercase();
    let places = upper.match_indices(phrase);
    let word = |at: usize| {
        let rest = &sql[at + phrase.len()..];
        let length =
            rest.find(|it: char| !(it.is_alphanumeric() || "_'\".".contains(it))).unwrap_or(rest.len());
        format!("{}{new}{}", &sql[..at], &rest[length..])
    };
    places.map(|(at, _)| word(at)).collect()
}

/// The text without one of the statements that have all the words. Blocks of code are left as they are.
fn without_statements(sql: &str, words: &[&str]) -> Vec<String> {
    if sql.contains("$$") {
        return Vec::new();
    }
    let statements: Vec<&str> = sql.split_inclusive(";\n").collect();
    let has_all = |it: &str| words.iter().all(|word| it.to_ascii_uppercase().contains(word));
    let mut found = Vec::new();
    for (number, statement) in statements.iter().enumerate().filter(|(_, it)| has_all(it)) {
        let comment = statement.rfind("--").map_or(0, |at| at + statement[at..].find('\n').unwrap_or(0) + 1);
        let rest = [&statements[..number], &[&statement[..comment]], &statements[number + 1..]].concat();
        found.push(rest.concat());
    }
    found
}

/// The text without the drop of what an interrupted build may have left.
fn without_cleaning(sql: &str) -> Vec<String> {
    let builds = sql.to_ascii_uppercase().contains("CREATE INDEX CONCURRENTLY");
    if builds { without_statements(sql, &["DROP INDEX", "IF EXISTS"]) } else { Vec::new() }
}

/// The text without the default of one of the columns that it adds.
fn without_default(sql: &str) -> Vec<String> {
    let upper = sql.to_ascii_uppercase();
    let places = upper.match_indices(" DEFAULT ").filter(|(at, _)| {
        let start = upper[..*at].rfind([';', ',']).map_or(0, |it| it + 1);
        let end = at + upper[*at..].find([';', ',']).unwrap_or(upper.len() - at);
        let column = &upper[start..end];
        column.contains("ADD COLUMN") && column.contains("NOT NULL")
    });
    let word = |at: usize| {
        let rest = &sql[at + " DEFAULT ".len()..];
        let length =
            rest.find(|it: char| !(it.is_alphanumeric() || "_'.()".contains(it))).unwrap_or(rest.len());
        format!("{}{}", &sql[..at], &rest[length..])
    };
    places.map(|(at, _)| word(at)).collect()
}

/// The text without the condition of one of its UPDATEs and DELETEs.
fn without_condition(sql: &str) -> Vec<String> {
    let upper = sql.to_ascii_uppercase();
    let places = upper.match_indices(" WHERE ").filter(|(at, _)| {
        let start = upper[..*at].rfind([';', '(']).map_or(0, |it| it + 1);
        let verb = upper[start..*at].trim_start();
        verb.starts_with("UPDATE") || verb.starts_with("DELETE")
    });
    places
        .map(|(at, _)| {
            let end = at + sql[at..].find([';', ')']).unwrap_or(sql.len() - at);
            format!("{}{}", &sql[..at], &sql[end..])
        })
        .collect()
}

fn without_lines(sql: &str, start: &str) -> Vec<String> {
    let is_it = |line: &&str| line.to_ascii_uppercase().starts_with(start);
    let lines: Vec<&str> = sql.split_inclusive('\n').collect();
    let places = lines.iter().enumerate().filter(|(_, line)| is_it(line));
    places.map(|(at, _)| [&lines[..at], &lines[at + 1..]].concat().concat()).collect()
}
