//! The chosen strategy as people carry it out: every phase with what must be true before, what is checked after, when it is undone and
//! how, who opens its gate, and what is looked at around the migrations themselves.

mod action;
mod checklist;
mod phases;

use crate::catalog::RelationName;
use crate::dialect::{Dialect, Target};
use crate::engine::{self, Watch};
use crate::estimate::Range;
use crate::plan::{Criterion, Phase, SqlStep, Step};
use crate::signals::{Nature, Situation};
use crate::strategies::{Course, StepCost, Strategy};
use crate::verify::Compatibility;

pub use action::action;
pub use checklist::{Item, checklist};

/// What a runbook is made from.
#[derive(Debug, Clone, Copy)]
pub struct Brief<'a> {
    /// The migration, relative to the root.
    pub file: &'a str,
    /// The chosen strategy.
    pub strategy: &'a Strategy,
    /// What decided.
    pub situation: &'a Situation,
    /// What the change is like.
    pub nature: &'a Nature,
    /// What it runs on.
    pub target: &'a Target,
    /// The tables that it touches.
    pub tables: &'a [RelationName],
    /// The names that it takes away: `users.name`.
    pub going: &'a [String],
    /// Who uses them.
    pub consumers: &'a [Consumer],
    /// Thresholds.
    pub limits: &'a Limits,
    /// Which releases run beside which states.
    pub compatibility: Option<&'a Compatibility>,
}

/// Who uses a name that the change takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// What kind of thing it is: `application`, `job`, `cache`.
    pub kind: String,
    /// Where it is: file and line, or who said so.
    pub place: String,
    /// The name that it uses.
    pub name: String,
    /// Who owns it, where that is known.
    pub owner: Option<String>,
    /// When it has to change.
    pub path: String,
}

/// Thresholds of a runbook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Share of failing statements at which a phase is undone, in percent.
    pub error_percent: f64,
    /// Lag up to which a backfill goes on, in seconds.
    pub lag_seconds: u64,
    /// Lag at which it pauses.
    pub pause_seconds: u64,
    /// Hours between two moves.
    pub soak_hours: u64,
}

/// The plan as people carry it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Runbook {
    /// The phases in order.
    pub stages: Vec<Stage>,
    /// What a careful reader checks, each with its evidence.
    pub checklist: Vec<Item>,
}

/// A phase as people carry it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// The phase, with all that was missing.
    pub phase: Phase,
    /// The gate that it waits at.
    pub gate: Option<&'static str>,
    /// Who carries it out.
    pub owner: String,
    /// What is checked of the data at its end.
    pub integrity: Criterion,
    /// Where the threshold of its way back is measured.
    pub measured: String,
    /// Minutes of its way back.
    pub back: Range,
    /// What the way back loses.
    pub loses: String,
    /// What its migrations and releases cost, in their order.
    pub costs: Vec<StepCost>,
    /// Until when the old stays, where this phase ends that.
    pub kept: Option<String>,
    /// How many of its checks clean up.
    pub left: usize,
}

impl Stage {
    /// A phase in which nothing but people work.
    fn of_people(phase: Phase, integrity: Criterion, measured: impl Into<String>) -> Self {
        Self {
            phase,
            gate: None,
            owner: "whoever leads the change".to_owned(),
            integrity,
            measured: measured.into(),
            back: Range::default(),
            loses: "nothing".to_owned(),
            costs: Vec::new(),
            kept: None,
            left: 0,
        }
    }

    /// Its steps, each with what it costs; checks cost nothing.
    pub fn steps(&self) -> impl Iterator<Item = (&Step, Option<&StepCost>)> {
        let mut costs = self.costs.iter();
        self.phase.steps.iter().map(move |step| match step {
            Step::Check(_) => (step, None),
            Step::Sql(_) | Step::Release(_) => (step, costs.next()),
        })
    }
}

impl Brief<'_> {
    fn dialect(&self) -> Dialect {
        self.target.dialect
    }

    fn watch(&self, watch: &Watch<'_>) -> Option<String> {
        engine::of(self.dialect()).watch(watch, self.target.version)
    }

    /// A query about the tables of the change, where there are any.
    fn watch_tables(&self, of: impl Fn(&[String]) -> Watch<'_>) -> Option<String> {
        let tables: Vec<String> = self.tables.iter().map(|it| it.sql(self.dialect())).collect();
        if tables.is_empty() { None } else { self.watch(&of(&tables)) }
    }

    fn course(&self) -> Course {
        self.strategy.course
    }
}

/// The runbook of a strategy.
pub fn runbook(brief: &Brief<'_>) -> Runbook {
    let stages = phases::stages(brief);
    let checklist = checklist(brief, &stages);
    Runbook { stages, checklist }
}

/// The migrations of stages.
fn migrations(stages: &[Stage]) -> impl Iterator<Item = &SqlStep> {
    stages.iter().flat_map(|it| it.phase.migrations())
}
