//! The tool `verify_integrity`: the conditions of a plan that a query tells, asked of a database. The queries are the plan's own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lockkeeper_core::report::{CriterionReport, PlanReport};
use lockkeeper_core::text::sanitise;
use lockkeeper_project::database::Database;
use lockkeeper_project::secret::redact;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::asked::database;
use crate::world::{Told, World};

/// Of which plan, where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The plan's id.
    pub plan: String,
    /// Only the phase of this number, from 1.
    pub phase: Option<u32>,
    /// The database's name in lockkeeper.toml, where there are several.
    pub database: Option<String>,
}

/// What holds.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Response {
    /// The database that was asked.
    pub database: String,
    /// Each condition that a query tells.
    pub conditions: Vec<Condition>,
    /// What to do next.
    pub next: String,
}

/// A condition, and what the database says.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Condition {
    /// The number and title of the phase.
    pub phase: String,
    /// `entry`, `exit` or `integrity`.
    pub when: &'static str,
    /// In words.
    pub text: String,
    /// What must be counted.
    pub expected: Option<String>,
    /// What was counted.
    pub counted: Option<f64>,
    /// Whether it holds; nothing where that is not known.
    pub holds: Option<bool>,
    /// Why it is not known.
    pub problem: Option<String>,
}

/// So long one query may take, and so long the last of them may begin: hosts end calls after a minute.
const PATIENCE: u32 = 20;
const TOGETHER: Duration = Duration::from_secs(30);

pub fn run(world: &World, request: &Request) -> Told<Response> {
    let stored = world.stored(&request.plan)?;
    let (name, database) = database(&stored.project, request.database.as_deref(), PATIENCE)?;
    let documents = stored.books.store.documents(&stored.plan.id()).map_err(|error| error.to_string())?;
    let report = documents.iter().find(|it| it.0.ends_with(".json")).and_then(|it| report(it.1));
    let plan = report.and_then(|it| it.plan).ok_or("this plan has no steps, so nothing is to be verified")?;
    let begun = Instant::now();
    let mut conditions = Vec::new();
    for (index, phase) in plan.phases.iter().enumerate() {
        if request.phase.is_some_and(|it| it as usize != index + 1) {
            continue;
        }
        let all = phase.entry.iter().map(|it| ("entry", it)).chain(phase.exit.iter().map(|it| ("exit", it)));
        let all = all.chain([("integrity", &phase.integrity)]);
        let mut asked = BTreeSet::new();
        for (when, criterion) in all.filter(|it| it.1.query.is_some()) {
            if asked.insert(&criterion.query) {
                let phase = format!("{} {}", index + 1, sanitise(&phase.title, 200));
                let late = begun.elapsed() > TOGETHER;
                conditions.push(condition(phase, when, criterion, (!late).then_some(&database)));
            }
        }
    }
    let next = match conditions.iter().all(|it| it.holds == Some(true)) {
        _ if conditions.is_empty() => "no condition of this phase is told by a query: your human judges",
        true => {
            "tell your human that each condition holds, with the counts; to go on to the next phase is for them to decide"
        }
        false => {
            "tell your human which conditions do not hold or are not known; what names a column that is not there belongs to a phase that \
             has not begun"
        }
    };
    Ok(Response { database: name, conditions, next: next.to_owned() })
}

/// The report that was stored with a plan.
fn report(document: &str) -> Option<PlanReport> {
    let mut document: serde_json::Value = serde_json::from_str(document).ok()?;
    serde_json::from_value(document.get_mut("report")?.take()).ok()
}

fn condition(
    phase: String,
    when: &'static str,
    criterion: &CriterionReport,
    database: Option<&Database>,
) -> Condition {
    let query = criterion.query.as_deref().unwrap_or_default();
    let counted = match database {
        None => Err("there was no time left: call again with this phase alone".to_owned()),
        Some(database) => count(database, query),
    };
    let expected = criterion.expected.as_deref();
    Condition {
        phase,
        when,
        text: criterion.text.clone(),
        expected: criterion.expected.clone(),
        counted: counted.as_ref().ok().copied(),
        holds: counted.as_ref().ok().and_then(|it| is_met(expected?, *it)),
        problem: counted.err(),
    }
}

/// The one number that a query answers. Anything else stays where it is: rows are not for agents.
pub fn count(database: &Database, query: &str) -> Told<f64> {
    let answer = database.column(query).map_err(|error| redact(&error.to_string()))?;
    let number = match answer.as_slice() {
        [one] => one.trim().parse().ok().filter(|it: &f64| it.is_finite()),
        _ => None,
    };
    number.ok_or_else(|| "the query answered no number".to_owned())
}

/// `0`, `under 2`.
fn is_met(expected: &str, counted: f64) -> Option<bool> {
    match expected.strip_prefix("under ") {
        Some(limit) => Some(counted < limit.trim().parse().ok()?),
        None => Some((counted - expected.trim().parse::<f64>().ok()?).abs() < f64::EPSILON),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_compared_as_numbers() {
        assert_eq!((is_met("0", 0.0), is_met("0", 1.0)), (Some(true), Some(false)));
        assert_eq!((is_met("under 2", 1.99), is_met("under 2", 2.0)), (Some(true), Some(false)));
        assert_eq!((is_met("as before", 1.0), is_met("under a few", 1.0)), (None, None));
    }
}
