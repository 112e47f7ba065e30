//! The course of a plan: the schema at each moment, and which releases are out.

use super::Change;
use crate::catalog::Catalog;
use crate::check::{Checked, Part, check, replay};
use crate::framework::Transaction;
use crate::plan::{BackfillJob, Phase, SqlStep, Step};
use crate::statement::Script;
use crate::text::Span;

/// A plan as it runs.
pub(super) struct Course<'a> {
    /// The schemas that others see, one after the other; the first is the one before.
    pub moments: Vec<Moment>,
    /// The migrations, each as it was checked in its place.
    pub steps: Vec<Ran<'a>>,
    /// What each release must do, in order.
    pub releases: Vec<&'a [String]>,
}

/// A schema that others see between two commits.
pub(super) struct Moment {
    /// The migration that led here, by its number and name.
    pub step: Option<(usize, String)>,
    /// How many releases are rolled out to the end: their forerunners are gone.
    pub out: usize,
    /// A release is being rolled out: the one before it is live too.
    pub rolls_out: bool,
    /// The schema.
    pub catalog: Catalog,
}

/// A migration in its place.
pub(super) struct Ran<'a> {
    /// Its number, from 1 on, and its name.
    pub label: (usize, String),
    /// What it does as data.
    pub job: Option<&'a BackfillJob>,
    /// Its text.
    pub text: String,
    /// How it was checked.
    pub checked: Checked,
    /// The schema before it.
    pub before: Catalog,
    /// How many releases were rolled out before.
    pub out: usize,
}

impl Course<'_> {
    /// The schema at the end.
    pub fn end(&self) -> &Catalog {
        &self.moments.last().expect("a course has a beginning").catalog
    }
}

/// A text as a migration that reaches the server like a step does.
pub(super) fn part<'a>(text: &'a str, step: &SqlStep) -> Part<'a> {
    let transaction = if step.transactional { Transaction::Wrapped } else { Transaction::Autocommit };
    Part { text, span: Span::new(0, text.len()), transaction }
}

/// Runs a plan in the model.
pub(super) fn course<'a>(change: &Change<'_>, phases: &'a [Phase]) -> Course<'a> {
    let first = Moment { step: None, out: 0, rolls_out: false, catalog: change.before.clone() };
    let mut course = Course { moments: vec![first], steps: Vec::new(), releases: Vec::new() };
    for step in phases.iter().flat_map(|phase| &phase.steps) {
        match step {
            Step::Sql(sql) => run(change, sql, &mut course),
            Step::Release(release) => {
                let step = course.moments.last().and_then(|it| it.step.clone());
                let (out, catalog) = (course.releases.len(), course.end().clone());
                course.moments.push(Moment { step, out, rolls_out: true, catalog });
                course.releases.push(&release.must);
            }
            Step::Check(_) => {}
        }
    }
    course
}

fn run<'a>(change: &Change<'_>, step: &'a SqlStep, course: &mut Course<'a>) {
    let (text, mut before) = (step.up(), course.end().clone());
    // Each file may run in a session of its own.
    before.end_session();
    let label = (course.steps.len() + 1, step.name.clone());
    let checked = check(part(&text, step), change.target, &before);
    let out = course.releases.len();
    let mut seen = if step.transactional { Vec::new() } else { commits(change, step, &text, &before) };
    seen.pop();
    seen.push(checked.after.clone());
    for catalog in seen {
        course.moments.push(Moment { step: Some(label.clone()), out, rolls_out: false, catalog });
    }
    course.steps.push(Ran { label, job: step.job(), text, checked, before, out });
}

/// The schema after each statement of a text whose statements commit by themselves.
fn commits(change: &Change<'_>, step: &SqlStep, text: &str, before: &Catalog) -> Vec<Catalog> {
    let script = Script::read(text, change.target.dialect);
    let mut catalogs = Vec::new();
    let mut catalog = before.clone();
    for statement in &script.statements {
        replay(Part { span: statement.span, ..part(text, step) }, change.target, &mut catalog);
        catalogs.push(catalog.clone());
    }
    catalogs
}
