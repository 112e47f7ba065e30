//! What a course costs those who live with it, in points: each criterion with its amount, its weight, and the fact or answer that the
//! weight comes from. Fewer points are better. A point is about what one more migration to review is worth.

use super::costs::Costs;
use super::course::{Course, moves_reads};
use crate::plan::Phase;
use crate::quantity::{Seconds, bytes, grouped};
use crate::recipes;
use crate::signals::answer::{Downtime, WayBack};
use crate::signals::{Loss, Situation};

/// One criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// What is weighed.
    pub criterion: &'static str,
    /// How much of it there is, in words.
    pub amount: String,
    /// The points.
    pub points: f64,
    /// Where its weight comes from.
    pub because: String,
}

/// All points.
pub fn points(weighed: &[Weighed]) -> f64 {
    weighed.iter().map(|it| it.points).sum()
}

/// Seconds of waiting that count where work under a lock has an unknown size.
const UNKNOWN_WAIT: f64 = 600.0;

/// What is weighed of a course; criteria of which it has nothing are left out.
pub(super) fn weigh(course: Course, phases: &[Phase], costs: &Costs, situation: &Situation) -> Vec<Weighed> {
    let all = [
        waiting(costs, situation),
        moments(costs, situation),
        downtime(course, costs, situation),
        releases(course, costs),
        migrations(course, costs, situation),
        elapsed(costs),
        loss(costs, situation),
        way_back(costs, situation),
        triggers(phases, situation),
        dual_code(course, situation),
        exposure(course, phases, situation),
        load(costs, situation),
    ];
    all.into_iter().flatten().filter(|it| it.points > 0.0).collect()
}

/// What a second of waiting weighs: the less downtime is promised, the more.
fn weight_of_waiting(situation: &Situation) -> (f64, String) {
    match situation.availability {
        None => (1.0, "no availability is promised".to_owned()),
        Some(share) => {
            // Seconds a month that the promise leaves; a weight of five at 99.9 percent.
            let budget = (100.0 - share).max(0.001) / 100.0 * 30.0 * 86_400.0;
            let weight = (5.0 * (2_592.0 / budget).sqrt()).clamp(1.0, 50.0);
            (weight, format!("{share} % leaves {} a month", Seconds(budget)))
        }
    }
}

/// How many people a second of waiting meets.
fn crowd(situation: &Situation) -> f64 {
    (0.5 + situation.writes.max(1.0).log10() / 2.0).clamp(0.5, 3.0)
}

/// Waiting that nobody minds, in seconds.
pub(super) fn tolerated(situation: &Situation) -> f64 {
    match &situation.downtime {
        Downtime::None => 0.5,
        Downtime::Wait(Seconds(seconds)) => *seconds,
        Downtime::Window { .. } => 10.0,
    }
}

/// What a second of waiting weighs that is accepted: somebody waits all the same.
const ACCEPTED: f64 = 0.5;

fn waiting(costs: &Costs, situation: &Situation) -> Option<Weighed> {
    let seconds = match costs.blocked {
        Some(range) => range.likely,
        None if costs.works_under_lock => UNKNOWN_WAIT,
        None => 0.0,
    };
    let accepted = seconds.min(tolerated(situation));
    let (weight, because) = weight_of_waiting(situation);
    let amount = match costs.blocked {
        Some(range) => format!("others wait for {} while rows are read or written", range.in_words()),
        None => "others wait for a time that goes by the number of rows, which is not known".to_owned(),
    };
    Some(Weighed {
        criterion: "waiting",
        amount,
        points: (accepted * ACCEPTED + (seconds - accepted) * weight) * crowd(situation),
        because,
    })
}

fn moments(costs: &Costs, situation: &Situation) -> Option<Weighed> {
    let long = situation.longest_transaction.filter(|it| it.0 > 2.0);
    let (factor, because) = match long {
        Some(longest) => (3.0, format!("a transaction of {longest} lets a lock time out again and again")),
        None => (1.0, "each lasts up to the lock timeout of 2 s".to_owned()),
    };
    Some(Weighed {
        criterion: "locks for a moment",
        amount: format!("{} times", costs.stops),
        points: 0.5 * factor * crowd(situation) * costs.stops as f64,
        because,
    })
}

fn downtime(course: Course, costs: &Costs, situation: &Situation) -> Option<Weighed> {
    if !course.stops() {
        return None;
    }
    let minutes = costs.downtime.map_or(UNKNOWN_WAIT / 60.0, |it| it.likely / 60.0);
    let quiet = situation.quiet_hours.as_deref().is_some_and(|it| it != "never");
    let (people, because) = match quiet {
        true => (15.0, "there are quiet hours, and people for them"),
        false => (30.0, "it must be announced, and somebody must be there"),
    };
    let amount = costs.downtime.map_or("unknown".to_owned(), |it| it.in_words());
    Some(Weighed {
        criterion: "downtime",
        amount: format!("the application is stopped for {amount}"),
        points: people + 2.0 * minutes * crowd(situation),
        because: because.to_owned(),
    })
}

fn releases(course: Course, costs: &Costs) -> Option<Weighed> {
    let (each, because) = match course.stops() {
        true => (10.0, "it goes out in the window, in one move"),
        false => (20.0, "each must be out everywhere before the next step"),
    };
    Some(Weighed {
        criterion: "releases",
        amount: costs.releases.to_string(),
        points: each * costs.releases as f64,
        because: because.to_owned(),
    })
}

fn migrations(course: Course, costs: &Costs, situation: &Situation) -> Option<Weighed> {
    let rewritten = if matches!(course, Course::AsWritten | Course::Window) { 0.0 } else { 1.0 };
    let (each, because) = match situation.maturity.ci {
        true => (1.0, "they run in continuous integration first"),
        false => (2.0, "nothing shows that they run anywhere before production"),
    };
    Some(Weighed {
        criterion: "migrations",
        amount: costs.migrations.to_string(),
        points: each * costs.migrations as f64 + rewritten,
        because: because.to_owned(),
    })
}

fn elapsed(costs: &Costs) -> Option<Weighed> {
    let days = costs.elapsed.likely / 24.0;
    Some(Weighed {
        criterion: "elapsed time",
        amount: Seconds::hours(costs.elapsed.likely).to_string(),
        points: days,
        because: "a point a day".to_owned(),
    })
}

/// How much it matters that one can go back.
fn need_to_return(situation: &Situation) -> (f64, String) {
    match situation.way_back {
        WayBack::NotNeeded => (0.3, "fixes forward are fine".to_owned()),
        WayBack::Release => (1.5, "going back must be possible until the next release".to_owned()),
        WayBack::For(span) => {
            let weight = if span.0 > 86_400.0 { 2.0 } else { 1.0 };
            (weight, format!("going back must be possible for {span}"))
        }
    }
}

fn loss(costs: &Costs, situation: &Situation) -> Option<Weighed> {
    if !costs.way_back.loses {
        return None;
    }
    let accepted = match situation.loss {
        Loss::Any => 0.1,
        Loss::Minutes => 0.5,
        Loss::None | Loss::Unknown => 1.0,
    };
    let critical = if situation.critical.is_some() { 2.0 } else { 1.0 };
    let maturity = situation.maturity.weight_of_loss();
    let (need, because) = need_to_return(situation);
    let grounds = match maturity > 1.0 {
        true => format!("{because}; times {maturity} since {}", immaturity(situation)),
        false => because,
    };
    Some(Weighed {
        criterion: "loss by going back",
        amount: costs.way_back.point_of_no_return.clone(),
        points: 40.0 * accepted * critical * maturity * need,
        because: grounds,
    })
}

/// What makes a mistake hard to notice or undo.
pub(super) fn immaturity(situation: &Situation) -> String {
    let maturity = &situation.maturity;
    let mut missing = Vec::new();
    if maturity.restored.is_none() {
        missing.push("no restored backup is known");
    }
    if !maturity.backups && maturity.restored.is_none() {
        missing.push("none is configured here");
    }
    if !maturity.monitoring && !maturity.errors_measured {
        missing.push("nothing is known to watch the database or the application's errors");
    }
    missing.join(", ")
}

fn way_back(costs: &Costs, situation: &Situation) -> Option<Weighed> {
    let minutes = costs.way_back.minutes.likely;
    let (need, because) = need_to_return(situation);
    Some(Weighed {
        criterion: "time to go back",
        amount: Seconds::minutes(minutes).to_string(),
        points: 0.2 * minutes * need,
        because,
    })
}

fn triggers(phases: &[Phase], situation: &Situation) -> Option<Weighed> {
    recipes::keep_in_step(phases).then(|| Weighed {
        criterion: "triggers",
        amount: "a trigger on every write to the table, until the contract phase".to_owned(),
        points: 5.0 + 0.02 * situation.writes,
        because: format!("{} writes a second", grouped(situation.writes as u64)),
    })
}

fn dual_code(course: Course, situation: &Situation) -> Option<Weighed> {
    let (points, amount) = match course {
        Course::Steps(crate::plan::Way::Application) => (30.0, "every place that writes must write both"),
        Course::Gradual if situation.flags.is_some() => (4.0, "every place that reads asks the flag"),
        _ => return None,
    };
    let (factor, because) = match situation.maturity.tests {
        true => (1.0, "tests run on the real engine"),
        false => (1.5, "no test on the real engine is known that would notice a forgotten place"),
    };
    Some(Weighed {
        criterion: "code for old and new",
        amount: amount.to_owned(),
        points: points * factor,
        because: because.to_owned(),
    })
}

fn exposure(course: Course, phases: &[Phase], situation: &Situation) -> Option<Weighed> {
    if !moves_reads(phases) {
        return None;
    }
    let (weight, because) = weight_of_waiting(situation);
    let (share, amount) = match course {
        Course::Gradual if !situation.maturity.errors_measured => (
            if situation.flags.is_some() { 4.0 } else { 10.0 },
            "a few users meet a mistake first, and nothing is known to notice it",
        ),
        Course::Gradual if situation.flags.is_some() => (1.0, "1 % of the users meet a mistake first"),
        Course::Gradual => (4.0, "the users of the first instances meet a mistake first"),
        _ => (10.0, "all users meet the new reads at once"),
    };
    Some(Weighed { criterion: "exposure", amount: amount.to_owned(), points: share * weight / 5.0, because })
}

fn load(costs: &Costs, situation: &Situation) -> Option<Weighed> {
    let wal = costs.wal?;
    let disk = costs.disk.unwrap_or_default();
    let (each, because) = match situation.replicas {
        true => (1.0, "replicas must follow"),
        false => (0.2, "no replica is known"),
    };
    Some(Weighed {
        criterion: "load",
        amount: format!("{} of WAL, {} of disk for a while", bytes(wal), bytes(disk)),
        points: each * wal / 1e9 + 0.1 * disk / 1e9,
        because: because.to_owned(),
    })
}
