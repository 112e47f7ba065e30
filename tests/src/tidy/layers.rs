//! The layering inside core: a module uses only modules that stand above it in the list of `core/src/lib.rs`.

use super::{assert_none, read, with_extension};
use std::path::{Path, PathBuf};

fn layers(list: &str) -> Vec<String> {
    let declared = list.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    declared.filter_map(|rest| rest.strip_suffix(';')).map(str::to_owned).collect()
}

/// The layer that a file of core belongs to: `effect/postgres.rs` and `effect.rs` to `effect`.
fn layer_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("core/src").ok()?;
    let first: PathBuf = inside.components().take(1).collect();
    let name = first.with_extension("").to_str()?.to_owned();
    (name != "lib").then_some(name)
}

/// The layers that a text names after `crate::`, with line numbers. `use crate::{a, b::c};` names `a` and `b`.
fn uses(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (offset, _) in text.match_indices("crate::") {
        // `$crate::`, `other_crate::` and comments are something else.
        let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let before = &text[line_start..offset];
        if before.contains("//") || before.ends_with(|it: char| it.is_alphanumeric() || it == '_') {
            continue;
        }
        let number = text[..offset].matches('\n').count() + 1;
        found.extend(names_at(&text[offset + "crate::".len()..]).into_iter().map(|name| (number, name)));
    }
    found
}

fn names_at(text: &str) -> Vec<String> {
    let Some(list) = text.strip_prefix('{') else {
        return vec![word(text)];
    };
    let (mut depth, mut names, mut at_start) = (0, Vec::new(), true);
    for (offset, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            _ if at_start && !character.is_whitespace() => {
                names.push(word(&list[offset..]));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect()
}

/// What the tests of any layer may use: their inputs are SQL.
const OF_TESTS: &str = "engine";

/// Whether the line of a file is part of its tests.
fn is_test(path: &Path, text: &str, line: usize) -> bool {
    let tests = text.lines().position(|it| it.trim() == "#[cfg(test)]").map(|at| at + 1);
    path.ends_with("tests.rs") || path.iter().any(|it| it == "tests") || tests.is_some_and(|it| line > it)
}

/// Uses of a lower layer by a higher one.
fn violations(layers: &[String], path: &Path, text: &str) -> Vec<String> {
    let position = |name: &String| layers.iter().position(|layer| layer == name);
    let Some(layer) = layer_of(path) else {
        return Vec::new();
    };
    let Some(own) = position(&layer) else {
        return vec![format!("{} is in no layer of core/src/lib.rs", path.display())];
    };
    let below = uses(text).into_iter().filter(|(_, name)| position(name).is_some_and(|it| it > own));
    below
        .filter(|(line, name)| name != OF_TESTS || !is_test(path, text, *line))
        .map(|(line, name)| format!("{}:{line}: {layer} uses {name}, which is below it", path.display()))
        .collect()
}

#[test]
fn core_uses_only_what_is_above() {
    let layers = layers(&read(Path::new("core/src/lib.rs")));
    assert!(layers.len() >= 2, "{layers:?}");
    let found =
        with_extension(&["rs"]).into_iter().flat_map(|(path, text)| violations(&layers, &path, &text));
    assert_none("core's layering (ARCHITECTURE.md)", found.collect());
}

#[test]
fn a_use_of_a_lower_layer_is_found() {
    let layers = layers("//! Core.\npub mod text;\npub mod dialect;\nmod effect;\n");
    assert_eq!(layers, ["text", "dialect", "effect"]);
    let check = |path: &str, text: &str| violations(&layers, Path::new(path), text).len();
    assert_eq!(
        check("core/src/effect/postgres.rs", "use crate::dialect::Target;\nuse crate::text::Span;"),
        0
    );
    assert_eq!(check("core/src/text/mod.rs", "use crate::dialect::Target;"), 1);
    assert_eq!(check("core/src/dialect.rs", "use crate::{\n    effect::{Effect, Waits},\n    text,\n};"), 1);
    assert_eq!(check("core/src/text/edit.rs", "fn f() -> crate::effect::Effect {}"), 1);
    assert_eq!(
        check("core/src/text/edit.rs", "// crate::effect reads this\n$crate::text::x; my_crate::effect;"),
        0
    );
    let layers = self::layers("pub mod operation;\npub mod engine;\npub mod check;\n");
    let check = |path: &str, text: &str| violations(&layers, Path::new(path), text).len();
    let (read, tests) = ("use crate::engine::lower;\n", "#[cfg(test)]\nmod tests {\n    use crate::");
    assert_eq!(check("core/src/operation/table.rs", read), 1);
    assert_eq!(check("core/src/operation/tests.rs", read), 0);
    assert_eq!(check("core/src/operation/table.rs", &format!("{tests}engine::lower;\n}}\n")), 0);
    assert_eq!(check("core/src/operation/table.rs", &format!("{tests}check::check;\n}}\n")), 1);
    assert_eq!(check("core/src/lost.rs", ""), 1);
    assert_eq!(check("core/src/lib.rs", "use crate::effect;"), 0);
    assert_eq!(check("cli/src/main.rs", "use crate::effect;"), 0);
}
