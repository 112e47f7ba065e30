//! A check that comes to hold for every row: for new rows first, then for the old ones without blocking writes.

use crate::catalog::RelationName;
use crate::operation::Constraint;
use crate::plan::{Criterion, Phase, PhaseKind, Step};

use super::carried;
use super::scene::Scene;

/// A check that is to hold for every row.
pub(crate) struct Check<'a> {
    pub table: &'a RelationName,
    /// The check under its name.
    pub constraint: Constraint,
    /// What the application must do before it.
    pub must: String,
    /// The query that counts the rows that break it.
    pub breaking: Option<String>,
    /// That there is none, in words.
    pub holds: String,
}

/// The phases that make a check hold: a release that keeps to it, new rows, then the old ones.
pub(crate) fn checked(scene: &Scene<'_>, check: &Check<'_>) -> Vec<Phase> {
    let name = check.constraint.name.as_ref().map_or("", |it| it.name.as_str());
    let mut steps = carried::validated(scene, check.table, &check.constraint, name).into_iter();
    let must = vec![check.must.clone()];
    let release = Phase::new(
        PhaseKind::DualWrite,
        format!("release the application that keeps to {name}"),
        vec![Step::Release(crate::plan::ReleaseStep { must })],
    )
    .leave_when(Criterion::of_people("no instance of the release before is running"));
    let expand = Phase::new(
        PhaseKind::Expand,
        format!("refuse new rows that break {name}"),
        steps.by_ref().take(1).map(Step::Sql).collect(),
    )
    .undone_by("the down migration drops the check", "an insert or update that fails for the check");
    let verify = Phase::new(
        PhaseKind::Verification,
        format!("check the old rows for {name} without blocking reads or writes"),
        steps.map(Step::Sql).collect(),
    )
    .enter_when(Criterion::told_by(check.holds.as_str(), check.breaking.clone()))
    .undone_by("the down migration makes the check NOT VALID again", "it fails: rows that break it");
    vec![release, expand, verify]
}
