//! A table made again beside itself, kept in step, filled, and put in its place.
//!
//! Table and twin exchange names: of themselves, their indexes and the sequences of their identities. The same statements lead there and
//! back, and the triggers that keep the twin in step then keep the old table in step, since names are all they know.

use crate::catalog::{Catalog, ConstraintState, Demand, RelationName, Table};
use crate::dialect::{LockMode, Name, Unnamed};
use crate::engine::Capability;
use crate::hazards::compatibility::{dropped_table, refused_ids, renamed_table};
use crate::hazards::locking::unindexed_foreign_key;
use crate::operation::{Constraint, Identity, ObjectKind, Operation, RelationWord};
use crate::plan::{Phase, PhaseKind, SqlStep, Statement, Step};
use crate::text::Span;

use super::make::{self, On};
use super::mirror::{Beside, Marks, Mirror, Pair};
use super::referencing::{self, Reference};
use super::scene::{Scene, name_of};
use super::twin_checks as checks;
use super::{Refusal, carried};

/// What a recipe says of the twin.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The statements that make it, empty: like the table, and changed as was asked.
    pub create: Vec<Statement>,
    /// The table as the change itself would leave it.
    pub after: Table,
    /// The statements that make the twin again as the table was before, once it is as it is after.
    pub again: Vec<Statement>,
    /// What the table is then, in a few words.
    pub title: String,
    /// Whether its rows stay in the same place and form.
    pub keeps_place: bool,
    /// The columns in whose order its rows come over; none: the key's.
    pub order: Vec<String>,
}

/// A table and its twin.
pub(crate) struct Twin<'a> {
    pub(crate) scene: &'a Scene<'a>,
    pub(crate) table: &'a RelationName,
    pub(crate) state: &'a Table,
    pub(crate) name: &'a RelationName,
    pub(crate) shape: Shape,
    /// The twin as the statements leave it.
    pub(crate) made: Table,
    pub(crate) references: Vec<Reference<'a>>,
    pub(crate) mirror: Mirror<'a>,
}

/// The name of a table's twin.
pub(crate) fn name(table: &RelationName) -> RelationName {
    RelationName { schema: table.schema.clone(), name: name_of(&[&table.name, "twin"]).as_str().into() }
}

/// A relation as statements leave it.
pub(crate) fn after(catalog: &Catalog, statements: &[Statement], name: &RelationName) -> Table {
    after_all(catalog, statements).table(name).cloned().unwrap_or_default()
}

/// The schema as statements leave it.
pub(crate) fn after_all(catalog: &Catalog, statements: &[Statement]) -> Catalog {
    let mut after = catalog.clone();
    for kind in statements.iter().flat_map(Statement::operations) {
        after.apply(&Operation { kind: kind.clone(), span: Span::default() });
    }
    after
}

impl<'a> Twin<'a> {
    /// Looks at all that hangs on the table.
    ///
    /// # Errors
    /// [`Refusal`] where something cannot be carried over.
    pub fn of(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        state: &'a Table,
        name: &'a RelationName,
        shape: Shape,
    ) -> Result<Self, Refusal> {
        let key = checks::refuse(scene, table, state, name)?;
        let references = referencing::to(scene, table, |child, _| child != table)?;
        let made = after(scene.catalog, &shape.create, name);
        let follows = state.columns.iter().filter(|it| it.generated.is_none());
        let mirror = Mirror {
            scene,
            from: table,
            to: name,
            columns: follows.map(|it| Pair::same(&it.name)).collect(),
            key: key.iter().map(|it| Pair::same(it)).collect(),
            marks: Marks::default(),
            beside: Beside::Batches,
        };
        let twin = Self { scene, table, state, name, shape, made, references, mirror };
        checks::refuse_shape(&twin)?;
        Ok(twin)
    }

    /// All phases.
    ///
    /// # Errors
    /// [`Refusal`] where the rows cannot be walked.
    pub fn phases(&self) -> Result<Vec<Phase>, Refusal> {
        let mut phases = vec![self.expand(), self.mirror.backfill(self.state, &self.shape.order)?];
        phases.extend(self.keys());
        phases.push(self.cutover());
        phases.push(self.contract());
        Ok(phases)
    }

    pub(crate) fn shown(&self) -> (String, String) {
        (self.table.display(self.scene.dialect()), self.name.display(self.scene.dialect()))
    }

    pub(crate) fn sql(&self) -> (String, String) {
        (self.scene.sql(self.table), self.scene.sql(self.name))
    }

    fn names(&self) -> Vec<Name> {
        vec![self.scene.name(self.table), self.scene.name(self.name)]
    }

    /// Statements about the table, and about the twin.
    fn on(&self) -> (On, On) {
        (self.scene.on(self.table), self.scene.on(self.name))
    }

    fn file(&self, suffix: &str) -> String {
        name_of(&[&self.table.name, suffix])
    }

    fn expand(&self) -> Phase {
        let (shown, twin) = self.shown();
        let mut up = self.shape.create.clone();
        up.push(self.mirror.create_function());
        up.extend(self.mirror.start());
        let mut down = self.mirror.stop();
        down.push(self.mirror.drop_function());
        down.push(make::drop(ObjectKind::Table, self.scene.name(self.name)));
        let title = format!("make {twin} beside {shown}, with triggers that carry each change over");
        let step = self.scene.in_transaction(self.file("twin"), title.clone(), up, down);
        Phase::new(PhaseKind::Expand, title, vec![Step::Sql(step)])
            .enter_when(checks::nothing_unknown(self.scene, self.table, self.state, &self.references))
            .leave_when(checks::nothing_missing(self))
            .leave_when(checks::indexes_are_alike(self))
            .undone_by(
                "the down migration drops the triggers and the twin",
                "writes that fail in the trigger",
            )
    }

    fn own_keys(&self) -> impl Iterator<Item = &'a ConstraintState> {
        self.state.constraints.iter().filter(|it| matches!(it.demand, Demand::ForeignKey { .. }))
    }

    /// The foreign keys of the table that point at the table.
    fn own_keys_to_itself(&self) -> impl Iterator<Item = &'a ConstraintState> {
        self.own_keys().filter(
            |it| matches!(&it.demand, Demand::ForeignKey { references, .. } if references == self.table),
        )
    }

    /// A foreign key as the table that follows has it. Rows come over one by one: what points at the same table is looked at last.
    fn followed(&self, constraint: &ConstraintState) -> Option<Constraint> {
        let mut own = constraint.clone();
        if let Demand::ForeignKey { references, .. } = &mut own.demand
            && references == self.table
        {
            references.clone_from(self.name);
            (own.deferrable, own.initially_deferred) = (true, true);
        }
        make::again(&own, self.scene.dialect())
    }

    /// The foreign keys of the twin, and those that point at it, each by itself.
    pub(crate) fn keys(&self) -> Option<Phase> {
        let mut steps: Vec<SqlStep> = Vec::new();
        for constraint in self.own_keys() {
            let Some(followed) = self.followed(constraint) else { continue };
            let shown = name_of(&[&self.name.name, &constraint.name]);
            let mut both = carried::validated(self.scene, self.name, &followed, &shown);
            let indexed = |columns: &[String]| self.scene.catalog.has_index_on(self.table, columns);
            if matches!(&constraint.demand, Demand::ForeignKey { columns, .. } if !indexed(columns)) {
                let because = "the table has no index for it either";
                both[0].allow_last(|it| it.allowing(&unindexed_foreign_key::RULE, because));
            }
            steps.extend(both.into_iter().take(if constraint.valid { 2 } else { 1 }));
        }
        for reference in &self.references {
            let mut moved = reference.constraint.clone();
            if let Demand::ForeignKey { references, .. } = &mut moved.demand {
                references.clone_from(self.name);
            }
            let moved = make::again(&moved, self.scene.dialect());
            steps.extend(moved.into_iter().flat_map(|it| reference.follow(self.scene, it, |add| add)));
        }
        let (_, twin) = self.shown();
        let title = format!("give {twin} its foreign keys, and point those of others at it, one at a time");
        (!steps.is_empty()).then(|| {
            Phase::new(PhaseKind::Verification, title, steps.into_iter().map(Step::Sql).collect())
                .enter_when(self.mirror.agrees())
                .undone_by(
                    "the down migrations point them at the old table again; each checks its table under a lock that stops its writes",
                    "a change of the other tables that waits longer than the lock timeout again and again",
                )
        })
    }

    fn cutover(&self) -> Phase {
        let (shown, twin) = self.shown();
        let (up, down) = (self.swap(Direction::There), self.swap(Direction::Back));
        let title =
            format!("swap: {shown} is {} from here on, {twin} is what it was, and follows", self.shape.title);
        let step = self.scene.on_two_tables(self.file("swap"), title.clone(), up, down);
        Phase::new(PhaseKind::Cutover, title, vec![Step::Sql(step)])
            .enter_when(self.mirror.agrees())
            .enter_when(checks::nothing_missing(self))
            .leave_when(self.mirror.agrees())
            .undone_by(
                "the down migration swaps them back; what was written meanwhile is in both",
                "errors over the baseline",
            )
    }

    /// Both tables are closed for as long as their names change: nothing is read or written.
    fn swap(&self, direction: Direction) -> Vec<Statement> {
        let mut statements = vec![make::lock(self.names(), LockMode::AccessExclusive)];
        statements.extend(self.mirror.stop());
        let (on, _) = self.on();
        statements.extend(self.state.triggers.iter().map(|it| on.drop_trigger(&it.name)));
        if direction == Direction::Back {
            statements.extend(self.own_names(direction));
        }
        for rename in self.exchange(RelationWord::Table, self.table, self.name) {
            let because = format!("another has the name {} in the same transaction", self.table.name);
            statements.push(rename.allowing(&renamed_table::RULE, because));
        }
        for (own, there) in self.index_pairs() {
            statements.extend(self.exchange(RelationWord::Index, own, there));
        }
        if direction == Direction::There {
            statements.extend(self.own_names(direction));
        }
        statements.extend(self.sequences());
        statements.extend(self.timings());
        for it in &self.state.triggers {
            statements.push(make::trigger(&it.name, &on.name, it.constraint, &it.events, &it.action));
        }
        statements.extend(self.mirror.start());
        statements
    }

    /// Three statements that give each of two relations the other's name.
    fn exchange(&self, word: RelationWord, one: &RelationName, other: &RelationName) -> [Statement; 3] {
        let between = self.scene.free_name(one, &["lockkeeper", &one.name]);
        let rename = |from: &str, to: &str| On { name: self.scene.sibling(one, from), word }.rename(to);
        [rename(&one.name, &between), rename(&other.name, &one.name), rename(&between, &other.name)]
    }

    /// The indexes of the table and those of the twin that are like them.
    pub(super) fn index_pairs(&self) -> impl Iterator<Item = (&RelationName, &RelationName)> {
        let there = self.made.indexes.iter().map(|it| &it.name);
        self.state.indexes.iter().map(|it| &it.name).zip(there)
    }

    /// What only the twin has takes the name that the change itself would give it.
    fn own_names(&self, direction: Direction) -> Vec<Statement> {
        let (after, made) = (&self.shape.after, &self.made);
        let fresh = self.state.indexes.len();
        let indexes = after.indexes.iter().zip(&made.indexes).skip(fresh);
        let indexes = indexes.map(|(own, there)| direction.of(&there.name.name, &own.name.name)).collect();
        let plain =
            |it: &&ConstraintState| !it.demand.has_index() && self.state.constraint(&it.name).is_none();
        let pairs = after.constraints.iter().filter(plain).zip(made.constraints.iter().filter(plain));
        let mut names: Vec<(String, String)> =
            pairs.map(|(own, there)| (there.name.clone(), own.name.clone())).collect();
        if self.scene.can(Capability::NamedNotNull) {
            let added =
                after.columns.iter().filter(|it| it.not_null && self.state.column(&it.name).is_none());
            let name = |table: &RelationName, column: &str| {
                self.scene.server_name(table, &[column], Unnamed::NotNull)
            };
            names.extend(added.map(|it| (name(self.name, &it.name), name(self.table, &it.name))));
        }
        let constraints = names.iter().map(|(there, own)| direction.of(there, own)).collect();
        carried::renamed_parts(self.scene, self.table, indexes, constraints)
    }

    /// The sequences go on, each with the table that has the name now.
    fn sequences(&self) -> Vec<Statement> {
        let (on, on_twin) = self.on();
        let mut statements = Vec::new();
        for (column, made) in self.state.columns.iter().zip(&self.made.columns) {
            let Some(own) = &column.sequence else { continue };
            let name = self.scene.name(own);
            let Some(identity) = column.identity else {
                statements.push(make::own_sequence(name, None, Some((on.name.clone(), &column.name))));
                continue;
            };
            let Some(there) = &made.sequence else { continue };
            statements.extend(self.exchange(RelationWord::Sequence, own, there));
            statements.push(self.scene.go_on(&name, &self.scene.name(there)));
            if identity == Identity::Always {
                let always = on.set_identity(&column.name, Identity::Always);
                statements.push(always.allowing(&refused_ids::RULE, "the table refused them before"));
                statements.push(on_twin.set_identity(&column.name, Identity::ByDefault));
            }
        }
        statements
    }

    /// When foreign keys to the same table are looked at: in the table that is written as they say, in the other at the end.
    fn timings(&self) -> Vec<Statement> {
        let (on, on_twin) = self.on();
        let own = self.own_keys_to_itself().filter(|it| !it.initially_deferred);
        own.flat_map(|it| [on.time(&it.name, it.deferrable, false), on_twin.time(&it.name, true, true)])
            .collect()
    }

    fn contract(&self) -> Phase {
        let (shown, twin) = self.shown();
        let mut steps: Vec<SqlStep> = Vec::new();
        let elsewhere = |it: &&ConstraintState| matches!(&it.demand, Demand::ForeignKey { references, .. } if references != self.table);
        for constraint in self.own_keys().filter(elsewhere) {
            let (_, on) = self.on();
            let up = vec![on.drop_constraint(&constraint.name)];
            let down = self.followed(constraint);
            let down = down.map(|it| on.add(Constraint { not_valid: !constraint.valid, ..it }));
            let title = format!("drop the foreign key {} of {twin}", constraint.name);
            let file = name_of(&[&self.name.name, &constraint.name, "drop"]);
            steps.push(self.scene.on_two_tables(file, title, up, down.into_iter().collect()));
        }
        steps.push(self.drop());
        let title = format!("drop {twin}, which is what {shown} was");
        Phase::new(PhaseKind::Contract, title, steps.into_iter().map(Step::Sql).collect())
            .enter_when(crate::plan::Criterion::of_people(format!(
                "{shown} has been in use as it is for one full release cycle"
            )))
            .undone_by(
                format!("the down migrations make {twin} again as {shown} was and copy all rows, while {shown} is closed for writing"),
                "a need to go back",
            )
    }

    fn drop(&self) -> SqlStep {
        let (on, on_twin) = self.on();
        let mut up = vec![make::lock(self.names(), LockMode::AccessExclusive)];
        up.extend(self.mirror.stop());
        up.push(self.mirror.drop_function());
        let drop = make::drop(ObjectKind::Table, on_twin.name.clone());
        up.push(drop.allowing(&dropped_table::RULE, "no release ever used it: it is what the table was"));
        let columns = || self.mirror.columns.iter().map(|it| it.to.as_str());
        let list = self.scene.list(columns());
        let mut down = vec![make::lock(vec![on.name], LockMode::ShareRowExclusive)];
        down.extend(self.shape.again.iter().cloned());
        let rows = format!("SELECT {list} FROM {}", self.scene.sql(self.table));
        down.push(on_twin.insert(columns(), true, rows));
        for constraint in self.own_keys_to_itself() {
            let followed = self.followed(constraint);
            down.extend(followed.map(|it| on_twin.add(Constraint { not_valid: !constraint.valid, ..it })));
        }
        down.push(self.mirror.create_function());
        down.extend(self.mirror.start());
        let title = format!("drop {} and the triggers that keep it in step", self.shown().1);
        self.scene.in_transaction(self.file("twin_drop"), title, up, down)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    There,
    Back,
}

impl Direction {
    /// A name and the one that takes its place.
    fn of<'n>(self, from: &'n str, to: &'n str) -> (&'n str, &'n str) {
        match self {
            Self::There => (from, to),
            Self::Back => (to, from),
        }
    }
}
