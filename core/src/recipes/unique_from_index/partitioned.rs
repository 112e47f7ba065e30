//! A unique constraint or primary key on a partitioned table: partition by partition, then taken over.

use crate::catalog::{Catalog, RelationName};
use crate::mechanics::Refusal;
use crate::mechanics::index::{counted, leaves, new_index};
use crate::mechanics::make::{self, Build};
use crate::mechanics::scene::{Scene, name_of};
use crate::operation::{Constraint, ConstraintKind, Operation};
use crate::plan::{Criterion, Phase, PhaseKind, Step};

/// The key of the table takes over equal keys of its partitions, with their indexes (measured on 12 and 17: no index is built).
///
/// # Errors
/// [`Refusal`] where a partition is partitioned again, or NOT NULL is not there yet.
pub(super) fn phases(
    operation: &Operation,
    scene: &Scene<'_>,
    table: &RelationName,
    constraint: &Constraint,
    columns: &[&str],
) -> Result<Vec<Phase>, Refusal> {
    let state = scene.table(table)?;
    let shown = table.display(scene.dialect());
    let primary = match &constraint.kind {
        ConstraintKind::PrimaryKey { .. } => true,
        ConstraintKind::Unique { nulls_not_distinct: false, .. } if !constraint.deferrable => false,
        _ => {
            return Err(Refusal::new(format!(
                "{shown} is partitioned, and its key is deferrable or takes NULLs for equal: that was not measured"
            )));
        }
    };
    let nullable = columns.iter().find(|it| state.column(it).is_none_or(|it| !it.not_null));
    if let Some(column) = nullable.filter(|_| primary) {
        return Err(Refusal::new(format!(
            "{shown} is partitioned and {column} may be NULL: set NOT NULL first, by its own migration"
        )));
    }
    let mut after: Catalog = scene.catalog.clone();
    after.apply(operation);
    let list = columns.join(", ");
    let (mut built, mut made, mut back) = (Vec::new(), Vec::new(), Vec::new());
    for leaf in leaves(scene, table)? {
        let Some(name) = new_index(scene.catalog, &after, leaf) else { continue };
        let index = |build| {
            make::unique_index(scene.name(leaf), &name, columns.iter().copied(), build, scene.dialect())
        };
        let title = format!("build the index of {name} without blocking writes");
        built.push(Step::Sql(scene.built(
            name_of(&[&name, "index"]),
            title,
            counted(index(Build::Concurrent), leaf, scene),
        )));
        let on = scene.on(leaf);
        made.push(Step::Sql(scene.in_transaction(
            name_of(&[&name, "constraint"]),
            format!("make the index the constraint {name}: nothing is read"),
            vec![on.add(make::from_index(&name, primary, &name))],
            vec![on.drop_constraint(&name), index(Build::Plain)],
        )));
        back.push(on.add(make::key(&name, primary, columns.iter().copied())));
    }
    let name = scene.name_of_constraint(operation, table).unwrap_or_default();
    let on = scene.on(table);
    let mut down = vec![on.drop_constraint(&name)];
    down.extend(back);
    let add = on.add(make::key(&name, primary, columns.iter().copied()));
    let title = format!("add {name} to the table: it takes over the keys of the partitions");
    let step = scene.on_two_tables(name_of(&[&name, "table"]), title.clone(), vec![add], down);
    let duplicates = super::duplicates(scene, table, constraint, columns);
    Ok(vec![
        Phase::new(PhaseKind::Expand, format!("build a unique index on {list} of each partition"), built)
            .enter_when(Criterion::told_by("no value stands twice", duplicates).seen_by_step())
            .undone_by("drop the indexes concurrently; an interrupted build leaves an invalid one", "a build fails"),
        Phase::new(PhaseKind::Verification, format!("make them the keys of the partitions ({list})"), made)
            .undone_by("the down migrations drop the keys and build the indexes under a lock", "an insert that the old release relies on fails"),
        Phase::new(PhaseKind::Cutover, title, vec![Step::Sql(step)])
            .enter_when(Criterion::of_people("no partition has come since: the index of a new one would be built under the lock"))
            .undone_by(
                "the down migration gives the partitions keys of their own again, and builds their indexes under a lock",
                "an insert that the old release relies on fails",
            ),
    ])
}
