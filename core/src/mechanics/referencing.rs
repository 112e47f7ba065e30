//! Foreign keys that point at a table, and how each goes over to a successor of what it points at, by itself.

use crate::catalog::{ConstraintState, Demand, RelationName};
use crate::engine::Capability;
use crate::operation::{Constraint, ForeignKey};
use crate::plan::{SqlStep, Statement};

use super::make;
use super::scene::{Scene, name_of};
use super::{Refusal, carried};

/// A foreign key that points at a table.
pub(crate) struct Reference<'a> {
    /// The table that it stands on.
    pub child: &'a RelationName,
    /// The key.
    pub constraint: &'a ConstraintState,
}

/// The foreign keys that point at a table and are `wanted`, in order of their tables and names.
///
/// # Errors
/// [`Refusal`] where one cannot go over to a successor.
pub(crate) fn to<'a>(
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
                    "{shown} is on a partitioned table, where a second key cannot be checked without blocking writes before {}",
                    scene.since(Capability::UncheckedKeyOnPartitioned)
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

    /// A second key to the successor, checked without blocking writes; then the first one goes, and the second takes its name.
    pub fn follow(
        &self,
        scene: &Scene<'_>,
        moved: Constraint,
        allowed: impl FnOnce(Statement) -> Statement,
    ) -> Vec<SqlStep> {
        let (constraint, on) = (self.constraint, scene.on(self.child));
        let interim = scene.free_name(self.child, &["lockkeeper", &constraint.name]);
        // Names of constraints are unique in their table only.
        let shown = match constraint.name.starts_with(&*self.child.name) {
            true => constraint.name.clone(),
            false => name_of(&[&self.child.name, &constraint.name]),
        };
        let moved = Constraint { name: Some(make::ident(interim.clone())), ..moved };
        let mut steps = carried::validated(scene, self.child, &moved, &shown);
        if !constraint.valid {
            // What was never checked stays so.
            steps.truncate(1);
        }
        steps[0].allow_last(allowed);
        let again = make::again(constraint, scene.dialect());
        let again = again.map(|it| on.add(Constraint { not_valid: true, ..it }));
        let up = vec![on.drop_constraint(&constraint.name), on.rename_constraint(&interim, &constraint.name)];
        let mut down = vec![on.rename_constraint(&constraint.name, &interim)];
        down.extend(again);
        if constraint.valid {
            down.push(on.validate(&constraint.name));
        }
        let title = format!("let the successor of {} take its name", constraint.name);
        steps.push(scene.on_two_tables(name_of(&[&shown, "switch"]), title, up, down));
        steps
    }
}

/// The step that drops a foreign key of a table; `None` for a constraint that is none.
pub(crate) fn drop_key(
    scene: &Scene<'_>,
    table: &RelationName,
    constraint: &ConstraintState,
) -> Option<SqlStep> {
    if !matches!(constraint.demand, Demand::ForeignKey { .. }) {
        return None;
    }
    let (on, again) = (scene.on(table), make::again(constraint, scene.dialect())?);
    let up = on.drop_constraint(&constraint.name);
    let down = on.add(Constraint { not_valid: !constraint.valid, ..again });
    let title = format!("drop the foreign key {} of {}", constraint.name, table.display(scene.dialect()));
    let name = name_of(&[&table.name, &constraint.name, "drop"]);
    Some(scene.on_two_tables(name, title, vec![up], vec![down]))
}
