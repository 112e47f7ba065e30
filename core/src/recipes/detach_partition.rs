//! A partition detached without blocking reads or writes.

use crate::catalog::RelationName;
use crate::dialect::{Dialect, Unnamed};
use crate::engine::{Capability, Count};
use crate::mechanics::Refusal;
use crate::mechanics::partition::{Proof, bound_of};
use crate::mechanics::scene::{Scene, name_of};
use crate::operation::{AlterTable, Kind, Operation, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "detach-partition",
    dialects: &[Dialect::Postgres],
    page: include_str!("detach_partition.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| detached(operation).is_some(), write: detach },
};

fn detached(operation: &Operation) -> Option<(&AlterTable, &crate::dialect::Name)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        TableAction::DetachPartition { partition, concurrently: false, finalize: false } => {
            Some((alter, partition))
        }
        _ => None,
    }
}

fn detach(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, partition)) = detached(operation) else {
        return Err(Refusal::new("it detaches no partition"));
    };
    let (parent, child) = (scene.resolve(&alter.table), scene.resolve(partition));
    let state = scene.table(&parent)?;
    if !scene.can(Capability::DetachConcurrently) {
        return Err(Refusal::new(format!(
            "DETACH PARTITION CONCURRENTLY needs {}: keep it short with a lock_timeout",
            scene.since(Capability::DetachConcurrently)
        )));
    }
    let is_default = |it: &&RelationName| scene.catalog.table(it).is_some_and(|it| it.is_default_partition());
    if let Some(default) = state.children.iter().find(is_default) {
        return Err(Refusal::new(format!(
            "{} is a default partition, and with one nothing can be detached concurrently: keep it short with a lock_timeout",
            default.display(scene.dialect())
        )));
    }
    let bound = scene.table(&child)?.partition_of.as_ref().map(|(_, bound)| bound);
    let bound = bound.ok_or_else(|| Refusal::new("the bound of the partition is not known"))?;
    let read = bound_of(scene, state.partition_by.as_ref(), bound)?;
    let on = scene.on(&parent);
    let shown = child.display(scene.dialect());
    let title = format!("detach {shown} without blocking");
    let attach = on.attach_partition(scene.name(&child), bound.clone());
    let mut detach = scene.alone(
        name_of(&[&child.name, "detach"]),
        title.clone(),
        on.detach_partition(scene.name(&child), true),
        Some(attach),
    );
    let mut steps = Vec::new();
    // Until 18 the concurrent form leaves a check that says what the bound said; the other form does not.
    let check = Proof {
        scene,
        table: &child,
        name: scene.server_name(&child, &[read.column()], Unnamed::Check),
        condition: read.within(scene.dialect()).join(" AND "),
    };
    let leaves_check = scene.catalog.detach_leaves_check;
    if leaves_check && scene.table(&child)?.constraint(&check.name).is_some() {
        return Err(Refusal::new(format!(
            "{shown} has a check {} already, and the detach leaves one under a name that is not foreseen: detach it by hand",
            check.name
        )));
    }
    let (add, drop) = (check.add_valid(), scene.on(&child).drop_constraint(&check.name));
    if let Some(down) = detach.down.as_mut().filter(|_| leaves_check) {
        down.push(drop.clone());
    }
    steps.push(Step::Sql(detach));
    if leaves_check {
        let dropped = check.step("drop", "drop the check that the detach left on", vec![drop], vec![add]);
        steps.push(Step::Sql(dropped));
    }
    let pending = scene.count(&Count::PendingDetach { partition: &scene.sql(&child) });
    Ok(vec![
        Phase::new(PhaseKind::Contract, title, steps)
            .enter_when(Criterion::of_people(format!(
                "no release reads or writes rows of {shown} through {}",
                parent.display(scene.dialect())
            )))
            .leave_when(Criterion::counts_nothing(
                "it is detached for good: an interrupted one is ended by DETACH PARTITION … FINALIZE",
                pending,
            ))
            .undone_by(
                "attach it again; the constraint that it keeps proves its rows",
                "a query that misses its rows",
            ),
    ])
}
