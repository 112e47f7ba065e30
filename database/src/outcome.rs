//! What was seen, as the report says it.

use std::collections::BTreeMap;
use std::time::Duration;

use lockkeeper_core::report::{RehearsalError, RehearsalReport, RehearsedLock, RehearsedStep, RehearsedWait};
use lockkeeper_core::text::sanitise;

use crate::beside::Done;
use crate::locks::stops_writers;
use crate::quiet::Compared;
use crate::request::Request;
use crate::stage::Stage;
use crate::traffic::clients::Seen;

/// A statement in a report is not longer.
const STATEMENT: usize = 400;

/// The report of a rehearsal.
pub(crate) fn report(
    request: &Request,
    server: String,
    stage: Stage,
    steps: &[Done],
    seen: &Seen,
    compared: Compared,
) -> RehearsalReport {
    let (mut errors, before) = failed_clients(seen);
    let numbered = steps.iter().enumerate().map(|(at, it)| (at + 1, it));
    let quiet = compared.steps.iter().map(|it| (number_of(request, it), it));
    let all: Vec<(usize, &Done)> = numbered.chain(quiet).collect();
    let announced = announced(request, &mut errors);
    errors.extend(all.iter().filter_map(|(number, done)| failed_step(*number, done)));
    let max_wait = request.options.max_wait;
    // What was slow before the first step was not slow because of it.
    let waited = seen.longest.range(1..).any(|(_, (time, ..))| *time > max_wait);
    let is_fine = errors.is_empty() && compared.differences.is_empty() && !waited;
    let mut notes = stage.notes;
    notes.extend(compared.notes);
    notes.extend(announced);
    notes.extend(all.iter().flat_map(|(_, it)| it.measured.notes.iter().cloned()));
    if stage.running.calls.is_empty() {
        notes.push("no client ran beside it: it touches no table that was there before".to_owned());
    }
    for (number, done) in &all {
        let failed = errors.iter().any(|it| it.step == *number && it.direction == done.direction);
        if failed && done.direction == "up" && !done.step.before.is_empty() {
            let before = done.step.before.join("; ");
            notes.push(format!(
                "before step {number} must be so, and a rehearsal does nothing for it: {before}"
            ));
        }
    }
    notes.sort();
    notes.dedup();
    let mut differences = compared.differences;
    differences.iter_mut().for_each(|it| it.what = sanitise(&it.what, STATEMENT));
    RehearsalReport {
        version: 1,
        verdict: if is_fine { "pass" } else { "block" }.to_owned(),
        file: request.written.path.clone(),
        strategy: request.rewritten.as_ref().map(|it| it.strategy.clone()),
        server,
        seed: request.options.seed,
        max_wait: millis(max_wait),
        rows: stage.rows,
        steps: all.iter().map(|(number, done)| rehearsed(*number, done, seen)).collect(),
        errors,
        differences,
        unfilled: stage.unfilled.iter().chain(&before).map(|it| sanitise(it, STATEMENT)).collect(),
        notes: notes.iter().map(|it| sanitise(it, STATEMENT)).collect(),
    }
}

/// Takes out what the plan says itself: statements that were prepared before a swap fail once. Releases that know of it are not broken.
fn announced(request: &Request, errors: &mut Vec<RehearsalError>) -> Option<String> {
    const STALE: &str = "cached plan must not change result type";
    let must = request.rewritten.as_ref().map(|it| it.must.as_slice()).unwrap_or_default();
    let said = must.iter().find(|it| it.contains(STALE))?;
    let times: u64 = errors.iter().filter(|it| it.message == STALE).map(|it| it.times).sum();
    errors.retain(|it| it.message != STALE);
    (times > 0)
        .then(|| format!("{times} prepared statements failed with 0A000 {STALE}, as the plan says: {said}"))
}

fn number_of(request: &Request, done: &Done) -> usize {
    let steps = request.rewritten.as_ref().map(|it| it.steps.as_slice()).unwrap_or_default();
    steps.iter().position(|it| it.path == done.step.path).map_or(0, |it| it + 1)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Each different failure once, as the texts of messages may hold values; and, in words, what failed already before the first step: that
/// is no fault of the migration.
fn failed_clients(seen: &Seen) -> (Vec<RehearsalError>, Vec<String>) {
    let mut found: BTreeMap<(usize, &str, &str, &str), (String, u64)> = BTreeMap::new();
    for ((step, release, statement, failure), times) in &seen.failed {
        let key = (*step, release.as_str(), statement.as_str(), failure.sqlstate.as_str());
        found.entry(key).or_insert_with(|| (failure.message.clone(), 0)).1 += times.count;
    }
    let error = |((step, release, statement, sqlstate), (message, times)): (
        (usize, &str, &str, &str),
        (String, u64),
    )| {
        RehearsalError {
            step,
            direction: "up".to_owned(),
            release: Some(release.to_owned()),
            statement: sanitise(statement, STATEMENT),
            place: None,
            sqlstate: sqlstate.to_owned(),
            message: sanitise(&message, STATEMENT),
            times,
        }
    };
    let before: Vec<_> = found.range(..(1, "", "", "")).map(|(key, it)| (*key, it.clone())).collect();
    found.retain(|(step, ..), _| *step > 0);
    let before = before.iter().map(|((_, release, statement, sqlstate), (message, _))| {
        format!("{release} does not do {statement}: {sqlstate} {message}")
    });
    (found.into_iter().map(error).collect(), before.collect())
}

fn failed_step(number: usize, done: &Done) -> Option<RehearsalError> {
    let broken = done.measured.result.as_ref().err()?;
    Some(RehearsalError {
        step: number,
        direction: done.direction.to_owned(),
        release: None,
        statement: sanitise(&broken.statement, STATEMENT),
        place: Some(format!("{}:{}", broken.path, broken.line)),
        sqlstate: broken.failure.sqlstate.clone(),
        message: sanitise(&broken.failure.message, STATEMENT),
        times: 1,
    })
}

fn rehearsed(number: usize, done: &Done, seen: &Seen) -> RehearsedStep {
    let measured = &done.measured;
    let locks = measured.held.iter().map(|it| RehearsedLock {
        relation: sanitise(&it.relation, STATEMENT),
        mode: it.mode.to_owned(),
        milliseconds: millis(it.time),
    });
    let beside = done.direction == "up";
    let longest = seen.longest.get(&number).filter(|_| beside);
    let failures = seen.failed.iter().filter(|((step, ..), _)| beside && *step == number);
    RehearsedStep {
        number,
        direction: done.direction.to_owned(),
        title: sanitise(&done.step.title, STATEMENT),
        path: done.step.path.clone(),
        releases: done.releases.clone(),
        milliseconds: millis(measured.time),
        locks: locks.collect(),
        longest_wait: longest.map(|(time, release, statement)| RehearsedWait {
            milliseconds: millis(*time),
            release: release.clone(),
            statement: sanitise(statement, STATEMENT),
        }),
        rewritten: measured.rewritten.iter().map(|it| sanitise(it, STATEMENT)).collect(),
        retries: measured.retries,
        errors: failures.map(|(_, times)| times.count).sum(),
    }
}

/// The lock that a reader of the report looks for: the longest of those that stop somebody who writes.
pub fn longest_lock(step: &RehearsedStep) -> Option<&RehearsedLock> {
    step.locks.iter().filter(|it| stops_writers(&it.mode)).max_by_key(|it| it.milliseconds)
}
