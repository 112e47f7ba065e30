//! What hangs on a column and must hang on its successor: indexes, constraints, NOT NULL, default.

use crate::catalog::{ColumnState, ConstraintState, Demand, Index, IndexColumn, RelationName, Table};
use crate::dialect::Unnamed;
use crate::engine::Capability;
use crate::operation::{Column, Constraint, ConstraintKind, Expression, RelationWord};
use crate::plan::{Phase, PhaseKind, SqlStep, Statement, Step};

use super::Refusal;
use super::make::{self, Build, On};
use super::scene::{Scene, name_of};
use super::sync::undone;

/// A part of what hangs on a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// That it refuses NULL.
    NotNull,
    /// Its default.
    Default,
}

/// What hangs on a column, to be made again on its successor.
pub(crate) struct Carried<'a> {
    scene: &'a Scene<'a>,
    table: &'a RelationName,
    old: &'a str,
    new: &'a str,
    column: &'a ColumnState,
    indexes: Vec<&'a Index>,
    constraints: Vec<&'a ConstraintState>,
}

impl<'a> Carried<'a> {
    /// Looks at all that names `old`.
    ///
    /// # Errors
    /// [`Refusal`] where something cannot be carried over.
    pub fn of(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        state: &'a Table,
        old: &'a str,
        new: &'a str,
    ) -> Result<Self, Refusal> {
        refuse_key(scene, table, state, old)?;
        Self::of_key(scene, table, state, old, new)
    }

    /// What hangs on each of several columns that go without successors.
    ///
    /// # Errors
    /// [`Refusal`] where something could not be made again.
    pub fn all(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        state: &'a Table,
        columns: &[&'a str],
    ) -> Result<Vec<(&'a str, Self)>, Refusal> {
        columns.iter().map(|it| Ok((*it, Self::of(scene, table, state, it, it)?))).collect()
    }

    /// The same of a primary key: the key itself, what points at it and its sequence are carried over elsewhere.
    ///
    /// # Errors
    /// [`Refusal`] where something cannot be carried over.
    pub fn of_key(
        scene: &'a Scene<'a>,
        table: &'a RelationName,
        state: &'a Table,
        old: &'a str,
        new: &'a str,
    ) -> Result<Self, Refusal> {
        let shown = format!("{}.{old}", table.display(scene.dialect()));
        let column =
            state.column(old).ok_or_else(|| Refusal::new(format!("the column {shown} is not known")))?;
        if new != old && state.column(new).is_some() {
            return Err(Refusal::new(format!("the column {new} of {} is there already", table.name)));
        }
        refuse(scene, state, old, &shown)?;
        if new != old && column.not_null {
            super::not_null::possible(scene)?;
        }
        let dialect = scene.dialect();
        let names = |it: &&ConstraintState| crate::catalog::names_column(&it.demand, old, dialect);
        let constraints: Vec<_> = state.constraints.iter().filter(names).collect();
        let plain = |index: &&Index| {
            let kept_by = constraints.iter().any(|it| it.demand.has_index() && it.name == *index.name.name);
            index.names_column(old, dialect) && !kept_by
        };
        let indexes = state.indexes.iter().filter(plain).collect();
        Ok(Self { scene, table, old, new, column, indexes, constraints })
    }

    /// Whether the column refuses NULL.
    pub fn not_null(&self) -> bool {
        self.column.not_null
    }

    /// The name that something of the old column has while both stand.
    fn interim(&self, name: &str) -> String {
        self.scene.free_name(self.table, &["lockkeeper", name])
    }

    fn on(&self) -> On {
        self.scene.on(self.table)
    }

    /// The migrations that make indexes and constraints on the new column, behind the backfill.
    pub fn steps(&self) -> Vec<SqlStep> {
        let mut steps = Vec::new();
        for index in &self.indexes {
            steps.push(self.index_step(index, &index.name.name, index.unique));
        }
        for constraint in &self.constraints {
            self.constraint_steps(constraint, &mut steps);
        }
        if self.not_null() {
            steps.extend(self.not_null_steps());
        }
        steps
    }

    fn index_step(&self, index: &Index, name: &str, unique: bool) -> SqlStep {
        let index = self.create_index(index, &self.interim(name), unique, Build::Concurrent, self.new);
        self.scene.built(name_of(&[name, "on", self.new]), format!("build the successor of {name}"), index)
    }

    fn create_index(&self, index: &Index, name: &str, unique: bool, build: Build, column: &str) -> Statement {
        let renamed = Index {
            unique,
            keys: index
                .keys
                .iter()
                .map(|key| IndexColumn {
                    text: Expression::new(self.renamed(&key.text.text, column)),
                    ..key.clone()
                })
                .collect(),
            include: index
                .include
                .iter()
                .map(|it| if it == self.old { column.to_owned() } else { it.clone() })
                .collect(),
            predicate: index.predicate.as_ref().map(|it| Expression::new(self.renamed(&it.text, column))),
            ..index.clone()
        };
        make::index(self.table, &renamed, name, build, self.scene.dialect())
    }

    /// The text with the old column's name replaced.
    fn renamed(&self, text: &str, column: &str) -> String {
        match column == self.old {
            true => text.to_owned(),
            false => Expression::new(text).with_column_renamed(self.scene.dialect(), self.old, column),
        }
    }

    fn constraint_steps(&self, constraint: &ConstraintState, steps: &mut Vec<SqlStep>) {
        let interim = self.interim(&constraint.name);
        match &constraint.demand {
            Demand::Unique(columns) => {
                let index = self.unique_index(columns);
                steps.push(self.index_step(&index, &constraint.name, true));
                let key = Constraint {
                    deferrable: constraint.deferrable,
                    initially_deferred: constraint.initially_deferred,
                    ..make::from_index(&interim, false, &interim)
                };
                let rebuilt = self.create_index(&index, &interim, true, Build::Plain, self.new);
                steps.push(self.scene.in_transaction(
                    name_of(&[&constraint.name, "constraint"]),
                    format!("make it the successor of {}", constraint.name),
                    vec![self.on().add(key)],
                    vec![self.on().drop_constraint(&interim), rebuilt],
                ));
            }
            Demand::Check(_) | Demand::ForeignKey { .. } => {
                let Some(moved) = self.moved(constraint, self.new) else { return };
                let moved = Constraint { name: Some(make::ident(interim)), ..moved };
                steps.extend(validated(self.scene, self.table, &moved, &constraint.name));
            }
            Demand::NotNull(_) | Demand::PrimaryKey(_) | Demand::Exclude(_) => {}
        }
    }

    fn unique_index(&self, columns: &[String]) -> Index {
        let key = |column: &String| crate::catalog::IndexColumn {
            column: Some(column.clone()),
            text: crate::operation::Expression::new(self.scene.quote(column)),
        };
        Index {
            name: self.table.clone(),
            unique: true,
            valid: true,
            keys: columns.iter().map(key).collect(),
            include: Vec::new(),
            predicate: None,
            method: "btree".to_owned(),
            children: Vec::new(),
            born: 0,
        }
    }

    /// A constraint, on another column.
    fn moved(&self, constraint: &ConstraintState, column: &str) -> Option<Constraint> {
        let own = |it: &String| if it == self.old { column.to_owned() } else { it.clone() };
        let all = |names: &[String]| names.iter().map(own).collect();
        let mut state = constraint.clone();
        match &mut state.demand {
            Demand::Check(check) => *check = Expression::new(self.renamed(&check.text, column)),
            Demand::ForeignKey { columns, .. } | Demand::Unique(columns) | Demand::PrimaryKey(columns) => {
                *columns = all(columns);
            }
            Demand::NotNull(_) | Demand::Exclude(_) => {}
        }
        make::again(&state, self.scene.dialect())
    }

    fn not_null_steps(&self) -> Vec<SqlStep> {
        super::not_null::steps(self.scene, self.table, self.new)
    }

    /// The statements, in the transaction that drops the old column, that give its successors their final names.
    pub fn take_names(&self) -> Vec<Statement> {
        let mut statements = Vec::new();
        for index in &self.indexes {
            let name = &index.name.name;
            statements.push(rename_index(self.scene, self.table, &self.interim(name), name));
        }
        for constraint in self.named_constraints() {
            let interim = self.interim(&constraint.name);
            statements.push(self.on().rename_constraint(&interim, &constraint.name));
        }
        if let Some((old, new)) = self.not_null_names() {
            statements.push(self.on().rename_constraint(&new, &old));
        }
        statements
    }

    /// Where NOT NULL is a constraint with a name: that of the old column and that of the new one.
    pub fn not_null_names(&self) -> Option<(String, String)> {
        let named = self.not_null() && self.scene.can(Capability::NamedNotNull) && self.old != self.new;
        let name = |column: &str| self.scene.server_name(self.table, &[column], Unnamed::NotNull);
        named.then(|| (name(self.old), name(self.new)))
    }

    /// The statements that give the names back, before the old column is made again.
    pub fn give_names_back(&self) -> Vec<Statement> {
        undone(&self.take_names())
    }

    fn named_constraints(&self) -> impl Iterator<Item = &&'a ConstraintState> {
        self.constraints.iter().filter(|it| !matches!(it.demand, Demand::NotNull(_) | Demand::PrimaryKey(_)))
    }

    /// The statements that drop all of it but the default and NOT NULL.
    pub fn drop_all(&self) -> Vec<Statement> {
        let indexes =
            self.indexes.iter().map(|it| make::drop_index(self.scene.name(&it.name), Build::Plain, false));
        let constraints = self.named_constraints().map(|it| self.on().drop_constraint(&it.name));
        indexes.chain(constraints).collect()
    }

    /// The statements that make everything again, but for some parts, on the old column, which has a name again when a contract phase is
    /// undone.
    pub fn make_again_on(&self, name: &str, without: &[Part]) -> Vec<Statement> {
        let mut statements = Vec::new();
        if self.not_null() && !without.contains(&Part::NotNull) {
            statements.push(self.on().set_not_null(name));
        }
        if let Some(default) = self.column.default.as_ref().filter(|_| !without.contains(&Part::Default)) {
            statements.push(self.on().set_default(name, default.text.clone()));
        }
        for index in &self.indexes {
            statements.push(self.create_index(index, &index.name.name, index.unique, Build::Plain, name));
        }
        let key = |it: &&&ConstraintState| matches!(it.demand, Demand::PrimaryKey(_));
        for constraint in self.constraints.iter().filter(|it| !key(it)) {
            statements.extend(self.moved(constraint, name).map(|it| self.on().add(it)));
        }
        statements.extend(self.details_on(name));
        statements
    }

    /// Rights, comment and settings of the column, on the one that has this name.
    pub fn details_on(&self, name: &str) -> Vec<Statement> {
        super::details::of_column(&self.column.details, &self.on(), name)
    }

    /// The default of the old column, which moves over when the old release is gone.
    pub fn default(&self) -> Option<&str> {
        self.column.default.as_ref().map(|default| default.text.as_str())
    }

    /// The old column, without default and conditions, under a name.
    pub fn bare(&self, name: &str) -> Column {
        make::bare_column(name, self.column)
    }
}

/// An index of a table under another name.
pub(crate) fn rename_index(scene: &Scene<'_>, table: &RelationName, from: &str, to: &str) -> Statement {
    On { name: scene.sibling(table, from), word: RelationWord::Index }.rename(to)
}

/// A constraint added without looking at old rows, and validated in a transaction of its own.
pub(crate) fn validated(
    scene: &Scene<'_>,
    table: &RelationName,
    constraint: &Constraint,
    shown: &str,
) -> Vec<SqlStep> {
    let on = scene.on(table);
    let own = constraint.name.as_ref().map_or("", |it| it.name.as_str());
    let add = on.add(Constraint { not_valid: true, ..constraint.clone() });
    let drop = on.drop_constraint(own);
    let name = name_of(&[shown, "not_valid"]);
    let title = format!("add {shown} for new rows only");
    let (up, down) = (vec![add.clone()], vec![drop.clone()]);
    let added = match constraint.kind {
        ConstraintKind::ForeignKey(_) => scene.on_two_tables(name, title, up, down),
        _ => scene.in_transaction(name, title, up, down),
    };
    let checked = scene.in_transaction(
        name_of(&[shown, "validate"]),
        format!("check the old rows for {shown} without blocking"),
        vec![on.validate(own)],
        vec![drop, add],
    );
    vec![added, checked]
}

/// The statements that give indexes and constraints of a table other names, each from the first of a pair to the second.
pub(crate) fn renamed_parts(
    scene: &Scene<'_>,
    table: &RelationName,
    indexes: Vec<(&str, &str)>,
    constraints: Vec<(&str, &str)>,
) -> Vec<Statement> {
    let differ = |(from, to): &(&str, &str)| from != to;
    let indexes = indexes.into_iter().filter(differ).map(|(from, to)| rename_index(scene, table, from, to));
    let on = scene.on(table);
    let constraints = constraints.into_iter().filter(differ).map(|(from, to)| on.rename_constraint(from, to));
    indexes.chain(constraints).collect()
}

/// The phase that makes what hangs on the old column again on the new one.
pub(crate) fn phase(carried: &Carried<'_>) -> Option<Phase> {
    let steps: Vec<Step> = carried.steps().into_iter().map(Step::Sql).collect();
    let title = "give the new column the indexes and constraints of the old one";
    (!steps.is_empty()).then(|| Phase::new(PhaseKind::Verification, title, steps))
}

/// What a release must do about statements that give values by their place: the column that takes another's place stands last.
pub(super) fn moves_to_the_end(
    scene: &Scene<'_>,
    table: &RelationName,
    state: &Table,
    column: &str,
) -> Option<String> {
    let last = state.columns.iter().last().is_some_and(|it| it.name == column);
    (!last).then(|| {
        format!(
            "name the columns in every INSERT and COPY beside {}.{column}, and read by name: that column stands last from then on",
            table.display(scene.dialect())
        )
    })
}

/// A key cannot be carried over as other columns are.
fn refuse_key(scene: &Scene<'_>, table: &RelationName, state: &Table, old: &str) -> Result<(), Refusal> {
    let shown = format!("{}.{old}", table.display(scene.dialect()));
    let no = |why: &str| Err(Refusal::new(format!("{shown} {why}: no recipe carries that over yet")));
    if state.primary_key().is_some_and(|key| key.iter().any(|it| it == old)) {
        return no("is in the primary key");
    }
    let referenced = scene.catalog.tables().any(|(_, other)| {
        other.constraints.iter().any(|it| match &it.demand {
            Demand::ForeignKey { references, key, .. } => {
                references == table && key.referenced.iter().any(|it| it.name == old)
            }
            _ => false,
        })
    });
    if referenced {
        return no("is what a foreign key points at");
    }
    if state.column(old).is_some_and(|it| it.identity.is_some() || it.sequence.is_some()) {
        return no("draws its values from a sequence");
    }
    Ok(())
}

/// What cannot be carried over.
fn refuse(scene: &Scene<'_>, state: &Table, old: &str, shown: &str) -> Result<(), Refusal> {
    let dialect = scene.dialect();
    let no = |why: &str| Err(Refusal::new(format!("{shown} {why}: no recipe carries that over yet")));
    let generated = state
        .columns
        .iter()
        .any(|it| it.generated.as_ref().is_some_and(|it| it.expression.names(old, dialect)));
    if generated || state.column(old).is_some_and(|it| it.generated.is_some()) {
        return no("is generated, or a generated column uses it");
    }
    if state.policies.iter().any(|(_, columns)| columns.contains(old)) {
        return no("is named by a row security policy");
    }
    if state.triggers.iter().any(|it| it.columns.iter().any(|it| it == old)) {
        return no("is named by a trigger's UPDATE OF");
    }
    if state.statistics.iter().any(|(_, columns)| columns.iter().any(|it| it == old)) {
        return no("is in extended statistics");
    }
    if state.partition_by.is_some() || state.partition_of.is_some() || !state.children.is_empty() {
        return no("is in a partitioned or inherited table");
    }
    if state.constraints.iter().any(|it| {
        matches!(it.demand, Demand::Exclude(_)) && crate::catalog::names_column(&it.demand, old, dialect)
    }) {
        return no("is in an exclusion constraint");
    }
    Ok(())
}
