//! Dependencies between the rooms point one way (ARCHITECTURE.md), and their versions stand in one place.

use super::{assert_none, files, read};
use std::path::PathBuf;
use toml::{Table, Value};

/// Each room and the rooms it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("lockkeeper-core", &[]),
    ("lockkeeper-root", &[]),
    ("lockkeeper-project", &["lockkeeper-core", "lockkeeper-root"]),
    ("lockkeeper-database", &["lockkeeper-core"]),
    ("lockkeeper-approval", &["lockkeeper-core", "lockkeeper-root", "lockkeeper-project"]),
    (
        "lockkeeper-lsp",
        &[
            "lockkeeper-core",
            "lockkeeper-root",
            "lockkeeper-project",
            "lockkeeper-database",
            "lockkeeper-approval",
        ],
    ),
    (
        "lockkeeper-mcp",
        &[
            "lockkeeper-core",
            "lockkeeper-root",
            "lockkeeper-project",
            "lockkeeper-database",
            "lockkeeper-approval",
        ],
    ),
    (
        "lockkeeper",
        &[
            "lockkeeper-core",
            "lockkeeper-root",
            "lockkeeper-project",
            "lockkeeper-database",
            "lockkeeper-approval",
            "lockkeeper-lsp",
            "lockkeeper-mcp",
        ],
    ),
    ("xtask", &[]),
];

/// What core may depend on: it has no I/O, no clock, no async.
const CORE: &[&str] = &["foldhash", "rpds", "schemars", "serde", "serde_json", "sha2", "sqlparser", "strsim"];
/// Grammars are data.
const CORE_PREFIX: &str = "tree-sitter";

fn manifests() -> Vec<(PathBuf, Table)> {
    let paths = files().into_iter().filter(|path| path.ends_with("Cargo.toml"));
    paths.map(|path| (path.clone(), read(&path).parse().expect("cargo reads it too"))).collect()
}

fn name(manifest: &Table) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

fn dependencies<'a>(manifest: &'a Table, section: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    manifest.get(section).and_then(Value::as_table).into_iter().flatten()
}

#[test]
fn rooms_depend_one_way() {
    let mut found = Vec::new();
    for (path, manifest) in manifests() {
        let Some(name) = name(&manifest) else { continue };
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == name) else { continue };
        for (dependency, _) in dependencies(&manifest, "dependencies") {
            if ROOMS.iter().any(|(room, _)| room == dependency) && !allowed.contains(&dependency.as_str()) {
                found.push(format!("{}: {name} uses {dependency}", path.display()));
            }
        }
    }
    assert_none("dependencies against the direction", found);
}

#[test]
fn every_member_is_a_known_room() {
    let known = |name: &str| name == "lockkeeper-tests" || ROOMS.iter().any(|(room, _)| *room == name);
    let strange =
        manifests().into_iter().filter_map(|(_, it)| name(&it).filter(|it| !known(it)).map(str::to_owned));
    assert_none("packages that the layering does not know", strange.collect());
}

#[test]
fn core_takes_only_what_computes() {
    let (_, core) =
        manifests().into_iter().find(|(path, _)| path.starts_with("core")).expect("there is a core");
    let strange = dependencies(&core, "dependencies")
        .map(|(name, _)| name)
        .filter(|name| !CORE.contains(&name.as_str()) && !name.starts_with(CORE_PREFIX));
    assert_none("dependencies of core that are not on its list", strange.cloned().collect());
}

#[test]
fn versions_stand_in_the_workspace() {
    let mut found = Vec::new();
    for (path, manifest) in manifests() {
        if name(&manifest).is_none() {
            continue;
        }
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let own = dependencies(&manifest, section).filter(|(_, it)| it.get("workspace").is_none());
            found.extend(own.map(|(name, _)| format!("{}: {name}", path.display())));
        }
    }
    assert_none("versions outside of [workspace.dependencies]", found);
}
