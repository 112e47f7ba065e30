//! A strategy in words: from its own steps, costs and facts.

use super::course::{Course, moves_reads, stopped_from};
use super::weigh::immaturity;
use super::{Facts, Strategy};
use crate::plan::{PhaseKind, Way};
use crate::quantity::{Seconds, bytes, counted};
use crate::recipes;
use crate::signals::Situation;

/// What a strategy is, what speaks for and against it, and how it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What happens, in two or three sentences.
    pub description: String,
    /// What speaks for it.
    pub pros: Vec<String>,
    /// What speaks against it.
    pub cons: Vec<String>,
    /// How it fails.
    pub failure_modes: Vec<FailureMode>,
    /// What people have to do and watch.
    pub operational_cost: Vec<String>,
    /// How it fits what is known of those who carry it out.
    pub fit: String,
    /// What must be there for it.
    pub needs: Vec<String>,
}

/// A way in which a strategy fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureMode {
    /// What goes wrong.
    pub what: String,
    /// Who notices, and how far it reaches.
    pub blast_radius: String,
    /// What is done then.
    pub then: String,
}

impl FailureMode {
    fn new(what: impl Into<String>, blast_radius: impl Into<String>, then: impl Into<String>) -> Self {
        Self { what: what.into(), blast_radius: blast_radius.into(), then: then.into() }
    }
}

pub(super) fn described(strategy: &Strategy, facts: &Facts<'_>) -> Described {
    let teller = Teller { strategy, facts };
    Described {
        description: teller.description(),
        pros: teller.pros(),
        cons: teller.cons(),
        failure_modes: teller.failure_modes(),
        operational_cost: teller.operational_cost(),
        fit: teller.fit(),
        needs: teller.needs(),
    }
}

struct Teller<'a> {
    strategy: &'a Strategy,
    facts: &'a Facts<'a>,
}

impl Teller<'_> {
    fn situation(&self) -> &Situation {
        self.facts.situation
    }

    fn triggers(&self) -> bool {
        recipes::keep_in_step(&self.strategy.phases)
    }

    fn has(&self, kind: PhaseKind) -> bool {
        self.strategy.phases.iter().any(|it| it.kind == kind)
    }

    fn batches(&self) -> bool {
        self.strategy.costs.steps.iter().any(|it| it.batched_rows.is_some())
    }

    /// Rows of the largest backfill, where they are known.
    fn rows(&self) -> Option<u64> {
        self.strategy.costs.steps.iter().filter_map(|it| it.batched_rows).max().filter(|it| *it > 0)
    }

    fn description(&self) -> String {
        let costs = &self.strategy.costs;
        let mut text = match self.strategy.course {
            Course::AsWritten => "The migration runs as it is, beside the running release.".to_owned(),
            Course::Window => "The application is stopped, the migration runs as it is, and the application is started again.".to_owned(),
            Course::Prepared => "What can be done beside the running release is done before. Then the application is stopped for what is left, and the new release is started.".to_owned(),
            _ if self.strategy.phases.is_empty() => return "Its steps could not be made here.".to_owned(),
            _ => {
                let titles: Vec<&str> = self.strategy.phases.iter().map(|it| it.title.as_str()).collect();
                format!("In {}: {}.", counted_of(titles.len(), "phase"), titles.join("; "))
            }
        };
        if self.strategy.course == Course::Gradual {
            let by = match &self.situation().flags {
                Some(flag) => format!("behind {flag}"),
                None => "as the release reaches the instances".to_owned(),
            };
            text.push_str(&format!(
                " Reads move to the new {by}: for 1, 10, 50 and 100 % of the users, with a day between."
            ));
        }
        if let Some(from) = stopped_from(self.strategy.course, &self.strategy.phases).filter(|it| *it > 0) {
            text.push_str(&format!(" {} run beside the traffic.", sentence(&counted_of(from, "phase"))));
        }
        text.push_str(&format!(
            " {} and {}, {} from the first step to the last.",
            sentence(&counted_of(costs.migrations, "migration")),
            counted_of(costs.releases, "release"),
            elapsed_in_words(costs.elapsed.likely)
        ));
        text
    }

    fn pros(&self) -> Vec<String> {
        let (strategy, costs) = (self.strategy, &self.strategy.costs);
        let mut pros = Vec::new();
        if strategy.course == Course::AsWritten {
            pros.push("nothing is rewritten, and nothing has to be coordinated".to_owned());
        }
        if !costs.works_under_lock && !strategy.course.stops() {
            pros.push("no request waits for more than a moment".to_owned());
        }
        if strategy.course.stops() {
            pros.push(
                "old and new never run side by side, so that nothing has to keep them in step afterwards"
                    .to_owned(),
            );
        }
        if costs.releases == 0 {
            pros.push("no release of the application is needed".to_owned());
        }
        if !costs.way_back.loses {
            pros.push(format!(
                "going back takes about {} and loses nothing",
                Seconds::minutes(costs.way_back.minutes.likely)
            ));
        }
        if strategy.course == Course::Gradual {
            pros.push("a mistake in the new reads meets a few of the users first".to_owned());
        }
        match strategy.course {
            Course::Steps(Way::View) => pros.push("no rows are copied".to_owned()),
            Course::Steps(Way::Triggers) if self.triggers() => {
                pros.push("writers need not know of it: the database keeps old and new in step, for programs elsewhere too".to_owned());
            }
            Course::Steps(Way::Application) => pros.push("no code in the database".to_owned()),
            _ => {}
        }
        pros
    }

    fn cons(&self) -> Vec<String> {
        let (strategy, costs) = (self.strategy, &self.strategy.costs);
        let mut cons = Vec::new();
        if strategy.course == Course::AsWritten && self.facts.nature.breaks_users {
            cons.push(
                "the running release fails from the migration until the new one is out everywhere".to_owned(),
            );
        }
        if costs.works_under_lock {
            let wait =
                costs.blocked.map_or("a time that goes by the number of rows".to_owned(), |it| it.in_words());
            cons.push(format!("others wait for {wait}"));
        }
        if strategy.course.stops() {
            let time = costs
                .downtime
                .map_or("a time that goes by the number of rows".to_owned(), |it| it.in_words());
            cons.push(format!("the application is away for {time}"));
        }
        if costs.releases > 1 {
            cons.push(format!("{} releases in the right order", costs.releases));
        }
        if costs.elapsed.likely > 24.0 {
            cons.push(format!("it takes {} from start to end", Seconds::hours(costs.elapsed.likely)));
        }
        if self.triggers() {
            cons.push("every write to the table fires a trigger until the contract phase".to_owned());
        }
        if strategy.course == Course::Steps(Way::Application) {
            cons.push(
                "every place that writes must write both, and one that is forgotten leaves rows behind"
                    .to_owned(),
            );
        }
        if costs.way_back.loses {
            cons.push(format!("no way back without loss behind {}", costs.way_back.point_of_no_return));
        }
        if let Some(wal) = costs.wal.filter(|it| *it > 1e9) {
            cons.push(format!("it writes about {} of WAL", bytes(wal)));
        }
        if cons.is_empty() {
            cons.push("none that was found".to_owned());
        }
        cons
    }

    fn failure_modes(&self) -> Vec<FailureMode> {
        let (strategy, costs) = (self.strategy, &self.strategy.costs);
        let mut modes = Vec::new();
        if costs.stops > 0 {
            let longest = self.situation().longest_transaction;
            let often =
                longest.map_or(String::new(), |it| format!(" (the longest that is known takes {it})"));
            modes.push(FailureMode::new(
                format!("a lock is not granted, since a transaction on the table is open{often}"),
                "requests on that table queue behind it for up to the lock timeout of 2 s",
                "the step gives up by itself, changes nothing, and is run again",
            ));
        }
        if costs.works_under_lock {
            modes.push(FailureMode::new(
                "the work under the lock takes longer than estimated",
                "everybody who writes, or reads, the table",
                "end its session: it is rolled back and others go on",
            ));
        }
        if self.batches() {
            let replicas = if self.situation().replicas {
                "readers of the replicas see old rows"
            } else {
                "disk and WAL archive fill"
            };
            modes.push(FailureMode::new(
                "the backfill is faster than replicas or the archive can follow",
                replicas,
                "it pauses by itself at 30 s of lag; it can be ended at any moment and run again",
            ));
        }
        if self.triggers() {
            modes.push(FailureMode::new(
                "the trigger refuses a value that the application writes",
                "single writes of the running release fail",
                "drop the trigger with the down migration of its step: the old is complete",
            ));
        }
        if strategy.course == Course::Steps(Way::Application) {
            modes.push(FailureMode::new(
                "a place that writes was forgotten",
                "rows differ between old and new, unnoticed until they are compared",
                "the comparison before the cutover counts them; fill them again and release the place",
            ));
        }
        if moves_reads(&strategy.phases) {
            let (radius, then) = match strategy.course {
                Course::Gradual if self.situation().flags.is_some() => {
                    ("1 % of the users at first", "turn the flag off: about a minute")
                }
                Course::Gradual => ("the users of the first instances", "roll those instances back: minutes"),
                Course::Prepared => ("all users, from the end of the window on", "a second window"),
                _ => (
                    "all users of the release",
                    "roll the release back: both are up to date until the contract phase",
                ),
            };
            modes.push(FailureMode::new("the new reads are wrong or slow", radius, then));
        }
        if strategy.course.stops() {
            modes.push(FailureMode::new(
                "the window is too short",
                "everybody: the application stays away",
                "end the migration (it is rolled back), start the old release, and prepare more of it beside the traffic",
            ));
        }
        if modes.is_empty() {
            modes.push(FailureMode::new(
                "the migration fails",
                "nobody: it is rolled back",
                "mend it and run it again",
            ));
        }
        modes
    }

    fn operational_cost(&self) -> Vec<String> {
        let (strategy, costs) = (self.strategy, &self.strategy.costs);
        let mut burden = Vec::new();
        if strategy.course.stops() {
            let when = self.situation().quiet_hours.as_deref().filter(|it| *it != "never");
            let when = when.map_or(String::new(), |it| format!(" ({it})"));
            burden.push(format!("announce a window, stop and start the application, be there{when}"));
        }
        if let Some(batches) = costs.batches.filter(|_| self.batches()) {
            burden.push(match self.rows() {
                Some(rows) => format!(
                    "watch a backfill of {} rows for {}: lag, and the space of new row versions",
                    counted(rows),
                    batches.in_words()
                ),
                None => "watch a backfill: lag, and the space of new row versions".to_owned(),
            });
        } else if self.batches() {
            burden.push("watch a backfill: lag, and the space of new row versions".to_owned());
        }
        if self.triggers() {
            burden.push("a trigger on every write to the table until the contract phase".to_owned());
        }
        if costs.releases > 1 {
            burden.push(format!("{} releases in the right order", costs.releases));
        }
        if strategy.course == Course::Gradual {
            burden.push(match self.situation().flags.is_some() {
                true => "move the flag three times, compare with the baseline each time, and take the flag out at the end".to_owned(),
                false => "hold the rollout three times, and compare with the baseline each time".to_owned(),
            });
        }
        if self.has(PhaseKind::Contract) && !strategy.course.stops() {
            burden.push("come back for the contract phase".to_owned());
        }
        burden
    }

    fn fit(&self) -> String {
        let maturity = &self.situation().maturity;
        let lacks = immaturity(self.situation());
        if self.strategy.course == Course::AsWritten && self.facts.nature.breaks_users {
            return "poor: it is an outage for everybody at once".to_owned();
        }
        match (self.strategy.costs.way_back.loses, lacks.is_empty()) {
            (true, false) => format!("poor: it has a point without return, and {lacks}"),
            (true, true) => format!("fair: it has a point without return; {}", self.restored()),
            (false, false) => {
                format!("good: it can be taken back without a backup, which matters since {lacks}")
            }
            (false, true) if maturity.ci => {
                "good: mistakes are noticed and can be undone, and migrations run in continuous integration"
                    .to_owned()
            }
            (false, true) => "good: mistakes are noticed and can be undone".to_owned(),
        }
    }

    fn restored(&self) -> String {
        let restored = self.situation().maturity.restored.as_deref();
        restored.map_or("a backup is configured".to_owned(), |it| format!("a backup was restored ({it})"))
    }

    fn needs(&self) -> Vec<String> {
        let (strategy, costs) = (self.strategy, &self.strategy.costs);
        let mut needs = vec!["a role that owns the tables".to_owned()];
        if self.triggers() {
            needs.push("the right to create functions and triggers".to_owned());
        }
        if let Some(pooler) = self.situation().pooler.as_deref() {
            needs.push(format!("a connection past {pooler} for the migrations"));
        }
        if let Some(disk) = costs.disk.filter(|it| *it >= 1e6) {
            needs.push(format!("{} of free disk", bytes(disk)));
        }
        match strategy.course {
            Course::Gradual => {
                needs.extend(self.situation().flags.iter().map(|it| format!("{it}, and who may move it")))
            }
            Course::Window | Course::Prepared => {
                needs.push("somebody who may stop the application".to_owned())
            }
            _ => {}
        }
        if costs.way_back.loses {
            needs.push("a backup of that hour that has been restored somewhere".to_owned());
        }
        needs
    }
}

/// From the first step to the last.
pub(super) fn elapsed_in_words(hours: f64) -> String {
    match hours * 3600.0 {
        seconds if seconds < 60.0 => "less than a minute".to_owned(),
        seconds => format!("about {}", Seconds(seconds)),
    }
}

/// `1 phase`, `3 phases`.
pub(super) fn counted_of(count: usize, thing: &str) -> String {
    match count {
        0 => format!("no {thing}"),
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Says what each is best at, and which are no better than another in anything.
pub(super) fn compare(strategies: &mut [Strategy]) {
    let judged: Vec<(String, Option<Course>)> =
        strategies.iter().map(|it| (best_at(it, strategies), dominated_by(it, strategies))).collect();
    for (strategy, (optimises, dominated)) in strategies.iter_mut().zip(judged) {
        strategy.optimises = optimises;
        strategy.dominated_by = dominated;
    }
}

/// Amounts of which less is better.
fn amounts(strategy: &Strategy) -> [(f64, &'static str); 7] {
    let costs = &strategy.costs;
    let waiting = costs.blocked.map_or(f64::from(u32::from(costs.works_under_lock)) * 1e6, |it| it.likely);
    [
        (waiting, "nobody waits for long"),
        (costs.downtime.map_or(1e6, |it| it.likely), "no downtime"),
        (costs.releases as f64, "fewest releases"),
        (costs.elapsed.likely, "shortest from start to end"),
        (costs.way_back.minutes.likely, "fastest way back"),
        (f64::from(u8::from(costs.way_back.loses)), "nothing is lost by going back"),
        (costs.wal.unwrap_or(0.0), "least load"),
    ]
}

fn best_at(strategy: &Strategy, all: &[Strategy]) -> String {
    let purpose = match strategy.course {
        Course::AsWritten => "simplicity",
        Course::Steps(Way::View) => "near-zero downtime without copying rows",
        Course::Steps(Way::Application) => "coexistence of old and new without code in the database",
        Course::Steps(_) => "near-zero downtime",
        Course::Gradual => "near-zero downtime with the smallest risk to users",
        Course::Prepared => "a short window, with the long work done before",
        Course::Window => "speed, with a window",
    };
    let others: Vec<&Strategy> =
        all.iter().filter(|it| it.course != strategy.course && it.is_possible()).collect();
    if others.is_empty() || !strategy.is_possible() {
        return purpose.to_owned();
    }
    let own = amounts(strategy);
    let alone = |at: &usize| others.iter().all(|it| amounts(it)[*at].0 > own[*at].0 + 1e-9);
    let superlatives: Vec<&str> = (0..own.len()).filter(alone).map(|at| own[at].1).collect();
    if superlatives.is_empty() {
        purpose.to_owned()
    } else {
        format!("{purpose}: {}", superlatives.join(", "))
    }
}

/// A possible strategy that is at least as good in all amounts and points, and better in one.
fn dominated_by(strategy: &Strategy, all: &[Strategy]) -> Option<Course> {
    if !strategy.is_possible() {
        return None;
    }
    let own = amounts(strategy);
    let better = |other: &&Strategy| {
        let theirs = amounts(other);
        other.course != strategy.course
            && other.is_possible()
            && other.points() <= strategy.points()
            && theirs.iter().zip(&own).all(|(theirs, own)| theirs.0 <= own.0 + 1e-9)
            && (theirs.iter().zip(&own).any(|(theirs, own)| theirs.0 < own.0 - 1e-9)
                || other.points() < strategy.points())
    };
    all.iter().find(better).map(|it| it.course)
}
