//! One strategy recommended, with the amounts and facts that decided, and where it would be another.

use super::describe::{counted_of, elapsed_in_words};
use super::flips::{Flip, flips};
use super::weigh::Weighed;
use super::{Course, Facts, Strategy};
use crate::quantity::Seconds;

/// A strategy recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// Which one.
    pub course: Course,
    /// Why: three to six points, each with the number or the answer that decided.
    pub reasons: Vec<String>,
    /// What is accepted with it.
    pub accepted: Vec<String>,
    /// Where another one would be recommended.
    pub flips: Vec<Flip>,
    /// When to think again.
    pub revisit: Vec<String>,
}

/// Reasons that anybody reads.
const MOST_REASONS: usize = 6;

/// The possible strategy with the fewest points.
pub fn best(strategies: &[Strategy]) -> Option<&Strategy> {
    let possible = strategies.iter().filter(|it| it.is_possible());
    possible.min_by(|a, b| a.points().total_cmp(&b.points()))
}

/// The best strategy with what decided; `None` where none is possible.
pub fn recommend(strategies: &[Strategy], facts: &Facts<'_>) -> Option<Recommendation> {
    let best = best(strategies)?;
    let second = strategies
        .iter()
        .filter(|it| it.is_possible())
        .filter(|it| it.course != best.course)
        .min_by(|a, b| a.points().total_cmp(&b.points()));
    let flips = flips(strategies, best.course, facts);
    Some(Recommendation {
        course: best.course,
        reasons: reasons(best, second, strategies),
        accepted: accepted(best, facts),
        revisit: revisit(&flips, strategies),
        flips,
    })
}

fn reasons(best: &Strategy, second: Option<&Strategy>, all: &[Strategy]) -> Vec<String> {
    let mut reasons = vec![of_itself(best)];
    if let Some(second) = second {
        reasons.push(format!(
            "{:.0} points against {:.0} of the next, {} (fewer are better; the table shows what each is made of)",
            best.points(),
            second.points(),
            second.course.id()
        ));
        reasons.extend(differences(best, second));
    }
    reasons.push(format!(
        "going back takes about {}; point of no return: {}",
        Seconds::minutes(best.costs.way_back.minutes.likely),
        best.costs.way_back.point_of_no_return
    ));
    reasons.push(format!(
        "{} and {}, {} from the first step to the last",
        counted_of(best.costs.migrations, "migration"),
        counted_of(best.costs.releases, "release"),
        elapsed_in_words(best.costs.elapsed.likely)
    ));
    reasons.truncate(MOST_REASONS - 1);
    let excluded = all.iter().filter_map(|it| Some((it.course.id(), &it.excluded.as_ref()?.reason)));
    let excluded: Vec<String> = excluded.map(|(id, why)| format!("{id} ({why})")).collect();
    if !excluded.is_empty() {
        reasons.push(format!("not possible here: {}", excluded.join("; ")));
    }
    reasons
}

fn of_itself(best: &Strategy) -> String {
    let costs = &best.costs;
    match costs.blocked {
        _ if best.course.stops() => {
            let time = costs.downtime.map_or("an unknown time".to_owned(), |it| it.in_words());
            format!("the application is stopped for {time}, which fits what was answered")
        }
        _ if !costs.works_under_lock => {
            "nobody waits while rows are read or written: its locks are moments, given up after 2 s and tried again".to_owned()
        }
        Some(range) => format!("others wait for {} while rows are read or written", range.in_words()),
        None => "others wait while rows are read or written, for a time that goes by the number of rows".to_owned(),
    }
}

/// The criteria in which it is most ahead of the next, then the one in which it is most behind.
fn differences(best: &Strategy, second: &Strategy) -> Vec<String> {
    let of = |weighed: &[Weighed], criterion: &str| {
        weighed.iter().find(|it| it.criterion == criterion).map_or(0.0, |it| it.points)
    };
    let mut ahead: Vec<(f64, &Weighed)> =
        second.weighed.iter().map(|it| (it.points - of(&best.weighed, it.criterion), it)).collect();
    ahead.sort_by(|a, b| b.0.total_cmp(&a.0));
    let ahead = ahead.into_iter().filter(|(points, _)| *points >= 1.0).take(2);
    let mut told: Vec<String> = ahead
        .map(|(points, it)| {
            let own = best.weighed.iter().find(|own| own.criterion == it.criterion);
            let own = own.map_or("none of it".to_owned(), |own| own.amount.clone());
            format!(
                "{}: {own}; with {}: {} ({points:.0} points, {})",
                it.criterion,
                second.course.id(),
                it.amount,
                it.because
            )
        })
        .collect();
    let behind = best.weighed.iter().map(|it| (it.points - of(&second.weighed, it.criterion), it));
    if let Some((points, it)) = behind.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(points, _)| *points >= 1.0)
    {
        told.push(format!(
            "against it: {}, {} ({points:.0} points, {})",
            it.criterion, it.amount, it.because
        ));
    }
    told
}

fn accepted(best: &Strategy, facts: &Facts<'_>) -> Vec<String> {
    let described = best.described(facts);
    let mut accepted = described.operational_cost;
    accepted.push(format!("{} from the first step to the last", elapsed_in_words(best.costs.elapsed.likely)));
    accepted
}

fn revisit(flips: &[Flip], strategies: &[Strategy]) -> Vec<String> {
    let mut revisit = vec!["a rehearsal or the first step takes longer than was estimated".to_owned()];
    revisit.push(match (flips.first(), strategies.iter().filter(|it| it.is_possible()).count()) {
        (Some(first), _) => format!("a fact changes as the table of flips says, such as: {}", first.when),
        (None, 1) => "one of the others becomes possible: each says what it needs".to_owned(),
        (None, _) => "the change itself grows: of rows, windows, releases, writers, flags, backups, monitoring and replicas none alone changes the choice".to_owned(),
    });
    revisit
}
