//! Plans: phases, steps, criteria, rollback. The data that recipes produce and gates, files and reports share.

mod statement;

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;
use crate::operation::Kind;

pub use crate::backfill::{BackfillJob, Walk, Work};
pub use statement::{Act, Allowance, Statement, Written, script, undo};

/// One deployable stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseKind {
    /// What is there is looked at.
    Assessment,
    /// The new stands beside the old.
    Expand,
    /// Both are written.
    DualWrite,
    /// Old rows are moved.
    Backfill,
    /// Readers move over.
    Cutover,
    /// Old and new are compared.
    Verification,
    /// The old goes.
    Contract,
}

impl PhaseKind {
    /// Every phase, in order.
    pub const ALL: [Self; 7] = [
        Self::Assessment,
        Self::Expand,
        Self::DualWrite,
        Self::Backfill,
        Self::Cutover,
        Self::Verification,
        Self::Contract,
    ];

    /// The phase of that name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.id() == id)
    }

    /// The word in JSON and file names.
    pub fn id(self) -> &'static str {
        match self {
            Self::Assessment => "assessment",
            Self::Expand => "expand",
            Self::DualWrite => "dual-write",
            Self::Backfill => "backfill",
            Self::Cutover => "cutover",
            Self::Verification => "verification",
            Self::Contract => "contract",
        }
    }
}

/// A condition of a phase as a query and what it must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// The condition in words.
    pub text: String,
    /// The query that tells, where one can.
    pub query: Option<String>,
    /// What the query must answer: `0`.
    pub expected: Option<String>,
    /// The step that needs it fails by itself where it is not so: nothing else has to look.
    pub seen_by_step: bool,
}

/// The words by which a criterion asks for a backup: they stand here alone.
const RESTORED: &str = "was restored and checked";

impl Criterion {
    /// A condition that a person judges.
    pub fn of_people(text: impl Into<String>) -> Self {
        Self { text: text.into(), query: None, expected: None, seen_by_step: false }
    }

    /// A backup that holds something was restored and checked.
    pub fn of_backup(holds: impl std::fmt::Display) -> Self {
        Self::of_people(format!("a backup that holds {holds} {RESTORED}"))
    }

    /// Whether it asks for a backup that was restored.
    pub fn asks_for_a_backup(&self) -> bool {
        self.text.contains(RESTORED)
    }

    /// A query that must count nothing, where there is one; else a person judges.
    pub fn told_by(text: impl Into<String>, query: Option<String>) -> Self {
        match query {
            Some(query) => Self::counts_nothing(text, query),
            None => Self::of_people(text),
        }
    }

    /// A query that must count nothing.
    pub fn counts_nothing(text: impl Into<String>, query: impl Into<String>) -> Self {
        Self { query: Some(query.into()), expected: Some("0".to_owned()), ..Self::of_people(text) }
    }

    /// A query whose answer somebody reads beside what is expected, where that can be said.
    pub fn answered(text: impl Into<String>, query: impl Into<String>, expected: Option<String>) -> Self {
        Self { query: Some(query.into()), expected, ..Self::of_people(text) }
    }

    /// The same, of a step that fails by itself where it is not so: the server looks, or a statement of the step does.
    #[must_use]
    pub fn seen_by_step(self) -> Self {
        Self { seen_by_step: true, ..self }
    }
}

/// One migration.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlStep {
    /// The name of the migration: `users_full_name_expand`.
    pub name: String,
    /// What it does, in one line.
    pub title: String,
    /// What goes up.
    pub up: Vec<Statement>,
    /// What goes back; `None` where nothing can.
    pub down: Option<Vec<Statement>>,
    /// Whether it is one transaction; else every statement commits on its own.
    pub transactional: bool,
    /// The engine that runs it.
    pub dialect: Dialect,
}

impl SqlStep {
    /// The SQL that goes up.
    pub fn up(&self) -> String {
        script(&self.up, self.dialect)
    }

    /// The SQL that goes back.
    pub fn down(&self) -> Option<String> {
        self.down.as_ref().map(|it| script(it, self.dialect))
    }

    /// What it does as data, where it works in batches: for a runner that carries it out instead of the SQL.
    pub fn job(&self) -> Option<&BackfillJob> {
        self.up.iter().find_map(|it| match &it.act {
            Act::Batches(job) => Some(&**job),
            _ => None,
        })
    }

    /// The last statement of the way up, with a hazard that it meets on purpose.
    pub fn allow_last(&mut self, allowed: impl FnOnce(Statement) -> Statement) {
        if let Some(last) = self.up.pop() {
            self.up.push(allowed(last));
        }
    }

    /// The operations of the way up, in their order.
    pub fn operations(&self) -> impl Iterator<Item = &Kind> {
        self.up.iter().flat_map(Statement::operations)
    }
}

/// A release of the application between phases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseStep {
    /// What the application must do from this release on.
    pub must: Vec<String>,
}

/// One thing in a phase.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A migration.
    Sql(SqlStep),
    /// A release.
    Release(ReleaseStep),
    /// A query that is looked at.
    Check(Criterion),
}

/// One deployable stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Which one.
    pub kind: PhaseKind,
    /// What happens, in one line.
    pub title: String,
    /// What must be so before.
    pub entry: Vec<Criterion>,
    /// What is done.
    pub steps: Vec<Step>,
    /// What must be so after.
    pub exit: Vec<Criterion>,
    /// How it is undone, in words.
    pub rollback: String,
    /// When it is undone: the threshold.
    pub trigger: String,
}

impl Phase {
    /// A phase without criteria.
    pub fn new(kind: PhaseKind, title: impl Into<String>, steps: Vec<Step>) -> Self {
        // Where no migration ran there is nothing to take back but the release.
        let rollback = match steps.iter().any(|it| matches!(it, Step::Sql(_))) {
            true => "run the down migrations of this phase",
            false => "roll the application back",
        };
        Self {
            kind,
            title: title.into(),
            entry: Vec::new(),
            steps,
            exit: Vec::new(),
            rollback: rollback.to_owned(),
            trigger: "any error of the application that names the changed objects".to_owned(),
        }
    }

    /// With a condition before.
    #[must_use]
    pub fn enter_when(mut self, criterion: Criterion) -> Self {
        self.entry.push(criterion);
        self
    }

    /// With a condition after.
    #[must_use]
    pub fn leave_when(mut self, criterion: Criterion) -> Self {
        self.exit.push(criterion);
        self
    }

    /// Adds a condition before.
    pub fn enter_with(&mut self, criterion: Criterion) {
        self.entry.push(criterion);
    }

    /// Adds a condition after.
    pub fn leave_with(&mut self, criterion: Criterion) {
        self.exit.push(criterion);
    }

    /// With its way back and when to take it.
    #[must_use]
    pub fn undone_by(mut self, rollback: impl Into<String>, trigger: impl Into<String>) -> Self {
        (self.rollback, self.trigger) = (rollback.into(), trigger.into());
        self
    }

    /// The migrations of the phase.
    pub fn migrations(&self) -> impl Iterator<Item = &SqlStep> {
        self.steps.iter().filter_map(|step| match step {
            Step::Sql(sql) => Some(sql),
            Step::Release(_) | Step::Check(_) => None,
        })
    }

    /// The releases of the phase.
    pub fn releases(&self) -> impl Iterator<Item = &ReleaseStep> {
        self.steps.iter().filter_map(|step| match step {
            Step::Release(release) => Some(release),
            Step::Sql(_) | Step::Check(_) => None,
        })
    }
}

/// How a recipe is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// What goes by the old name from then on is a view, or another stand-in, of what has the new one. Nothing is copied.
    View,
    /// Triggers in the database keep old and new in step.
    Triggers,
    /// The application writes both.
    Application,
    /// One step while nobody uses the application.
    Window,
}

impl Way {
    /// All ways.
    pub const ALL: [Self; 4] = [Self::View, Self::Triggers, Self::Application, Self::Window];

    /// The name of the strategy that is made of it, on the command line and in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::View => "compatibility-view",
            Self::Triggers => "database-triggers",
            Self::Application => "application-dual-write",
            Self::Window => "maintenance-window",
        }
    }

    /// The way with this name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.id() == id)
    }
}
