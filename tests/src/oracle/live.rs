//! The statements of `statements.sql`, run on the server at hand and compared with the effect table.
//!
//! A line is a case: statements of earlier migrations, each ended by `;;`, then the statement. `-- family` starts a
//! family. `since`, `until` and `except` at the end, in a comment, say on which versions it is compared, and why.

use super::{Answer, after, effect_of, target};
use crate::cluster::cluster;
use crate::database::Database;
use crate::observe::{Mode, Observation, Running, observe};
use lockkeeper_core::catalog::Catalog;
use lockkeeper_core::dialect::{Dialect, Target};
use lockkeeper_core::effect::Effect;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const BASE: &str = include_str!("base.sql");
const STATEMENTS: &str = include_str!("statements.sql");
const WORKERS: usize = 4;
/// The server refuses the statement inside a transaction.
const ACTIVE_TRANSACTION: &str = "25001";

struct Case {
    family: &'static str,
    setup: Vec<String>,
    sql: String,
    /// Why the two may differ.
    except: Option<&'static str>,
}

fn cases(version: u32) -> Vec<Case> {
    let mut family = "";
    let mut cases = Vec::new();
    for line in STATEMENTS.lines().map(str::trim) {
        if let Some(title) = line.strip_prefix("-- ") {
            family = title;
        } else if !line.is_empty() {
            cases.extend(case(family, line, version));
        }
    }
    cases
}

fn case(family: &'static str, line: &'static str, version: u32) -> Option<Case> {
    let (line, remark) = line.split_once(" -- ").unwrap_or((line, ""));
    let bound = |word: &str| -> Option<u32> {
        let number = remark.split_once(word)?.1.split_whitespace().next()?;
        Some(number.trim_end_matches(',').parse().expect("a version is a number"))
    };
    if bound("since ").is_some_and(|since| version < since) || bound("until ").is_some_and(|it| version > it)
    {
        return None;
    }
    let mut parts: Vec<String> = line.split(";;").map(|part| part.trim().to_owned()).collect();
    let sql = parts.pop()?;
    Some(Case { family, setup: parts, sql, except: remark.split_once("except ").map(|(_, why)| why) })
}

fn base() -> Database {
    cluster().database_from("oracle", |database| {
        database.run(BASE);
        database.run("VACUUM (FREEZE, ANALYZE)");
    })
}

/// What the server does, and whether it does it inside a transaction.
fn observed(case: &Case) -> (Observation, bool) {
    let fresh = || {
        let database = base();
        for statement in &case.setup {
            database.run(statement);
        }
        database
    };
    let inside = observe(&fresh(), &[], &case.sql, Running::InTransaction);
    let refused = inside.error.as_ref().is_some_and(|error| error.sqlstate == ACTIVE_TRANSACTION);
    if !refused {
        return (inside, true);
    }
    (observe(&fresh(), &[], &case.sql, Running::Autocommit), false)
}

fn of_observation(seen: Observation) -> Answer {
    let fails = seen.error.map(|error| error.to_string());
    let Observation { locks, heap_rewrite, index_rebuild, full_scan, .. } = seen;
    Answer { fails, locks, heap_rewrite, index_rebuild, full_scan }
}

/// What differs, as lines.
fn disagreement(case: &Case, target: &Target, base: &Catalog) -> Vec<String> {
    let catalog = after(base.clone(), &case.setup, target);
    let effect = effect_of(&case.sql, target, &catalog);
    let (seen, transactional) = observed(case);
    let seen = of_observation(seen);
    let succeeds = seen.fails.is_none() && effect.fails.is_none() && effect.missing.is_none();
    let mut ours = Answer::of_effect(&effect);
    if !transactional {
        // Its locks are polled: what is held for less than a poll is missed.
        ours.locks.retain(|name, mode| seen.locks.get(name).is_some_and(|seen| seen >= mode));
        ours.locks.extend(weaker(&effect, &seen));
    }
    if case.sql.starts_with("VACUUM") && !case.sql.contains("FULL") {
        // What it reads goes by the visibility map, and that by when other sessions began: no fact of the statement.
        // The recorded facts, measured alone, still say it.
        ours.full_scan = seen.full_scan;
    }
    let mut lines: Vec<String> = ours.differences(&seen).iter().map(ToString::to_string).collect();
    if !effect.known {
        lines.push("nobody could read it".to_owned());
    }
    if succeeds && transactional != effect.transactional {
        lines.push(format!(
            "inside a transaction: we say {}, the server {transactional}",
            effect.transactional
        ));
    }
    lines
}

/// The locks that were seen weaker than we say, as they were seen.
fn weaker(effect: &Effect, seen: &Answer) -> Vec<(String, Mode)> {
    let ours = Answer::of_effect(effect).locks;
    let weaker = seen.locks.iter().filter(|(name, mode)| ours.get(*name).is_some_and(|ours| *mode < ours));
    weaker.map(|(name, mode)| (name.clone(), *mode)).collect()
}

#[test]
fn effects_agree_with_this_server() {
    let version = cluster().version();
    let mut target = target(version);
    target.time_zone = Some("UTC".to_owned());
    let catalog = after(Catalog::empty(Dialect::Postgres), &[BASE.to_owned()], &target);
    let cases = cases(version);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((number, case)) = next_of(&cases, &next) {
                    let lines = disagreement(case, &target, &catalog);
                    results.lock().expect("no worker panicked").insert(number, lines);
                }
            });
        }
    });
    let results = results.into_inner().expect("no worker panicked");
    report(version, &cases, &results);
}

fn next_of<'a>(cases: &'a [Case], next: &AtomicUsize) -> Option<(usize, &'a Case)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    cases.get(number).map(|case| (number, case))
}

/// Agreement by family; then fails with what was not expected to differ.
fn report(version: u32, cases: &[Case], results: &BTreeMap<usize, Vec<String>>) {
    let mut families: Vec<(&str, usize, usize, usize)> = Vec::new();
    let mut unexpected = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        if families.last().is_none_or(|(family, ..)| *family != case.family) {
            families.push((case.family, 0, 0, 0));
        }
        let (_, all, agreeing, excepted) = families.last_mut().expect("one was pushed");
        *all += 1;
        match (results[&number].as_slice(), case.except) {
            ([], None) => *agreeing += 1,
            ([], Some(why)) => unexpected.push(format!("{}\n      agrees, but is excepted: {why}", case.sql)),
            (_, Some(_)) => *excepted += 1,
            (lines, None) => {
                unexpected.push(format!("{} {:?}\n      {}", case.sql, case.setup, lines.join("\n      ")));
            }
        }
    }
    eprintln!("PostgreSQL {version}: {} statements", cases.len());
    for (family, all, agreeing, excepted) in families {
        eprintln!("{agreeing:>5} of {all:>3} agree, {excepted} excepted: {family}");
    }
    let count = unexpected.len();
    assert!(unexpected.is_empty(), "{count} disagree on {version}:\n{}", unexpected.join("\n"));
}

#[test]
fn the_list_is_long_enough() {
    assert!(cases(18).len() >= 250, "{}", cases(18).len());
}
