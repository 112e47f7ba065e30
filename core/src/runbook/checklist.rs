//! What a careful reader of a plan checks, answered by the plan itself: each point with its evidence, none ticked for the looks of it.

use super::{Brief, Stage, checks, migrations};
use crate::plan::{Criterion, PhaseKind};
use crate::quantity::counted;

/// One point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is checked.
    pub point: &'static str,
    /// Whether it is so.
    pub holds: bool,
    /// What shows it, or what is missing.
    pub evidence: String,
}

/// All points.
pub fn checklist(brief: &Brief<'_>, stages: &[Stage]) -> Vec<Item> {
    vec![
        beside_the_running_release(brief),
        criteria(stages),
        thresholds(stages),
        integrity(stages),
        reversible(stages),
        no_return(brief, stages),
        duration(brief),
        batches(stages),
        consumers(brief),
        restored(brief),
        kept_until(brief, stages),
        clean_up(stages),
    ]
}

fn item(point: &'static str, holds: bool, evidence: impl Into<String>) -> Item {
    Item { point, holds, evidence: evidence.into() }
}

fn beside_the_running_release(brief: &Brief<'_>) -> Item {
    const POINT: &str = "every release that is live at a step works beside the schema of that step";
    if brief.course().stops() {
        return item(
            POINT,
            true,
            "in the window none is live; before it the running one was replayed against every step",
        );
    }
    let Some(matrix) = brief.compatibility else {
        return item(POINT, false, "it was not computed for this change");
    };
    let broken =
        matrix.states.iter().flat_map(|state| &state.beside).filter(|it| it.live && !it.misses.is_empty());
    match broken.count() {
        0 => item(
            POINT,
            true,
            format!(
                "{} states of the schema replayed against {} releases",
                matrix.states.len(),
                matrix.releases + 1
            ),
        ),
        count => item(POINT, false, format!("{count} live releases miss something: see the matrix")),
    }
}

fn criteria(stages: &[Stage]) -> Item {
    let without: Vec<&str> = stages
        .iter()
        .filter(|it| it.phase.entry.is_empty() || it.phase.exit.is_empty() || it.phase.steps.is_empty())
        .map(|it| it.phase.kind.id())
        .collect();
    let evidence = match without.is_empty() {
        true => format!("{} phases, each with both", stages.len()),
        false => format!("missing in {}", without.join(", ")),
    };
    item("every phase has entry criteria, steps and exit criteria", without.is_empty(), evidence)
}

fn thresholds(stages: &[Stage]) -> Item {
    let vague: Vec<&str> = stages
        .iter()
        .filter(|it| it.phase.kind != PhaseKind::Assessment)
        .filter(|it| {
            !it.phase.trigger.chars().any(|it| it.is_ascii_digit()) && !it.phase.trigger.contains("one ")
        })
        .map(|it| it.phase.kind.id())
        .collect();
    let evidence = match vague.is_empty() {
        true => "each is a number, with the place where it is measured".to_owned(),
        false => format!("no number in {}", vague.join(", ")),
    };
    item("rollback triggers are thresholds that can be measured", vague.is_empty(), evidence)
}

fn integrity(stages: &[Stage]) -> Item {
    let asked = stages.iter().filter(|it| it.integrity.query.is_some()).count();
    item(
        "the data are checked at every boundary of phases",
        stages.iter().all(|it| !it.integrity.text.is_empty()),
        format!("{asked} of {} by a query, the others by what people see", stages.len()),
    )
}

fn reversible(stages: &[Stage]) -> Item {
    let without: Vec<&str> =
        migrations(stages).filter(|it| it.down.is_none()).map(|it| it.name.as_str()).collect();
    let count = migrations(stages).count();
    match without.is_empty() {
        true => item(
            "every migration has a way back",
            true,
            format!("{count} of {count}, replayed from the end to the beginning"),
        ),
        false => item("every migration has a way back", false, format!("none for {}", without.join(", "))),
    }
}

fn no_return(brief: &Brief<'_>, stages: &[Stage]) -> Item {
    let gated = stages.iter().filter(|it| it.phase.kind == PhaseKind::Contract).all(|it| it.gate.is_some());
    item(
        "the point of no return is named and behind a gate",
        gated,
        brief.strategy.costs.way_back.point_of_no_return.clone(),
    )
}

fn duration(brief: &Brief<'_>) -> Item {
    let costs = &brief.strategy.costs;
    let known = brief.situation.sizes.is_some();
    let evidence = match (
        known,
        costs.steps.iter().filter_map(|it| it.seconds).map(|it| it.high).fold(0.0, f64::max),
    ) {
        (false, _) => "the number of rows is not known".to_owned(),
        (true, longest) => format!(
            "estimated for the rows that were stated, the longest step at most {}; a rehearsal measures it",
            crate::quantity::Seconds(longest)
        ),
    };
    item("durations are estimated at production's scale", known, evidence)
}

fn batches(stages: &[Stage]) -> Item {
    const POINT: &str = "backfills are batched, throttled, idempotent and restartable";
    let jobs: Vec<_> = migrations(stages).filter_map(|it| it.job()).collect();
    let Some(largest) = jobs.iter().map(|it| it.batch_rows).max() else {
        return item(POINT, true, "there is none");
    };
    let throttled =
        jobs.iter().all(|it| it.pause_lag_seconds > 0 && it.resume_lag_seconds <= it.pause_lag_seconds);
    item(
        POINT,
        throttled && jobs.iter().all(|it| !it.pending.is_empty()),
        format!(
            "batches of at most {} rows; a row that is done is never touched again; paused at {} s of lag",
            counted(largest),
            jobs[0].pause_lag_seconds
        ),
    )
}

fn consumers(brief: &Brief<'_>) -> Item {
    const POINT: &str = "every consumer is listed with when it moves";
    if !brief.nature.breaks_users {
        return item(POINT, true, "nothing that anybody uses goes");
    }
    let listed = brief.consumers.iter().all(|it| !it.path.is_empty());
    match brief.consumers.len() {
        0 => item(
            POINT,
            false,
            "none was found in this repository, and nobody has said that there is none (other-consumers)",
        ),
        count => item(POINT, listed, format!("{count} places")),
    }
}

fn restored(brief: &Brief<'_>) -> Item {
    const POINT: &str = "a backup was restored and checked";
    match &brief.situation.maturity.restored {
        Some(when) => item(POINT, true, when.clone()),
        None => item(POINT, false, "no restore is known (verified-backup)"),
    }
}

fn kept_until(brief: &Brief<'_>, stages: &[Stage]) -> Item {
    const POINT: &str = "the old stays until nobody needs it";
    let contracts: Vec<&Stage> = stages.iter().filter(|it| it.phase.kind == PhaseKind::Contract).collect();
    match contracts.first() {
        None => item(POINT, true, "nothing old goes in a phase of its own"),
        Some(first) if brief.course().stops() => {
            item(POINT, !brief.strategy.costs.way_back.loses, first.loses.clone())
        }
        Some(first) => {
            let said = |it: &&Criterion| it.text.contains("going back stays possible");
            let evidence = first.phase.entry.iter().find(said).map(|it| it.text.clone());
            item(POINT, evidence.is_some(), evidence.unwrap_or_else(|| "nothing says when".to_owned()))
        }
    }
}

fn clean_up(stages: &[Stage]) -> Item {
    let count = checks(stages).filter(|it| it.text.starts_with("clean up")).count();
    let contracts = stages.iter().any(|it| it.phase.kind == PhaseKind::Contract);
    let evidence = match (contracts, count) {
        (false, _) => "nothing is left behind".to_owned(),
        (true, count) => format!("{count} things to do, each a step"),
    };
    item("cleaning up is part of the plan", !contracts || count > 0, evidence)
}
