//! Partitioned tables: an index built leaf by leaf, a partition attached after proof, one detached beside others.

use crate::catalog::{Catalog, RelationName, server_name};
use crate::dialect::Name;
use crate::operation::{
    AlterTable, Bound, Constraint, CreateIndex, Kind, Operation, PartitionBound, PartitionBy, RelationWord,
    TableAction,
};
use crate::plan::{Criterion, Phase, PhaseKind, SqlStep, Statement, Step, Way};

use super::make::{self, Build, On};
use super::scene::{Scene, name_of};
use super::{Form, Recipe, Refusal};

pub(super) static ATTACH: Recipe = Recipe {
    id: "attach-partition",
    page: include_str!("attach_partition.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| attached(operation).is_some(), write: attach },
};

pub(super) static DETACH: Recipe = Recipe {
    id: "detach-partition",
    page: include_str!("detach_partition.md"),
    ways: &[Way::Triggers],
    form: Form::One { applies: |operation| detached(operation).is_some(), write: detach },
};

fn attached(operation: &Operation) -> Option<(&AlterTable, &crate::dialect::Name, &PartitionBound)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        TableAction::AttachPartition { partition, bound } => Some((alter, partition, bound)),
        _ => None,
    }
}

fn detached(operation: &Operation) -> Option<(&AlterTable, &crate::dialect::Name)> {
    let Kind::AlterTable(alter) = &operation.kind else { return None };
    match &alter.action {
        TableAction::DetachPartition { partition, concurrently: false, finalize: false } => {
            Some((alter, partition))
        }
        _ => None,
    }
}

/// The partitions, where none of them is partitioned again.
pub(super) fn leaves<'a>(scene: &Scene<'a>, table: &RelationName) -> Result<&'a [RelationName], Refusal> {
    let state = scene.table(table)?;
    let again = |name: &&RelationName| scene.catalog.table(name).is_some_and(|it| it.partition_by.is_some());
    match state.children.iter().find(again) {
        Some(child) => Err(Refusal::new(format!(
            "the partition {} is partitioned again: build the index on its partitions first, then on it",
            child.display(scene.dialect())
        ))),
        None => Ok(&state.children),
    }
}

/// The index that a table has in one schema and not in the other.
pub(super) fn new_index(before: &Catalog, after: &Catalog, table: &RelationName) -> Option<String> {
    let known = before.indexes(table);
    let added = after.indexes(table).iter().find(|it| known.iter().all(|other| other.name != it.name))?;
    Some(added.name.name.to_string())
}

/// An index on a partitioned table: concurrently on each partition, then on the table ONLY, then attached.
pub(super) fn index(
    index: &CreateIndex,
    scene: &Scene<'_>,
    table: &RelationName,
) -> Result<Vec<Phase>, Refusal> {
    let leaves = leaves(scene, table)?;
    let mut after = scene.catalog.clone();
    after.apply(&Operation { kind: Kind::CreateIndex(Box::new(index.clone())), span: index.keyword });
    let nameless = || Refusal::new("the index has no name: give it one, so that it can be found again");
    let name = new_index(scene.catalog, &after, table).ok_or_else(nameless)?;
    let own = |own: &str, table: &RelationName| CreateIndex {
        name: Some(Name::new(own)),
        table: scene.name(table),
        if_not_exists: false,
        ..index.clone()
    };
    let mut steps = Vec::new();
    let whole = CreateIndex { only: true, concurrently: false, ..own(&name, table) };
    let mut attach = vec![make::create_index(whole)];
    let full = scene.sibling(table, &name);
    for leaf in leaves {
        let part = new_index(scene.catalog, &after, leaf).ok_or_else(nameless)?;
        let built = make::create_index(CreateIndex { concurrently: true, only: false, ..own(&part, leaf) });
        let title = format!("build {part} on {} without blocking", leaf.display(scene.dialect()));
        steps.push(Step::Sql(scene.built(name_of(&[&part, "concurrently"]), title, built)));
        let on = On { name: full.clone(), word: RelationWord::Index };
        attach.push(on.does(TableAction::AttachIndex { index: scene.sibling(leaf, &part) }));
    }
    let title = format!("make {name} of them: nothing is read");
    let down = vec![make::drop_index(full.clone(), Build::Plain, false)];
    steps.push(Step::Sql(scene.in_transaction(name_of(&[&name, "attach"]), title, attach, down)));
    let invalid = scene.engine().is_incomplete(&full.sql(scene.dialect()));
    let title = format!("build {name} partition by partition");
    Ok(vec![
        Phase::new(PhaseKind::Expand, title, steps)
            .leave_when(Criterion::counts_nothing("the index is valid, on every partition", invalid))
            .undone_by("drop the index: those of the partitions go with it", "a build fails"),
    ])
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
    let mut verify =
        Phase::new(PhaseKind::Verification, "check the old rows, beside readers and writers", validate);
    for proof in &proofs {
        let words = format!("no row of {} stands in the way", proof.table.display(scene.dialect()));
        verify = verify.enter_when(Criterion::counts_nothing(words, proof.offenders()));
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

fn bound_of(scene: &Scene<'_>, by: Option<&PartitionBy>, bound: &PartitionBound) -> Result<Bound, Refusal> {
    let read = by
        .ok_or("how the table is partitioned is not known")
        .and_then(|by| Bound::read(by, bound, scene.dialect()));
    read.map_err(|why| Refusal::new(format!("{why}: write the check that says what the bound says by hand")))
}

/// A check that proves something of every row of a table.
struct Proof<'a> {
    scene: &'a Scene<'a>,
    table: &'a RelationName,
    name: String,
    condition: String,
}

impl Proof<'_> {
    fn add_valid(&self) -> Statement {
        self.scene.on(self.table).add(make::check(&self.name, self.condition.clone()))
    }

    /// The check for new rows, its validation, and its end.
    fn statements(&self) -> [Statement; 3] {
        let on = self.scene.on(self.table);
        let check = Constraint { not_valid: true, ..make::check(&self.name, self.condition.clone()) };
        [on.add(check), on.validate(&self.name), on.drop_constraint(&self.name)]
    }

    fn step(&self, what: &str, title: &str, up: Vec<Statement>, down: Vec<Statement>) -> SqlStep {
        let title = format!("{title} {}", self.table.display(self.scene.dialect()));
        self.scene.in_transaction(name_of(&[&self.name, what]), title, up, down)
    }

    fn add(&self) -> SqlStep {
        let [add, _, drop] = self.statements();
        self.step("not_valid", "a check for new rows of", vec![add], vec![drop])
    }

    fn validate(&self) -> SqlStep {
        let [add, validate, drop] = self.statements();
        self.step("validate", "check the old rows of", vec![validate], vec![drop, add])
    }

    fn drop(&self) -> SqlStep {
        let [add, validate, drop] = self.statements();
        self.step("drop", "drop the check of", vec![drop], vec![add, validate])
    }

    fn offenders(&self) -> String {
        format!(
            "SELECT count(*) FROM {} WHERE NOT COALESCE({}, false)",
            self.scene.sql(self.table),
            self.condition
        )
    }
}

fn detach(operation: &Operation, scene: &Scene<'_>, _: Way) -> Result<Vec<Phase>, Refusal> {
    let Some((alter, partition)) = detached(operation) else {
        return Err(Refusal::new("it detaches no partition"));
    };
    let (parent, child) = (scene.resolve(&alter.table), scene.resolve(partition));
    let state = scene.table(&parent)?;
    if scene.target.version.major < 14 {
        return Err(Refusal::new(
            "DETACH PARTITION CONCURRENTLY needs PostgreSQL 14: keep it short with a lock_timeout",
        ));
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
    // The concurrent form leaves a check that says what the bound said; the other form does not.
    let check = Proof {
        scene,
        table: &child,
        name: server_name(&child.name, &[read.column()], "check"),
        condition: read.within(scene.dialect()).join(" AND "),
    };
    if scene.table(&child)?.constraint(&check.name).is_some() {
        return Err(Refusal::new(format!(
            "{shown} has a check {} already, and the detach leaves one under a name that is not foreseen: detach it by hand",
            check.name
        )));
    }
    let (add, drop) = (check.add_valid(), scene.on(&child).drop_constraint(&check.name));
    if let Some(down) = &mut detach.down {
        down.push(drop.clone());
    }
    let drop = check.step("drop", "drop the check that the detach left on", vec![drop], vec![add]);
    let pending = format!(
        "SELECT count(*) FROM pg_inherits WHERE inhrelid = {}::regclass AND inhdetachpending",
        crate::dialect::quote_literal(&scene.sql(&child))
    );
    Ok(vec![
        Phase::new(PhaseKind::Contract, title, vec![Step::Sql(detach), Step::Sql(drop)])
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
