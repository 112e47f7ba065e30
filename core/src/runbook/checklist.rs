//! What a careful reader of a plan checks, answered by the plan itself: each point with its evidence, none ticked for the looks of it.

use super::{Brief, Stage, migrations};
use crate::plan::PhaseKind;
use crate::quantity::{Seconds, counted};
use crate::strategies::Course;

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
        thresholds(brief, stages),
        integrity(stages),
        reversible(brief, stages),
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
    if brief.course() == Course::Window {
        return item(POINT, true, "none is live in the window");
    }
    let Some(matrix) = brief.compatibility else {
        return item(POINT, false, "it was not computed for this change");
    };
    let live = matrix.states.iter().flat_map(|state| &state.beside).filter(|it| it.live);
    let evidence = match live.filter(|it| !it.misses.is_empty()).count() {
        0 => {
            let (states, releases) = (matrix.states.len(), matrix.releases + 1);
            return item(
                POINT,
                true,
                format!("{states} states of the schema replayed against {releases} releases"),
            );
        }
        count => format!("{count} live releases miss something: see the matrix"),
    };
    item(POINT, false, evidence)
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

fn thresholds(brief: &Brief<'_>, stages: &[Stage]) -> Item {
    const POINT: &str = "rollback triggers are thresholds, and something measures them";
    let judged = stages.iter().filter(|it| it.phase.migrations().next().is_some());
    let count = judged.count();
    match brief.situation.maturity.errors_measured || brief.course().stops() {
        true => {
            item(POINT, true, format!("a number for each of {count} phases, with the place where it is read"))
        }
        false => item(
            POINT,
            false,
            "nothing is known that measures the application's errors (application-monitoring)",
        ),
    }
}

fn integrity(stages: &[Stage]) -> Item {
    let asked = stages.iter().filter(|it| it.integrity.query.is_some()).count();
    item(
        "the data are checked at every boundary of phases",
        stages.iter().all(|it| !it.integrity.text.is_empty()),
        format!("{asked} of {} by a query, the others by what people see", stages.len()),
    )
}

fn reversible(brief: &Brief<'_>, stages: &[Stage]) -> Item {
    const POINT: &str = "every migration has a way back";
    let without: Vec<&str> =
        migrations(stages).filter(|it| it.down.is_none()).map(|it| it.name.as_str()).collect();
    if !without.is_empty() {
        return item(POINT, false, format!("none for {}", without.join(", ")));
    }
    let count = migrations(stages).count();
    let tried = match brief.course() {
        Course::AsWritten | Course::Window => "as it was written, and not replayed",
        _ => "replayed from the end to the beginning",
    };
    item(POINT, true, format!("{count} of {count}, {tried}"))
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
    const POINT: &str = "durations are estimated at production's scale";
    let steps = &brief.strategy.costs.steps;
    let longest = steps
        .iter()
        .map(|it| it.seconds.map(|it| it.high))
        .try_fold(0.0, |most: f64, it| Some(most.max(it?)));
    match longest {
        None => item(POINT, false, "the number of rows is not known (table-rows)"),
        Some(longest) => {
            let longest = Seconds(longest);
            item(
                POINT,
                true,
                format!(
                    "for the rows that were stated, the longest step at most {longest}; a rehearsal measures it"
                ),
            )
        }
    }
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
        Some(_) => {
            let kept = stages.iter().find_map(|it| it.kept.clone());
            item(POINT, kept.is_some(), kept.unwrap_or_else(|| "nothing says when".to_owned()))
        }
    }
}

fn clean_up(stages: &[Stage]) -> Item {
    let count: usize = stages.iter().map(|it| it.left).sum();
    let contracts = stages.iter().any(|it| it.phase.kind == PhaseKind::Contract);
    let evidence = match (contracts, count) {
        (false, _) => "nothing is left behind".to_owned(),
        (true, count) => format!("{count} things to do, each a step"),
    };
    item("cleaning up is part of the plan", !contracts || count > 0, evidence)
}
