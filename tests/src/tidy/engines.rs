//! What only PostgreSQL has stands in its folder: its catalog, its casts to names, its language for triggers.

use super::{assert_none, with_extension};
use std::path::Path;

/// What stands in SQL and code for PostgreSQL alone.
const WORDS: &[&str] = &[
    "pg_",
    "::reg",
    "information_schema",
    "current_setting",
    "plpgsql",
    "nextval",
    "setval",
    "TG_",
    "ctid",
    "wal_level",
];

/// The house of an engine, and what it says of itself before any statement is read.
const HOUSES: &[&str] = &["core/src/engine/postgres", "core/src/dialect/postgres.rs"];

/// Files that may name such words, with the reason. An entry that is not needed any more fails.
const EXCEPT: &[(&str, &str)] = &[
    ("core/src/mechanics/fill.rs", "body of a trigger"),
    ("core/src/mechanics/link.rs", "body of a trigger"),
    ("core/src/mechanics/make.rs", "the language of the bodies of triggers"),
    ("core/src/mechanics/mirror.rs", "body of a trigger"),
    ("core/src/mechanics/sync.rs", "body of a trigger"),
    ("core/src/catalog/depend.rs", "recognises what people write: defaults, operators of extensions"),
    ("core/src/catalog/details.rs", "recognises what people write: the tablespace that is none"),
    ("core/src/catalog/path.rs", "recognises what people write: search paths"),
    ("core/src/catalog/routine.rs", "recognises what people write: types with their schema"),
    ("core/src/catalog/sequence.rs", "the default that a serial stands for"),
    ("core/src/check/ending.rs", "which bodies of routines can be read"),
    ("core/src/engine/lower/body.rs", "which bodies of routines can be read"),
    ("core/src/framework/commands.rs", "names of programs"),
    ("core/src/hazards/data/unbounded_data_change.rs", "recognises what people write: batches by place"),
    ("core/src/hazards/schema/stale_sequence.rs", "recognises what people write"),
    ("core/src/mechanics/rebuilt.rs", "recognises what people write"),
    ("core/src/mechanics/succession_checks.rs", "recognises what people write: defaults"),
    ("core/src/mechanics/twin_checks.rs", "a program named in a message"),
    ("core/src/recipes/rename_behind_stand_in.rs", "functions named in a message"),
    ("core/src/recipes/swap_table.rs", "a program named in a message"),
    ("core/src/recipes/window_only.rs", "programs named in a message"),
];

/// The lines of a file of core that hold such a word.
fn words(path: &Path, text: &str) -> Vec<String> {
    let tests = path.ends_with("tests.rs") || path.iter().any(|it| it == "tests");
    if tests || !path.starts_with("core/src") || HOUSES.iter().any(|it| path.starts_with(it)) {
        return Vec::new();
    }
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let hits = lines.filter_map(|(at, line)| {
        let begins = |at: usize| !line[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_');
        let word = WORDS.iter().find(|word| line.match_indices(**word).any(|(at, _)| begins(at)))?;
        Some((at + 1, *word))
    });
    hits.map(|(line, word)| format!("{}:{line}: {word}", path.display())).collect()
}

#[test]
fn what_only_postgres_has_stands_in_its_house() {
    let files: Vec<_> =
        with_extension(&["rs"]).into_iter().map(|(path, text)| (words(&path, &text), path)).collect();
    let excepted = |path: &Path| EXCEPT.iter().any(|(it, _)| path == Path::new(it));
    let found = files.iter().filter(|(_, path)| !excepted(path)).flat_map(|(hits, _)| hits.clone());
    assert_none("words of PostgreSQL outside of core/src/engine/postgres", found.collect());
    let idle = EXCEPT
        .iter()
        .filter(|(it, _)| !files.iter().any(|(hits, path)| path == Path::new(it) && !hits.is_empty()));
    assert_none("exceptions that nothing needs", idle.map(|(it, _)| (*it).to_owned()).collect());
}

#[test]
fn a_word_outside_of_the_house_is_found() {
    let count = |path: &str, text: &str| words(Path::new(path), text).len();
    let query = "format!(\"SELECT count(*) FROM pg_class WHERE oid = {}::regclass\")";
    assert_eq!(count("core/src/recipes/a.rs", query), 1);
    assert_eq!(count("core/src/engine/postgres/counts.rs", query), 0);
    assert_eq!(
        count(
            "core/src/recipes/a.rs",
            "// pg_class\nlet arg_pg_x = 1;\n#[cfg(test)]\nmod tests { \"pg_class\" }"
        ),
        0
    );
    assert_eq!(count("core/src/recipes/tests.rs", query), 0);
}

#[test]
fn rules_and_recipes_name_their_engines() {
    let rooms = ["core/src/hazards", "core/src/recipes"];
    let files = with_extension(&["rs"]).into_iter();
    let own = files.filter(|(path, _)| rooms.iter().any(|room| path.starts_with(room)));
    let all = own.filter(|(_, text)| text.contains("Dialect::ANALYSED") || text.contains("Dialect::ALL"));
    assert_none(
        "what holds for one engine may not hold for the next: name them",
        all.map(|(path, _)| path.display().to_string()).collect(),
    );
}
