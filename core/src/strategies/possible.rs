//! What the situation rules out, and what would make it possible.

use super::costs::Costs;
use super::course::{Course, moves_reads};
use super::{Facts, weigh};
use crate::plan::{Phase, Way};
use crate::quantity::Seconds;
use crate::signals::answer::Downtime;
use crate::signals::{Loss, Situation};

/// Why a course is not possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The reason.
    pub reason: String,
    /// What would make it possible.
    pub unless: String,
}

fn excluded_by(reason: impl Into<String>, unless: impl Into<String>) -> Option<Excluded> {
    Some(Excluded { reason: reason.into(), unless: unless.into() })
}

/// Why a course is not possible in this situation.
pub(super) fn excluded(
    course: Course,
    phases: &[Phase],
    costs: &Costs,
    facts: &Facts<'_>,
) -> Option<Excluded> {
    let situation = facts.situation;
    match course {
        Course::AsWritten => as_written(costs, facts),
        Course::Window | Course::Prepared => window(course, phases, costs, facts),
        Course::Gradual => gradual(phases, situation).or_else(|| releases(costs, situation)),
        Course::Steps(way) => releases(costs, situation).or_else(|| elsewhere(way, situation)),
    }
}

fn as_written(costs: &Costs, facts: &Facts<'_>) -> Option<Excluded> {
    if let Some(why) = facts.fails {
        return excluded_by(format!("as it is written it fails: {why}"), "the migration is mended");
    }
    if facts.nature.breaks_users {
        let missed = facts.misses.first().map_or(String::new(), |it| format!(": {it}"));
        return excluded_by(
            format!("the running release fails from that moment on{missed}"),
            "no release that the change breaks is running",
        );
    }
    let tolerated = weigh::tolerated(facts.situation);
    match costs.blocked {
        None if costs.works_under_lock => excluded_by(
            "others wait while all rows are read or written, for a time that goes by the number of rows, which is not known",
            "the number of rows is known and small (table-rows)",
        ),
        Some(range) if range.high > tolerated => excluded_by(
            format!(
                "others may wait for {} while rows are read or written, and {} are accepted",
                range.in_words(),
                Seconds(tolerated)
            ),
            format!(
                "waits of {} are accepted (downtime-allowed), or the tables are smaller",
                Seconds(range.high)
            ),
        ),
        _ => None,
    }
}

fn window(course: Course, phases: &[Phase], costs: &Costs, facts: &Facts<'_>) -> Option<Excluded> {
    let situation = facts.situation;
    if course == Course::Prepared && !phases.iter().any(|it| it.releases().next().is_some()) {
        return excluded_by(
            "nothing is left for a window: no release stands between the steps",
            "the change needs a release",
        );
    }
    if let Some(why) = facts.fails.filter(|_| course == Course::Window) {
        return excluded_by(format!("as it is written it fails: {why}"), "the migration is mended");
    }
    let needed = costs.downtime.map(|it| Seconds(it.high));
    let unless = match needed {
        Some(needed) => format!("a window of {needed} can be announced (downtime-allowed)"),
        None => "a window can be announced (downtime-allowed), and the number of rows is known".to_owned(),
    };
    let Downtime::Window { longest, .. } = &situation.downtime else {
        return excluded_by("no maintenance window can be announced (downtime-allowed)", unless);
    };
    if let (Some(longest), Some(range)) = (longest, costs.downtime)
        && range.high > longest.0
    {
        return excluded_by(
            format!("the application would be stopped for {}, and the window is {longest}", range.in_words()),
            unless,
        );
    }
    if costs.way_back.loses && situation.loss == Loss::None {
        return excluded_by(
            "going back afterwards would lose what it drops or changes, and nothing may be lost (acceptable-loss)",
            "losing it by going back is accepted (acceptable-loss)",
        );
    }
    if situation.other_writers && course == Course::Prepared {
        return excluded_by(
            "programs elsewhere use these tables and would have to stop and be released in the same window (every-writer-is-here)",
            "every program that uses them is in this repository",
        );
    }
    None
}

fn gradual(phases: &[Phase], situation: &Situation) -> Option<Excluded> {
    if !moves_reads(phases) {
        return excluded_by("no reads move in this change", "the change replaces what is read");
    }
    if situation.other_writers {
        return excluded_by(
            "programs elsewhere read these tables and move at a time of their own (every-writer-is-here)",
            "every program that reads them is in this repository",
        );
    }
    None
}

fn releases(costs: &Costs, situation: &Situation) -> Option<Excluded> {
    let allowed = situation.releases?;
    let needed = costs.releases as u64;
    if needed <= allowed {
        return None;
    }
    excluded_by(
        format!(
            "it needs {needed} releases between the steps, and {allowed} are possible (releases-between-steps)"
        ),
        format!("{needed} releases are possible"),
    )
}

fn elsewhere(way: Way, situation: &Situation) -> Option<Excluded> {
    if way != Way::Application || !situation.other_writers {
        return None;
    }
    excluded_by(
        "other programs write these tables too, and would not write both (every-writer-is-here)",
        "every program that writes them is in this repository",
    )
}
