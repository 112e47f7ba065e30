//! Rows of one table that go to another, behind which the first is dropped: both kept in step, row by row, until no release knows the first.

use crate::catalog::{ColumnState, Index, RelationName, Table};
use crate::dialect::{Dialect, LockMode};
use crate::engine::Capability;
use crate::hazards::compatibility::dropped_table;
use crate::mechanics::backfill::{self, Backfill};
use crate::mechanics::copied::Copied;
use crate::mechanics::handover::both_written;
use crate::mechanics::make;
use crate::mechanics::mirror::{Beside, Mark, Marks, Mirror, Pair};
use crate::mechanics::scene::stands_apart;
use crate::mechanics::scene::{Scene, name_of};
use crate::mechanics::{Phases, Refusal, referencing, table_again, twin_checks};
use crate::operation::{Insert, Kind, ObjectKind, Operation};
use crate::plan::{Act, Criterion, Phase, PhaseKind, ReleaseStep, SqlStep, Statement, Step, Way, Work};

use super::{Form, Recipe, drop_table};

pub(super) static RECIPE: Recipe = Recipe {
    id: "merge-rows",
    dialects: &[Dialect::Postgres],
    page: include_str!("merge_rows.md"),
    ways: &[Way::Triggers, Way::Application],
    form: Form::Several {
        claim: |operations, scene| Merged::of(operations, scene).map(|it| it.members),
        write,
    },
};

/// `INSERT INTO t SELECT … FROM s`, and `DROP TABLE s` behind it.
struct Merged<'a> {
    insert: &'a Insert,
    drop: &'a Operation,
    from: RelationName,
    into: RelationName,
    members: Vec<usize>,
}

impl<'a> Merged<'a> {
    fn of(operations: &[&'a Operation], scene: &Scene<'_>) -> Option<Self> {
        let Kind::Insert(insert) = &operations.first()?.kind else { return None };
        let into = scene.resolve(&insert.table);
        let named = insert.query.as_ref()?.relations(scene.dialect());
        let read: Vec<RelationName> = named.iter().map(|it| scene.resolve(it)).collect();
        let live =
            |it: &RelationName| *it != into && scene.catalog.table(it).is_some() && !scene.catalog.is_new(it);
        operations.iter().enumerate().skip(1).find_map(|(at, operation)| {
            let Kind::Drop(drop) = &operation.kind else { return None };
            let gone = drop.names.iter().map(|it| scene.resolve(it)).find(|it| read.contains(it) && live(it));
            let from = gone.filter(|_| drop.object == ObjectKind::Table)?;
            let used = [vec![insert.table.clone()], named.clone()].concat();
            // What uses them between is taken too, and refused: carried out alone it would come too early or too late.
            let apart = |it: &usize| stands_apart(operations[*it], &used, scene);
            let members = (0..=at).filter(|it| *it == 0 || *it == at || !apart(it)).collect();
            Some(Self { insert, drop: operation, from, into: into.clone(), members })
        })
    }
}

fn write(operations: &[&Operation], scene: &Scene<'_>, way: Way) -> Phases {
    let merged = Merged::of(operations, scene).ok_or_else(|| Refusal::new("it merges no tables"))?;
    let merge = Merge::of(&merged, scene)?;
    match way {
        Way::Application => merge.by_application(),
        _ => merge.by_triggers(),
    }
}

/// Why no plan is written, with what there is instead.
fn by_hand(merged: &Merged<'_>, scene: &Scene<'_>, why: &str) -> Refusal {
    let [from, into] = [&merged.from, &merged.into].map(|it| it.display(scene.dialect()));
    Refusal::new(format!(
        "rows of {from} go to {into}, and {from} is dropped: what the running release writes to {from} after the copy would be lost, and {why}. \
         Release an application that writes {into} and no more {from} first; then copy in one migration, and DROP TABLE {from} in a later one"
    ))
}

/// Both tables, and how the rows of the one are told among those of the other.
struct Merge<'a> {
    scene: &'a Scene<'a>,
    drop: &'a Operation,
    source: &'a RelationName,
    source_state: &'a Table,
    target: &'a RelationName,
    target_state: &'a Table,
    there: Mirror<'a>,
}

impl<'a> Merge<'a> {
    fn of(merged: &'a Merged<'a>, scene: &'a Scene<'a>) -> Result<Self, Refusal> {
        let no = |why: &str| Err(by_hand(merged, scene, why));
        if merged.members.len() > 2 {
            return no("what stands between uses them too");
        }
        let Some(copied) = Copied::of(merged.insert, scene).filter(|it| it.condition.is_none()) else {
            return no("only rows that are all copied, one by one, can be kept in step");
        };
        let (source, target) = (&merged.from, &merged.into);
        let (source_state, target_state) = (scene.table(source)?, scene.table(target)?);
        for (name, state) in [(source, source_state), (target, target_state)] {
            if state.partition_by.is_some() || state.partition_of.is_some() || !state.children.is_empty() {
                return no(&format!("{} is partitioned or inherited", name.display(scene.dialect())));
            }
        }
        if !source_state.triggers.is_empty() {
            return no("it has triggers, which would fire for what comes back");
        }
        if let Some(key) = referencing::to(scene, source, |_, _| true)?.first() {
            return no(&format!("{} points at it: let it point at the other table first", key.shown(scene)));
        }
        let (mut columns, mut marks) = (Vec::new(), Vec::new());
        for (to, value) in &copied.columns {
            let plain = copied.plain(to, scene.dialect());
            match plain.filter(|it| source_state.column(it).is_some()) {
                Some(from) => columns.push(Pair { from, to: to.clone() }),
                None if value.is_literal(scene.dialect()) && !value.is_null() => {
                    marks.push(Mark {
                        column: to.clone(),
                        value: value.text.trim().to_owned(),
                        of_key: false,
                    });
                }
                None => return no(&format!("{to} is not copied as it is, so nothing says what goes back")),
            }
        }
        let Some(key) = key(source_state, target_state, &columns, &mut marks) else {
            return no(&format!(
                "no unique key of {} that refuses NULL is filled with one of it, so nothing tells which rows belong together",
                target.display(scene.dialect())
            ));
        };
        let there = Mirror {
            scene,
            from: source,
            to: target,
            columns,
            key,
            marks: Marks { here: Vec::new(), untold: marks.is_empty(), there: marks },
            beside: Beside::Release,
        };
        Ok(Self { scene, drop: merged.drop, source, source_state, target, target_state, there })
    }

    fn shown(&self) -> (String, String) {
        (self.source.display(self.scene.dialect()), self.target.display(self.scene.dialect()))
    }

    fn file(&self, part: &str) -> String {
        name_of(&[&self.source.name, "into", &self.target.name, part])
    }

    /// What both releases write must be possible in both tables.
    fn refuse_what_one_cannot_hold(&self) -> Result<(), Refusal> {
        let (source, target) = self.shown();
        let application = "or let the application write both (--strategy application-dual-write)";
        if self.there.marks.there.is_empty() {
            return Err(Refusal::new(format!(
                "nothing tells which rows of {target} are those of {source}, so the release that is live would not see what the new one adds: fill a column \
                 of {target} with a word of their own, {application}"
            )));
        }
        for pair in &self.there.columns {
            let (Some(own), Some(other)) =
                (self.source_state.column(&pair.from), self.target_state.column(&pair.to))
            else {
                return Err(Refusal::new(format!("the column {} is not known", pair.to)));
            };
            let shown = format!("{source}.{} and {target}.{}", pair.from, pair.to);
            if own.not_null != other.not_null || own.ty.to_string() != other.ty.to_string() {
                return Err(Refusal::new(format!(
                    "{shown} do not take the same values, so what one release writes may fail in the other's table: give both one type, and let both \
                     refuse NULL or none, {application}"
                )));
            }
            if own.generated.is_some() || own.identity.is_some() || other.identity.is_some() {
                return Err(Refusal::new(format!(
                    "{shown} are drawn or computed by the server: {application}"
                )));
            }
        }
        let covered = |it: &ColumnState| self.there.columns.iter().any(|pair| pair.from == it.name);
        let needs = |it: &&ColumnState| {
            it.not_null && it.default.is_none() && it.identity.is_none() && it.generated.is_none()
        };
        match self.source_state.columns.iter().filter(needs).find(|it| !covered(it)) {
            Some(column) => Err(Refusal::new(format!(
                "a row of {source} needs {}, which is not copied, so none can be made for what the new release writes: copy it, give it a default, \
                 {application}",
                column.name
            ))),
            None => Ok(()),
        }
    }

    /// A key that each table draws for itself would meet itself.
    fn refuse_drawn_keys(&self) -> Result<(), Refusal> {
        for pair in &self.there.key {
            let own = self.source_state.column(&pair.from);
            let other = self.target_state.column(&pair.to);
            let drawn = |it: Option<&ColumnState>| it.and_then(|it| it.sequence.clone());
            let (own, other) = (drawn(own), drawn(other));
            if own != other {
                let (source, target) = self.shown();
                return Err(Refusal::new(format!(
                    "{source}.{} and {target}.{} do not draw from one sequence, so both releases may give the same number to different rows: let both \
                     have the same default first",
                    pair.from, pair.to
                )));
            }
        }
        Ok(())
    }

    fn by_triggers(&self) -> Phases {
        self.refuse_drawn_keys()?;
        self.refuse_what_one_cannot_hold()?;
        let mut expand = self.expand()?;
        expand.steps.push(Step::Sql(self.in_step()));
        let (source, target) = self.shown();
        expand.title = format!("keep {source} and its rows in {target} in step");
        Ok(vec![expand, self.there.backfill(self.source_state, &[])?, self.cutover(), self.contract()?])
    }

    /// Makes sure that what comes over can be told from what is there, so that it can be taken out again.
    fn expand(&self) -> Result<Phase, Refusal> {
        let (scene, (source, target)) = (self.scene, self.shown());
        let rows = self.there.belonging();
        let message =
            format!("rows of {target} would look as if they came from {source}: change or remove them first");
        let alike = format!("SELECT FROM {} WHERE {rows}", scene.sql(self.target));
        let walk = backfill::walk(scene, self.target, self.target_state, &[])?;
        let job = backfill::job(scene, self.target, walk, Work::Delete, rows);
        let title = format!("nothing in {target} looks as if it came from {source}");
        let refuse = Statement::of(Act::Refuse { rows: alike, message });
        let step = scene.alone(self.file("room"), title.clone(), refuse, Some(job.into()));
        Ok(Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .enter_when(twin_checks::nothing_unknown(scene, self.source, self.source_state, &[]))
            .enter_when(Criterion::of_people(format!(
                "{target} takes every row that {source} takes: its checks and foreign keys were looked at, and the copy was tried on a copy of the data"
            )))
            .undone_by(
                format!("the down migrations stop the triggers and remove what came over from {target}, in batches; nothing in {source} is lost"),
                "writes that fail in a trigger, or p99 of writes over 10 % above the baseline",
            ))
    }

    /// Both ways at once: with one only, what the other table misses would look as if it were there.
    fn in_step(&self) -> SqlStep {
        let (source, target) = self.shown();
        let title = format!("carry each change of {source} over to {target}, and back");
        self.scene.on_two_tables(self.file("in_step"), title, self.start(), self.stop())
    }

    fn start(&self) -> Vec<Statement> {
        let mirrors = [self.there.clone(), self.there.turned()];
        mirrors.iter().flat_map(|it| [vec![it.create_function()], it.start()].concat()).collect()
    }

    fn stop(&self) -> Vec<Statement> {
        let mirrors = [self.there.clone(), self.there.turned()];
        mirrors.iter().flat_map(|it| [it.stop(), vec![it.drop_function()]].concat()).collect()
    }

    /// The rows among those of the target, in words.
    fn rows_shown(&self) -> String {
        let (_, target) = self.shown();
        let marks = self.there.marks.there.iter().map(|it| format!("{} = {}", it.column, it.value));
        let marks: Vec<String> = marks.collect();
        if marks.is_empty() { target } else { format!("{target}, the rows with {}", marks.join(" and ")) }
    }

    fn cutover(&self) -> Phase {
        let (source, target) = self.shown();
        let must = vec![
            format!("say {} wherever it says {source}, in reads and in writes", self.rows_shown()),
            "try again what ends with 40P01 (deadlock): a row that both releases change at one moment is locked from both sides".to_owned(),
        ];
        Phase::new(
            PhaseKind::Cutover,
            format!("release the application that says {target}"),
            vec![Step::Release(ReleaseStep { must })],
        )
        .enter_when(self.there.agrees())
        .leave_when(Criterion::of_people(format!("no instance of a release that says {source} is running")))
        .undone_by("roll the application back: both tables are up to date", "errors over the baseline")
    }

    fn contract(&self) -> Result<Phase, Refusal> {
        let (source, _) = self.shown();
        let keys = self.source_state.constraints.iter();
        let keys = keys.filter_map(|it| referencing::drop_key(self.scene, self.source, it));
        let steps: Vec<SqlStep> = keys.chain([self.drop()?]).collect();
        let lost: Vec<&str> = self.not_copied().map(|it| it.name.as_str()).collect();
        let phase = Phase::new(
            PhaseKind::Contract,
            format!("drop {source} when nobody says it any more"),
            steps.into_iter().map(Step::Sql).collect(),
        )
        .enter_when(Criterion::of_people(format!(
            "no release that says {source} has run for one full release cycle"
        )))
        .enter_when(self.there.agrees());
        if lost.is_empty() {
            return Ok(phase.undone_by(
                format!("the down migrations make {source} again from its rows in the other table, which is closed for writing meanwhile"),
                "a program that still uses the old name",
            ));
        }
        let lost = lost.join(", ");
        Ok(phase.enter_when(Criterion::of_backup(format_args!("{lost} of {source}"))).undone_by(
            format!("the down migrations make {source} again from its rows in the other table; {lost} only from the backup"),
            "a program that still uses the old name",
        ))
    }

    fn not_copied(&self) -> impl Iterator<Item = &ColumnState> {
        let copied = |it: &&ColumnState| self.there.columns.iter().any(|pair| pair.from == it.name);
        self.source_state.columns.iter().filter(move |it| it.generated.is_none() && !copied(it))
    }

    fn drop(&self) -> Result<SqlStep, Refusal> {
        let (scene, on) = (self.scene, self.scene.on(self.source));
        let target = scene.name(self.target);
        let mut up = vec![make::lock(vec![on.name.clone(), target.clone()], LockMode::AccessExclusive)];
        up.extend(self.stop());
        let drop = make::drop(ObjectKind::Table, on.name.clone());
        let because = "all its rows are in the other one, and no release uses it";
        up.push(drop.allowing(&dropped_table::RULE, because));
        let again = table_again::whole(scene, self.source, self.source_state, self.source)
            .ok_or_else(|| Refusal::new(format!("{} could not be made again", self.shown().0)))?;
        let mut down = vec![make::lock(vec![target], LockMode::ShareRowExclusive)];
        down.extend(again);
        let (to, from): (Vec<&str>, Vec<&str>) =
            self.there.columns.iter().map(|it| (it.from.as_str(), it.to.as_str())).unzip();
        let rows = self.there.belonging();
        let rows = format!("SELECT {} FROM {} WHERE {rows}", scene.list(from), scene.sql(self.target));
        down.push(on.insert(to, false, rows));
        for column in &self.source_state.columns {
            let Some(sequence) = &column.sequence else { continue };
            let (sequence, column) = (scene.sql(sequence), scene.quote(&column.name));
            let query = scene.engine().go_on_behind(&sequence, &column, &scene.sql(self.source));
            down.push(make::query(query));
        }
        down.extend(self.start());
        let title = format!("drop {} and the triggers that keep it in step", self.shown().0);
        Ok(scene.on_two_tables(self.file("contract"), title, up, down))
    }

    fn by_application(&self) -> Phases {
        let scene = self.scene;
        if !scene.can(Capability::UpdateFromLockedRows) {
            return Err(Refusal::new(format!(
                "before {} an UPDATE whose sub-query locks the row that it reads may find that row twice, and fails: copy the rows while nobody \
                 writes them",
                scene.since(Capability::UpdateFromLockedRows)
            )));
        }
        let ((source, target), rows) = (self.shown(), self.rows_shown());
        let write = both_written(vec![
            format!("write {rows}, wherever it writes {source}, in the same transaction, {source} first"),
            format!("go on reading {source}"),
        ]);
        let mut copy = self.there.backfill(self.source_state, &[])?;
        copy.exit.clear();
        let mut phases = vec![self.expand()?, write, copy];
        phases.extend(self.refreshed()?);
        let releases = [
            vec![format!("read {rows}"), format!("go on writing both {source} and {target}")],
            vec![format!("write {target} only, and stop using {source}")],
        ];
        let steps = releases.into_iter().map(|must| Step::Release(ReleaseStep { must })).collect();
        let cutover =
            Phase::new(PhaseKind::Cutover, format!("release the application that says {target}"), steps)
                .enter_when(self.there.agrees())
                .leave_when(Criterion::of_people(format!(
                    "no instance of a release that says {source} is running"
                )))
                .undone_by(
                    format!("roll the application back: both tables are up to date until the last release, which writes only {target}"),
                    "errors or p99 over 10 % above the baseline",
                );
        phases.push(cutover);
        let drop = drop_table::phases(self.drop, scene)?;
        // The release that does not know the table is out already.
        phases.extend(drop.into_iter().filter(|it| it.releases().next().is_none()));
        Ok(phases)
    }

    /// What the release before wrote again behind the one that writes both.
    fn refreshed(&self) -> Result<Option<Phase>, Refusal> {
        let (scene, there) = (self.scene, &self.there);
        let is_key = |it: &Pair| there.key.iter().any(|key| key.to == it.to);
        let set: Vec<&Pair> = there.columns.iter().filter(|it| !is_key(it)).collect();
        if set.is_empty() {
            return Ok(None);
        }
        let (source, target) = (scene.sql(self.source), scene.sql(self.target));
        let on = |key: &Pair| format!("_here.{} = {target}.{}", scene.quote(&key.from), scene.quote(&key.to));
        let on: Vec<String> = there.key.iter().map(on).collect();
        let on = on.join(" AND ");
        let value = |from: &str| {
            format!("(SELECT _here.{} FROM {source} AS _here WHERE {on} FOR SHARE)", scene.quote(from))
        };
        let values = set.iter().map(|it| (it.to.as_str(), value(&it.from))).collect();
        let marked = there.marked_there().map(|it| format!("{it} AND ")).unwrap_or_default();
        let pair = |prefix: &str, column: fn(&Pair) -> &str| {
            let each = set.iter().map(|it| format!("{prefix}.{}", scene.quote(column(it))));
            format!("ROW({})::record", each.collect::<Vec<_>>().join(", "))
        };
        let (own, other) = (pair("_here", |it| &it.from), pair(&target, |it| &it.to));
        let pending =
            format!("{marked}EXISTS (SELECT FROM {source} AS _here WHERE {on} AND {own} *<> {other})");
        let backfill = Backfill { table: self.target, set: values, pending };
        Ok(Some(backfill.phase(scene, self.target_state, there.agrees())?))
    }
}

/// The columns that tell which rows belong together: a unique key there, filled with one here, and with marks.
fn key(source: &Table, target: &Table, columns: &[Pair], marks: &mut [Mark]) -> Option<Vec<Pair>> {
    let usable = |index: &&Index| index.unique && index.valid && index.predicate.is_none();
    for index in target.indexes.iter().filter(usable) {
        let names: Option<Vec<&str>> = index.keys.iter().map(|key| key.column.as_deref()).collect();
        let Some(names) = names else { continue };
        let pairs: Vec<Pair> = columns.iter().filter(|it| names.contains(&it.to.as_str())).cloned().collect();
        let marked = marks.iter().filter(|it| names.contains(&it.column.as_str())).count();
        let all = pairs.len() + marked == names.len();
        let refuse_null = names.iter().all(|it| target.column(it).is_some_and(|it| it.not_null));
        let same =
            |it: &Vec<String>| it.len() == pairs.len() && pairs.iter().all(|pair| it.contains(&pair.from));
        if all && refuse_null && backfill::keys(source).any(|it| same(&it)) {
            marks.iter_mut().for_each(|it| it.of_key = names.contains(&it.column.as_str()));
            return Some(pairs);
        }
    }
    None
}
