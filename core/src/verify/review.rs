//! Steps that somebody wrote, judged by the same model: beside which of them the running release and the new one work, and where a release can stand.
//!
//! Nothing is known of what releases are told. So the running release is taken to use all that the schema before the steps has, and the new one all that
//! the schema behind them has; one that writes both may stand between.

use std::ops::RangeInclusive;

use super::moments::{Course, Ran, course};
use super::{Change, Kind, Objection, absence, ends, hazards, needs, once, stale};
use crate::catalog::filling::Place;
use crate::dialect::Dialect;
use crate::hazards::{Rule, compatibility, data};
use crate::operation::Expression;
use crate::plan::Phase;

/// The rules that speak of what a running release misses: of steps the states tell that better.
const TOLD_BY_STATES: &[&Rule] = &[
    &compatibility::dropped_column::RULE,
    &compatibility::dropped_object::RULE,
    &compatibility::dropped_table::RULE,
    &compatibility::dropped_view::RULE,
    &compatibility::renamed_column::RULE,
    &compatibility::renamed_enum_value::RULE,
    &compatibility::renamed_object::RULE,
    &compatibility::renamed_schema::RULE,
    &compatibility::renamed_table::RULE,
    &compatibility::required_column::RULE,
    &compatibility::reshaped_view::RULE,
];

/// The rules of what cannot be made again from what is left.
const LOSES: &[&Rule] = &[
    &compatibility::dropped_attribute::RULE,
    &compatibility::dropped_column::RULE,
    &compatibility::dropped_table::RULE,
    &data::discarding_conversion::RULE,
    &data::dropped_and_added::RULE,
    &data::truncated_table::RULE,
];

/// Whether what a rule says of a step is told by the states.
pub fn is_told_by_states(rule: &str) -> bool {
    TOLD_BY_STATES.iter().any(|it| it.id == rule)
}

/// Whether a rule says that a step loses what cannot be made again.
pub fn loses(rule: &str) -> bool {
    LOSES.iter().any(|it| it.id == rule)
}

/// What is found out about steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The state before the first step, and the one behind each.
    pub states: Vec<Reviewed>,
    /// Where releases can stand; `None` where no course of them works beside all steps.
    pub releases: Option<Releases>,
    /// What stands against the steps themselves.
    pub objections: Vec<Objection>,
}

/// What releases miss beside a state; nothing where they work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewed {
    /// The release that runs before the steps.
    pub running: Vec<String>,
    /// The release for the schema behind them.
    pub new: Vec<String>,
}

/// Where releases can stand. A number is a state: so many steps have run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Releases {
    /// None has to: both releases work beside every state.
    Anywhere,
    /// The new release is rolled out beside one of these states.
    One(RangeInclusive<usize>),
    /// A release that writes old and new is rolled out beside one of the first, and the new one beside one of the second.
    Two(RangeInclusive<usize>, RangeInclusive<usize>),
}

/// Judges steps.
pub fn review(change: &Change<'_>, phases: &[Phase]) -> Review {
    let course = course(change, phases);
    let turned = Change { before: change.after, after: change.before, ..*change };
    let mut states = vec![Reviewed::default(); course.steps.len() + 1];
    let mut found = vec![Found { old: true, new: true }; states.len()];
    for moment in &course.moments {
        let at = moment.step.as_ref().map_or(0, |(number, _)| *number);
        let running = needs::needed(change, &course, moment, "the running release");
        let new = needs::needed(&turned, &course, moment, "the new release");
        found[at].old &= !running.iter().any(is_wanted);
        found[at].new &= !new.iter().any(is_wanted);
        add(&mut states[at].running, running, |it| it.words);
        add(&mut states[at].new, new, |it| match it.kind {
            Kind::Missing => format!("{} is not there yet", it.subject),
            _ => it.words,
        });
    }
    let mut objections = hazards::failures(change, &course);
    if objections.is_empty() {
        objections.extend(absence::between(change, &course));
        objections.extend(stale::backfills(change, &course));
        objections.extend(left_behind(change, &course));
        objections.extend(back(change, phases, &course));
    }
    Review { releases: releases(&states, &found), states, objections: once(objections) }
}

/// The way back is looked at where every step has one.
fn back(change: &Change<'_>, phases: &[Phase], course: &Course<'_>) -> Vec<Objection> {
    let whole = phases.iter().flat_map(Phase::migrations).all(|it| it.down.is_some());
    if whole { ends::way_back(change, phases, course) } else { Vec::new() }
}

fn add(words: &mut Vec<String>, objections: Vec<Objection>, word: impl Fn(Objection) -> String) {
    for word in objections.into_iter().map(word) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
}

/// Whether all is there beside a state that the running or the new release names. A release between them can take what one of those refuses: it gives
/// columns values that the other does not know, and takes both types.
#[derive(Debug, Clone, Copy)]
struct Found {
    old: bool,
    new: bool,
}

fn is_wanted(objection: &Objection) -> bool {
    objection.kind == Kind::Missing || !objection.subject.starts_with("column ")
}

/// Columns that are filled once from others which go later: what is written into those meanwhile goes with them.
fn left_behind(change: &Change<'_>, course: &Course<'_>) -> Vec<Objection> {
    let mut found = Vec::new();
    for ran in &course.steps {
        for (table, columns) in stale::filled(ran) {
            let (Some(before), Some(after)) = (change.before.table(&table), change.after.table(&table))
            else {
                continue;
            };
            let gone = before
                .columns
                .iter()
                .find(|it| after.column(&it.name).is_none() && reads(ran, &it.name, change.target.dialect));
            for column in columns.iter().filter(|it| before.column(it).is_none()) {
                let again =
                    course.steps.iter().any(|it| it.label != ran.label && stale::fills(it, &table, column));
                let synced = Place::of(&ran.before, &table, column).is_some_and(|it| it.is_filled());
                let Some(gone) = gone.filter(|_| !again && !synced) else { continue };
                let shown = table.display(change.target.dialect);
                let words = format!(
                    "what the running release writes into {shown}.{} behind this step is not in {shown}.{column} when the old column goes: keep both in step by \
                     a trigger, let a release write both before this step, or fill again behind the new release",
                    gone.name
                );
                let subject = format!("column {shown}.{column}");
                found.push(Objection { step: Some(ran.label.clone()), kind: Kind::Stale, subject, words });
            }
        }
    }
    found
}

/// Whether the text of a step names a column.
fn reads(ran: &Ran<'_>, column: &str, dialect: Dialect) -> bool {
    Expression::new(&ran.text).names(column, dialect)
}

/// Where releases can stand, fewest first.
fn releases(states: &[Reviewed], found: &[Found]) -> Option<Releases> {
    let last = states.len() - 1;
    // The running release works up to here, and the new one from here on.
    let running = match states.iter().position(|it| !it.running.is_empty()) {
        Some(fails) => fails.checked_sub(1)?,
        None => last,
    };
    let new = states.iter().rposition(|it| !it.new.is_empty()).map_or(0, |it| it + 1);
    if new > last {
        return None;
    }
    if new == 0 && running == last {
        return Some(Releases::Anywhere);
    }
    if new <= running {
        return Some(Releases::One(new..=running));
    }
    // One between uses what is old until the new one is out; and what is new, where that is there when the running one goes.
    let holds = (running..=last).take_while(|it| found[*it].old).last()?;
    let writes_both = found[running].new;
    let first = (0..=running).rev().take_while(|it| !writes_both || found[*it].new).last()?;
    (holds >= new).then_some(Releases::Two(first..=running, new..=holds))
}
