//! A partition and its bound: what proves that the rows of a table lie within it, or outside.

use crate::catalog::RelationName;
use crate::operation::{Bound, Constraint, PartitionBound, PartitionBy};
use crate::plan::{SqlStep, Statement};

use super::Refusal;
use super::make;
use super::scene::{Scene, name_of};

pub(crate) fn bound_of(
    scene: &Scene<'_>,
    by: Option<&PartitionBy>,
    bound: &PartitionBound,
) -> Result<Bound, Refusal> {
    let read = by
        .ok_or("how the table is partitioned is not known")
        .and_then(|by| Bound::read(by, bound, scene.dialect()));
    read.map_err(|why| Refusal::new(format!("{why}: write the check that says what the bound says by hand")))
}

/// A check that proves something of every row of a table.
pub(crate) struct Proof<'a> {
    pub scene: &'a Scene<'a>,
    pub table: &'a RelationName,
    pub name: String,
    pub condition: String,
}

impl Proof<'_> {
    pub fn add_valid(&self) -> Statement {
        self.scene.on(self.table).add(make::check(&self.name, self.condition.clone()))
    }

    /// The check for new rows, its validation, and its end.
    fn statements(&self) -> [Statement; 3] {
        let on = self.scene.on(self.table);
        let check = Constraint { not_valid: true, ..make::check(&self.name, self.condition.clone()) };
        [on.add(check), on.validate(&self.name), on.drop_constraint(&self.name)]
    }

    pub fn step(&self, what: &str, title: &str, up: Vec<Statement>, down: Vec<Statement>) -> SqlStep {
        let title = format!("{title} {}", self.table.display(self.scene.dialect()));
        self.scene.in_transaction(name_of(&[&self.name, what]), title, up, down)
    }

    pub fn add(&self) -> SqlStep {
        let [add, _, drop] = self.statements();
        self.step("not_valid", "a check for new rows of", vec![add], vec![drop])
    }

    pub fn validate(&self) -> SqlStep {
        let [add, validate, drop] = self.statements();
        self.step("validate", "check the old rows of", vec![validate], vec![drop, add])
    }

    pub fn drop(&self) -> SqlStep {
        let [add, validate, drop] = self.statements();
        self.step("drop", "drop the check of", vec![drop], vec![add, validate])
    }

    pub fn offenders(&self) -> String {
        format!(
            "SELECT count(*) FROM {} WHERE NOT COALESCE({}, false)",
            self.scene.sql(self.table),
            self.condition
        )
    }
}
