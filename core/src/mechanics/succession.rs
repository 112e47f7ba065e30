//! A table that takes the place of another: both kept in step, rows copied, names exchanged, and back; then the old one goes or stays aside.

use crate::catalog::{Catalog, ColumnState, Demand, RelationName, Table};
use crate::dialect::{LockMode, Unnamed};
use crate::engine::{Capability, Count};
use crate::hazards::compatibility::{dropped_table, refused_ids, renamed_table};
use crate::operation::{Identity, ObjectKind};
use crate::plan::{Criterion, Phase, PhaseKind, SqlStep, Statement, Step};

use super::make;
use super::mirror::Mirror;
use super::rebuilt::Rebuilt;
use super::scene::{Scene, name_of};
use super::{Phases, Refusal, carried, referencing, succession_checks as checks, table_again, twin_checks};

/// Both tables, and how each follows the other.
pub(crate) struct Succession<'a> {
    pub scene: &'a Scene<'a>,
    pub rebuilt: &'a Rebuilt,
    /// What the old table is called once the new one has its name.
    pub aside: &'a RelationName,
    /// The old table.
    pub state: &'a Table,
    /// The new one as its statements leave it beside the old one.
    pub made: &'a Table,
    /// The new one as the migration itself leaves it.
    pub end: &'a Table,
    /// The schema in which it stands beside the old one.
    pub beside: &'a Catalog,
    /// Before the names are exchanged.
    pub there: Mirror<'a>,
    /// After it.
    pub back: Mirror<'a>,
}

impl Succession<'_> {
    /// All phases.
    ///
    /// # Errors
    /// [`Refusal`] where the rows cannot be walked.
    pub fn phases(&self) -> Phases {
        Ok(vec![self.expand(), self.there.backfill(self.state, &[])?, self.cutover(), self.contract()?])
    }

    fn shown(&self, name: &RelationName) -> String {
        name.display(self.scene.dialect())
    }

    /// The table's name, that of its successor, and that of the old table after.
    fn sql(&self) -> [String; 3] {
        [&self.rebuilt.table, &self.rebuilt.interim, self.aside].map(|it| self.scene.sql(it))
    }

    fn file(&self, suffix: &str) -> String {
        name_of(&[&self.rebuilt.table.name, suffix])
    }

    fn expand(&self) -> Phase {
        let (table, interim) = (self.shown(&self.rebuilt.table), self.shown(&self.rebuilt.interim));
        let mut make = self.rebuilt.make.clone();
        let always = self.made.columns.iter().filter(|it| it.identity == Some(Identity::Always));
        make.extend(always.map(|it| self.generated(&self.rebuilt.interim, it, Identity::ByDefault)));
        let drop = make::drop(ObjectKind::Table, self.scene.name(&self.rebuilt.interim));
        let made = self.scene.on_two_tables(
            self.file("successor"),
            format!("make {interim} beside {table}"),
            make,
            vec![drop],
        );
        let mut up = vec![self.there.create_function()];
        up.extend(self.there.start());
        let mut down = self.there.stop();
        down.push(self.there.drop_function());
        let title = format!("carry each change of {table} over to {interim}");
        let follow = self.scene.in_transaction(self.file("successor_follows"), title, up, down);
        let title = format!("make {interim} beside {table}, with triggers that carry each change over");
        let mut phase = Phase::new(PhaseKind::Expand, title, vec![Step::Sql(made), Step::Sql(follow)])
            .enter_when(twin_checks::nothing_unknown(self.scene, &self.rebuilt.table, self.state, &[]))
            .enter_when(checks::every_row_is_taken(self));
        if self.rebuilt.partitioned {
            phase = phase.enter_when(Criterion::of_people(format!(
                "the partitions of {interim} take what will be written from now on: a write of {table} that none of them takes fails"
            )));
        }
        phase.leave_when(self.rights_are_the_same()).undone_by(
            "the down migrations drop the triggers and the new table",
            "writes that fail in the trigger",
        )
    }

    /// Who may use the old table may use the new one.
    fn rights_are_the_same(&self) -> Criterion {
        let [own, there, _] = self.sql();
        Criterion::counts_nothing(
            "owner and privileges are those of the table: GRANT what is missing",
            self.scene.count(&Count::OtherRights { of: &own, on: &there }),
        )
    }

    fn cutover(&self) -> Phase {
        let (table, aside) = (self.shown(&self.rebuilt.table), self.shown(self.aside));
        let title =
            format!("exchange: {table} is the new table from here on, {aside} is what it was, and follows");
        let step =
            self.scene.on_two_tables(self.file("exchange"), title.clone(), self.forth(), self.return_());
        Phase::new(PhaseKind::Cutover, title, vec![Step::Sql(step)])
            .enter_when(self.there.agrees())
            .enter_when(self.rights_are_the_same())
            .leave_when(self.back.agrees())
            .undone_by(
                "the down migration exchanges them again; what was written meanwhile is in both",
                "errors over the baseline",
            )
    }

    fn lock(&self, other: &RelationName) -> Statement {
        let tables = vec![self.scene.name(&self.rebuilt.table), self.scene.name(other)];
        make::lock(tables, LockMode::AccessExclusive)
    }

    fn rename(&self, from: &RelationName, to: &RelationName) -> Statement {
        let because = format!("another has the name {} in the same transaction", self.rebuilt.table.name);
        self.scene.on(from).rename(&to.name).allowing(&renamed_table::RULE, because)
    }

    /// The renames that lead there, from first to last. With one name for both, a third is needed between.
    fn renames(&self) -> Vec<(RelationName, RelationName)> {
        let (table, interim, aside) = (&self.rebuilt.table, &self.rebuilt.interim, self.aside);
        if aside != interim {
            return vec![(table.clone(), aside.clone()), (interim.clone(), table.clone())];
        }
        let name = self.scene.free_name(table, &["lockkeeper", &table.name]);
        let between = RelationName { schema: table.schema.clone(), name: name.as_str().into() };
        vec![(table.clone(), between.clone()), (interim.clone(), table.clone()), (between, aside.clone())]
    }

    fn forth(&self) -> Vec<Statement> {
        let mut statements = vec![self.lock(&self.rebuilt.interim)];
        statements.extend(self.there.stop());
        statements.push(self.there.drop_function());
        statements.extend(self.rebuilt.before.iter().map(|(up, _)| up.clone()));
        statements.extend(self.renames().iter().map(|(from, to)| self.rename(from, to)));
        statements.extend(self.own_names(|pair| pair));
        statements.extend(self.rebuilt.after.iter().map(|(up, _)| up.clone()));
        statements.extend(self.sequences(|own, there| (own, there)));
        let (table, aside) = (&self.rebuilt.table, self.aside);
        statements.extend(self.identities(self.end, table, Identity::Always));
        statements.extend(self.identities(self.state, aside, Identity::ByDefault));
        statements.push(self.back.create_function());
        statements.extend(self.back.start());
        statements
    }

    fn return_(&self) -> Vec<Statement> {
        let mut statements = vec![self.lock(self.aside)];
        statements.extend(self.back.stop());
        statements.push(self.back.drop_function());
        let (table, aside) = (&self.rebuilt.table, self.aside);
        statements.extend(self.identities(self.end, table, Identity::ByDefault));
        statements.extend(self.identities(self.state, aside, Identity::Always));
        statements.extend(self.sequences(|own, there| (there, own)));
        statements.extend(self.rebuilt.after.iter().rev().map(|(_, down)| down.clone()));
        statements.extend(self.own_names(|(from, to)| (to, from)));
        statements.extend(self.renames().iter().rev().map(|(from, to)| self.rename(to, from)));
        statements.extend(self.rebuilt.before.iter().rev().map(|(_, down)| down.clone()));
        statements.push(self.there.create_function());
        statements.extend(self.there.start());
        statements
    }

    /// Indexes and constraints that the server named after the interim name take those that the migration itself would give them.
    fn own_names(&self, turned: for<'n> fn((&'n str, &'n str)) -> (&'n str, &'n str)) -> Vec<Statement> {
        let indexes = self.made.indexes.iter().zip(&self.end.indexes);
        let indexes: Vec<(&str, &str)> =
            indexes.map(|(there, own)| turned((&*there.name.name, &*own.name.name))).collect();
        let plain = |it: &&crate::catalog::ConstraintState| !it.demand.has_index();
        let (made, end) =
            (self.made.constraints.iter().filter(plain), self.end.constraints.iter().filter(plain));
        let named = self.not_null_names();
        let constraints = made.zip(end).map(|(there, own)| (there.name.as_str(), own.name.as_str()));
        let constraints = constraints.chain(named.iter().map(|(there, own)| (there.as_str(), own.as_str())));
        let constraints = constraints.map(turned).collect();
        carried::renamed_parts(self.scene, &self.rebuilt.table, indexes, constraints)
    }

    /// Where NOT NULL is a constraint with a name: the one that the server gives beside the old table, and the one in its place.
    fn not_null_names(&self) -> Vec<(String, String)> {
        let states = |it: &str| {
            self.made
                .constraints
                .iter()
                .any(|own| matches!(&own.demand, Demand::NotNull(column) if column == it))
        };
        let named = |it: &&String| {
            self.scene.can(Capability::NamedNotNull)
                && self.made.column(it).is_some_and(|column| column.not_null)
                && !states(it)
        };
        let dialect = self.scene.dialect();
        let name = |table: &RelationName, column: &str, number: usize| {
            dialect.numbered_name(&table.name, &[column], Unnamed::NotNull, number)
        };
        let pair = |it: &String| {
            let taken = self.state.column(it).is_some_and(|own| own.not_null);
            (name(&self.rebuilt.interim, it, 0), name(&self.rebuilt.table, it, usize::from(taken)))
        };
        self.rebuilt.listed.iter().filter(named).map(pair).collect()
    }

    /// Columns that draw from a sequence of their own in both tables, with those.
    fn drawn(&self) -> impl Iterator<Item = (&ColumnState, &RelationName, &RelationName)> {
        self.there.columns.iter().filter_map(|pair| {
            let own = self.state.column(&pair.from)?;
            let (one, other) = (own.sequence.as_ref()?, self.end.column(&pair.to)?.sequence.as_ref()?);
            (one != other).then_some((own, one, other))
        })
    }

    /// The sequence of the table that is written goes on where the other stood.
    fn sequences<'n>(
        &'n self,
        turned: impl Fn(&'n RelationName, &'n RelationName) -> (&'n RelationName, &'n RelationName),
    ) -> Vec<Statement> {
        self.drawn()
            .map(|(_, own, there)| {
                let (from, to) = turned(own, there);
                self.scene.go_on(&self.scene.name(to), &self.scene.name(from))
            })
            .collect()
    }

    fn generated(&self, table: &RelationName, column: &ColumnState, how: Identity) -> Statement {
        self.scene.on(table).set_identity(&column.name, how)
    }

    /// A table that is written refuses values for its identity again; one that follows takes them.
    fn identities(&self, state: &Table, table: &RelationName, how: Identity) -> Vec<Statement> {
        let always = state.columns.iter().filter(|it| it.identity == Some(Identity::Always));
        let because = "the table refused them before";
        always.map(|it| self.generated(table, it, how).allowing(&refused_ids::RULE, because)).collect()
    }

    fn contract(&self) -> Result<Phase, Refusal> {
        let (table, aside) = (self.shown(&self.rebuilt.table), self.shown(self.aside));
        let cycle =
            Criterion::of_people(format!("{table} has been in use as it is for one full release cycle"));
        if !self.rebuilt.dropped {
            let title = format!("let {aside} follow {table} no longer: it stays as it is at this moment");
            let step = self.let_go(title.clone());
            return Ok(Phase::new(PhaseKind::Contract, title, vec![Step::Sql(step)]).enter_when(cycle).undone_by(
                format!("the down migration fills {aside} again from {table}, which is closed for writing meanwhile"),
                "a need to go back",
            ));
        }
        let keys = self.state.constraints.iter();
        let mut steps: Vec<SqlStep> =
            keys.filter_map(|it| referencing::drop_key(self.scene, self.aside, it)).collect();
        steps.push(self.drop()?);
        let title = format!("drop {aside}, which is what {table} was");
        Ok(Phase::new(PhaseKind::Contract, title, steps.into_iter().map(Step::Sql).collect())
            .enter_when(cycle)
            .undone_by(
                format!("the down migrations make {aside} again as {table} was and copy all rows, while {table} is closed for writing"),
                "a need to go back",
            ))
    }

    /// The statements that fill the old table from the new one, and keep it in step from then on.
    fn refill(&self) -> Vec<Statement> {
        let (columns, values): (Vec<&str>, Vec<&str>) =
            self.back.columns.iter().map(|it| (it.to.as_str(), it.from.as_str())).unzip();
        let rows = format!("SELECT {} FROM {}", self.scene.list(values), self.scene.sql(&self.rebuilt.table));
        let mut statements = vec![self.scene.on(self.aside).insert(columns, true, rows)];
        statements.push(self.back.create_function());
        statements.extend(self.back.start());
        statements
    }

    fn closed_for_writing(&self) -> Statement {
        make::lock(vec![self.scene.name(&self.rebuilt.table)], LockMode::ShareRowExclusive)
    }

    fn let_go(&self, title: String) -> SqlStep {
        // The table itself first: a trigger of a partitioned one is dropped from its partitions before it is locked, and in another order than that
        // in which clients lock them (seen on 15: no end of lock timeouts beside three of them).
        let mut up = vec![self.lock(self.aside)];
        up.extend(self.back.stop());
        up.push(self.back.drop_function());
        up.extend(self.identities(self.state, self.aside, Identity::Always));
        let mut down = vec![self.closed_for_writing()];
        down.extend(self.identities(self.state, self.aside, Identity::ByDefault));
        down.push(self.scene.on(self.aside).truncate());
        down.extend(self.refill());
        self.scene.on_two_tables(self.file("let_go"), title, up, down)
    }

    fn drop(&self) -> Result<SqlStep, Refusal> {
        let mut up = vec![self.lock(self.aside)];
        up.extend(self.back.stop());
        up.push(self.back.drop_function());
        let drop = make::drop(ObjectKind::Table, self.scene.name(self.aside));
        let because = "all its rows are in the table that has its name";
        up.push(drop.allowing(&dropped_table::RULE, because));
        let unspelled =
            || Refusal::new(format!("{} could not be made again", self.shown(&self.rebuilt.table)));
        let (scene, table_name) = (self.scene, &self.rebuilt.table);
        let drawn = |it: &ColumnState| self.drawn().any(|(own, ..)| own.name == it.name);
        let create = table_again::create_drawing(scene, table_name, self.state, self.aside, drawn);
        let mut down = vec![self.closed_for_writing()];
        down.extend(create.ok_or_else(unspelled)?);
        down.extend(self.identities(self.state, self.aside, Identity::ByDefault));
        down.extend(self.refill());
        let (aside, table) = (self.shown(self.aside), self.shown(&self.rebuilt.table));
        let title = format!("drop {aside} and the triggers that keep it in step with {table}");
        Ok(self.scene.on_two_tables(self.file("old_drop"), title, up, down))
    }
}
