//! A table made anew beside itself, kept in step, filled, and put in its place.
//!
//! Table and twin exchange names: of themselves, their indexes and the sequences of their identities. The same statements lead there and
//! back, and the triggers that keep the twin in step then keep the old table in step, since names are all they know.

use crate::catalog::{Catalog, ConstraintState, Demand, RelationName, Table};
use crate::check::{Part, replay};
use crate::framework::Transaction;
use crate::operation::Identity;
use crate::plan::{Phase, PhaseKind, SqlStep, Step};
use crate::text::Span;

use super::mirror::{Beside, Marks, Mirror, Pair};
use super::referencing::{self, Reference};
use super::scene::{Scene, name_of, with_timeout};
use super::twin_checks as checks;
use super::{Refusal, carried};

/// What a recipe says of the twin.
#[derive(Debug)]
pub(super) struct Shape {
    /// The statements that make it, empty: like the table, and changed as was asked.
    pub create: Vec<String>,
    /// The table as the change itself would leave it.
    pub after: Table,
    /// The statements that make the twin again as the table was before, once it is as it is after.
    pub again: Vec<String>,
    /// What the table is then, in a few words.
    pub title: String,
    /// Whether its rows stay in the same place and form.
    pub keeps_place: bool,
    /// The columns in whose order its rows come over; none: the key's.
    pub order: Vec<String>,
}

/// A table and its twin.
pub(super) struct Twin<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) table: &'a RelationName,
    pub(super) state: &'a Table,
    pub(super) name: &'a RelationName,
    pub(super) shape: Shape,
    /// The twin as the statements leave it.
    pub(super) made: Table,
    pub(super) references: Vec<Reference<'a>>,
    pub(super) mirror: Mirror<'a>,
}

/// The name of a table's twin.
pub(super) fn name(table: &RelationName) -> RelationName {
    RelationName { schema: table.schema.clone(), name: name_of(&[&table.name, "twin"]).as_str().into() }
}

/// A relation as statements leave it.
pub(super) fn after(
    scene: &Scene<'_>,
    catalog: &Catalog,
    statements: &[String],
    name: &RelationName,
) -> Table {
    after_all(scene, catalog, statements).table(name).cloned().unwrap_or_default()
}

/// The schema as statements leave it.
pub(super) fn after_all(scene: &Scene<'_>, catalog: &Catalog, statements: &[String]) -> Catalog {
    let mut after = catalog.clone();
    for statement in statements {
        let span = Span::new(0, statement.len());
        replay(Part { text: statement, span, transaction: Transaction::Wrapped }, scene.target, &mut after);
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
        let made = after(scene, scene.catalog, &shape.create, name);
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

    pub(super) fn shown(&self) -> (String, String) {
        (self.table.display(self.scene.dialect()), self.name.display(self.scene.dialect()))
    }

    pub(super) fn sql(&self) -> (String, String) {
        (self.scene.sql(self.table), self.scene.sql(self.name))
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
        down.extend([self.mirror.drop_function(), format!("DROP TABLE {}", self.scene.sql(self.name))]);
        let title = format!("make {twin} beside {shown}, with triggers that carry each change over");
        let step = self.scene.in_transaction(self.file("twin"), title.clone(), &up, &down);
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
    fn followed(&self, constraint: &ConstraintState) -> String {
        let mut own = constraint.clone();
        if let Demand::ForeignKey { references, .. } = &mut own.demand
            && references == self.table
        {
            references.clone_from(self.name);
            (own.deferrable, own.initially_deferred) = (true, true);
        }
        carried::definition(self.scene, &own).unwrap_or_default()
    }

    /// The foreign keys of the twin, and those that point at it, each by itself.
    pub(super) fn keys(&self) -> Option<Phase> {
        let mut steps: Vec<SqlStep> = Vec::new();
        for constraint in self.own_keys() {
            let definition = self.followed(constraint);
            let shown = name_of(&[&self.name.name, &constraint.name]);
            let mut both = carried::validated(self.scene, self.name, &constraint.name, &definition, &shown);
            let indexed = |columns: &[String]| self.scene.catalog.has_index_on(self.table, columns);
            if matches!(&constraint.demand, Demand::ForeignKey { columns, .. } if !indexed(columns)) {
                let allow = "-- lockkeeper: allow unindexed-foreign-key because the table has no index for it either\nALTER TABLE";
                both[0].up = both[0].up.replacen("ALTER TABLE", allow, 1);
            }
            steps.extend(both.into_iter().take(if constraint.valid { 2 } else { 1 }));
        }
        for reference in &self.references {
            let mut moved = reference.constraint.clone();
            if let Demand::ForeignKey { references, .. } = &mut moved.demand {
                references.clone_from(self.name);
            }
            let definition = carried::definition(self.scene, &moved).unwrap_or_default();
            steps.extend(reference.follow(self.scene, &definition));
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
        let step = self.scene.on_two_tables(self.file("swap"), title.clone(), &up, &down);
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
    fn swap(&self, direction: Direction) -> Vec<String> {
        let (table, twin) = self.sql();
        let mut statements = vec![format!("LOCK TABLE {table}, {twin} IN ACCESS EXCLUSIVE MODE")];
        statements.extend(self.mirror.stop());
        for trigger in &self.state.triggers {
            statements.push(format!("DROP TRIGGER {} ON {table}", self.scene.quote(&trigger.name)));
        }
        if direction == Direction::Back {
            statements.extend(self.own_names(direction));
        }
        for rename in self.exchange("TABLE", self.table, self.name) {
            let allow = format!(
                "-- lockkeeper: allow renamed-table because another has the name {} in the same transaction",
                self.table.name
            );
            statements.extend([allow, rename]);
        }
        for (own, there) in self.index_pairs() {
            statements.extend(self.exchange("INDEX", own, there));
        }
        if direction == Direction::There {
            statements.extend(self.own_names(direction));
        }
        statements.extend(self.sequences());
        statements.extend(self.timings());
        for trigger in &self.state.triggers {
            let constraint = if trigger.constraint { "CONSTRAINT " } else { "" };
            let (name, events, action) = (self.scene.quote(&trigger.name), &trigger.events, &trigger.action);
            statements.push(format!("CREATE {constraint}TRIGGER {name} {events} ON {table} {action}"));
        }
        statements.extend(self.mirror.start());
        statements
    }

    /// Three statements that give each of two relations the other's name.
    fn exchange(&self, kind: &str, one: &RelationName, other: &RelationName) -> [String; 3] {
        let between = name_of(&["lockkeeper", &one.name]);
        let rename = |from: &str, to: &str| {
            format!("ALTER {kind} {} RENAME TO {}", self.scene.sibling(one, from), self.scene.quote(to))
        };
        [rename(&one.name, &between), rename(&other.name, &one.name), rename(&between, &other.name)]
    }

    /// The indexes of the table and those of the twin that are like them.
    pub(super) fn index_pairs(&self) -> impl Iterator<Item = (&RelationName, &RelationName)> {
        let there = self.made.indexes.iter().map(|it| &it.name);
        self.state.indexes.iter().map(|it| &it.name).zip(there)
    }

    /// What only the twin has takes the name that the change itself would give it.
    fn own_names(&self, direction: Direction) -> Vec<String> {
        let (after, made) = (&self.shape.after, &self.made);
        let fresh = self.state.indexes.len();
        let indexes = after.indexes.iter().zip(&made.indexes).skip(fresh);
        let indexes = indexes.map(|(own, there)| direction.of(&there.name.name, &own.name.name)).collect();
        let plain =
            |it: &&ConstraintState| !it.demand.has_index() && self.state.constraint(&it.name).is_none();
        let pairs = after.constraints.iter().filter(plain).zip(made.constraints.iter().filter(plain));
        let mut names: Vec<(String, String)> =
            pairs.map(|(own, there)| (there.name.clone(), own.name.clone())).collect();
        if self.scene.target.version.major >= 18 {
            // From 18 on NOT NULL is a constraint with a name.
            let added =
                after.columns.iter().filter(|it| it.not_null && self.state.column(&it.name).is_none());
            let name = |table: &RelationName, column: &str| name_of(&[&table.name, column, "not_null"]);
            names.extend(added.map(|it| (name(self.name, &it.name), name(self.table, &it.name))));
        }
        let constraints = names.iter().map(|(there, own)| direction.of(there, own)).collect();
        carried::renamed_parts(self.scene, self.table, indexes, constraints)
    }

    /// The sequences go on, each with the table that has the name now.
    fn sequences(&self) -> Vec<String> {
        let (table, twin) = self.sql();
        let mut statements = Vec::new();
        for (column, made) in self.state.columns.iter().zip(&self.made.columns) {
            let Some(own) = &column.sequence else { continue };
            let (sql, quoted) = (self.scene.sql(own), self.scene.quote(&column.name));
            let Some(identity) = column.identity else {
                statements.push(format!("ALTER SEQUENCE {sql} OWNED BY {table}.{quoted}"));
                continue;
            };
            let Some(there) = &made.sequence else { continue };
            statements.extend(self.exchange("SEQUENCE", own, there));
            let stood = self.scene.sql(there);
            let literal = crate::dialect::quote_literal(&sql);
            statements.push(format!("SELECT setval({literal}, last_value, is_called) FROM {stood}"));
            if identity == Identity::Always {
                statements.push(
                    "-- lockkeeper: allow refused-ids because the table refused them before".to_owned(),
                );
                statements.push(format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET GENERATED ALWAYS"));
                statements.push(format!("ALTER TABLE {twin} ALTER COLUMN {quoted} SET GENERATED BY DEFAULT"));
            }
        }
        statements
    }

    /// When foreign keys to the same table are looked at: in the table that is written as they say, in the other at the end.
    fn timings(&self) -> Vec<String> {
        let (table, twin) = self.sql();
        let own = self.own_keys_to_itself().filter(|it| !it.initially_deferred);
        own.flat_map(|it| {
            let name = self.scene.quote(&it.name);
            let timing = if it.deferrable { "DEFERRABLE INITIALLY IMMEDIATE" } else { "NOT DEFERRABLE" };
            [
                format!("ALTER TABLE {table} ALTER CONSTRAINT {name} {timing}"),
                format!("ALTER TABLE {twin} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED"),
            ]
        })
        .collect()
    }

    fn contract(&self) -> Phase {
        let (shown, twin) = self.shown();
        let mut steps: Vec<SqlStep> = Vec::new();
        let elsewhere = |it: &&ConstraintState| matches!(&it.demand, Demand::ForeignKey { references, .. } if references != self.table);
        for constraint in self.own_keys().filter(elsewhere) {
            let name = self.scene.quote(&constraint.name);
            let unchecked = if constraint.valid { "" } else { " NOT VALID" };
            let alter = |action: &str| format!("ALTER TABLE {} {action}", self.scene.sql(self.name));
            let up = alter(&format!("DROP CONSTRAINT {name}"));
            let down = alter(&format!("ADD CONSTRAINT {name} {}{unchecked}", self.followed(constraint)));
            let title = format!("drop the foreign key {} of {twin}", constraint.name);
            let file = name_of(&[&self.name.name, &constraint.name, "drop"]);
            steps.push(self.scene.on_two_tables(file, title, &[up], &[down]));
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
        let (table, twin) = self.sql();
        let mut up = vec![format!("LOCK TABLE {table}, {twin} IN ACCESS EXCLUSIVE MODE")];
        up.extend(self.mirror.stop());
        up.push(self.mirror.drop_function());
        up.push(
            "-- lockkeeper: allow dropped-table because no release ever named it: it is what the table was"
                .to_owned(),
        );
        up.push(format!("DROP TABLE {twin}"));
        let columns = self.mirror.columns.iter().map(|it| it.to.as_str());
        let columns = self.scene.list(columns);
        let mut down = vec![format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")];
        down.extend(self.shape.again.iter().cloned());
        down.push(format!(
            "INSERT INTO {twin} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {table}"
        ));
        for constraint in self.own_keys_to_itself() {
            let name = self.scene.quote(&constraint.name);
            let unchecked = if constraint.valid { "" } else { " NOT VALID" };
            down.push(format!(
                "ALTER TABLE {twin} ADD CONSTRAINT {name} {}{unchecked}",
                self.followed(constraint)
            ));
        }
        down.push(self.mirror.create_function());
        down.extend(self.mirror.start());
        SqlStep {
            name: self.file("twin_drop"),
            title: format!("drop {} and the triggers that keep it in step", self.shown().1),
            up: with_timeout(&up),
            down: Some(with_timeout(&down)),
            transactional: true,
            job: None,
        }
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
