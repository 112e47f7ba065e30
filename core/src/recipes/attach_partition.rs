//! A partition attached after proof that its rows lie within its bound.

use crate::dialect::Dialect;
use crate::mechanics::Refusal;
use crate::mechanics::partition::{Proof, bound_of};
use crate::mechanics::scene::{Scene, name_of};
use crate::operation::{AlterTable, Kind, Operation, PartitionBound, TableAction};
use crate::plan::{Criterion, Phase, PhaseKind, Step, Way};

use super::{Form, Recipe};

pub(super) static RECIPE: Recipe = Recipe {
    id: "attach-partition",
    dialects: &[Dialect::Postgres],
    page: include_str!("attach_partition.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| attached(operation).is_some(), write: attach },
};

fn attached(operation: &Operation) -> Option<(&AlterTable, &crate::dialect::Name, &PartitionBound)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        TableAction::AttachPartition { partition, bound } => Some((alter, partition, bound)),
        _ => None,
    }
}

fn attach(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, partition, bound)) = attached(operation) else {
        return Err(Refusal::new("it attaches no partition"));
    };
    let (parent, child) = (scene.resolve(&alter.table), scene.resolve(partition));
    let state = scene.table(&parent)?;
    scene.table(&child)?;
    let own_bound = bound_of(scene, state.partition_by.as_ref(), bound)?;
    let text = scene.statement_of(operation);
    let default =
        state.children.iter().find(|it| scene.catalog.table(it).is_some_and(|it| it.is_default_partition()));
    let proof = Proof {
        scene,
        table: &child,
        name: scene.free_name(&child, &[&child.name, "bound"]),
        condition: own_bound.within(scene.dialect()).join(" AND "),
    };
    let mut proofs = vec![proof];
    if let Some(default) = default {
        let name = scene.free_name(default, &[&default.name, "without", &child.name]);
        proofs.push(Proof {
            scene,
            table: default,
            name,
            condition: own_bound.outside(scene.dialect()).join(" OR "),
        });
    }
    let (shown, whole) = (child.display(scene.dialect()), parent.display(scene.dialect()));
    let expand: Vec<Step> = proofs.iter().map(|it| Step::Sql(it.add())).collect();
    let validate: Vec<Step> = proofs.iter().map(|it| Step::Sql(it.validate())).collect();
    let drop: Vec<Step> = proofs.iter().map(|it| Step::Sql(it.drop())).collect();
    let back = scene.on(&parent).detach_partition(scene.name(&child), false);
    let title = format!("attach {shown} to {whole}: the checks prove it, nothing is read");
    let step = scene.in_transaction(name_of(&[&child.name, "attach"]), title.clone(), vec![text], vec![back]);
    let mut verify = Phase::new(PhaseKind::Verification, "check the old rows without blocking", validate);
    for proof in &proofs {
        let words = format!("no row of {} stands in the way", proof.table.display(scene.dialect()));
        verify = verify.enter_when(Criterion::counts_nothing(words, proof.offenders()).seen_by_step());
    }
    Ok(vec![
        Phase::new(PhaseKind::Expand, format!("refuse new rows outside the bound of {shown}"), expand)
            .undone_by("the down migrations drop the checks", "an insert or update that fails for a check"),
        verify.undone_by(
            "the down migrations make the checks NOT VALID again",
            "it fails: rows outside the bound",
        ),
        Phase::new(PhaseKind::Cutover, title, vec![Step::Sql(step)])
            .undone_by("the down migration detaches it again", "errors over the baseline"),
        Phase::new(PhaseKind::Contract, "drop the checks: the bound says the same", drop)
            .undone_by("the down migrations add the checks again, NOT VALID", "a need to detach it again"),
    ])
}
