//! The facts of 19, measured by this harness and kept: `cargo xtask oracle --bin-dir DIR --record` writes them anew.
//! `LOCKKEEPER_FACTS_RECORD=REINDEX` with the test alone measures only statements with that word.

use super::{Fact, Lock, Measured, measured_summary, read, summary};
use crate::cluster::cluster;
use crate::observe::{Mode, Observation, requested};
use std::path::Path;

/// The file, beside that of the older versions; it is the list of statements too.
pub(super) const FILE: &str = "postgres-19-locks.json";
const VERSION: u32 = 19;
/// Every so many facts are looked at again in the gate of a machine with that server.
const SAMPLE: usize = 12;
/// The tables of the base that statements name.
const TABLES: &[&str] = &["big", "ev", "ev_1", "small", "parent", "child", "nopk"];

#[test]
fn what_is_kept_of_nineteen_is_what_it_does() {
    let mut facts = read(FILE);
    assert!(facts.len() >= 336, "{}", facts.len());
    if cluster().version() != VERSION {
        return;
    }
    make_places();
    if let Ok(only) = std::env::var("LOCKKEEPER_FACTS_RECORD") {
        for fact in facts.iter_mut().filter(|it| it.sql.contains(&only)) {
            let measured = measured(fact);
            fact.versions.insert(VERSION.to_string(), measured);
        }
        return write(&facts);
    }
    let sample = facts.iter().step_by(SAMPLE).filter(|fact| fact.on(VERSION).is_some());
    let differs = |fact: &&Fact| {
        let kept = measured_summary(fact.on(VERSION).expect("it was filtered"));
        let seen = observed(fact).map(|it| summary(&it)).unwrap_or_default();
        (seen != kept).then(|| format!("{}\n  kept {kept}\n  seen {seen}", fact.sql))
    };
    let different: Vec<String> = sample.filter_map(|it| differs(&it)).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What the statements name and the base does not hold, because it belongs to the server.
fn make_places() {
    let there = |sql: &str| cluster().administrate(sql) != "0";
    if !there("SELECT count(*) FROM pg_roles WHERE rolname = 'app_role'") {
        cluster().administrate("CREATE ROLE app_role");
    }
    if !there("SELECT count(*) FROM pg_tablespace WHERE spcname = 'ts1'") {
        cluster().administrate("ALTER TABLESPACE spare RENAME TO ts1");
    }
}

/// What a statement does. Outside a transaction locks are polled, and a moment is missed: then what it asks for beside a reader counts too.
fn observed(fact: &Fact) -> Option<Observation> {
    let mut all = fact.try_observe()?;
    if !fact.autocommit || all.error.is_some() {
        return Some(all);
    }
    let mut more: Vec<(String, Mode)> = fact.try_observe()?.locks.into_iter().collect();
    more.extend(TABLES.iter().filter(|it| fact.names(it)).filter_map(|table| {
        let database = fact.prepared()?;
        Some(((*table).to_owned(), requested(&database, &fact.sql, table)?))
    }));
    // A moment that was seen once is not forgotten because it was missed the next time.
    more.extend(fact.on(VERSION).map(Measured::locks).unwrap_or_default());
    for (relation, mode) in more {
        let strongest = all.locks.entry(relation).or_insert(mode);
        *strongest = mode.max(*strongest);
    }
    Some(all)
}

fn measured(fact: &Fact) -> Measured {
    let Some(observation) = observed(fact) else {
        return Measured { setup_failed: true, ..Measured::default() };
    };
    let Observation { error, locks, heap_rewrite, index_rebuild, full_scan } = observation;
    let locks =
        locks.into_iter().map(|(relation, mode)| Lock { relation, mode: mode.title().to_owned() }).collect();
    let error = error.map(|it| format!("{} {}", it.sqlstate, it.message));
    Measured { setup_failed: false, error, locks, heap_rewrite, index_rebuild, full_scan }
}

/// One line for each fact, as in the file beside it.
fn write(facts: &[Fact]) {
    let lines: Vec<String> =
        facts.iter().map(|it| serde_json::to_string(it).expect("a fact is JSON")).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/facts").join(FILE);
    std::fs::write(path, format!("[\n{}\n]\n", lines.join(",\n"))).expect("the fixture can be written");
}
