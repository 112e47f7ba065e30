//! What a release needs before anybody builds one: one version everywhere, a section of the changelog, crates that can be published.

use std::process::Command;

use serde_json::Value;
use toml::Table;

use crate::binaries::root;

fn manifest(path: &str) -> Table {
    std::fs::read_to_string(root().join(path)).expect("is there").parse().expect("is TOML")
}

fn version() -> String {
    manifest("Cargo.toml")["workspace"]["package"]["version"].as_str().expect("is stated").to_owned()
}

fn package(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(root().join(path)).expect("is there")).expect("is JSON")
}

#[test]
fn every_package_has_the_version_of_the_crates() {
    let version = version();
    for path in ["packaging/npm/wrapper/package.json", "editors/vscode/package.json"] {
        assert_eq!(package(path)["version"], version.as_str(), "{path}");
    }
    let platforms = package("packaging/npm/wrapper/package.json")["optionalDependencies"].clone();
    for (name, wanted) in platforms.as_object().expect("an object") {
        assert_eq!(wanted, version.as_str(), "{name}");
    }
}

#[test]
fn the_changelog_says_what_a_version_brings() {
    let notes = |version: &str| {
        Command::new("bash").arg(root().join("ci/changelog.sh")).arg(version).output().expect("bash starts")
    };
    let own = notes(&version());
    assert!(own.status.success() && own.stdout.len() > 100, "{}", String::from_utf8_lossy(&own.stderr));
    assert!(!String::from_utf8_lossy(&own.stdout).contains("\n## "), "only its own section");
    assert!(!notes("99.0.0").status.success());
}

/// A crate that is not published cannot be used by one that is.
#[test]
fn crates_that_are_published_use_only_crates_that_are() {
    let members = manifest("Cargo.toml")["workspace"]["members"].clone();
    let members: Vec<Table> = members
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| manifest(&format!("{}/Cargo.toml", it.as_str().expect("a path"))))
        .collect();
    let is_private = |it: &Table| it["package"].get("publish").and_then(toml::Value::as_bool) == Some(false);
    let name = |it: &Table| it["package"]["name"].as_str().expect("has a name").to_owned();
    let private: Vec<String> = members.iter().filter(|it| is_private(it)).map(name).collect();
    for member in members.iter().filter(|it| !is_private(it)) {
        let uses =
            member.get("dependencies").and_then(toml::Value::as_table).into_iter().flat_map(Table::keys);
        let wrong: Vec<&String> = uses.filter(|it| private.contains(it)).collect();
        assert!(wrong.is_empty(), "{} uses {wrong:?}", name(member));
    }
}

/// What a step of the workflow starts is there.
#[test]
fn the_release_starts_only_what_exists() {
    let workflow = std::fs::read_to_string(root().join(".github/workflows/release.yml")).expect("is there");
    let tasks = std::fs::read_to_string(root().join("xtask/src/main.rs")).expect("is there");
    let mut seen = 0;
    for line in workflow.lines() {
        if let Some((_, task)) = line.split_once("cargo xtask ") {
            let task = task.split_whitespace().next().unwrap_or_default();
            let variant = task[..1].to_uppercase() + &task[1..];
            assert!(tasks.contains(&format!("Task::{variant} ")), "{line}");
            seen += 1;
        }
        if let Some((_, script)) = line.split_once("bash ci/") {
            let script = script.split_whitespace().next().unwrap_or_default();
            assert!(root().join("ci").join(script).is_file(), "{line}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}
