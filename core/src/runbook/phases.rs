//! The phases with all that people need around their migrations.

use super::{Brief, Stage};
use crate::engine::Watch;
use crate::estimate::Range;
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, Step};
use crate::quantity::Seconds;
use crate::signals::answer::WayBack;
use crate::strategies::{Course, RELEASE_BACK, stopped_from};

/// Minutes of the way back of migrations that only change the catalog.
const CATALOG: Range = Range { low: 0.5, likely: 2.0, high: 10.0 };

/// All stages, with the assessment before and the verification where it belongs.
pub(super) fn stages(brief: &Brief<'_>) -> Vec<Stage> {
    let phases = &brief.strategy.phases;
    let stopped = stopped_from(brief.course(), phases);
    let mut stages = vec![assessment(brief)];
    let mut verified = false;
    for (at, phase) in phases.iter().enumerate() {
        if phase.kind == PhaseKind::Contract && !verified && !brief.course().stops() {
            stages.extend(verification(brief));
            verified = true;
        }
        stages.push(stage(brief, at, phase.clone(), stopped.is_some_and(|from| at >= from)));
    }
    if !verified {
        stages.extend(verification(brief));
    }
    if let Some(last) = stages.iter_mut().rev().find(|it| it.phase.kind == PhaseKind::Contract) {
        clean_up(brief, last);
    }
    stages
}

/// A phase of the strategy, by its place in it.
fn stage(brief: &Brief<'_>, at: usize, mut phase: Phase, stopped: bool) -> Stage {
    if phase.entry.is_empty() {
        phase.entry.push(entry(brief, &phase, stopped));
    }
    if let Some(restored) = backup_first(brief, &phase) {
        phase.entry.push(restored);
    }
    soak(brief, &mut phase, stopped);
    ramp(brief, &mut phase);
    let integrity = integrity(brief, &phase);
    if phase.exit.is_empty() {
        phase.exit.push(integrity.clone());
    }
    let (trigger, measured) = trigger(brief, &phase, stopped);
    phase.trigger = trigger;
    let costs = brief.strategy.costs.steps.iter().filter(|it| it.phase == at).cloned().collect();
    let (back, loses) = way_back(brief, &phase, stopped);
    Stage {
        gate: gate(&phase, stopped),
        owner: owner(brief, &phase),
        integrity,
        measured,
        back,
        loses,
        costs,
        kept: None,
        left: 0,
        phase,
    }
}

/// Before anything that takes a lock: nobody holds the table for long.
fn entry(brief: &Brief<'_>, phase: &Phase, stopped: bool) -> Criterion {
    if stopped {
        return Criterion::of_people("the application is stopped, and its connections are gone");
    }
    if phase.migrations().next().is_none() {
        return Criterion::of_people("the phase before has met its exit criteria");
    }
    match brief.watch_tables(|tables| Watch::LongestTransaction { tables }) {
        Some(query) => Criterion::answered(
            "no transaction on these tables is older than the lock timeout",
            query,
            Some("under 2".to_owned()),
        ),
        _ => Criterion::of_people("no long transaction is open"),
    }
}

/// What loses something waits for a backup that was restored.
fn backup_first(brief: &Brief<'_>, phase: &Phase) -> Option<Criterion> {
    let loses = phase.kind == PhaseKind::Contract || (brief.nature.loses_values && brief.course().stops());
    if !loses || phase.entry.iter().any(Criterion::asks_for_a_backup) {
        return None;
    }
    Some(Criterion::of_backup(match &brief.situation.maturity.restored {
        Some(when) => format!("the data of this day (the last restore that is known: {when})"),
        None => "the data of this day (no restore is known, so this phase waits for one)".to_owned(),
    }))
}

/// Behind a release nothing moves until it has proved itself.
fn soak(brief: &Brief<'_>, phase: &mut Phase, stopped: bool) {
    let released = phase.releases().next().is_some();
    if stopped || !released {
        return;
    }
    let hours = brief.limits.soak_hours;
    phase.leave_with(Criterion::of_people(format!(
        "the release has run everywhere for {hours} h with errors and p99 within the thresholds below"
    )));
}

/// Reads move a share of the users at a time.
fn ramp(brief: &Brief<'_>, phase: &mut Phase) {
    if brief.course() != Course::Gradual
        || phase.kind != PhaseKind::Cutover
        || phase.releases().next().is_none()
    {
        return;
    }
    let hours = brief.limits.soak_hours;
    let at = phase.steps.iter().rposition(|it| matches!(it, Step::Release(_))).map_or(0, |at| at + 1);
    let mut steps = Vec::new();
    if let Some(flag) = &brief.situation.flags {
        steps.push(people(format!(
            "shadow reads: with {flag} off, read the new beside the old for a share of the requests and compare; no difference in {hours} h"
        )));
    }
    steps.extend([1, 10, 50, 100].map(|share| {
        let moved = match &brief.situation.flags {
            Some(flag) => format!("turn {flag} on for {share} % of the users"),
            None => format!("let the release reach {share} % of the instances"),
        };
        people(format!(
            "{moved}, and wait {hours} h: errors within {} %, p99 within 110 % of the baseline",
            brief.limits.error_percent
        ))
    }));
    phase.steps.splice(at..at, steps);
    let Some(flag) = &brief.situation.flags else { return };
    for step in &mut phase.steps {
        if let Step::Release(ReleaseStep { must }) = step {
            must.push(format!("read the new only where {flag} says so, and the old elsewhere"));
            break;
        }
    }
}

/// What is checked of the data at the end of a phase.
fn integrity(brief: &Brief<'_>, phase: &Phase) -> Criterion {
    let counted = phase
        .exit
        .iter()
        .chain(&phase.entry)
        .find(|it| it.query.is_some() && it.expected.as_deref() == Some("0"));
    if let Some(own) = counted.filter(|_| {
        matches!(
            phase.kind,
            PhaseKind::Backfill | PhaseKind::Cutover | PhaseKind::Verification | PhaseKind::Contract
        )
    }) {
        return own.clone();
    }
    match unfinished(brief).filter(|_| phase.kind != PhaseKind::Expand) {
        Some(criterion) => criterion,
        None => Criterion::of_people(
            "the migrations ended without an error, and the runner lists them as applied",
        ),
    }
}

/// Nothing that the change began is left half done.
fn unfinished(brief: &Brief<'_>) -> Option<Criterion> {
    let query = brief.watch_tables(|tables| Watch::Unfinished { tables })?;
    Some(Criterion::counts_nothing("no index is half built and no constraint is left unvalidated", query))
}

/// When a phase is undone, and where that is measured.
fn trigger(brief: &Brief<'_>, phase: &Phase, stopped: bool) -> (String, String) {
    let errors = brief.limits.error_percent;
    let of_application = match brief.situation.maturity.errors_measured {
        true => "the application's error rate and latency, where the baseline was taken",
        false => {
            "nothing is known to measure it here: set an alert on the error rate before this phase, or somebody watches the log"
        }
    };
    if stopped {
        let longest = brief
            .strategy
            .costs
            .downtime
            .map_or("the estimated time".to_owned(), |it| Seconds(it.high).to_string());
        return (
            format!(
                "the window has lasted {longest} and the migrations are not through, or the new release does not start"
            ),
            "the clock of whoever leads the window".to_owned(),
        );
    }
    match phase.kind {
        PhaseKind::Backfill => (
            format!(
                "a replica lags more than {} s (it pauses by itself) for 10 minutes, more than {errors} % of the application's statements fail, or p99 is over 110 % of the baseline for 5 minutes",
                brief.limits.pause_seconds
            ),
            "the backfill's own notices, and the application's error rate and latency".to_owned(),
        ),
        PhaseKind::Verification if phase.migrations().next().is_none() => (
            "one row differs, or one statement still names the old".to_owned(),
            "the queries of this phase".to_owned(),
        ),
        PhaseKind::Contract => (
            format!("one error names {}", brief.going.first().map_or("what was taken away", String::as_str)),
            "the application's and the server's error log".to_owned(),
        ),
        PhaseKind::DualWrite => (
            format!("more than {errors} % of the writes to both fail, or one row differs"),
            of_application.to_owned(),
        ),
        PhaseKind::Assessment | PhaseKind::Expand | PhaseKind::Cutover | PhaseKind::Verification => (
            format!(
                "more than {errors} % of the statements on these tables fail over 5 minutes, or p99 is over 110 % of the baseline"
            ),
            of_application.to_owned(),
        ),
    }
}

fn gate(phase: &Phase, stopped: bool) -> Option<&'static str> {
    let migrates = phase.migrations().next().is_some();
    match phase.kind {
        _ if stopped && migrates => Some("window"),
        PhaseKind::Contract if migrates => Some("destructive"),
        PhaseKind::Backfill if phase.migrations().any(|it| it.job().is_some()) => Some("backfill"),
        _ if migrates => Some("apply"),
        _ => None,
    }
}

fn owner(brief: &Brief<'_>, phase: &Phase) -> String {
    let signs = brief.situation.owner.as_deref();
    match phase.kind {
        PhaseKind::Contract => signs.map_or(
            "whoever owns the data (`owner` under [facts]) signs; the database's people run it".to_owned(),
            |it| format!("{it} signs; the database's people run it"),
        ),
        _ if phase.releases().next().is_some() && phase.migrations().next().is_none() => {
            "the application's people".to_owned()
        }
        _ if phase.releases().next().is_some() => {
            "the database's people, and the application's for the release".to_owned()
        }
        _ => "the database's people".to_owned(),
    }
}

fn way_back(brief: &Brief<'_>, phase: &Phase, stopped: bool) -> (Range, String) {
    let costs = &brief.strategy.costs;
    let nothing = || "nothing".to_owned();
    if stopped {
        let loses = if costs.way_back.loses { costs.way_back.point_of_no_return.clone() } else { nothing() };
        return (costs.way_back.minutes, loses);
    }
    match phase.kind {
        PhaseKind::Contract => {
            let loses = match brief.nature.loses_values {
                true => "what was dropped is in the backup and the archive only".to_owned(),
                false => "nothing, but the old has to be built and filled again".to_owned(),
            };
            (RELEASE_BACK, loses)
        }
        PhaseKind::Cutover if brief.course() == Course::Gradual => (costs.way_back.minutes, nothing()),
        _ if phase.releases().next().is_some() => (RELEASE_BACK, nothing()),
        PhaseKind::Backfill
            if brief.nature.loses_values && phase.migrations().any(|it| it.down.is_none()) =>
        {
            (CATALOG, "the values before it are in the backup only".to_owned())
        }
        _ => (CATALOG, nothing()),
    }
}

fn check(criterion: Criterion) -> Step {
    Step::Check(criterion)
}

fn people(text: impl Into<String>) -> Step {
    check(Criterion::of_people(text))
}

/// What is looked at before anything is changed.
fn assessment(brief: &Brief<'_>) -> Stage {
    let mut steps = Vec::new();
    let mut ask = |text: &str, query: Option<String>, expected: Option<String>| {
        steps.extend(query.map(|query| check(Criterion::answered(text, query, expected))));
    };
    ask(
        "baseline: write down calls, mean and longest time of the statements on these tables, and the application's error rate, p50 and p99 of a normal day",
        brief.watch_tables(|tables| Watch::Baseline { tables }),
        None,
    );
    ask(
        "size: rows and bytes, against what the estimates assume",
        brief.watch_tables(|tables| Watch::Sizes { tables }),
        None,
    );
    ask(
        "the longest transaction on these tables, in seconds, at the hour of the change",
        brief.watch_tables(|tables| Watch::LongestTransaction { tables }),
        Some("under 2".to_owned()),
    );
    if brief.situation.replicas {
        ask(
            "the replicas follow, in seconds",
            brief.watch(&Watch::Lag),
            Some(format!("under {}", brief.limits.lag_seconds)),
        );
    }
    steps.push(people(match &brief.situation.maturity.restored {
        Some(when) => format!("restore: the last backup that was restored and checked: {when}"),
        None => "restore: restore a backup somewhere and check it; no restore is known".to_owned(),
    }));
    steps.push(people(format!(
        "duration: `lockkeeper rehearse {} --strategy {}` on rows like production's, or the steps on a copy of it; its times replace the estimates",
        brief.file,
        brief.course().way().map_or("maintenance-window", crate::plan::Way::id)
    )));
    if brief.nature.breaks_users {
        let found = match brief.consumers.len() {
            0 => "none was found in this repository".to_owned(),
            count => format!("{count} stand in the list of consumers, each with when it changes"),
        };
        steps.push(people(format!(
            "consumers: everybody who uses {}: {found}; add who is missing",
            brief.going.join(", ")
        )));
    }
    steps.push(people(
        "agreement: who carries out each phase, who is called when a threshold is crossed, when each is done",
    ));
    let mut phase = Phase::new(PhaseKind::Assessment, "look before anything is changed", steps)
        .enter_when(Criterion::of_people("the strategy is approved"))
        .leave_when(Criterion::of_people("each of these has its answer written down beside it"))
        .undone_by("nothing was changed", "");
    phase.trigger =
        "a number is so far from what was assumed that another strategy would be chosen".to_owned();
    let integrity = Criterion::of_people("nothing was changed");
    Stage {
        gate: Some("strategy"),
        ..Stage::of_people(phase, integrity, "the flip points of the recommendation")
    }
}

/// What is compared before the old goes, or after the change where nothing goes; nothing where nobody used anything of it before.
fn verification(brief: &Brief<'_>) -> Option<Stage> {
    let mut steps = Vec::new();
    let compared = brief.strategy.phases.iter().flat_map(|it| it.exit.iter().chain(&it.entry));
    let mut compared: Vec<&Criterion> =
        compared.filter(|it| it.query.is_some() && it.expected.as_deref() == Some("0")).collect();
    compared.dedup();
    steps.extend(
        compared
            .into_iter()
            .take(4)
            .map(|it| check(Criterion { text: format!("again, over all rows: {}", it.text), ..it.clone() })),
    );
    for relation in brief.tables {
        let rows = brief.situation.sizes.as_ref().and_then(|it| it.of(relation)).map(|it| it.rows);
        let table = &relation.sql(brief.dialect());
        if let Some(query) = brief.watch(&Watch::Sample { table, rows }) {
            let text = format!("1,000 rows from everywhere in {table}: a person reads old beside new");
            steps.push(check(Criterion::answered(text, query, None)));
        }
    }
    steps.extend(unfinished(brief).map(check));
    if brief.nature.breaks_users {
        steps.extend(unused(brief));
        steps.push(people(
            "every consumer in the list says that it has moved: jobs, caches, contracts, dashboards too",
        ));
    }
    if brief.nature.loses_values {
        let archive = if brief.situation.is_bound_by("erasure") {
            "what is erased, and where copies of it are"
        } else {
            "what is dropped, transformed or filled with a default, and where it is kept"
        };
        steps.push(people(format!("written down: {archive}")));
        let signs = brief.situation.owner.as_deref().unwrap_or("the owner of the data");
        steps.push(people(format!("{signs} signs that the data are complete")));
    }
    if steps.is_empty() {
        return None;
    }
    let phase = Phase::new(PhaseKind::Verification, "compare, and see that nobody uses the old", steps)
        .enter_when(Criterion::of_people("the phases before have met their exit criteria"))
        .leave_when(Criterion::of_people(
            "every count is as expected, and everybody who has to sign has signed",
        ))
        .undone_by("nothing was changed here: go back by the phase before", "");
    let (trigger, measured) = trigger(brief, &phase, false);
    let integrity = Criterion::of_people("the comparison of this phase");
    Some(Stage::of_people(Phase { trigger, ..phase }, integrity, measured))
}

/// The server's own counters show whether the old is still named.
fn unused(brief: &Brief<'_>) -> Vec<Step> {
    let of = |going: &String| {
        let mut names: Vec<String> = going.split('.').map(ToOwned::to_owned).collect();
        names.reverse();
        let query = brief.watch(&Watch::Uses { names: &names })?;
        Some(check(Criterion::counts_nothing(
            format!("no statement names {going} since the counters were reset behind the last release"),
            query,
        )))
    };
    brief.going.iter().take(4).filter_map(of).collect()
}

/// What is left to do when the old is gone.
fn clean_up(brief: &Brief<'_>, stage: &mut Stage) {
    let mut left = Vec::new();
    if brief.nature.loses_values && !brief.situation.is_bound_by("erasure") {
        let kept = if brief.situation.is_bound_by("retention") {
            "for as long as the rule of retention says"
        } else {
            "until nobody could ask for them"
        };
        stage.phase.enter_with(Criterion::of_people(format!(
            "the values that go are copied to the archive, and are kept there {kept}{}",
            brief.situation.critical.as_ref().map_or(String::new(), |it| format!(" (critical: {it})"))
        )));
    }
    if brief.situation.is_bound_by("audit") {
        stage
            .phase
            .enter_with(Criterion::of_people("who drops what, when and why stands in the audit's record"));
    }
    let when = match brief.situation.way_back {
        WayBack::NotNeeded => "at once".to_owned(),
        WayBack::For(span) => format!("no sooner than {span} after the last release"),
        WayBack::Release => "no sooner than the next release but one".to_owned(),
    };
    let kept = format!("this is done {when}, so that going back stays possible until then");
    stage.phase.enter_with(Criterion::of_people(kept.clone()));
    stage.kept = Some(kept);
    left.push(people("clean up: the code that writes or reads the old, the flag, temporary alerts"));
    left.push(people("clean up: documentation, runbooks, diagrams and data dictionaries name the new"));
    left.push(people(
        "clean up: the files of this plan are kept with its report; a date is set for each item that is left",
    ));
    if brief.situation.is_bound_by("erasure") {
        left.push(people("clean up: backups and copies that still hold what must be erased are listed with the day on which they expire"));
    }
    stage.left = left.len();
    stage.phase.steps.extend(left);
}
