//! A second table under the new name, of which the first is a copy and which is a copy of the first, until no release says the old name.
//!
//! For releases that need a table under both names, where a view will not do: they empty it, lock it, copy into it, point at it.

use crate::catalog::{ConstraintState, Demand, RelationName, Table};
use crate::dialect::LockMode;
use crate::hazards::compatibility::{dropped_table, renamed_object};
use crate::mechanics::make::{self, On};
use crate::mechanics::mirror::{Beside, Mirror};
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::twin::{self, Shape, Twin};
use crate::mechanics::{Phases, Refusal, carried, details, referencing, twin_checks as checks};
use crate::operation::{ObjectKind, RelationWord};
use crate::plan::{Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Statement, Step};

/// All phases.
///
/// # Errors
/// [`Refusal`] where two tables cannot be kept in step, each written by a release of its own.
pub(super) fn phases(scene: &Scene<'_>, old: &RelationName, new: &RelationName) -> Phases {
    let state = scene.table(old)?;
    refuse(scene, old, state)?;
    let create = like(scene, state, (old, old), new);
    let shape = Shape {
        create: create.clone(),
        after: state.clone(),
        again: Vec::new(),
        title: String::new(),
        keeps_place: true,
        order: Vec::new(),
    };
    let twin = Twin::of(scene, old, state, new, shape)?;
    let there = Mirror { beside: Beside::Release, ..twin.mirror.clone() };
    let back = there.turned();
    Second { scene, old, new, state, twin: &twin, there, back }.phases()
}

/// The table under its new name. Once that is the one there is, the old one is made again like it.
fn like(
    scene: &Scene<'_>,
    state: &Table,
    (old, of): (&RelationName, &RelationName),
    name: &RelationName,
) -> Vec<Statement> {
    let copy = make::create_like(scene.name(name), scene.name(of), state.unlogged);
    let details = details::of_copy(scene.catalog, old, state, &scene.on(name));
    [copy].into_iter().chain(details).collect()
}

fn refuse(scene: &Scene<'_>, old: &RelationName, state: &Table) -> Result<(), Refusal> {
    let no = |why: &str| {
        Err(Refusal::new(format!(
            "{} {why}: let a view stand under the old name (--strategy compatibility-view)",
            old.display(scene.dialect())
        )))
    };
    if let Err(why) = checks::hanging(scene, old, state) {
        return no(&why);
    }
    if !state.triggers.is_empty() {
        return no("has triggers, which would fire for each of the two tables");
    }
    if !state.statistics.is_empty() {
        return no("has extended statistics, whose names would change");
    }
    if let Some(column) = state.columns.iter().find(|it| it.identity.is_some()) {
        return no(&format!("has an identity, {}, and each table would draw its own numbers", column.name));
    }
    let to_itself = |it: &ConstraintState| matches!(&it.demand, Demand::ForeignKey { references, .. } if references == old);
    if state.constraints.iter().any(to_itself) {
        return no("points at itself, and rows come over one by one");
    }
    Ok(())
}

/// The table under its old name and the one under its new name.
struct Second<'a> {
    scene: &'a Scene<'a>,
    old: &'a RelationName,
    new: &'a RelationName,
    state: &'a Table,
    twin: &'a Twin<'a>,
    there: Mirror<'a>,
    back: Mirror<'a>,
}

impl Second<'_> {
    fn phases(&self) -> Phases {
        let mut phases = vec![self.expand(), self.there.backfill(self.state, &[])?];
        phases.extend(self.twin.keys());
        phases.push(self.cutover());
        phases.push(self.contract());
        Ok(phases)
    }

    fn shown(&self) -> (String, String) {
        (self.old.display(self.scene.dialect()), self.new.display(self.scene.dialect()))
    }

    fn file(&self, suffix: &str) -> String {
        name_of(&[&self.old.name, "to", &self.new.name, suffix])
    }

    /// Both ways at once: with one only, what the other table misses would look as if it were there.
    fn start(&self) -> Vec<Statement> {
        let mirrors = [&self.there, &self.back];
        mirrors.iter().flat_map(|it| [vec![it.create_function()], it.start()].concat()).collect()
    }

    fn stop(&self) -> Vec<Statement> {
        let mirrors = [&self.there, &self.back];
        mirrors.iter().flat_map(|it| [it.stop(), vec![it.drop_function()]].concat()).collect()
    }

    fn expand(&self) -> Phase {
        let (old, new) = self.shown();
        let up = [self.twin.shape.create.clone(), self.start()].concat();
        let drop = make::drop(ObjectKind::Table, self.scene.name(self.new));
        let down = [self.stop(), vec![drop]].concat();
        let title = format!("make {new} beside {old}, with triggers that carry each change over, both ways");
        let step = self.scene.in_transaction(self.file("expand"), title.clone(), up, down);
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .enter_when(checks::nothing_unknown(self.scene, self.old, self.state, &self.twin.references))
            .leave_when(checks::nothing_missing(self.twin))
            .leave_when(checks::indexes_are_alike(self.twin))
            .undone_by(
                format!("the down migration drops the triggers and {new}; nothing that was written is lost"),
                "writes that fail in a trigger, or p99 of writes over 10 % above the baseline",
            )
    }

    fn cutover(&self) -> Phase {
        let (old, new) = self.shown();
        let must = vec![
            format!("say {new} wherever it says {old}, in reads and in writes"),
            "try again what ends with 40P01 (deadlock): a row that both releases change at one moment is locked from both sides".to_owned(),
        ];
        Phase::new(
            PhaseKind::Cutover,
            format!("release the application that says {new}"),
            vec![Step::Release(ReleaseStep { must })],
        )
        .enter_when(self.there.agrees())
        .leave_when(Criterion::of_people(format!("no instance of a release that says {old} is running")))
        .undone_by("roll the application back: both tables are up to date", "errors over the baseline")
    }

    fn contract(&self) -> Phase {
        let (old, new) = self.shown();
        let keys = self.state.constraints.iter();
        let keys = keys.filter_map(|it| referencing::drop_key(self.scene, self.old, it));
        let steps: Vec<SqlStep> = keys.chain([self.drop()]).collect();
        let title = format!("drop {old} when nobody says it any more");
        Phase::new(PhaseKind::Contract, title, steps.into_iter().map(Step::Sql).collect())
            .enter_when(Criterion::of_people(format!(
                "no release that says {old} has run for one full release cycle"
            )))
            .enter_when(self.there.agrees())
            .undone_by(
                format!("the down migrations make {old} again and copy all rows, while {new} is closed for writing"),
                "a program that still uses the old name",
            )
    }

    /// Indexes that the server named after one table take the names that they have on the other.
    fn names(&self, table: &RelationName, from: &Table, to: &Table) -> Vec<Statement> {
        let pairs = from.indexes.iter().zip(&to.indexes);
        let pairs = pairs.map(|(from, to)| (&*from.name.name, &*to.name.name)).collect();
        carried::renamed_parts(self.scene, table, pairs, Vec::new())
    }

    /// The sequences of the table that goes belong to the one that stays, and lie in its schema.
    fn sequences(&self, from: &RelationName, to: &RelationName) -> Vec<Statement> {
        let scene = self.scene;
        let mut statements = Vec::new();
        for column in &self.state.columns {
            let Some(own) = &column.sequence else { continue };
            let of = |table: &RelationName| scene.sibling(table, &own.name);
            if from.schema != to.schema {
                statements.push(make::own_sequence(of(from), None, None));
                let moves = On { name: of(from), word: RelationWord::Sequence }.set_schema(&to.schema);
                let because = "the releases that use the old name are out";
                statements.push(moves.allowing(&renamed_object::RULE, because));
            }
            statements.push(make::own_sequence(of(to), None, Some((scene.name(to), &column.name))));
        }
        statements
    }

    fn drop(&self) -> SqlStep {
        let (scene, (old, new)) = (self.scene, (self.scene.name(self.old), self.scene.name(self.new)));
        let mut up = vec![make::lock(vec![old.clone(), new.clone()], LockMode::AccessExclusive)];
        up.extend(self.stop());
        up.extend(self.sequences(self.old, self.new));
        let drop = make::drop(ObjectKind::Table, old);
        let because = "all its rows are in the one that the releases use";
        up.push(drop.clone().allowing(&dropped_table::RULE, because));
        up.extend(self.names(self.new, &self.twin.made, self.state));

        let again = like(scene, self.state, (self.old, self.new), self.old);
        let mut down = vec![make::lock(vec![new], LockMode::ShareRowExclusive)];
        down.extend(self.names(self.new, self.state, &self.twin.made));
        down.extend(again.iter().cloned());
        let beside = twin::after_all(scene.catalog, &self.twin.shape.create);
        let beside = twin::after_all(&beside, &self.sequences(self.old, self.new));
        let beside = twin::after_all(&beside, &[drop]);
        down.extend(self.names(self.old, &twin::after(&beside, &again, self.old), self.state));
        let columns = || self.there.columns.iter().map(|it| it.from.as_str());
        let rows = format!("SELECT {} FROM {}", scene.list(columns()), scene.sql(self.new));
        down.push(scene.on(self.old).insert(columns(), false, rows));
        down.extend(self.sequences(self.new, self.old));
        down.extend(self.start());
        let title = format!("drop {} and the triggers that keep it in step", self.shown().0);
        scene.on_two_tables(self.file("contract"), title, up, down)
    }
}
