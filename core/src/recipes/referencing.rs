//! Foreign keys that point at a table, and how each goes over to a successor of what it points at, by itself.

use crate::catalog::{ConstraintState, Demand, RelationName};
use crate::operation::ForeignKey;
use crate::plan::SqlStep;

use super::scene::{Scene, name_of};
use super::{Refusal, carried};

/// A foreign key that points at a table.
pub(super) struct Reference<'a> {
    /// The table that it stands on.
    pub child: &'a RelationName,
    /// The key.
    pub constraint: &'a ConstraintState,
}

/// The foreign keys that point at a table and are `wanted`, in order of their tables and names.
///
/// # Errors
/// [`Refusal`] where one cannot go over to a successor.
pub(super) fn to<'a>(
    scene: &'a Scene<'a>,
    table: &RelationName,
    wanted: impl Fn(&RelationName, &ForeignKey) -> bool,
) -> Result<Vec<Reference<'a>>, Refusal> {
    let mut found = Vec::new();
    for (child, other) in scene.catalog.tables() {
        for constraint in &other.constraints {
            let Demand::ForeignKey { references, key, .. } = &constraint.demand else { continue };
            if references != table || !wanted(child, key) {
                continue;
            }
            let reference = Reference { child, constraint };
            let shown = reference.shown(scene);
            if other.partition_by.is_some() || other.partition_of.is_some() {
                return Err(Refusal::new(format!(
                    "{shown} is on a partitioned table, where a second key cannot be checked beside writers before PostgreSQL 18"
                )));
            }
            if !constraint.enforced {
                return Err(Refusal::new(format!(
                    "{shown} is not enforced: drop it first, and add it again after"
                )));
            }
            if scene.catalog.relation(child).is_some_and(|it| it.uncertain) {
                return Err(Refusal::new(format!(
                    "{shown} is not certain: an earlier statement about its table could not be read"
                )));
            }
            found.push(reference);
        }
    }
    found.sort_by(|a, b| (a.child, &a.constraint.name).cmp(&(b.child, &b.constraint.name)));
    Ok(found)
}

impl Reference<'_> {
    /// Its name in a message.
    pub fn shown(&self, scene: &Scene<'_>) -> String {
        format!("the foreign key {} of {}", self.constraint.name, self.child.display(scene.dialect()))
    }

    /// A second key to the successor, with the words of `definition`, checked beside writers; then the first one goes, and the second
    /// takes its name.
    pub fn follow(&self, scene: &Scene<'_>, definition: &str) -> Vec<SqlStep> {
        let constraint = self.constraint;
        let alter = |action: &str| format!("ALTER TABLE {} {action}", scene.sql(self.child));
        let interim = name_of(&["lockkeeper", &constraint.name]);
        // Names of constraints are unique in their table only.
        let shown = match constraint.name.starts_with(&*self.child.name) {
            true => constraint.name.clone(),
            false => name_of(&[&self.child.name, &constraint.name]),
        };
        let mut steps = carried::validated(scene, self.child, &interim, definition, &shown);
        if !constraint.valid {
            // What was never checked stays so.
            steps.truncate(1);
        }
        let (name, other) = (scene.quote(&constraint.name), scene.quote(&interim));
        let again = carried::definition(scene, constraint).unwrap_or_default();
        let up = [
            alter(&format!("DROP CONSTRAINT {name}")),
            alter(&format!("RENAME CONSTRAINT {other} TO {name}")),
        ];
        let mut down = vec![
            alter(&format!("RENAME CONSTRAINT {name} TO {other}")),
            alter(&format!("ADD CONSTRAINT {name} {again} NOT VALID")),
        ];
        if constraint.valid {
            down.push(alter(&format!("VALIDATE CONSTRAINT {name}")));
        }
        let title = format!("let the successor of {} take its name", constraint.name);
        steps.push(scene.on_two_tables(name_of(&[&shown, "switch"]), title, &up, &down));
        steps
    }
}
