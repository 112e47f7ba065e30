//! One strategy recommended, with the reasons that the answers and signals give.

use crate::estimate::in_words;
use crate::plan::Way;

use super::{Facts, Strategy};

/// A strategy recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// Which one.
    pub way: Way,
    /// Why: three to six points, each with the number or the answer that decided.
    pub reasons: Vec<String>,
    /// What is accepted with it.
    pub accepted: Vec<String>,
    /// When to think again.
    pub revisit: Vec<String>,
}

/// The strategy that fits the answers best; `None` where none is possible.
pub fn recommend(strategies: &[Strategy], facts: &Facts<'_>) -> Option<Recommendation> {
    let possible = strategies.iter().filter(|it| it.excluded.is_none());
    let best = possible.min_by_key(|strategy| score(strategy, facts))?;
    Some(Recommendation {
        way: best.way,
        reasons: reasons(best, strategies, facts),
        accepted: accepted(best),
        revisit: revisit(facts),
    })
}

/// Lower is better: waiting weighs most, then what cannot be undone where backups or monitoring are unknown, then the
/// number of releases.
fn score(strategy: &Strategy, facts: &Facts<'_>) -> u64 {
    let costs = &strategy.costs;
    let tolerant = facts.answer("downtime-allowed") == Some("window");
    let blocked =
        costs.blocked_seconds.map_or(if costs.works_under_lock { 600.0 } else { 0.0 }, |(_, most)| most);
    // Behind an announced window nobody notices the first minutes.
    let waiting = if tolerant && strategy.way == Way::Window { (blocked - 300.0).max(0.0) } else { blocked };
    let downtime = if strategy.way == Way::Window { 60.0 } else { 0.0 };
    let immature = facts.signal("backups").is_none() || facts.signal("monitoring").is_none();
    let irreversible = if strategy.way == Way::Window { if immature { 500.0 } else { 60.0 } } else { 0.0 };
    (waiting * 10.0 + downtime + irreversible) as u64 + 20 * costs.releases as u64 + costs.migrations as u64
}

fn reasons(best: &Strategy, all: &[Strategy], facts: &Facts<'_>) -> Vec<String> {
    let mut reasons = vec![waiting(best)];
    for other in all.iter().filter(|it| it.way != best.way) {
        reasons.push(match &other.excluded {
            Some(reason) => format!("{} is not possible: {reason}", other.title),
            None => comparison(best, other),
        });
    }
    if let Some(releases) = facts.answer("releases-between-steps") {
        let needed = best.costs.releases;
        reasons
            .push(format!("it needs {needed} releases between the steps; you said {releases} are possible"));
    }
    if let Some(window) = facts.answer("rollback-window") {
        let until = &best.costs.point_of_no_return;
        reasons.push(format!("going back must be possible for: {window}. Its point of no return is {until}"));
    }
    if facts.signal("backups").is_none() {
        reasons.push(
            "no backup configuration is known here, so what can be undone weighs more than speed".to_owned(),
        );
    }
    reasons.truncate(6);
    reasons
}

fn waiting(strategy: &Strategy) -> String {
    let costs = &strategy.costs;
    match costs.blocked_seconds {
        _ if !costs.works_under_lock => {
            "nobody waits while rows are read or written: its locks are moments, given up after 2 s and tried again".to_owned()
        }
        Some(range) => format!("others wait for {} while rows are read or written", in_words(range)),
        None => "others wait while rows are read or written, for a time that goes by the number of rows".to_owned(),
    }
}

fn comparison(best: &Strategy, other: &Strategy) -> String {
    format!(
        "{}: {} migrations and {} releases against {} and {}; {}",
        other.title,
        other.costs.migrations,
        other.costs.releases,
        best.costs.migrations,
        best.costs.releases,
        waiting(other)
    )
}

fn accepted(best: &Strategy) -> Vec<String> {
    let mut accepted = best.costs.burden.clone();
    accepted.push(format!(
        "about {:.0} hours from the first step to the last",
        best.costs.elapsed_hours.max(1.0)
    ));
    accepted
}

fn revisit(facts: &Facts<'_>) -> Vec<String> {
    let mut revisit = vec!["another program begins to write these tables".to_owned()];
    if facts.answer("downtime-allowed") != Some("window") {
        revisit.push("a maintenance window becomes possible: one step would do".to_owned());
    }
    revisit.push("the tables grow by more than ten times before the change is made".to_owned());
    revisit
}
