//! A primary key that becomes a wider integer: the new column takes over the key, the foreign keys that point at it and
//! the sequence.
//!
//! Foreign keys depend on an index, not on a column's name. They go over to the new column's index one at a time before
//! the swap, so that the swap itself locks one table only.

use crate::catalog::{Demand, RelationKind, RelationName, Table};
use crate::engine::Count;
use crate::hazards::compatibility::{dropped_replica_identity, lost_conflict_target, refused_ids};
use crate::hazards::schema::mismatched_key;
use crate::operation::{Constraint, Expression, ForeignKey, Identity, RelationWord, TypeName};
use crate::plan::{Criterion, Phase, PhaseKind, SqlStep, Statement, Step};

use super::Refusal;
use super::change_type::{Change, Moves};
use super::index::is_valid;
use super::make::{self, Build, On};
use super::referencing::{self, Reference};
use super::scene::{Scene, name_of};

/// The primary key of one column, with what points at it and where its values come from.
pub(crate) struct Key<'a> {
    /// The name of the constraint, and of its index.
    name: &'a str,
    references: Vec<Reference<'a>>,
    source: Source<'a>,
}

/// Where the values of new rows come from.
enum Source<'a> {
    /// From the default, if there is one.
    Default,
    /// From the default, which draws from a sequence that belongs to the column: its name and type.
    Serial(&'a RelationName, &'a TypeName),
    /// From the sequence of an identity.
    Identity(Identity, &'a RelationName),
}

impl<'a> Key<'a> {
    /// The key, where the column is one by itself.
    ///
    /// # Errors
    /// [`Refusal`] where it cannot be carried over.
    pub fn of(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        state: &'a Table,
        column: &str,
        ty: &TypeName,
        using: Option<&Expression>,
    ) -> Result<Option<Self>, Refusal> {
        let is_it = |demand: &Demand| matches!(demand, Demand::PrimaryKey(columns) if columns == &[column]);
        let Some(primary) = state.constraints.iter().find(|it| is_it(&it.demand)) else { return Ok(None) };
        let shown = format!("{}.{column}", table.display(scene.dialect()));
        let no = |why: &str| Err(Refusal::new(format!("{shown} {why}")));
        let Some(old) = state.column(column) else { return Ok(None) };
        if !is_wider(&old.ty, ty) || using.is_some_and(|it| !is_plain(&it.text, column, ty)) {
            return no(
                "is the primary key: only a smallint or integer key that becomes a wider integer is carried over",
            );
        }
        if primary.deferrable {
            return no("is a primary key that is deferrable: no unique index takes the place of such a one");
        }
        let references = references(scene, table, column)?;
        let source = match (&old.sequence, old.identity) {
            (Some(sequence), Some(identity)) => Source::Identity(identity, sequence),
            (Some(sequence), None) => match scene.catalog.relation(sequence).map(|it| &it.kind) {
                Some(RelationKind::Sequence(state)) => Source::Serial(sequence, &state.ty),
                _ => return no("draws its values from a sequence of which nothing is known"),
            },
            (None, Some(_)) => return no("is an identity whose sequence is not known"),
            (None, None) => Source::Default,
        };
        Ok(Some(Self { name: &primary.name, references, source }))
    }

    /// All phases.
    ///
    /// # Errors
    /// [`Refusal`] where the rows cannot be walked.
    pub fn phases(&self, change: &Change<'_>) -> Result<Vec<Phase>, Refusal> {
        let takeover = Takeover { key: self, change, scene: change.scene };
        let mut expand = change.expand();
        if let Source::Identity(_, sequence) = self.source {
            expand = expand.enter_when(takeover.plain_options(sequence));
        }
        let mut phases = vec![expand, change.backfill()?, takeover.index()];
        phases.extend(takeover.foreign_keys());
        phases.push(takeover.cutover());
        phases.push(change.contract());
        Ok(phases)
    }
}

/// Whether an integer becomes a wider one.
fn is_wider(from: &TypeName, to: &TypeName) -> bool {
    let size = |ty: &TypeName| ["int2", "int4", "int8"].iter().position(|it| ty.is_any(&[it]) && !ty.array);
    matches!((size(from), size(to)), (Some(from), Some(to)) if from < to)
}

/// `column`, or its cast to the type.
fn is_plain(using: &str, column: &str, ty: &TypeName) -> bool {
    let (value, cast) = using.split_once("::").map_or((using, None), |(value, cast)| (value, Some(cast)));
    let to = |cast: &str| crate::operation::canonical_type(&cast.trim().to_lowercase()) == ty.name;
    value.trim().trim_matches('"') == column && cast.is_none_or(to)
}

/// The foreign keys that point at the column, in order of their tables and names.
fn references<'a>(
    scene: &'a Scene<'a>,
    table: &RelationName,
    column: &str,
) -> Result<Vec<Reference<'a>>, Refusal> {
    let mut found = Vec::new();
    let names =
        |key: &ForeignKey| key.referenced.is_empty() || key.referenced.iter().any(|it| it.name == column);
    for reference in referencing::to(scene, table, |_, key| names(key))? {
        let Demand::ForeignKey { columns, key, .. } = &reference.constraint.demand else { continue };
        if key.referenced.len() > 1 {
            return Err(Refusal::new(format!(
                "{} points at {column} and other columns: no recipe carries that over yet",
                reference.shown(scene)
            )));
        }
        if reference.child == table && columns.iter().any(|it| it == column) {
            return Err(Refusal::new(format!("{} points from {column} at itself", reference.shown(scene))));
        }
        found.push(reference);
    }
    Ok(found)
}

/// A key on its way from one column to the other.
struct Takeover<'a> {
    key: &'a Key<'a>,
    change: &'a Change<'a>,
    scene: &'a Scene<'a>,
}

impl Takeover<'_> {
    fn on(&self) -> On {
        self.scene.on(self.change.table)
    }

    /// The name of the index before it is the key's.
    fn interim(&self) -> String {
        self.scene.free_name(self.change.table, &["lockkeeper", self.key.name])
    }

    /// The unique index, and what else hangs on the column.
    fn index(&self) -> Phase {
        let (scene, change) = (self.scene, self.change);
        let step = scene.built(
            name_of(&[self.key.name, "on", change.new]),
            format!("build the successor of {}", self.key.name),
            self.create_index(Build::Concurrent),
        );
        let steps = std::iter::once(step).chain(change.carried.steps()).map(Step::Sql).collect();
        let title = "give the new column the unique index, the other indexes and the constraints of the key";
        Phase::new(PhaseKind::Verification, title, steps)
            .leave_when(is_valid(scene, &scene.sibling(change.table, &self.interim())))
    }

    fn create_index(&self, build: Build) -> Statement {
        let (table, new) = (self.scene.name(self.change.table), self.change.new);
        make::unique_index(table, &self.interim(), [new], build, self.scene.dialect())
    }

    /// Each foreign key by itself: a second one to the new column, checked without blocking writes, then the first one goes.
    fn foreign_keys(&self) -> Option<Phase> {
        let steps: Vec<Step> =
            self.key.references.iter().flat_map(|it| self.follow(it)).map(Step::Sql).collect();
        let title = format!("point the foreign keys at {}, one at a time", self.change.new);
        (!steps.is_empty()).then(|| {
            Phase::new(PhaseKind::Verification, title, steps).undone_by(
                "the down migrations point them at the old column again; each checks its table under a lock that stops its writes",
                "a change of the referring tables that waits longer than the lock timeout again and again",
            )
        })
    }

    /// A foreign key as it points at the new column.
    fn moved(&self, reference: &Reference<'_>) -> Option<Constraint> {
        let mut moved = reference.constraint.clone();
        if let Demand::ForeignKey { key, .. } = &mut moved.demand {
            key.referenced = vec![make::ident(self.change.new)];
        }
        make::again(&moved, self.scene.dialect())
    }

    /// Whether the column that refers to the key is of the key's old type.
    fn is_narrower(&self, reference: &Reference<'_>) -> bool {
        let Demand::ForeignKey { columns, .. } = &reference.constraint.demand else { return false };
        let child = self.scene.catalog.table(reference.child);
        let own = columns.first().and_then(|it| child?.column(it));
        own.is_some_and(|it| it.ty.is_same(&self.change.old.ty))
    }

    fn follow(&self, reference: &Reference<'_>) -> Vec<SqlStep> {
        let Some(moved) = self.moved(reference) else { return Vec::new() };
        let narrower = self.is_narrower(reference);
        reference.follow(self.scene, moved, |add| match narrower {
            true => add.allowing(&mismatched_key::RULE, "its rows hold keys of the old type: widen it next"),
            false => add,
        })
    }

    fn cutover(&self) -> Phase {
        let (scene, change) = (self.scene, self.change);
        let (name, on) = (self.key.name, self.on());
        let because = "the key of the new column takes its place in the same transaction";
        let mut goes = on.drop_constraint(name).allowing(&lost_conflict_target::RULE, because);
        if scene.catalog.is_published(change.table) {
            goes = goes.allowing(&dropped_replica_identity::RULE, because);
        }
        let mut after = vec![goes, on.add(make::from_index(name, true, &self.interim()))];
        let back_before =
            self.key.references.iter().map(|it| scene.on(it.child).drop_constraint(&it.constraint.name));
        let mut back_before: Vec<Statement> = back_before.collect();
        back_before.push(on.drop_constraint(name));
        let mut back_after =
            vec![self.create_index(Build::Plain), on.add(make::key(name, true, [change.column]))];
        back_after.extend(self.key.references.iter().filter_map(|it| {
            let moved = Constraint { not_valid: !it.constraint.valid, ..self.moved(it)? };
            Some(scene.on(it.child).add(moved))
        }));
        let (moved, moved_back) = self.source();
        after.extend(moved);
        back_after.extend(moved_back);
        change.cutover(Moves { after, back_before, back_after, ..Moves::default() }).undone_by(
            "the down migration swaps them back, and rebuilds the old key and checks every foreign key to it while this table and \
             those that point here are closed: take a window; where a value over the old type's limit was written there is no way back",
            "errors over the baseline",
        )
    }

    /// The statements that move default and sequence to the column that has the name now, behind the swap and behind its
    /// way back.
    fn source(&self) -> (Vec<Statement>, Vec<Statement>) {
        let (scene, change, on) = (self.scene, self.change, self.on());
        let aside = change.aside();
        match &self.key.source {
            Source::Default => change.moved_default(),
            Source::Serial(sequence, ty) => {
                let name = scene.name(sequence);
                let default = scene.engine().next_value(&scene.sql(sequence));
                let go = |ty: &TypeName| {
                    let owner = Some((scene.name(change.table), change.column));
                    [
                        on.set_default(change.column, default.clone()),
                        make::own_sequence(name.clone(), Some(ty.clone()), owner),
                    ]
                };
                let wide = if is_wider(ty, change.ty) { change.ty } else { *ty };
                let up = [vec![change.drop_default_of_copy()], go(wide).to_vec()].concat();
                (up, [vec![on.drop_default(change.new)], go(ty).to_vec()].concat())
            }
            Source::Identity(identity, sequence) => {
                let (mut up, down) = (
                    self.identity(*identity, sequence, &aside),
                    self.identity(*identity, sequence, change.new),
                );
                if *identity == Identity::Always {
                    up[1] = up[1].clone().allowing(&refused_ids::RULE, "the old column refused them too");
                }
                (up.to_vec(), down.to_vec())
            }
        }
    }

    /// An identity for the column that has the name now, which goes on where that of `from` stands. An identity cannot be
    /// moved: the old sequence steps aside, and goes.
    fn identity(&self, identity: Identity, sequence: &RelationName, from: &str) -> [Statement; 4] {
        let (scene, on) = (self.scene, self.on());
        let aside = scene.free_name(sequence, &["lockkeeper", &sequence.name]);
        let (name, stood) = (scene.name(sequence), scene.sibling(sequence, &aside));
        [
            On { name: name.clone(), word: RelationWord::Sequence }.rename(&aside),
            on.add_identity(self.change.column, identity, Some(name.clone())),
            scene.go_on(&name, &stood),
            on.drop_identity(from),
        ]
    }

    /// The new identity counts as a plain one does.
    fn plain_options(&self, sequence: &RelationName) -> Criterion {
        Criterion::counts_nothing(
            "the identity counts from 1 by 1: other options of its sequence would be lost",
            self.scene.count(&Count::UnusualSequence { sequence: &self.scene.sql(sequence) }),
        )
    }
}
