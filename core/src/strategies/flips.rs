//! Where the recommendation changes: every fact and answer that may be otherwise is tried, and of amounts the threshold is searched.

use super::course::Course;
use super::{Facts, Strategy, again};
use crate::estimate::Sizes;
use crate::quantity::{Seconds, counted};
use crate::signals::answer::{Downtime, WayBack};
use crate::signals::{Loss, Situation};

/// A change of one fact that changes the recommendation.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    /// The fact or answer.
    pub fact: &'static str,
    /// From where on, in words: `more than 12 million rows`.
    pub when: String,
    /// What is recommended then.
    pub course: Course,
}

/// All of them, for a recommendation of `chosen`.
pub(super) fn flips(strategies: &[Strategy], chosen: Course, facts: &Facts<'_>) -> Vec<Flip> {
    let best = |situation: &Situation| best(strategies, &Facts { situation, ..*facts });
    let search = Search { best: &best, chosen };
    let mut flips = Vec::new();
    flips.extend(search.windows(facts.situation));
    flips.extend(search.rows(facts.situation));
    flips.extend(search.writes(facts.situation));
    flips.extend(search.others(facts.situation));
    flips
}

/// The course with the fewest points.
pub(super) fn best(strategies: &[Strategy], facts: &Facts<'_>) -> Option<Course> {
    let priced = again(strategies, facts);
    priced.into_iter().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(course, _)| course)
}

struct Search<'a> {
    best: &'a dyn Fn(&Situation) -> Option<Course>,
    chosen: Course,
}

/// Steps in which an amount is tried, to each decade.
const PER_DECADE: i32 = 4;

impl Search<'_> {
    /// Another course than the chosen one.
    fn other(&self, situation: &Situation) -> Option<Course> {
        (self.best)(situation).filter(|it| *it != self.chosen)
    }

    fn flip(&self, fact: &'static str, when: impl Into<String>, situation: &Situation) -> Option<Flip> {
        Some(Flip { fact, when: when.into(), course: self.other(situation)? })
    }

    /// The first amount on the way from `low` to `high` for which another course is best, found to within a twentieth.
    fn first(&self, low: f64, high: f64, of: &dyn Fn(f64) -> Situation) -> Option<(f64, Course)> {
        let decades = (high / low).log10();
        let count = (decades.abs() * f64::from(PER_DECADE)).ceil() as i32;
        let at = |step: i32| low * (high / low).powf(f64::from(step) / f64::from(count));
        let step = (1..=count).find(|step| self.other(&of(at(*step))).is_some())?;
        let (mut before, mut after) = (at(step - 1), at(step));
        while (after / before).ln().abs() > 0.05 {
            let middle = (before * after).sqrt();
            if self.other(&of(middle)).is_some() { after = middle } else { before = middle }
        }
        Some((after, self.other(&of(after))?))
    }

    fn windows(&self, now: &Situation) -> Option<Flip> {
        let with = |minutes: f64| Situation {
            downtime: Downtime::Window { longest: Some(Seconds::minutes(minutes)), when: None },
            ..now.clone()
        };
        match &now.downtime {
            Downtime::Window { longest: Some(longest), .. } if self.chosen.stops() => {
                let (minutes, course) = self.first(longest.0 / 60.0, 0.05, &with)?;
                let when = format!("a window shorter than {}", rounded_up(Seconds::minutes(minutes)));
                Some(Flip { fact: "downtime-allowed", when, course })
            }
            Downtime::Window { longest: None, .. } => None,
            _ => {
                let (minutes, course) = self.first(0.5, 1440.0, &with)?;
                let when = format!("a window of {} or more", rounded_up(Seconds::minutes(minutes)));
                Some(Flip { fact: "downtime-allowed", when, course })
            }
        }
    }

    fn rows(&self, now: &Situation) -> Vec<Flip> {
        let Some(sizes) = &now.sizes else {
            let with = |rows: u64| Situation { sizes: Some(Sizes::of_all(rows, "tried")), ..now.clone() };
            return [1_000, 1_000_000_000]
                .into_iter()
                .filter_map(|rows| {
                    self.flip("table-rows", format!("about {} rows", counted(rows)), &with(rows))
                })
                .collect();
        };
        let largest = sizes.tables.values().chain(&sizes.others).map(|it| it.rows).max().unwrap_or(1).max(1);
        let with = |rows: f64| Situation { sizes: Some(sizes.scaled(rows / largest as f64)), ..now.clone() };
        let up = self.first(largest as f64, 1e11_f64.max(largest as f64 * 10.0), &with);
        let down = (largest > 10).then(|| self.first(largest as f64, 1.0, &with)).flatten();
        let above = up.map(|(rows, course)| Flip {
            fact: "table-rows",
            when: format!("more than {} rows", counted(two_digits(rows))),
            course,
        });
        let below = down.map(|(rows, course)| Flip {
            fact: "table-rows",
            when: format!("fewer than {} rows", counted(two_digits(rows).max(1))),
            course,
        });
        above.into_iter().chain(below).collect()
    }

    fn writes(&self, now: &Situation) -> Option<Flip> {
        let with = |writes: f64| Situation { writes, ..now.clone() };
        let (writes, course) = self.first(now.writes.max(1.0), 1e5, &with)?;
        let when = format!("more than {} writes a second", counted(two_digits(writes)));
        Some(Flip { fact: "write-rate", when, course })
    }

    /// Facts and answers that are there or not.
    fn others(&self, now: &Situation) -> Vec<Flip> {
        let mut tried: Vec<(&'static str, String, Situation)> = Vec::new();
        let mut with = |fact: &'static str, when: &str, change: &dyn Fn(&mut Situation)| {
            let mut situation = now.clone();
            change(&mut situation);
            tried.push((fact, when.to_owned(), situation));
        };
        if !matches!(now.downtime, Downtime::None) {
            with("downtime-allowed", "no downtime at all", &|it| it.downtime = Downtime::None);
        }
        if !matches!(now.downtime, Downtime::Wait(_)) {
            let seconds = Seconds(10.0);
            with("downtime-allowed", "waits of 10 s are accepted", &|it| {
                it.downtime = Downtime::Wait(seconds)
            });
        }
        for (releases, when) in
            [(0, "no release is possible in between"), (1, "one release is possible in between")]
        {
            if now.releases != Some(releases) {
                with("releases-between-steps", when, &|it| it.releases = Some(releases));
            }
        }
        if now.releases.is_some() {
            with("releases-between-steps", "as many releases as wanted", &|it| it.releases = None);
        }
        match now.other_writers {
            true => with("every-writer-is-here", "every program is in this repository", &|it| {
                it.other_writers = false
            }),
            false => with("every-writer-is-here", "another program uses these tables", &|it| {
                it.other_writers = true
            }),
        }
        match now.flags.is_some() {
            true => with("feature-flags", "there is no feature flag", &|it| it.flags = None),
            false => with("feature-flags", "reads can move behind a feature flag", &|it| {
                it.flags = Some("tried".to_owned())
            }),
        }
        match now.maturity.restored.is_some() {
            true => with("verified-backup", "no backup has been restored", &|it| it.maturity.restored = None),
            false => with("verified-backup", "a backup has been restored and checked", &|it| {
                it.maturity.restored = Some("tried".to_owned());
            }),
        }
        let watched = !(now.maturity.monitoring || now.maturity.errors_measured);
        with(
            "application-monitoring",
            if watched {
                "errors of the application are measured"
            } else {
                "nothing measures errors or watches the database"
            },
            &|it| (it.maturity.monitoring, it.maturity.errors_measured) = (watched, watched),
        );
        let tests = !now.maturity.tests;
        with(
            "tests-on-engine",
            if tests { "tests run on the real engine" } else { "no tests run on the real engine" },
            &|it| it.maturity.tests = tests,
        );
        let replicas = !now.replicas;
        with("replicas", if replicas { "replicas must follow" } else { "there is no replica" }, &|it| {
            it.replicas = replicas
        });
        with("rollback-window", "going back need not be possible", &|it| it.way_back = WayBack::NotNeeded);
        with("rollback-window", "going back must be possible for two weeks", &|it| {
            it.way_back = WayBack::For(Seconds::hours(24.0 * 14.0));
        });
        with("acceptable-loss", "what was written since may be lost", &|it| it.loss = Loss::Any);
        with("acceptable-loss", "nothing may be lost", &|it| it.loss = Loss::None);
        with("availability", "99.99 % is promised", &|it| it.availability = Some(99.99));
        with("availability", "nothing is promised", &|it| it.availability = None);
        tried.into_iter().filter_map(|(fact, when, situation)| self.flip(fact, when, &situation)).collect()
    }
}

fn two_digits(value: f64) -> u64 {
    let magnitude = 10f64.powf(value.max(1.0).log10().floor() - 1.0);
    ((value / magnitude).round() * magnitude).round() as u64
}

/// A span that a person would write down: no seconds behind minutes.
fn rounded_up(span: Seconds) -> Seconds {
    let unit = match span.0 {
        seconds if seconds < 60.0 => 5.0,
        seconds if seconds < 1800.0 => 60.0,
        seconds if seconds < 7200.0 => 300.0,
        _ => 3600.0,
    };
    Seconds((span.0 / unit).ceil() * unit)
}
